"""Coming to a PIN, and to another one."""

from __future__ import annotations

from gateway.bank.desk import Desk
from gateway.bank.operations import Operation, Request
from gateway.values.consent import Consent, Purpose
from gateway.values.outcome import Outcome, Refused


def _name_dni(desk: Desk, request: Request) -> Outcome:
    return desk.new_pins.name_dni(request.member.ref, request.typed(), request.now)


def _prove_by_code(desk: Desk, request: Request) -> Outcome:
    return desk.new_pins.prove_by_code(
        request.member.ref,
        request.origin.msisdn,
        request.text("dni"),
        request.typed(),
        request.hop,
        request.now,
    )


def _prove_by_pin(desk: Desk, request: Request) -> Outcome:
    return desk.new_pins.prove_by_pin(request.member.ref, request.typed(), request.hop, request.now)


def _choose(desk: Desk, request: Request) -> Outcome:
    return desk.new_pins.choose(
        request.member.ref,
        request.origin.msisdn,
        request.text("proof"),
        request.typed(),
        request.now,
        request.today,
    )


def _activate(desk: Desk, request: Request) -> Outcome:
    """Without their yes there is no PIN."""
    if request.text("consent") != "accept":
        return Refused("not_agreed")
    return _change(desk, request)


def _change(desk: Desk, request: Request) -> Outcome:
    agreed = Consent(
        purpose=Purpose.BANKING,
        given=True,
        channel=request.origin.channel,
        text_version=request.book,
        language=request.language,
    )
    return desk.new_pins.activate(
        request.member.ref,
        request.origin.msisdn,
        request.text("new_pin"),
        request.second_entry(),
        agreed,
        request.now,
    )


_WEAK: dict[str, dict[str, str]] = {
    "pin_length": {"least": "number", "most": "number"},
    "pin_in_a_row": {},
    "pin_repeats": {},
    "pin_usual": {},
    "pin_like_a_date": {},
    "pin_of_yours": {},
}

OPERATIONS = (
    Operation(
        name="enrolment.name_dni",
        perform=_name_dni,
        secret=True,
        refusals={"not_a_dni": {}},
    ),
    Operation(
        name="enrolment.prove",
        perform=_prove_by_code,
        takes={"dni": "secret"},
        secret=True,
        refusals={"wrong_code": {"tries_left": "number"}, "code_spent": {}, "over": {}},
    ),
    Operation(
        name="enrolment.activate",
        perform=_activate,
        takes={"consent": "accept|decline", "new_pin": "secret"},
        repeats_pin=True,
        refusals={"pins_differ": {}, "over": {}, "not_agreed": {}},
    ),
    Operation(
        name="pins.prove",
        perform=_prove_by_pin,
        secret=True,
        refusals={"over": {}},
    ),
    Operation(
        name="pins.choose",
        perform=_choose,
        takes={"proof": "secret"},
        secret=True,
        refusals={**_WEAK, "over": {}},
    ),
    Operation(
        name="pins.change",
        perform=_change,
        takes={"new_pin": "secret"},
        repeats_pin=True,
        refusals={"pins_differ": {}, "over": {}},
    ),
)
