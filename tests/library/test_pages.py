"""The menu files as texts, and the digest that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.bank.bank import CATALOGUE
from gateway.bounds import BOOK_CHARS_MAX, BOOK_FILES_MAX
from gateway.dialog.reader import FaultyBookError
from gateway.menus import Pages, open_book, prove, read_folder

HOME = b"menu: home\nsay: Hola\noptions:\n  1: {label: Saldo, go: home}\n"


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({}, "there are no menu files"),
        ({"home.yaml": "año".encode("latin-1")}, "home.yaml:1: is no text in UTF-8"),
        ({"home.yaml": b"menu: \0"}, "home.yaml:1: holds a letter that is none"),
        ({"home.yaml": b"#" * (BOOK_CHARS_MAX + 1)}, "are no menus: at most"),
        ({f"{n}.yaml": b"" for n in range(BOOK_FILES_MAX + 1)}, "are no menus: at most"),
    ],
)
def test_a_folder_that_holds_no_menus_is_refused(
    tmp_path: Path, files: dict[str, bytes], fault: str
) -> None:
    """As a fault that a person can mend: the files may come from anywhere."""
    for name, text in files.items():
        (tmp_path / name).write_bytes(text)

    with pytest.raises(FaultyBookError, match=fault):
        read_folder(tmp_path)


def test_a_book_has_its_files_and_catalogues_as_they_were_written(tmp_path: Path) -> None:
    """By their names below the folder, and nothing else that lies there."""
    (tmp_path / "locale/en").mkdir(parents=True)
    (tmp_path / "locale/en/menus.po").write_text('msgid "Hola"\nmsgstr "Hello"\n')
    (tmp_path / "home.yaml").write_bytes(HOME)
    (tmp_path / "README.md").write_text("not shown to members")

    pages = read_folder(tmp_path)

    assert pages.texts == {
        "home.yaml": HOME.decode(),
        "locale/en/menus.po": 'msgid "Hola"\nmsgstr "Hello"\n',
    }


def test_how_a_digest_is_made_never_changes() -> None:
    """It names the book of sessions under way, and those on the shelf: for every later version."""
    pages = Pages({"send.yaml": "journey: send\n", "home.yaml": "menu: home\n"})

    assert pages.digest == "390a64ba588f9c07"
    assert pages.digest == Pages(dict(sorted(pages.texts.items()))).digest


def test_a_book_goes_by_the_digest_of_its_pages() -> None:
    """So a session finds it on the shelf."""
    pages = read_folder(Path(__file__).parents[2] / "menus")

    assert prove(pages, CATALOGUE).digest == pages.digest


def test_what_can_be_read_is_not_proven_yet() -> None:
    """An option that leads nowhere is good grammar, and no book for members."""
    shipped = read_folder(Path(__file__).parents[2] / "menus").texts
    home = shipped["home.yaml"].replace("go: balance", "go: nowhere")
    pages = Pages({**shipped, "home.yaml": home})

    assert open_book(pages).digest == pages.digest
    with pytest.raises(FaultyBookError, match=r"home\.yaml:\d+: .*nowhere"):
        prove(pages, CATALOGUE)


def test_what_changed_is_said_by_file() -> None:
    """For whoever publishes: they see at once that it was the right folder."""
    before = Pages({"a.yaml": "1", "b.yaml": "1", "c.yaml": "1"})
    after = Pages({"a.yaml": "1", "b.yaml": "2", "d.yaml": "1"})

    assert list(after.changes(before)) == [
        ("b.yaml", "changed"),
        ("c.yaml", "removed"),
        ("d.yaml", "added"),
    ]
