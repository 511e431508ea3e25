"""Coming in, going out, and one's own password and codes."""

from __future__ import annotations

from pathlib import Path

import segno
from flask import (
    flash,
    g,
    redirect,
    render_template,
    send_from_directory,
    session,
    url_for,
)
from flask_login import current_user, login_user
from werkzeug.wrappers import Response

from gateway.console import words
from gateway.console.access import N_, Views
from gateway.console.at_hand import AtHand, back_to, by, somebody, typed, typed_secret
from gateway.console.signed import Signed
from gateway.signin.passwords import WeakPasswordError, authenticator_address
from gateway.signin.register import Stage, Typed

_STATIC = Path(__file__).parent.parent / "static"
_QR_SCALE = 5  # pixels a square: a phone reads it from a laptop's screen
_WEAK = {
    "short": N_("Use al menos 12 letras: una frase corta sirve."),
    "long": N_("Use como máximo 128 letras."),
    "plain": N_("Use letras más variadas."),
    "login": N_("Su nombre de usuario no va dentro de la clave."),
}


def views(at_hand: AtHand) -> Views:
    """Behind the doors of this module."""
    return {
        "static": lambda filename: send_from_directory(_STATIC, filename),
        **_coming_in(at_hand),
        **_setting_up(at_hand),
        **_changing(at_hand),
    }


def _coming_in(at_hand: AtHand) -> Views:
    def show() -> str | Response:
        if current_user.is_authenticated:
            return redirect(url_for("home"))
        return render_template("sign_in.html", wrong=False)

    def enter() -> str | Response:
        """One form and one answer, whatever was wrong."""
        asked = Typed(typed("login"), typed_secret("password"), typed_secret("code"))
        token = at_hand.register.sign_in(asked, at_hand.address_of())
        if token is None:
            return Response(render_template("sign_in.html", wrong=True), 403, mimetype="text/html")
        _begin(at_hand, token)
        return redirect(url_for("home"), 303)

    def leave() -> Response:
        at_hand.register.sign_out(somebody().token)
        session.clear()
        return redirect(url_for("signin.show"), 303)

    def choose_language() -> Response:
        if (chosen := typed("language")) in words.LANGUAGES:
            at_hand.register.set_language(by(), chosen)
        return redirect(back_to(), 303)

    return {
        "signin.show": show,
        "signin.enter": enter,
        "signin.leave": leave,
        "signin.language": choose_language,
    }


def _setting_up(at_hand: AtHand) -> Views:
    def page(wrong: str = "") -> str | Response:
        login = somebody().login
        key = at_hand.register.offered_key(login)
        code = segno.make(authenticator_address(key, login, at_hand.cooperative))
        return render_template(
            "enrol.html", qr=code.svg_inline(scale=_QR_SCALE), key=key, wrong=wrong
        )

    def show() -> str | Response:
        if somebody().stage is not Stage.ENROLLING:
            return redirect(url_for("home"))
        return page()

    def finish() -> str | Response:
        if somebody().stage is not Stage.ENROLLING:
            return redirect(url_for("home"), 303)
        if typed("password") != typed("again"):
            return page(N_("Las dos claves no son iguales."))
        try:
            done = at_hand.register.enrol(by(), typed_secret("password"), typed_secret("code"))
        except WeakPasswordError as error:
            return page(_WEAK[error.code])
        if done is None:
            return page(N_("El código no es correcto. Escriba el que se ve ahora."))
        token, codes = done
        _begin(at_hand, token)
        return render_template("recovery_codes.html", codes=codes)

    return {"enrol.show": show, "enrol.finish": finish}


def _changing(at_hand: AtHand) -> Views:
    def show() -> str:
        return render_template("password.html", wrong="")

    def change() -> str | Response:
        if typed("password") != typed("again"):
            return render_template("password.html", wrong=N_("Las dos claves no son iguales."))
        try:
            token = at_hand.register.change_password(
                by(), typed_secret("old"), typed_secret("password"), at_hand.address_of()
            )
        except WeakPasswordError as error:
            return render_template("password.html", wrong=_WEAK[error.code])
        if token is None:
            wrong = N_("La clave de ahora no es correcta.")
            return render_template("password.html", wrong=wrong)
        _begin(at_hand, token)
        flash(words.say("Su clave cambió. Las otras sesiones suyas terminaron."), "good")
        return redirect(url_for("home"), 303)

    return {"password.show": show, "password.change": change}


def _begin(at_hand: AtHand, token: str) -> None:
    """Another cookie, another CSRF token: nothing of before is good any more."""
    session.clear()
    g.pop("csrf_token", None)
    visitor = at_hand.register.visit(token, touch=True)
    if visitor is not None:
        g.language = visitor.language
        login_user(Signed(visitor))
