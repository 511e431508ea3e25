"""The kinds of slot: how each is offered, typed and looked up."""

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
        parse: reads what was typed; raises `answers.NotUnderstoodError`.
        resolve: an operation that turns what was typed into the value, under the kind's own name.
        none: the sentence for when there is nothing to offer and nothing can be typed.
        fields: what a placeholder may name of a record, each with its kind; empty for a scalar.
    """

    offers: str | None = None
    alone: bool = False
    parse: Callable[[str], Value] | None = None
    resolve: str | None = None
    none: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


KINDS: Mapping[str, Kind] = {
    "savings_account": Kind(
        offers="accounts.savings",
        alone=True,
        none="no_account",
        fields={"code": "text", "name": "text"},
    ),
    "payee": Kind(
        offers="payees.recent",
        resolve="payees.find",
        fields={"name": "text", "account": "text", "member_ref": "text"},
    ),
    "loan": Kind(
        offers="loans.open", alone=True, none="no_loan", fields={"code": "text", "name": "text"}
    ),
    "money": Kind(parse=answers.money),
    "date": Kind(parse=answers.day),
    "choice": Kind(),
}
