"""What an operator's sheet may say, so that nothing is found out only when it is sent."""

from __future__ import annotations

import ipaddress
import re

import phonenumbers

_NAME_LETTERS_MAX = 11  # of a sender's name: 3GPP TS 23.040, 9.1.2.5
_NUMBER_DIGITS_MAX = 20  # SMPP's address
_HOST_CHARS_MAX = 253
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PRINTABLE = re.compile(r"[ -~]*")


def plain(text: str) -> bool:
    """Whether it is of printable ASCII alone."""
    return _PRINTABLE.fullmatch(text) is not None


def digits(text: str) -> bool:
    """Whether it is a number, and no name. `²` is neither."""
    return text.isascii() and text.isdigit()


def host(text: str) -> bool:
    """Whether it is the name of a machine, in letters that DNS has, or its address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        return len(text) <= _HOST_CHARS_MAX and all(map(_LABEL.fullmatch, labels))
    return True


def sender(text: str) -> bool:
    """Whether phones show it as whom a message is from: a number, or a name of a few letters."""
    if digits(text):
        return len(text) <= _NUMBER_DIGITS_MAX
    return plain(text) and bool(text.strip()) and len(text) <= _NAME_LETTERS_MAX


def region(text: str) -> bool:
    """Whether numbers are known there (ISO 3166)."""
    return text in phonenumbers.SUPPORTED_REGIONS
