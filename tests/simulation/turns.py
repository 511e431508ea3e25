"""What must be true of orders on their way to a remote core. Pure, as `verdict.py`, whose rules
these are too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gateway.bounds import REPLY_HARD_STOP_MS
from tests.simulation.history import History

_OVER = {"posted", "refused", "later", "unasked", "approval"}  # of one attempt


def in_turn_at_each_account(history: History) -> Iterator[str]:
    """Orders that share an account are posted in the order in which they were given: but for those
    that a person at the core had to agree to, who may take days."""
    last: dict[str, int] = defaultdict(int)
    waited = history.awaited | {one.key for one in history.settled if one.outcome == "approval"}
    for posting in sorted(history.postings, key=lambda one: one.moment):
        turn = history.books.turns.get(posting.key)
        if turn is None or posting.key in waited:
            continue
        for account in history.books.accounts[posting.key]:
            if turn < last[account]:
                yield f"op. {posting.reference} came after a later order of {account}"
            last[account] = max(last[account], turn)


def one_write_in_flight(history: History) -> Iterator[str]:
    """Nothing is asked of the core about an account while something else of it may be under way."""
    in_flight: set[str] = set()
    news = [(sent.moment, sent.key, "") for sent in history.sent]
    news += [(one.moment, one.key, one.outcome) for one in history.settled]
    for _, key, outcome in sorted(news):
        accounts = set(history.books.accounts.get(key, ()))
        if outcome in _OVER:
            in_flight.discard(key)
        elif not outcome and accounts and key not in history.awaited:
            for other in sorted(in_flight - {key}):
                if accounts & set(history.books.accounts[other]):
                    yield f"order {key} was asked for while {other} was in flight"
            in_flight.add(key)


def funds_are_spent_once(history: History) -> Iterator[str]:
    """What is accepted on an account whose funds were known, the core has the money for: unless
    people there took some back."""
    undone = [one for one in history.postings if one.key in history.undone]
    taken_back = {one.target for one in undone}
    for key in sorted(history.funded):
        accounts, code = history.books.accounts.get(key, ()), history.books.codes.get(key)
        if code == "insufficient_funds" and not taken_back & set(accounts):
            yield f"order {key} was accepted, and there was no money for it"


def no_hop_waits_for_the_core(history: History) -> Iterator[str]:
    """Whatever the core does, a hop has its screen within the hard stop: but for what a machine
    that stalls adds to it."""
    for one in history.answered:
        took_ms = one.at_ms - one.hop.began_ms - one.hop.slept_ms
        if took_ms > REPLY_HARD_STOP_MS:
            yield f"{one.hop.session}/{one.hop.number} took {took_ms} ms"
