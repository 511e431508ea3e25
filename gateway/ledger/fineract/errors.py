"""What an answer to a command means: one table, by the code in its body.

The HTTP status alone says little: 403 is a missing right, too little money or a broken constraint,
400 may be a closed account, and 503 may be final.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.ledger.fineract.client import Reply

IN_USE = "in_use"  # a key is being executed, waits for a person, or its process died
LOAN_LOCKED = "error.msg.loan.locked"  # the close of business is at this one

_TOO_EARLY = 425
_OK = 200
# What a filter or a proxy answers before anything of Fineract has seen the command.
_TURNED_AWAY = frozenset({400, 401, 403, 404, 405, 411, 413, 415, 429})


class Meaning(StrEnum):
    """What a reply says about the money."""

    DONE = "done"
    WAITS = "waits"  # a checker has to say yes: nothing moved
    REFUSED = "refused"  # rolled back, and so for ever under this key
    DATE = "date"  # the same, but another date may do, under another key
    BROKEN = "broken"  # an error inside: rolled back if the server remembers it
    LATER = "later"  # not even begun
    MISCONFIGURED = "misconfigured"  # not even begun, and a person has to mend something
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is one of the port's refusals where it was refused, else Fineract's own, for staff."""

    meaning: Meaning
    code: str = ""
    resource_id: int = 0


_FUNDS = Verdict(Meaning.REFUSED, "insufficient_funds")
_NO_ACCOUNT = Verdict(Meaning.REFUSED, "no_such_account")
_NOT_ALLOWED = Verdict(Meaning.REFUSED, "not_allowed")
_NOTHING_OWED = Verdict(Meaning.REFUSED, "nothing_owed")
_LATER = Verdict(Meaning.LATER)
_BROKEN = Verdict(Meaning.BROKEN)
_MISCONFIGURED = Verdict(Meaning.MISCONFIGURED)

_BY_CODE = {
    "error.msg.savingsaccount.transaction.insufficient.account.balance": _FUNDS,
    "error.msg.savingsaccount.transaction.insufficient.account.balance.withdraw": _FUNDS,
    "validation.msg.savingsaccount.insufficient.balance": _FUNDS,
    "error.msg.saving.account.blocked.transaction.not.allowed": _NOT_ALLOWED,
    "error.msg.savings.account.debit.transaction.not.allowed": _NOT_ALLOWED,
    "error.msg.savings.account.credit.transaction.not.allowed": _NOT_ALLOWED,
    "error.msg.savings.transaction.is.not.allowed": Verdict(Meaning.DATE),
    "error.msg.client.not.active.exception": _NOT_ALLOWED,
    "error.msg.saving.account.id.invalid": _NO_ACCOUNT,
    "error.msg.loan.id.invalid": _NO_ACCOUNT,
    "error.msg.loan.transaction.not.allowed.on.closed.or.overpaid": _NOTHING_OWED,
    "error.msg.account.transfer.already.reversed": Verdict(Meaning.REFUSED, "already_reversed"),
    LOAN_LOCKED: _LATER,
    "error.msg.sheduler.job.currently.running": _LATER,  # spelt so
    "error.msg.saving.account.transfer.transaction.update.not.allowed": _NOT_ALLOWED,
    "error.msg.saving.account.transaction.update.not.allowed": _NOT_ALLOWED,
    "error.msg.loan.transfer.transaction.update.not.allowed": _NOT_ALLOWED,
    "error.msg.password.outdated": _MISCONFIGURED,
    "error.msg.not.authorized": _MISCONFIGURED,
    "error.msg.not.authenticated": _MISCONFIGURED,
    "error.msg.invalid.tenant.identifier": _MISCONFIGURED,
    "error.msg.invalid.instance.type": _MISCONFIGURED,
    "error.msg.platform.server.side.error": _BROKEN,
    "error.msg.platform.service.unavailable": _BROKEN,
}

# Where the middle of a code changes with the kind of account, the path or the release.
_BY_ENDING = {
    ".transaction.account.is.not.active": _NO_ACCOUNT,
    ".or.waiver.account.is.not.active": _NOTHING_OWED,
    ".external.id.invalid": _NO_ACCOUNT,
    ".transaction.in.the.future": Verdict(Meaning.DATE),
    ".transaction.before.activation.date": Verdict(Meaning.DATE),
    ".cannot.be.a.future.date": Verdict(Meaning.DATE),
    ".cannot.be.made.before.last.transaction.date": Verdict(Meaning.DATE),
    ".cannot.be.before.disbursement.date": Verdict(Meaning.DATE),
    ".withdrawals.blocked.during.lockin.period": _NOT_ALLOWED,
    ".date.on.non.working.day": _NOT_ALLOWED,
    ".date.on.holiday": _NOT_ALLOWED,
    ".results.in.balance.going.negative": _FUNDS,
    ".conflict": _BROKEN,
}


def judged(reply: Reply) -> Verdict:
    """What a reply to a command means."""
    if reply.status == _TOO_EARLY:
        return Verdict(Meaning.UNCERTAIN, IN_USE)  # the body is our own request
    if reply.status == _OK:
        return _of_success(reply.body)
    codes = list(_codes(reply.body))
    for code in codes:
        if verdict := _known(code):
            return Verdict(verdict.meaning, verdict.code or code)
    if codes and reply.status < 500:
        return Verdict(Meaning.REFUSED, "not_allowed")  # of the command itself: it was undone
    if isinstance(reply.body, dict) and ("Exception" in reply.body or codes):
        return _BROKEN
    if reply.body is None and reply.status in _TURNED_AWAY:
        meaning = Meaning.LATER if reply.status == 429 else Meaning.MISCONFIGURED
        return Verdict(meaning, f"HTTP {reply.status}")
    return Verdict(Meaning.UNCERTAIN, f"HTTP {reply.status}")


def faults(reply: Reply) -> str:
    """An answer's codes, for staff; never its words, which name members."""
    return " ".join(_codes(reply.body)) or f"HTTP {reply.status}"


def _of_success(body: Any) -> Verdict:
    if not isinstance(body, dict):
        return Verdict(Meaning.UNCERTAIN, "HTTP 200 without a result")
    if body.get("rollbackTransaction") is True:
        return Verdict(Meaning.WAITS)
    resource_id = body.get("resourceId")
    if not isinstance(resource_id, int):
        return Verdict(Meaning.UNCERTAIN, "HTTP 200 without a result")
    return Verdict(Meaning.DONE, resource_id=resource_id)


def _known(code: str) -> Verdict | None:
    if verdict := _BY_CODE.get(code):
        return verdict
    return next((v for ending, v in _BY_ENDING.items() if code.endswith(ending)), None)


def _codes(body: Any) -> Iterator[str]:
    """Those of the errors first: the one above them only says what kind they are."""
    if not isinstance(body, dict):
        return
    errors = body.get("errors")
    for error in [*(errors if isinstance(errors, list) else []), body]:
        code = error.get("userMessageGlobalisationCode") if isinstance(error, dict) else None
        if isinstance(code, str) and code:
            yield code
