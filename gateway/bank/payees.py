"""To whom a member may send money: members, and the member's own other accounts."""

from __future__ import annotations

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.bounds import PAYEES_OFFERED
from gateway.values.msisdn import NotAMobileError, mobile
from gateway.values.outcome import Done, Outcome, Record, Refused


def _recent(desk: Desk, request: Request) -> Outcome:
    """The member's other accounts, then the members whom they sent money to last. The source may
    not be known yet: then any own account may be the target, and the order tells if both are the
    same."""
    source = request.values.get("source")
    code = source.text("code") if isinstance(source, Record) else ""
    accounts = desk.savings(request.member.ref)
    own = [account for account in accounts if account.code != code and len(accounts) > 1]
    refs = desk.instructions.recent_payees(request.member.ref, PAYEES_OFFERED)
    names = desk.members.short_names(refs)
    offered = [payee(request.member.ref, account.name, account.code) for account in own]
    offered += [payee(ref, names[ref]) for ref in refs if ref in names]
    return Done(rows=tuple(offered[: PAYEES_OFFERED + 1]))


def _find(desk: Desk, request: Request) -> Outcome:
    """The member whose mobile number was typed."""
    try:
        msisdn = mobile(request.text("typed"), desk.region)
    except NotAMobileError as error:
        return Refused(error.code)
    member = desk.members.by_msisdn(msisdn)
    if member is None:
        return Refused("not_a_member")
    if member.ref == request.member.ref:
        return Refused("yourself")
    return Done({"payee": payee(member.ref, member.short_name)})


def payee(member_ref: str, name: str, account: str = "") -> Record:
    """A payee as a slot's value. `account` is set where it is the sender's own other account."""
    return Record({"member_ref": member_ref, "name": name, "account": account})


OPERATIONS = (
    Operation(
        name="payees.recent",
        perform=_recent,
        takes={"source": "savings_account?"},
        rows={"name": "payee_name", "account": "ref", "member_ref": "ref"},
    ),
    Operation(
        name="payees.find",
        perform=_find,
        takes={"typed": "text"},
        gives={"payee": "payee"},
        refusals={"not_a_phone": {}, "not_mobile": {}, "not_a_member": {}, "yourself": {}},
    ),
)
