"""How much room a screen or an SMS takes: what is measured is built by the machine's own
display, so what is proven is what is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.dialog.book import Book, Say
from gateway.dialog.checker.declared import Declared, values
from gateway.dialog.checker.limits import Limits
from gateway.dialog.checker.sentences import Sentence, said_with
from gateway.dialog.checker.told import fault, place
from gateway.dialog.display import Display
from gateway.dialog.phrase import NoSuchValueError, fill
from gateway.dialog.state import Place, State
from gateway.dialog.yaml_lines import Fault
from gateway.values.gsm import plain, septets
from gateway.values.outcome import Value

_ENDLESS_SEPTETS = 1_000_000  # a screen that holds everything, to measure what is too long


@dataclass(frozen=True, slots=True)
class Part:
    """A text with its longest values, and where it stands."""

    text: str
    at: str

    @property
    def septets(self) -> int:
        """What it takes on a phone."""
        return septets(plain(self.text))


@dataclass(frozen=True, slots=True)
class Measure:
    """A book in one language, on the narrowest channel.

    Args:
        found: the worst fault of each place, and by how much it is too long.
    """

    book: Book
    operations: Mapping[str, Declared]
    limits: Limits
    language: str
    found: dict[str, tuple[int, Fault]] = field(default_factory=dict)

    # ---- Texts -----------------------------------------------------------------------------------

    def spoken(self, sentence: Sentence) -> list[Part]:
        """Each wording in this language with its longest values. What names something unknown is
        another fault, and left out here."""
        return self._filled(sentence.say, values(sentence.known or {}))

    def word(self, name: str, beside: Mapping[str, Value] | None = None) -> list[Part]:
        """Each wording of the sentence of `words:` by that name."""
        known = values(said_with(name, self.operations))
        say = self.book.words.sentences.get(name, Say(()))
        return self._filled(say, {**known, **(beside or {})})

    def _filled(self, say: Say, known: Mapping[str, Value]) -> list[Part]:
        parts = []
        for variant in say.variants:
            text = self.book.words.translate(variant.text, self.language)
            try:
                filled = fill(text, known, self.language)
            except (NoSuchValueError, ValueError):
                continue
            parts.append(Part(filled, place(self.book, variant, self.language)))
        return parts

    # ---- Screens ---------------------------------------------------------------------------------

    def state(self, where: Place, body: Sequence[Part], options: Sequence[str] = ()) -> State:
        """What a member looks at: these texts one below the other, then these options."""
        return State(
            book=self.book.digest,
            language=self.language,
            place=where,
            menu=self.book.home,
            body="\n".join(part.text for part in body if part.text),
            options=tuple(options),
            final=where is Place.OVER,
        )

    def screen(self, name: str, state: State, made_of: Sequence[Part]) -> None:
        """The machine shows this on one page, or whatever is longest in it is to blame."""
        if len(self.pages(state)) > 1:
            (whole,) = Display(self.book, _ENDLESS_SEPTETS).pages(state)
            self.blame(name, made_of, septets(whole), self.limits.screen_septets)

    def pages(self, state: State) -> tuple[str, ...]:
        """Every page that the machine shows of this."""
        return Display(self.book, self.limits.screen_septets).pages(state)

    def sms(self, name: str, made_of: Sequence[Part]) -> None:
        """These texts are one SMS, or the longest of them is to blame."""
        taken = sum(part.septets for part in made_of)
        if taken > self.limits.sms_septets:
            self.blame(name, made_of, taken, self.limits.sms_septets)

    def blame(self, name: str, made_of: Sequence[Part], taken: int, limit: int) -> None:
        """The longest of the parts is too long, or those that stand with it are. Of many faults in
        one place, the worst is told."""
        part, over = longest(made_of), taken - limit
        if over <= self.found.get(part.at, (0, None))[0]:
            return
        what = f"takes {taken} septets with the longest values, and {limit} fit"
        beside = ", ".join(sorted({each.at for each in made_of if each.text} - {part.at}))
        mend = f"shorten it by {over}" + (f", or what stands with it: {beside}" if beside else "")
        told = fault(part.at, what, screen=name, language=self.language, mend=mend)
        self.found[part.at] = (over, told)


def longest(parts: Iterable[Part]) -> Part:
    """The one that takes most room; an empty one where there is none."""
    return max(parts, key=lambda part: part.septets, default=Part("", ""))
