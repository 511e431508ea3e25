"""What sentences name, in which letters, and in every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.dialog.book import Book, Condition, Variant, parts
from gateway.dialog.checker.declared import Declared, Scope, Supply, known_values, shown
from gateway.dialog.checker.sentences import (
    Known,
    Sentence,
    menu_scope,
    sentences,
)
from gateway.dialog.checker.told import SPANISH, catalogue_file, fault, place, served, unknown
from gateway.dialog.kinds import KINDS
from gateway.dialog.phrase import placeholders
from gateway.dialog.yaml_lines import Fault
from gateway.values.gsm import foreign


def faults(book: Book, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    """What is wrong with any sentence or condition."""
    for sentence in sentences(book, operations):
        yield from _order(sentence)
        for variant in sentence.say.variants:
            yield from _names(sentence, variant)
            yield from _letters(book, sentence, variant)
            yield from _translations(book, sentence, variant)
    yield from _conditions(book, operations)
    yield from _stale(book)


# ---- Wordings ------------------------------------------------------------------------------------


def _order(sentence: Sentence) -> Iterator[Fault]:
    """The first wording that holds is said: the last one has to hold always, and only the last."""
    *first, last = sentence.say.variants or (None,)
    if last is None:
        return
    if sentence.partial:
        for variant in sentence.say.variants:
            if variant.only_when:
                what = "`when:` means nothing here: the first wording that can be said is said"
                yield fault(variant.at, what, screen=sentence.screen)
        if placeholders(last.text):
            what = "nothing can be said before these are known"
            mend = "end with a wording that names nothing"
            yield fault(last.at, what, screen=sentence.screen, mend=mend)
        return
    for variant in first:
        if variant and variant.only_when is None:
            what = "the wordings below this one are never said"
            yield fault(variant.at, what, screen=sentence.screen, mend="give it a `when:`")
    if last.only_when is not None:
        mend = "end with a wording without `when:`"
        yield fault(
            last.only_when.at or last.at,
            "where this does not hold, nothing is said",
            screen=sentence.screen,
            mend=mend,
        )


def _names(sentence: Sentence, variant: Variant) -> Iterator[Fault]:
    if sentence.known is None:
        return
    guards = tuple(filter(None, (sentence.given, variant.only_when)))
    for name in placeholders(variant.text):
        yield from _named(sentence, variant, name, guards)
    if variant.only_when is not None:
        yield from _condition(variant.only_when, sentence.known, sentence.screen)


def _named(
    sentence: Sentence, variant: Variant, name: str, guards: tuple[Condition, ...]
) -> Iterator[Fault]:
    """A placeholder names a value that is there, and that members can read."""
    known = sentence.known or {}
    kind = kind_of(name, known)
    if kind is None:
        yield unknown(variant.at, name, "value", _all_names(known), screen=sentence.screen)
        return
    supply = known[name.partition(".")[0]]
    if supply.fields and "." not in name:
        fields = ", ".join(f"{{{name}.{field}}}" for field in supply.fields)
        what = f"`{{{name}}}` is more than one value"
        yield fault(variant.at, what, screen=sentence.screen, mend=f"name one of {fields}")
    elif not shown(kind):
        yield fault(variant.at, f"`{{{name}}}` is not for members to read", screen=sentence.screen)
    elif not sentence.partial and not _sure(supply, name, guards):
        mend = f"say it only `when: {name}`, and something else otherwise"
        what = f"`{{{name}}}` is not always there"
        yield fault(variant.at, what, screen=sentence.screen, mend=mend)


def kind_of(name: str, known: Scope) -> str | None:
    """The kind of `amount` or of `payee.name`; None where nothing supplies it."""
    first, dot, field = name.partition(".")
    supply = known.get(first)
    if supply is None or (dot and field not in supply.fields):
        return None
    return supply.fields[field] if dot else supply.kind


def _all_names(known: Scope) -> Iterator[str]:
    for name, supply in known.items():
        yield from (f"{name}.{field}" for field in supply.fields) if supply.fields else (name,)


def _sure(supply: Supply, name: str, guards: tuple[Condition, ...]) -> bool:
    """Whether the value is there whenever these hold."""
    if not supply.optional and supply.only_when is None:
        return True
    heads = {name, name.partition(".")[0]}
    if any(guard.name in heads and guard.value is None for guard in guards):
        return True
    return not supply.optional and supply.only_when in guards


# ---- Conditions ----------------------------------------------------------------------------------


def _conditions(book: Book, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    """Those of options and slots; those of sentences are looked at with them."""
    for menu in book.menus.values():
        known = menu_scope(menu, operations)
        for option in menu.options:
            if option.only_when is not None and known is not None:
                yield from _condition(option.only_when, known, menu.name)
    for journey in book.journeys.values():
        for slot in journey.slots:
            if slot.only_when is not None:
                before = Known(journey, operations).before(slot)
                yield from _condition(slot.only_when, before, f"{journey.name}/{slot.name}")


def _condition(condition: Condition, known: Scope, screen: str) -> Iterator[Fault]:
    kind = kind_of(condition.name, known)
    if kind is None:
        yield unknown(condition.at, condition.name, "value", _all_names(known), screen=screen)
    elif kind in KINDS and KINDS[kind].secret:
        what = f"`{condition.name}` is secret: no text tells of it"
        yield fault(condition.at, what, screen=screen, mend="leave the condition out")
    elif condition.value is not None:
        values = known_values(kind)
        if values and condition.value not in values:
            what = f"value of `{condition.name}`"
            yield unknown(condition.at, condition.value, what, values, screen=screen)
        elif not values and kind not in {"text", "language"}:
            mend = f"write `{condition.name}` alone"
            what = f"`{condition.name}` has no values to compare with"
            yield fault(condition.at, what, screen=screen, mend=mend)


# ---- Letters and languages -----------------------------------------------------------------------


def _letters(book: Book, sentence: Sentence, variant: Variant) -> Iterator[Fault]:
    for language in served(book):
        if language != SPANISH and not _translated(book, variant.text, language):
            continue
        lost = foreign(book.words.translate(variant.text, language))
        if lost:
            what = f"a plain phone has no {' '.join(sorted(lost))}"
            at = place(book, variant, language)
            yield fault(
                at, what, screen=sentence.screen, language=language, mend="use other letters"
            )


def _translations(book: Book, sentence: Sentence, variant: Variant) -> Iterator[Fault]:
    for language in served(book)[1:]:
        catalogue = book.words.catalogues[language]
        translated = catalogue.texts.get(variant.text)
        if translated is None:
            mend = f"add it to {catalogue_file(language)}"
            what = f"`{_short(variant.text)}` is not translated"
            yield fault(variant.at, what, screen=sentence.screen, language=language, mend=mend)
        elif (differs := _differs(variant.text, translated)) is not None:
            at = place(book, variant, language)
            yield fault(at, differs, screen=sentence.screen, language=language)


def _differs(text: str, translated: str) -> str | None:
    """How the placeholders of a translation are others than those of the text."""
    meant = sorted(placeholders(text))
    try:
        named = sorted(placeholders(translated))
    except ValueError as error:
        return str(error)
    if named == meant:
        return None
    return f"names {_braced(named)} where the Spanish names {_braced(meant)}"


def _braced(names: list[str]) -> str:
    return " ".join(f"{{{name}}}" for name in names) or "nothing"


def _stale(book: Book) -> Iterator[Fault]:
    """Translations of what nobody says any more, and a reviewed language that has no name."""
    said = {variant.text for variant in parts(book, Variant)}
    for language in served(book)[1:]:
        catalogue = book.words.catalogues[language]
        for text in sorted(catalogue.texts.keys() - said):
            at = f"{catalogue_file(language)}:{catalogue.lines.get(text, 1)}"
            what = f"`{_short(text)}` is not said in the menus any more"
            yield fault(at, what, language=language, mend="bring the catalogue up to date")
        if not catalogue.name:
            what = "no member is offered a language without a name"
            mend = "write it into the header `X-Language-Name:`"
            yield fault(f"{catalogue_file(language)}:1", what, language=language, mend=mend)


def _translated(book: Book, text: str, language: str) -> bool:
    return text in book.words.catalogues[language].texts


def _short(text: str) -> str:
    line = text.replace("\n", " / ")
    return line if len(line) <= 40 else f"{line[:37]}..."
