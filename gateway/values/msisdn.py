"""The number of a mobile phone."""

from __future__ import annotations

import re

import msgspec
import phonenumbers
from phonenumbers import PhoneNumberType

_LANDLINE_OR_DNI = re.compile(r"[0-9]{8}")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")


class NotAMobileError(ValueError):
    """The text is no mobile number. `code` says why: `not_a_phone` or `not_mobile`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Msisdn(msgspec.Struct, frozen=True, tag="msisdn"):
    """A phone's number in E.164 with its plus sign (ITU-T E.164): `+51987000001`."""

    e164: str

    def __post_init__(self) -> None:
        if not _E164.fullmatch(self.e164):
            raise NotAMobileError("not_a_phone")

    def __str__(self) -> str:
        return self.e164


def caller(text: str) -> Msisdn:
    """The caller's number as a network says it.

    Networks send E.164 with or without the plus, and a plus that nobody escaped arrives as a space.
    A network knows who calls, so nothing more is checked: any country, any type.

    Raises:
        NotAMobileError: it is no E.164 number at all.
    """
    return Msisdn("+" + text.strip().lstrip("+"))


def mobile(text: str, region: str) -> Msisdn:
    """What a member typed, as the number of a mobile phone in `region` (ISO 3166, `PE`).

    An eight-digit DNI may parse as a landline (73204050 is one of Piura), so the type of the number
    decides, and eight digits are told that they are one or the other.

    Raises:
        NotAMobileError: `not_a_phone`, or `not_mobile` for a landline or a DNI.
    """
    if _LANDLINE_OR_DNI.fullmatch(text):
        raise NotAMobileError("not_mobile")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise NotAMobileError("not_a_phone") from error
    if not phonenumbers.is_valid_number(number):
        raise NotAMobileError("not_a_phone")
    if phonenumbers.number_type(number) is not PhoneNumberType.MOBILE:
        raise NotAMobileError("not_mobile")
    return Msisdn(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
