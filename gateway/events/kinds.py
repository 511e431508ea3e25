"""The kinds of event, and what each of them says.

A field's name means the same in every kind, and is the column that it is kept in. What is not here
is not kept: no name, phone, PIN or text that anybody typed.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gateway.values.money import Money


def _says(description: str) -> msgspec.Meta:
    return msgspec.Meta(description=description)


Session = Annotated[int, _says("the session, a keyed hash; an SMS is a session of its own")]
Channel = Annotated[str, _says("the way in: africastalking, infobip, http-PROFILE, smpp-LINE, sms")]
Language = Annotated[str, _says("that was spoken, ISO 639; empty for a stranger")]
District = Annotated[str, _says("where the member lives, by its UBIGEO code; empty: not known")]
Journey = Annotated[str, _says("the journey or menu, by the name of its file's entry")]


class Event(msgspec.Struct, frozen=True, tag_field="kind"):
    """Something that happened."""


class SessionBegan(Event, frozen=True, tag="session.began"):
    """Somebody dialled, or sent an SMS, and we know whether they are a member."""

    session: Session
    member: Annotated[int, _says("who, a keyed hash; 0 for a stranger")]
    channel: Channel
    network: Annotated[
        str, _says("the mobile network's code where the aggregator says it (MCCMNC)")
    ]
    language: Language
    district: District


class StepReached(Event, frozen=True, tag="step.reached"):
    """A screen was answered with: a step of a journey, or a menu."""

    session: Session
    channel: Channel
    journey: Journey
    step: Annotated[str, _says("a slot's name, confirm, again, resume, told, over or menu")]
    misread: Annotated[bool, _says("the answer before it was not understood")]


class OperationEnded(Event, frozen=True, tag="operation.ended"):
    """The bank answered."""

    session: Session
    channel: Channel
    operation: Annotated[str, _says("its name in the bank's catalogue")]
    outcome: Annotated[str, _says("done, pending, or the code of the refusal")]
    journey: Annotated[str, _says("the journey that it carries out; empty: it only helped one")]
    band: Annotated[str, _says("about how much money it was about, in soles; empty: none")]


class SessionEnded(Event, frozen=True, tag="session.ended"):
    """A session is known to be over. Of one that just falls silent nobody says so: it has timed
    out when nothing was heard for ten minutes."""

    session: Session
    channel: Channel
    ended: Annotated[str, _says("finished: our last screen; failed: by us; left: the network says")]
    cause: Annotated[str, _says("why it failed, or the network's word; empty: nothing to say")]


class NoticeSettled(Event, frozen=True, tag="notice.settled"):
    """An SMS that we wanted to send came to an end."""

    notice: Annotated[str, _says("what it told: transfer_sent, instalment_due, answer, …")]
    outcome: Annotated[str, _says("sent, dead (given up), opted_out or quiet (told to nobody)")]
    segments: Annotated[int, _says("how many SMS it was counted as; 0 where none went out")]


class MemberActivated(Event, frozen=True, tag="member.activated"):
    """A member chose a first PIN on their own phone."""

    channel: Channel
    language: Language
    district: District


KINDS: tuple[type[Event], ...] = (
    SessionBegan,
    StepReached,
    OperationEnded,
    SessionEnded,
    NoticeSettled,
    MemberActivated,
)

# Upper ends in soles: what a payment is for can be told from them, a person's books cannot.
_BANDS_SOLES = (20, 50, 100, 200, 500, 1_000, 2_000)


def band(amount: Money) -> str:
    """About how much: `50-100` is from S/ 50.00 to S/ 99.99."""
    below = 0
    for end in _BANDS_SOLES:
        if amount.centimos < end * 100:
            return f"{below}-{end}"
        below = end
    return f"{below}+"


def columns() -> dict[str, type]:
    """Every field of every kind, by its name, with the type that it is kept as."""
    return {
        field.name: _stored(field.type) for kind in KINDS for field in msgspec.structs.fields(kind)
    }


def _stored(annotated: Any) -> type:
    """The type behind a field's description."""
    kept: type = annotated.__origin__
    return kept


def catalogue() -> str:
    """Every kind with its fields, as a person reads it."""
    return "\n\n".join(map(_entry, KINDS))


def _entry(kind: type[Event]) -> str:
    said = " ".join(str(kind.__doc__).split())
    fields = [
        f"  {field.name:<10} {_stored(field.type).__name__:<5} {_description(field.type)}"
        for field in msgspec.structs.fields(kind)
    ]
    return "\n".join((f"{kind.__struct_config__.tag}: {said}", *fields))


def _description(annotated: Any) -> str:
    (meta,) = annotated.__metadata__
    return str(meta.description)
