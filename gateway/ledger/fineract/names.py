"""Which of Fineract's names ours are: a member's reference, an account's code."""

from __future__ import annotations

import re
from typing import Any, Protocol
from urllib.parse import quote

_NUMBER = re.compile(r"[1-9][0-9]{0,18}")


class Names(Protocol):
    """One way of naming. A path is None where a name cannot be one of theirs."""

    def client(self, member_ref: str) -> str | None:
        """The path of a member's client."""

    def savings(self, code: str) -> str | None:
        """The path of a savings account."""

    def loan(self, code: str) -> str | None:
        """The path of a loan."""

    def member_ref(self, client: Any) -> str:
        """Our reference of a client's row; empty: it has none."""

    def savings_code(self, row: Any) -> str:
        """Our code of a savings account's row; empty: it has none."""

    def loan_code(self, row: Any) -> str:
        """Our code of a loan's row; empty: it has none."""


class ById:
    """Ids, which everything has: `12`, `S7`, `L5`."""

    def client(self, member_ref: str) -> str | None:
        """See `Names.client`."""
        return f"/v1/clients/{member_ref}" if _NUMBER.fullmatch(member_ref) else None

    def savings(self, code: str) -> str | None:
        """See `Names.savings`."""
        return _numbered("/v1/savingsaccounts", "S", code)

    def loan(self, code: str) -> str | None:
        """See `Names.loan`."""
        return _numbered("/v1/loans", "L", code)

    def member_ref(self, client: Any) -> str:
        """See `Names.member_ref`."""
        return str(client["id"])

    def savings_code(self, row: Any) -> str:
        """See `Names.savings_code`."""
        return f"S{row['id']}"

    def loan_code(self, row: Any) -> str:
        """See `Names.loan_code`."""
        return f"L{row['id']}"


class ByExternalId:
    """External ids, which staff give out. What has none is not ours to show."""

    def client(self, member_ref: str) -> str | None:
        """See `Names.client`."""
        return _external("/v1/clients", member_ref)

    def savings(self, code: str) -> str | None:
        """See `Names.savings`."""
        return _external("/v1/savingsaccounts", code)

    def loan(self, code: str) -> str | None:
        """See `Names.loan`."""
        return _external("/v1/loans", code)

    def member_ref(self, client: Any) -> str:
        """See `Names.member_ref`."""
        return str(client.get("externalId") or "")

    def savings_code(self, row: Any) -> str:
        """See `Names.savings_code`."""
        return str(row.get("externalId") or "")

    def loan_code(self, row: Any) -> str:
        """See `Names.loan_code`."""
        return str(row.get("externalId") or "")


def _numbered(folder: str, letter: str, code: str) -> str | None:
    number = code.removeprefix(letter)
    return f"{folder}/{number}" if code != number and _NUMBER.fullmatch(number) else None


def _external(folder: str, name: str) -> str | None:
    return f"{folder}/external-id/{quote(name, safe='')}" if name.strip(".") else None
