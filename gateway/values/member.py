"""A member as far as a conversation needs to know them."""

from __future__ import annotations

import msgspec


class MemberView(msgspec.Struct, frozen=True):
    """Whom a phone belongs to.

    `ref` is opaque: the core's own name for the person. `first_name` is what we call them,
    `short_name` (`Rosa Q.`) what others see of them. `enrolled` means that they have a PIN,
    `invited` that they have none, and an activation code for one. `district` is where they live,
    by its UBIGEO code, or empty.
    """

    ref: str
    first_name: str
    short_name: str
    language: str
    enrolled: bool
    invited: bool = False
    district: str = ""
