"""Two SMSCs that we did not write, as networks for a handset: node-smpp, and smpp34's server.

Each reads and writes PDUs by its own library; node-smpp letters too, in tables of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any

import pytest

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Tlv
from gateway.channels.smpp.encodings import Alphabet, meaning, read, write

NODE = Path(__file__).parent / "node"
INSTALL_WITHIN_S = 90  # three small packages, on a slow line
PATIENCE_S = 15.0

_TLV_FIELDS = {
    codec.USSD_SERVICE_OP: "ussd_service_op",
    codec.USER_MESSAGE_REFERENCE: "user_message_reference",
}


def installed_node_smpp(folder: Path) -> Path:
    """The folder with node-smpp and the script that drives it; skips the test, saying why, where it
    cannot be had."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("node-smpp is not tried: there is no node or no npm on this machine")
    for file in ("package.json", "package-lock.json", "smsc.js"):
        shutil.copy(NODE / file, folder)
    try:
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"node-smpp is not tried: npm has not installed it in {INSTALL_WITHIN_S} s")
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[:1]
        pytest.skip(f"node-smpp is not tried: npm cannot install it: {''.join(reason)[:200]}")
    return folder


class NodeSmsc:
    """node-smpp, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        node = shutil.which("node")
        assert node
        self._process = subprocess.Popen(
            [node, "smsc.js"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._stdin: IO[str] = self._process.stdin
        self._said: dict[str, queue.Queue[Any]] = {
            name: queue.Queue() for name in ("listening", "bound", "submitted", "delivered")
        }
        self._ids = itertools.count(1)
        self._reading = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reading.start()
        self.port: int = self._next("listening")["listening"]

    def bound(self) -> None:
        """Wait until somebody is bound."""
        assert self._next("bound")["bound"]

    def deliver(self, message: Message) -> int:
        """Have node-smpp write a deliver_sm, from text."""
        alphabet = meaning(message.data_coding, Alphabet.GSM)
        fields: dict[str, Any] = {
            "source_addr": message.source.text,
            "source_addr_ton": message.source.ton,
            "source_addr_npi": message.source.npi,
            "destination_addr": message.destination.text,
            "dest_addr_ton": message.destination.ton,
            "dest_addr_npi": message.destination.npi,
            "service_type": message.service_type,
            "data_coding": message.data_coding,
            "esm_class": message.esm_class,
            "short_message": {"message": read(message.text, alphabet)},
        }
        for tlv in message.tlvs:
            if tlv.tag == codec.ITS_SESSION_INFO:
                fields["its_session_info"] = tlv.value.hex()
            else:
                fields[_TLV_FIELDS[tlv.tag]] = int.from_bytes(tlv.value, "big")
        self._stdin.write(json.dumps({"id": next(self._ids), "deliver": fields}) + "\n")
        self._stdin.flush()
        status: int = self._next("delivered")["status"]
        return status

    def submitted(self) -> Message:
        """What node-smpp has read of the next submit_sm, its text in node's own tables."""
        told = self._next("submitted")["submitted"]
        tlvs = []
        if told.get("operation") is not None:
            tlvs.append(Tlv(codec.USSD_SERVICE_OP, bytes((told["operation"],))))
        if told.get("session") is not None:
            tlvs.append(Tlv(codec.ITS_SESSION_INFO, bytes.fromhex(told["session"])))
        if told.get("reference") is not None:
            reference = told["reference"].to_bytes(2, "big")
            tlvs.append(Tlv(codec.USER_MESSAGE_REFERENCE, reference))
        return Message(
            source=Address(*told["source"]),
            destination=Address(*told["destination"]),
            text=write(told["text"], Alphabet.GSM),
            tlvs=tuple(tlvs),
            service_type=told["service_type"],
            data_coding=told["data_coding"],
            esm_class=told["esm_class"],
            registered_delivery=told["registered_delivery"],
        )

    def submission(self) -> dict[str, Any]:
        """The next submit_sm in node-smpp's own words."""
        told: dict[str, Any] = self._next("submitted")["submitted"]
        return told

    def close(self) -> None:
        """End it."""
        self._stdin.close()
        self._process.wait(PATIENCE_S)
        self._reading.join(PATIENCE_S)
        assert self._process.stdout
        self._process.stdout.close()

    def _next(self, name: str) -> Any:
        try:
            return self._said[name].get(timeout=PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"node-smpp has said no `{name}`") from None

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            told = json.loads(line)
            for name in self._said.keys() & told.keys():
                self._said[name].put(told)


class Smpp34Smsc:
    """smpp34's server, in an event loop of its own thread."""

    def __init__(self, smpp34: Any, port: int) -> None:
        self._smpp34 = smpp34
        self.port = port
        self._submitted: queue.Queue[Message] = queue.Queue()
        self._esme: Future[Any] = Future()
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._listening.wait(PATIENCE_S)

    def bound(self) -> None:
        """Wait until somebody is bound."""
        self._esme.result(PATIENCE_S)

    def deliver(self, message: Message) -> int:
        """Have smpp34 write a deliver_sm."""
        delivering = asyncio.run_coroutine_threadsafe(self._deliver(message), self._loop)
        status: int = delivering.result(PATIENCE_S)
        return status

    def submitted(self) -> Message:
        """What smpp34 has read of the next submit_sm."""
        return self._submitted.get(timeout=PATIENCE_S)

    def close(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join(PATIENCE_S)

    async def _deliver(self, message: Message) -> int:
        esme = self._esme.result(0)
        answer = await esme.deliver_sm(
            message.destination.text,
            message.text,
            source_addr=message.source.text,
            source_addr_ton=message.source.ton,
            source_addr_npi=message.source.npi,
            dest_addr_ton=message.destination.ton,
            dest_addr_npi=message.destination.npi,
            service_type=message.service_type,
            esm_class=message.esm_class,
            data_coding=message.data_coding,
            tlvs=[self._smpp34.Tlv(tlv.tag, tlv.value) for tlv in message.tlvs],
        )
        status: int = answer.command_status
        return status

    def _run(self) -> None:
        self._serving = self._loop.create_task(self._serve())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)
        self._loop.close()

    async def _serve(self) -> None:
        server = self._smpp34.Server("127.0.0.1", self.port, system_id="SMSC")
        await server.start()
        self._listening.set()
        numbers = itertools.count(1)
        try:
            while True:
                event = await server.next()
                if isinstance(event, self._smpp34.Esme):
                    self._esme.set_result(event)
                elif isinstance(event, self._smpp34.SubmitSmEvent):
                    self._submitted.put(_message(event))
                    event.accept(message_id=str(next(numbers)))
        finally:
            await server.stop()


def _message(event: Any) -> Message:
    return Message(
        source=Address(event.source_addr, event.source_addr_ton, event.source_addr_npi),
        destination=Address(event.destination_addr, event.dest_addr_ton, event.dest_addr_npi),
        text=event.short_message,
        tlvs=tuple(Tlv(tlv.tag, tlv.value) for tlv in event.tlvs),
        service_type=event.service_type,
        data_coding=event.data_coding,
        esm_class=event.esm_class,
        registered_delivery=event.registered_delivery,
    )


@contextlib.contextmanager
def node_smsc(folder: Path) -> Iterator[NodeSmsc]:
    """node-smpp, while it runs."""
    smsc = NodeSmsc(folder)
    try:
        yield smsc
    finally:
        smsc.close()


@contextlib.contextmanager
def smpp34_smsc(smpp34: Any, port: int) -> Iterator[Smpp34Smsc]:
    """smpp34's server, while it runs."""
    smsc = Smpp34Smsc(smpp34, port)
    try:
        yield smsc
    finally:
        smsc.close()
