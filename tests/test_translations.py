"""Other languages: sentences out of the menus, translations into the book, and who is served."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from gateway.dialog.book import Book
from gateway.dialog.reader import FaultyBookError, read_book
from gateway.menus import Pages, read_folder
from gateway.translations import (
    extract,
    merge,
    progress,
    read_catalogue,
    read_po,
    template,
    write,
)
from gateway.values.gsm import foreign, plain

MENUS = Path(__file__).parents[1] / "menus"
FILES = {
    "home.yaml": 'menu: home\nsay: "Hola {member.first_name}"\noptions:\n'
    "  1: {label: Saldo, go: balance}\n",
    "balance.yaml": "journey: balance\ndo: accounts.balance\n"
    "done:\n  - {when: late, say: Tarde}\n  - Saldo\n",
}
HEADER = (
    'msgid ""\nmsgstr ""\n"Language: agr\\n"\n"X-Language-Name: Awajun\\n"\n'
    '"X-Reviewed-By: Maria\\n"\n"X-Reviewed-On: 2026-11-23\\n"\n"X-Letters: {letters}\\n"\n'
)
SENTENCES = {"Hola {member.first_name}": "Ho {member.first_name}", "Saldo": "Sa", "Tarde": "Ta"}


def po(
    translated: Mapping[str, str] = SENTENCES, header: str = HEADER, letters: str = "č=ch ʼ='"
) -> str:
    """A catalogue in a pretended Awajun: these letters are no words of it."""
    messages = [f'\nmsgid "{text}"\nmsgstr "{other}"\n' for text, other in translated.items()]
    return header.replace("{letters}", letters) + "".join(messages)


def book(text: str) -> Book:
    """The two menus above, with this catalogue."""
    return read_book(FILES, {"agr": read_catalogue("agr", text)})


NO_NAME = HEADER.replace('"X-Language-Name: Awajun\\n"\n', "")
UNREVIEWED = HEADER.replace('"X-Reviewed-By: Maria\\n"\n', "")
UNDATED = HEADER.replace('"X-Reviewed-On: 2026-11-23\\n"\n', "")
FUZZY = po().replace('\nmsgid "Saldo"', '\n#, fuzzy\nmsgid "Saldo"')


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        (po({"Saldo": "Sa", "Tarde": "Ta"}), "1 sentences are not translated"),
        (po({**SENTENCES, "Saldo": ""}), "1 sentences are not translated"),
        (FUZZY, "1 sentences are not translated"),
        (po(header=UNREVIEWED), "nobody has reviewed it"),
        (po(header=UNDATED), "nobody has reviewed it"),
        (po(header=NO_NAME), "it has no name"),
    ],
    ids=["incomplete", "empty", "fuzzy", "unsigned", "undated", "nameless"],
)
def test_a_language_that_is_not_ready_is_offered_to_nobody(text: str, lacks: str) -> None:
    """A member would meet a language that changes from screen to screen, or that nobody read."""
    unready = book(text)

    assert unready.offered == (("es", "Español"),)
    assert unready.journeys["balance"].done.text({}, "agr", unready.words) == "Saldo"
    assert [lacks in "; ".join(one.lacks) for one in progress(unready)] == [False, True]


def test_a_language_that_is_complete_and_signed_is_offered_by_its_own_name() -> None:
    """Spanish stays the first."""
    ready = book(po())

    assert ready.offered == (("es", "Español"), ("agr", "Awajun"))
    assert ready.journeys["balance"].done.text({}, "agr", ready.words) == "Sa"
    assert ready.journeys["balance"].done.text({}, "qvc", ready.words) == "Saldo"


def test_a_dropped_catalogue_leaves_its_members_with_spanish() -> None:
    """Their choice stays in the register for the day it comes back."""
    dropped = read_book(FILES, {})

    assert dropped.offered == (("es", "Español"),)
    assert dropped.journeys["balance"].done.text({}, "agr", dropped.words) == "Saldo"


def test_translators_see_what_members_are_not_offered_yet() -> None:
    """A print has to show what is under way."""
    shown = book(po({"Saldo": "Sa"}, UNREVIEWED)).in_every_language()

    assert shown.journeys["balance"].done.text({}, "agr", shown.words) == "Sa"


def test_a_review_belongs_to_the_book() -> None:
    """Signing alone changes what members may choose, so it is published like any change."""
    signed, unsigned = (
        Pages({"locale/agr/menus.po": text}) for text in (po(), po(header=UNREVIEWED))
    )

    assert signed.digest != unsigned.digest


@pytest.mark.parametrize(
    ("letters", "text", "read"),
    [
        ("", "č", "c"),
        ("č=ch", "čaʼ", "cha?"),
        ("č=ch ʼ='", "čaʼ Č", "cha' C"),
        ("č=ch", "c\u030c", "ch"),
        ("g\u0303=g", "g\u0303a", "ga"),
        ("ʼ=", "kʼa", "ka"),
    ],
)
def test_letters_that_phones_lack_are_written_as_the_language_writes_them(
    letters: str, text: str, read: str
) -> None:
    """However an editor composes them; the mapping comes before that of accents."""
    ready = book(po({**SENTENCES, "Saldo": text}, letters=letters))
    said = ready.journeys["balance"].done.text({}, "agr", ready.words)

    assert plain(said) == read
    assert bool(foreign(said)) == ("?" in read)


@pytest.mark.parametrize(
    ("language", "text", "fault"),
    [
        ("agr", "this is no catalogue\n", "is no line of a catalogue"),
        ("agr", po(letters="a=b"), "X-Letters: a=b"),
        ("agr", po(letters="č=č"), "X-Letters: č=č"),
        ("agr", po(letters="č"), "X-Letters: č"),
        ("agr", po().replace("2026-11-23", "ayer"), "X-Reviewed-On"),
        ("qvc", po(), "`Language:` is not qvc"),
        ("quechua", po().replace("agr", "quechua"), "no language code"),
    ],
)
def test_a_catalogue_that_cannot_be_is_a_fault_with_its_file(
    language: str, text: str, fault: str
) -> None:
    """Menus with a fault are not served; this one would be a language gone by itself."""
    with pytest.raises(FaultyBookError) as caught:
        read_catalogue(language, text)

    assert f"locale/{language}/menus.po:1: " in str(caught.value)
    assert fault in str(caught.value)


def test_a_catalogue_knows_its_lines() -> None:
    """The checker names them."""
    text = po()
    lines = read_catalogue("agr", text).lines

    assert {text.splitlines()[line - 1] for line in lines.values()} == {
        f'msgid "{sentence}"' for sentence in SENTENCES
    }


def test_what_is_extracted_translated_and_updated_comes_back() -> None:
    """The whole way of a sentence: out of the menus, through a translator, into the book."""
    begun = merge("agr", FILES, None)
    assert (begun.added, begun.changed, begun.gone) == (3, 0, 0)

    translated = begun.text
    for text, other in SENTENCES.items():
        translated = translated.replace(
            f'msgid "{text}"\nmsgstr ""', f'msgid "{text}"\nmsgstr "{other}"'
        )
    again = merge("agr", FILES, translated)

    assert (again.added, again.changed, again.gone) == (0, 0, 0)
    assert again.text == translated
    assert read_catalogue("agr", again.text).texts == SENTENCES


def test_a_changed_sentence_is_kept_for_the_translator_and_served_to_nobody() -> None:
    """And a signature that was given for other words is taken back."""
    files = {**FILES, "home.yaml": FILES["home.yaml"].replace("Hola {m", "Hola, {m")}
    merged = merge("agr", files, po())
    catalogue = read_catalogue("agr", merged.text)

    assert (merged.added, merged.changed, merged.gone) == (0, 1, 0)
    assert '#, fuzzy\nmsgid "Hola, {member.first_name}"\nmsgstr "Ho' in merged.text.replace(
        ", python-brace-format", ""
    )
    assert "Hola, {member.first_name}" not in catalogue.texts
    assert merged.review_dropped
    assert not catalogue.reviewed
    assert catalogue.name == "Awajun"


def test_a_sentence_that_is_gone_stays_at_the_end_of_its_file() -> None:
    """It may come back; and what is left is still signed for."""
    files = {**FILES, "balance.yaml": FILES["balance.yaml"].replace("Tarde", "Saldo")}
    merged = merge("agr", files, po())

    assert (merged.added, merged.changed, merged.gone) == (0, 0, 1)
    assert '#~ msgid "Tarde"\n#~ msgstr "Ta"' in merged.text
    assert not merged.review_dropped
    assert merge("agr", files, merged.text).text == merged.text
    assert read_book(files, {"agr": read_catalogue("agr", merged.text)}).offered[1:] == (
        ("agr", "Awajun"),
    )


def test_a_header_of_another_tool_survives_an_update() -> None:
    """Poedit and Weblate keep their settings there, and comments are a translator's notes."""
    text = "# Ask Maria about the verbs.\n" + po().replace(
        '"X-Letters', '"X-Generator: Poedit 3\\n"\n"X-Letters'
    )
    merged = merge("agr", FILES, text).text

    assert merged.startswith("# Ask Maria about the verbs.\n")
    assert '"X-Generator: Poedit 3\\n"' in merged


def test_only_a_language_of_iso_639_can_be_begun() -> None:
    """A folder named `../x` would be written elsewhere."""
    for language in ("", "EN", "english", "../x", "e1"):
        with pytest.raises(FaultyBookError, match="no language code"):
            merge(language, FILES, None)


def test_pybabel_finds_the_same_sentences_as_we_do() -> None:
    """Whoever has a pipeline of their own needs no command of ours."""
    theirs = {
        (name, line, text)
        for name, line, text, _, _ in extract_from_dir(
            MENUS, [("**.yaml", "gateway.translations:extract")], {}
        )
    }
    ours = {
        (file, line, message.id)
        for message in template(read_folder(MENUS).texts)
        for file, line in message.locations
    }

    assert theirs == ours
    assert list(extract(BytesIO(b"words: {bye: Gracias}"), (), (), {})) == [(1, "", "Gracias", [])]


def test_a_template_is_a_file_that_gettext_tools_read() -> None:
    """Weblate begins a language from it."""
    text = write(template(FILES))

    assert '#: balance.yaml:5 home.yaml:4\nmsgid "Saldo"\nmsgstr ""' in text
    assert "X-Reviewed" not in text


def test_the_shipped_english_is_offered_and_no_other_language_is_shipped() -> None:
    """Nothing is served that no speaker has reviewed."""
    pages = read_folder(MENUS).texts
    shipped = [name for name in pages if name.endswith(".po")]
    merged = merge("en", pages, pages["locale/en/menus.po"])

    assert shipped == ["locale/en/menus.po"]
    assert (merged.added, merged.changed, merged.gone) == (0, 0, 0)
    assert read_catalogue("en", pages["locale/en/menus.po"]).reviewed


@pytest.mark.parametrize(
    ("line", "number"),
    [('msgstr "Balance', 2), ("msgstr Balance", 2), ('msgctxt "a"', 2), ('msgid_plural "a"', 2)],
)
def test_a_line_whose_quotes_are_not_closed_is_a_fault(line: str, number: int) -> None:
    """A letter would be missing on every screen, and nobody would be told."""
    with pytest.raises(FaultyBookError) as found:
        read_po(f'msgid "Saldo"\n{line}\n', "locale/en/menus.po")

    assert str(found.value).startswith(f"locale/en/menus.po:{number}: ")


def test_the_template_for_translators_has_every_sentence_of_the_menus() -> None:
    """`chaski menus extract` writes it."""
    shipped = (MENUS / "locale" / "menus.pot").read_text("utf-8")

    assert shipped == write(template(read_folder(MENUS).texts))
