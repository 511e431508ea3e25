"""Commands and their keys: what is executed, what is answered again, what is stuck for ever."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.world import DomainError, World

_KEY_CHARS_MAX = 50  # VARCHAR(50)
_TOP_CODES = {
    400: "validation.msg.validation.errors.exist",
    403: "validation.msg.domain.rule.violation",
    404: "error.msg.resource.not.found",
    503: "error.msg.platform.service.unavailable",
}


class Stored(StrEnum):
    """What is kept of a command."""

    UNDER_PROCESSING = "under_processing"
    PROCESSED = "processed"
    ERROR = "error"
    AWAITING_APPROVAL = "awaiting_approval"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Answered:
    """What is sent back."""

    status: int
    body: Any
    from_cache: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    state: Stored
    answer: Answered


class Commands:
    """The table of commands. A key counts for its action and entity alone, whatever the content."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[tuple[str, str, str], _Kept] = {}
        self._waiting: dict[tuple[str, str, str], Callable[[], dict[str, Any]]] = {}
        self._requests: dict[tuple[str, str, str], Any] = {}  # of what waits, or was rejected
        self._died: dict[tuple[str, str, str], _Kept] = {}  # executed, and not written down
        self._ids = itertools.count(1)

    def run(
        self,
        action: str,
        entity: str,
        key: str | None,
        request: Any,
        validate: Callable[[], None],
        act: Callable[[], dict[str, Any]],
        fault: Fault | None,
    ) -> Answered:
        """Execute a command once for its key. Without a key the server makes one up."""
        name = (action, entity, key or f"made-up-{next(self._ids)}")
        if len(name[2]) > _KEY_CHARS_MAX:
            return Answered(500, {"Exception": "value too long for type character varying(50)"})
        with self._world.lock:
            if kept := self._kept.get(name):
                return self._again(kept, request)
            echo = Answered(425, request, from_cache=True)
            self._kept[name] = _Kept(Stored.UNDER_PROCESSING, echo)
            if fault is Fault.STUCK_BEFORE:
                return echo
            state, answer = self._executed(validate, act, fault)
            if state is Stored.AWAITING_APPROVAL:
                self._waiting[name], self._requests[name] = act, request
            (self._died if fault is Fault.STUCK_AFTER else self._kept)[name] = _Kept(state, answer)
            return answer

    def approve(self, chosen: Collection[str] | None = None) -> None:
        """A checker says yes to what waits for one: to these keys, or to all."""
        with self._world.lock:
            for name, act in self._decided(chosen):
                self._kept[name] = _Kept(*self._executed(lambda: None, act, None))
                del self._requests[name]

    def reject(self, chosen: Collection[str] | None = None) -> None:
        """A checker says no. Such a key is answered as before, while it waited."""
        with self._world.lock:
            for name, _ in self._decided(chosen):
                self._kept[name] = _Kept(Stored.REJECTED, self._kept[name].answer)

    def rejected(self) -> list[tuple[str, str, Any]]:
        """Action, entity and request of what a checker said no to, oldest first."""
        with self._world.lock:
            return [
                (action, entity, self._requests[action, entity, key])
                for (action, entity, key), kept in self._kept.items()
                if kept.state is Stored.REJECTED
            ]

    def free(self) -> int:
        """Who runs the server mends what dead processes left under processing: what they had
        executed is written down, and of the rest the key is as new. Answers how many."""
        with self._world.lock:
            stuck = [n for n, kept in self._kept.items() if kept.state is Stored.UNDER_PROCESSING]
            for name in stuck:
                del self._kept[name]
            self._kept |= self._died
            self._died.clear()
            return len(stuck)

    def waiting(self) -> list[str]:
        """The keys that wait for a checker."""
        with self._world.lock:
            return [key for _, _, key in self._waiting]

    def purge(self, keep: Collection[str] = ()) -> int:
        """The nightly job; answers how many it forgot. `keep`: the keys that are young enough."""
        with self._world.lock:
            done = [
                name
                for name, kept in self._kept.items()
                if kept.state is Stored.PROCESSED and name[2] not in keep
            ]
            for name in done:
                del self._kept[name]
            return len(done)

    def keys(self) -> list[str]:
        """Every key that came."""
        with self._world.lock:
            return [key for _, _, key in self._kept]

    def _decided(
        self, chosen: Collection[str] | None
    ) -> list[tuple[tuple[str, str, str], Callable[[], dict[str, Any]]]]:
        """What a checker has looked at: it waits no longer."""
        names = [name for name in self._waiting if chosen is None or name[2] in chosen]
        return [(name, self._waiting.pop(name)) for name in names]

    def _again(self, kept: _Kept, request: Any) -> Answered:
        if kept.state not in (Stored.PROCESSED, Stored.ERROR):
            return Answered(425, request, from_cache=True)
        return Answered(kept.answer.status, kept.answer.body, from_cache=True)

    def _executed(
        self,
        validate: Callable[[], None],
        act: Callable[[], dict[str, Any]],
        fault: Fault | None,
    ) -> tuple[Stored, Answered]:
        if fault is Fault.CONFLICT:
            code = "error.msg.platform.service.savingsaccount.conflict"
            return Stored.ERROR, Answered(409, failure(409, code, code))
        if fault is Fault.BROKEN:
            return Stored.ERROR, Answered(500, {"Exception": "could not execute statement"})
        try:
            validate()
            if fault is Fault.APPROVAL:
                body = {"commandId": next(self._ids), "resourceId": 7, "rollbackTransaction": True}
                return Stored.AWAITING_APPROVAL, Answered(200, body)
            return Stored.PROCESSED, Answered(200, act())
        except DomainError as error:
            return Stored.ERROR, Answered(error.status, failure(error.status, error.code))


def failure(status: int, code: str, top: str = "") -> dict[str, Any]:
    """The body of an error. Its words are in English and are for nobody."""
    return {
        "developerMessage": "Request was understood but caused a domain rule violation.",
        "httpStatusCode": str(status),
        "defaultUserMessage": "Errors contain reason for domain rule violation.",
        "userMessageGlobalisationCode": top or _TOP_CODES.get(status, code),
        "errors": [
            {
                "developerMessage": code,
                "defaultUserMessage": code,
                "userMessageGlobalisationCode": code,
                "parameterName": "id",
                "value": None,
                "args": [],
            }
        ],
    }
