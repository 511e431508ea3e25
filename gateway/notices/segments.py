"""How many SMS a text is: what it costs, and whether a provider takes it.

Source: 3GPP TS 23.038 (alphabets), TS 23.040, 9.2.3.24.1 (a part of a longer message gives 6 of its
140 octets to a header).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.values.gsm import septets

_GSM_SINGLE, _GSM_PART = 160, 153  # septets
_UCS2_SINGLE, _UCS2_PART = 70, 67  # units of 16 bits


def segments(text: str) -> int:
    """How many SMS the text is sent as: 1 for an empty one.

    A single letter outside the GSM alphabet makes the whole text UCS-2. No letter is ever cut in
    two: neither an extension letter behind its escape, nor the two units of an emoji.
    """
    try:
        return _count([septets(letter) for letter in text], _GSM_SINGLE, _GSM_PART)
    except KeyError:
        return _count([1 + (letter > "\uffff") for letter in text], _UCS2_SINGLE, _UCS2_PART)


def _count(sizes: Sequence[int], single: int, part: int) -> int:
    if sum(sizes) <= single:
        return 1
    parts, room = 1, part
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part
        room -= size
    return parts
