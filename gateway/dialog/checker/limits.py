"""How much a channel carries, and a person."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.bounds import (
    INPUTS_MAX,
    KEYS_SEPTETS_MAX,
    OPTIONS_PER_SCREEN,
    SCREEN_SEPTETS,
    SMS_SEGMENT_SEPTETS,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a book is proven for.

    Args:
        screen_septets: of one screen on the narrowest channel.
        sms_septets: of one SMS.
        keys_septets: of the line that says `9 Mas  0 Volver  00 Inicio`.
        options: on one screen, and rows of a list.
        inputs: after dialling, the PIN included.
    """

    screen_septets: int = SCREEN_SEPTETS
    sms_septets: int = SMS_SEGMENT_SEPTETS
    keys_septets: int = KEYS_SEPTETS_MAX
    options: int = OPTIONS_PER_SCREEN
    inputs: int = INPUTS_MAX


SHIPPED = Limits()
