"""An SMSC for tests, of blocking sockets: what is written and when is up to the test, to the byte.

It is our own, so it proves nothing about the wire: the sheet's PDUs and two peers of others do.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from types import TracebackType

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Bound, Framer, Message, Pdu, Taken, decode, encode

PATIENCE_S = 10.0  # far above what anything takes on a busy machine


class Peer:
    """One connection that an ESME has made."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._framer = Framer()
        self._inbox: list[Pdu] = []
        self._sequence = 0
        self.octets_in = 0

    def let_in(self, status: int = codec.ROK) -> Pdu:
        """Answer the bind."""
        bind = self.read()
        body = Bound("SMSC" if status == codec.ROK else None)
        self.write(Pdu(bind.command | codec.RESPONSE, bind.sequence, body, status))
        return bind

    def read(self) -> Pdu:
        """The next PDU."""
        while not self._inbox:
            octets = self._socket.recv(65_536)
            if not octets:
                raise ConnectionError("the ESME has gone")
            self.octets_in += len(octets)
            self._inbox += [decode(frame) for frame in self._framer.feed(octets)]
        return self._inbox.pop(0)

    def expect(self, command: int, ours: Callable[[Pdu], bool] = lambda _: True) -> Pdu:
        """The next PDU of that command; others stay for later."""
        passed: list[Pdu] = []
        while True:
            pdu = self.read()
            if pdu.command == command and ours(pdu):
                self._inbox[:0] = passed
                return pdu
            passed.append(pdu)

    def write(self, pdu: Pdu) -> None:
        """Send a PDU."""
        self.write_octets(encode(pdu))

    def write_octets(self, octets: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(octets)

    def request(self, command: int, body: codec.Body = codec.NOTHING) -> Pdu:
        """Send a request without waiting."""
        self._sequence += 1
        pdu = Pdu(command, self._sequence, body)
        self.write(pdu)
        return pdu

    def deliver(self, message: Message, command: int = codec.DELIVER_SM) -> int:
        """Deliver a message, and the status that it is answered with."""
        request = self.request(command, message)
        return self.answer_to(request).status

    def answer_to(self, request: Pdu) -> Pdu:
        """The answer to a request."""
        return self.expect(
            request.command | codec.RESPONSE, lambda pdu: pdu.sequence == request.sequence
        )

    def submitted(self, status: int = codec.ROK, message_id: str = "M1") -> Message:
        """The next message that is submitted; it is answered so."""
        pdu = self.expect(codec.SUBMIT_SM)
        self.answer_submission(pdu, status, message_id)
        assert isinstance(pdu.body, Message)
        return pdu.body

    def answer_submission(self, pdu: Pdu, status: int = codec.ROK, message_id: str = "M1") -> None:
        """Answer a submission."""
        body = Taken(message_id if status == codec.ROK else None)
        self.write(Pdu(codec.SUBMIT_SM | codec.RESPONSE, pdu.sequence, body, status))

    def silent(self, for_s: float) -> bool:
        """Whether nothing comes for so long."""
        if self._inbox:
            return False
        self._socket.settimeout(for_s)
        try:
            octets = self._socket.recv(65_536)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_S)
        self._inbox += [decode(frame) for frame in self._framer.feed(octets)]
        return not octets

    def gone(self) -> bool:
        """Whether the ESME ends the connection; what it still says is read."""
        try:
            while self._socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True

    def unbound(self) -> None:
        """Answer the unbind that comes."""
        pdu = self.expect(codec.UNBIND)
        self.write(Pdu(codec.UNBIND | codec.RESPONSE, pdu.sequence))

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()


class Smsc:
    """Listens on a port of loopback."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self._peers: list[Peer] = []

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def accept(self) -> Peer:
        """The next connection."""
        connection, _ = self._listener.accept()
        peer = Peer(connection)
        self._peers.append(peer)
        return peer

    def accept_tls(self, context: ssl.SSLContext) -> Peer:
        """The next connection, in TLS.

        Raises:
            OSError: the ESME does not trust us.
        """
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE_S)
        try:
            connection = context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            raise
        peer = Peer(connection)
        self._peers.append(peer)
        return peer

    def accept_bound(self) -> Peer:
        """The next connection, let in."""
        peer = self.accept()
        peer.let_in()
        return peer

    def close(self) -> None:
        """Listen no more, and drop everybody."""
        self._listener.close()
        for peer in self._peers:
            peer.close()

    def __enter__(self) -> Smsc:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
