"""Every sentence of a book, with what it may name where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.dialog.book import Book, Condition, Journey, Menu, Say, Slot
from gateway.dialog.checker.declared import Declared, Scope, Supply, scope
from gateway.dialog.checker.supplied import FACTS, SENTENCES
from gateway.dialog.kinds import KINDS, Kind

MEMBER: Scope = {"member": Supply("member")}


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said somewhere.

    Args:
        screen: where: `home`, `send/amount`, `words/bye`.
        say: its wordings.
        known: what it may name; None where an unknown operation would have to say.
        given: what holds whenever it is said.
        partial: of its wordings, the first whose names are all known is said, whatever they are.
    """

    screen: str
    say: Say
    known: Scope | None
    given: Condition | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the texts of one journey may name, from its beginning to its end."""

    journey: Journey
    operations: Mapping[str, Declared]

    def before(self, slot: Slot) -> dict[str, Supply]:
        """When this slot is asked: the member, and the slots before it."""
        before = self.journey.slots[: self.journey.slots.index(slot)]
        return {**MEMBER, **{each.name: _supply(each) for each in before}}

    def filled(self) -> dict[str, Supply]:
        """When every slot is filled."""
        return {**MEMBER, **{slot.name: _supply(slot) for slot in self.journey.slots}}

    def quoted(self) -> dict[str, Supply] | None:
        """When what it costs is known, too."""
        return self._with_results(self.filled(), self.journey.quote)

    def done(self) -> dict[str, Supply] | None:
        """When it has happened."""
        quoted = self.quoted()
        return None if quoted is None else self._with_results(quoted, self.journey.do)

    def row(self) -> dict[str, Supply] | None:
        """In each line of its list."""
        operation = self.operations.get(self.journey.do)
        return scope(operation.rows or {}) if operation else None

    def refused(self, code: str) -> dict[str, Supply] | None:
        """When the quote or the operation refused with this code: what both would know."""
        knowns = []
        if (quote := self._refuses(self.journey.quote, code)) is not None:
            knowns.append({**self.filled(), **scope(quote)})
        quoted = self.quoted()
        knowns += [
            {**self.before(slot), **scope(checked)}
            for slot in self.journey.slots
            if (checked := self._refuses(slot.check, code)) is not None
        ]
        if quoted is not None and (refused := self._refuses(self.journey.do, code)) is not None:
            knowns.append({**quoted, **scope(refused)})
        return _of_both(knowns) if knowns else self.filled()

    def _refuses(self, operation: str | None, code: str) -> Mapping[str, str] | None:
        declared = self.operations.get(operation or "")
        return declared.refusals.get(code) if declared else None

    def _with_results(
        self, known: dict[str, Supply], operation: str | None
    ) -> dict[str, Supply] | None:
        if operation is None:
            return known
        declared = self.operations.get(operation)
        return {**known, **scope(declared.gives)} if declared else None


def sentences(book: Book, operations: Mapping[str, Declared]) -> Iterator[Sentence]:
    """Every sentence, menus first."""
    for menu in book.menus.values():
        yield from _of_menu(menu, operations)
    for journey in book.journeys.values():
        yield from _of_journey(journey, Known(journey, operations))
    for name, say in book.words.sentences.items():
        yield Sentence(f"words/{name}", say, said_with(name, operations))
    for name, say in book.receipts.items():
        yield Sentence(f"receipts/{name}", say, scope(FACTS.get(name, {})))


def said_with(name: str, operations: Mapping[str, Declared]) -> dict[str, Supply]:
    """What the sentence of that name may name: its own figures, or those of the refusal of a typed
    answer."""
    if name in SENTENCES:
        return scope(SENTENCES[name])
    found = [
        scope(declared.refusals[name])
        for kind in KINDS.values()
        if (declared := operations.get(kind.resolve or "")) and name in declared.refusals
    ]
    return _of_both(found) if found else {}


def misread(kind: Kind, operations: Mapping[str, Declared]) -> tuple[str, ...]:
    """Every sentence that may say why an answer is no value of this kind."""
    resolve = operations.get(kind.resolve or "")
    return (*kind.misread, *(resolve.refusals if resolve else ()))


def menu_scope(menu: Menu, operations: Mapping[str, Declared]) -> Scope | None:
    """What a menu's text and options may name."""
    if menu.data is None:
        return MEMBER
    declared = operations.get(menu.data)
    return {**MEMBER, **scope(declared.gives)} if declared else None


def _of_menu(menu: Menu, operations: Mapping[str, Declared]) -> Iterator[Sentence]:
    known = menu_scope(menu, operations)
    yield Sentence(menu.name, menu.say, known)
    for option in menu.options:
        yield Sentence(menu.name, option.label, known, given=option.only_when)
    declared = operations.get(menu.data or "")
    for code, refusal in menu.refused.items():
        figures = declared.refusals.get(code, {}) if declared else {}
        yield Sentence(f"{menu.name}/{code}", refusal.say, {**MEMBER, **scope(figures)})


def _of_journey(journey: Journey, known: Known) -> Iterator[Sentence]:
    name = journey.name
    for slot in journey.slots:
        before = known.before(slot)
        offered = {**before, "offers": Supply("number")}
        yield Sentence(f"{name}/{slot.name}", slot.ask, offered, given=slot.only_when)
        for ending in slot.ends.values():
            yield Sentence(f"{name}/{slot.name}", ending, before, given=slot.only_when)
        for choice in slot.choices:
            yield Sentence(f"{name}/{slot.name}", choice.label, before, given=slot.only_when)
    for place, say, supplied in (
        ("confirm", journey.confirm, known.quoted()),
        ("done", journey.done, known.done()),
        ("none", journey.none, known.quoted()),
        ("help", journey.help, MEMBER),
    ):
        if say is not None:
            yield Sentence(f"{name}/{place}", say, supplied)
    if journey.draft is not None:
        yield Sentence(f"{name}/draft", journey.draft, known.quoted(), partial=True)
    for kind, way in (journey.rows.ways if journey.rows else {}).items():
        yield Sentence("/".join(filter(None, (name, "rows", kind))), way, known.row())
    for code, refusal in journey.refused.items():
        yield Sentence(f"{name}/{code}", refusal.say, known.refused(code))


def _supply(slot: Slot) -> Supply:
    kind = slot.type
    if kind == "choice":
        kind = "".join(f"{choice.value}|" for choice in slot.choices)
    return Supply(kind, only_when=slot.only_when)


def _of_both(knowns: list[dict[str, Supply]]) -> dict[str, Supply]:
    """What is supplied in the one case and in the other: sure only where both are."""
    merged: dict[str, Supply] = {}
    for known in knowns:
        for name, supply in known.items():
            sure = all(name in each and not each[name].optional for each in knowns)
            merged[name] = Supply(supply.kind, optional=not sure, only_when=supply.only_when)
    return merged
