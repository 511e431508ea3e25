"""What an operation that moves money says of the order it gave."""

from __future__ import annotations

import datetime as dt
import uuid

from gateway.bank.desk import Desk
from gateway.bank.operations import Request
from gateway.instructions.limits import Bound
from gateway.instructions.orders import Result, State
from gateway.values.money import Money
from gateway.values.outcome import Done, Moment, Outcome, Pending, Refused, Value, Values

# What every operation that moves money may run into, with the figures that come with it.
LIMITS = {
    "over_limit": {
        "bound": "operation|day|month|new_payee",
        "limit": "money",
        "remaining": "money",
    },
}

FUNDS = {
    "insufficient_funds": {"available": "money?"},  # a core that refuses does not say how much
    # The core does not answer now: judged by what it last said, and told with its time.
    "insufficient_last_known": {"available": "money", "known_at": "moment"},
}


def over_limit(
    desk: Desk, request: Request, operation: str, counterparty_ref: str, amount: Money
) -> Refused | None:
    """Why an order would be refused, said before the PIN is asked for; None: it would pass."""
    room = desk.instructions.limits.room(
        operation, request.member.ref, counterparty_ref, request.origin.channel, request.today
    )
    if amount <= room.left:
        return None
    if room.bound is Bound.LOOK_ONLY:
        return Refused("look_only")
    values: Values = {"bound": room.bound.value, "limit": room.limit, "remaining": room.left}
    return Refused("over_limit", values)


def order_key(request: Request) -> uuid.UUID:
    """The key of the screen that confirmed this order.

    Raises:
        ValueError: there is none. A journey that moves money without a confirm screen is a fault of
            its menu, and nothing may move.
    """
    if request.key is None:
        raise ValueError("an operation that moves money needs the key of its confirm screen")
    return request.key


def carried_out(result: Result, now: dt.datetime) -> Outcome:
    """A money order's result as the bank's outcome. `now` says by its time zone where."""
    said: dict[str, Value] = {
        name: Moment.seen(value, now) if isinstance(value, dt.datetime) else value
        for name, value in result.values.items()
    }
    match result.state:
        case State.POSTED:
            told: Values = {"reference": result.reference, "tax": result.tax}
            return Done({**told, "amount": result.amount, **said})
        case State.REFUSED:
            code = "insufficient_last_known" if "known_at" in said else result.code
            return Refused(code, {"amount": result.amount, **said})
        case State.CLOSED:
            return Refused("closed", {"amount": result.amount})
        case State.ACCEPTED | State.UNKNOWN:
            return Pending({"amount": result.amount})
