"""Members: finding one, what staff may see of them, and what staff do for who is before them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from gateway.bounds import DNI_DIGITS
from gateway.console import timeline
from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand, Failed, asked, by, typed
from gateway.console.pages.waiting import KINDS
from gateway.console.words import say
from gateway.ledger.port import LedgerUnavailableError, SeveralMembersError
from gateway.values.dni import Dni
from gateway.values.msisdn import Msisdn, NotAMobileError, mobile

_NUMBER = {
    "moved": N_("El socio tiene otro número desde ahora."),
    "given": N_("El socio tiene un número desde ahora."),
    "released": N_("El número ya no es de nadie."),
    "no_member": N_("Ese número no es de ningún socio."),
    "taken": N_("El número nuevo ya es de un socio: délo de baja primero."),
}
_DONE = frozenset({"moved", "given", "released"})


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""
    return {**_finding(at_hand), **_deeds(at_hand), **_numbers(at_hand)}


def _finding(at_hand: AtHand) -> Views:
    def find() -> str:
        return render_template("members.html", found=None, why="")

    def found() -> str | Response:
        """By POST, so that no DNI and no name is in an address, a history or a log."""
        rows, why = _found(at_hand, typed("who"))
        if len(rows) == 1:
            return redirect(url_for("members.show", ref=rows[0]["member_ref"]), 303)
        return render_template("members.html", found=rows, why=why)

    def show(ref: str) -> str:
        return render_template("member.html", **_shown(at_hand, ref))

    return {"members.find": find, "members.found": found, "members.show": show}


def _found(at_hand: AtHand, who: str) -> tuple[list[Mapping[str, Any]], str]:
    """Whoever it may be, and else why nobody is."""
    if not who:
        return [], N_("Escriba un celular, un DNI o un nombre.")
    digits = who.replace(" ", "").removeprefix("+")
    if len(digits) == DNI_DIGITS and digits.isascii() and digits.isdigit():
        return _of_dni(at_hand, digits)
    if digits.isascii() and digits.isdigit():
        return _of_number(at_hand, who)
    return list(at_hand.reading.find(who)), N_("No hay socios con ese nombre en el registro.")


def _of_dni(at_hand: AtHand, digits: str) -> tuple[list[Mapping[str, Any]], str]:
    """The core knows the DNI; here there is none."""
    if not at_hand.ledger.capabilities().by_dni:
        return [], N_("El sistema central no busca por DNI.")
    try:
        person = at_hand.ledger.find_member(Dni(digits))
    except SeveralMembersError:
        return [], N_("Varios socios tienen ese DNI: búsquelos en el sistema central.")
    except LedgerUnavailableError:
        return [], N_("El sistema central no responde. Intente en un momento.")
    rows = [
        row
        for row in (at_hand.reading.find(person.member_ref) if person else [])
        if person and row["member_ref"] == person.member_ref
    ]
    return list(rows), N_("Ese DNI no es de ningún socio registrado aquí.")


def _of_number(at_hand: AtHand, text: str) -> tuple[list[Mapping[str, Any]], str]:
    nobody = N_("Ese número no es de ningún socio.")
    try:
        ref = at_hand.reading.whose(mobile(text, at_hand.region))
    except NotAMobileError:
        return [], N_("No es un celular: un celular tiene nueve dígitos.")
    return ([{"member_ref": ref}], "") if ref else ([], nobody)


def _shown(at_hand: AtHand, ref: str) -> dict[str, Any]:
    now = at_hand.now()
    member = at_hand.reading.member(ref, by(), at_hand.today(), _before(now), now)
    if member is None:
        raise Failed(404, say("No hay tal socio."))
    words = {
        "cautions_said": timeline.CAUTIONS,
        "levels": timeline.LEVELS,
        "purposes": timeline.PURPOSES,
        "operations": timeline.ORDERS,
        "kinds": KINDS,
    }
    return {**member, **words, "ref": ref, "told": timeline.told(member["timeline"])}


def _before(now: dt.datetime) -> dt.datetime:
    """Where the timeline goes on; what is no time is now."""
    try:
        moment = dt.datetime.fromisoformat(asked("antes"))
    except ValueError:
        return now + dt.timedelta(days=1)  # clocks differ
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _deeds(at_hand: AtHand) -> Views:
    def invite(ref: str) -> str:
        """The code is answered directly, once, and stands nowhere else."""
        issued = at_hand.office().invite(_phone(at_hand, ref), typed("dni"), _born(), by())
        return render_template("code.html", ref=ref, code=issued.code, until=issued.until)

    def reset(ref: str) -> Response:
        number = at_hand.office().ask_reset(_phone(at_hand, ref), typed("dni"), _born(), by())
        flash(say("Pedido %(number)s: lo aprueba otra persona.", number=number), "good")
        return _back(ref)

    def unlock(ref: str) -> Response:
        done = at_hand.office().unlock(_phone(at_hand, ref), by())
        _tell(N_("El PIN está desbloqueado.") if done else N_("No estaba bloqueado."))
        return _back(ref)

    def freeze(ref: str) -> Response:
        done = at_hand.office().freeze(_phone(at_hand, ref), by())
        _tell(N_("El acceso está cerrado.") if done else N_("Ya estaba cerrado."))
        return _back(ref)

    def unfreeze(ref: str) -> Response:
        done = at_hand.office().unfreeze(_phone(at_hand, ref), by())
        _tell(N_("El acceso está abierto.") if done else N_("No estaba cerrado."))
        return _back(ref)

    def trust(ref: str) -> Response:
        lifted = at_hand.office().trust(_phone(at_hand, ref), by())
        _tell(N_("Las cautelas se quitaron.") if lifted else N_("No había cautelas que quitar."))
        return _back(ref)

    return {
        "members.invite": invite,
        "members.reset": reset,
        "members.unlock": unlock,
        "members.freeze": freeze,
        "members.unfreeze": unfreeze,
        "members.trust": trust,
    }


def _numbers(at_hand: AtHand) -> Views:
    def move(ref: str) -> Response:
        try:
            new = mobile(typed("new"), at_hand.region)
        except NotAMobileError as error:
            raise Failed(400, say("No es un celular: un celular tiene nueve dígitos.")) from error
        addressee = at_hand.reading.addressee(ref)
        if addressee is None:
            became = at_hand.office().give(ref, new, by())
        else:
            became = at_hand.office().move(addressee.msisdn, new, by())
        _tell(_NUMBER[became], good=became in _DONE)
        return _back(ref)

    def release(ref: str) -> Response:
        became = at_hand.office().release(_phone(at_hand, ref), by())
        _tell(_NUMBER[became], good=became in _DONE)
        return _back(ref)

    return {"members.move": move, "members.release": release}


def _phone(at_hand: AtHand, ref: str) -> Msisdn:
    addressee = at_hand.reading.addressee(ref)
    if addressee is None:
        raise Failed(409, say("El socio no tiene número: déle uno primero."))
    return addressee.msisdn


def _born() -> dt.date | None:
    """Left empty it is unknown."""
    text = typed("born")
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Failed(400, say("La fecha de nacimiento no es una fecha.")) from error


def _tell(words: str, *, good: bool = True) -> None:
    flash(say(words), "good" if good else "bad")


def _back(ref: str) -> Response:
    return redirect(url_for("members.show", ref=ref), 303)
