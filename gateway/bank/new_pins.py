"""How a member comes to a PIN of their own choice: by DNI and activation code, or by the old one.

Nothing that is typed outlives its hop in clear. A conversation keeps tokens: the number of a row
that PostgreSQL has, which is worth nothing without the phone it belongs to.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid

from gateway.bank.hashing import KeyedHashes, PinHasher, UnknownPepperError, same
from gateway.bank.pins import Pins
from gateway.bank.weak_pins import weakness
from gateway.bounds import CODE_TRIES, DNI_DIGITS, PIN_CAREFUL_S, PIN_PENDING_S
from gateway.db.pool import Database, Row
from gateway.values.consent import Consent
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Done, Outcome, Refused
from gateway.values.pin import Pin
from gateway.values.secret import Secret

_DNI = re.compile(rf"[0-9]{{{DNI_DIGITS}}}")
_CLAIM = "select * from bank.claim_code_attempt(%s, %s, %s, %s, %s, %s)"
_SETTLE = "select bank.settle_code_attempt(%s, %s, %s, %s)"
_ACTIVATE = "select bank.activate_pin(%s, %s, %s, %s, %s, %s, %s, %s, %s) as active"

_OVER = Refused("over")


class NewPins:
    """PINs that are being chosen.

    Args:
        database: where they wait for their second entry.
        hasher: of PINs.
        keyed: of codes and DNIs.
        pins: verifies the old one.
        digits: how few and how many a new PIN has.
    """

    def __init__(
        self,
        database: Database,
        hasher: PinHasher,
        keyed: KeyedHashes,
        pins: Pins,
        digits: tuple[int, int],
    ) -> None:
        self._database = database
        self._hasher = hasher
        self._keyed = keyed
        self._pins = pins
        self._digits = digits

    def invited(self, member_ref: str, msisdn: Msisdn, now: dt.datetime) -> bool:
        """Whether a code waits for them."""
        call = "select bank.invited(%s, %s, %s, %s) as invited"
        return bool(self._database.row(call, (member_ref, msisdn.e164, now, CODE_TRIES))["invited"])

    def name_dni(self, member_ref: str, typed: Secret, now: dt.datetime) -> Outcome:
        """Keep the DNI, to be judged together with the code: alone it tells nobody anything."""
        dni = typed.reveal().replace(" ", "").replace(".", "")
        if not _DNI.fullmatch(dni):
            return Refused("not_a_dni")
        # Under each pepper: the code says under which one it will be compared.
        hashed = " ".join(
            f"{version}:{self._keyed.hash('dni', member_ref, dni, version)}"
            for version in self._keyed.versions
        )
        until = now + dt.timedelta(seconds=PIN_PENDING_S)
        row = self._database.row(
            "select bank.begin_enrolment(%s, %s, %s, %s) as id", (member_ref, hashed, now, until)
        )
        return _token(row["id"])

    def prove_by_code(
        self,
        member_ref: str,
        msisdn: Msisdn,
        token: str,
        typed: Secret,
        hop: str,
        now: dt.datetime,
    ) -> Outcome:
        """Whether DNI and code are right. Which of them is wrong is not said."""
        pending = uuid.UUID(token)
        params = (member_ref, msisdn.e164, pending, hop, now, CODE_TRIES)
        claim = self._database.row(_CLAIM, params)
        match claim["verdict"], claim["right_code"]:
            case ("none", _):
                return _OVER
            case ("spent" | "frozen" as verdict, _):
                return Refused("code_spent" if verdict == "spent" else "frozen")
            case ("again", True):
                return _token(pending)
            case ("again", False):
                return _wrong_code(claim)
        try:
            right = self._right(member_ref, msisdn, claim, typed)
        except UnknownPepperError:
            return _OVER  # issued under a pepper that was dropped since: there has to be another
        self._database.call(_SETTLE, (member_ref, pending, hop, right))
        return _token(pending) if right else _wrong_code(claim)

    def _right(self, member_ref: str, msisdn: Msisdn, claim: Row, typed: Secret) -> bool:
        """Both are compared, whatever the first comes to: the time tells nothing either."""
        version = claim["pepper_version"]
        code = "".join(typed.reveal().split())
        hashed = self._keyed.hash("code", f"{member_ref} {msisdn.e164}", code, version)
        hashes = dict(each.split(":") for each in claim["typed_dni_hash"].split())
        code_right = same(hashed, claim["code_hash"])
        dni_right = same(hashes.get(str(version), ""), claim["dni_hash"])
        return code_right & dni_right

    def prove_by_pin(self, member_ref: str, typed: Secret, hop: str, now: dt.datetime) -> Outcome:
        """Whether the old PIN is right: an attempt like any other, counted like any other."""
        try:
            pin = Pin(typed.reveal())
        except ValueError:
            return Refused("not_a_pin")
        if denied := self._pins.verify(member_ref, pin, hop, None, now):
            return denied
        until = now + dt.timedelta(seconds=PIN_PENDING_S)
        rows = self._database.call(
            "select bank.begin_change(%s, %s, %s, %s) as id", (member_ref, hop, now, until)
        )
        return _token(rows[0]["id"]) if rows and rows[0]["id"] else _OVER

    def choose(
        self,
        member_ref: str,
        msisdn: Msisdn,
        token: str,
        typed: Secret,
        now: dt.datetime,
        today: dt.date,
    ) -> Outcome:
        """Keep the first entry of a new PIN, unless a thief would try it first."""
        text, (least, most) = typed.reveal(), self._digits
        if not (text.isascii() and text.isdigit() and least <= len(text) <= most):
            return Refused("pin_length", {"least": least, "most": most})
        weak = weakness(text, msisdn.e164, today) or self._personal(member_ref, text)
        if weak:
            return Refused(weak)
        hashed, version = self._hasher.hash(member_ref, Pin(text))
        params = (member_ref, uuid.UUID(token), hashed, version, now)
        kept = self._database.row("select bank.propose_pin(%s, %s, %s, %s, %s) as kept", params)
        return _token(token) if kept["kept"] else _OVER

    def _personal(self, member_ref: str, typed: str) -> str | None:
        """Whether it is made of the DNI or the day of birth, as far as staff have said them."""
        for row in self._database.call("select * from bank.digits_to_avoid(%s)", (member_ref,)):
            try:
                hashed = self._keyed.hash("avoid", member_ref, typed, row["pepper_version"])
            except UnknownPepperError:
                return None
            if hashed in row["avoid"]:
                return "pin_of_yours"
        return None

    def activate(
        self,
        member_ref: str,
        msisdn: Msisdn,
        token: str,
        pin: Pin,
        agreed: Consent,
        now: dt.datetime,
    ) -> Outcome:
        """Make it theirs, if the second entry is the first one's. What they agreed to is kept where
        it came by a code."""
        pending = uuid.UUID(token)
        rows = self._database.call(
            "select * from bank.proposed_pin(%s, %s, %s)", (member_ref, pending, now)
        )
        if not rows:
            return _OVER
        (proposed,) = rows
        hashed = proposed["hash"]
        if not self._hasher.verify(member_ref, pin, hashed, proposed["pepper_version"]):
            return Refused("pins_differ")
        careful_until = now + dt.timedelta(seconds=PIN_CAREFUL_S)
        read = (agreed.channel, agreed.text_version, agreed.language)
        params = (member_ref, msisdn.e164, pending, hashed, now, careful_until, *read)
        return Done() if self._database.row(_ACTIVATE, params)["active"] else _OVER


def _token(row_id: object) -> Done:
    return Done({"token": str(row_id)})


def _wrong_code(claim: Row) -> Refused:
    if claim["tries_left"] > 0:
        return Refused("wrong_code", {"tries_left": claim["tries_left"]})
    return Refused("code_spent")
