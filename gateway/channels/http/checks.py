"""What is wrong with a profile that can be read: it would be found out by a member otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.channels.http.fields import Fields
from gateway.channels.http.profile import Incoming, Outgoing, Sheet
from gateway.channels.http.template import (
    ECHO,
    SCREEN,
    STATES,
    fill,
    is_choice,
    placeholders,
)
from gateway.channels.sheets import Key, Wrong

Found = Iterator[Wrong]

_PROBE = "\0screen\0"  # no profile can hold it: YAML has no such letter


def faults(sheet: Sheet) -> Found:
    """Each fault: the key where it is, and the reason."""
    yield from _of_request(sheet.request)
    yield from _of_reply(sheet.reply, sheet.request)


def _of_request(request: Incoming) -> Found:
    if request.body != "query" and "GET" in request.methods:
        yield ("request", "body"), f"GET has no body of `{request.body}`: `query`"
    if request.answers == "last" and request.start is None:
        empty = f'start: {{field: {request.input}, is: [""]}}'
        yield ("request", "answers"), f"`last` needs `start`; where only that tells: `{empty}`"
    if request.answers == "all":
        for key in ("start", "goes_on"):
            if getattr(request, key) is not None:
                yield ("request", key), "not used where `answers` is `all`: the text itself tells"
    yield from _of_events(request)
    yield from _of_dialled(request)


def _of_events(request: Incoming) -> Found:
    known: dict[tuple[str, str], str] = {}
    given = {"end": request.end, "start": request.start, "goes_on": request.goes_on}
    events = [(key, event) for key, event in given.items() if event]
    for key, event in events:
        for value in event.texts():
            before = known.setdefault((event.field, value.casefold()), key)
            if before != key:
                yield ("request", key, "is"), f"`{value}` is `{before}` already"


def _of_dialled(request: Incoming) -> Found:
    dialled, at = request.dialled, ("request", "dialled")
    if dialled is None:
        return
    if dialled.holds == "extension" and request.service_code is None:
        yield (*at, "holds"), "`extension` needs `service_code`: what it stands behind"
    if request.answers == "all" and dialled.holds == "rest":
        yield (*at, "holds"), "`rest` is for networks that send the last answer"
    if request.answers == "all" and dialled.field != request.input:
        yield (*at, "field"), f"where `answers` is `all` it is the input: `{request.input}`"


def _of_reply(reply: Outgoing, request: Incoming) -> Found:
    if (reply.text is None) == (reply.json is None):
        yield ("reply",), "one of `text` and `json`"
        return
    at = ("reply", "text" if reply.json is None else "json")
    broken = list(_of_template(reply.template, at, request))
    yield from broken or _of_screens(reply, request, at)
    yield from _of_template(reply.end_event, ("reply", "end_event"), request)
    if reply.json is None and not isinstance(reply.end_event, str):
        yield ("reply", "end_event"), "a text, as the reply is one"


def _of_template(template: Any, at: Key, request: Incoming) -> Found:
    if isinstance(template, str):
        for name in placeholders(template):
            yield from ((at, reason) for reason in _of_placeholder(name, request))
    elif isinstance(template, dict):
        if template.keys() & set(STATES) and not is_choice(template):
            yield at, "`goes_on` and `ends` stand together, and alone"
        for key, each in template.items():
            yield from _of_template(each, (*at, str(key)), request)
    elif isinstance(template, list):
        yield at, "a list cannot be filled in"


def _of_placeholder(name: str, request: Incoming) -> Iterator[str]:
    secret = {field.casefold() for field in request.secret_fields}
    field = name.removeprefix(ECHO) if name.startswith(ECHO) else request.mapped.get(name)
    if field is None and name != SCREEN:
        known = ", ".join(f"{{{each}}}" for each in (SCREEN, *request.mapped, f"{ECHO}…"))
        yield f"there is no `{{{name}}}`: {known}"
    if field is not None and field.casefold() in secret:
        yield f"`{{{name}}}` would send back what the member typed"


def _of_screens(reply: Outgoing, request: Incoming, at: Key) -> Found:
    """The screen is in it, and so is whether the session goes on."""
    filled = [fill(reply.template, state, _PROBE, request.mapped, Fields({})) for state in STATES]
    if reply.json is None and not all(isinstance(each, str) for each in filled):
        yield at, "a text, or {goes_on: a text, ends: a text}"
    if not all(_PROBE in _leaves(each) for each in filled):
        yield at, f"`{{{SCREEN}}}`, the screen, is not in it"
    if filled[0] == filled[1]:
        yield at, "nothing says whether the session goes on: {goes_on: …, ends: …}"


def _leaves(filled: Any) -> str:
    return "".join(map(_leaves, filled.values())) if isinstance(filled, dict) else str(filled)
