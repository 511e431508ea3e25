"""The console's words: Spanish where they are written, other languages by gettext catalogues."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, request

from gateway.values.money import Money

SPANISH = "es"
LANGUAGES = {SPANISH: "Español", "en": "English"}
LOCALE = Path(__file__).parent / "locale"


def catalogue(language: str) -> Catalog:
    """All `.po` files of a language as one: each page may have its own."""
    whole = Catalog(locale=language)
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as lines:
            for message in read_po(lines, locale=language):
                if message.id:
                    whole.add(message.id, message.string)
    return whole


def _translations(language: str) -> Translations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


_READ = {language: _translations(language) for language in LANGUAGES if language != SPANISH}


def language() -> str:
    """Of this request: the person's own, or what the browser asks for."""
    chosen = g.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    # By hand: werkzeug prefers a wish that is met to the letter, `es`, to a stronger `en-GB`.
    wanted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((tag for tag in wanted if tag in LANGUAGES), SPANISH)


def say(words: str, /, **values: object) -> str:
    """A text of ours in the reader's language. Of nothing there is none: gettext would answer with
    the catalogue's own head."""
    if not words:
        return ""
    translations = _READ.get(language())
    text = str(translations.gettext(words)) if translations else words
    return text % values if values else text


def _some(one: str, many: str, number: int) -> str:
    translations = _READ.get(language())
    if translations:
        return str(translations.ngettext(one, many, number))
    return one if number == 1 else many


def speak(app: Flask, zone: ZoneInfo) -> None:
    """Teach the templates our words, and how we write times and money."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    environment: Any = app.jinja_env
    environment.install_gettext_callables(say, _some, newstyle=True)
    app.jinja_env.filters.update(moment=lambda at: _moment(at, zone), money=_money, say=say)


def _moment(at: dt.datetime | str | None, zone: ZoneInfo) -> str:
    """Day and minute where the cooperative is. From JSON a time comes as a text."""
    if at is None or at == "":
        return ""
    known = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{known.astimezone(zone):%d/%m/%Y %H:%M}"


def _money(centimos: int | None) -> str:
    return "" if centimos is None else str(Money(centimos))
