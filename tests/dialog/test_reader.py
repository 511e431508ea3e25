"""Menus that cannot be served say where and why."""

from __future__ import annotations

import pytest

from gateway.dialog.reader import FaultyBookError, read_book

HOME = "menu: home\nsay: Hola\noptions:\n  1: {label: Saldo, go: balance}\n"
BALANCE = "journey: balance\ndo: accounts.balance\ndone: Listo\n"


def faults(**files: str) -> list[str]:
    """What the reader finds wrong."""
    texts = {"home.yaml": HOME, "balance.yaml": BALANCE}
    texts |= {f"{name}.yaml": text for name, text in files.items()}
    with pytest.raises(FaultyBookError) as found:
        read_book(texts, {})
    return [str(fault) for fault in found.value.faults]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "x.yaml:1: a menu file is a list of `name: value` lines"),
        ("- a\n- b\n", "x.yaml:1: a menu file is a list of `name: value` lines"),
        ("a: [\n", "x.yaml:2: not YAML"),
        ("hello: you\n", "x.yaml:1: a file begins with"),
        ("menu: x\nsay: a\nsay: b\n", "x.yaml:3: `say` stands twice"),
        ("menu: x\noptions: {}\n", "x.yaml:1: `say:` is missing"),
        ("menu: x\nsay: a\ncolour: red\n", "x.yaml:3: `colour:` means nothing here"),
        ("menu: x\nsay:\n", "x.yaml:2: `say:` is missing"),
        ("menu: x\nsay: ~\n", "x.yaml:2: `say:` is missing"),
        ("menu: x\nsay: []\n", "x.yaml:2: `say:` is missing"),
        ("menu: x\nsay: '  '\n", "x.yaml:2: the text is empty"),
        ("menu: x\nsay: 'a\\nb'\n", "x.yaml:2: "),
        ("menu: x\nsay: '{{a}}'\n", "x.yaml:2: "),
        ("menu: x\nsay: '${a}'\n", "x.yaml:2: "),
        ('menu: x\nsay: "a\\n1. b"\n', "x.yaml:2: "),
        ("menu: x y\nsay: a\n", "x.yaml:1: `x y` is no name"),
        ("menu: x\nsay: a: b\n", "x.yaml:2: not YAML: mapping values are not allowed here; put"),
        ("menu: x\n\tsay: a\n", "x.yaml:2: not YAML: "),
        ("menu: &a x\nsay: *a\n", "x.yaml:2: `*` refers to another place"),
        ("menu: x\nsay: " + "[" * 3_000 + "\n", "x.yaml:"),
        ("journey: x\ndo: a\ndone: b\ninputs_max: " + "9" * 5_000, "x.yaml:4: `inputs_max:` is"),
        ("menu: x\nsay: '{'\n", "x.yaml:2: `{`:"),
        ("menu: x\nsay: '{a!r}'\n", "x.yaml:2: `{a!r}`:"),
        ("menu: x\nsay: a\noptions:\n  9: {label: b, go: home}\n", "x.yaml:4: an option's key is"),
        ("menu: x\nsay: a\noptions:\n  1: {label: b}\n", "x.yaml:4: `go:` is missing"),
        ("menu: x\nsay: a\noptions: [1]\n", "x.yaml:3: `options:` is a list of"),
        ("journey: x\ndo: a.b\ndone: c\nauthorise: dni\n", "x.yaml:4: `authorise:` is `pin`"),
        (
            "journey: x\ndo: a\ndone: c\nslots:\n  a: {type: b, ask: b, only_when: 'a = b'}\n",
            "x.yaml:5: `a = b` is no condition",
        ),
        ("menu: balance\nsay: a\n", "x.yaml:1: `balance` is there already"),
    ],
)
def test_a_fault_is_named_with_its_file_and_line(text: str, fault: str) -> None:
    """So that whoever wrote it finds it without help."""
    assert any(found.startswith(fault) for found in faults(x=text)), faults(x=text)


def test_every_fault_is_named_at_once() -> None:
    """Not one after the other, a run each."""
    assert len(faults(x="menu: x\nsay: '{'\ncolour: red\n", y="journey: y\n")) >= 4


def test_a_dial_may_not_depend_on_anything() -> None:
    """Where it is refused, back and home would lead to the same refusal for ever."""
    texts = {"home.yaml": HOME + "data: loans.status\n", "balance.yaml": BALANCE}

    with pytest.raises(FaultyBookError, match="0 and 00 would lead nowhere"):
        read_book(texts, {})


def test_a_sentence_that_stands_in_two_files_is_a_fault() -> None:
    """Which of them would be said, nobody could tell."""
    words = "words:\n  bye: Adios\n"

    assert any("said in another file" in fault for fault in faults(one=words, two=words))


def test_a_book_without_a_home_cannot_be_served() -> None:
    """A dial would lead nowhere."""
    with pytest.raises(FaultyBookError, match="there is no menu `home`"):
        read_book({"balance.yaml": BALANCE}, {})
