"""Nothing moves, and nothing is shown, without the PIN on a screen that says what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gateway.dialog.book import Book, Journey, Variant
from gateway.dialog.checker.declared import MONEY, Declared
from gateway.dialog.checker.sentences import Known
from gateway.dialog.checker.told import fault, place, served
from gateway.dialog.kinds import KINDS
from gateway.dialog.phrase import placeholders
from gateway.dialog.yaml_lines import Fault

_PIN = re.compile(r"\bPIN\b")


def faults(book: Book, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    """Journeys that ask for the PIN wrongly, or not at all."""
    for menu in book.menus.values():
        at = menu.lines.get("data", menu.at)
        yield from _harmless(operations.get(menu.data or ""), at, menu.name)
    yield from _newcomers(book, operations)
    for journey in book.journeys.values():
        at = journey.lines.get("quote", journey.at)
        yield from _harmless(operations.get(journey.quote or ""), at, journey.name)
        operation = operations.get(journey.do)
        if operation is not None:
            yield from _authorised(journey, operation)
            yield from _confirmed(book, journey, Known(journey, operations), operation)


def _newcomers(book: Book, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    """Who has no PIN is asked secrets and choices, in one journey, and is shown nothing of
    theirs."""
    first = book.enrolment
    if first is None:
        return
    for journey in book.journeys.values():
        if journey.newcomers and journey is not first:
            what = f"`{first.name}` is for newcomers already"
            yield fault(journey.lines.get("newcomers", journey.at), what, screen=journey.name)
    for slot in first.slots:
        if slot.type in KINDS and not KINDS[slot.type].secret and slot.type != "choice":
            what = f"who has no PIN yet is not shown a `{slot.type}`"
            yield fault(slot.at, what, screen=f"{first.name}/{slot.name}")
    if not any(slot.type in KINDS and KINDS[slot.type].secret for slot in first.slots):
        what = "whoever holds the phone could enrol: nothing secret is asked"
        yield fault(first.at, what, screen=first.name, mend="add a slot of the type `secret`")
    declared = operations.get(first.do)
    if declared is not None and (declared.needs_pin or declared.moves_money):
        what = f"`{declared.name}` needs a PIN, which newcomers do not have"
        yield fault(first.lines.get("do", first.at), what, screen=first.name)


def _harmless(operation: Declared | None, at: str, screen: str) -> Iterator[Fault]:
    """What is asked before the PIN moves nothing and shows nothing."""
    if operation is not None and (
        operation.moves_money or operation.needs_pin or operation.repeats_pin or operation.secret
    ):
        what = f"`{operation.name}` needs the PIN, which is not asked for here"
        yield fault(at, what, screen=screen, mend="name it in the `do:` of a journey")


def _authorised(journey: Journey, operation: Declared) -> Iterator[Fault]:
    at = journey.lines.get("do", journey.at)
    needed = operation.moves_money or operation.needs_pin or operation.repeats_pin
    why = "moves money" if operation.moves_money else "shows what is the member's alone"
    why = "compares the new PIN with its second entry" if operation.repeats_pin else why
    if needed and journey.confirm is None:
        what = f"`{operation.name}` {why}: a screen has to confirm it"
        yield fault(at, what, screen=journey.name, mend="add `confirm:`")
    if needed and not journey.authorise:
        what = f"`{operation.name}` {why}: it needs the PIN"
        yield fault(at, what, screen=journey.name, mend="add `authorise: pin`")
    if operation.moves_money and journey.draft is None:
        what = "nothing says how its order is called once its screen was lost"
        yield fault(at, what, screen=journey.name, mend='add `draft: "pagar {amount}"` or the like')
    if journey.authorise and not needed:
        what = f"`{operation.name}` needs no PIN, so none is asked for"
        at = journey.lines.get("authorise", at)
        yield fault(at, what, screen=journey.name, mend="leave out `authorise:`")


def _confirmed(book: Book, journey: Journey, known: Known, operation: Declared) -> Iterator[Fault]:
    """Whoever types the PIN reads what for: how much, and to whom."""
    screen = f"{journey.name}/confirm"
    for variant in journey.confirm.variants if journey.confirm else ():
        if journey.authorise or operation.needs_pin:
            yield from _says_pin(book, variant, screen)
        if operation.moves_money:
            yield from _names_order(journey, known, operation, variant)


def _says_pin(book: Book, variant: Variant, screen: str) -> Iterator[Fault]:
    for language in served(book):
        if not _PIN.search(book.words.translate(variant.text, language)):
            at, mend = place(book, variant, language), "end with `Marca tu PIN:`"
            what = "the screen that asks for the PIN does not say so"
            yield fault(at, what, screen=screen, language=language, mend=mend)


def _names_order(
    journey: Journey, known: Known, operation: Declared, variant: Variant
) -> Iterator[Fault]:
    screen, named = f"{journey.name}/confirm", placeholders(variant.text)
    supplied = known.quoted() or {}
    amounts = [
        name
        for name, kind in operation.takes.items()
        if kind.removesuffix("?") in MONEY and name in supplied
    ]
    if amounts and not set(amounts) & set(named):
        mend = f"name {' or '.join(f'{{{name}}}' for name in amounts)}"
        yield fault(variant.at, "it does not say how much", screen=screen, mend=mend)
    heads = {name.partition(".")[0] for name in named}
    for slot in journey.slots:
        if slot.type in KINDS and KINDS[slot.type].whom and slot.name not in heads:
            mend = f"name {{{slot.name}.name}}"
            yield fault(variant.at, "it does not say to whom", screen=screen, mend=mend)
