"""A plain USSD menu, as good ones usually are, to measure Chaski against.

It shows the same screens in the same order, asks for as many answers and sends the same receipt by
SMS. What it lacks is what the measure is about: a redial finds the home menu and nothing else,
nobody is told what became of an order whose answer was lost, every PIN that arrives is an order,
and what is dialled behind the short code is dropped. It finds its place in the cumulative text, so
a request that is repeated before the PIN does no harm.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.values.money import Money

_HOME = """Hola {name}
1. Saldo
2. Enviar dinero
3. Credito
4. Movimientos
5. Idioma / Language
0 Salir"""
_FOOT = "0 Volver  00 Inicio"
_SEND = "2"


@dataclass(frozen=True, slots=True)
class Customer:
    """Who may dial. `msisdn` is E.164; `short_name` is what others see."""

    msisdn: str
    first_name: str
    short_name: str
    pin: str = field(repr=False)


class PlainMenu:
    """One plain menu with its books in memory.

    Args:
        customers: by their nine digits, as members type them.
        receipt: sends an SMS, given an E.164 number and a text.
    """

    def __init__(
        self, customers: Mapping[str, Customer], receipt: Callable[[str, str], None]
    ) -> None:
        self._customers = customers
        self._by_msisdn = {customer.msisdn: customer for customer in customers.values()}
        self._receipt = receipt
        self._sessions: dict[str, tuple[str, str]] = {}  # a phone's session, and how it began
        self._orders = 0
        # By the sender's number: how often each payee was sent each sum, in céntimos.
        self.postings: defaultdict[str, Counter[tuple[str, int]]] = defaultdict(Counter)

    def hop(self, form: Mapping[str, str]) -> str:
        """One callback of Africa's Talking: its form in, `CON …` or `END …` out."""
        caller = self._by_msisdn.get(form["phoneNumber"])
        if caller is None:
            return "END Este numero no esta registrado."
        session, text = form["sessionId"], form["text"]
        if self._sessions.get(caller.msisdn, ("", ""))[0] != session:
            self._sessions[caller.msisdn] = session, text
        begun_with = self._sessions[caller.msisdn][1]
        answers = text.removeprefix(begun_with).removeprefix("*")
        return self._screen(caller, answers.split("*") if answers else [])

    def sent_centimos(self, msisdn: str) -> int:
        """All that ever left this number's account."""
        return sum(centimos * times for (_, centimos), times in self.postings[msisdn].items())

    def _screen(self, caller: Customer, answers: list[str]) -> str:
        match answers:
            case []:
                return f"CON {_HOME.format(name=caller.first_name)}"
            case [choice, *_] if choice != _SEND:
                return "END Marca un numero de la lista."
            case [_]:
                return f"CON ¿A quien? Marca su celular:\n{_FOOT}"
            case [_, phone, *order]:
                payee = self._customers.get(phone)
                if payee is None or payee == caller:
                    return "END No es de un socio. Revisa el numero."
                return self._order(caller, payee, order)
        return "END Marca de nuevo, por favor."

    def _order(self, caller: Customer, payee: Customer, answers: list[str]) -> str:
        match answers:
            case []:
                return f"CON ¿Cuanto a {payee.short_name}? Ejemplo: 50 o 50.50\n{_FOOT}"
            case [soles, *_] if not (soles.isascii() and soles.isdigit() and int(soles)):
                return "END Marca el monto en numeros, como 50."
            case [soles]:
                said = f"Enviar {Money(int(soles) * 100)} a {payee.short_name}"
                return f"CON {said}\nSin costo\nMarca tu PIN:\n{_FOOT}"
            case [soles, pin]:
                return self._post(caller, payee, Money(int(soles) * 100), pin)
        return "END Marca de nuevo, por favor."

    def _post(self, caller: Customer, payee: Customer, amount: Money, pin: str) -> str:
        if pin != caller.pin:
            return "END PIN equivocado."
        self._orders += 1
        self.postings[caller.msisdn][payee.msisdn, amount.centimos] += 1
        done = f"{amount} a {payee.short_name}"
        self._receipt(caller.msisdn, f"Enviaste {done}, op. {self._orders}.")
        return f"END Listo: enviaste {done}\nOp. {self._orders}"
