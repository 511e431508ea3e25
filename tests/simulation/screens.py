"""What a member reads on a screen or in an SMS, in Spanish or English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_AMOUNT = r"S/ (?P<amount>[\d,]+\.\d\d)"


class What(StrEnum):
    """What is said of an order."""

    DONE = "done"
    DENIED = "denied"  # it was not done, and will not be
    PENDING = "pending"
    OFFERED = "offered"  # it was left unfinished: so it was not done
    ASKED = "asked"  # it had been asked for before, and was not done once more


@dataclass(frozen=True, slots=True)
class Saying:
    """Something is said of an order of so many céntimos. `received`: of another member's order,
    whose money came in."""

    what: What
    amount: int
    reference: str = ""
    received: bool = False


class Kind(StrEnum):
    """What a screen asks for, or ends with."""

    HOME = "home"
    RESUME = "resume"
    SOURCE = "source"
    PAYEE = "payee"
    AMOUNT = "amount"
    CONFIRM = "confirm"
    AGAIN = "again"
    LOAN = "loan"
    DONE = "done"
    PENDING = "pending"
    LOCKED = "locked"
    REFUSED = "refused"
    SORRY = "sorry"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reading:
    """A screen as a member understands it.

    `sayings` are what it says of orders; `refused`, that the bank said no to what was asked for
    just now; `wrong_pin`, that the PIN was wrong. `amount` (céntimos) and `whom` are those of the
    order that it names; `more`, that it has another page.
    """

    kind: Kind
    sayings: tuple[Saying, ...]
    refused: bool
    wrong_pin: bool
    amount: int | None
    whom: str
    more: bool


# In this order: of a screen with a line of two kinds the first one counts.
_KINDS = (
    (Kind.CONFIRM, r"Marca tu PIN:|Enter your PIN:"),
    (Kind.RESUME, r"^1\. (?:Seguir|Go on):"),
    (Kind.AGAIN, r"¿Otra vez\?|Again\?"),
    (Kind.LOAN, r"^2\. (?:Pagar otro monto|Pay another amount)"),
    (Kind.HOME, r"^2\. (?:Enviar dinero|Send money)"),
    (Kind.SOURCE, r"¿De que cuenta|(?:From|Send from|Pay from) which account"),
    (Kind.PAYEE, r"¿A quien\?|To whom\?"),
    (Kind.AMOUNT, r"¿Cuanto .*Ejemplo|How much .*Example|Marca el monto|Enter the amount"),
    (Kind.DONE, r"^(?:Listo|Done): "),
    (Kind.PENDING, r"^(?:En proceso\.|In process\.)"),
    (Kind.LOCKED, r"[Tt]u PIN quedo bloqueado|[Yy]our PIN is (?:locked|blocked)"),
)
_REFUSALS = re.compile(
    r"No alcanza|Not enough|Pasa tu limite|Over your limit|no puede recibir|cannot receive"
    r"|Es mas de lo que debes|more than you owe|No se puede pagar|cannot be paid"
    r"|No se pudo hacer|could not be done|^NO se hizo\.|^It was NOT done\."
    r"|El monto cambio|The amount changed|No pudimos consultar|could not look it up",
    re.M,
)
_WRONG_PIN = re.compile(r"PIN equivocado|Wrong PIN")
_SORRY = re.compile(
    r"Estamos con problemas|No pudimos confirmar|Se corto la sesion|Seguimos con tu pedido"
    r"|Espera un momento|We have problems|We could not confirm|session was cut"
    r"|still working|Wait a moment"
)
_MORE = re.compile(r"^9 (?:Mas|More)", re.M)
_NAMED = re.compile(
    rf"(?:Enviar|enviar|Send|send|Pagar|pagar|Pay|pay) {_AMOUNT} (?:a|to|de|of) (?P<whom>[^\n]+)"
)
_SAYINGS = (
    (
        What.DONE,
        rf"(?:Listo: enviaste|Done: you sent) {_AMOUNT}[^\n]*\nOp\. (?P<reference>[0-9A-Z]+)",
    ),
    (What.DONE, rf"(?:Listo: pagaste|Done: you paid) {_AMOUNT}\..*? Op\. (?P<reference>[0-9A-Z]+)"),
    (
        What.DONE,
        (
            rf"(?:pedido de|order (?:of|to)) [^\n]*?{_AMOUNT}[^\n]*? (?:SI se hizo|WAS done)\."
            r" Op\. (?P<reference>[0-9A-Z]+)"
        ),
    ),
    (
        What.DONE,
        rf"(?:Enviaste|Pagaste|You sent|You paid) {_AMOUNT} [^\n]*?op\. (?P<reference>[0-9A-Z]+)",
    ),
    (
        What.DENIED,
        rf"(?:pedido de|order (?:of|to)) [^\n]*?{_AMOUNT}[^\n]*? ?(?:NO se hizo|was NOT done)",
    ),
    (What.PENDING, rf"(?:En proceso|In process),[^\n:]*: [^\n]*?{_AMOUNT}"),
    (What.ASKED, rf"(?:Ya lo pediste|You had asked)\. [^\n]*?: [^\n]*?{_AMOUNT}"),
    (What.OFFERED, rf"^1\. (?:Seguir|Go on): [^\n]*?{_AMOUNT}"),
)
_RECEIVED = re.compile(
    rf"(?:Recibiste|You received) {_AMOUNT} [^\n]*?op\. (?P<reference>[0-9A-Z]+)"
)

_KIND_PATTERNS = tuple((kind, re.compile(pattern, re.M)) for kind, pattern in _KINDS)
_SAYING_PATTERNS = tuple((what, re.compile(pattern, re.M)) for what, pattern in _SAYINGS)


def is_cut(text: str) -> bool:
    """Whether a screen says that the session cannot go on."""
    return "Se corto la sesion" in text or "session was cut" in text


def read(text: str) -> Reading:
    """A screen, or an SMS."""
    kinds = (kind for kind, pattern in _KIND_PATTERNS if pattern.search(text))
    refused = _REFUSALS.search(text) is not None
    sorry = Kind.SORRY if _SORRY.search(text) else Kind.OTHER
    named = _NAMED.search(text)
    return Reading(
        kind=next(kinds, Kind.REFUSED if refused else sorry),
        sayings=tuple(_sayings(text)),
        refused=refused,
        wrong_pin=_WRONG_PIN.search(text) is not None,
        amount=_centimos(named) if named else None,
        whom=named["whom"] if named else "",
        more=_MORE.search(text) is not None,
    )


def _sayings(text: str) -> Iterator[Saying]:
    for what, pattern in _SAYING_PATTERNS:
        for found in pattern.finditer(text):
            yield Saying(what, _centimos(found), found.groupdict().get("reference", ""))
    for found in _RECEIVED.finditer(text):
        yield Saying(What.DONE, _centimos(found), found["reference"], received=True)


def _centimos(found: re.Match[str]) -> int:
    soles, centimos = found["amount"].replace(",", "").split(".")
    return int(soles) * 100 + int(centimos)
