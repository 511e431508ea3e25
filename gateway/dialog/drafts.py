"""What becomes of a draft: filled, forgotten in part, left and found again. Pure."""

from __future__ import annotations

import msgspec

from gateway.dialog.book import Book
from gateway.dialog.state import Draft
from gateway.values.outcome import Value


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
    """What a redial may go on with: a journey with a name, of which something was answered."""
    if draft is None or not draft.asked or book.journeys[draft.journey].draft is None:
        return None
    return draft


def still_good(book: Book, draft: Draft | None) -> Draft | None:
    """A draft of an earlier session, as far as this book still knows it. Costs are asked anew.

    Where a slot is gone it is another order, and has another key.
    """
    journey = book.journeys.get(draft.journey) if draft else None
    if draft is None or journey is None or journey.draft is None:
        return None
    names = {slot.name for slot in journey.slots}
    slots = {name: value for name, value in draft.slots.items() if name in names}
    whole = len(slots) == len(draft.slots)
    return Draft(
        journey=draft.journey,
        slots=slots,
        asked=tuple(name for name in draft.asked if name in slots),
        key=draft.key if whole else None,
        again_ok=draft.again_ok and whole,
    )
