"""What stands behind the short code in a string that somebody dialled."""

from __future__ import annotations


def behind(dialled: str, short_code: str) -> str | None:
    """The answers of a deep dial: of `*775*2*987654321*50#` behind `*775#` it is
    `2*987654321*50`. Empty for a plain dial; None where the string does not begin with our code.

    Networks leave out the first `*` or the last `#` as they please.
    """
    body, code = _bare(dialled), _bare(short_code)
    rest = body.removeprefix(code)
    if not code or not body.startswith(code) or rest[:1] not in {"", "*"}:
        return None
    return rest[1:]


def _bare(dialled: str) -> str:
    return dialled.strip().removeprefix("*").removesuffix("#")
