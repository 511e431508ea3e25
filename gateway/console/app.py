"""The console as an application of its own, below /console: its cookies, its CSRF tokens and its
headers are not the webhooks'."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, abort, flash, g, redirect, render_template, request, session, url_for
from flask_login import AnonymousUserMixin, LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import Markup
from secure import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.exceptions import HTTPException
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response

from gateway.bank.office import OfficeError
from gateway.bounds import BODY_BYTES_MAX, FORM_FIELDS_MAX
from gateway.console import access, words
from gateway.console.access import Door, Needs, UnlistedDoorError, View
from gateway.console.at_hand import AtHand, Failed, back_to, somebody
from gateway.console.pages import views_of
from gateway.console.signed import Signed
from gateway.db.pool import DatabaseUnavailableError
from gateway.ledger.port import LedgerUnavailableError
from gateway.signin.register import Stage

MOUNTED_AT = "/console"
_KEPT_S = 24 * 3600  # of style and script; they change with a release


class _Number(IntegerConverter):
    """A number of ours in an address. A longer one is none: no bigint holds it."""

    regex = r"\d{1,18}"


@dataclass(frozen=True, slots=True)
class Cookies:
    """Args:
    key: signs the cookie.
    secure: it goes over https alone. The demo has no https.
    path: where they are sent to: where the console is mounted.
    """

    key: bytes
    secure: bool
    path: str


def create_console(
    at_hand: AtHand, cookies: Cookies, doors: tuple[Door, ...] = access.DOORS
) -> Flask:
    """The console, to be mounted at its cookies' path.

    Raises:
        UnlistedDoorError: a page is not in the table of who may do what, or the other way round.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=cookies.key,
        SESSION_COOKIE_NAME="chaski_console",
        SESSION_COOKIE_PATH=cookies.path,
        SESSION_COOKIE_SECURE=cookies.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session, whose end the database knows
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=BODY_BYTES_MAX,
        MAX_FORM_PARTS=FORM_FIELDS_MAX,
    )
    app.url_map.converters["int"] = _Number
    words.speak(app, at_hand.timezone)
    _sign_in_with(app, at_hand)
    open_doors = access.listed(doors, views_of(at_hand))
    _guard(app, open_doors)
    CSRFProtect(app)
    for name, (door, view) in open_doors.items():
        app.add_url_rule(door.path, name, view, methods=[door.method])
    _know_everywhere(app, at_hand, {name: door for name, (door, _) in open_doors.items()})
    _explain(app)
    _protect(app, hsts=cookies.secure)
    refuse_unlisted(app, doors)
    return app


def refuse_unlisted(app: Flask, doors: tuple[Door, ...]) -> None:
    """Whatever way a route came into the application.

    Raises:
        UnlistedDoorError: it is not in the table.
    """
    known = {(door.name, door.method, door.path) for door in doors}
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if (rule.endpoint, method, rule.rule) not in known:
                raise UnlistedDoorError(f"{method} {rule.rule} is in no table")


def _sign_in_with(app: Flask, at_hand: AtHand) -> None:
    """Flask-Login keeps a token of ours in the signed cookie; whose it is the database says."""
    manager = LoginManager(app)
    # Its own protection looks at the address and the browser's name: the first changes on the
    # road, the second is no secret.
    manager.session_protection = None

    def load(token: str) -> Signed | None:
        door = g.get("door")
        visitor = at_hand.register.visit(token, touch=not (door and door.by_itself))
        return Signed(visitor) if visitor else None

    manager.user_loader(load)


def _guard(app: Flask, doors: dict[str, tuple[Door, View]]) -> None:
    """Runs before every request, the CSRF check's too: what is in no table is not there."""

    @app.before_request
    def may_they() -> Response | None:
        if request.endpoint is None:
            return None  # 404 or 405, as routing found
        if "\0" in request.path:
            abort(404)  # PostgreSQL keeps no such letter
        door, _ = doors[request.endpoint]
        g.door = door
        if door.needs is Needs.NOTHING:
            return None
        if not current_user.is_authenticated:
            session.clear()
            if request.method == "GET":
                return redirect(url_for("signin.show"))
            raise Failed(401, words.say("Su sesión ha terminado. Entre otra vez."))
        visitor = somebody()
        g.language = visitor.language
        if visitor.stage is Stage.ENROLLING and door.needs is Needs.ALL:
            return redirect(url_for("enrol.show"))
        if visitor.role not in door.who:
            raise Failed(403, words.say("Su puesto no puede hacer esto."))
        return None


def _know_everywhere(app: Flask, at_hand: AtHand, doors: dict[str, Door]) -> None:
    def may(name: str) -> bool:
        """Whether who reads this page may open a door: what is not theirs is not shown."""
        return current_user.is_authenticated and current_user.visitor.role in doors[name].who

    @app.context_processor
    def known() -> dict[str, object]:
        signed_in = current_user.is_authenticated
        return {
            "visitor": current_user.visitor if signed_in else None,
            "may": may,
            "demo": at_hand.demo,
            "cooperative": at_hand.cooperative,
            "language": words.language(),
            "languages": words.LANGUAGES,
            "menu": access.MENU,
            "roles": access.ROLES,
            "token": _token_field,
        }


def _token_field() -> Markup:
    """The CSRF token of a form."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def _explain(app: Flask) -> None:
    """Errors as pages, in words that say what to do."""

    def page(status: int, what: str) -> tuple[str, int]:
        # Who is signed in may be just what cannot be said now.
        if "_login_user" not in g:
            g._login_user = AnonymousUserMixin()  # noqa: SLF001 - Flask-Login's own place for it
        return render_template("error.html", what=what, status=status), status

    @app.errorhandler(Failed)
    def failed(error: Failed) -> tuple[str, int]:
        return page(error.status, error.what)

    @app.errorhandler(CSRFError)
    def forged(_: CSRFError) -> tuple[str, int]:
        what = words.say("Esta página ya no vale. Vuelva atrás, cárguela otra vez y repita.")
        return page(400, what)

    @app.errorhandler(OfficeError)
    def refused(error: OfficeError) -> Response:
        flash(words.say(_REFUSED.get(error.code, access.N_("No se pudo hacer."))), "bad")
        return redirect(back_to(), 303)

    @app.errorhandler(DatabaseUnavailableError)
    def away(_: DatabaseUnavailableError) -> tuple[str, int]:
        return page(503, words.say("La base de datos no responde. Intente en un momento."))

    @app.errorhandler(LedgerUnavailableError)
    def core_away(_: LedgerUnavailableError) -> tuple[str, int]:
        return page(503, words.say("El sistema central no responde. Intente en un momento."))

    @app.errorhandler(HTTPException)
    def plainly(error: HTTPException) -> tuple[str, int]:
        return page(error.code or 500, words.say(_HTTP.get(error.code or 500, _NO_PAGE)))


_NO_PAGE = access.N_("No se pudo mostrar esta página.")
_HTTP = {
    404: access.N_("Esta página no existe."),
    405: access.N_("Esta página no existe."),
    413: access.N_("Se envió demasiado de una vez."),
}
_REFUSED = {
    "no_member": access.N_("Ese número no es de ningún socio."),
    "has_pin": access.N_("El socio tiene PIN o lo tuvo: pida un PIN nuevo, que aprueban dos."),
    "no_pin": access.N_("El socio nunca tuvo PIN: emita un código."),
    "not_a_dni": access.N_("El DNI tiene ocho dígitos."),
    "no_request": access.N_("Ese pedido no existe."),
    "decided": access.N_("Alguien ya lo decidió."),
    "same_person": access.N_("Quien lo pidió no lo aprueba: tiene que ser otra persona."),
    "asked_too_long_ago": access.N_("Se pidió hace demasiado: pídalo otra vez."),
}


def _protect(app: Flask, *, hsts: bool) -> None:
    """Nothing inline, nothing from elsewhere, nothing framed, nothing kept."""
    nobody = "'none'"
    policy = (
        ContentSecurityPolicy()
        .default_src(nobody)
        .style_src("'self'")
        .script_src("'self'")
        .img_src("'self'")
        .connect_src("'self'")
        .form_action("'self'")
        .frame_ancestors(nobody)
        .base_uri(nobody)
    )
    headers = Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        referrer=ReferrerPolicy().same_origin(),
        permissions=PermissionsPolicy().geolocation().microphone().camera(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
        hsts=StrictTransportSecurity().max_age(365 * 24 * 3600) if hsts else None,
    )
    never = Secure(cache=CacheControl().no_store())

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers.set_headers(response)
        if request.endpoint == "static":
            response.headers["Cache-Control"] = f"private, max-age={_KEPT_S}"
        else:
            never.set_headers(response)
        return response
