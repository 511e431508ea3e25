"""How many dialogues a second go through one bind, one process and one core, and where the time
goes: `scripts/bench-smpp [--rate 500] [--seconds 10] [--real]`.

The gateway's process has a core of its own; the network that calls, PostgreSQL and Valkey share the
others. A dialogue is five hops: a balance that is looked at twice. Without --real the gateway
answers at once, so that what is measured is the line alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
from prometheus_client import CollectorRegistry

from gateway import bootstrap
from gateway.bank.hashing import CHEAPEST_FOR_TESTS, PepperedArgon2
from gateway.bootstrap import Parts
from gateway.channels.doors import Counter
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Bound, Framer, Message, Pdu, Taken, decode, encode
from gateway.channels.smpp.service import Service
from gateway.db.migrations import migrate
from gateway.demo.seed import seed
from gateway.demo.variables import demo_variables
from gateway.embedded import Embedded, Endpoints
from gateway.ledger.postgres.office import LedgerOffice
from gateway.observing import Metrics, configure_logging
from gateway.settings import DEMO_PEPPER, load
from gateway.values.money import Money
from gateway.values.pin import Pin
from gateway.values.turn import Reply, Turn
from tests.channels.smpp.desk import Desk, dialect, line_to
from tests.channels.smpp.handset import Handset
from tests.cooperative import TODAY

MEMBERS = 3_000  # so that nobody is in two dialogues at once
KEYS = ("1", "00", "1", "4826")
HOPS = 1 + len(KEYS)
WINDOW = 100
THREADS = 16
DRAIN_S = 5.0
_PEPPERS = {1: bytes.fromhex(DEMO_PEPPER)}


def say(line: str) -> None:
    """For the person at the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Quick(Desk):
    """Answers at once, with a screen as long as most; it remembers nothing."""

    def take(self, turn: Turn) -> Reply:
        ends = turn.said.answer.text == KEYS[-1]  # type: ignore[union-attr]
        return Reply("Hola Rosa\n1. Saldo\n2. Enviar dinero\n3. Credito", ends, "home", "ok")


def _on_core(which: Callable[[set[int]], int]) -> None:
    """Give this process one core; where the system cannot, nothing."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {which(os.sched_getaffinity(0))})


# The gateway's process.


def gateway_process(port: int, environment: dict[str, str] | None, control: Connection) -> None:
    """Serve a line until told to stop, and say what it cost."""
    _on_core(max)
    configure_logging("ERROR")
    desk: Counter = Quick()
    close = None
    if environment is not None:
        settings = load(environment)
        parts = Parts(hasher=PepperedArgon2(_PEPPERS, CHEAPEST_FOR_TESTS))
        gateway = bootstrap.build(settings, Metrics(), parts)
        desk, close = gateway, gateway.close
    service = Service(
        [line_to(port, window=WINDOW)],
        desk,
        CollectorRegistry(),
        short_code="*775#",
        region="PE",
        threads=THREADS,
    )
    service.start()
    control.recv()  # the load begins
    before = resource.getrusage(resource.RUSAGE_SELF)
    control.recv()  # and has ended
    after = resource.getrusage(resource.RUSAGE_SELF)
    control.send(
        {
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "memory_mib": after.ru_maxrss / 1024,
        }
    )
    service.stop()
    if close:
        close()


# The network that calls.


@dataclass
class Call:
    """A dialogue that is under way."""

    phone: Handset
    began: float
    keys: Iterator[str] = field(default_factory=lambda: iter(KEYS))
    sent: float = 0.0


class Load:
    """An SMSC that has so many members a second dial, whatever is answered."""

    def __init__(self) -> None:
        self.bound = asyncio.Event()
        self.waits_s: list[float] = []
        self.done = 0
        self.cut_short = 0
        self.calls: dict[str, Call] = {}
        self._framer = Framer()
        self._sequence = itertools.count(1)
        self._members = itertools.cycle(range(MEMBERS))
        self._numbers = itertools.cycle(range(0, 0x10000, 0x0100))
        ussd = dialect().ussd
        assert ussd
        self._ussd = ussd

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One ESME."""
        self._writer = writer
        while octets := await reader.read(65_536):
            for frame in self._framer.feed(octets):
                self._take(decode(frame))

    def dial(self) -> None:
        """The next member dials."""
        msisdn = f"+5190{next(self._members):07}"
        phone = Handset(None, self._ussd, msisdn, numbers=lambda: next(self._numbers))  # type: ignore[arg-type]
        phone.number, phone.count = phone.numbers(), 0
        call = Call(phone, time.perf_counter())
        if msisdn[1:] in self.calls:
            self.cut_short += 1
        self.calls[msisdn[1:]] = call
        self._deliver(call, phone.dialled("*775#"))

    def _take(self, pdu: Pdu) -> None:
        if pdu.command == codec.SUBMIT_SM and isinstance(pdu.body, Message):
            taken = Pdu(codec.SUBMIT_SM | codec.RESPONSE, pdu.sequence, Taken("1"))
            self._writer.write(encode(taken))
            self._shown(pdu.body)
        elif pdu.command == codec.BIND_TRANSCEIVER:
            answer = Pdu(pdu.command | codec.RESPONSE, pdu.sequence, Bound("SMSC"))
            self._writer.write(encode(answer))
            self.bound.set()
        elif pdu.command in {codec.ENQUIRE_LINK, codec.UNBIND}:
            self._writer.write(encode(Pdu(pdu.command | codec.RESPONSE, pdu.sequence)))

    def _shown(self, message: Message) -> None:
        call = self.calls.get(message.destination.text)
        if call is None:
            return
        self.waits_s.append(time.perf_counter() - call.sent)
        key = next(call.keys, None)
        ends = message.number(codec.USSD_SERVICE_OP) == self._ussd.says.end
        if ends or key is None:
            self.done += ends and key is None
            self.cut_short += not (ends and key is None)
            del self.calls[message.destination.text]
            return
        self._deliver(call, call.phone.answered(key))

    def _deliver(self, call: Call, message: Message) -> None:
        call.sent = time.perf_counter()
        self._writer.write(encode(Pdu(codec.DELIVER_SM, next(self._sequence), message)))


async def called(load: Load, rate: float, seconds: float, started: threading.Event) -> float:
    """Have members dial at that rate; how long it took in all."""
    await load.bound.wait()
    started.set()
    began = time.perf_counter()
    for number in range(round(rate * seconds)):
        wait_s = began + number / rate - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        elif number % 50 == 0:
            await asyncio.sleep(0)
        load.dial()
    ends = time.perf_counter() + DRAIN_S
    while load.calls and time.perf_counter() < ends:
        await asyncio.sleep(0.01)
    return time.perf_counter() - began


async def measured(rate: float, seconds: float, environment: dict[str, str] | None) -> None:
    """One run, and its figures."""
    load = Load()
    server = await asyncio.start_server(load.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    ours, theirs = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=gateway_process, args=(port, environment, theirs))
    process.start()
    started = threading.Event()
    running = asyncio.ensure_future(called(load, rate, seconds, started))
    while not started.is_set():
        await asyncio.sleep(0.01)
    ours.send("begin")
    took_s = await running
    ours.send("end")
    cost = await asyncio.to_thread(ours.recv)
    await asyncio.to_thread(process.join, 20)
    server.close()
    waits = sorted(load.waits_s)
    hops = len(waits)
    percentiles = [1000 * waits[min(hops - 1, int(hops * share))] for share in (0.5, 0.95, 0.99)]
    say(
        f"{rate:5.0f} asked: {load.done / took_s:5.0f} dialogues/s, {hops / took_s:6.0f} hops/s; "
        f"screen after p50 {percentiles[0]:.1f} p95 {percentiles[1]:.1f} "
        f"p99 {percentiles[2]:.1f} ms; "
        f"{load.cut_short} told that we are busy, {len(load.calls)} without an end; "
        f"CPU {100 * cost['cpu_s'] / took_s:.0f} % of a core, "
        f"{1e6 * cost['cpu_s'] / max(1, hops):.0f} us a hop; {cost['memory_mib']:.0f} MiB"
    )


def prepared(endpoints: Endpoints) -> dict[str, str]:
    """A cooperative with members enough, and the settings of its gateway."""
    migrate(endpoints.owner_url)
    hasher = PepperedArgon2(_PEPPERS, CHEAPEST_FOR_TESTS)
    seed(endpoints.owner_url, hasher, TODAY)
    say(f"registering {MEMBERS} members")
    with psycopg.connect(endpoints.owner_url) as owner:
        office = LedgerOffice(owner)
        for number in range(MEMBERS):
            ref = f"b-{number:05}"
            office.enrol_person(ref, f"{50_000_000 + number}", "Rosa", "Quispe", TODAY)
            office.open_savings(f"110-{number:05}", "Ahorro", ref, Money(125_050), TODAY)
            owner.execute(
                "select bank.register_member(%s, %s, %s, %s, %s)",
                (ref, f"+5190{number:07}", "Rosa", "Rosa Q.", "es"),
            )
            hashed, version = hasher.hash(ref, Pin(KEYS[-1]))
            owner.execute("select bank.first_pin(%s, %s, %s)", (ref, hashed, version))
    return demo_variables(endpoints) | {"CHASKI_LOG_LEVEL": "ERROR"}


def main() -> None:
    """Measure at each rate that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, nargs="+", default=[100, 250, 500])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--real", action="store_true", help="through the real gateway")
    arguments = parser.parse_args()
    cores = os.cpu_count()
    say(f"{cores} cores, load {os.getloadavg()[0]:.1f} before: others take time from us")
    with contextlib.ExitStack() as stack:
        environment = None
        if arguments.real:
            folder = Path(tempfile.mkdtemp(prefix="chaski-bench-"))
            folder.chmod(0o711)
            endpoints = stack.enter_context(Embedded(folder, say))
            environment = prepared(endpoints)
        for rate in arguments.rate:
            asyncio.run(measured(rate, arguments.seconds, environment))


if __name__ == "__main__":
    main()
