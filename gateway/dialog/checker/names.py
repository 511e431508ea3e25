"""What a book names exists, and says all that it has to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.dialog.book import Book, Journey, Menu, Refusal, Slot, Variant, parts
from gateway.dialog.checker.declared import Declared, known_values
from gateway.dialog.checker.sentences import misread
from gateway.dialog.checker.supplied import ANYWHERE, FACTS, SENTENCES
from gateway.dialog.checker.told import fault, unknown
from gateway.dialog.kinds import KINDS
from gateway.dialog.phrase import placeholders
from gateway.dialog.yaml_lines import Fault


def faults(book: Book, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    """Names that nothing has, and things that nothing names."""
    for menu in book.menus.values():
        yield from _menu(book, menu, operations)
    for journey in book.journeys.values():
        yield from _Journey(journey, operations).faults()
    yield from _sentences(book, operations)
    yield from _receipts(book)


# ---- Menus ---------------------------------------------------------------------------------------


def _menu(book: Book, menu: Menu, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    for option in menu.options:
        if option.go not in book.menus and option.go not in book.journeys:
            targets = book.menus.keys() | book.journeys.keys()
            yield unknown(option.at, option.go, "menu or journey", targets, screen=menu.name)
        elif option.given and option.go in book.menus:
            at = option.lines.get("given", option.at)
            yield fault(at, "a menu has no slots to be given", screen=menu.name)
        elif option.given:
            at = option.lines.get("given", option.at)
            yield from _given(book.journeys[option.go], option.given, at, menu.name)
    yield from _data(menu, operations)


def _data(menu: Menu, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    """A menu's operation, and what is told when it refuses."""
    at, refusals = menu.lines.get("data", menu.at), frozenset[str]()
    if menu.data is not None:
        declared = operations.get(menu.data)
        if declared is None:
            yield unknown(at, menu.data, "operation", operations, screen=menu.name)
            return
        refusals = frozenset(declared.refusals)
        for name in _needed(declared):
            what = f"`{menu.data}` needs `{name}`, and a menu has no slots"
            yield fault(at, what, screen=menu.name)
    yield from _refusals(menu.refused, refusals, menu.name, at)
    for code, refusal in menu.refused.items():
        if refusal.ask or refusal.again:
            what = "a menu can only tell why it refuses"
            yield fault(refusal.at, what, screen=f"{menu.name}/{code}")


def _given(journey: Journey, given: Mapping[str, str], at: str, screen: str) -> Iterator[Fault]:
    """Slots that are filled beforehand: of those that have a list of their own."""
    slots = {slot.name: slot for slot in journey.slots}
    for name, value in given.items():
        if name not in slots:
            yield unknown(at, name, f"slot of `{journey.name}`", slots, screen=screen)
            continue
        values = [choice.value for choice in slots[name].choices]
        if not values:
            what = f"`{name}` cannot be given: only a `choice` can"
            yield fault(at, what, screen=screen)
        elif value not in values:
            yield unknown(at, value, f"choice of `{name}`", values, screen=screen)


# ---- Journeys ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Journey:
    """One journey under the eye."""

    journey: Journey
    operations: Mapping[str, Declared]

    def faults(self) -> Iterator[Fault]:
        journey = self.journey
        for key in ("quote", "do"):
            name = journey.quote if key == "quote" else journey.do
            if name is not None and name not in self.operations:
                at = self.line(key)
                yield unknown(at, name, "operation", self.operations, screen=journey.name)
            elif name is not None and self.operations[name].secret:
                what = f"`{name}` checks what is typed for a secret"
                mend = "name it in the `check:` of a slot of the type `secret`"
                yield fault(self.line(key), what, screen=journey.name, mend=mend)
        for slot in journey.slots:
            yield from self.slot(slot)
        for key, given in (("sms_alone", journey.sms_alone), ("sms_values", journey.sms_values)):
            yield from _given(journey, given, self.line(key), journey.name)
        yield from self.taken()
        yield from self.refusals()
        yield from self.rows()

    def line(self, key: str) -> str:
        return self.journey.lines.get(key, self.journey.at)

    def declared(self, name: str | None) -> Declared | None:
        return self.operations.get(name or "")

    def slot(self, slot: Slot) -> Iterator[Fault]:
        screen, at = f"{self.journey.name}/{slot.name}", slot.lines.get("type", slot.at)
        kind = KINDS.get(slot.type)
        if kind is None:
            yield unknown(at, slot.type, "type of slot", KINDS, screen=screen)
            return
        if slot.type == "choice" and not slot.choices:
            mend = "add `choices:`"
            yield fault(at, "there is nothing to choose from", screen=screen, mend=mend)
        if slot.type != "choice" and slot.choices:
            at = slot.lines.get("choices", slot.at)
            yield fault(at, f"a `{slot.type}` has no choices of its own", screen=screen)
        for operation in filter(None, (kind.offers, kind.resolve)):
            if operation not in self.operations:
                what = f"a `{slot.type}` needs the operation `{operation}`"
                yield fault(at, f"{what}, which the bank does not have", screen=screen)
        yield from self.secret(slot, secret=kind.secret)
        yield from self.ends(slot)
        if not self.used(slot):
            what = f"nothing uses `{slot.name}`"
            yield fault(slot.at, what, screen=screen, mend="leave the slot out")

    def secret(self, slot: Slot, *, secret: bool) -> Iterator[Fault]:
        """A secret has an operation that it goes to, and is never the condition of anything."""
        screen, at = f"{self.journey.name}/{slot.name}", slot.lines.get("check", slot.at)
        if not secret and slot.check is not None:
            what = f"a `{slot.type}` is kept as it is: only a `secret` is checked at once"
            yield fault(at, what, screen=screen, mend="leave out `check:`")
        if not secret:
            return
        declared = self.operations.get(slot.check or "")
        if slot.check is None:
            what = "nothing takes what is typed here, and a secret is not kept"
            yield fault(slot.at, what, screen=screen, mend="add `check:`")
        elif declared is None:
            yield unknown(at, slot.check, "operation", self.operations, screen=screen)
        elif not declared.secret:
            what = f"`{slot.check}` does not check a secret"
            checks = sorted(name for name, each in self.operations.items() if each.secret)
            yield fault(at, what, screen=screen, mend=f"known are {', '.join(checks)}")
        if slot.only_when is not None:
            what = "a secret is always asked: nobody could see why it was not"
            yield fault(slot.only_when.at or slot.at, what, screen=screen)
        if self.journey.sms:
            what = "an SMS stays in the phone: nothing secret may be sent in one"
            at = self.journey.lines.get("sms", self.journey.at)
            yield fault(at, what, screen=screen, mend="leave out `sms:`")

    def ends(self, slot: Slot) -> Iterator[Fault]:
        """Choices that end the journey: some of those that there are, and not all."""
        screen, at = f"{self.journey.name}/{slot.name}", slot.lines.get("ends", slot.at)
        choices = [choice.value for choice in slot.choices]
        for value in slot.ends:
            if value not in choices:
                yield unknown(at, value, "choice", choices, screen=screen)
        if choices and set(choices) <= slot.ends.keys():
            yield fault(at, "every choice ends the journey", screen=screen)

    def used(self, slot: Slot) -> bool:
        """Whether an operation takes the slot, or a text or a condition names it. Where an
        operation is unknown, nobody can tell."""
        kinds = [KINDS[each.type] for each in self.journey.slots if each.type in KINDS]
        names = [self.journey.quote, self.journey.do, *(kind.offers for kind in kinds)]
        names += [each.check for each in self.journey.slots]
        operations = [self.declared(name) for name in names if name]
        if not all(operations):
            return True
        conditions = [other.only_when for other in self.journey.slots]
        variants = list(parts(self.journey, Variant))
        conditions += [variant.only_when for variant in variants]
        named = {condition.name for condition in conditions if condition}
        named |= {name for variant in variants for name in placeholders(variant.text)}
        heads = {name.partition(".")[0] for name in named}
        return slot.name in heads or any(
            declared and slot.name in declared.takes for declared in operations
        )

    def taken(self) -> Iterator[Fault]:
        """Every operation gets what it takes."""
        quote, do = self.declared(self.journey.quote), self.declared(self.journey.do)
        slots = self.journey.slots
        if quote is not None:
            yield from self.takes(quote, slots, {}, self.line("quote"))
        if do is not None and (quote is not None or self.journey.quote is None):
            yield from self.takes(do, slots, quote.gives if quote else {}, self.line("do"))
        for number, slot in enumerate(slots):
            offers = self.declared(KINDS[slot.type].offers) if slot.type in KINDS else None
            if offers is not None:
                yield from self.takes(offers, slots[:number], {}, slot.at)
            if (check := self.declared(slot.check)) is not None:
                at = slot.lines.get("check", slot.at)
                yield from self.takes(check, slots[:number], {}, at)

    def takes(
        self, operation: Declared, slots: Iterable[Slot], quoted: Mapping[str, str], at: str
    ) -> Iterator[Fault]:
        screen, known = self.journey.name, {slot.name: slot for slot in slots}
        for name, kind in operation.takes.items():
            needed, slot = not kind.endswith("?"), known.get(name)
            if slot is not None:
                yield from self.fits(operation, slot, kind.removesuffix("?"), needed=needed)
            elif needed and name not in quoted:
                what = f"`{operation.name}` needs the slot `{name}`"
                mend = f"add it, of the type `{kind}`, before it is needed"
                yield fault(at, what, screen=screen, mend=mend)

    def fits(self, operation: Declared, slot: Slot, kind: str, *, needed: bool) -> Iterator[Fault]:
        """A slot holds what the operation takes under that name."""
        screen, values = f"{self.journey.name}/{slot.name}", known_values(kind)
        if values and slot.type == "choice":
            for choice in slot.choices:
                if choice.value not in values:
                    at = choice.label.variants[0].at if choice.label.variants else slot.at
                    what = f"choice for `{operation.name}`"
                    yield unknown(at, choice.value, what, values, screen=screen)
        elif slot.type != kind and kind != "text" and slot.type in KINDS:
            at = slot.lines.get("type", slot.at)
            what = f"`{operation.name}` takes `{slot.name}` as a `{kind}`, not a `{slot.type}`"
            yield fault(at, what, screen=screen)
        if needed and slot.only_when is not None:
            what = f"`{operation.name}` needs `{slot.name}` always"
            at = slot.only_when.at or slot.at
            yield fault(at, what, screen=screen, mend="leave out its `only_when:`")

    def refusals(self) -> Iterator[Fault]:
        journey = self.journey
        declared = [self.declared(name) for name in (journey.quote, journey.do) if name]
        if all(declared):
            codes = frozenset(code for each in declared if each for code in each.refusals)
            checks = [self.declared(slot.check) for slot in journey.slots if slot.check]
            told = {code for each in checks if each for code in each.refusals} - SENTENCES.keys()
            codes |= told
            at = self.line("do")
            yield from _refusals(journey.refused, codes, journey.name, at)
        for code, refusal in journey.refused.items():
            yield from self.refusal(code, refusal)

    def refusal(self, code: str, refusal: Refusal) -> Iterator[Fault]:
        """Where a refusal goes on."""
        screen = f"{self.journey.name}/{code}"
        if (code == "again") != refusal.again:
            what = "`again: yes` belongs to the refusal `again`, and to no other"
            at = refusal.lines.get("again", refusal.at)
            yield fault(at, what, screen=screen)
        if refusal.ask is None:
            return
        at = refusal.lines.get("ask", refusal.at)
        slots = {slot.name: slot for slot in self.journey.slots}
        slot = slots.get(refusal.ask)
        if slot is None:
            yield unknown(at, refusal.ask, "slot to ask again", slots, screen=screen)
            return
        if slot.only_when is not None:
            what = f"`{slot.name}` is not always asked: who comes another way is refused for ever"
            yield fault(at, what, screen=screen, mend="leave out `ask:`")
        if slot.type in KINDS and KINDS[slot.type].alone:
            what = f"`{slot.name}` is taken unasked where there is only one: refused for ever"
            yield fault(at, what, screen=screen, mend="leave out `ask:`")

    def rows(self) -> Iterator[Fault]:
        """A list is written whole, and its emptiness is said."""
        journey, declared = self.journey, self.declared(self.journey.do)
        if declared is None:
            return
        if declared.rows is None:
            for key, there in (("rows", journey.rows), ("none", journey.none)):
                if there is not None:
                    what = f"`{declared.name}` has no list for `{key}:`"
                    yield fault(self.line(key), what, screen=journey.name)
            return
        if journey.none is None:
            what = "nothing is said of an empty list"
            yield fault(self.line("do"), what, screen=journey.name, mend="add `none:`")
        if journey.rows is None:
            what = f"the list of `{declared.name}` is not shown"
            yield fault(self.line("do"), what, screen=journey.name, mend="add `rows:`")
            return
        yield from self.ways(declared.rows, journey.rows.ways.keys())

    def ways(self, row: Mapping[str, str], ways: Iterable[str]) -> Iterator[Fault]:
        kinds, at = known_values(row.get("kind", "")), self.line("rows")
        for way in ways:
            if way and way not in kinds:
                variants = list(parts(self.journey.rows, Variant))
                said = self.journey.rows.ways[way].variants if self.journey.rows else ()
                where = said[0].at if said else variants[0].at if variants else at
                screen = f"{self.journey.name}/rows"
                yield unknown(where, way, "kind of row", kinds, screen=screen)
        if "" not in ways:
            for kind in kinds:
                if kind not in ways:
                    what = f"a row of the kind `{kind}` is not shown"
                    yield fault(at, what, screen=f"{self.journey.name}/rows", mend="add it")


# ---- Refusals, sentences, receipts ---------------------------------------------------------------


def _refusals(
    refused: Mapping[str, Refusal], codes: frozenset[str], screen: str, at: str
) -> Iterator[Fault]:
    """Every refusal is said, and only those that there are."""
    for code in sorted(codes - refused.keys()):
        what = f"the refusal `{code}` is not said"
        yield fault(at, what, screen=screen, mend=f"add `{code}:` to `refused:`")
    for code in sorted(refused.keys() - codes - ANYWHERE):
        yield unknown(refused[code].at, code, "refusal", codes, screen=screen)


def sentence_names(operations: Mapping[str, Declared]) -> frozenset[str]:
    """Every sentence that the house says, for these operations."""
    named = {*SENTENCES}
    for kind in KINDS.values():
        named |= {*misread(kind, operations), *filter(None, (kind.none,))}
    return frozenset(named)


def _sentences(book: Book, operations: Mapping[str, Declared]) -> Iterator[Fault]:
    """`words:` holds what the house says, all of it and nothing else."""
    needed = sentence_names(operations)
    said, at = book.words.sentences, book.lines.get("words", "words.yaml:1")
    for name in sorted(needed - said.keys()):
        yield fault(at, f"the sentence `{name}` is missing", screen=f"words/{name}")
    for name in sorted(said.keys() - needed):
        where = book.lines.get(f"words/{name}", at)
        yield unknown(where, name, "use for the sentence", needed, screen=f"words/{name}")


def _receipts(book: Book) -> Iterator[Fault]:
    at = book.lines.get("receipts", "receipts.yaml:1")
    for name in sorted(FACTS.keys() - book.receipts.keys()):
        what = f"nothing is sent when there is a `{name}`"
        yield fault(at, what, screen=f"receipts/{name}", mend=f"add `{name}:`")
    for name in sorted(book.receipts.keys() - FACTS.keys()):
        where = book.lines.get(f"receipts/{name}", at)
        yield unknown(where, name, "fact", FACTS, screen=f"receipts/{name}")


def _needed(operation: Declared) -> Iterator[str]:
    return (name for name, kind in operation.takes.items() if not kind.endswith("?"))
