"""What a member agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Purpose(StrEnum):
    """What for."""

    READING = "reading"  # a balance or movements by SMS, to whoever texts from the member's phone
    BANKING = "banking"  # their data used to serve them by phone; asked when they enrol
    REMINDERS = "reminders"  # SMS about instalments that are due, and other service
    MOVEMENTS = "movements"  # SMS about what was done in their accounts without their phone
    ADVERTISING = "advertising"  # SMS that sell something


# What holds for who never said anything.
GIVEN_AT_FIRST = {
    Purpose.READING: False,
    Purpose.BANKING: False,
    Purpose.REMINDERS: True,
    Purpose.MOVEMENTS: True,
    Purpose.ADVERTISING: False,
}
# What a text that says stop ends. Not what warns of a thief: a text may be forged.
BY_TEXT = (Purpose.READING, Purpose.REMINDERS, Purpose.ADVERTISING)


@dataclass(frozen=True, slots=True)
class Consent:
    """A member's yes or no.

    Args:
        given: yes, or no from now on.
        channel: on which it was said.
        text_version: the digest of the menus in which they read what it is about.
        language: in which they read it, ISO 639.
    """

    purpose: Purpose
    given: bool
    channel: str
    text_version: str
    language: str
