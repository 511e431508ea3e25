"""Fineract's external message gateway: its SMS campaigns go out through us.

Source: Fineract's SmsConfigUtils, SmsMessageScheduledJobServiceImpl, SmsMessageApiQueueResourceData
and GetDeliveryReportsFromSmsGatewayTasklet (1.9 to 1.15). It calls `{end_point}/sms` and takes 202
alone for a yes; asks `{end_point}/sms/report` about up to 200 ids that wait, the oldest first; and
`{end_point}/smsbridges` when somebody writes a campaign. By plain http, so the way between the two
has to be private.

A report of status 100 or with an error is not looked at, and the id is asked about again; so is one
of status 150. What is under way answers 100. What failed answers 400 without an error, or it would
be asked for for ever and stand in the way of newer ones.

Two bridges are offered, and who writes a campaign chooses: the one for service reaches members who
have not said BAJA, the one for advertising only those who have agreed to such.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from flask import Blueprint, Response, abort, jsonify, request

from gateway.bounds import (
    CORE_MESSAGE_BYTES_MAX,
    CORE_MESSAGES_AT_ONCE,
    CORE_MESSAGES_BODY_BYTES_MAX,
)
from gateway.values.core_news import CoreMessage, Fate, MessageFate

# What may never be written down.
SECRET_FIELDS = frozenset({"message", "mobileNumber"})

_SERVICE, _ADVERTISING = 1, 2
_STATUSES = {Fate.UNDER_WAY: 100, Fate.SENT: 200, Fate.DELIVERED: 300, Fate.FAILED: 400}

_Row = TypeVar("_Row")
_Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class _Message(msgspec.Struct):
    internalId: _Number  # noqa: N815 - Fineract's names
    mobileNumber: str = ""  # noqa: N815
    message: Annotated[str, msgspec.Meta(max_length=CORE_MESSAGE_BYTES_MAX)] = ""
    providerId: int | None = None  # noqa: N815


class NotMessagesError(ValueError):
    """The body is no list of messages, or of ids."""


@dataclass(frozen=True, slots=True)
class MessageGateway:
    """Whose campaigns they are.

    Args:
        key: what Fineract sends as its tenant's app key.
        tenant: of all those of one server, ours.
        sender: whom an SMS is from, as staff read it when they choose a bridge.
        take: keeps messages; False where it could not, and none is kept.
        fates: what became of them; None where it cannot be said now.
    """

    key: str
    tenant: str
    sender: str
    take: Callable[[Sequence[CoreMessage]], bool]
    fates: Callable[[Sequence[int]], Sequence[MessageFate] | None]


def parse(body: bytes) -> list[CoreMessage]:
    """The messages of a request. One that is of no bridge of ours advertises.

    Raises:
        NotMessagesError: it cannot be read.
    """
    try:
        rows = msgspec.json.decode(body, type=list[_Message])
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotMessagesError from error
    return [
        CoreMessage(row.internalId, row.mobileNumber, row.message, row.providerId != _SERVICE)
        for row in rows
    ]


def parse_ids(body: bytes) -> list[int]:
    """The ids of a question about reports.

    Raises:
        NotMessagesError: it cannot be read.
    """
    try:
        return msgspec.json.decode(body, type=list[_Number])
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotMessagesError from error


def render(fate: MessageFate) -> dict[str, object]:
    """A delivery report, as Fineract reads it: no field of it may be missing."""
    delivered = fate.fate is Fate.DELIVERED and fate.at
    return {
        "id": fate.id,
        "externalId": fate.ours,
        "addedOnDate": None,
        "deliveredOnDate": fate.at.date().isoformat() if delivered and fate.at else None,
        "deliveryStatus": _STATUSES[fate.fate],
        "hasError": False,
        "errorMessage": None,
    }


def routes(tenants: Sequence[MessageGateway]) -> Blueprint:
    """The service. Its tenant's app key is the caller's proof, before anything is read, and says
    whose campaigns they are."""
    blueprint = Blueprint("fineract-messages", __name__, url_prefix="/core/fineract/messages")

    def proven() -> MessageGateway:
        given = request.headers.get("Fineract-Tenant-App-Key", "").encode(errors="replace")
        opened = [one for one in tenants if hmac.compare_digest(one.key.encode(), given)]
        if not opened or request.headers.get("Fineract-Platform-TenantId") != opened[0].tenant:
            abort(403)
        return opened[0]

    def body() -> bytes:
        request.max_content_length = CORE_MESSAGES_BODY_BYTES_MAX
        return request.get_data()

    @blueprint.post("/sms")
    def take() -> tuple[str, int]:
        """Messages of a campaign."""
        gateway = proven()
        messages = _readable(parse, body())
        if not gateway.take(messages):
            abort(503)
        return "", 202

    @blueprint.post("/sms/report")
    def report() -> Response:
        """What became of some of them. Of an id that never came nothing is said."""
        gateway = proven()
        fates = gateway.fates(_readable(parse_ids, body()))
        if fates is None:
            abort(503)
        return jsonify([render(fate) for fate in fates])

    @blueprint.get("/smsbridges")
    def bridges() -> Response:
        """The ways to choose from, when somebody writes a campaign."""
        gateway = proven()
        offered = {
            _SERVICE: ("service", "to members who have not said BAJA"),
            _ADVERTISING: ("advertising", "to members who have agreed to advertising"),
        }
        return jsonify(
            [
                {
                    "id": number,
                    "tenantId": gateway.tenant,
                    "phoneNo": gateway.sender,
                    "providerName": f"Chaski: {name}",
                    "providerDescription": whom,
                }
                for number, (name, whom) in offered.items()
            ]
        )

    return blueprint


def _readable(read: Callable[[bytes], list[_Row]], body: bytes) -> list[_Row]:
    try:
        rows = read(body)
    except NotMessagesError:
        abort(400)
    if len(rows) > CORE_MESSAGES_AT_ONCE:
        abort(413)
    return rows
