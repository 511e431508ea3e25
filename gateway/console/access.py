"""Every door of the console and who may open it: one table.

The pages, the page of who may do what and the tests are made of it. What is not in it is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from werkzeug.wrappers import Response

from gateway.signin.register import Role

View = Callable[..., str | Response]
Views = Mapping[str, View]


def N_(words: str) -> str:  # noqa: N802 - gettext's own name: a text to translate, elsewhere
    """Mark a text for the catalogue: it is translated where it is shown."""
    return words


class Needs(Enum):
    """How far somebody must be signed in."""

    NOTHING = "nothing"
    ENROLLING = "enrolling"  # with the first password, and no further
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Door:
    """One way in.

    Args:
        name: of the page or deed; what templates link to.
        method: GET looks, POST does.
        path: below /console.
        who: the roles that may.
        says: what one may do there, in Spanish.
        needs: how far they must be signed in.
        by_itself: the page loads itself anew: that somebody is there it does not say.
    """

    name: str
    method: str
    path: str
    who: frozenset[Role]
    says: str
    needs: Needs = Needs.ALL
    by_itself: bool = False


EVERYBODY = frozenset(Role)
SUPPORT = frozenset({Role.SUPPORT, Role.SUPERVISOR})
SUPERVISORS = frozenset({Role.SUPERVISOR})
READERS = frozenset({Role.SUPPORT, Role.SUPERVISOR, Role.AUDITOR})
AUDITORS = frozenset({Role.AUDITOR, Role.SUPERVISOR})
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

DOORS: tuple[Door, ...] = (
    Door(
        "static", "GET", "/static/<path:filename>", EVERYBODY, N_("Letras y colores"), Needs.NOTHING
    ),
    Door("signin.show", "GET", "/entrar", EVERYBODY, N_("Ver la entrada"), Needs.NOTHING),
    Door("signin.enter", "POST", "/entrar", EVERYBODY, N_("Entrar"), Needs.NOTHING),
    Door("signin.leave", "POST", "/salir", EVERYBODY, N_("Salir"), Needs.ENROLLING),
    Door("signin.language", "POST", "/idioma", EVERYBODY, N_("Elegir idioma"), Needs.ENROLLING),
    Door("enrol.show", "GET", "/alta", EVERYBODY, N_("Ver su alta"), Needs.ENROLLING),
    Door("enrol.finish", "POST", "/alta", EVERYBODY, N_("Darse de alta"), Needs.ENROLLING),
    Door("password.show", "GET", "/clave", EVERYBODY, N_("Ver su clave")),
    Door("password.change", "POST", "/clave", EVERYBODY, N_("Cambiar su clave")),
    Door("home", "GET", "/", EVERYBODY, N_("Ver el inicio")),
    # Members.
    Door("members.find", "GET", "/socios", READERS, N_("Buscar un socio")),
    Door("members.found", "POST", "/socios", READERS, N_("Ver los socios encontrados")),
    Door("members.show", "GET", "/socios/<ref>", READERS, N_("Ver un socio")),
    Door(
        *("members.screens", "GET", "/socios/<ref>/pantallas", READERS),
        N_("Ver qué pantallas vio un socio"),
    ),
    Door("members.invite", "POST", "/socios/<ref>/codigo", SUPPORT, N_("Emitir un código")),
    Door("members.reset", "POST", "/socios/<ref>/pin", SUPPORT, N_("Pedir un PIN nuevo")),
    Door("members.unlock", "POST", "/socios/<ref>/desbloqueo", SUPPORT, N_("Desbloquear un PIN")),
    Door("members.freeze", "POST", "/socios/<ref>/cierre", SUPPORT, N_("Cerrar un acceso")),
    Door("members.unfreeze", "POST", "/socios/<ref>/apertura", SUPERVISORS, N_("Abrir un acceso")),
    Door("members.trust", "POST", "/socios/<ref>/confianza", SUPERVISORS, N_("Quitar cautelas")),
    Door("members.move", "POST", "/socios/<ref>/numero", SUPERVISORS, N_("Cambiar un número")),
    Door("members.release", "POST", "/socios/<ref>/baja", SUPERVISORS, N_("Dar de baja un número")),
    # What takes two.
    Door("waiting.list", "GET", "/pendientes", READERS, N_("Ver lo que espera a otra persona")),
    Door("waiting.approve", "POST", "/pendientes/<int:number>/si", SUPERVISORS, N_("Aprobar")),
    Door("waiting.decline", "POST", "/pendientes/<int:number>/no", SUPERVISORS, N_("Rechazar")),
    Door("waiting.limit", "POST", "/limites/<int:number>/si", SUPERVISORS, N_("Aprobar un límite")),
    # Orders.
    Door("orders.search", "GET", "/ordenes", READERS, N_("Buscar órdenes")),
    Door("orders.show", "GET", "/ordenes/<uuid:key>", READERS, N_("Ver una orden")),
    Door("orders.retry", "POST", "/ordenes/reintento", SUPERVISORS, N_("Reintentar las abiertas")),
    Door("orders.reverse", "POST", "/ordenes/<uuid:key>/reverso", SUPPORT, N_("Pedir un reverso")),
    # Claims and calls.
    Door("claims.list", "GET", "/reclamos", READERS, N_("Ver reclamos")),
    Door("claims.hold", "POST", "/reclamos/<int:number>/retener", SUPERVISORS, N_("Retener")),
    Door("claims.release", "POST", "/reclamos/<int:number>/soltar", SUPERVISORS, N_("Soltar")),
    Door("claims.settle", "POST", "/reclamos/<int:number>/fin", SUPERVISORS, N_("Resolver")),
    Door("calls.list", "GET", "/llamadas", READERS, N_("Ver a quién llamar")),
    Door("calls.done", "POST", "/llamadas/<int:number>/hecha", SUPPORT, N_("Anotar una llamada")),
    # Messages.
    Door("messages.dead", "GET", "/mensajes", READERS, N_("Ver mensajes sin enviar")),
    Door("messages.requeue", "POST", "/mensajes", SUPERVISORS, N_("Enviar mensajes otra vez")),
    Door("messages.show", "GET", "/mensajes/<int:number>", READERS, N_("Ver un mensaje")),
    # The house.
    Door("live.show", "GET", "/ahora", EVERYBODY, N_("Ver cómo está ahora"), by_itself=True),
    Door("trail.list", "GET", "/rastro", AUDITORS, N_("Leer el rastro")),
    Door("trail.seals", "GET", "/sellos", AUDITORS, N_("Ver los sellos")),
    Door("people.list", "GET", "/personal", ADMINISTRATORS, N_("Ver el personal")),
    Door("people.add", "POST", "/personal", ADMINISTRATORS, N_("Agregar a alguien")),
    Door("people.role", "POST", "/personal/<login>/puesto", ADMINISTRATORS, N_("Dar otro puesto")),
    Door("people.reset", "POST", "/personal/<login>/clave", ADMINISTRATORS, N_("Dar clave nueva")),
    Door("people.disable", "POST", "/personal/<login>/baja", ADMINISTRATORS, N_("Dar de baja")),
    Door(
        "people.approve",
        "POST",
        "/personal/pedido/<int:number>/si",
        ADMINISTRATORS,
        N_("Aprobar un pedido de personal"),
    ),
    Door(
        "people.decline",
        "POST",
        "/personal/pedido/<int:number>/no",
        ADMINISTRATORS,
        N_("Rechazar un pedido de personal"),
    ),
    Door("access.show", "GET", "/permisos", EVERYBODY, N_("Ver quién puede qué")),
    Door("programme.show", "GET", "/programa", EVERYBODY, N_("Ver a quién llega el programa")),
    Door("programme.use", "GET", "/programa/uso", EVERYBODY, N_("Ver cómo se usa")),
    Door("programme.cost", "GET", "/programa/costo", EVERYBODY, N_("Ver qué cuesta y qué ahorra")),
    Door(
        *("programme.csv", "GET", "/programa/<name>.csv", EVERYBODY),
        N_("Bajar las cifras del programa"),
    ),
    Door(
        *("programme.set_target", "POST", "/programa/metas", ADMINISTRATORS),
        N_("Poner una meta del programa"),
    ),
    Door(
        *("programme.drop_target", "POST", "/programa/metas/quitar", ADMINISTRATORS),
        N_("Quitar una meta del programa"),
    ),
)


# The pages that the menu leads to, in its order.
MENU = (
    ("home", N_("Inicio")),
    ("programme.show", N_("Programa")),
    ("members.find", N_("Socios")),
    ("waiting.list", N_("Pendientes")),
    ("orders.search", N_("Órdenes")),
    ("claims.list", N_("Reclamos")),
    ("calls.list", N_("Llamadas")),
    ("messages.dead", N_("Mensajes")),
    ("live.show", N_("Ahora")),
    ("trail.list", N_("Rastro")),
    ("people.list", N_("Personal")),
    ("access.show", N_("Quién puede qué")),
)

ROLES = {
    Role.SUPPORT: N_("atención"),
    Role.SUPERVISOR: N_("supervisión"),
    Role.AUDITOR: N_("auditoría"),
    Role.ADMINISTRATOR: N_("administración"),
}


class UnlistedDoorError(Exception):
    """A page and the table do not say the same: the console does not start."""


def listed(doors: tuple[Door, ...], views: Views) -> dict[str, tuple[Door, View]]:
    """Each door with what is behind it.

    Raises:
        UnlistedDoorError: a page without a door, a door without a page, or two of one name.
    """
    by_name = {door.name: door for door in doors}
    if len(by_name) != len(doors):
        raise UnlistedDoorError("two doors have one name")
    if strays := views.keys() ^ by_name.keys():
        raise UnlistedDoorError(f"in the table or among the pages alone: {sorted(strays)}")
    return {name: (door, views[name]) for name, door in by_name.items()}
