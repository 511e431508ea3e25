"""What the `chaski menus` command offers to writers and translators: languages, pictures, prints,
and a walk in the terminal. Nothing here needs a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from gateway.bank.bank import CATALOGUE
from gateway.bounds import SCREEN_SEPTETS
from gateway.demo.phone import framed
from gateway.dialog import graph, handout
from gateway.dialog.book import SPANISH, Book
from gateway.dialog.checker.declared import Declared
from gateway.dialog.machine import Machine
from gateway.dialog.pretend import LONGEST, PENDING, TYPICAL, PretendedBank
from gateway.dialog.reader import FaultyBookError
from gateway.dialog.state import Draft, Place, State
from gateway.dialog.steps import Call, Show, Step, Visit
from gateway.menus import load_book, read_folder
from gateway.settings import Settings
from gateway.translations import merge, progress, template, write
from gateway.values.gsm import septets

_P = ParamSpec("_P")
_KEY = "00000000-0000-0000-0000-000000000000"  # of money orders that nobody gives
_PIN = "0000"

Say = Callable[[str], None]
Ask = Callable[[str], str]

_FOLDER = click.argument(
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="CHASKI_MENUS",
    default=Settings.model_fields["menus"].default,
)


def _names_plainly(command: Callable[_P, None]) -> Callable[_P, None]:
    """What a writer can mend is said in lines, without a traceback."""

    @wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except FaultyBookError as error:
            raise click.ClickException(str(error)) from error
        except LookupError as error:
            message = f"the menus name {error}, which is not there: see chaski menus check"
            raise click.ClickException(message) from error

    return wrapped


@click.group()
def menus() -> None:
    """What members see."""


# ---- Languages -------------------------------------------------------------------------------


@menus.command(name="operations")
def operations_command() -> None:
    """What the bank can do, for whoever writes a journey: slots, results, rows, refusals."""
    for name, operation in sorted(CATALOGUE.items()):
        marks = [
            ("moves money", operation.moves_money),
            ("needs the PIN", operation.needs_pin),
            ("checks a secret", operation.secret),
            ("needs a new PIN again", operation.repeats_pin),
        ]
        said = ", ".join(mark for mark, holds in marks if holds)
        click.echo(f"{name}{f'  ({said})' if said else ''}")
        for what, kinds in (
            ("takes", operation.takes),
            ("gives", operation.gives),
            ("rows", operation.rows or {}),
        ):
            if kinds:
                listed = ", ".join(f"{key}: {kind}" for key, kind in kinds.items())
                click.echo(f"  {what:<8}{listed}")
        for code, kinds in sorted(operation.refusals.items()):
            click.echo(f"  refuses {code}{' {' + ', '.join(kinds) + '}' if kinds else ''}")


@menus.command(name="extract")
@_FOLDER
@_names_plainly
def extract_command(folder: Path) -> None:
    """Write every Spanish sentence to locale/menus.pot, for Weblate and Poedit."""
    sentences = template(read_folder(folder).texts)
    file = folder / "locale" / "menus.pot"
    file.parent.mkdir(exist_ok=True)
    file.write_text(write(sentences), "utf-8")
    click.echo(f"{file}: {len(sentences)} sentences")


@menus.command(name="update")
@click.argument("language")
@_FOLDER
@_names_plainly
def update_command(language: str, folder: Path) -> None:
    """Bring the catalogue of LANGUAGE (en, qvc, agr, …) up to date with the Spanish menus.

    It is begun where there is none. What was translated stays; what has changed is marked fuzzy.
    """
    file = folder / "locale" / language / "menus.po"
    old = file.read_text("utf-8") if file.exists() else None
    merged = merge(language, read_folder(folder).texts, old)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(merged.text, "utf-8")
    click.echo(f"{file}: {merged.added} new, {merged.changed} changed, {merged.gone} gone")
    if merged.review_dropped:
        click.echo("its review does not cover these: have it reviewed again", err=True)


@menus.command(name="languages")
@_FOLDER
@_names_plainly
def languages_command(folder: Path) -> None:
    """How far each language is, whether members are offered it, and if not, why."""
    for one in progress(load_book(folder)):
        share = 100 * one.translated // one.sentences
        reviewed = "reviewed" if one.reviewed else "not reviewed"
        offered = "offered" if one.offered else "not offered: " + "; ".join(one.lacks)
        name = one.name or "(no name)"
        click.echo(
            f"{one.language:<4}{name:<14}{share:>4} % ({one.translated} of {one.sentences}), "
            f"{reviewed}, {offered}"
        )


# ---- Pictures and hand-outs ------------------------------------------------------------------


@menus.command(name="graph")
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    default="mermaid",
    show_default=True,
)
@_FOLDER
@_names_plainly
def graph_command(form: str, folder: Path) -> None:
    """Draw what leads where: menus, journeys, slots, confirm screens, operations."""
    book = load_book(folder)
    click.echo(graph.svg(book) if form == "svg" else graph.mermaid(book), nl=False)


@menus.command(name="print")
@click.option("--language", default=SPANISH[0], show_default=True, help="Its code, or `all`.")
@click.option(
    "--format", "form", type=click.Choice(["text", "html"]), default="text", show_default=True
)
@click.option(
    "--values",
    type=click.Choice(["typical", "longest"]),
    default="typical",
    show_default=True,
    help="What stands for names and amounts.",
)
@_FOLDER
@_names_plainly
def print_command(language: str, form: str, values: str, folder: Path) -> None:
    """Every screen as the phone shows it, with its name and its septets."""
    book = load_book(folder)
    languages = book.languages if language == "all" else (language,)
    if not set(languages) <= set(book.languages):
        known = ", ".join(book.languages)
        raise click.BadParameter(f"there is no {language} here; known are {known}")
    examples = LONGEST if values == "longest" else TYPICAL
    shown = handout.handouts(book, CATALOGUE, languages, examples)
    click.echo(
        handout.as_html(shown) if form == "html" else "\n".join(map(handout.as_text, shown)),
        nl=False,
    )


# ---- A walk in the terminal ------------------------------------------------------------------


@menus.command(name="try")
@click.option("--language", default=SPANISH[0], show_default=True, help="Of the member who dials.")
@_FOLDER
@_names_plainly
def try_command(language: str, folder: Path) -> None:
    """Walk the menus here, with a pretended bank. Any PIN is right; `!CODE` in its place makes
    the bank refuse."""

    def ask(prompt: str) -> str:
        try:
            return click.prompt(prompt, default="", show_default=False, prompt_suffix="> ")
        except click.Abort:
            return "q"

    book = load_book(folder)
    walk(book.in_every_language(), CATALOGUE, language, click.echo, ask)


def walk(book: Book, operations: Mapping[str, Declared], language: str, say: Say, ask: Ask) -> None:
    """Dial, answer, dial again, until the person has had enough.

    Args:
        book: the menus, read and not necessarily without fault.
        operations: what the bank declares.
        language: of the member who dials.
        say: shows some lines.
        ask: shows a prompt and gives what was typed.
    """
    handset = _Handset(book, operations, language)
    say("Enter dials; so does 2*987654321*50. q ends. At the PIN: 0000, or !insufficient_funds")
    while (typed := ask("dial").strip()) not in _ENOUGH:
        say(handset.dial(tuple(typed.split("*")) if typed else ()))
        while not handset.over:
            answer = ask("answer (empty hangs up)").strip()
            if answer in _ENOUGH:
                return
            if not answer:
                break
            say(handset.press(answer))


_ENOUGH = {"q", "quit", "exit"}


@dataclass(slots=True)
class _Handset:
    """A phone whose network, gateway and bank are all here."""

    book: Book
    operations: Mapping[str, Declared]
    language: str
    over: bool = True
    _state: State | None = None

    def dial(self, answers: tuple[str, ...]) -> str:
        """The first screen, after what was dialled behind the short code."""
        member = TYPICAL.member(self.language)
        visit = Visit(member, self.language, answers=answers, draft=self._unfinished())
        return self._shown(self._machine().dial(visit))

    def press(self, answer: str) -> str:
        """The next screen."""
        state = self._state
        if state is None:
            raise AssertionError("nobody has dialled")
        if answer.startswith("!"):
            return self._refuse(state, answer[1:])
        return self._shown(self._machine().press(state, answer))

    def _refuse(self, state: State, code: str) -> str:
        """The screen after the bank refused what the member confirms."""
        if state.place is not Place.CONFIRM or state.draft is None:
            return "A refusal is chosen on the screen that confirms."
        journey = self.book.journeys[state.draft.journey]
        known = [*sorted(self.operations[journey.do].refusals), "wrong_pin", "pin_locked", PENDING]
        if code not in known:
            return f"{journey.do} refuses with one of these: {', '.join(known)}"
        yes = _PIN if journey.authorise else "1"
        return self._shown(self._machine().press(state, yes), {journey.do: code})

    def _shown(self, step: Step, refusing: Mapping[str, str] | None = None) -> str:
        bank = PretendedBank(self.book, self.operations, refusing=refusing or {})
        state, request = step
        while isinstance(request, Call):
            state, request = self._machine().answered(state, request, bank.perform(request))
        return self._keep(state, request)

    def _keep(self, state: State, shown: Show) -> str:
        self._state, self.over = state, shown.ends
        if state.language != self.language and state.place is Place.OVER:
            self.language = state.language  # the member chose another
        taken = f"{septets(shown.text)} of {SCREEN_SEPTETS} septets"
        return f"{framed(shown.text)}\n  {state.screen.strip('/')}, {taken}"

    def _unfinished(self) -> Draft | None:
        return self._machine().unfinished(self._state) if self._state else None

    def _machine(self) -> Machine:
        return Machine(self.book, lambda: _KEY, SCREEN_SEPTETS)
