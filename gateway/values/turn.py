"""One request of a network, in the words of no network, and what it is answered."""

from __future__ import annotations

import msgspec

from gateway.values.msisdn import Msisdn


class Origin(msgspec.Struct, frozen=True):
    """Where a session comes from: enough to recognise it when everything but the database forgot
    it.

    `account` is ours at the provider, so that two providers' session ids never mix.
    """

    channel: str
    account: str
    session_id: str
    msisdn: Msisdn


class Keystrokes:
    """What was typed. It may hold a PIN, so it shows its length and nothing else."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Keystrokes({len(self.text)} characters)"


class Cumulative(msgspec.Struct, frozen=True):
    """Every answer of the session so far, joined by `*` (Africa's Talking and its like).

    A repeat is recognised exactly: it is the same text again.
    """

    history: Keystrokes


class Answer(msgspec.Struct, frozen=True):
    """The last answer alone.

    Args:
        answer: what was typed; in a session's first request, what was dialled behind the short
            code.
        sequence: the hop's number, from networks that count: then a repeat is recognised exactly.
            None where a repeat can only be inferred from the same body within a moment.
    """

    answer: Keystrokes
    sequence: int | None = None


class Turn(msgspec.Struct, frozen=True):
    """The member's side of one hop. `network` is the mobile network's code, where it is said."""

    origin: Origin
    service_code: str
    said: Cumulative | Answer
    network: str = ""


class Text(msgspec.Struct, frozen=True):
    """An SMS from a member. `origin.session_id` is the provider's own name of the message, the same
    at each delivery; `to` is the number or short code that it was sent to."""

    origin: Origin
    to: str
    said: Keystrokes


class Reply(msgspec.Struct, frozen=True):
    """Our side of it. `ends` closes the session. `outcome` is for the log: never text of the
    screen. `misread`: the answer before it was not understood."""

    text: str
    ends: bool
    screen: str
    outcome: str
    misread: bool = False
