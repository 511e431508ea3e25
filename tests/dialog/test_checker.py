"""The checker tells each fault: where, on which screen, in which language, and what would help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.bank.bank import CATALOGUE
from gateway.dialog.book import Book, Catalogue, Variant, parts
from gateway.dialog.checker import Limits, Listing, check, listings
from gateway.dialog.checker.declared import scope
from gateway.dialog.checker.names import sentence_names
from gateway.dialog.checker.supplied import FACTS, SENTENCES
from gateway.dialog.kinds import KINDS
from gateway.dialog.reader import read_book
from gateway.ledger.port import REFUSALS
from gateway.menus import read_folder
from gateway.values.gsm import septets

HOUSE = Path(__file__).parents[2]
SHIPPED = read_folder(HOUSE / "menus")

HOME = """\
menu: home
say: "Hola {member.first_name}"
options:
  1: {label: Enviar, go: send}
  2: {label: Credito, go: loan}
"""
SEND = """\
journey: send
sms: [ENVIAR]
draft: enviar dinero
slots:
  source: {type: savings_account, ask: "¿De que cuenta?"}
  payee: {type: payee, ask: "¿A quien?"}
  amount: {type: money, ask: "¿Cuanto a {payee.name}?"}
quote: transfers.quote
confirm: "Enviar {amount} a {payee.name}. Marca tu PIN:"
authorise: pin
do: transfers.send
done: "Listo. Op. {reference}"
refused:
  insufficient_funds: {say: "No alcanza.", ask: amount}
  over_limit: {say: "Hasta {limit}.", ask: amount}
  again: {say: "¿Otra vez?", again: yes}
  no_such_account: "No se puede."
  same_account: "Es la misma."
  look_only: "Solo mira."
  insufficient_last_known: "No alcanza."
"""
LOAN = """\
menu: loan
data: loans.status
say: "{name}"
options:
  1: {label: Cuanto debo, go: owed}
refused:
  no_loan: "No tienes credito."
"""
OWED = """\
journey: owed
slots:
  loan: {type: loan, ask: "¿Que credito?"}
confirm: "Ver lo que debes. Marca tu PIN:"
authorise: pin
do: loans.owed
done: "Debes {owed}"
refused:
  nothing_owed: "No debes nada."
"""
MENUS: Mapping[str, str] = {
    "home.yaml": HOME,
    "send.yaml": SEND,
    "loan.yaml": LOAN,
    "owed.yaml": OWED,
    **{name: SHIPPED.texts[name] for name in ("words.yaml", "receipts.yaml")},
}
LISTED = """\
journey: movements
slots:
  source: {type: savings_account, ask: "¿De que cuenta?"}
confirm: "Marca tu PIN:"
authorise: pin
do: accounts.movements
done: "{source.name}:"
rows: "{day} {amount}"
none: "Nada todavia."
"""


def book(
    changes: Mapping[str, str] | None = None, catalogues: Mapping[str, Catalogue] | None = None
) -> Book:
    """The small menus above, with other files."""
    return read_book({**MENUS, **(changes or {})}, catalogues or {})


def faults(changes: Mapping[str, str], limits: Limits = Limits()) -> list[str]:  # noqa: B008
    """What the checker tells of the small menus with these changes."""
    return [str(fault) for fault in check(book(changes), CATALOGUE, limits)]


def test_menus_without_a_fault_have_none() -> None:
    """Or no other test here says anything."""
    assert faults({}) == []


@pytest.mark.parametrize(
    ("file", "was", "becomes", "told"),
    [
        # Names.
        ("home.yaml", "go: send", "go: sned",
         "home.yaml:4: home: there is no menu or journey `sned`; is it `send`?"),
        ("send.yaml", "do: transfers.send", "do: bus.buy",
         "send.yaml:11: send: there is no operation `bus.buy`"),
        ("loan.yaml", "data: loans.status", "data: loans.statu",
         "loan.yaml:2: loan: there is no operation `loans.statu`; is it `loans.status`?"),
        ("loan.yaml", "data: loans.status", "data: payees.find",
         "loan.yaml:2: loan: `payees.find` needs `typed`, and a menu has no slots"),
        ("send.yaml", "type: money", "type: soles",
         "send.yaml:7: send/amount: there is no type of slot `soles`"),
        ("send.yaml", "type: money", "type: date",
         "send.yaml:7: send/amount: `transfers.quote` takes `amount` as a `money`, not a `date`"),
        ("send.yaml", "  amount: {type: money", "  monto: {type: money",
         "send.yaml:11: send: `transfers.send` needs the slot `amount`; add it, of the type"),
        ("send.yaml", "  amount:", "  tip: {type: money, ask: a}\n  amount:",
         "send.yaml:7: send/tip: nothing uses `tip`; leave the slot out"),
        ("send.yaml", "ask: \"¿Cuanto a {payee.name}?\"", "ask: a, only_when: payee",
         "send.yaml:7: send/amount: `transfers.send` needs `amount` always"),
        ("send.yaml", "ask: amount}\n  over", "ask: monto}\n  over",
         "send.yaml:14: send/insufficient_funds: there is no slot to ask again `monto`"),
        ("send.yaml", "ask: amount}\n  over", "ask: source}\n  over",
         "send.yaml:14: send/insufficient_funds: `source` is taken unasked"),
        ("home.yaml", "go: send", "go: send, given: {monto: algo}",
         "home.yaml:4: home: there is no slot of `send` `monto`"),
        ("home.yaml", "go: send", "go: send, given: {amount: algo}",
         "home.yaml:4: home: `amount` cannot be given: only a `choice` can"),
        ("home.yaml", "go: loan", "go: loan, given: {amount: algo}",
         "home.yaml:5: home: a menu has no slots to be given"),
        # Refusals.
        ("send.yaml", "  no_such_account: \"No se puede.\"\n", "",
         "send.yaml:11: send: the refusal `no_such_account` is not said; add `no_such_account:`"),
        ("loan.yaml", "  no_loan: \"No tienes credito.\"\n", "  unavailable: Luego.\n",
         "loan.yaml:2: loan: the refusal `no_loan` is not said"),
        ("send.yaml", "  same_account:", "  too_dear: a\n  same_account:",
         "send.yaml:18: send: there is no refusal `too_dear`"),
        ("send.yaml", "again: {say: \"¿Otra vez?\", again: yes}", "again: \"¿Otra vez?\"",
         "send.yaml:16: send/again: `again: yes` belongs to the refusal `again`"),
        # Placeholders and conditions.
        ("send.yaml", "Op. {reference}", "Op. {referencia}",
         "send.yaml:12: send/done: there is no value `referencia`; is it `reference`?"),
        ("send.yaml", "Hasta {limit}", "Hasta {available}",
         "send.yaml:15: send/over_limit: there is no value `available`"),
        ("send.yaml", "{type: payee, ask: \"¿A quien?\"}", "{type: payee, ask: \"{amount}\"}",
         "send.yaml:6: send/payee: there is no value `amount`"),
        ("send.yaml", "¿Cuanto a {payee.name}?", "{payee}",
         "send.yaml:7: send/amount: `{payee}` is more than one value; name one of {payee.name}"),
        ("send.yaml", "¿Cuanto a {payee.name}?", "{payee.member_ref}",
         "send.yaml:7: send/amount: `{payee.member_ref}` is not for members to read"),
        ("loan.yaml", 'say: "{name}"', 'say: "{late}"',
         "loan.yaml:3: loan: `{late}` is not for members to read"),
        ("send.yaml", "No alcanza.", "Tienes {available}.",
         "send.yaml:14: send/insufficient_funds: `{available}` is not always there; say it only"),
        ("home.yaml", "go: send", "go: send, only_when: member.rich",
         "home.yaml:4: home: there is no value `member.rich`"),
        ("loan.yaml", 'say: "{name}"', 'say: [{when: laet, say: a}, b]',
         "loan.yaml:3: loan: there is no value `laet`; is it `left`?"),
        ("loan.yaml", 'say: "{name}"', 'say: [{when: owed is much, say: a}, b]',
         "loan.yaml:3: loan: `owed` has no values to compare with; write `owed` alone"),
        ("loan.yaml", 'say: "{name}"', "say:\n  - a\n  - b",
         "loan.yaml:4: loan: the wordings below this one are never said"),
        ("loan.yaml", 'say: "{name}"', "say:\n  - {when: late, say: a}",
         "loan.yaml:4: loan: where this does not hold, nothing is said; end with a wording"),
        ("send.yaml", "draft: enviar dinero", 'draft: "enviar {amount}"',
         "send.yaml:3: send/draft: nothing can be said before these are known"),
        # Ways.
        ("home.yaml", "  1: {label: Enviar, go: send}\n", "",
         "send.yaml:1: send: no option leads to this journey"),
        ("home.yaml", "  2: {label: Credito, go: loan}\n", "",
         "loan.yaml:1: loan: no option leads to this menu"),
        ("loan.yaml", "go: owed", "go: home",
         "loan.yaml:5: loan: `home` is where the member came from; 0 and 00 lead back"),
        ("loan.yaml", "options:\n  1: {label: Cuanto debo, go: owed}\n", "",
         "loan.yaml:1: loan: this menu leads to no journey"),
        ("home.yaml", "  2:", "  01:", "home.yaml:5: home: the key 1 is taken already"),
        ("send.yaml", "sms: [ENVIAR]", "inputs_max: 3",
         "send.yaml:2: send: it takes 4 inputs, the PIN included, and 3 are meant"),
        ("send.yaml", "sms: [ENVIAR]", "inputs_max: 7",
         "send.yaml:2: send: a session does not last for more than 6 inputs"),
        # The PIN.
        ("send.yaml", "authorise: pin\n", "",
         "send.yaml:10: send: `transfers.send` moves money: it needs the PIN; add"),
        ("owed.yaml", "authorise: pin\n", "",
         "owed.yaml:5: owed: `loans.owed` shows what is the member's alone: it needs the PIN"),
        ("owed.yaml", 'confirm: "Ver lo que debes. Marca tu PIN:"\n', "",
         "owed.yaml:5: owed: `loans.owed` shows what is the member's alone: a screen has to"),
        ("send.yaml", "Marca tu PIN:", "Marca tu clave:",
         "send.yaml:9: send/confirm: the screen that asks for the PIN does not say so"),
        ("send.yaml", "Enviar {amount} a", "Enviar a",
         "send.yaml:9: send/confirm: it does not say how much; name {amount}"),
        ("send.yaml", " a {payee.name}. Marca", ". Marca",
         "send.yaml:9: send/confirm: it does not say to whom; name {payee.name}"),
        ("send.yaml", "quote: transfers.quote", "quote: transfers.send",
         "send.yaml:8: send: `transfers.send` needs the PIN, which is not asked for here"),
        # Room and letters.
        ("send.yaml", "¿De que cuenta?", "¿De que cuenta quieres enviar el dinero ahora?",
         "send.yaml:5: send/source: takes 166 septets with the longest values, and 160 fit"),
        ("send.yaml", "¿De que cuenta?", "¿De qué cuentà… €?",
         None),
        ("send.yaml", "¿De que cuenta?", "¿De que ≠ cuenta?",
         "send.yaml:5: send/source: a plain phone has no ≠; use other letters"),
        ("home.yaml", "label: Credito", f"label: {'Credito ' * 15}",
         "home.yaml:5: home: takes"),
        # Words by SMS.
        ("send.yaml", "[ENVIAR]", "[Alto]",
         "send.yaml:2: send: `Alto` is a word that networks keep for themselves"),
        ("send.yaml", "[ENVIAR]", "[2]", "send.yaml:2: send: `2` cannot begin an SMS"),
        ("owed.yaml", "journey: owed", "journey: owed\nsms: [envíar]",
         "send.yaml:2: send: `ENVIAR` begins `owed`, too"),
        # Sentences and receipts.
        ("words.yaml", "  bye:", "  bey:", "there is no use for the sentence `bey`; is it `bye`?"),
        ("words.yaml", "  bye:", "  bey:", "words.yaml:2: words/bye: the sentence `bye` is"),
        ("receipts.yaml", "  transfer_own:", "  transfer_mine:",
         "receipts.yaml:2: receipts/transfer_own: nothing is sent when there is a `transfer_own`"),
        ("words.yaml", '"9 Mas"', '"9 Para ver todo lo que falta"',
         "words.yaml:5: words/foot: takes 49 septets with the longest values, and 40 fit"),
    ],
)  # fmt: skip
def test_a_fault_is_told_where_it_is(file: str, was: str, becomes: str, told: str | None) -> None:
    """With the name of its screen, and what would help where that is known."""
    assert was in MENUS[file]

    found = faults({file: MENUS[file].replace(was, becomes)})

    assert found == [] if told is None else any(told in each for each in found), found


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ('none: "Nada todavia."\n', "",
         "movements.yaml:6: movements: nothing is said of an empty list; add `none:`"),
        ('rows: "{day} {amount}"\n', "",
         "movements.yaml:6: movements: the list of `accounts.movements` is not shown"),
        ('rows: "{day} {amount}"', "rows: {sent: a, given: b}",
         "movements.yaml:8: movements/rows: there is no kind of row `given`"),
        ('rows: "{day} {amount}"', "rows: {sent: a}",
         "movements.yaml:8: movements/rows: a row of the kind `tax` is not shown"),
        ('rows: "{day} {amount}"', 'rows: "{member.first_name}"',
         "movements.yaml:8: movements/rows: there is no value `member.first_name`"),
        ("do: accounts.movements", "do: members.set_language",
         "movements.yaml:8: movements: `members.set_language` has no list for `rows:`"),
        ("authorise: pin\ndo: accounts.movements", "authorise: pin\ndo: members.set_language",
         "movements.yaml:5: movements: `members.set_language` needs no PIN"),
        ('rows: "{day} {amount}"', f'rows: "{"{day} {amount} " * 8}"',
         "movements.yaml:8: movements/rows: takes"),
    ],
)  # fmt: skip
def test_a_fault_of_a_list_is_told(was: str, becomes: str, told: str) -> None:
    """Its rows, its emptiness, and an operation that has none."""
    home = HOME.replace("go: loan", "go: movements")
    listed = {"home.yaml": home, "movements.yaml": LISTED, "loan.yaml": LOAN}
    assert was in LISTED

    found = faults({**listed, "movements.yaml": LISTED.replace(was, becomes)})

    assert any(told in each for each in found), found


def test_more_than_five_options_are_too_many() -> None:
    """People lose the thread."""
    options = "".join(f"  {key}: {{label: Enviar, go: send}}\n" for key in range(3, 7))

    assert (
        "home.yaml:9: home: this is option 6: people lose the thread beyond 5; put some"
        in "\n".join(faults({"home.yaml": HOME + options}))
    )


def test_every_fault_is_told_at_once_and_in_order() -> None:
    """Not one after the other, a run each."""
    found = faults(
        {
            "home.yaml": HOME.replace("go: loan", "go: lone"),
            "send.yaml": SEND.replace("authorise: pin\n", "").replace("Op. {reference}", "{ref}"),
        }
    )

    assert [fault.split(": ")[0] for fault in found] == [
        "home.yaml:5", "loan.yaml:1", "owed.yaml:1", "send.yaml:10", "send.yaml:11",
    ]  # fmt: skip


# ---- Languages -----------------------------------------------------------------------------------


def catalogue(reviewed: bool = True, **changed: str) -> dict[str, Catalogue]:
    """Every sentence of the small menus in English, which is Spanish here but for the changes."""
    said = {variant.text: variant.text for variant in parts(book(), Variant)}
    for text, translation in changed.items():
        (whole,) = [each for each in said if each.startswith(text)]
        said[whole] = translation
    lines = {text: number for number, text in enumerate(said, start=10)}
    texts = {text: translation for text, translation in said.items() if translation}
    return {"en": Catalogue("en", "English", texts, lines, reviewed)}


def told_in_english(catalogues: Mapping[str, Catalogue]) -> list[str]:
    """What the checker tells of the small menus with these translations."""
    return [str(fault) for fault in check(book(catalogues=catalogues), CATALOGUE)]


@pytest.mark.parametrize(
    ("text", "translation", "told"),
    [
        (
            "Hola",
            "",
            "home.yaml:2: home in en: `Hola {member.first_name}` is not translated; add it",
        ),
        ("Hola", "Hello", "home in en: names nothing where the Spanish names {member.first_name}"),
        ("Hola", "Hello {", "home in en: "),
        ("Hola", "Hello {member.first_name} ✓", "home in en: a plain phone has no ✓"),
        ("Hola", "Hello {member.first_name}" + "!" * 160, "home in en: takes"),
        ("Ver", "See what you owe.", "owed/confirm in en: the screen that asks for the PIN"),
    ],
)
def test_a_fault_of_a_translation_is_told_in_its_catalogue(
    text: str, translation: str, told: str
) -> None:
    """On the line of its sentence, by the name of the language. What is missing stands nowhere:
    then it is the sentence's own line."""
    catalogues = catalogue(**{text: translation})
    lines = catalogues["en"].lines
    line = next(number for each, number in lines.items() if each.startswith(text))

    found = told_in_english(catalogues)

    assert len(found) == 1, found
    assert told in found[0]
    assert found[0].startswith(f"locale/en/menus.po:{line}: " if translation else "home.yaml:2: ")


def test_a_translation_of_what_nobody_says_is_stale() -> None:
    """The sentence was changed, and its translation stayed behind."""
    (english,) = catalogue().values()
    stale = replace(english, texts={**english.texts, "Adios": "Bye"}, lines={"Adios": 7})

    (told,) = told_in_english({"en": stale})
    assert told.startswith("locale/en/menus.po:7: en: `Adios` is not said in the menus any more")


def test_a_reviewed_language_without_a_name_is_offered_to_nobody() -> None:
    """That would be silent otherwise."""
    (english,) = catalogue().values()

    assert "X-Language-Name" in told_in_english({"en": replace(english, name="")})[0]


def test_a_language_that_nobody_has_reviewed_stops_nothing() -> None:
    """It is served to nobody: translators work on it as long as they need."""
    assert told_in_english(catalogue(reviewed=False, Hola="")) == []


# ---- What is proven for what ---------------------------------------------------------------------


def test_a_wider_channel_has_more_room() -> None:
    """The limits are the narrowest channel's, and an argument."""
    wide = SEND.replace("¿De que cuenta?", "¿De que cuenta quieres enviar el dinero ahora?")

    assert faults({"send.yaml": wide}, Limits(screen_septets=182)) == []


def test_who_shortens_learns_what_stands_with_it() -> None:
    """A label that is one letter too long for a screen may not be the longest text there."""
    label = "Enviar dinero o pagar " * 4
    found = faults({"home.yaml": HOME.replace("Enviar,", f'"{label},",')})

    assert found
    assert all("home.yaml:4" in fault for fault in found)


def test_lists_say_how_many_pages_they_take() -> None:
    """Balance and movements may page, and no farmer presses 9 for ever."""
    home = HOME.replace("go: loan", "go: movements")
    read = book({"home.yaml": home, "movements.yaml": LISTED})

    assert listings(read, CATALOGUE) == [Listing("movements/done", "es", 1)]


# ---- What the checker knows by heart is so -------------------------------------------------------


def test_the_sentences_are_those_that_the_house_says() -> None:
    """A new sentence in the code is a new line in `supplied.py`, or this fails."""
    files = (
        *("dialog/machine.py", "dialog/display.py"),
        *("conversation.py", "texting.py", "driver.py", "bank/orders.py", "bank/sims.py"),
        *("bank/new_pins.py", "bank/weak_pins.py"),
    )
    sources = [(HOUSE / "gateway" / file).read_text() for file in files]
    said = {name for source in sources for name in _said(ast.parse(source))}
    everything = "".join(sources)

    assert said - sentence_names(CATALOGUE) == set()
    assert [name for name in SENTENCES if not re.search(rf"""['"]{name}['"]""", everything)] == []


_BEHIND_THE_STATE = {"say", "_wrong", "_misread", "_not_clear", "_left"}


def _said(tree: ast.AST) -> Iterator[str]:
    """The names that are given to whatever says a sentence: to most of them, behind the state."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "self.apology":
            yield from _texts(node.value)
        elif isinstance(node, ast.Call):
            speaker = ast.unparse(node.func).rpartition(".")[2]
            if speaker in {"apology", "answers"}:
                yield from _texts(node.args[0])
            elif speaker in _BEHIND_THE_STATE and len(node.args) > 1:
                yield from _texts(node.args[1])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value


def test_answers_are_misread_in_the_words_of_their_kind() -> None:
    """Each code that `answers.py` raises is some kind's."""
    source = (HOUSE / "gateway/dialog/answers.py").read_text()
    raised = set(re.findall(r'NotUnderstoodError\("(\w+)"\)', source))

    assert {code for kind in KINDS.values() for code in kind.misread} == raised


def test_the_facts_are_those_that_are_told() -> None:
    """They are told in SQL; the party's name and the day are added when the SMS is written."""
    files = [*(HOUSE / "gateway").glob("*/sql/*.sql")]
    sql = "".join(file.read_text() for file in sorted(files))
    told = {
        fact: {key.removesuffix("_centimos").removesuffix("_ref") for key in _keys(detail)}
        for fact, detail in re.findall(
            r"(?:tell\(|tell_both\(\s+|(?<=\)),\s+|select )'(\w+)', [\w.]+,"
            r" (?:'{}'|jsonb_build_object\((.*?)\n *\))",
            sql,
            re.S,
        )
    }

    assert told.pop("answer"), "its words were found when the text was read"
    assert {fact: set(known) - {"day"} for fact, known in FACTS.items()} == {
        "order_refused": told.pop("order_refused") - {"operation"},
        **{fact: keys - {"forgotten_at"} for fact, keys in told.items()},
    }


def test_why_an_order_under_way_was_refused_is_one_of_what_a_core_says() -> None:
    """Or a receipt would have words for what never happens, and nobody would see it."""
    codes = FACTS["order_refused"]["code"].split("|")

    assert set(codes) == {*REFUSALS, "expired", "closed"}


def _keys(detail: str) -> list[str]:
    return re.findall(r"'(\w+)',", detail)


def test_every_kind_that_an_operation_declares_is_known() -> None:
    """A misspelt kind would be fitted for nothing."""
    for operation in CATALOGUE.values():
        declared = [operation.takes, operation.gives, operation.rows or {}]
        for kinds in (*declared, *operation.refusals.values()):
            for supply in scope(kinds).values():
                assert supply.known, f"{operation.name}: {supply.kind}"


def test_the_longest_amount_is_what_screens_are_fitted_for() -> None:
    """S/ 999,999.99: thirteen letters."""
    assert septets(str(scope({"a": "money"})["a"].longest())) == 13
