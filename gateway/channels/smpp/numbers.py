"""A member's number out of an SMPP address."""

from __future__ import annotations

from gateway.channels.smpp.codec import Address
from gateway.values.msisdn import Msisdn, NotAMobileError, caller, mobile

_INTERNATIONAL, _ALPHANUMERIC = 1, 5  # types of number


def phone(address: Address, region: str) -> Msisdn:
    """Whose phone it is. A network knows who calls, so its number is believed, of any kind.

    Args:
        address: as it came. Only the type `international` is trusted to mean what it says.
        region: ISO 3166, of numbers without their country's code.

    Raises:
        NotAMobileError: it is no number.
    """
    text = address.text.strip()
    if address.ton == _ALPHANUMERIC:
        raise NotAMobileError("not_a_phone")
    if address.ton == _INTERNATIONAL or text.startswith("+"):
        return caller(text)
    try:
        return mobile(text.removeprefix("00"), region)
    except NotAMobileError:
        return caller(text.removeprefix("00"))
