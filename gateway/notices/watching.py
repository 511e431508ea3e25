"""What an operator may want to count of the messages that go out."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Is told what happens, never to whom and never in which words. Called by several threads at
    once; it does not raise."""

    def answered(self, sender: str, answer: str, segments: int, seconds: float) -> None:
        """A provider was given a message.

        `answer`: sent, later, never, opted_out, misconfigured, away, or failed where it gave none.
        """

    def paced(self, sender: str) -> None:
        """A message was put back, because as many as the provider carries were under way."""

    def line(self, sender: str, *, open_: bool) -> None:
        """The way to a provider was shut after too many failures, or is open again."""

    def reported(self, sender: str, state: str) -> None:
        """A provider said something new of a message: accepted, sent, delivered, failed."""


class _Unwatched:
    def answered(self, sender: str, answer: str, segments: int, seconds: float) -> None:
        pass

    def paced(self, sender: str) -> None:
        pass

    def line(self, sender: str, *, open_: bool) -> None:
        pass

    def reported(self, sender: str, state: str) -> None:
        pass


UNWATCHED: Watch = _Unwatched()
