"""Every screen and every SMS fits, with the longest values, in every language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gateway.bounds import PAGES_PER_ANSWER
from gateway.dialog.book import Book, Journey, Menu, Refusal, Say, Slot
from gateway.dialog.checker.declared import Declared, Supply, scope
from gateway.dialog.checker.limits import Limits
from gateway.dialog.checker.measure import Measure, Part, longest
from gateway.dialog.checker.sentences import (
    MEMBER,
    Known,
    Sentence,
    menu_scope,
    misread,
)
from gateway.dialog.checker.supplied import (
    ABOVE_CONFIRM,
    ABOVE_HOME,
    BY_SMS,
    FACTS,
    KEYS,
    LABELS,
    SENTENCES,
    TO_A_SECRET,
    TO_ANY_ANSWER,
)
from gateway.dialog.checker.told import fault, served
from gateway.dialog.kinds import KINDS
from gateway.dialog.state import Place
from gateway.dialog.yaml_lines import Fault


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, and how many pages it takes at the most."""

    screen: str
    language: str
    pages: int


def faults(book: Book, operations: Mapping[str, Declared], limits: Limits) -> Iterator[Fault]:
    """What is too long, once for each place and language: where it is longest."""
    for measure in _measures(book, operations, limits):
        if _keys(measure):
            _words(measure)
            _sms(measure)
            for menu in book.menus.values():
                _menu(measure, menu)
            for journey in book.journeys.values():
                _Journey(measure, Known(journey, operations)).screens()
        yield from (worst for _, worst in measure.found.values())


def listings(book: Book, operations: Mapping[str, Declared], limits: Limits) -> list[Listing]:
    """The lists of the book."""
    return [
        Listing(f"{journey.name}/done", measure.language, len(pages))
        for measure in _measures(book, operations, limits)
        for journey in book.journeys.values()
        if _keys(measure) and (pages := _Journey(measure, Known(journey, operations)).list_pages())
    ]


def _measures(book: Book, operations: Mapping[str, Declared], limits: Limits) -> Iterator[Measure]:
    """One for each language. Without its words the machine has no screens: that is told
    elsewhere."""
    if SENTENCES.keys() <= book.words.sentences.keys():
        everyones = book.in_every_language()
        for language in served(book):
            yield Measure(everyones, operations, limits, language)


# ---- Words, SMS ----------------------------------------------------------------------------------


def _keys(measure: Measure) -> bool:
    """Whether the line at the foot leaves room for a screen: without it there are none."""
    for foot in ("foot", "foot_home"):
        lines = [*measure.word("more"), *measure.word(foot)]
        taken = sum(part.septets for part in lines) + len("  ")
        if taken > measure.limits.keys_septets:
            measure.blame(f"words/{foot}", lines, taken, measure.limits.keys_septets)
    return not measure.found and all(measure.word(name) for name in KEYS)


def _words(measure: Measure) -> None:
    """A sentence that is a screen of its own, or stands in one, fits at least alone."""
    for name in measure.book.words.sentences:
        for part in measure.word(name) if name not in {*KEYS, *BY_SMS} else ():
            options = [f"1. {part.text}"] if name in LABELS else []
            body = [] if options else [part]
            measure.screen(f"words/{name}", measure.state(Place.TOLD, body, options), [part])


def _sms(measure: Measure) -> None:
    """Receipts, help, and what answers an SMS: one SMS each."""
    book = measure.book
    texts = [
        Sentence(f"receipts/{name}", say, scope(FACTS.get(name, {})))
        for name, say in book.receipts.items()
    ]
    texts += [
        Sentence(f"{journey.name}/help", journey.help, MEMBER)
        for journey in book.journeys.values()
        if journey.help is not None
    ]
    for sentence in texts:
        for part in measure.spoken(sentence):
            measure.sms(sentence.screen, [part])
    _answers(measure)


def _answers(measure: Measure) -> None:
    """What answers an SMS names a draft, or what was wrong with it."""
    journeys = measure.book.journeys.values()
    drafts = [_Journey(measure, Known(journey, measure.operations)) for journey in journeys]
    codes = {code for kind in KINDS.values() for code in misread(kind, measure.operations)}
    named = {
        "what": longest(part for draft in drafts for part in draft.named()),
        "problem": longest(part for code in sorted(codes) for part in measure.word(code)),
    }
    for name in BY_SMS:
        beside = [named[each] for each in SENTENCES[name] if each in named]
        for part in measure.word(name, dict.fromkeys(named, "")):
            measure.sms(f"words/{name}", [part, *beside])


# ---- Menus ---------------------------------------------------------------------------------------


def _menu(measure: Measure, menu: Menu) -> None:
    known = menu_scope(menu, measure.operations)
    labels = [
        longest(measure.spoken(Sentence(menu.name, option.label, known))) for option in menu.options
    ]
    options = [
        f"{option.key}. {label.text}" for option, label in zip(menu.options, labels, strict=True)
    ]
    at_home = menu.name == measure.book.home
    said = measure.spoken(Sentence(menu.name, menu.say, known))
    instead = [part for name in TO_ANY_ANSWER for part in measure.word(name)]
    for body in (*said, *(_notices(measure) if at_home else ()), *instead):
        state = measure.state(Place.MENU, [body], options)
        state = msgspec.structs.replace(state, trail=() if at_home else (measure.book.home,))
        measure.screen(menu.name, state, [body, *labels])
    declared = measure.operations.get(menu.data or "")
    for code, refusal in menu.refused.items():
        figures = scope(declared.refusals.get(code, {})) if declared else {}
        sentence = Sentence(f"{menu.name}/{code}", refusal.say, {**MEMBER, **figures})
        for part in measure.spoken(sentence):
            measure.screen(sentence.screen, measure.state(Place.TOLD, [part]), [part])


def _notices(measure: Measure) -> list[Part]:
    """What became of an order stands at home in place of its text."""
    orders = [
        _Journey(measure, Known(journey, measure.operations))
        for journey in measure.book.journeys.values()
        if (declared := measure.operations.get(journey.do)) and declared.moves_money
    ]
    what = longest(part for order in orders for part in order.named())
    return [part for name in ABOVE_HOME for part in measure.word(name, {"what": what.text})]


# ---- Journeys ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Journey:
    """The screens of one journey."""

    measure: Measure
    known: Known

    @property
    def journey(self) -> Journey:
        return self.known.journey

    def screens(self) -> None:
        for slot in self.journey.slots:
            self.asked(slot)
        self.confirmed()
        for code, refusal in self.journey.refused.items():
            self.refused(code, refusal)
        self.done()
        self.resumed()

    def show(self, name: str, where: Place, body: Sequence[Part], options: Sequence[Part]) -> None:
        """Measure a screen: a text with options that have the keys 1, 2, 3 …"""
        lines = [f"{key}. {option.text}" for key, option in enumerate(options, start=1)]
        state = self.measure.state(where, body, lines)
        self.measure.screen(f"{self.journey.name}/{name}", state, [*body, *options])

    def asked(self, slot: Slot) -> None:
        """A question with the longest offers; and what takes its place after an answer that was
        not understood, so that what can be chosen stays in sight."""
        offers = self.offers(slot)
        for part, offered in self.questions(slot, offers):
            self.show(slot.name, Place.SLOT, [part], offered)
        kind = KINDS.get(slot.type)
        if kind and kind.secret:
            for part, _ in self.questions(slot, ()):
                for code in TO_A_SECRET:
                    for problem in self.measure.word(code):
                        self.show(slot.name, Place.SLOT, [problem, part], [])
        for ending in slot.ends.values():
            for part in self.measure.spoken(Sentence(slot.name, ending, self.known.before(slot))):
                self.show(slot.name, Place.TOLD, [part], [])
        for code in (*TO_ANY_ANSWER, *(misread(kind, self.measure.operations) if kind else ())):
            for part in self.measure.word(code):
                self.show(slot.name, Place.SLOT, [part], offers)

    def questions(
        self, slot: Slot, offers: Sequence[Part]
    ) -> Iterator[tuple[Part, Sequence[Part]]]:
        """Each wording of a question, with what is offered below it: after one that is for
        `when: offers`, the others are for when there are none."""
        known = {**self.known.before(slot), "offers": Supply("number")}
        offered = offers
        for variant in slot.ask.variants:
            for part in self.measure.spoken(Sentence(slot.name, Say((variant,)), known)):
                yield part, offered
            if variant.only_when is not None and variant.only_when.name == "offers":
                offered = ()

    def offers(self, slot: Slot) -> list[Part]:
        """What can be chosen: the slot's own list, or as many rows as a screen holds."""
        if slot.type == "language":
            return [Part(name, slot.at) for _, name in self.measure.book.offered]
        before = self.known.before(slot)
        if slot.choices:
            says = [choice.label for choice in slot.choices]
            return [longest(self.measure.spoken(Sentence(slot.name, say, before))) for say in says]
        kind = KINDS.get(slot.type)
        operation = self.measure.operations.get(kind.offers or "") if kind else None
        if operation is None or operation.rows is None or "name" not in operation.rows:
            return []
        name = str(scope(operation.rows)["name"].longest())
        return [Part(name, slot.at)] * self.measure.limits.options

    def confirmed(self) -> None:
        """What will happen; with the PIN, also below what was wrong with it."""
        if self.journey.confirm is None:
            return
        yes = [] if self.journey.authorise else self.measure.word("yes")[:1]
        above = [] if yes else [part for name in ABOVE_CONFIRM for part in self.measure.word(name)]
        sentence = Sentence("confirm", self.journey.confirm, self.known.quoted())
        for part in self.measure.spoken(sentence):
            self.show("confirm", Place.CONFIRM, [part], yes)
            for problem in above:
                self.show("confirm", Place.CONFIRM, [problem, part], yes)

    def refused(self, code: str, refusal: Refusal) -> None:
        """Why not: alone, with `1. Si`, or above the question that is asked again."""
        again = [slot for slot in self.journey.slots if slot.name == refusal.ask]
        sentence = Sentence(code, refusal.say, self.known.refused(code))
        for part in self.measure.spoken(sentence):
            for slot in again:
                for question, offered in self.questions(slot, self.offers(slot)):
                    self.show(code, Place.SLOT, [part, question], offered)
            if refusal.again:
                self.show(code, Place.AGAIN, [part], self.measure.word("yes")[:1])
            elif not again:
                self.show(code, Place.TOLD, [part], [])

    def done(self) -> None:
        """The end. A list may take pages, but none of its rows is cut, and none is lost."""
        ends = self.measure.spoken(Sentence("done", self.journey.done, self.known.done()))
        for part in ends:
            self.show("done", Place.OVER, [part], [])
        if self.journey.none is not None:
            sentence = Sentence("none", self.journey.none, self.known.quoted())
            for none in self.measure.spoken(sentence):
                for part in ends:
                    self.show("none", Place.OVER, [part, none], [])
        for row in self.rows():
            self.show("rows", Place.TOLD, [row], [])
        if (pages := len(self.list_pages())) > PAGES_PER_ANSWER:
            at = self.journey.lines.get("rows", self.journey.at)
            what = f"the list takes {pages} pages, and a phone shows {PAGES_PER_ANSWER}"
            told = fault(at, what, screen=f"{self.journey.name}/rows")
            self.measure.found[at] = (pages, told)

    def list_pages(self) -> tuple[str, ...]:
        """The pages of the longest list; none where there is no list."""
        row = longest(self.rows())
        ends = self.measure.spoken(Sentence("done", self.journey.done, self.known.done()))
        rows = [row] * self.measure.limits.options
        state = self.measure.state(Place.OVER, [longest(ends), *rows])
        return self.measure.pages(state) if row.text else ()

    def rows(self) -> list[Part]:
        """Each way to write a row."""
        ways = self.journey.rows.ways.values() if self.journey.rows else ()
        row = self.known.row()
        return [part for way in ways for part in self.measure.spoken(Sentence("rows", way, row))]

    def resumed(self) -> None:
        """What was left unfinished, to go on with it or not: `1. Seguir: enviar dinero`."""
        go_on, to_home = longest(self.measure.word("go_on")), longest(self.measure.word("to_home"))
        for body in self.measure.word("unfinished"):
            for part in self.named():
                said = f"1. {go_on.text} {part.text}", f"2. {to_home.text}"
                state = self.measure.state(Place.RESUME, [body], said)
                made_of = [body, go_on, part, to_home]
                self.measure.screen(f"{self.journey.name}/draft", state, made_of)

    def named(self) -> list[Part]:
        """How an unfinished one may be called."""
        if self.journey.draft is None:
            return []
        return self.measure.spoken(Sentence("draft", self.journey.draft, self.known.quoted()))
