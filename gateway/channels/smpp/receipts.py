"""Delivery receipts: what became of an SMS, in a deliver_sm.

Source: SMPP 3.4, 5.2.28 (message states), 5.3.2.12 and .35 (the optional parameters), appendix B
(the text, which is "vendor specific" and everybody's own).

The optional parameters are believed before the text. Of the text every field may be missing, and
stand anywhere; its dates have 10, 12 or 14 digits and nobody's time zone, so they say how long the
network took, and nothing else. The piece of the message at its end is never read.

One message may have an id in hex in the answer to its `submit_sm` and in decimal in its receipt, or
the other way round: the dialect says so, and both become the same text here.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Message
from gateway.values.delivery import DeliveryState

SECRET_FIELDS = frozenset({"text"})

_KIND, _RECEIPT, _INTERMEDIATE = 0x3C, 0x04, 0x20  # of esm_class

_ID_CHARS_MAX: Final = 64
_ID = re.compile(r"\bid:\s*([!-~]{1,64})", re.IGNORECASE)
_STATE = re.compile(r"\bstat:\s*([A-Za-z0-9_]{1,16})", re.IGNORECASE)
_ERROR = re.compile(r"\berr:\s*([A-Za-z0-9]{1,8})", re.IGNORECASE)
_SUBMITTED = re.compile(r"\bsubmit[ _]?date:\s*([0-9]{10,14})\b", re.IGNORECASE)
_DONE = re.compile(r"\bdone[ _]?date:\s*([0-9]{10,14})\b", re.IGNORECASE)
_TEXT = re.compile(r"\btext:.*", re.IGNORECASE | re.DOTALL)
_DATES = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}
_TEXT_OCTETS_MAX = 1_000  # a receipt has 200; what stands behind is the message

# By their names in the text, which has seven letters for each, and in the specification.
STATES: dict[str, DeliveryState] = {
    "ENROUTE": DeliveryState.SENT,
    "ACCEPTD": DeliveryState.SENT,
    "ACCEPTED": DeliveryState.SENT,
    "UNKNOWN": DeliveryState.SENT,  # it may still arrive
    "DELIVRD": DeliveryState.DELIVERED,
    "DELIVERED": DeliveryState.DELIVERED,
    "EXPIRED": DeliveryState.FAILED,
    "DELETED": DeliveryState.FAILED,
    "UNDELIV": DeliveryState.FAILED,
    "UNDELIVERABLE": DeliveryState.FAILED,
    "REJECTD": DeliveryState.FAILED,
    "REJECTED": DeliveryState.FAILED,
}
_BY_NUMBER = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}


class IdForm(Enum):
    """How a network writes a message's id. `TEXT`: as a text, whatever it looks like."""

    TEXT = "text"
    HEX = "hex"
    DECIMAL = "decimal"


_DIGITS = {
    IdForm.HEX: re.compile(r"[0-9A-Fa-f]{1,64}"),
    IdForm.DECIMAL: re.compile(r"[0-9]{1,64}"),
}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says.

    Args:
        message_id: as the network writes it; empty where it says none.
        stat: the state's name, in capitals; empty where it says none.
        error: the network's own code; empty where it says none.
        took: from submission to the end, where both dates can be read.
    """

    message_id: str
    stat: str
    error: str = ""
    took: dt.timedelta | None = None

    @property
    def state(self) -> DeliveryState | None:
        """How far the message got; None for a state that is the network's own."""
        return STATES.get(self.stat)

    @property
    def reason(self) -> str:
        """Why it failed; empty where it did not."""
        if self.state is not DeliveryState.FAILED:
            return ""
        return " ".join(filter(None, (self.stat, self.error.strip("0") and self.error)))


def is_receipt(message: Message) -> bool:
    """Whether a deliver_sm is a receipt, and no member's SMS."""
    kind = message.esm_class & _KIND
    if kind in {_RECEIPT, _INTERMEDIATE}:
        return True
    named = message.tlv(codec.RECEIPTED_MESSAGE_ID) is not None
    return named and message.tlv(codec.MESSAGE_STATE) is not None


def parse(message: Message) -> Receipt:
    """A receipt, as far as it can be read. Never raises."""
    text = message.octets[:_TEXT_OCTETS_MAX].decode("latin-1")
    text = _TEXT.sub("", text)
    named = message.tlv(codec.RECEIPTED_MESSAGE_ID) or b""
    message_id = named.rstrip(b"\0").decode("latin-1").strip()[:_ID_CHARS_MAX]
    number = message.number(codec.MESSAGE_STATE)
    stat = _BY_NUMBER.get(number, f"STATE{number}") if number is not None else ""
    error = _network_error(message.tlv(codec.NETWORK_ERROR_CODE) or b"")
    return Receipt(
        message_id=message_id or _said(_ID, text),
        stat=stat or _said(_STATE, text).upper(),
        error=error or _said(_ERROR, text).upper(),
        took=_took(text),
    )


def canonical(message_id: str, form: IdForm) -> str:
    """An id in the one form in which the answer and the receipt are compared.

    What is not of the form that the dialect says stays the text that it is.
    """
    written = message_id.strip()
    digits = _DIGITS.get(form)
    if digits and digits.fullmatch(written):
        return str(int(written, 16 if form is IdForm.HEX else 10))
    return written.upper().lstrip("0") or written


def _said(what: re.Pattern[str], text: str) -> str:
    found = what.search(text)
    return found[1] if found else ""


def _network_error(value: bytes) -> str:
    """An octet for the kind of network, two for its error."""
    return str(int.from_bytes(value[1:], "big")) if len(value) == 3 else ""


def _took(text: str) -> dt.timedelta | None:
    submitted, done = _date(_said(_SUBMITTED, text)), _date(_said(_DONE, text))
    return done - submitted if submitted and done and done >= submitted else None


def _date(digits: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(digits, _DATES[len(digits)]).replace(tzinfo=dt.UTC)
    except (KeyError, ValueError):
        return None
