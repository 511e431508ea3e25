"""In which language we talk to a member."""

from __future__ import annotations

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.values.outcome import Done, Outcome


def _set_language(desk: Desk, request: Request) -> Outcome:
    language = request.text("language")
    desk.members.set_language(request.member.ref, language)
    return Done({"language": language})


OPERATIONS = (
    Operation(
        name="members.set_language",
        perform=_set_language,
        takes={"language": "language"},
        gives={"language": "language"},
    ),
)
