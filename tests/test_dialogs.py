"""The golden dialogs: each is played over the real webhook and comes out to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.cooperative import Cooperative, Handset, Screen
from tests.people import BY_NAME, PEOPLE, STRANGER

STORIES = sorted((Path(__file__).parent / "dialogs").glob("*.txt"))

NOTHING: Mapping[str, Callable[[], object]] = {}

_LINE = re.compile(r"(?P<who>[A-Z][a-zñáéíóú]+): (?P<typed>.*)")
_TEXTED = re.compile(r"(?P<who>[A-Z][a-zñáéíóú]+) escribe un SMS: (?P<text>.*)")
_DIALLED = re.compile(r"\*775(?:\*(?P<then>.+))?#")
_REFERENCE = re.compile(r"(?<=[Oo]p\. )\d{6,}")
_INVITED = re.compile(r"A (?P<who>[A-Z][a-z]+) le dan un codigo")
_WAITS = re.compile(r"\((?P<minutes>\d+) minutos despues\)")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_the_dialog_comes_out_to_the_letter(
    story: Path, cooperative: Cooperative, request: pytest.FixtureRequest
) -> None:
    """Every screen and every SMS of the story is what the file says."""
    script = story.read_text("utf-8")

    played = "\n".join(play(script, cooperative)) + "\n"

    if request.config.getoption("record"):
        story.write_text(played, "utf-8")
    assert played == script
    assert cooperative.books_are_right()


def play(
    script: str, cooperative: Cooperative, happens: Mapping[str, Callable[[], object]] = NOTHING
) -> Iterator[str]:
    """The story's own lines, each line of a person followed by what the phone then shows.
    `happens`: what the other lines of this story do."""
    phones: dict[str, Handset] = {}
    for line in script.rstrip("\n").split("\n"):
        if event := happens.get(line):
            event()
        elif waits := _WAITS.fullmatch(line):
            cooperative.clock.pass_time(minutes=int(waits["minutes"]))
        elif invited := _INVITED.fullmatch(line):
            cooperative.invite(BY_NAME[invited["who"]])
        elif texted := _TEXTED.fullmatch(line):
            yield line
            yield f"    {_masked(_answer_to(texted['who'], texted['text'], cooperative))}"
            continue
        elif said := _LINE.fullmatch(line):
            yield line
            screen = _answer(said["who"], said["typed"], phones, cooperative)
            yield from _shown(screen)
            if screen.ends:
                yield from _delivered(cooperative)
            continue
        elif line.startswith(("    ", "SMS ")):
            continue
        yield line


def _answer(who: str, typed: str, phones: dict[str, Handset], cooperative: Cooperative) -> Screen:
    """What the phone shows after its owner dialled or typed."""
    msisdn = BY_NAME[who].msisdn if who in BY_NAME else STRANGER
    if dialled := _DIALLED.fullmatch(typed):
        phones[who] = cooperative.phone(msisdn)
        return phones[who].dial(dialled["then"] or "")
    if typed == "(su PIN)":
        typed = BY_NAME[who].pin or ""
    if typed == "(su codigo)":
        typed = cooperative.codes[BY_NAME[who].ref]
    return phones[who].press("" if typed == "(nada)" else typed)


def _answer_to(who: str, text: str, cooperative: Cooperative) -> str:
    """What is answered to an SMS."""
    msisdn = BY_NAME[who].msisdn if who in BY_NAME else STRANGER
    return "\n    ".join(cooperative.text(msisdn, text))


def _shown(screen: Screen) -> Iterator[str]:
    for line in screen.text.split("\n"):
        yield f"    {_masked(line)}"
    if screen.ends:
        yield "    [fin]"


def _delivered(cooperative: Cooperative) -> Iterator[str]:
    """The SMS that have come, to whom and what."""
    cooperative.deliver()
    for person in PEOPLE:
        for text in cooperative.new_sms(person.msisdn):
            yield f"SMS a {person.called}: {_masked(text)}"


def _masked(text: str) -> str:
    """References count up over a whole run; what matters is that there is one."""
    return _REFERENCE.sub("######", text)
