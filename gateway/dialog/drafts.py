"""What becomes of a draft: filled, forgotten in part, left and found again. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.dialog.book import Book, Slot
from gateway.dialog.kinds import KINDS
from gateway.dialog.state import Draft
from gateway.values.money import Money
from gateway.values.outcome import Day, Record, Value


def filled(draft: Draft, slot: str, value: Value, *, asked: bool) -> Draft:
    """The draft with one slot more. What was quoted for the old values is gone, and the key."""
    return msgspec.structs.replace(
        draft,
        slots={**draft.slots, slot: value},
        unclear={name: code for name, code in draft.unclear.items() if name != slot},
        asked=(*draft.asked, slot) if asked else draft.asked,
        quote=None,
        key=None,
    )


def without(draft: Draft, slot: str) -> Draft:
    """The draft without one answer, and so without quote, key and yes: it is another order now."""
    return Draft(
        journey=draft.journey,
        slots={name: value for name, value in draft.slots.items() if name != slot},
        asked=tuple(name for name in draft.asked if name != slot),
    )


def not_clear(draft: Draft, slot: str, code: str) -> Draft:
    """The draft with a slot to ask at the end, because what came early for it was no value."""
    return msgspec.structs.replace(draft, unclear={**draft.unclear, slot: code})


def unfinished(book: Book, draft: Draft | None) -> Draft | None:
    """What a redial may go on with: a journey with a name, of which something was answered, or an
    order that its PIN may have been given for."""
    if draft is None or book.journeys[draft.journey].draft is None:
        return None
    return draft if draft.asked or draft.key else None


def confirmed(book: Book, draft: Draft, mint_key: Callable[[], str]) -> Draft:
    """The draft whose confirm screen is being built. Where money will move, the order has a key,
    which stays while the order is the same."""
    if draft.key is not None or book.journeys[draft.journey].do not in book.money:
        return draft
    return msgspec.structs.replace(draft, key=mint_key())


def without_key(draft: Draft) -> Draft:
    """The draft of an order that nobody was asked a PIN for, or that was given up."""
    return msgspec.structs.replace(draft, key=None)


def still_good(book: Book, draft: Draft | None) -> Draft | None:
    """A draft of an earlier session, as far as this book still knows it.

    A value that no longer fits its slot is forgotten. Costs, and "¿Otra vez?", are asked anew, and
    it will be another order, with another key: the old one was closed when the caller dialled.
    """
    journey = book.journeys.get(draft.journey) if draft else None
    if draft is None or journey is None or journey.draft is None:
        return None
    slots: dict[str, Value] = {}
    for slot in journey.slots:
        value = draft.slots.get(slot.name)
        applies = slot.only_when is None or slot.only_when.holds(slots)
        if value is not None and applies and _fits(book, slot, value):
            slots[slot.name] = value
    asked = tuple(name for name in draft.asked if name in slots)
    return Draft(journey=draft.journey, slots=slots, asked=asked)


def _fits(book: Book, slot: Slot, value: Value) -> bool:
    """Whether a slot of this book could have got this value."""
    fields = KINDS[slot.type].fields
    match slot.type, value:
        case "money", Money():
            return True
        case "date", Day():
            return True
        case "choice", str():
            return value in {choice.value for choice in slot.choices}
        case "language", str():
            return value in {code for code, _ in book.offered}
        case _, Record():
            return bool(fields) and set(fields) <= set(value.fields)
        case _:
            return False
