"""How a state looks: its words, its values written out, its pages. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.dialog.book import Book, Option, Refusal, Say
from gateway.dialog.screen import Keys, fit
from gateway.dialog.state import Draft, Place, State
from gateway.dialog.steps import Show
from gateway.values.outcome import Outcome, Record, Refused, Value, Values


@dataclass(frozen=True, slots=True)
class Display:
    """The book's words on a screen of so many septets."""

    book: Book
    screen_septets: int

    def show(self, state: State) -> Show:
        """The page that the member is looking at."""
        pages = self.pages(state)
        last = state.page + 1 >= len(pages)
        return Show(pages[min(state.page, len(pages) - 1)], ends=state.final and last)

    def pages(self, state: State) -> tuple[str, ...]:
        """The whole screen, cut into what the phone shows at a time."""
        foot = ""
        if not state.final:
            at_home = state.place is Place.MENU and not state.trail
            foot = self.say(state, "foot_home" if at_home else "foot")
        keys = Keys(more=self.say(state, "more"), foot=foot)
        body = "\n".join(filter(None, (state.problem, state.body)))
        return fit(body, state.options, keys, self.screen_septets)

    def say(self, state: State, name: str, values: Values | None = None) -> str:
        """A sentence that belongs to no journey; `refused` where the book has none such."""
        there = name if name in self.book.words.sentences else "refused"
        return self.book.words.say(there, state.language, values)

    def text(self, say: Say | None, state: State, results: Values | None = None) -> str:
        """A sentence of the book with everything that is known now, and an operation's results."""
        if say is None:
            return ""
        values = known(state) | dict(results or {})
        return say.text(values, state.language, self.book.words)

    def named(self, state: State) -> str:
        """How the draft is called: `enviar S/ 50.00 a Segundo C.`"""
        return self.called(state.draft, state.language) if state.draft else ""

    def called(self, draft: Draft, language: str) -> str:
        """How a draft is called in a language, by what is known of it."""
        say, values = self.book.journeys[draft.journey].draft, draft.slots | (draft.quote or {})
        return say.as_far_as_known(values, language, self.book.words) if say else ""

    def options(self, state: State) -> list[Option]:
        """The menu's options that are for this member."""
        values = known(state)
        return [
            option
            for option in self.book.menus[state.menu].options
            if option.only_when is None or option.only_when.holds(values)
        ]

    def refusal(self, refusals: Mapping[str, Refusal], outcome: Outcome) -> Refusal:
        """What to say to an outcome that is not `Done`: the journey's words, or everybody's."""
        code = outcome.code if isinstance(outcome, Refused) else "unavailable"
        sentences = self.book.words.sentences
        return refusals.get(code) or Refusal(sentences.get(code) or sentences["refused"], "")


def known(state: State) -> dict[str, Value]:
    """Everything that a text may name now."""
    values: dict[str, Value] = {}
    if state.member is not None:
        values["member"] = Record(
            {"first_name": state.member.first_name, "short_name": state.member.short_name}
        )
    if state.draft is not None:
        values |= state.draft.slots | (state.draft.quote or {})
    return values
