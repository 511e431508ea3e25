"""Texts in a file that a spreadsheet opens."""

from __future__ import annotations

# What begins so is a formula to a spreadsheet: it would run there. Source: OWASP, CSV injection.
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def never_a_formula(text: str) -> str:
    """The same text, quoted where a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text
