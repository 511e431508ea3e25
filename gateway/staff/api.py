"""The routes below `/staff/v1`: JSON in, JSON out, and every error says what to do."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, abort, g, jsonify, request

from gateway.bank.office import Issued, Office, OfficeError
from gateway.db.pool import DatabaseUnavailableError
from gateway.values.msisdn import Msisdn, NotAMobileError, caller

_STATUS = {"no_member": 404, "no_request": 404, "not_a_dni": 400}
_CONFLICT = 409
_NUMBER_DIGITS = 18  # of a bigint


class _BadRequestError(Exception):
    """A field that is missing or wrong."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


@dataclass(frozen=True, slots=True)
class StaffDesk:
    """One cooperative's desk. No two have the same key.

    Args:
        office: the desk, as of now.
        keys: who may call, and the SHA-256 of their key in hex.
    """

    office: Callable[[], Office]
    keys: Mapping[str, str]


def routes(desks: Sequence[StaffDesk]) -> Blueprint:
    """What a branch's or an agent's own system may call. Its key says whose it is."""
    blueprint = Blueprint("staff", __name__, url_prefix="/staff/v1")
    _guard(blueprint, desks)
    _explain(blueprint)

    @blueprint.post("/codes")
    def issue_code() -> tuple[Response, int]:
        """An activation code for a member's first PIN."""
        fields = _fields()
        issued = _office().invite(_phone(fields), _text(fields, "dni"), _born(fields), g.staff)
        return _issued(issued)

    @blueprint.post("/resets")
    def ask_reset() -> tuple[Response, int]:
        """Ask for another PIN in the place of a forgotten one."""
        fields = _fields()
        number = _office().ask_reset(_phone(fields), _text(fields, "dni"), _born(fields), g.staff)
        return jsonify(request=number), 201

    # As a text: werkzeug's own `int` faults where there are more digits than Python reads.
    @blueprint.post(f"/resets/<string(maxlength={_NUMBER_DIGITS}):number>/approval")
    def approve_reset(number: str) -> tuple[Response, int]:
        """Approve what somebody else asked for."""
        if not (number.isascii() and number.isdigit()):
            abort(404)
        return _issued(_office().approve(int(number), g.staff))

    @blueprint.post("/unlocks")
    def unlock() -> Response:
        """Open a PIN that wrong tries have locked."""
        return jsonify(done=_office().unlock(_phone(_fields()), g.staff))

    @blueprint.post("/freezes")
    def freeze() -> Response:
        """Shut a member's door for them."""
        return jsonify(done=_office().freeze(_phone(_fields()), g.staff))

    return blueprint


def _office() -> Office:
    """The desk of whoever calls, as of now."""
    desk: StaffDesk = g.desk
    return desk.office()


def _guard(blueprint: Blueprint, desks: Sequence[StaffDesk]) -> None:
    @blueprint.before_request
    def who() -> tuple[Response, int] | None:
        """Every key is compared, so that the time does not tell whose was nearly right."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        hashed = hashlib.sha256(key.strip().encode()).hexdigest()
        found = [
            (desk, name)
            for desk in desks
            for name, known in desk.keys.items()
            if hmac.compare_digest(known, hashed)
        ]
        if scheme.lower() != "bearer" or not found:
            return _error(401, "key", "send Authorization: Bearer KEY, with a key of staff's")
        g.desk, name = found[0]
        g.staff = name.strip()
        return None

    @blueprint.after_request
    def keep_nothing(response: Response) -> Response:
        """A code is shown once."""
        response.headers["Cache-Control"] = "no-store"
        return response


def _explain(blueprint: Blueprint) -> None:
    @blueprint.errorhandler(OfficeError)
    def refused(error: OfficeError) -> tuple[Response, int]:
        code = "dni" if error.code == "not_a_dni" else error.code
        return _error(_STATUS.get(error.code, _CONFLICT), code, str(error))

    @blueprint.errorhandler(_BadRequestError)
    def wrong(error: _BadRequestError) -> tuple[Response, int]:
        return _error(400, error.code, str(error))

    @blueprint.errorhandler(DatabaseUnavailableError)
    def away(_: DatabaseUnavailableError) -> tuple[Response, int]:
        return _error(503, "unavailable", "send the same again in a moment")


def _error(status: int, code: str, what: str) -> tuple[Response, int]:
    return jsonify(error=code, do=what), status


def _issued(issued: Issued) -> tuple[Response, int]:
    until = issued.until.astimezone(dt.UTC).isoformat(timespec="seconds")
    return jsonify(code=issued.code, good_until=until), 201


def _fields() -> Mapping[str, object]:
    fields = request.get_json(force=True, silent=True)
    if not isinstance(fields, dict):
        raise _BadRequestError("not_json", 'send a JSON object: {"phone": "+51987000001"}')
    return fields


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value.isascii():
        raise _BadRequestError(name, f"`{name}` is missing, or is not a text")
    return value


def _phone(fields: Mapping[str, object]) -> Msisdn:
    try:
        return caller(_text(fields, "phone"))
    except NotAMobileError as error:
        raise _BadRequestError("phone", "`phone` is a number like +51987000001") from error


def _born(fields: Mapping[str, object]) -> dt.date | None:
    if fields.get("born") is None:
        return None
    try:
        return dt.date.fromisoformat(_text(fields, "born"))
    except ValueError as error:
        raise _BadRequestError("born", "`born` is a day like 1990-07-17") from error
