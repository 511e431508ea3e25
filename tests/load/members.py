"""The members who text: registered once, each with a phone of their own, and the texts they send to
the real webhook."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import psycopg
import requests

from gateway.settings import DEMO_WEBHOOK_SECRET

TEXTS = ("SALDO", "saldo.", "MOVIMIENTOS", "AYUDA", "SLDO")
TWICE = 0.1  # of the texts come again, at the same time: a provider that was not answered in time
AT_ONCE = 8
ANSWERED_MAX_S = 10

_MEMBERS = """
    with those as (select 'load-' || n as ref, '+5198' || (7100000 + n) as msisdn
                   from generate_series(0, %s - 1) as n),
         known as (select bank.register_member(ref, msisdn, 'Socia', 'Socia L.', 'es') from those)
    select count(*) from known
"""
_PINS = """
    insert into bank.pin_credential (member_ref, hash, pepper_version)
    select 'load-' || n, 'nobody knows it', 1 from generate_series(0, %s - 1) as n
"""


def register(owner: psycopg.Connection[Any], members: int) -> None:
    """So many members who may text and whose PIN nobody knows: nothing here asks for it."""
    owner.execute(_MEMBERS, (members,))
    owner.execute(_PINS, (members,))


def msisdn(number: int) -> str:
    """The phone of member `number`."""
    return f"+5198{7_100_000 + number}"


class Phones:
    """Texts to the gateway, each from another phone, some of them twice at once.

    Args:
        url: of the gateway.
        seed: which ones come twice.
    """

    def __init__(self, url: str, seed: int) -> None:
        self._webhook = f"{url}/sms/africastalking/{DEMO_WEBHOOK_SECRET}"
        self._chance = random.Random(seed)  # noqa: S311 - which ones come twice
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._sessions = threading.local()
        self._lock = threading.Lock()
        self.twice = 0
        self.refused = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True)

    def text(self, numbers: range) -> None:
        """A text of each of these members, from now on as fast as the gateway takes them."""
        for number in numbers:
            for delivery in self._deliveries(number):
                self._pool.submit(self._post, delivery)

    def _deliveries(self, number: int) -> Iterator[dict[str, str]]:
        form = {
            "id": f"load-{number}",
            "from": msisdn(number),
            "to": "775",
            "text": TEXTS[number % len(TEXTS)],
        }
        yield form
        if self._chance.random() < TWICE:
            self.twice += 1
            yield form

    def _post(self, form: dict[str, str]) -> None:
        """As a provider: what is not answered 200 comes again."""
        while not self._taken(form):
            with self._lock:
                self.refused += 1

    def _taken(self, form: dict[str, str]) -> bool:
        session = self._sessions.__dict__.setdefault("session", requests.Session())
        try:
            answer = session.post(self._webhook, data=form, timeout=ANSWERED_MAX_S)
        except requests.RequestException:
            return False
        return bool(answer.status_code == requests.codes.ok)
