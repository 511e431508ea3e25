"""The watch over a page sees what it is there for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import overflow_px, serious_faults

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_what_goes_wrong_in_a_page_is_written_down(page: Page, url: str, faults: list[str]) -> None:
    """A page that is not there, an error of a script, a picture from elsewhere."""
    page.goto(f"{url}/health/live")
    assert faults == []
    page.goto(f"{url}/nowhere")
    page.evaluate("setTimeout(() => { throw Error('broken') })")
    page.evaluate(
        "new Promise(done => { const i = new Image(); i.onerror = done; "
        "i.src = 'http://127.0.0.2:9/x.png'; })"
    )

    seen = " | ".join(faults)
    faults.clear()

    assert "404" in seen
    assert "error: broken" in seen
    assert "another origin: http://127.0.0.2:9/x.png" in seen


def test_what_keeps_people_out_is_found(page: Page) -> None:
    """A field without a label; and a page that is wider than its window."""
    page.set_content("<html lang='es'><title>t</title><input style='width: 3000px'></html>")

    assert any(fault.startswith("label (critical)") for fault in serious_faults(page))
    assert overflow_px(page) > 1000
