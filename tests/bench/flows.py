"""What phones dial: a session's hops as request bodies, each with what its screen must hold."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

PIN = "4826"
MEMBERS_WITH_A_SLOW_PIN = 500  # their hashes are what production makes; they take 25 ms each


@dataclass(frozen=True, slots=True)
class Hop:
    """One request: its body, and a part of the right answer."""

    body: bytes
    marker: bytes


Session = tuple[Hop, ...]
# The session of a number: no two numbers give the same one.
Flow = Callable[[int], Session]


def msisdn(member: int) -> str:
    """A member's phone."""
    return f"+5198{member:07d}"


def menus_and_balance(members: int) -> Flow:
    """Five hops: home, more, languages, home again, the balance."""
    run = _fresh()
    steps = (
        ("", b"1. Saldo"),
        ("5", b"1. Idioma"),
        ("5*1", b"1. Espa"),
        ("5*1*00", b"1. Saldo"),
        ("5*1*00*1", b"Ahorro: S/ "),
    )
    return lambda number: _session(run, number, 1 + number % members, steps)


def dials(members: int) -> Flow:
    """One hop: the dial, and the phone is put away."""
    run = _fresh()
    return lambda number: _session(run, number, 1 + number % members, (("", b"1. Saldo"),))


def transfers(first: int, count: int, members: int) -> Flow:
    """Five hops that send money; the senders are `count` members from `first` on, each in turn, and
    each time to somebody else: nobody is asked whether they meant it twice. Each flow has other
    payees.
    """
    run = _fresh()
    shift = zlib.crc32(run.encode())

    def flow(number: int) -> Session:
        turn, place = divmod(number, count)
        payee = 1 + (first + place + 7_919 * turn + shift) % members
        if payee == first + place:
            payee = payee % members + 1
        to = msisdn(payee).removeprefix("+51")
        amount = f"1.{(turn + shift) % 90 + 10}"
        steps = (
            ("", b"2. Enviar"),
            ("2", b"quien?"),
            (f"2*{to}", b"Cuanto"),
            (f"2*{to}*{amount}", b"PIN"),
            (f"2*{to}*{amount}*{PIN}", b"Listo"),
        )
        return _session(run, number, first + place, steps)

    return flow


def _fresh() -> str:
    """A name that no other flow has: a session that was seen before is a repeat."""
    return uuid.uuid4().hex[:12]


def _session(run: str, number: int, member: int, steps: Sequence[tuple[str, bytes]]) -> Session:
    start = f"sessionId={run}-{number}&serviceCode=%2A775%23&phoneNumber={quote(msisdn(member))}"
    return tuple(
        Hop(f"{start}&networkCode=99999&text={quote(text)}".encode(), marker)
        for text, marker in steps
    )
