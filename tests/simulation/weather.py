"""What goes wrong in a run, and how often: drawn by the seed, so that some runs are calm, some have
one kind of trouble, and some have all of them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from random import Random

# Of ten runs: how many know nothing of a kind of trouble, and how many know a lot of it.
_SPARED, _STRICKEN = 4, 3


@dataclass(frozen=True, slots=True)
class Weather:
    """How often each kind of trouble comes, from 0 to 1.

    Of each step of a worker (before or after a call to a store, a core or a network): `stall`, it
    takes seconds; `kill`, its process dies there. Of each call to a store: `…_before`, it fails and
    nothing was sent; `…_after`, it is done and its answer is lost; `…_twice`, the connection broke
    and the client sent it again. Of each hop of a phone: `forget` and `forget_part`, Redis loses
    all or some; `fall`, every worker dies at once; `outage`, a store is away for seconds; `up_lost`
    and `down_lost`, the radio loses it on its way; `twice`, the network sends it twice at once;
    `late`, once more, much later; `slow`, it takes its time; `hurry`, the member hangs up before
    the answer is there.

    `ended`: that the network tells of a session's end. `sms_refused`, `sms_unsaid`: a message is
    not taken, or taken and the network's yes is lost. `core`: a write to a remote core does not go
    well; `core_away`, of each call, that it does not answer; `core_refuses`, that the payee's
    account was closed there. `wake_lost`: the worker does not hear that there is work.
    """

    stall: float = 0
    kill: float = 0
    database_before: float = 0
    database_after: float = 0
    database_twice: float = 0
    redis_before: float = 0
    redis_after: float = 0
    redis_twice: float = 0
    forget: float = 0
    forget_part: float = 0
    fall: float = 0
    outage: float = 0
    up_lost: float = 0
    down_lost: float = 0
    twice: float = 0
    late: float = 0
    slow: float = 0
    hurry: float = 0
    ended: float = 0
    sms_refused: float = 0
    sms_unsaid: float = 0
    core: float = 0
    core_away: float = 0
    core_refuses: float = 0
    wake_lost: float = 0


CLEAR = Weather()

# The bad days. The others have a fifth of it.
_STORM = Weather(
    stall=0.02,
    kill=0.01,
    database_before=0.03,
    database_after=0.03,
    database_twice=0.03,
    redis_before=0.03,
    redis_after=0.03,
    redis_twice=0.03,
    forget=0.04,
    forget_part=0.04,
    fall=0.03,
    outage=0.02,
    up_lost=0.1,
    down_lost=0.2,
    twice=0.2,
    late=0.2,
    slow=0.05,
    hurry=0.1,
    ended=0.9,
    sms_refused=0.2,
    sms_unsaid=0.1,
    core=0.6,
    core_away=0.02,
    core_refuses=0.2,
    wake_lost=0.3,
)


def drawn(chance: Random) -> Weather:
    """The weather of one run."""
    return replace(
        CLEAR, **{one.name: getattr(_STORM, one.name) * strength(chance) for one in fields(Weather)}
    )


def strength(chance: Random) -> float:
    """Of one kind of trouble in one run."""
    draw = chance.randrange(10)
    return 0 if draw < _SPARED else 1 if draw >= 10 - _STRICKEN else 0.2
