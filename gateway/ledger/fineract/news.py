"""What a hook hinted at, as Fineract's books have it."""

from __future__ import annotations

from typing import Any

from gateway.ledger.fineract import reading
from gateway.ledger.fineract.books import Books
from gateway.ledger.fineract.marks import key_of
from gateway.ledger.news import Happened, Happening
from gateway.ledger.port import LedgerUnavailableError
from gateway.values.core_news import Hint, Subject

_DEPOSIT, _WITHDRAWAL = 1, 2  # types of transactions: what somebody did at a counter
_TO_SAVINGS = 2  # kinds of account in a transfer


class FineractNews:
    """Implements `gateway.ledger.news.Newsroom`.

    Args:
        books: of the tenant.
        currency: of the accounts that are served.
    """

    def __init__(self, books: Books, currency: str) -> None:
        self._books = books
        self._currency = currency

    def look(self, hint: Hint) -> Happened | None:
        """See `Newsroom.look`."""
        looks = {
            Subject.SAVINGS: self._line,
            Subject.LOAN: self._loan,
            Subject.TRANSFER: self._transfer,
        }
        try:
            return looks[hint.subject](hint)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            # An answer that makes no sense is none; its words may name somebody.
            raise LedgerUnavailableError(type(error).__name__) from None

    def _line(self, hint: Hint) -> Happened | None:
        path = f"/v1/savingsaccounts/{hint.account_id}"
        row = self._books.read(f"{path}/transactions/{hint.line_id}")
        if row is None or int(row["accountId"]) != hint.account_id or row.get("reversed"):
            return None
        kind = reading.type_of(row)
        if kind not in (_DEPOSIT, _WITHDRAWAL):
            return None
        what = Happening.CREDIT if kind == _DEPOSIT else Happening.DEBIT
        return self._of_savings(what, hint.account_id, reading.said(row), row, "amount", "date")

    def _transfer(self, hint: Hint) -> Happened | None:
        """The one who gets it: by the transfer's details, of which there is one transfer."""
        found = self._books.read("/v1/accounttransfers", accountDetailId=hint.line_id) or {}
        rows = [row for row in found.get("pageItems", []) if not row.get("reversed")]
        for row in rows:
            said = str(row.get("transferDescription", ""))
            to_savings = int(row["toAccountType"]["id"]) == _TO_SAVINGS
            if int(row["fromAccount"]["id"]) == hint.account_id and (to_savings or key_of(said)):
                target = int(row["toAccount"]["id"]) if to_savings else hint.account_id
                amount, date = "transferAmount", "transferDate"
                return self._of_savings(Happening.CREDIT, target, said, row, amount, date)
        return None

    def _loan(self, hint: Hint) -> Happened | None:
        row = self._books.read(f"/v1/loans/{hint.account_id}")
        paid_out_on = ((row or {}).get("timeline") or {}).get("actualDisbursementDate")
        if row is None or reading.status(row) != reading.ACTIVE or not paid_out_on:
            return None
        if str((row.get("currency") or {}).get("code", "")) != self._currency:
            return None
        return Happened(
            key=None,
            what=Happening.LOAN,
            member_ref=self._books.ref_of(int(row["clientId"])),
            account=str(row.get("loanProductName", "")),
            amount=reading.money((row.get("summary") or {}).get("principalDisbursed")),
            on=reading.day(paid_out_on),
            reference=str(hint.account_id),
        )

    def _of_savings(
        self, what: Happening, account_id: int, said: str, row: Any, amount: str, date: str
    ) -> Happened | None:
        account = self._books.read(f"/v1/savingsaccounts/{account_id}")
        if account is None or reading.savings(account).currency != self._currency:
            return None
        return Happened(
            key=key_of(said),
            what=what,
            member_ref=self._books.ref_of(int(account["clientId"])),
            account=str(account.get("savingsProductName", "")),
            amount=reading.money(row.get(amount)),
            on=reading.day(row[date]),
            reference=str(row["id"]),
        )
