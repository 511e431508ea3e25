"""What staff do for a member who is before them. Signed in as the owner: the application cannot."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from gateway.bank.hashing import KeyedHashes
from gateway.bank.register import Members
from gateway.bank.weak_pins import of_the_day, of_the_dni
from gateway.bounds import CODE_DIGITS, DEEDS_SHOWN, DNI_DIGITS, NUMBER_CAREFUL_S
from gateway.db.pool import Database, Row
from gateway.values.member import MemberView
from gateway.values.msisdn import Msisdn

_DNI = re.compile(rf"[0-9]{{{DNI_DIGITS}}}")
_ISSUE = "select bank.issue_code(%s, 'enrol', %s, %s, %s, %s, %s, %s, %s) as id"
_ASK_RESET = "select bank.ask_staff('pin_reset', %s, %s::jsonb, %s, %s) as id"
_TRUST = "select instructions.trust_again(%s, %s, %s, %s) as lifted"
_APPROVE = "select bank.approve_reset(%s, %s, %s, %s, %s, %s) as verdict"


class OfficeError(Exception):
    """It cannot be done. `code` is for programs, the message says what to do instead."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


@dataclass(frozen=True, slots=True)
class Issued:
    """An activation code. It is shown once: only its keyed hash is kept."""

    code: str
    until: dt.datetime

    def __repr__(self) -> str:
        return f"Issued(until={self.until})"


class Office:
    """The desk for PINs, and for who may dial.

    Args:
        database: signed in as the owner of the schemas.
        keyed: with the peppers that the gateway has; None where nothing is to be issued.
        code_hours: how long a code is good.
        now: the time, aware.
    """

    def __init__(
        self, database: Database, keyed: KeyedHashes | None, code_hours: int, now: dt.datetime
    ) -> None:
        self._database = database
        self._peppered = keyed
        self._good_for = dt.timedelta(hours=code_hours)
        self._now = now

    def invite(self, msisdn: Msisdn, dni: str, born: dt.date | None, by: str) -> Issued:
        """A code for a member's first PIN. An older one is over.

        Raises:
            OfficeError: `no_member`, `has_pin`, `not_a_dni`.
        """
        member = self._member(msisdn)
        if self._had_pin(member.ref):
            what = "this member has a PIN or has had one: ask a reset, which takes two of you"
            raise OfficeError("has_pin", what)
        issued, code_hash = self._new_code(member.ref, msisdn)
        version = self._keyed.current
        dni_hash, avoid = self._known(member.ref, dni, born)
        params = (member.ref, dni_hash, code_hash, version, avoid, by, self._now, issued.until)
        self._database.row(_ISSUE, params)
        return issued

    def ask_reset(self, msisdn: Msisdn, dni: str, born: dt.date | None, by: str) -> int:
        """Ask for a new PIN in the place of one that is forgotten. Somebody else approves it.

        Raises:
            OfficeError: `no_member`, `no_pin`, `not_a_dni`.
        """
        member = self._member(msisdn)
        if not self._had_pin(member.ref):
            raise OfficeError("no_pin", "this member has no PIN and never had one: invite them")
        dni_hash, avoid = self._known(member.ref, dni, born)
        detail = msgspec.json.encode(
            {"dni_hash": dni_hash, "avoid": avoid, "pepper_version": self._keyed.current}
        ).decode()
        return int(self._database.row(_ASK_RESET, (member.ref, detail, by, self._now))["id"])

    def approve(self, request_id: int, by: str) -> Issued:
        """Approve what somebody else asked for: the old PIN is over, and there is a code.

        Raises:
            OfficeError: `no_request`, `decided`, `same_person`, `asked_too_long_ago`.
        """
        found = self._database.call("select * from bank.reset_asked(%s)", (request_id,))
        if not found:
            raise OfficeError("no_request", "there is no such request: see members show")
        if found[0]["pepper_version"] != self._keyed.current:
            what = "the peppers were rotated since it was asked: ask again"
            raise OfficeError("asked_too_long_ago", what)
        issued, code_hash = self._new_code(found[0]["member_ref"], Msisdn(found[0]["msisdn"]))
        params = (request_id, code_hash, self._keyed.current, by, self._now, issued.until)
        verdict = self._database.row(_APPROVE, params)["verdict"]
        if verdict != "done":
            raise OfficeError(*_WHY_NOT[verdict])
        return issued

    def unlock(self, msisdn: Msisdn, by: str) -> bool:
        """Open a PIN that wrong tries have locked. Answers whether there was anything to open."""
        params = (self._member(msisdn).ref, by, self._now)
        return bool(
            self._database.row("select bank.unlock_pin(%s, %s, %s) as opened", params)["opened"]
        )

    def _had_pin(self, member_ref: str) -> bool:
        return bool(self._database.row("select bank.had_pin(%s) as had", (member_ref,))["had"])

    def freeze(self, msisdn: Msisdn, by: str) -> bool:
        """Shut a member's door for them. Answers whether it was open."""
        params = (self._member(msisdn).ref, by, self._now)
        return bool(
            self._database.row("select bank.freeze_by_staff(%s, %s, %s) as shut", params)["shut"]
        )

    def unfreeze(self, msisdn: Msisdn, by: str) -> bool:
        """Open the door again, once the member was seen. Answers whether it was shut."""
        params = (self._member(msisdn).ref, by, self._now)
        row = self._database.row("select bank.lift_freeze(%s, %s, %s) as lifted", params)
        return bool(row["lifted"])

    def trust(self, msisdn: Msisdn, by: str) -> list[str]:
        """Let a member with a new SIM or number move money again, once they and their DNI were
        seen. Answers what was lifted."""
        member_ref = self._member(msisdn).ref
        return [
            reason
            for reason in ("sim_changed", "sim_unknown", "number_changed")
            if self._database.row(_TRUST, (member_ref, reason, by, self._now))["lifted"]
        ]

    def move(self, msisdn: Msisdn, new: Msisdn, by: str) -> str:
        """Another number for a member: `moved`, `no_member` or `taken`."""
        until = self._now + dt.timedelta(seconds=NUMBER_CAREFUL_S)
        params = (msisdn.e164, new.e164, by, until, self._now)
        row = self._database.row("select bank.move_number(%s, %s, %s, %s, %s) as became", params)
        return str(row["became"])

    def release(self, msisdn: Msisdn, by: str) -> str:
        """A member gives their number back: `released` or `no_member`."""
        params = (msisdn.e164, by, self._now)
        row = self._database.row("select bank.release_number(%s, %s, %s) as became", params)
        return str(row["became"])

    def give(self, member_ref: str, new: Msisdn, by: str) -> str:
        """A number for a member who has none: `given`, `no_member` or `taken`."""
        until = self._now + dt.timedelta(seconds=NUMBER_CAREFUL_S)
        params = (member_ref, new.e164, by, until, self._now)
        row = self._database.row("select bank.give_number(%s, %s, %s, %s, %s) as became", params)
        return str(row["became"])

    def decline(self, request_id: int, by: str) -> str:
        """Say no to what somebody else asked for: `done`, `none`, `decided` or `same_person`."""
        params = (request_id, by, self._now)
        row = self._database.row(
            "select verdict from bank.decide_staff_request(%s, false, %s, %s)", params
        )
        return str(row["verdict"])

    def access(self, msisdn: Msisdn) -> Row:
        """What staff may know of a member's access."""
        params = (self._member(msisdn).ref, self._now, DEEDS_SHOWN)
        return self._database.row("select * from bank.access_of(%s, %s, %s)", params)

    def register(self, member: MemberView, msisdn: Msisdn, by: str) -> None:
        """Let a member of the cooperative dial.

        Raises:
            OfficeError: `is_registered`: that member, or that phone, is registered already.
        """
        params = (member.ref, msisdn.e164, member.first_name, member.short_name, member.language)
        call = "select bank.register_by_staff(%s, %s, %s, %s, %s, %s, %s) as new"
        if not self._database.row(call, (*params, by, self._now))["new"]:
            raise OfficeError("is_registered", "this member, or this phone, is registered already")

    @property
    def _keyed(self) -> KeyedHashes:
        if self._peppered is None:
            raise ValueError("without a pepper nothing can be issued")
        return self._peppered

    def _member(self, msisdn: Msisdn) -> MemberView:
        member = Members(self._database).by_msisdn(msisdn)
        if member is None:
            raise OfficeError("no_member", "this phone is no member's: register it")
        return member

    def _new_code(self, member_ref: str, msisdn: Msisdn) -> tuple[Issued, str]:
        """Random digits, and what is kept of them."""
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        bound_to, version = f"{member_ref} {msisdn.e164}", self._keyed.current
        hashed = self._keyed.hash("code", bound_to, code, version)
        return Issued(code, self._now + self._good_for), hashed

    def _known(self, member_ref: str, dni: str, born: dt.date | None) -> tuple[str, list[str]]:
        """What is kept of a DNI and a day of birth: hashes of them, and of the PINs in them."""
        if not _DNI.fullmatch(dni):
            raise OfficeError("not_a_dni", f"a DNI has {DNI_DIGITS} digits")
        version = self._keyed.current
        weak = sorted({*of_the_dni(dni), *(of_the_day(born) if born else ())})
        avoid = sorted(self._keyed.hash("avoid", member_ref, each, version) for each in weak)
        return self._keyed.hash("dni", member_ref, dni, version), avoid


_WHY_NOT: Mapping[str, tuple[str, str]] = {
    "none": ("no_request", "there is no such request: see members show"),
    "decided": ("decided", "somebody has decided it already"),
    "same_person": ("same_person", "who has asked cannot approve: it takes another person"),
}
