"""The page of phones from outside, and what its scripts compute."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from gateway.cli.main import application
from gateway.demo.phone_page import STATIC
from gateway.values.gsm import septets
from tests.cooperative import Cooperative, founded
from tests.people import PEOPLE

PAGE_BYTES_MAX = 200_000
FILES = sorted(STATIC.iterdir())
LOGIC = Path(__file__).with_name("phone_page_logic.test.js")


def test_the_page_and_each_of_its_files_are_guarded(cooperative: Cooperative) -> None:
    """Also where there is none: nothing from elsewhere, nothing inline, in nobody's frame."""
    for path in ("/phone", "/phone/demo.json", "/phone/none.js", *_addresses()):
        with cooperative.client.get(path) as answer:
            assert answer.status_code == (404 if "none" in path else 200), path
        policy = dict(
            part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
        )
        assert policy["default-src"] == "'none'"
        assert "unsafe" not in str(policy)
        assert {"'self'", "'none'", "'script'"} == set(policy.values())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/phone/../__init__.py", "/phone/%2e%2e/__init__.py", "/phone/README.md", "/phone/"]
)
def test_nothing_else_is_handed_out(cooperative: Cooperative, path: str) -> None:
    """Only the page's own files, of the kinds that it has."""
    assert cooperative.client.get(path).status_code == 404


def test_the_page_is_light(cooperative: Cooperative) -> None:
    """All that a first visit loads."""
    weight = 0
    for path in ("/phone", "/phone/demo.json", *_addresses()):
        with cooperative.client.get(path) as answer:
            weight += len(answer.data)

    assert weight < PAGE_BYTES_MAX


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_asks_no_other_origin_and_holds_nothing_inline(file: Path) -> None:
    """Nor makes markup of a text."""
    text = file.read_text()

    assert set(re.findall(r"https?://[^\"' ]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"//[a-z0-9-]+\.[a-z]{2,}/", text.replace("http://www.w3.org/", ""))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
    if file.suffix == ".html":
        assert not re.search(r"\s(on\w+|style)=|<style|<script(?![^>]*\ssrc=)", text)


def test_every_file_is_used_and_every_used_file_is_there() -> None:
    """By the page, or by a module that it loads."""
    texts = {file.name: file.read_text() for file in FILES}
    used = {"phone.html"}
    for text in texts.values():
        used |= set(re.findall(r"(?:/phone|from \"\.)/([\w.]+\.(?:js|css|svg))\"", text))

    assert used == set(texts)


def test_every_word_that_the_page_asks_for_is_there() -> None:
    """In both languages: their likeness is tested with the scripts."""
    words = set(re.findall(r"^    (\w+): \"", (STATIC / "words.js").read_text(), re.M))
    asked = set()
    for file in FILES:
        text = file.read_text()
        asked |= set(re.findall(r"data-(?:word|label)=\"(\w+)\"", text))
        asked |= set(re.findall(r"\bsay\(\"(\w+)\"", text))
        asked |= set(re.findall(r"\bword: \"(\w+)\"", text))

    assert asked
    assert asked - words == set()


def test_the_phones_know_the_service_and_the_members(cooperative: Cooperative) -> None:
    """What the page cannot know by itself; no DNI among it."""
    known = cooperative.client.get("/phone/demo.json").get_json()

    assert known["short_code"] == cooperative.settings.short_code
    assert [each["msisdn"] for each in known["people"]] == [each.msisdn for each in PEOPLE]
    assert not any(person.dni in str(known) for person in PEOPLE)


def test_production_has_no_such_page() -> None:
    """It serves another application, which knows nothing of it."""
    assert application(demo=False) == "gateway.bootstrap:wsgi"
    assert application(demo=True) == "gateway.demo.site:wsgi"
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, gateway.bootstrap; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "gateway.bootstrap" in loaded
    assert not [module for module in loaded if module.startswith("gateway.demo")]


def test_a_training_with_a_secret_of_its_own_does_not_tell_it(
    database_urls: tuple[str, str], redis_urls: tuple[str, str]
) -> None:
    """The page would have to show it to everybody, so there is none."""
    own = {"CHASKI_WEBHOOK_SECRETS": "5f1c7a0e93b24d68a1c05e7d"}
    with founded(database_urls, redis_urls, environment=own) as cooperative:
        assert cooperative.client.get("/phone").status_code == 404
        assert cooperative.client.get("/phone/demo.json").status_code == 404


def test_what_the_scripts_compute(tmp_path: Path) -> None:
    """Calls, masks, the alphabet, the radio, the phone without a face: their own tests, in Node."""
    done = _in_node(tmp_path, "--test", "logic.test.js")

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass 1[0-9]$", done.stdout, re.M), done.stdout
    assert re.search(r"^# skipped 0$", done.stdout, re.M), done.stdout


def test_the_phone_and_the_gateway_know_the_same_alphabet(tmp_path: Path) -> None:
    """Each by itself; every letter of the Basic Multilingual Plane costs the same to both."""
    (tmp_path / "count.js").write_text(
        "import { septets } from './gsm.js';\n"
        "const costs = Array.from({ length: 0xd800 }, (_, code) =>"
        " septets(String.fromCharCode(code)));\n"
        "console.log(JSON.stringify(costs.map((cost) => cost ?? 0)));\n"
    )
    done = _in_node(tmp_path, "count.js")

    assert json.loads(done.stdout) == [_cost(chr(code)) for code in range(0xD800)]


def _cost(letter: str) -> int:
    try:
        return septets(letter)
    except KeyError:
        return 0


def _in_node(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run beside a copy of the page's files, which are modules."""
    for file in (*STATIC.glob("*.js"), LOGIC):
        shutil.copy(file, folder / file.name.removeprefix("phone_page_"))
    (folder / "package.json").write_text('{"type": "module"}')
    return subprocess.run(
        [_node(), *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def _node() -> str:
    """The system's, or the one that Playwright brings along."""
    if found := shutil.which("node"):
        return found
    if (spec := find_spec("playwright")) and spec.origin:
        bundled = Path(spec.origin).parent / "driver" / "node"
        if bundled.exists():
            return str(bundled)
    pytest.skip("there is no Node here, and none of Playwright's")


def _addresses() -> list[str]:
    return [f"/phone/{file.name}" for file in FILES if file.suffix != ".html"]
