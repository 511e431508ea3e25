"""A person who reads a screen: what it tells, and what to press next. Pure.

Screens are read by the words that the cooperative promises to keep, not by their whole text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.chaos.orders import Intent, What

_AMOUNT = r"S/ (?P<amount>[\d,]+\.\d\d)"
_TELLINGS = (
    (What.SENT, rf"Listo: (?:enviaste|pagaste) {_AMOUNT}.*?Op\. (?P<reference>[0-9A-Z]+)"),
    (
        What.SENT,
        rf"Tu pedido de [^\n]*?{_AMOUNT}[^\n]*? SI se hizo\. Op\. (?P<reference>[0-9A-Z]+)",
    ),
    (What.SENT, rf"^(?:Enviaste|Pagaste) {_AMOUNT}.*?op\. (?P<reference>[0-9A-Z]+)"),
    (What.NOT_DONE, rf"Tu pedido de [^\n]*?{_AMOUNT}[^\n]*? NO se hizo"),
    (What.UNDER_WAY, rf"En proceso, [^\n:]*: [^\n]*?{_AMOUNT}"),
    (What.SENT_BEFORE, rf"Hace poco pediste (?:enviar|pagar) {_AMOUNT}.*?¿Otra vez\?"),
    (What.NOT_AGAIN, rf"No se hizo otra vez: [^\n]*?{_AMOUNT}"),
    (What.UNFINISHED, rf"^1\. Seguir: [^\n]*?{_AMOUNT}"),
)
_PATTERNS = tuple((what, re.compile(text, re.DOTALL | re.MULTILINE)) for what, text in _TELLINGS)

# An order that was judged and refused. Without an amount: it is the one that was just authorised.
_REFUSALS = ("No alcanza", "Pasa tu limite", "No se pudo hacer", "NO se hizo. ", "no puede recibir")

# Nothing is known: dial again. `No pudimos confirmar` is the one that may stand for money that
# moved.
APOLOGIES = (
    "Estamos con problemas",
    "No pudimos confirmar",
    "No pudimos consultar",
    "Se corto la sesion",
    "Seguimos con tu pedido",
    "Espera un momento",
)


@dataclass(frozen=True, slots=True)
class Screen:
    """What a phone shows. `ends`: the session is over."""

    text: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a text tells about the reader's order of this amount."""

    what: What
    centimos: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """Go on with these keys."""

    keys: str


@dataclass(frozen=True, slots=True)
class Authorise:
    """Type the PIN: the screen shows this very order."""


@dataclass(frozen=True, slots=True)
class Agree:
    """`¿Otra vez?`: this is the order that the plan wants twice, perhaps."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The bank said no."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An SMS will say what becomes of it."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Too many PINs were wrong, says the bank."""


@dataclass(frozen=True, slots=True)
class Disbelieved:
    """The PIN was wrong, says the bank."""


@dataclass(frozen=True, slots=True)
class Apology:
    """Dial again in a moment."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A last screen that told all there is."""


@dataclass(frozen=True, slots=True)
class Lost:
    """No idea what this screen wants."""


Move = (
    Press | Authorise | Agree | Refused | Pending | Locked | Disbelieved | Apology | Finished | Lost
)


def tellings(text: str) -> list[Told]:
    """Every order that a screen or an SMS tells about."""
    return [
        Told(what, _centimos(found["amount"]), found.groupdict().get("reference") or "")
        for what, pattern in _PATTERNS
        for found in pattern.finditer(text)
    ]


def move(screen: Screen, intent: Intent) -> Move:
    """What a person who means `intent` does at this screen. What it tells is another matter."""
    return _at_the_end(screen.text) if screen.ends else _on_the_way(screen.text, intent)


def _at_the_end(text: str) -> Move:
    if any(apology in text for apology in APOLOGIES):
        return Apology()
    if "PIN quedo bloqueado" in text:
        return Locked()
    if "En proceso" in text:
        return Pending()
    if "Listo:" in text or "Gracias" in text:
        return Finished()
    return Refused() if any(refusal in text for refusal in _REFUSALS) else Lost()


def _on_the_way(text: str, intent: Intent) -> Move:
    """Refusals first: below them the question is asked again."""
    judged: tuple[tuple[str, Move], ...] = (
        ("¿Otra vez?", Agree()),
        ("PIN equivocado", Disbelieved()),
        *((refusal, Refused()) for refusal in _REFUSALS),
        ("No pudimos consultar", Apology()),
        ("Marca tu PIN", Authorise() if shows(text, intent) else Press("00")),
        ("1. Seguir", Press("1" if shows(text, intent) else "2")),
    )
    for words, then in judged:
        if words in text:
            return then
    return _answer(text, intent)


def _answer(text: str, intent: Intent) -> Move:
    order = intent.order
    answers = (
        ("¿A quien?", order.payee.dialled if order.payee else "00"),
        ("1. Pagar cuota", "00" if order.payee else "2"),
        ("¿Cuanto", order.typed),
        ("1. Saldo", "2" if order.payee else "3"),
        ("9 Mas", "9"),
    )
    for words, keys in answers:
        if words in text:
            return Press(keys)
    return Lost()


def shows(text: str, intent: Intent) -> bool:
    """Whether a screen that confirms, or offers to go on, is about this order."""
    order = intent.order
    if str(order.amount) not in text:
        return False
    if order.payee is None:
        return "Pagar" in text or "pagar" in text
    return order.payee.short_name in text


def _centimos(amount: str) -> int:
    return int(amount.replace(",", "").replace(".", ""))
