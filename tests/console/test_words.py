"""Every word of the console is there in every language."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from gateway.console import words
from tests.house import House

_CONSOLE = Path(words.__file__).parent
_METHODS = [("**.py", "python"), ("**.html", "jinja2")]
_OPTIONS = {"**.html": {"extensions": "jinja2.ext.i18n"}}
_KEYWORDS = {"_": None, "say": None, "N_": None, "ngettext": (1, 2)}


def _said() -> dict[str, str]:
    """Each Spanish text, and where it is."""
    found = extract_from_dir(str(_CONSOLE), _METHODS, _OPTIONS, _KEYWORDS)
    return {
        text if isinstance(text, str) else text[0]: f"{file}:{line}"
        for file, line, text, _, _ in found
        if text
    }


@pytest.mark.parametrize("language", sorted(set(words.LANGUAGES) - {words.SPANISH}))
def test_every_text_is_translated_and_none_is_left_over(language: str) -> None:
    said = _said()
    catalogue = words.catalogue(language)
    known = {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in catalogue
        if message.id
    }

    assert {text: at for text, at in said.items() if not known.get(text)} == {}
    assert known.keys() - said.keys() == set()


def test_what_stands_in_for_a_value_is_the_same_in_both() -> None:
    """`%(login)s` is not lost on the way."""
    for message in words.catalogue("en"):
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id:
            assert _values(message.id) == _values(message.string), message.id


def _values(text: str) -> set[str]:
    return {
        part.split(")")[0] for part in text.split("%(")[1:] if part[:1] in string.ascii_lowercase
    }


def test_the_browser_chooses_until_somebody_has_chosen(house: House) -> None:
    """Spanish unless English is asked for; then as each person wants it."""
    client = house.browser().client
    spanish = client.get("/console/entrar", headers={"Accept-Language": "fr, de"})
    english = client.get("/console/entrar", headers={"Accept-Language": "en-GB, es;q=0.5"})
    assert "Entrar a la consola" in spanish.text
    assert "Sign in to the console" in english.text

    ana = house.signed_in("ana")
    assert ana.send("/idioma", language="en").status_code == 303
    assert "Good day, ana." in ana.see("/").text
    assert ana.send("/idioma", language="quechua").status_code == 303
    assert "Good day, ana." in ana.see("/").text
