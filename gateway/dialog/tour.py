"""Every screen of a book, found by walking it: the machine itself shows them, over a pretended bank
that answers in every way that the menus have words for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from gateway.bounds import SCREEN_SEPTETS
from gateway.dialog.book import Book, Condition, Journey, Menu, Say, parts
from gateway.dialog.checker.declared import Declared, known_values
from gateway.dialog.checker.supplied import FACTS, SENTENCES
from gateway.dialog.kinds import KINDS
from gateway.dialog.machine import MORE, Machine
from gateway.dialog.phrase import fill
from gateway.dialog.pretend import PENDING, Examples, PretendedBank, Results, denied
from gateway.dialog.state import Place, State, encode
from gateway.dialog.steps import Call, Show, Step, Visit
from gateway.values.gsm import plain, septets
from gateway.values.member import MemberView
from gateway.values.outcome import Outcome, Value

_KEY = "00000000-0000-0000-0000-000000000000"  # of a money order that nobody gives
_PIN = "0000"
_EVERY_OPTION = {"choice", "language"}  # of these slots; of others the first will do


@dataclass(frozen=True, slots=True)
class Screen:
    """One page on the phone, or one SMS.

    Args:
        part: the menu, the journey, `words` or `receipts` that it belongs to.
        name: as in the log: `send/amount`.
        when: what brings it about, where that is not the plain way: `no: over_limit`.
        page: which one of `pages`, from 1.
        text: in the letters of a plain phone.
    """

    part: str
    name: str
    when: str
    page: int
    pages: int
    text: str

    @property
    def septets(self) -> int:
        """What it takes of the 160."""
        return septets(self.text)


def screens(
    book: Book, operations: Mapping[str, Declared], language: str, examples: Examples
) -> tuple[Screen, ...]:
    """Every screen in a language that the book offers, each once, by its menu or journey.

    Raises:
        LookupError: the menus name what is not there: check them first.
    """
    tour = _Tour(book, language, examples)
    for case in _cases(book, operations):
        tour.walk(case.bank(book, operations, examples), case.label)
    tour.read()
    order = list(dict.fromkeys(screen.part for screen in tour.found))
    return tuple(sorted(tour.found, key=lambda screen: order.index(screen.part)))


# ---- Every way that a sentence can go --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Case:
    """One way for the bank to answer. The label says what is special, empty for the plain one."""

    label: str
    results: Results = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    refusing: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)
    sparing: bool = False

    def bank(
        self, book: Book, operations: Mapping[str, Declared], examples: Examples
    ) -> PretendedBank:
        return PretendedBank(
            book=book,
            operations=operations,
            examples=examples,
            results=self.results,
            empty=self.empty,
            refusing=self.refusing,
            figures=self.figures,
            sparing=self.sparing,
        )


def _cases(book: Book, operations: Mapping[str, Declared]) -> list[_Case]:
    """Everything goes well; each condition that can fail; each empty list; each refusal, with its
    figures, with as few as may be, and with each that one may be."""
    used = [name for name in _used(book) if name in operations]
    cases = [_Case("")]
    for menu in book.menus.values():
        cases += _failing(menu, operations)
    for journey in book.journeys.values():
        cases += _failing(journey, operations)
    cases += [
        _Case(f"empty: {name}", empty=frozenset({name}))
        for name in used
        if operations[name].rows is not None
    ]
    for name in used:
        for code in _codes(operations[name]):
            no = _Case(f"no: {code}", refusing={name: code})
            cases += [no, replace(no, label=f"{no.label}, no figures", sparing=True)]
            cases += [
                replace(no, label=f"{no.label}, {figure} is {value}", figures={figure: value})
                for figure, kind in operations[name].refusals.get(code, {}).items()
                for value in known_values(kind)[1:]
            ]
    return cases


def _failing(part: Menu | Journey, operations: Mapping[str, Declared]) -> Iterator[_Case]:
    """For the variants of each sentence: the first fails, the first two fail, … so that each of
    them is said once. What slots decide is decided on the way."""
    gives = {name: operations[name].gives for name in _called(part) if name in operations}
    for say in parts(part, Say):
        failed: list[Condition] = []
        for condition in [variant.only_when for variant in say.variants if variant.only_when]:
            failed.append(condition)
            results = {name: _denied(failed, kinds) for name, kinds in gives.items()}
            if any(condition.name in kinds for kinds in gives.values()):
                yield _Case("without " + ", ".join(one.name for one in failed), results)


def _denied(failed: Sequence[Condition], kinds: Mapping[str, str]) -> dict[str, Value]:
    return {one.name: denied(one, kinds[one.name]) for one in failed if one.name in kinds}


def _called(part: Menu | Journey) -> list[str]:
    """The operations whose results the part's sentences may name."""
    names = [part.data] if isinstance(part, Menu) else [part.quote, part.do]
    return [name for name in names if name]


def _used(book: Book) -> list[str]:
    """Every operation that the book calls, each once, in the book's order."""
    names = [name for menu in book.menus.values() for name in _called(menu)]
    for journey in book.journeys.values():
        for slot in journey.slots:
            kind = KINDS[slot.type]
            names += [name for name in (kind.offers, kind.resolve, slot.check) if name]
        names += _called(journey)
    return list(dict.fromkeys(names))


def _codes(operation: Declared) -> list[str]:
    pin = ["wrong_pin", "pin_locked", "pin_blocked"] if operation.needs_pin else []
    pending = [PENDING] if operation.moves_money else []
    return [*sorted(operation.refusals), *pin, *pending]


# ---- The walk --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tour:
    """Dials and presses everything there is to press, and keeps each screen once."""

    book: Book
    language: str
    examples: Examples
    found: list[Screen] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def walk(self, bank: PretendedBank, label: str) -> None:
        """All screens that can be reached with this bank."""
        machine = Machine(self.book, lambda: _KEY, SCREEN_SEPTETS)
        member = self.examples.member(self.language)
        if not label:
            self._run(machine, bank, machine.dial(Visit(None, self.language)), "stranger")
            newcomer = Visit(_not_enrolled(member), self.language)
            self._run(machine, bank, machine.dial(newcomer), "not_enrolled")
        callers = [member]
        if self.book.enrolment:
            callers.append(msgspec.structs.replace(_not_enrolled(member), invited=True))
        waiting = [
            self._run(machine, bank, machine.dial(Visit(each, self.language)), label)
            for each in callers
        ]
        known: set[bytes] = set()
        while waiting:
            state = waiting.pop()
            if (place := encode(_without_way(state))) in known:
                continue
            known.add(place)
            if not label and (draft := machine.unfinished(state)):
                visit = Visit(member, self.language, draft=draft)
                self._run(machine, bank, machine.dial(visit), "dialled again")
            steps = [machine.press(state, key) for key in self._keys(state)]
            waiting += reversed([self._run(machine, bank, step, label) for step in steps])

    def read(self) -> None:
        """What stands on no screen of its own: words that stand above others, help, and SMS."""
        for name, journey in self.book.journeys.items():
            if journey.help:
                self._read(name, f"{name}/help", journey.help, {})
        for name, say in self.book.words.sentences.items():
            self._read("words", name, say, SENTENCES.get(name, {}))
        for name, say in self.book.receipts.items():
            self._read("receipts", name, say, FACTS.get(name, {}))

    def _read(self, part: str, name: str, say: Say, kinds: Mapping[str, str]) -> None:
        for variant in say.variants:
            text = self.book.words.translate(variant.text, self.language)
            shown = plain(fill(text, self.examples.scalars(kinds), self.language))
            when = f"when {variant.only_when.name}" if variant.only_when else ""
            self.found.append(Screen(part, name, when, 1, 1, shown))

    def _run(self, machine: Machine, bank: PretendedBank, step: Step, label: str) -> State:
        """Let the bank answer until there is a screen, and keep its pages."""
        state, request = step
        while isinstance(request, Call):
            outcome: Outcome = bank.perform(request)
            state, request = machine.answered(state, request, outcome)
        self._keep(machine, state, request, label)
        return state

    def _keep(self, machine: Machine, state: State, shown: Show, label: str) -> None:
        name = state.screen.strip("/")
        if (name, shown.text) in self._seen:
            return
        self._seen.add((name, shown.text))
        texts = [shown.text]
        while (step := machine.press(state, MORE))[0].page > state.page:
            state, more = step
            if isinstance(more, Show):
                texts.append(more.text)
        part = name.partition("/")[0] if "/" in name else "dial"
        self.found += [
            Screen(part, name, label, page, len(texts), text)
            for page, text in enumerate(texts, start=1)
        ]

    def _keys(self, state: State) -> list[str]:
        """What to press: every option of a menu or a choice, one example of anything else."""
        listed = [line.partition(".")[0] for line in state.options]
        match state.place:
            case Place.MENU:
                return listed
            case Place.SLOT:
                return self._answers(state, listed)
            case Place.CONFIRM:
                return listed or [_PIN]
            case Place.RESUME | Place.AGAIN:
                return ["1"]
            case Place.TOLD | Place.OVER:
                return []

    def _answers(self, state: State, listed: list[str]) -> list[str]:
        journey = self.book.journeys[state.draft.journey] if state.draft else None
        kind = journey.slot(state.slot).type if journey else ""
        if kind in _EVERY_OPTION:
            return listed
        typed = self.examples.typed.get(kind)
        return [*listed[:1], *([typed] if typed else [])]


def _without_way(state: State) -> State:
    """The state as far as it decides what follows: not how the member came here."""
    return msgspec.structs.replace(state, trail=())


def _not_enrolled(member: MemberView) -> MemberView:
    return msgspec.structs.replace(member, enrolled=False)
