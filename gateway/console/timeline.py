"""What happened with a member, in words that staff read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.console.access import N_

Told = Mapping[str, str]

DEEDS: Told = {
    "call.asked": N_("Pidió que lo llamen"),
    "call.done": N_("Se le llamó"),
    "caution.begun": N_("Empezó una cautela"),
    "caution.lifted": N_("Se quitó una cautela"),
    "claim.held": N_("Se retuvo dinero por un reclamo"),
    "claim.opened": N_("Abrió un reclamo"),
    "claim.released": N_("Se soltó lo retenido"),
    "claim.resolved": N_("Se resolvió un reclamo"),
    "code.issued": N_("Se emitió un código"),
    "consent.given": N_("Dio un consentimiento"),
    "consent.withdrawn": N_("Retiró un consentimiento"),
    "member.erased": N_("Se borraron sus datos"),
    "member.exported": N_("Se le entregaron sus datos"),
    "member.frozen": N_("Se cerró su acceso"),
    "member.registered": N_("Se registró"),
    "member.unfrozen": N_("Se abrió su acceso"),
    "member.viewed": N_("Se miró su página"),
    "number.given": N_("Se le dio un número"),
    "number.moved": N_("Cambió de número"),
    "number.released": N_("Se dio de baja su número"),
    "order.reversal_refused": N_("No se pudo dar un reverso"),
    "order.reversed": N_("Se dio un reverso"),
    "order.viewed": N_("Se miró una orden"),
    "pin.blocked": N_("Su PIN quedó bloqueado"),
    "pin.changed": N_("Cambió su PIN"),
    "pin.locked": N_("Su PIN quedó bloqueado 15 minutos"),
    "pin.reset": N_("Puso un PIN nuevo"),
    "pin.revoked": N_("Su PIN anterior terminó"),
    "pin.set": N_("Puso su primer PIN"),
    "pin.typed": N_("Marcó su PIN"),
    "pin.unlocked": N_("Se desbloqueó su PIN"),
    "request.approved": N_("Se aprobó un pedido"),
    "request.asked": N_("Se pidió lo que aprueban dos"),
    "request.refused": N_("Se rechazó un pedido"),
    "screens.viewed": N_("Se miraron sus pantallas"),
}
ORDERS: Told = {
    "transfers.send": N_("Envío"),
    "loans.pay": N_("Pago de crédito"),
}
STATES: Told = {
    "accepted": N_("en camino"),
    "unknown": N_("sin respuesta del sistema central"),
    "posted": N_("hecha"),
    "refused": N_("rechazada"),
    "closed": N_("cerrada sin mover dinero"),
    "waiting": N_("por enviar"),
    "sending": N_("enviándose"),
    "sent": N_("enviado"),
    "quiet": N_("no se envía"),
    "dead": N_("no se pudo enviar"),
    "delivered": N_("entregado"),
    "failed": N_("no entregado"),
    "right": N_("correcto"),
    "wrong": N_("incorrecto"),
}
FACTS: Told = {
    "claim_opened": N_("reclamo abierto"),
    "loan_paid": N_("crédito pagado"),
    "order_refused": N_("orden rechazada"),
    "order_reversed": N_("orden deshecha"),
    "pin_activated": N_("PIN puesto"),
    "pin_changed": N_("PIN cambiado"),
    "sim_changed": N_("chip cambiado"),
    "transfer_own": N_("envío entre cuentas propias"),
    "transfer_received": N_("envío recibido"),
    "transfer_sent": N_("envío hecho"),
    "transfer_taken_back": N_("envío deshecho"),
}
CAUTIONS: Told = {
    "pin_changed": N_("PIN nuevo"),
    "sim_changed": N_("chip cambiado"),
    "sim_unknown": N_("chip sin confirmar"),
    "number_changed": N_("número nuevo"),
    "frozen": N_("acceso cerrado"),
}
LEVELS: Told = {
    "careful": N_("límites bajos"),
    "look_only": N_("solo mira"),
}
PURPOSES: Told = {
    "banking": N_("usar el servicio"),
    "reading": N_("leer saldos por SMS"),
    "reminders": N_("recibir avisos de pago"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline. `what` and `became` are to be translated."""

    at: str
    kind: str
    what: str
    became: str
    who: str
    about: Mapping[str, Any]


_WORDS: Mapping[str, Told] = {"deed": DEEDS, "pin": DEEDS, "order": ORDERS, "sms": FACTS}


def told(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """The rows of `console.timeline` in words; what has none stays as it is."""
    return [
        Line(
            at=row["at"],
            kind=row["kind"],
            what=_WORDS[row["kind"]].get(row["what"], row["what"]),
            became=_became(row),
            who=row["who"],
            about=row["about"],
        )
        for row in rows
    ]


def _became(row: Mapping[str, Any]) -> str:
    """Of a message what its provider said last, where it said anything."""
    word = row["about"].get("report") or row["became"]
    return STATES.get(word, word)
