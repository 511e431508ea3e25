"""The writers' commands, as they are typed; and a walk through the menus in a scripted terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.bank.bank import CATALOGUE
from gateway.cli.menus import menus, walk
from gateway.menus import load_book

MENUS = Path(__file__).parents[1] / "menus"
BOOK = load_book(MENUS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped menus, to be changed."""
    return Path(shutil.copytree(MENUS, tmp_path / "menus"))


def run(*words: str | Path, keys: str = "") -> Result:
    return CliRunner().invoke(menus, [str(word) for word in words], input=keys)


def test_a_folder_without_menus_is_said_plainly(tmp_path: Path) -> None:
    """No command answers with a traceback."""
    for words in (["extract"], ["update", "qvc"], ["languages"], ["graph"], ["print"], ["try"]):
        result = run(*words, tmp_path)
        assert result.exit_code == 1
        assert "there are no menu files" in result.output


def test_a_placeholder_that_names_nothing_is_said_plainly(folder: Path) -> None:
    """A print needs menus that the checker has passed."""
    home = folder / "home.yaml"
    home.write_text(home.read_text().replace("member.first_name", "member.nickname"))
    result = run("print", folder)

    assert result.exit_code == 1
    assert "member.nickname" in result.output


def test_a_language_that_is_not_there_cannot_be_printed(folder: Path) -> None:
    """And those that are there are named."""
    result = run("print", "--language", "qvc", folder)

    assert result.exit_code == 2
    assert "known are es, en" in result.output


def test_a_new_language_is_begun_and_not_offered(folder: Path) -> None:
    """The first half of an afternoon's work for a translator."""
    begun = run("update", "qvc", folder)
    listed = run("languages", folder)

    assert begun.exit_code == listed.exit_code == 0
    assert "0 changed, 0 gone" in begun.output
    assert "es  Español        100 %" in listed.output
    assert "en  English        100 %" in listed.output
    assert "qvc (no name)        0 %" in listed.output
    assert "not offered: " in listed.output
    assert load_book(folder).offered == BOOK.offered


def test_a_changed_sentence_takes_english_back_and_says_so(folder: Path) -> None:
    """Until somebody translates it and signs again."""
    balance = folder / "balance.yaml"
    balance.write_text(balance.read_text().replace("Puedes usar:", "Puedes usar hoy:"))
    updated = run("update", "en", folder)
    listed = run("languages", folder)

    assert "0 new, 1 changed, 0 gone" in updated.output
    assert "have it reviewed again" in updated.output
    assert "en  English         99 %" in listed.output
    assert "1 sentences are not translated; nobody has reviewed it" in listed.output


def test_extract_writes_the_empty_catalogue(folder: Path) -> None:
    """Where Weblate looks for it."""
    result = run("extract", folder)
    pot = folder / "locale" / "menus.pot"

    assert result.exit_code == 0
    assert 'msgid "Enviar dinero"\nmsgstr ""' in pot.read_text()
    assert load_book(folder).digest == BOOK.digest


def test_pictures_and_prints_come_out_whole() -> None:
    """Into a file or through a pipe."""
    assert run("graph").output.startswith("flowchart LR\n")
    assert run("graph", "--format", "svg").output.endswith("</svg>\n")
    assert "== send\n" in run("print").output
    assert "English (en)" in run("print", "--language", "all").output
    assert run("print", "--format", "html", "--values", "longest").output.count("<section") == 1


class Terminal:
    """Somebody who types what a script says, and whatever was shown to them."""

    def __init__(self, *keys: str) -> None:
        self._keys: Iterator[str] = iter(keys)
        self.shown: list[str] = []

    def ask(self, prompt: str) -> str:
        return next(self._keys, "q")

    def walk(self, language: str = "es") -> list[str]:
        walk(BOOK, CATALOGUE, language, self.shown.append, self.ask)
        return self.shown[1:]


def test_the_menus_can_be_walked_without_a_server() -> None:
    """Dial, send, a PIN: and each screen says its name and what it takes."""
    home, *_, confirm, done = Terminal("", "2", "1", "1", "50", "0000").walk()

    assert "| Hola Rosa" in home
    assert "home/menu, 83 of 160 septets" in home
    assert "| Enviar S/ 50.00 a Segundo C." in confirm
    assert "| Listo: enviaste S/ 50.00" in done
    assert "send/over" in done


def test_a_refusal_is_chosen_at_the_pin() -> None:
    """Each that the operation can give, and those of the PIN; the next try goes well."""
    shown = Terminal("2*1*1*50", "!insufficient_funds", "40", "!wrong_pin", "0000").walk()

    assert "No alcanza" in shown[1]
    assert "PIN equivocado" in shown[3]
    assert "Listo" in shown[4]


def test_a_refusal_that_cannot_be_is_answered_with_those_that_can() -> None:
    """And so is one at another screen."""
    shown = Terminal("", "!over_limit", "1", "!over_limit").walk()

    assert shown[1] == "A refusal is chosen on the screen that confirms."
    assert (
        shown[3]
        == "accounts.balance refuses with one of these: no_balance, wrong_pin, pin_locked, pending"
    )


def test_what_was_left_is_found_at_the_next_dial() -> None:
    """An empty answer hangs up, as a lost signal does."""
    shown = Terminal("", "2", "1", "1", "", "").walk()

    assert "1. Seguir:" in shown[-1]


def test_a_language_can_be_tried_before_it_is_chosen() -> None:
    """As its member would be greeted."""
    assert "Hello Rosa" in Terminal("").walk("en")[0]


def test_the_terminal_command_ends_where_its_input_ends() -> None:
    """Ctrl-D is an answer too."""
    result = run("try", keys="\n1\n0000\n")

    assert result.exit_code == 0
    assert "Puedes usar:" in result.output
