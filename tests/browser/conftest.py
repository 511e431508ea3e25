"""A browser, and the demo cooperative's gateway on a port of its own for it.

    def test_rosa_sees_it(page: Page, url: str, cooperative: Cooperative) -> None:
        page.goto(f"{url}/phone")
        …
        cooperative.deliver()  # the worker's part: the SMS go out
        faults = serious_faults(page)

The test's own thread is the worker and the clock, as in every other test; the gateway answers from
threads of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # there are machines that Playwright has no package for
    from playwright.sync_api import Browser, BrowserContext, Page, Request

LAPTOP = {"width": 1366, "height": 768}
SMARTPHONE = {"width": 360, "height": 640}

# Root has no sandbox. The others keep Chromium from calling home, and from waiting for a GPU.
_FLAGS = (
    *(("--no-sandbox",) if os.geteuid() == 0 else ()),
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
_PATIENCE_MS = 10_000  # for what should be seen; a machine of two cores may run other tests too


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The system's Chromium. It is closed with this folder: while Playwright runs, no other test
    could run an asyncio loop."""
    program = os.environ.get("CHASKI_TEST_CHROMIUM") or shutil.which("chromium")
    if not program or not Path(program).exists():
        pytest.skip("there is no Chromium: apt install chromium, or set CHASKI_TEST_CHROMIUM")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright has no package for this machine"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def faults(url: str) -> Iterator[list[str]]:
    """What went wrong in the page; a test that expects a fault takes it out."""
    faults: list[str] = []
    yield faults
    assert faults == []


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser as somebody in Lima has it who was never here before."""
    context = chromium.new_context(
        viewport=LAPTOP, locale="es-PE", timezone_id="America/Lima", reduced_motion="reduce"
    )
    context.set_default_timeout(_PATIENCE_MS)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, url: str, faults: list[str]) -> Iterator[Page]:
    """A tab of it, watched."""
    page = context.new_page()
    watch(page, url, faults)
    yield page
    page.close()


def watch(page: Page, url: str, faults: list[str]) -> None:
    """Write down what goes wrong in a tab: errors, which broken policies are too, and every word to
    another origin."""

    def asked(request: Request) -> None:
        if not request.url.startswith((f"{url}/", "data:", "blob:")):
            faults.append(f"asks another origin: {request.url}")

    page.on("request", asked)
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on(
        "console",
        lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None,
    )


def serious_faults(page: Page) -> list[str]:
    """What axe finds that keeps people out: the rule, and where."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {', '.join(node['html'] for node in fault['nodes'])}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
    ]


def overflow_px(page: Page) -> int:
    """How far the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
