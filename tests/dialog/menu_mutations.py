"""Plants faults into copies of the shipped menus, one each, and asks the checker for them.

A fault counts as caught when the checker tells it in the file and on the line where it was planted,
and in the words that are meant: not by some other fault that came along with it.

`python -m tests.dialog.menu_mutations` plants them all and says what share was caught.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from gateway.bank.bank import CATALOGUE
from gateway.dialog.book import Variant, parts
from gateway.dialog.checker import check
from gateway.dialog.kinds import KINDS
from gateway.dialog.reader import FaultyBookError
from gateway.dialog.yaml_lines import Fault
from gateway.menus import Pages, open_book, read_folder

SHIPPED = read_folder(Path(__file__).parents[2] / "menus")
BOOK = open_book(SHIPPED)
ENGLISH = "locale/en/menus.po"

# What no checker can know: the faulty copy is as good a menu as the shipped one.
EXPLAINED = {
    "option leads elsewhere": "which of two journeys a line means, only its reader knows",
    "refusal asks no more": "to end a journey instead of asking again is a choice",
    "translation of another sentence": "whether a translation is true, only its reader knows",
}

_LONG = " Aqui sobra mucho texto." * 7  # 168 letters: more than any screen holds
_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)?)\}")
_NAMES = {"menu", "journey", "go", "type", "do", "quote", "data", "when", "only_when"}
_NAMES |= {"authorise", "again", "inputs_max", "sms", "given", "sms_alone", "sms_values"}
_NAMES |= {"check", "newcomers"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its text, or a text in a list (`key` is None then), where they stand.

    `path` are the keys down to it: `("slots", "payee", "ask", "-", "say")`.
    """

    file: str
    path: tuple[str, ...]
    key: yaml.Node | None
    value: yaml.Node

    @property
    def line(self) -> int:
        """From 1: of the key, or of the item in its list."""
        return (self.key or self.value).start_mark.line + 1

    @property
    def text(self) -> str:
        """What is written; empty for a section."""
        return self.value.value if isinstance(self.value, yaml.ScalarNode) else ""

    @property
    def is_sentence(self) -> bool:
        """Whether members read it."""
        names = [name for name in self.path if name != "-"]
        answer = names[0] == "refused" and names[-1] == "ask"
        return bool(self.text) and not answer and not _NAMES & {names[0], names[-1], *names[2:3]}

    def with_text(self, text: str) -> Pages:
        """The menus with another text here."""
        return _written(self.file, self.value, _quoted(text))

    def with_key(self, name: str) -> Pages:
        """The menus with another key here."""
        return _written(self.file, self.key, name) if self.key else SHIPPED

    def left_out(self) -> Pages:
        """The menus without this entry, and without the section that had nothing else. No other
        line moves."""
        if self.path[:-1] and len(_siblings(self)) == 1:
            return _above(self, 1).left_out()
        text = SHIPPED.texts[self.file]
        start, end = (self.key or self.value).start_mark.index, self.value.end_mark.index
        gone = re.sub(r"[^\n]", " ", text[start:end])
        before, after = text[:start], text[end:]
        if after.lstrip(" ").startswith(","):
            after = after.replace(",", " ", 1)
        elif before.rstrip(" ").endswith(","):
            before = before.rstrip(" ")[:-1] + " " * (1 + len(before) - len(before.rstrip(" ")))
        elif self.key is None:
            before = before.rstrip(" ")[:-1] + " "  # the dash of its list
        return _with(self.file, before + gone + after)

    def doubled(self) -> Pages:
        """The menus with this line twice."""
        lines = SHIPPED.texts[self.file].split("\n")
        lines.insert(self.line, lines[self.line - 1])
        return _with(self.file, "\n".join(lines))


@dataclass(frozen=True, slots=True)
class Mutant:
    """A copy with one fault.

    Args:
        kind: what was done.
        where: to what.
        pages: the copy.
        lines: where the fault may be told: on one of these.
        words: how it is told.
    """

    kind: str
    where: str
    pages: Pages
    lines: frozenset[tuple[str, int]]
    words: str

    @property
    def name(self) -> str:
        """For people: `option leads to nothing, home.yaml:4`."""
        return f"{self.kind}, {self.where}"

    def caught(self) -> bool:
        """Whether the checker, or the reader before it, tells the fault where it is."""
        return any(
            (found.file, found.line) in self.lines and self.words in str(found)
            for found in faults(self.pages)
        )


def faults(pages: Pages) -> list[Fault]:
    """Everything that keeps these menus from being served."""
    try:
        return check(open_book(pages), CATALOGUE)
    except FaultyBookError as error:
        return error.faults


def mutants() -> Iterator[Mutant]:
    """Every fault that is planted, one copy each."""
    for file in sorted(SHIPPED.texts):
        if file.endswith(".yaml"):
            for entry in _entries(file):
                if entry.is_sentence:
                    yield from _worse_sentence(entry)
                yield from _worse_name(entry)
                yield from _worse_secret(entry)
                yield from _worse_way(entry)
                yield from _worse_journey(entry)
                yield from _worse_list(entry)
                yield from _left_out(entry)
    yield from _worse_translations()


# ---- What is planted in sentences ----------------------------------------------------------------


def _worse_sentence(entry: Entry) -> Iterator[Mutant]:
    text = entry.text
    yield _told(entry, "text lengthened", entry.with_text(text + _LONG), "septets")
    yield _told(entry, "letter of no phone", entry.with_text(f"{text} 😀"), "a plain phone has no")
    yield _told(entry, "brace left open", entry.with_text(f"{text} {{"), "`:")
    yield _told(entry, "translation left behind", entry.with_text(f"{text}!"), "not translated")
    for name in _PLACEHOLDER.findall(text):
        worse = text.replace(f"{{{name}}}", f"{{{name}q}}")
        yield _told(entry, "placeholder renamed", entry.with_text(worse), "there is no value")
        record, dot, _ = name.partition(".")
        if dot:
            worse = text.replace(f"{{{name}}}", f"{{{record}}}")
            yield _told(entry, "placeholder of a record", entry.with_text(worse), "more than one")
    if entry.path[0] == "confirm":
        worse = text.replace("PIN", "clave")
        yield _told(entry, "PIN not named", entry.with_text(worse), "does not say so")
        for name, words in (
            ("amount", "how much"),
            ("to_pay", "how much"),
            ("payee.name", "to whom"),
            ("loan.name", "to whom"),
        ):
            if f"{{{name}}}" in text:
                worse = text.replace(f"{{{name}}}", "eso")
                yield _told(entry, "confirmed blindly", entry.with_text(worse), words)


# ---- What is planted in names --------------------------------------------------------------------


def _worse_name(entry: Entry) -> Iterator[Mutant]:
    match entry.path:
        case ("do" | "quote" | "data",):
            renamed = entry.with_text(f"{entry.text}x")
            yield _told(entry, "operation renamed", renamed, "no operation")
            if entry.path != ("do",):
                worse = entry.with_text("transfers.send")
                yield _told(entry, "money moved before the PIN", worse, "needs the PIN")
        case ("slots", _, "type"):
            yield _told(entry, "type unknown", entry.with_text("monto"), "no type of slot")
            for kind in sorted(KINDS.keys() - {entry.text}):
                words = " as a `" if kind != "choice" else "nothing to choose from"
                yield _told(entry, f"type is {kind}", entry.with_text(kind), words)
        case (*_, "only_when" | "when"):
            worse = entry.with_text(f"x{entry.text}")
            yield _told(entry, "condition on nothing", worse, "there is no value `x")
            if " is " in entry.text:
                worse = entry.with_text(f"{entry.text}x")
                yield _told(entry, "condition on no value", worse, "there is no value of")
        case ("options", _, "given", _) | ("sms_alone" | "sms_values", _):
            line = entry if entry.path[0] != "options" else _above(entry, 2)
            yield _told(line, "given value unknown", entry.with_text("algo"), "no choice of")
            yield _told(line, "given slot unknown", entry.with_key("algo"), "no slot of")
        case ("sms", "-"):
            line = _above(entry, 1)
            yield _told(line, "keyword is the network's", entry.with_text("Stop"), "for themselves")
            yield _told(line, "keyword is a number", entry.with_text("775"), "cannot begin")
            yield _told(line, "keyword taken", entry.with_text(_taken_word(entry)), ", too")


def _taken_word(entry: Entry) -> str:
    """A word that begins another journey, with an accent and in small letters."""
    return "sáldo" if entry.file != "balance.yaml" else "envíar"


def _worse_secret(entry: Entry) -> Iterator[Mutant]:
    """Secrets, and the journey that asks them of newcomers."""
    match entry.path:
        case ("slots", _, "check"):
            yield _told(entry, "check renamed", entry.with_text(f"{entry.text}x"), "no operation")
            worse = entry.with_text("members.set_language")
            yield _told(entry, "checked by nobody", worse, "does not check a secret")
        case ("newcomers",):
            first = _top(entry.file, "journey")
            yield _planted(entry, "nobody's", entry.left_out(), first, "no option leads")
        case ("slots", _, "ends", name):
            line = _above(entry, 1)
            yield _told(line, "end unheard of", entry.with_key(f"{name}x"), "no choice")


# ---- What is planted in ways ---------------------------------------------------------------------


def _worse_way(entry: Entry) -> Iterator[Mutant]:
    match entry.path:
        case ("options", key):
            yield _told(entry, "key doubled", entry.doubled(), "twice", more=entry.line + 1)
            other = "02" if key == "1" else "01"
            same = [entry.line, entry.line + 1]
            yield _told(
                entry, "key taken", entry.with_key(other), "is taken", more=same[key == "1"]
            )
            target = _child(entry, "go")
            if (
                sum(len(re.findall(rf"go: {target}\b", text)) for text in SHIPPED.texts.values())
                == 1
            ):
                at = {**BOOK.menus, **BOOK.journeys}[target].at
                yield _planted(entry, "option left out", entry.left_out(), at, "no option leads")
        case ("options", _, "go"):
            yield _told(entry, "option leads to nothing", entry.with_text("nowhere"), "no menu or")
            yield _told(entry, "option leads back", entry.with_text("home"), "came from")
            orphan = {**BOOK.menus, **BOOK.journeys}[entry.text].at
            for other in sorted({*BOOK.journeys} - {entry.text}):
                worse = _told(entry, "option leads elsewhere", entry.with_text(other), "")
                yield replace(worse, lines=worse.lines | {_split(orphan)})
        case ("refused", _, "ask"):
            yield _told(entry, "refusal asks no more", entry.left_out(), "")
            yield _told(entry, "asks what is no slot", entry.with_text("nadie"), "no slot to ask")
            if any(each.path == ("slots", "source") for each in _entries(entry.file)):
                worse = entry.with_text("source")
                yield _told(entry, "asks what fills itself", worse, "refused for ever")
        case ("refused", "again", "again"):
            yield _told(entry, "again without a yes", entry.with_text("no"), "`again: yes` belongs")
        case ("inputs_max",):
            yield _told(entry, "budget too small", entry.with_text("1"), "are meant")
            yield _told(entry, "budget too big", entry.with_text("9"), "does not last")


# ---- What is planted in journeys -----------------------------------------------------------------


def _worse_journey(entry: Entry) -> Iterator[Mutant]:
    gone, do = entry.left_out(), _top(entry.file, "do", "data")
    match entry.path:
        case ("authorise",):
            yield _planted(entry, "PIN left out", gone, do, "it needs the PIN")
        case ("confirm",):
            yield _planted(entry, "confirmation left out", gone, do, "a screen has to confirm")
        case ("refused", code):
            yield _planted(entry, "refusal left out", gone, do, f"`{code}` is not said")
            yield _told(entry, "refusal unheard of", entry.with_key(f"{code}x"), "no refusal")
        case ("slots", name):
            checks = {each.line for each in _entries(entry.file) if each.path[-1] == "check"}
            used = _lines_with(entry.file, name) | {(entry.file, entry.line)}
            used |= {(entry.file, line) for line in checks}  # each takes a slot by its name
            for kind, pages in (("left out", gone), ("renamed", entry.with_key(f"{name}x"))):
                yield Mutant(f"slot {kind}", _where(entry), pages, used, name)
        case ("slots", _, "choices", name):
            yield _told(entry, "choice unheard of", entry.with_key(f"{name}x"), "no choice for")


def _worse_list(entry: Entry) -> Iterator[Mutant]:
    """Lists of rows, of sentences, of receipts."""
    gone, do = entry.left_out(), _top(entry.file, "do")
    match entry.path:
        case ("rows",):
            yield _planted(entry, "list left out", gone, do, "is not shown")
        case ("rows", kind):
            rows = _top(entry.file, "rows")
            yield _planted(entry, "row left out", gone, rows, f"`{kind}` is not shown")
            yield _told(entry, "row unheard of", entry.with_key(f"{kind}x"), "no kind of row")
        case ("none",):
            yield _planted(entry, "empty list not told", gone, do, "empty list")
        case ("words" | "receipts", name):
            of = _top(entry.file, entry.path[0])
            yield _planted(entry, "sentence left out", gone, of, f"/{name}")
            yield _told(entry, "sentence renamed", entry.with_key(f"{name}x"), f"`{name}x`")


def _left_out(entry: Entry) -> Iterator[Mutant]:
    """The last of several wordings: then there is a case in which nothing is said."""
    if entry.key is None and entry.is_sentence and _last_of_list(entry):
        lines = _lines_between(entry)
        words = "nothing" if entry.path[0] == "draft" else "nothing is said"
        yield Mutant("fallback left out", _where(entry), entry.left_out(), lines, words)


# ---- What is planted in translations -------------------------------------------------------------


_MESSAGE = re.compile(r"^msgid (.+?)\nmsgstr (.+?)\n(?=\n|\Z)", re.MULTILINE | re.DOTALL)


def _worse_translations() -> Iterator[Mutant]:
    """Every message of the English catalogue, its header left out."""
    messages = [*_MESSAGE.finditer(SHIPPED.texts[ENGLISH])][1:]
    others = {_names_in(message[2]): _unquoted(message[2]) for message in reversed(messages)}
    for number, message in enumerate(messages):
        said = _unquoted(message[2])
        yield from _worse_translation(message, _unquoted(message[1]), said)
        other = others[_names_in(message[2])]
        if other != said and number % 10 == 0:  # a few: no checker can know
            yield _translated(message, "translation of another sentence", other, "")


def _names_in(text: str) -> tuple[str, ...]:
    return tuple(sorted(_PLACEHOLDER.findall(text)))


def _worse_translation(message: re.Match[str], text: str, said: str) -> Iterator[Mutant]:
    where = f"{ENGLISH}:{_line(message)}"
    spanish = frozenset(_split(each.at) for each in parts(BOOK, Variant) if each.text == text)
    dropped = _translated(message, "translation dropped", "", "not translated")
    yield replace(dropped, lines=spanish)
    fuzzy = _with_span(ENGLISH, message.start(), message.start(), "#, fuzzy\n")
    yield Mutant("translation fuzzy", where, fuzzy, spanish, "not translated")
    yield _translated(message, "translation lengthened", said + _LONG, "septets")
    yield _translated(message, "letter of no phone", f"{said} 😀", "a plain phone has no")
    yield _translated(message, "placeholder added", said + " {algo}", "the Spanish names")
    stale = _with_span(ENGLISH, message.start(1), message.end(1), _quoted(f"{text}!"))
    at = frozenset({(ENGLISH, _line(message))})
    yield Mutant("translation stale", where, stale, at, "not said in the menus any more")
    for name in _PLACEHOLDER.findall(said):
        lost = said.replace(f"{{{name}}}", "...")
        yield _translated(message, "placeholder lost", lost, "the Spanish names")
    if said.endswith("PIN:"):
        worse = said.replace("PIN", "secret")
        yield _translated(message, "PIN not named", worse, "does not say so")


def _translated(message: re.Match[str], kind: str, worse: str, words: str) -> Mutant:
    """Another translation of the message."""
    pages = _with_span(ENGLISH, message.start(2), message.end(2), _quoted(worse))
    at = (ENGLISH, _line(message))
    return Mutant(kind, f"{ENGLISH}:{at[1]}", pages, frozenset({at}), words)


def _line(message: re.Match[str]) -> int:
    return message.string[: message.start()].count("\n") + 1


# ---- Where things stand --------------------------------------------------------------------------


@cache
def _entries(file: str) -> tuple[Entry, ...]:
    root = yaml.compose(SHIPPED.texts[file], Loader=yaml.SafeLoader)
    return tuple(_below(file, (), root))


def _below(file: str, path: tuple[str, ...], node: yaml.Node) -> Iterator[Entry]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield Entry(file, below, key, value)
            yield from _below(file, below, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield Entry(file, (*path, "-"), None, item)
            yield from _below(file, (*path, "-"), item)


def _above(entry: Entry, levels: int) -> Entry:
    """The entry that this one is in, so many levels up."""
    path = entry.path[:-levels]
    return next(each for each in _entries(entry.file) if each.path == path)


def _child(entry: Entry, key: str) -> str:
    return next(e.text for e in _entries(entry.file) if e.path == (*entry.path, key))


def _top(file: str, *keys: str) -> str:
    """Where the first of these keys stands in the file; nowhere where it has none of them."""
    found = [entry for entry in _entries(file) if entry.path[-1] in keys and len(entry.path) == 1]
    return f"{file}:{found[0].line}" if found else f"{file}:0"


def _siblings(entry: Entry) -> list[Entry]:
    """The entries of the section or the list that this one is in, itself among them."""
    found = [each for each in _entries(entry.file) if each.path[:-1] == entry.path[:-1]]
    return [each for each in found if (each.key is None) == (entry.key is None)]


def _last_of_list(entry: Entry) -> bool:
    siblings = _siblings(entry)
    return len(siblings) > 1 and siblings[-1] is entry


def _lines_between(entry: Entry) -> frozenset[tuple[str, int]]:
    """The lines of the list that the entry is in."""
    return frozenset((entry.file, each.line) for each in _siblings(entry))


def _lines_with(file: str, name: str) -> frozenset[tuple[str, int]]:
    """The lines that name a slot, and those of the operations that take it."""
    lines = SHIPPED.texts[file].split("\n")
    named = re.compile(rf"\b{name}\b|^do:|^quote:")
    return frozenset((file, at) for at, line in enumerate(lines, 1) if named.search(line))


def _split(at: str) -> tuple[str, int]:
    file, _, line = at.rpartition(":")
    return file, int(line)


def _where(entry: Entry) -> str:
    return f"{entry.file}:{entry.line} {'/'.join(entry.path)}"


# ---- How copies are made -------------------------------------------------------------------------


def _told(entry: Entry, kind: str, pages: Pages, words: str, more: int = 0) -> Mutant:
    """A fault that is told where it was planted."""
    lines = frozenset({(entry.file, entry.line), (entry.file, more or entry.line)})
    return Mutant(kind, _where(entry), pages, lines, words)


def _planted(entry: Entry, kind: str, pages: Pages, at: str, words: str) -> Mutant:
    """A fault that is told elsewhere: something is missed there."""
    return Mutant(kind, _where(entry), pages, frozenset({_split(at)}), words)


def _written(file: str, node: yaml.Node, text: str) -> Pages:
    return _with_span(file, node.start_mark.index, node.end_mark.index, text)


def _with_span(file: str, start: int, end: int, text: str) -> Pages:
    whole = SHIPPED.texts[file]
    return _with(file, whole[:start] + text + whole[end:])


def _with(file: str, text: str) -> Pages:
    return Pages({**SHIPPED.texts, file: text})


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _unquoted(lines: str) -> str:
    """The text of a gettext message, which may be on several lines."""
    return "".join(str(yaml.safe_load(line)) for line in lines.split("\n") if line != '""')


def report() -> str:
    """Plant them all; what was caught, by kind, and what was not."""
    planted: Counter[str] = Counter()
    survivors: list[Mutant] = []
    for mutant in mutants():
        planted[mutant.kind] += 1
        if not mutant.caught():
            survivors.append(mutant)
    lost = Counter(mutant.kind for mutant in survivors)
    lines = [
        f"{number - lost[kind]:5} of {number:5}  {kind}" for kind, number in sorted(planted.items())
    ]
    for mutant in survivors:
        why = EXPLAINED.get(mutant.kind, "NOT EXPLAINED")
        lines.append(f"survived: {mutant.name}: {why}")
    caught = planted.total() - len(survivors)
    lines.append(f"{caught} of {planted.total()} caught: {caught / planted.total():.1%}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(report() + "\n")
