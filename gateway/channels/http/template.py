"""Replies with placeholders, as text or as JSON.

`{text}` is the screen, `{session}` and its like are what this request said, and so is any
`{request.Field}`. A value that is one placeholder and nothing else keeps its JSON type, and its key
is left out where the request did not have it. What depends on whether the session goes on is a
choice: `{goes_on: true, ends: false}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from gateway.channels.http.fields import Fields, Scalar, as_text

State = Literal["goes_on", "ends"]
STATES: tuple[State, ...] = ("goes_on", "ends")

SCREEN = "text"  # the name of the placeholder
ECHO = "request."

ECHO_CHARS_MAX = 200  # what a request said is sent back up to this length; ids are shorter

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def placeholders(template: str) -> Iterator[str]:
    """The names in a text."""
    return (found[1] for found in _PLACEHOLDER.finditer(template))


def is_choice(template: Mapping[str, Any]) -> bool:
    """Whether it is `{goes_on: …, ends: …}`."""
    return template.keys() == set(STATES)


def fill(
    template: Any, state: State, screen: str, mapped: Mapping[str, str], fields: Fields
) -> Any:
    """A template with everything in its place: a text, or what JSON is made of. None where it is
    one placeholder that the request has no value for.

    Args:
        template: of a profile, and checked.
        state: whether the session goes on.
        screen: what the member reads.
        mapped: the placeholders that stand for a field of the request, and that field's name.
        fields: of the request.
    """

    def value(name: str) -> Scalar:
        if name == SCREEN:
            return screen
        said = fields.value(name.removeprefix(ECHO) if name.startswith(ECHO) else mapped[name])
        return None if len(as_text(said)) > ECHO_CHARS_MAX else said

    def filled(part: Any) -> Any:
        if isinstance(part, str):
            alone = _PLACEHOLDER.fullmatch(part)
            if alone:
                return value(alone[1])
            return _PLACEHOLDER.sub(lambda found: as_text(value(found[1])), part)
        if not isinstance(part, dict):
            return part
        if is_choice(part):
            return filled(part[state])
        within = ((key, each, filled(each)) for key, each in part.items())
        return {key: done for key, each, done in within if each is None or done is not None}

    return filled(template)
