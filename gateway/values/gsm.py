"""The GSM 7-bit alphabet: what a feature phone can show, and what each letter costs.

Source: 3GPP TS 23.038, 6.2.1 (default alphabet and its extension table).
"""

from __future__ import annotations

import unicodedata

_BASE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"

_OF_ONE = frozenset(_BASE)
_SEPTETS = {**dict.fromkeys(_BASE, 1), **dict.fromkeys(_EXTENSION, 2)}

# Five of the Spanish vowels are missing, and one of them halves a message: write them plain. ñ, ü
# and é # are in the alphabet and stay: año and ano are two words.
_PLAIN = str.maketrans(
    {
        **dict(zip("áíóúÁÍÓÚ", "aiouAIOU", strict=True)),
        **dict.fromkeys("«»“”„", '"'),
        **dict.fromkeys("‘’´`", "'"),
        **dict.fromkeys("–—−‐", "-"),
        "…": "...",
        "º": "o",
        "ª": "a",
        "ç": "c",
        "·": "-",
        "\t": " ",
        "\u00a0": " ",
        "\u202f": " ",
    }
)


def plain(text: str) -> str:
    """The text in letters that a feature phone has; what has no near letter becomes `?`."""
    if _OF_ONE.issuperset(text):  # most texts are: two whole walks less
        return text
    mapped = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return "".join(letter if letter in _SEPTETS else _nearest(letter) for letter in mapped)


def septets(text: str) -> int:
    """How much of a screen or an SMS a plain text takes. Letters of the extension table cost two.

    Raises:
        KeyError: a letter is not in the alphabet; make the text `plain` first.
    """
    if _OF_ONE.issuperset(text):
        return len(text)
    return sum(_SEPTETS[letter] for letter in text)


def foreign(text: str) -> set[str]:
    """The letters that `plain` would lose, for the checker to name."""
    mapped = unicodedata.normalize("NFC", text).translate(_PLAIN)
    return {letter for letter in mapped if letter not in _SEPTETS and _nearest(letter) == "?"}


def _nearest(letter: str) -> str:
    """A letter without its marks. Signs have no near one: ≠ without its mark would be =."""
    base = unicodedata.normalize("NFD", letter)[0]
    return base if letter.isalpha() and base in _SEPTETS else "?"
