"""The conversation as a pure function: a state and an answer in, a state and a request out.

The request is either a screen to show, which ends the turn, or an operation to call, whose outcome
comes back through `Machine.answered`. Nothing here waits or reads a clock; the one random number,
an order's key, is minted outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from gateway.bounds import (
    ANSWER_CHARS_MAX,
    OPTIONS_PER_LIST,
    PIN_DIGITS_MAX,
    PIN_DIGITS_MIN,
)
from gateway.dialog import drafts
from gateway.dialog.answers import NotUnderstoodError
from gateway.dialog.book import Book, Journey, Menu, Refusal, Slot
from gateway.dialog.display import Display, known
from gateway.dialog.keywords import TextOrder, keyword
from gateway.dialog.kinds import KINDS
from gateway.dialog.state import Draft, Left, Offer, Place, State
from gateway.dialog.steps import Call, Show, Step, Visit, Why
from gateway.values.member import MemberView
from gateway.values.outcome import Done, Outcome, Pending, Refused, Rows, Value, Values
from gateway.values.pin import Pin
from gateway.values.secret import Secret

BACK, HOME, MORE = "0", "00", "9"
LOCKED = frozenset({"pin_locked", "pin_blocked", "frozen"})  # refusals that end the session

_LIKE_A_PIN = re.compile(rf"[0-9]{{{PIN_DIGITS_MIN},{PIN_DIGITS_MAX}}}")


def like_a_pin(answer: str) -> bool:
    """Whether an answer that nobody asked for may have been meant as the PIN."""
    return _LIKE_A_PIN.fullmatch(answer) is not None


@dataclass(frozen=True, slots=True)
class Machine:
    """The rules of the book for one turn.

    Args:
        book: the menus that the session began with.
        mint_key: a fresh instruction key, for a confirm screen that is built for the first time.
        screen_septets: the room on this channel's screens.
    """

    book: Book
    mint_key: Callable[[], str]
    screen_septets: int
    _display: Display = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_display", Display(self.book, self.screen_septets))

    # ---- What may happen to a conversation ---------------------------------------------------

    def dial(self, visit: Visit) -> Step:
        """Somebody dialled."""
        start = self._start(visit.member, visit.language)
        if visit.member is None:
            return self._end(start, self._display.say(start, "stranger"))
        if not visit.member.enrolled:
            return self._enrol(start, visit)
        draft = drafts.still_good(self.book, visit.draft)
        if draft and self.book.journeys[draft.journey].newcomers:
            draft = None  # of before they had a PIN
        start = _with(start, given=visit.given, tells=bool(visit.notice), doing=visit.doing)
        if draft and not visit.answers:
            return self._offer_to_go_on(_with(start, draft=draft), visit.notice)
        return self._home(_with(start, queue=visit.answers), visit.notice)

    def _enrol(self, start: State, visit: Visit) -> Step:
        """Who has no PIN reaches one journey, and this only with a code. What they had answered is
        still there, but for secrets; and none of those comes with a dial."""
        journey = self.book.enrolment
        if journey is None or visit.member is None or not visit.member.invited:
            return self._end(start, self._display.say(start, "not_enrolled"))
        draft = drafts.still_good(self.book, visit.draft)
        if draft is None or draft.journey != journey.name:
            draft = Draft(journey=journey.name)
        dialled = bool(visit.answers)
        return self._next(_with(start, menu=self.book.home, draft=draft, pin_shown=dialled))

    def tell(self, visit: Visit) -> Step:
        """Say what became of an order of a session that was lost, and end it: whatever else of it
        is still on its way may change nothing."""
        start = self._start(visit.member, visit.language)
        return self._end(_with(start, given=visit.given, tells=True), visit.notice)

    def order(self, member: MemberView, language: str, order: TextOrder) -> Step:
        """A journey that was begun by SMS: its slots are filled from what the text says."""
        journey, start = order.journey, self._start(member, language)
        given = journey.sms_values if order.answers else journey.sms_alone
        draft = Draft(journey=journey.name, slots=dict(given))
        return self._next(_with(start, menu=self.book.home, draft=draft, queue=order.answers))

    def press(self, state: State, answer: str) -> Step:
        """The member answered the screen that `state` shows."""
        state = _with(state, pin_shown=False)
        if len(answer) > ANSWER_CHARS_MAX:
            return self._wrong(state, "too_long")
        typed = answer.strip()
        if typed == MORE and state.page + 1 < len(self._display.pages(state)):
            return self._shown(_with(state, page=state.page + 1))
        if typed == HOME:
            return self._home(_put_down(_read(state)))
        if typed == BACK:
            return self._back(_put_down(_read(state)))
        if not typed:
            return self._wrong(state, "empty")
        return self._answer(state, typed)

    def _answer(self, state: State, typed: str) -> Step:
        """An answer that is none of the keys that always mean the same."""
        match state.place:
            case Place.MENU:
                return self._choose(state, typed)
            case Place.SLOT:
                return self._fill(state, typed)
            case Place.CONFIRM:
                return self._authorise(state, typed)
            case Place.RESUME:
                return self._go_on(state, typed)
            case Place.AGAIN:
                return self._once_more(state, typed)
            case Place.TOLD:
                return self._wrong(state, "only_back")
            case Place.OVER:
                return self._wrong(state, "only_more")

    def answered(self, state: State, call: Call, outcome: Outcome) -> Step:
        """The operation that `call` asked for came to an outcome."""
        match call.why:
            case Why.MENU:
                return self._menu_loaded(state, outcome)
            case Why.OFFERS:
                return self._offered(state, outcome)
            case Why.RESOLVE:
                return self._resolved(state, outcome)
            case Why.CHECK:
                return self._checked(state, outcome)
            case Why.QUOTE:
                return self._quoted(state, outcome)
            case Why.DO:
                return self._done(state, outcome)

    def ended(self, state: State) -> bool:
        """Whether the member has seen the last of it: there is nothing to answer any more."""
        return state.final and self._display.show(state).ends

    def pages(self, state: State) -> tuple[str, ...]:
        """All pages of the screen that the member is looking at."""
        return self._display.pages(state)

    def show(self, state: State) -> Show:
        """The screen that the member is looking at, again."""
        return self._display.show(state)

    # ---- Menus -------------------------------------------------------------------------------

    def _home(self, state: State, notice: str = "") -> Step:
        if journey := self._newcomers(state):
            fresh = _with(state, trail=(), draft=Draft(journey=journey.name), body=notice)
            return self._next(fresh)
        state = _with(state, trail=(), draft=None, body=notice)
        return self._menu(state, self.book.home)

    def _menu(self, state: State, name: str) -> Step:
        """Go to a menu. A body that is already there (a notice) stays, in place of its text."""
        state = _with(state, menu=name, draft=None)
        menu = self.book.menus[name]
        if menu.data:
            return state, Call(Why.MENU, menu.data, {})
        return self._show_menu(state, menu, {})

    def _menu_loaded(self, state: State, outcome: Outcome) -> Step:
        menu = self.book.menus[state.menu]
        if isinstance(outcome, Done):
            return self._show_menu(state, menu, outcome.values)
        # There is no such menu now: back leads to where the member came from.
        parent = state.trail[-1] if state.trail else self.book.home
        state = _with(state, menu=parent, trail=state.trail[:-1])
        return self._tell(state, self._why(state, menu.refused, outcome))

    def _show_menu(self, state: State, menu: Menu, results: Mapping[str, Value]) -> Step:
        lines = tuple(
            f"{option.key}. {self._display.text(option.label, state, results)}"
            for option in self._display.options(state)
        )
        body = state.body or self._display.text(menu.say, state, results)
        step = self._screen(state, Place.MENU, body, lines)
        if not state.queue:
            return step
        first, *rest = state.queue
        if not any(first == str(option.key) for option in self._display.options(state)):
            return self._wrong(_with(step[0], queue=state.queue, pin_shown=False), "not_an_option")
        return self._choose(_with(step[0], queue=tuple(rest), pin_shown=False), first)

    def _choose(self, state: State, typed: str) -> Step:
        for option in self._display.options(state):
            if typed == str(option.key):
                break
        else:
            return self._wrong(state, "not_an_option")
        state = _with(_read(state), body="")
        if option.go in self.book.menus:
            return self._menu(_with(state, trail=(*state.trail, state.menu)), option.go)
        return self._next(_with(state, draft=Draft(journey=option.go, slots=dict(option.given))))

    def _back(self, state: State) -> Step:
        """One step back: a page, an answer, or a menu; from home, out."""
        if state.page:
            return self._shown(_with(state, page=state.page - 1))
        if state.place is Place.RESUME:
            return self._home(state)
        state = _with(state, body="")
        if state.draft is not None and state.draft.asked:
            last = state.draft.asked[-1]
            return self._next(_with(state, draft=drafts.without(state.draft, last)))
        if self._newcomers(state):
            return self._end(state, self._display.say(state, "bye"))
        if state.place is not Place.MENU:
            return self._menu(state, state.menu)
        if state.trail:
            *above, parent = state.trail
            return self._menu(_with(state, trail=tuple(above)), parent)
        return self._end(state, self._display.say(state, "bye"))

    # ---- Journeys ----------------------------------------------------------------------------

    def _next(self, state: State) -> Step:
        """Go on with the draft: the next empty slot, the quote, the confirm screen, or the
        operation."""
        draft, journey = _drafted(state), self._journey(state)
        empty = [
            slot
            for slot in journey.slots
            if slot.name not in draft.slots and self._applies(state, slot)
        ]
        # While there are early answers, what was not understood waits behind what they may fill.
        waiting = [slot for slot in empty if slot.name not in draft.unclear] if state.queue else []
        for slot in (*waiting, *empty):
            problem = draft.unclear.get(slot.name, "")
            fed = state if slot in waiting else _dropped(state)
            return self._ask(fed, slot, self._display.say(fed, problem) if problem else "")
        if journey.quote and draft.quote is None:
            return state, Call(Why.QUOTE, journey.quote, draft.slots)
        if journey.confirm is None:
            return state, Call(Why.DO, journey.do, draft.slots)
        return self._confirm(state, journey)

    def _ask(self, state: State, slot: Slot, problem: str = "") -> Step:
        """Ask for one slot, with what is offered for it."""
        state = _with(state, slot=slot.name, body="", problem=problem)
        if operation := KINDS[slot.type].offers:
            return state, Call(Why.OFFERS, operation, _drafted(state).slots)
        if slot.type == "language":
            offers = tuple(
                Offer(key, code) for key, (code, _) in enumerate(self.book.offered, start=1)
            )
            return self._show_slot(state, slot, offers, [name for _, name in self.book.offered])
        choices = tuple(
            Offer(key, choice.value) for key, choice in enumerate(slot.choices, start=1)
        )
        labels = [self._display.text(choice.label, state) for choice in slot.choices]
        return self._show_slot(state, slot, choices, labels)

    def _offered(self, state: State, outcome: Outcome) -> Step:
        slot = self._journey(state).slot(state.slot)
        kind = KINDS[slot.type]
        if not isinstance(outcome, Done):
            return self._tell(state, self._why(state, {}, outcome))
        if kind.alone and len(outcome.rows) == 1:
            return self._next(self._take(state, outcome.rows[0], asked=False))
        if kind.none and not outcome.rows:
            return self._tell(state, self._display.say(state, kind.none))
        rows = outcome.rows[:OPTIONS_PER_LIST]  # 9 is always "more"
        offers = tuple(Offer(key, row) for key, row in enumerate(rows, start=1))
        return self._show_slot(state, slot, offers, _names(rows))

    def _show_slot(
        self, state: State, slot: Slot, offers: tuple[Offer, ...], labels: list[str]
    ) -> Step:
        state = _with(state, offers=offers)
        if state.queue:
            return self._feed(state, slot)
        asked = self._display.text(slot.ask, state, {"offers": len(offers)})
        lines = tuple(f"{offer.key}. {label}" for offer, label in zip(offers, labels, strict=True))
        problem = state.problem
        whole = self._screen(state, Place.SLOT, asked, lines, problem)
        if problem and len(self.pages(whole[0])) > 1:
            return self._screen(state, Place.SLOT, "", lines, problem)
        return whole

    def _feed(self, state: State, slot: Slot) -> Step:
        """Answer a slot with what came early. Where only the list's own keys can answer it,
        anything else is meant for the next slot."""
        first, *rest = state.queue
        kind = KINDS[slot.type]
        if kind.secret:
            # It stays in the phone's list of calls: a secret is typed where it is asked, and only.
            return self._ask(_with(state, queue=(), pin_shown=True), slot)
        listed = any(
            first == str(offer.key) or self._calls(slot, first, offer.value)
            for offer in state.offers
        )
        if not listed and kind.parse is None and kind.resolve is None:
            return self._not_clear(state, "")
        return self._fill(_with(state, queue=tuple(rest), feeding=True), first)

    def _not_clear(self, state: State, code: str) -> Step:
        """Leave this slot for later, and go on with what else came early; but what may be meant as
        the PIN is no answer to another question."""
        draft = drafts.not_clear(_drafted(state), state.slot, code)
        queue = tuple(answer for answer in state.queue if not like_a_pin(answer))
        shown = state.pin_shown or queue != state.queue
        state = _with(state, draft=draft, offers=(), feeding=False, queue=queue, pin_shown=shown)
        return self._next(state)

    def _misread(self, state: State, code: str, values: Values | None = None) -> Step:
        """An answer that is no value of its slot."""
        if state.feeding:
            return self._not_clear(state, code)
        return self._wrong(state, code, values)

    def _fill(self, state: State, typed: str) -> Step:
        slot = self._journey(state).slot(state.slot)
        for offer in state.offers:
            if typed == str(offer.key) or self._calls(slot, typed, offer.value):
                return self._chosen(state, slot, offer.value)
        kind = KINDS[slot.type]
        if kind.secret:
            draft = _drafted(state)
            return state, Call(Why.CHECK, slot.check or "", draft.slots, secret=Secret(typed))
        if kind.resolve:
            return state, Call(Why.RESOLVE, kind.resolve, {**_drafted(state).slots, "typed": typed})
        if kind.parse is None:
            return self._misread(state, "not_an_option")
        try:
            value = kind.parse(typed)
        except NotUnderstoodError as error:
            return self._misread(state, error.code)
        return self._next(self._take(state, value))

    def _chosen(self, state: State, slot: Slot, value: Value) -> Step:
        """A choice may be the journey's end."""
        if ending := slot.ends.get(str(value)):
            return self._tell(state, self._display.text(ending, state))
        return self._next(self._take(state, value))

    def _checked(self, state: State, outcome: Outcome) -> Step:
        """A secret is judged: its token is kept, or what was wrong is said."""
        match outcome:
            case Done(values):
                return self._next(self._take(state, values["token"]))
            case Refused(code) if code in LOCKED:
                return self._end(state, self._display.say(state, code, outcome.values))
            case Refused(code) if code not in self._journey(state).refused:
                return self._wrong(state, code, outcome.values)
            case _:
                return self._refused(state, outcome)

    def _calls(self, slot: Slot, typed: str, value: Value) -> bool:
        """Whether a language was called by its name or its code: `IDIOMA ENGLISH`."""
        if slot.type != "language":
            return False
        calls = {str(value), dict(self.book.offered).get(str(value), "")}
        return keyword(typed) in map(keyword, calls)

    def _resolved(self, state: State, outcome: Outcome) -> Step:
        slot = self._journey(state).slot(state.slot)
        if isinstance(outcome, Done):
            return self._next(self._take(state, outcome.values[slot.type]))
        if isinstance(outcome, Refused):
            return self._misread(state, outcome.code, outcome.values)
        return self._misread(state, "unavailable")

    def _quoted(self, state: State, outcome: Outcome) -> Step:
        if isinstance(outcome, Done):
            draft = msgspec.structs.replace(_drafted(state), quote=dict(outcome.values))
            return self._next(_with(state, draft=draft))
        return self._refused(state, outcome)

    def _confirm(self, state: State, journey: Journey, problem: str = "") -> Step:
        """Say what will happen. The key of the money order is minted with the screen that shows
        it."""
        draft = drafts.confirmed(self.book, _drafted(state), self.mint_key)
        state = _with(state, draft=draft)
        said = self._display.text(journey.confirm, state)
        options = () if journey.authorise else self._yes(state)
        return self._screen(state, Place.CONFIRM, said, options, problem)

    def _authorise(self, state: State, typed: str) -> Step:
        draft, journey = _drafted(state), self._journey(state)
        pin = None
        if journey.authorise:
            try:
                pin = Pin(typed)
            except ValueError:
                return self._wrong(state, "not_a_pin")
        elif typed != "1":
            return self._wrong(state, "not_an_option")
        values = {**draft.slots, **(draft.quote or {})}
        return state, Call(Why.DO, journey.do, values, draft.key, pin, draft.again_ok)

    def _done(self, state: State, outcome: Outcome) -> Step:
        journey = self._journey(state)
        match outcome:
            case Done(values, rows):
                state = _with(state, language=str(values.get("language", state.language)))
                said = self._display.text(journey.done, state, values)
                lines = self._lines(state, journey, rows)
                return self._end(_told(state), "\n".join(filter(None, (said, *lines))))
            case Pending():
                return self._end(_told(state), self._display.say(state, "pending"))
            case Refused(code="wrong_pin"):
                left = self._display.say(state, "wrong_pin", outcome.values)
                return self._confirm(state, journey, left)
            case Refused(code) if code in LOCKED:
                return self._end(state, self._display.say(state, code, outcome.values))
            case Refused():
                return self._refused(state, outcome)

    def _lines(self, state: State, journey: Journey, rows: Rows) -> list[str]:
        words, language = self.book.words, state.language
        if journey.none and not rows:
            return [self._display.text(journey.none, state)]
        return [journey.rows.text(row.fields, language, words) for row in rows if journey.rows]

    def _refused(self, state: State, outcome: Outcome) -> Step:
        """The bank said no: say why, and ask again what can be changed. The key is spent."""
        draft, journey = _drafted(state), self._journey(state)
        state = _dropped(state)
        refusal = self._display.refusal(journey.refused, outcome)
        text = self._display.text(refusal.say, state, _results(outcome))
        if refusal.again:
            fresh = msgspec.structs.replace(draft, key=None, quote=None)
            asked = _with(_told(state), draft=fresh)
            return self._screen(asked, Place.AGAIN, text, self._yes(state))
        if refusal.ask:
            state = _with(state, draft=drafts.without(draft, refusal.ask))
            return self._ask(state, journey.slot(refusal.ask), text)
        return self._tell(_told(state), text)

    def _once_more(self, state: State, typed: str) -> Step:
        if typed != "1":
            return self._wrong(state, "not_an_option")
        agreed = msgspec.structs.replace(_drafted(state), again_ok=True)
        return self._next(_with(_read(state), draft=agreed, body=""))

    # ---- Drafts that were left ---------------------------------------------------------------

    def unfinished(self, state: State) -> Draft | None:
        """What a redial may go on with. Who did not answer "¿Otra vez?" has not said yes."""
        if state.place is Place.AGAIN:
            return None
        return drafts.unfinished(self.book, state.draft)

    def left(self, state: State) -> Left:
        """What the caller leaves for the next dial if nothing more is heard from them."""
        member = state.member.ref if state.member else ""
        return Left(self.unfinished(state), state.given, member, state.doing)

    def gives_order(self, state: State) -> bool:
        """Whether what is unfinished would move money."""
        draft = self.unfinished(state)
        return draft is not None and self.book.journeys[draft.journey].do in self.book.money

    def named(self, state: State) -> str:
        """How the draft is called: `enviar S/ 50.00 a Segundo C.`"""
        return self._display.named(state)

    def _offer_to_go_on(self, state: State, notice: str) -> Step:
        state = _with(state, menu=self.book.home)
        options = (
            f"1. {self._display.say(state, 'go_on')} {self.named(state)}",
            f"2. {self._display.say(state, 'to_home')}",
        )
        said = "\n".join(filter(None, (notice, self._display.say(state, "unfinished"))))
        return self._screen(state, Place.RESUME, said, options)

    def _go_on(self, state: State, typed: str) -> Step:
        if typed == "1":
            return self._next(_with(_read(state), body=""))
        return self._home(_read(state)) if typed == "2" else self._wrong(state, "not_an_option")

    # ---- Screens -----------------------------------------------------------------------------

    def _screen(
        self,
        state: State,
        place: Place,
        body: str,
        options: tuple[str, ...] = (),
        problem: str = "",
    ) -> Step:
        where = state.draft.journey if state.draft else state.menu
        name = f"{where}/{state.slot if place is Place.SLOT else place.value}"
        doing = name if state.draft and place is not Place.RESUME else state.doing
        state = _with(_dropped(state), doing=doing)
        shown = _with(state, place=place, screen=name, body=body, options=options)
        above = self._warned(shown, problem)
        return self._shown(_with(shown, page=0, problem=above, feeding=False, final=False))

    def _warned(self, state: State, problem: str) -> str:
        """What stands above a screen: what was wrong, and that a PIN has no place in a dial."""
        warning = self._display.say(state, "never_dial_pin") if state.pin_shown else ""
        return "\n".join(filter(None, (warning, problem)))

    def _end(self, state: State, body: str) -> Step:
        """A last screen: nothing can be answered, so nothing is kept."""
        over, _ = self._screen(state, Place.OVER, body)
        return self._shown(_with(over, draft=None, offers=(), final=True))

    def _why(self, state: State, refusals: Mapping[str, Refusal], outcome: Outcome) -> str:
        """In words: why there is nothing to go on with."""
        refusal = self._display.refusal(refusals, outcome)
        return self._display.text(refusal.say, state, _results(outcome))

    def _yes(self, state: State) -> tuple[str, ...]:
        """The one option of a screen that asks for nothing else."""
        return (f"1. {self._display.say(state, 'yes')}",)

    def _tell(self, state: State, text: str) -> Step:
        """Say something that ends a journey but not the session, unless there is nowhere to go."""
        if self._newcomers(state):
            return self._end(state, text)
        told, shown = self._screen(state, Place.TOLD, text)
        return _with(told, draft=None, offers=()), shown

    def _wrong(self, state: State, code: str, values: Values | None = None) -> Step:
        """The same screen, under a line that says what was wrong with the answer.

        Where both do not fit, the line takes the place of the text: what can be chosen stays in
        sight. But an answer that fits nothing is no sign that the outcome of an order was read: it
        may be the dial itself, sent again.
        """
        if state.tells:
            return self._shown(_with(_dropped(state), page=0))
        problem = self._display.say(state, code, values)
        state = _with(_dropped(state), page=0, problem="", feeding=False)
        problem = self._warned(state, problem)
        whole = _with(state, problem=problem)
        if len(self._display.pages(state)) == 1 < len(self._display.pages(whole)):
            return state, self._display.show(_with(state, body=problem))
        return self._shown(whole)

    def _shown(self, state: State) -> Step:
        return state, self._display.show(state)

    def _start(self, member: MemberView | None, language: str) -> State:
        return State(book=self.book.digest, language=language, member=member)

    # ---- Drafts ------------------------------------------------------------------------------

    def _newcomers(self, state: State) -> Journey | None:
        """The one journey of who has no PIN; None for everybody else."""
        here = state.member is not None and not state.member.enrolled
        return self.book.enrolment if here else None

    def _journey(self, state: State) -> Journey:
        return self.book.journeys[_drafted(state).journey]

    def _applies(self, state: State, slot: Slot) -> bool:
        return slot.only_when is None or slot.only_when.holds(known(state))

    def _take(self, state: State, value: Value, *, asked: bool = True) -> State:
        """The draft with the current slot filled."""
        draft = drafts.filled(_drafted(state), state.slot, value, asked=asked)
        return _with(state, draft=draft, offers=(), body="", feeding=False)


def _drafted(state: State) -> Draft:
    if state.draft is None:
        raise AssertionError(f"no draft at {state.place}")
    return state.draft


def _read(state: State) -> State:
    """The member has answered the screen, so they have read what it told."""
    return _with(state, given="", tells=False) if state.tells else state


def _put_down(state: State) -> State:
    """A confirm screen that is left without the PIN. Its hop may have been here and died with the
    session's word of it, where a network does not count: so the next dial asks for its key too."""
    key = state.draft.key if state.draft and state.place is Place.CONFIRM else None
    return _with(state, given=key) if key else state


def _told(state: State) -> State:
    """The bank has decided: an order's outcome, if it was one, is what the member reads now."""
    key = _drafted(state).key or ""
    return _with(state, given=key, tells=bool(key))


def _dropped(state: State) -> State:
    """Without the early answers that nothing took. One of them may have been meant as the PIN."""
    if not state.queue:
        return state
    shown = any(map(like_a_pin, state.queue))
    return _with(state, queue=(), pin_shown=state.pin_shown or shown)


def _results(outcome: Outcome) -> Values:
    """The figures that a refusal gives its reason with."""
    return outcome.values if isinstance(outcome, Refused) else {}


def _names(rows: Rows) -> list[str]:
    return [row.text("name") for row in rows]


def _with(state: State, **changes: object) -> State:
    return msgspec.structs.replace(state, **changes)
