"""Who of staff may sign in, as administrators have it."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand, Failed, by, typed
from gateway.console.words import say
from gateway.signin.register import LOGIN, Made, Role

KINDS = {
    "add": N_("agregar a"),
    "role": N_("cambiar el puesto de"),
    "reset": N_("dar clave nueva a"),
}
_SAID = {
    "done": N_("Hecho."),
    "asked": N_("Pedido: lo aprueba otra persona de administración."),
    "waits": N_("Ya hay un pedido para ese usuario."),
    "known": N_("Ya hay alguien con ese usuario."),
    "unknown": N_("No hay nadie con ese usuario, o ya está de baja."),
    "oneself": N_("Nadie se hace esto a sí mismo: tiene que ser otra persona."),
    "none": N_("Ese pedido no existe."),
    "decided": N_("Alguien ya lo decidió."),
    "same_person": N_("Quien lo pidió no lo aprueba: tiene que ser otra persona."),
}
_GOOD = frozenset({"done", "asked"})


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""
    register = at_hand.register

    def list_() -> str:
        return render_template(
            "people.html",
            people=register.people(),
            requests=register.waiting(),
            kinds=KINDS,
            all_roles=list(Role),
        )

    def add() -> str | Response:
        login = typed("login").lower()
        if not LOGIN.fullmatch(login):
            raise Failed(400, say("El usuario tiene de 2 a 31 letras sin tilde, puntos o guiones."))
        return _tell(login, register.add(login, _role(), by()))

    def change_role(login: str) -> str | Response:
        return _tell(login, register.change_role(login, _role(), by()))

    def reset(login: str) -> str | Response:
        return _tell(login, register.reset(login, by()))

    def disable(login: str) -> str | Response:
        return _tell(login, register.disable(login, by()))

    def approve(number: int) -> str | Response:
        login = next((row["login"] for row in register.waiting() if row["id"] == number), "")
        return _tell(login, register.decide(number, by(), approve=True))

    def decline(number: int) -> str | Response:
        return _tell("", register.decide(number, by(), approve=False))

    return {
        "people.list": list_,
        "people.add": add,
        "people.role": change_role,
        "people.reset": reset,
        "people.disable": disable,
        "people.approve": approve,
        "people.decline": decline,
    }


def _role() -> Role:
    try:
        return Role(typed("role"))
    except ValueError as error:
        raise Failed(400, say("Elija un puesto.")) from error


def _tell(login: str, made: Made) -> str | Response:
    """A first password is answered directly, once, and stands nowhere else."""
    if made.first_password:
        return render_template("first_password.html", login=login, password=made.first_password)
    flash(say(_SAID[made.verdict]), "good" if made.verdict in _GOOD else "bad")
    return redirect(url_for("people.list"), 303)
