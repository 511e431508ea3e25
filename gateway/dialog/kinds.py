"""The kinds of slot: how each is offered, typed and looked up.

A slot's kind is one of `KINDS`. What an operation declares may also be of a *plain* kind: `money`,
`signed_money` (less than nothing, too), `date`, `moment` (a date, or an hour of these days),
`number`, `person` (a short name), `product` (the name of an account or a loan), `payee_name`
(either), `reference`, `text`; or of one that is not for members' eyes: `flag`, `ref`, or the values
that there are: `instalment|part|payoff`. With a `?` behind it, it is not always there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.dialog import answers
from gateway.values.outcome import Value


@dataclass(frozen=True, slots=True)
class Kind:
    """How a slot of this kind gets its value.

    Args:
        offers: an operation whose rows are offered as options, by their `name`.
        alone: whether a single offer is taken without asking.
        parse: reads what was typed; raises `answers.NotUnderstoodError` with one of `misread`.
        resolve: an operation that turns what was typed into the value, under the kind's own name.
        none: the sentence for when there is nothing to offer and nothing can be typed.
        fields: what a placeholder may name of a record, each with its kind; empty for a scalar.
        whom: whether money goes to it: then the screen that confirms has to name it.
        secret: nobody may read it again: what is typed goes to the slot's own `check:` at once, and
            the draft keeps a token in its place.
    """

    offers: str | None = None
    alone: bool = False
    parse: Callable[[str], Value] | None = None
    resolve: str | None = None
    none: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    misread: tuple[str, ...] = ()
    whom: bool = False
    secret: bool = False


PRODUCT: Mapping[str, str] = {"code": "ref", "name": "product"}

KINDS: Mapping[str, Kind] = {
    "savings_account": Kind(
        offers="accounts.savings",
        alone=True,
        none="no_account",
        fields=PRODUCT,
    ),
    "payee": Kind(
        offers="payees.recent",
        resolve="payees.find",
        fields={"name": "payee_name", "account": "ref", "member_ref": "ref"},
        whom=True,
    ),
    "loan": Kind(offers="loans.open", alone=True, none="no_loan", fields=PRODUCT, whom=True),
    "money": Kind(
        parse=answers.money,
        misread=("not_an_amount", "amount_ambiguous", "amount_zero", "amount_too_big"),
    ),
    "date": Kind(parse=answers.day, misread=("not_a_date",)),
    "sent_transfer": Kind(
        offers="claims.sent",
        none="nothing_sent",
        fields={
            "key": "ref",
            "name": "payee_name",
            "party": "person",
            "day": "date",
            "amount": "money",
        },
    ),
    "choice": Kind(),  # of the slot's own options
    "language": Kind(),  # of those that the book offers
    "secret": Kind(secret=True),
}
