"""What must be true of every run, whatever the weather was. Pure: it looks at a history, and at
nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.bounds import CLAIM_LEASE_MS, DRAFT_S, OUTBOX_ATTEMPTS_MAX, OUTBOX_LEASE_S
from tests.simulation.history import Answered, History, Posting, Told
from tests.simulation.screens import What, is_cut
from tests.simulation.turns import (
    funds_are_spent_once,
    in_turn_at_each_account,
    no_hop_waits_for_the_core,
    one_write_in_flight,
)

# Copies of a hop get the same bytes while the session that answered them lives.
_SAME_BYTES_MS = 50_000
_REMEMBERED_MS = (DRAFT_S - 60) * 1000


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept. `rule` is one of `RULES`; `words` say what happened."""

    rule: str
    words: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.words}"


def judge(history: History) -> list[Violation]:
    """Every promise that was not kept, each with what happened."""
    return [Violation(rule, words) for rule, broken in RULES.items() for words in broken(history)]


def _money_is_conserved(history: History) -> Iterator[str]:
    """The books add up, and every balance follows from what was posted."""
    books = history.books
    yield from books.wrong
    expected = Counter(books.opening)
    for posting in history.postings:
        expected[posting.source] -= posting.centimos + posting.tax
        if not posting.loan:
            expected[posting.target] += posting.centimos - posting.tax
    for posting in _undone(history):
        expected[posting.source] += posting.centimos
        if not posting.loan:
            expected[posting.target] -= posting.centimos
    for account, balance in books.balances.items():
        if balance != expected[account]:
            yield f"{account} holds {balance}, and its postings make {expected[account]}"


def _at_most_once(history: History) -> Iterator[str]:
    """No movement happens more often than somebody meant it, and none under two keys or twice under
    one."""
    done = Counter(
        (_sender(history, posting), posting.target, posting.centimos)
        for posting in history.postings
        if posting.key not in history.undone  # by people at the core: then it may be meant again
    )
    for what, times in done.items():
        if times > history.intended[what]:
            member, target, centimos = what
            meant = history.intended[what]
            yield f"{member} to {target}, {centimos}: moved {times} times, meant {meant} times"
    for key, times in Counter(posting.key for posting in history.postings).items():
        if times > 1:
            yield f"key {key} moved money {times} times"
    noted, kept = {posting.key for posting in history.postings}, set(history.books.keys)
    if noted != kept:
        yield f"the core knows of other postings than were seen: {sorted(noted ^ kept)}"


def _said_is_so(history: History) -> Iterator[str]:
    """Whoever says that it was done, says it after it was, with its reference and amount."""
    by_reference = {posting.reference: posting for posting in history.postings}
    for told in history.told:
        if told.what is not What.DONE:
            continue
        posting = by_reference.get(told.reference)
        if posting is None or posting.moment > told.moment:
            yield f"{_who(told)} was told of op. {told.reference}, which did not happen"
        elif posting.centimos != told.centimos:
            yield f"{_who(told)} was told {told.centimos} of op. {told.reference}"
        elif _account_of(history, told.member) not in _sides(posting, told):
            yield f"{_who(told)} was told of op. {told.reference}, which is not theirs"


def _denied_is_so(history: History) -> Iterator[str]:
    """What is denied has not happened, and never will under a key of before."""
    for denial in history.told:
        if denial.what not in {What.DENIED, What.OFFERED}:
            continue
        for posting in history.postings:
            if not _is_about(history, denial, posting):
                continue
            sure = bool(denial.keys) or _seems_to_be(history, posting, denial)
            if history.undone.get(posting.key, denial.moment) < denial.moment:
                continue  # people at the core took it back: now it is not done
            if posting.moment < denial.moment and (
                denial.keys or _untold(history, posting, denial)
            ):
                yield f"{_who(denial)} was told that {denial.centimos} was not done: it was"
            before = history.minted.get(posting.key, 0) < denial.became
            if before and denial.moment < posting.moment and sure:
                yield f"{_who(denial)} was told that {denial.centimos} was not done: then it was"


def _everybody_learns(history: History) -> Iterator[str]:
    """Of each posting its sender learns, of each order under way its end, and nothing stays
    open."""
    books = history.books
    for key in books.open_orders:
        yield f"order {key} has no end"
    if books.waiting:
        yield f"{books.waiting} notices were never told nor given up"
    for posting in history.postings:
        sender = _sender(history, posting)
        if posting.key in history.undone and history.books.ends.get(posting.key) != "posted":
            continue  # for us it never was
        if not _heard(history, posting, history.moment) and posting.key not in books.dead:
            yield f"{sender} never learned of op. {posting.reference}"
    for told in history.told:
        if told.what is What.PENDING and told.keys and _came_to_nothing_untold(history, told.keys):
            yield f"{_who(told)} was told of an order under way, and not that it came to nothing"


def _came_to_nothing_untold(history: History, keys: Sequence[str]) -> bool:
    """Of the orders that were looked up for one telling, one is the order that it names."""
    nothing = {key for key in keys if history.books.ends.get(key) in {"refused", "closed"}}
    return nothing == set(keys) and not any(_end_told(history, key) for key in nothing)


def _told_twice_only_in_doubt(history: History) -> Iterator[str]:
    """A message goes out twice only if it was not known whether it had; the message about what was
    left unfinished never does."""
    attempts = defaultdict(list)
    for tell in history.tells:
        attempts[tell.notice].append(tell)
    for notice, tells in attempts.items():
        sent = [tell for tell in tells if tell.yes]
        if len(sent) > OUTBOX_ATTEMPTS_MAX:
            yield f"notice {notice} was sent {len(sent)} times"
        if len(sent) > 1 and sent[0].fact == "left_unfinished":
            yield f"{sent[0].member} was told twice that something was left unfinished"
        for tell in sent[:-1]:
            if not tell.hurt and tell.took_ms < OUTBOX_LEASE_S * 1000:
                yield f"notice {notice} was sent again, though nothing had gone wrong"


def _no_pin(history: History) -> Iterator[str]:
    """No PIN lies, or goes, where it does not belong."""
    yield from (f"a PIN {where}" for where in [*history.leaks, *history.books.leaks])


def _a_repeat_changes_nothing(history: History) -> Iterator[str]:
    """Where a network names its hops, all copies of one get the same bytes, unless the worker of
    one of them slept for longer than it may hold the hop; and a copy that comes after a later hop,
    or a later dial, changes nothing."""
    copies: dict[tuple[str, int], list[Answered]] = defaultdict(list)
    for one in history.answered:
        # "The session was cut" is no apology for a store, where nothing was forgotten.
        unavailable = one.sorry and not is_cut(one.text)
        if one.hop.exact and not one.hop.newer and not unavailable:
            copies[one.hop.session, one.hop.number].append(one)
        if one.hop.exact and one.hop.outrun and one.hop.orders:
            yield f"an outdated copy of {one.hop.session}/{one.hop.number} gave an order"
        remembered = history.remembered(one.hop.dialled, one.moment)
        if one.hop.exact and one.hop.outrun and one.hop.saved and remembered:
            yield f"an outdated copy of {one.hop.session}/{one.hop.number} changed its session"
    for (session, number), answers in copies.items():
        first, *others = sorted(answers, key=lambda one: one.at_ms)
        # Who slept longer than that was overtaken, and two copies may have asked the bank.
        slept = any(one.at_ms - one.hop.began_ms > CLAIM_LEASE_MS for one in answers)
        for other in others:
            same = other.text == first.text and other.ends == first.ends
            same |= slept and _say_the_same(first, other)
            soon = other.at_ms - first.at_ms < _SAME_BYTES_MS
            # The first to answer may have begun last.
            began = min(first.hop.began, other.hop.began)
            remembered = soon and history.remembered(began, other.moment)
            if remembered and not same:
                yield f"copies of {session}/{number} were answered differently"


def _shown_is_kept(history: History) -> Iterator[str]:
    """A screen that wants an answer goes out only when its answer will be understood."""
    kept = [one for one in history.answered if (one.hop.session, one.hop.number) in history.kept]
    # Where a network does not count, an answer may be taken for a repeat of one that looks alike.
    known = {(one.hop.session, one.text) for one in kept}
    for one in history.answered:
        hop = one.hop
        # What the bank has decided, or made sure that it never will be done, is said, also where it
        # cannot be kept.
        decided = hop.orders or (hop.pin and hop.keys)
        if not ((hop.session, one.text) in known or decided or one.ends or one.sorry):
            yield f"{hop.session}/{hop.number} was shown, and nobody kept it"


def _nobody_is_stuck(history: History) -> Iterator[str]:
    """Under a clear sky one clean session brings an order to its end."""
    for last in history.lasts:
        if last.said not in {"done", "locked"} and not last.refused:
            yield f"{last.member} came no further than {last.said}: {last.text!r}"


def _no_fault_inside(history: History) -> Iterator[str]:
    """Whatever goes wrong outside, inside nothing unexpected is raised."""
    yield from history.faults


def _the_hop_tells(history: History) -> Iterator[str]:
    """Whatever copy of the hop that moved money is answered says so, also where Redis forgot."""
    for posting in history.postings:
        of_hop = [
            one
            for one in history.answered
            if (one.hop.session, one.hop.number) == (posting.session, posting.number)
        ]
        # A copy that waited gets the bytes of the one that asked the bank.
        saying = {one.text for one in of_hop if any(_says(told, posting) for told in one.hop.told)}
        for one in of_hop:
            soon = one.at_ms - posting.at_ms < _SAME_BYTES_MS and one.moment > posting.moment
            if soon and one.hop.exact and not one.sorry and one.text not in saying:
                yield f"{posting.session}/{posting.number} did not tell of its own order"


def _the_next_dial_tells(history: History) -> Iterator[str]:
    """Who gave an order and has read nothing of it reads at the next dial what became of it: unless
    Redis forgot, or more was dialled than the short code."""
    for posting in history.postings:
        if not posting.session:
            continue
        first = _next_dial(history, _sender(history, posting), posting)
        if first is None or first.sorry or not first.hop.plain:
            continue
        late = first.at_ms - posting.at_ms > _REMEMBERED_MS
        if late or not history.remembered(history.minted[posting.key], first.moment):
            continue
        read = (told for told in history.told if told.seen and told.moment < first.moment)
        told = [*first.hop.told, *read]
        if not any(_says(one, posting) for one in told):
            yield f"{first.hop.session} said nothing of op. {posting.reference}"


RULES: dict[str, Callable[[History], Iterator[str]]] = {
    "money is conserved": _money_is_conserved,
    "at most once": _at_most_once,
    "said, so done": _said_is_so,
    "denied, so not done": _denied_is_so,
    "the hop tells": _the_hop_tells,
    "the next dial tells": _the_next_dial_tells,
    "everybody learns": _everybody_learns,
    "told twice only in doubt": _told_twice_only_in_doubt,
    "no PIN": _no_pin,
    "a repeat changes nothing": _a_repeat_changes_nothing,
    "shown, so kept": _shown_is_kept,
    "nobody is stuck": _nobody_is_stuck,
    "no fault inside": _no_fault_inside,
    "in turn at each account": in_turn_at_each_account,
    "one write in flight": one_write_in_flight,
    "funds are spent once": funds_are_spent_once,
    "no hop waits for the core": no_hop_waits_for_the_core,
}


# ---- Who is who ------------------------------------------------------------------------------


def _sender(history: History, posting: Posting) -> str:
    return history.owners.get(posting.source, posting.source)


def _account_of(history: History, member: str) -> str:
    accounts = {owner: account for account, owner in history.owners.items()}
    return accounts.get(member, "")


def _undone(history: History) -> Iterator[Posting]:
    """What people at the core took back."""
    return (one for one in history.postings if one.key in history.undone)


def _sides(posting: Posting, told: Told) -> tuple[str, ...]:
    return (posting.target,) if told.received else (posting.source,)


def _who(told: Told) -> str:
    return f"{told.member} ({'SMS' if told.by == 'sms' else 'screen'})"


def _is_about(history: History, denial: Told, posting: Posting) -> bool:
    """Whether a denial speaks of this posting: by its key where the gateway looked one up, and by
    its amount, which every intent has for its own. The same words may say that another one, of the
    same amount, was done or is under way."""
    beside = (one for one in history.told if one.moment == denial.moment)
    if any(_says(one, posting) for one in beside):
        return False
    if denial.keys:
        return posting.key in denial.keys and denial.centimos in {0, posting.centimos}
    same = posting.centimos == denial.centimos and _sender(history, posting) == denial.member
    alone = history.intended[denial.member, posting.target, posting.centimos] == 1
    return same and alone


def _heard(history: History, posting: Posting, moment: int) -> bool:
    """Whether the sender had been told of a posting by then, and it had reached them."""
    return any(
        told.seen
        and told.moment <= moment
        and not told.received
        and told.reference == posting.reference
        for told in history.told
    )


def _untold(history: History, posting: Posting, denial: Told) -> bool:
    """Whether a denial leaves out what its member has no other words for: a posting that nobody has
    told them, though Redis forgot nothing, or one that came after the denial had become true, when
    that could be seen."""
    told = (
        one
        for one in history.told
        if one.moment < denial.moment and not one.received and _says(one, posting)
    )
    outdated = denial.became < posting.moment < denial.looked
    known = _was_known(history, posting, denial)
    return outdated or (posting.moment < denial.became and not any(told) and known)


def _seems_to_be(history: History, posting: Posting, denial: Told) -> bool:
    """Whether a denial that names no order has to be taken for one of this: Redis forgot nothing,
    and its member has not read that this one is under way. A draft that came to no confirm screen
    has no key; beside an order with the core it is another one, of the same amount."""
    read = any(
        told.seen and told.moment < denial.moment and not told.received and _says(told, posting)
        for told in history.told
    )
    return not read and _was_known(history, posting, denial)


def _was_known(history: History, posting: Posting, denial: Told) -> bool:
    """Whether Redis forgot nothing from the screen that an order was confirmed on to a denial."""
    return history.remembered(history.minted.get(posting.key, 0), denial.moment)


def _says(told: Told, posting: Posting) -> bool:
    """Whether words say of a posting that it was done, or is under way."""
    pending = told.what is What.PENDING and posting.key in told.keys
    return told.reference == posting.reference or pending


def _say_the_same(one: Answered, other: Answered) -> bool:
    """Whether two screens say of the same orders that they were done or are under way: the bank
    answers one copy of a hop, and tells the other that it is being asked."""
    keys = [{key for told in each.hop.told for key in told.keys} for each in (one, other)]
    sure = {What.DONE, What.PENDING}
    return keys[0] == keys[1] and all(
        {told.what for told in each.hop.told} <= sure and each.hop.told for each in (one, other)
    )


def _next_dial(history: History, member: str, posting: Posting) -> Answered | None:
    """The first answer to the first hop that the member sent in another session after a posting."""
    dials = [
        one
        for one in history.answered
        if one.hop.member == member and one.hop.dialled > posting.moment
    ]
    return min(dials, key=lambda one: one.hop.began, default=None)


def _end_told(history: History, key: str) -> bool:
    return any(
        told.seen and told.what in {What.DENIED, What.OFFERED} and key in told.keys
        for told in history.told
    )
