"""What the pages for operators name is there: nobody looks for it in vain at night."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli.main import main
from gateway.settings import PREFIX, Settings
from gateway.tenants import OWNER_URL

HOUSE = Path(__file__).parent.parent
PAGES = {name: (HOUSE / "gateway" / name).read_text() for name in ("RUNBOOK.md", "GROWTH.md")}
SOURCES = "\n".join(
    path.read_text()
    for folder in ("gateway", "tests/bench")
    for path in (HOUSE / folder).rglob("*")
    if path.suffix in {".py", ".sql"}
)

ROLES = {"chaski_app", "chaski_owner", "chaski_auditor"}
# Words of PostgreSQL's, Patroni's and Redis' own.
OTHERS = {
    *("archive_timeout", "pg_stat_replication", "synchronous_mode", "target_session_attrs"),
    "remote_apply",
}


def spans(page: str) -> list[str]:
    """What stands between backticks, outside of blocks."""
    text = re.sub(r"```.*?```", "", PAGES[page], flags=re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text)


def commands() -> Iterator[tuple[str, str]]:
    """Every `chaski …` of the pages."""
    for page in PAGES:
        for span in sorted(set(spans(page))):
            if span.startswith("chaski "):
                yield page, span


@pytest.mark.parametrize(("page", "span"), list(commands()))
def test_a_command_is_there_with_its_options(page: str, span: str) -> None:
    words = shlex.split(span)[1:]
    command: click.Command = main
    while isinstance(command, click.Group) and words:
        if words[0].startswith("--"):
            assert words[0] in {name for option in command.params for name in option.opts}, page
            del words[:2]
            continue
        if words[0] not in command.commands:
            break
        command = command.commands[words.pop(0)]
    known = {name for option in command.params for name in option.opts}
    arguments = [param for param in command.params if isinstance(param, click.Argument)]

    assert command is not main
    assert {word for word in words if word.startswith("--")} <= known
    bare = not any(word.startswith("--") for word in words)
    assert arguments or not (bare and words), f"{span}: {words} is no command of chaski's"


@pytest.mark.parametrize("page", PAGES)
def test_a_figure_is_there(page: str) -> None:
    """A counter is shown with `_total` behind its name."""
    named = set(re.findall(r"\bchaski_[a-z_]+", PAGES[page])) - ROLES
    known = set(re.findall(r'"(chaski_[a-z_]+)"', SOURCES))

    assert {name for name in named if name.removesuffix("_total") not in known} == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_setting_is_there(page: str) -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", PAGES[page]))

    assert named - {PREFIX + name.upper() for name in Settings.model_fields} <= {OWNER_URL}


@pytest.mark.parametrize("page", PAGES)
def test_a_log_line_or_an_outcome_is_there(page: str) -> None:
    words = {span for span in spans(page) if re.fullmatch(r"[a-z]+(_[a-z]+)+", span)}
    words = {word for word in words if not word.startswith("chaski_")} - OTHERS
    words |= {span for span in spans(page) if re.fullmatch(r"[A-Z][A-Za-z]+Error", span)}

    assert {word for word in words if not re.search(rf"\b{word}\b", SOURCES)} == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_script_and_a_file_are_there(page: str) -> None:
    scripts = re.findall(r"\bscripts/[a-z-]+", PAGES[page])
    files = re.findall(r"\]\(([^)#]+)\)", PAGES[page])

    assert scripts
    assert [name for name in scripts if not (HOUSE / name).exists()] == []
    assert [name for name in files if not (HOUSE / "gateway" / name).exists()] == []


def test_there_are_ten_and_each_says_the_four_things() -> None:
    entries = re.split(r"^## \d+\. ", PAGES["RUNBOOK.md"], flags=re.MULTILINE)[1:]

    assert len(entries) == 10
    for entry in entries:
        for what in ("**Members see**", "**Look**", "**Do**", "**After**"):
            assert what in entry, entry.split("\n")[0]
