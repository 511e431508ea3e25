"""Recompute every seal from the rows, and say what is not as it was sealed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.audit.lines import line_queries
from gateway.bounds import AUDIT_FINDINGS_MAX
from gateway.db.reading import Snapshot

MARK_BYTES = 8  # of each line's SHA-256
_NOTHING_BEFORE = hashlib.sha256(b"").digest()
_TOLD_EVERY_LINES = 50_000

# Not a function of the database's, which its owner could have changed.
_SEALS = (
    "select number, from_xact, through_xact, sealed_at, previous, hash from audit.seal order by 1"
)
_PARTS = (
    "select number, kind, lines, digest, sha256(marks) from audit.part"
    ' order by number, kind collate "C"'
)
_PARTS_OF = "select number, lines, digest from audit.part where kind = %s order by 1"
_MARKS = "select marks from audit.part where number = %s and kind = %s"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed.

    Args:
        what: `line_changed`, `line_missing`, `line_added`, `seal_changed`, `seal_missing`,
            `chain_broken`, `head_unknown`.
        seal: the number of the seal in whose period it is; None where it is of none.
        kind: of line; empty where it is about a seal.
        row: the line as it is now; of a missing one, what it stood behind.
    """

    what: str
    seal: int | None
    kind: str = ""
    row: str = ""


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal as the database has it."""

    number: int
    from_xact: int
    through_xact: int
    sealed_at: dt.datetime
    previous: bytes
    hash: bytes

    def recomputed(self, parts: Sequence[tuple[Any, ...]]) -> bytes:
        """The hash that these numbers, and these rows of `_PARTS`, have."""
        at = self.sealed_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        words = ["chaski seal 1", self.number, self.from_xact, self.through_xact, at]
        lines = [
            f"{kind} {count} {digest.hex()} {marks.hex()}"
            for _, kind, count, digest, marks in parts
        ]
        text = "\n".join([*map(str, words), self.previous.hex(), *lines]) + "\n"
        return hashlib.sha256(text.encode()).digest()


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what was found. `unsealed`: lines that no seal covers yet."""

    seals: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    unsealed: int = 0
    head: Seal | None = None
    findings: list[Finding] = field(default_factory=list)
    more: int = 0  # findings beyond those that are kept

    @property
    def ok(self) -> bool:
        """Whether everything is as it was sealed."""
        return not self.findings

    def find(self, finding: Finding) -> None:
        """Keep it, or count it."""
        if len(self.findings) < AUDIT_FINDINGS_MAX:
            self.findings.append(finding)
        else:
            self.more += 1


Tell = Callable[[str], object]


def verify(snapshot: Snapshot, tell: Tell, heads: Sequence[str] = ()) -> Verdict:
    """Look at everything that was ever sealed.

    Args:
        tell: is told from time to time how far it is.
        heads: hashes, in hex, that were kept elsewhere: each must be a seal's.
    """
    verdict = Verdict()
    seals = [Seal(*row) for row in snapshot.rows(_SEALS)]
    _look_at_chain(snapshot, seals, verdict)
    known = {seal.hash.hex() for seal in seals}
    for head in heads:
        if head.strip().lower() not in known:
            verdict.find(Finding("head_unknown", None, row=head))
    verdict.seals, verdict.head = len(seals), seals[-1] if seals else None
    for kind, query in line_queries().items():
        _look_at_lines(snapshot, kind, query, seals, verdict, tell)
    return verdict


def _look_at_chain(snapshot: Snapshot, seals: Sequence[Seal], verdict: Verdict) -> None:
    """Each seal is as it was written, and stands on the one before it."""
    number, through, previous = 0, 0, _NOTHING_BEFORE
    kinds = list(line_queries())
    parts = _Parts(snapshot.rows(_PARTS))
    for seal in seals:
        if seal.number != number + 1:
            verdict.find(Finding("seal_missing", number + 1))
        elif (seal.from_xact, seal.previous) != (through, previous):
            verdict.find(Finding("chain_broken", seal.number))
        own = parts.of(seal.number)
        if seal.recomputed(own) != seal.hash or [part[1] for part in own] != kinds:
            verdict.find(Finding("seal_changed", seal.number))
        number, through, previous = seal.number, seal.through_xact, seal.hash


class _Parts:
    """Rows that begin with a seal's number, in that order, read as the seals are walked: there are
    millions of them after some years."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, number: int) -> list[tuple[Any, ...]]:
        """The seal's; those of a seal that is not there are passed over."""
        own = []
        while self._next is not None and self._next[0] <= number:
            if self._next[0] == number:
                own.append(self._next)
            self._next = next(self._rows, None)
        return own


def _look_at_lines(
    snapshot: Snapshot,
    kind: str,
    query: str,
    seals: Sequence[Seal],
    verdict: Verdict,
    tell: Tell,
) -> None:
    """All lines of one kind, seal by seal, in one pass."""
    lines = _Lines(snapshot, kind, query, tell)
    parts = _Parts(snapshot.rows(_PARTS_OF, (kind,)))
    for seal in seals:
        there = lines.below(seal.through_xact)
        part = next(iter(parts.of(seal.number)), None)
        for finding in _compared(snapshot, seal.number, kind, part, there):
            verdict.find(finding)
    sealed = lines.read
    verdict.unsealed += sum(1 for _ in lines.rest())
    verdict.lines[kind] = sealed


class _Lines:
    """A stream of lines in the order of their transactions, cut at the seals."""

    def __init__(self, snapshot: Snapshot, kind: str, query: str, tell: Tell) -> None:
        ordered = f"select xact, line from ({query}) as lines order by xact, line"  # noqa: S608 # nosec B608 - ours
        self._rows = snapshot.rows(ordered)
        self._kind, self._tell = kind, tell
        self._next = next(self._rows, None)
        self.read = 0

    def below(self, xact: int) -> Iterator[str]:
        """The lines up to that transaction that were not read yet."""
        while self._next is not None and self._next[0] < xact:
            yield self._take(self._next[1])

    def rest(self) -> Iterator[str]:
        """All that follows."""
        while self._next is not None:
            yield self._take(self._next[1])

    def _take(self, line: str) -> str:
        self._next = next(self._rows, None)
        self.read += 1
        if self.read % _TOLD_EVERY_LINES == 0:
            self._tell(f"{self._kind}: {self.read} lines")
        return line


def _compared(
    snapshot: Snapshot,
    seal: int,
    kind: str,
    part: tuple[Any, ...] | None,
    lines: Iterator[str],
) -> Iterator[Finding]:
    """The lines of a period against what its seal says. Which of them differ is looked for only
    where they do."""
    whole, there = hashlib.sha256(), list[str]()
    for line in lines:
        whole.update(f"{line}\n".encode())
        there.append(line)
    if part is None or part[1:] == (len(there), whole.digest()):
        return  # a part that is not there was found with the chain
    ((marks,),) = snapshot.rows(_MARKS, (seal, kind))
    findings = list(_differences(seal, kind, _each(marks), there))
    # Where each line is as it was marked, it is the seal that is not.
    yield from findings or [Finding("seal_changed", seal, kind)]


def _each(marks: bytes) -> list[bytes]:
    """The lines' marks, in their order."""
    return [marks[at : at + MARK_BYTES] for at in range(0, len(marks), MARK_BYTES)]


def _differences(
    seal: int, kind: str, marks: Sequence[bytes], lines: Sequence[str]
) -> Iterator[Finding]:
    now = [_mark(line) for line in lines]
    lost = Counter(marks) - Counter(now)
    strange = Counter(now) - Counter(marks)
    as_many = lost.total() == strange.total()  # a line for a line: changed
    for line, mark in zip(lines, now, strict=True):
        if strange[mark] > 0:
            strange[mark] -= 1
            yield Finding("line_changed" if as_many else "line_added", seal, kind, line)
    if as_many:
        return
    known = dict(zip(now, lines, strict=True))
    behind = "the beginning of the period"
    for mark in marks:
        if lost[mark] > 0:
            lost[mark] -= 1
            yield Finding("line_missing", seal, kind, f"behind {behind}")
        behind = known.get(mark, behind)


def _mark(line: str) -> bytes:
    return hashlib.sha256(f"{line}\n".encode()).digest()[:MARK_BYTES]
