"""Fineract's web hooks: JSON comes in, a command that somebody gave there each.

Source: Fineract's WebHookService, WebHookProcessor and SynchronousCommandProcessingService
(1.9 to 1.15): `POST` with X-Fineract-Entity, X-Fineract-Action and Fineract-Platform-TenantId. No
signature, no delivery id, no retry; commands that failed are sent too, without a `response`, and
creating a hook asks the address once by `GET`. Its address ends in a slash.

So a hook proves nothing. Of all that it says only two numbers are kept, to look there.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from flask import Blueprint, Response, abort, request

from gateway.values.core_news import Hint, Subject

CHANNEL = "fineract"

# What may never be written down: who did it, and what was typed at the core.
SECRET_FIELDS = frozenset({"request", "createdByName", "createdByFullName"})

_Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]

_SAVINGS, _LOAN, _TRANSFER = "SAVINGSACCOUNT", "LOAN", "ACCOUNTTRANSFER"
_SUBJECTS = {
    (_SAVINGS, "DEPOSIT"): Subject.SAVINGS,
    (_SAVINGS, "WITHDRAWAL"): Subject.SAVINGS,
    (_LOAN, "DISBURSE"): Subject.LOAN,
    (_LOAN, "DISBURSETOSAVINGS"): Subject.LOAN,
    (_TRANSFER, "CREATE"): Subject.TRANSFER,
}


class _Answered(msgspec.Struct):
    """What the command was answered with; without it, it failed."""

    resourceId: _Number | None = None  # noqa: N815 - Fineract's names
    savingsId: _Number | None = None  # noqa: N815
    loanId: _Number | None = None  # noqa: N815
    rollbackTransaction: bool | None = None  # noqa: N815


class _Payload(msgspec.Struct):
    entityName: str  # noqa: N815
    actionName: str  # noqa: N815
    response: _Answered | None = None


class NotAHookError(ValueError):
    """The body is none of a hook."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Whose hooks they are.

    Args:
        secrets: what may stand in the path.
        tenant: of all those of one server, ours.
        hear: keeps a hint; False where it could not.
    """

    secrets: Sequence[str]
    tenant: str
    hear: Callable[[Hint], bool]

    def open_to(self, secret: str) -> bool:
        """Takes as long for a wrong secret as for a right one."""
        given = secret.encode(errors="replace")
        return sum(hmac.compare_digest(valid.encode(), given) for valid in self.secrets) > 0


def parse(headers: Mapping[str, str], body: bytes) -> Hint | None:
    """Where to look, if it is about something that members want to know. A command that failed, or
    waits for a checker, is about nothing.

    Raises:
        NotAHookError: it cannot be read.
    """
    try:
        payload = msgspec.json.decode(body, type=_Payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotAHookError from error
    said = (headers.get("X-Fineract-Entity", ""), headers.get("X-Fineract-Action", ""))
    if said != (payload.entityName, payload.actionName):
        raise NotAHookError
    subject, done = _SUBJECTS.get(said), payload.response
    if subject is None or done is None or done.rollbackTransaction:
        return None
    account = done.loanId if subject is Subject.LOAN else done.savingsId
    line = account if subject is Subject.LOAN else done.resourceId
    return Hint(subject, account, line) if account and line else None


def routes(tenants: Sequence[Hooks]) -> Blueprint:
    """The webhook. The secret in its path is the caller's proof, before anything is read, and says
    whose core it is."""
    blueprint = Blueprint("fineract-hooks", __name__, url_prefix="/core/fineract/<secret>")

    def behind(secret: str) -> Hooks:
        opened = [hooks for hooks in tenants if hooks.open_to(secret)]
        return opened[0] if opened else abort(404)

    @blueprint.get("/hooks", strict_slashes=False)
    def probe(secret: str) -> tuple[str, int]:
        """Asked once, when the hook is created there."""
        behind(secret)
        return "", 204

    @blueprint.post("/hooks", strict_slashes=False)
    def heard(secret: str) -> tuple[str, int] | Response:
        """A command was given at the core."""
        hooks = behind(secret)
        if request.headers.get("Fineract-Platform-TenantId") != hooks.tenant:
            abort(400)  # another cooperative's
        try:
            hint = parse(dict(request.headers), request.get_data())
        except NotAHookError:
            abort(400)
        if hint and not hooks.hear(hint):
            abort(503)
        return "", 204

    return blueprint
