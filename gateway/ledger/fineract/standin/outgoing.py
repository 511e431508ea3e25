"""What the loopback Fineract calls by itself: web hooks, and who sends its campaigns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import requests

_TIMEOUT_S = 5
_BATCH = 200  # as its jobs have it
_PENDING, _WAITING = 100, 150  # of a message: not given away yet; given away, and asked about

# Method, address, headers and body in; status and body out.
Ask = Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


def over_http(method: str, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """For a gateway that listens somewhere."""
    answer = requests.request(method, url, headers=dict(headers), data=body, timeout=_TIMEOUT_S)
    return answer.status_code, answer.content


class Hooks:
    """Fire and forget: nobody signs, nothing is repeated when it fails, and a command that failed
    is told too, without a `response`.

    Attributes:
        url: where to; empty: nobody listens.
        at_once: each in a thread of its own, as there. Without it they wait for `deliver`, which
            may repeat them and turn their order round.
    """

    def __init__(self, tenant: str, ask: Ask = over_http) -> None:
        self.url = ""
        self.at_once = True
        self.ask = ask
        self._tenant = tenant
        self._ready: list[tuple[dict[str, str], bytes]] = []

    def fire(
        self, entity: str, action: str, request: Any, response: Mapping[str, Any] | None
    ) -> None:
        """A command was given."""
        headers = {
            "Content-Type": "application/json",
            "X-Fineract-Entity": entity,
            "X-Fineract-Action": action,
            "X-Fineract-Endpoint": "https://core.example/fineract-provider/api/v1",
            "Fineract-Platform-TenantId": self._tenant,
        }
        payload = {
            "entityName": entity,
            "actionName": action,
            "createdBy": 1,
            "createdByName": "teller1",
            "createdByFullName": "Ana Teller",
            "request": request,
            "officeId": 1,
            **({"response": response} if response else {}),
            "timestamp": "2026-11-23T15:00:00Z",
        }
        if not self.url:
            return
        self._ready.append((headers, _ENCODE(payload)))
        if self.at_once:
            threading.Thread(target=self.deliver, daemon=True).start()

    def deliver(self, times: int = 1, *, backwards: bool = False) -> list[int]:
        """Send what is ready, some times over; answers the statuses, which nobody reads there."""
        ready, self._ready = self._ready, []
        statuses = []
        for headers, body in reversed(ready) if backwards else ready:
            for _ in range(times):
                try:
                    statuses.append(self.ask("POST", self.url, headers, body)[0])
                except requests.RequestException:
                    statuses.append(0)
        return statuses


@dataclass(slots=True)
class Message:
    """One of a campaign's, as its table has it."""

    id: int
    number: str
    text: str
    provider: int
    status: int = _PENDING
    external_id: str = ""


class Campaigns:
    """The jobs that send a campaign's messages and ask what became of them.

    Args:
        url: the gateway's end point.
        key: the tenant's app key.
        tenant: whose campaigns.
    """

    def __init__(self, url: str, key: str, tenant: str, ask: Ask = over_http) -> None:
        self._url = url
        self._ask = ask
        self._headers = {
            "Content-Type": "application/json",
            "Fineract-Platform-TenantId": tenant,
            "Fineract-Tenant-App-Key": key,
        }
        self.messages: dict[int, Message] = {}

    def write(self, number: str, text: str, provider: int) -> Message:
        """Somebody wrote a campaign, and this is the message to one client."""
        message = Message(41 + len(self.messages), number, text, provider)
        self.messages[message.id] = message
        return message

    def send(self) -> list[int]:
        """The job that gives messages away. What is not answered 202 stays where it is, and so does
        what the job forgets to mark: see `forget`."""
        pending = [one for one in self.messages.values() if one.status == _PENDING]
        statuses = []
        for first in range(0, len(pending), _BATCH):
            batch = pending[first : first + _BATCH]
            rows = [
                {
                    "internalId": one.id,
                    "mobileNumber": one.number,
                    "message": one.text,
                    "providerId": one.provider,
                }
                for one in batch
            ]
            status, _ = self._asked("POST", "/sms", rows)
            statuses.append(status)
            for one in batch if status == 202 else ():
                one.status = _WAITING
        return statuses

    def forget(self) -> None:
        """It dies before it has marked what it gave away."""
        for one in self.messages.values():
            one.status = _PENDING

    def reports(self) -> None:
        """The job that asks about the oldest that wait. What has an error, or is pending, it does
        not look at."""
        waiting = [one.id for one in self.messages.values() if one.status == _WAITING][:_BATCH]
        _, answered = self._asked("POST", "/sms/report", waiting)
        for row in msgspec.json.decode(answered):
            message = self.messages[row["id"]]
            if not row["hasError"] and row["deliveryStatus"] != _PENDING:
                message.status = row["deliveryStatus"]
                message.external_id = row["externalId"]

    def bridges(self) -> list[dict[str, Any]]:
        """What is offered to who writes a campaign."""
        rows: list[dict[str, Any]] = msgspec.json.decode(self._asked("GET", "/smsbridges", None)[1])
        return rows

    def _asked(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        sent = b"" if body is None else _ENCODE(body)
        return self._ask(method, self._url + path, self._headers, sent)
