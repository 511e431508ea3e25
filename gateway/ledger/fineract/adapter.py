"""Fineract as the gateway sees it.

Nothing is guessed: what may have been executed is `Unknown`, and `Refused` is said only where the
server has rolled it back for ever, or where the order's key was spoilt first.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.bounds import (
    FINERACT_ATTEMPTS_MAX,
    FINERACT_DAYS_BEHIND_MAX,
    FINERACT_KEYS_TRUSTED_DAYS,
)
from gateway.ledger.fineract import reading
from gateway.ledger.fineract.books import DATES, Books
from gateway.ledger.fineract.client import Body, FineractClient, NoReplyError, NotSentError, Reply
from gateway.ledger.fineract.errors import IN_USE, LOAN_LOCKED, Meaning, Verdict, judged
from gateway.ledger.fineract.marks import attempt_key, description, mark, reference
from gateway.ledger.fineract.names import Names
from gateway.ledger.fineract.reading import Client, Savings
from gateway.ledger.port import (
    Account,
    AccountKind,
    AnyOrder,
    Capabilities,
    CashOrder,
    Deposit,
    Done,
    Health,
    HoldState,
    KeyReusedError,
    LedgerUnavailableError,
    LoanStatus,
    Marked,
    Movement,
    NotOfferedError,
    Order,
    Outcome,
    PendingApproval,
    Person,
    Refused,
    Repayment,
    RepaymentMode,
    RetryLater,
    Transfer,
    Unknown,
    Withdrawal,
)
from gateway.observing import logger
from gateway.values.dni import Dni
from gateway.values.money import ZERO, Money
from gateway.values.msisdn import Msisdn

_LOAN, _SAVINGS = "1", "2"  # kinds of account in a transfer
_TRANSFERS = "/v1/accounttransfers"
_DEAD = frozenset({Meaning.REFUSED, Meaning.DATE, Meaning.BROKEN})


@dataclass(frozen=True, slots=True)
class Options:
    """What differs from one Fineract to the next.

    Args:
        payment_type_id: of the cash that comes and goes through us.
        currency: of the accounts that are served.
        transfer_undo: the server is newer than 1.14, and undoes a transfer.
    """

    payment_type_id: int
    currency: str = "PEN"
    transfer_undo: bool = False


@dataclass(frozen=True, slots=True)
class _Command:
    """What is sent for an order, but for its date and its key.

    `spoilt` is its body with an amount of nothing: the server refuses that and remembers it, and
    then no copy of the order that is still on its way can do anything.
    """

    path: str
    query: dict[str, str]
    date: str
    amount: str
    body: dict[str, str | int | Decimal | bool]

    def dated(self, on: dt.date) -> Body:
        """The whole body."""
        return {**self.body, self.date: on.isoformat(), **DATES}

    def spoilt(self, on: dt.date) -> Body:
        """The same for nothing."""
        nothing = "0" if isinstance(self.body[self.amount], str) else Decimal(0)
        return {**self.dated(on), self.amount: nothing}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An order with what was looked up for it. `refusal`: why it is not even sent."""

    order: AnyOrder
    command: _Command
    refusal: str | None
    source_id: int
    target_id: int


class FineractLedger:
    """A cooperative's Fineract. Implements `gateway.ledger.port.Ledger`.

    Args:
        client: of its tenant.
        names: how members and accounts are called.
        today: the day where the tenant is.
        options: what this server can do.
        seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        client: FineractClient,
        names: Names,
        today: Callable[[], dt.date],
        options: Options,
        seconds: Callable[[], int] = lambda: int(time.monotonic()),
    ) -> None:
        self._client = client
        self._names = names
        self._today = today
        self._books = Books(client, names, today, seconds)
        self._options = options

    def capabilities(self) -> Capabilities:
        """See `Ledger.capabilities`."""
        return Capabilities(
            holds=False,
            reversal=self._options.transfer_undo,
            loans=True,
            payoff_quote=True,
            late_charges=True,
            itf=False,
            floors=True,
            remembers_refusals=False,
            borrowers=False,
            by_dni=True,
            by_phone=True,
            own_business_date=True,
            pending_shown=False,
        )

    # What is read.

    def find_member(self, who: str | Dni | Msisdn) -> Person | None:
        """See `Ledger.find_member`."""
        if isinstance(who, Dni):
            client = self._books.by_dni(who.reveal())
        elif isinstance(who, Msisdn):
            client = self._books.by_phone(who)
        else:
            client = self._books.member(who)
        return Person(client.member_ref, client.short_name, client.active) if client else None

    def accounts(self, member_ref: str) -> tuple[Account, ...]:
        """See `Ledger.accounts`."""
        overview = self._books.overview(member_ref) or {}
        savings = [self._savings(row) for row in _by_age(overview.get("savingsAccounts", []))]
        loans = [self._loan(row) for row in _by_age(overview.get("loanAccounts", []))]
        return tuple(account for account in [*savings, *loans] if account)

    def movements(self, account: str, limit: int) -> tuple[Movement, ...]:
        """See `Ledger.movements`."""
        known = self._books.savings(account)
        if known is None:
            return ()
        lines: list[Movement] = []
        # Some rows are none of a member's business: ask for more than will be shown.
        for row in self._books.transactions(known.id, limit=4 * limit):
            if line := reading.movement(row):
                lines.append(line)
            if len(lines) == limit:
                break
        return tuple(lines)

    def marked(self, account: str, since: dt.date, until: dt.date) -> Iterator[Marked]:
        """See `Ledger.marked`. What is booked meanwhile moves lines to the next page, where they
        come again."""
        known, seen = self._books.savings(account), set[int]()
        days = {"fromDate": since.isoformat(), "toDate": until.isoformat()}
        for row in self._books.transactions(known.id, **days) if known else ():
            line = reading.marked(row)
            if line and int(row["id"]) not in seen:
                seen.add(int(row["id"]))
                yield line

    def loans(self, member_ref: str, business_date: dt.date) -> tuple[LoanStatus, ...]:
        """See `Ledger.loans`."""
        overview = self._books.overview(member_ref) or {}
        loans = _by_age(overview.get("loanAccounts", []))
        rows = [row for row in loans if self._names.loan_code(row)]
        found = (
            self._loan_status(row, business_date)
            for row in rows
            if reading.status(row) == reading.ACTIVE
        )
        return tuple(status for status in found if status)

    def borrowers(self, due_on: dt.date, after: str, limit: int) -> tuple[str, ...]:
        """See `Ledger.borrowers`."""
        raise NotOfferedError("Fineract lists no loans by the day of an instalment")

    def tax(self, order: AnyOrder) -> Money:
        """See `Ledger.tax`. Accounts that would take a fee are not served at all."""
        return ZERO

    def find(self, order: AnyOrder) -> Done | Refused | None:
        """See `Ledger.find`."""
        account = self._books.savings(_own_account(order))
        row = self._found(order, account.id) if account else None
        if row is None:
            return None
        if reading.money(row.get("amount")) != order.amount:
            raise KeyReusedError
        if row.get("reversed"):
            return Refused("not_allowed")  # it was posted, and staff took it back since
        return _done(order.key, created=False)

    def health(self) -> Health:
        """See `Ledger.health`."""
        try:
            self._books.business_date(afresh=True)
        except LedgerUnavailableError as error:
            return Health(well=False, reason=f"Fineract: {error}")
        return Health(well=True)

    # What is written.

    def post(self, order: AnyOrder) -> Outcome:
        """See `Ledger.post`.

        Raises:
            ValueError: nobody is named whose the source has to be.
        """
        if not order.owner:
            raise ValueError("an order names the member whose account it takes from")
        try:
            if self._key_may_be_forgotten(order) and (found := self.find(order)):
                return found
            prepared = self._prepared(order)
        except LedgerUnavailableError:
            return RetryLater()  # nothing was asked of it yet
        if isinstance(prepared, Refused):
            return prepared
        return self._spoilt(prepared) if prepared.refusal else self._executed(prepared)

    def hold(self, key: uuid.UUID, account: str, amount: Money, expires_at: dt.datetime) -> Outcome:
        """See `Ledger.hold`. The gateway reserves funds itself."""
        raise NotOfferedError("no holds in Fineract")

    def post_hold(self, key: uuid.UUID, order: Transfer) -> Outcome:
        """See `Ledger.post_hold`."""
        raise NotOfferedError("no holds in Fineract")

    def void_hold(self, key: uuid.UUID) -> HoldState:
        """See `Ledger.void_hold`."""
        raise NotOfferedError("no holds in Fineract")

    def reverse(self, key: uuid.UUID, original: AnyOrder, business_date: dt.date) -> Outcome:
        """See `Ledger.reverse`."""
        if not self._options.transfer_undo:
            raise NotOfferedError(
                "this Fineract undoes no transfer (CHASKI_FINERACT_TRANSFER_UNDO)"
            )
        try:
            path = self._undo_path(original)
        except LedgerUnavailableError:
            return RetryLater()
        if path is None:
            return Refused("not_posted")
        try:
            reply = self._client.command(path, {}, attempt_key(key, 1), command="undo")
        except NotSentError:
            return RetryLater()
        except NoReplyError:
            return Unknown()
        return self._undone(key, original, reply)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    # An order on its way.

    def _executed(self, prepared: _Prepared) -> Outcome:
        """Send it under its first key, and under the next one only where the last is dead."""
        order, on = prepared.order, prepared.order.business_date
        for attempt in range(1, FINERACT_ATTEMPTS_MAX + 1):
            body = prepared.command.dated(on)
            answered = self._sent(prepared.command, body, attempt_key(order.key, attempt))
            if not isinstance(answered, tuple):
                return answered
            reply, verdict = answered
            if verdict.meaning is Meaning.DATE:
                day = self._earlier_day(order)
                if isinstance(day, dt.date):
                    on = day
                    continue
                return day
            if verdict.meaning is not Meaning.BROKEN:
                return self._told(prepared, reply, verdict)
            if not reply.from_cache:
                return self._broken(prepared, attempt_key(order.key, attempt), body)
            # This key died some time ago. The one hole is a commit whose answer the server lost.
            try:
                if found := self.find(order):
                    return found
            except LedgerUnavailableError:
                return Unknown()
        logger().error("fineract_gave_up", reference=reference(order.key))
        return Refused("not_allowed")  # every key is dead, and nothing is in the account

    def _broken(self, prepared: _Prepared, key: str, body: Body) -> Outcome:
        """An error inside: asked again, the server says whether it remembers having undone it. The
        next key has its turn when the order is brought again, not in the same bad moment."""
        answered = self._sent(prepared.command, body, key)
        if not isinstance(answered, tuple):
            return Unknown()
        reply, verdict = answered
        if verdict.meaning is not Meaning.BROKEN:
            return self._told(prepared, reply, verdict)
        if not reply.from_cache:
            return Unknown()
        try:
            return self.find(prepared.order) or RetryLater()
        except LedgerUnavailableError:
            return Unknown()

    def _spoilt(self, prepared: _Prepared) -> Outcome:
        """Refuse an order for good: use its key up with an order for nothing. If it turns out to
        have been executed before, that is the answer."""
        order, command = prepared.order, prepared.command
        body = command.spoilt(order.business_date)
        for attempt in range(1, FINERACT_ATTEMPTS_MAX + 1):
            answered = self._sent(command, body, attempt_key(order.key, attempt))
            if not isinstance(answered, tuple):
                return answered
            reply, verdict = answered
            if verdict.meaning not in _DEAD:
                return self._told(prepared, reply, verdict)
            if verdict.meaning is Meaning.REFUSED:
                return Refused(prepared.refusal or verdict.code)
            if verdict.meaning is Meaning.BROKEN and not reply.from_cache:
                return Unknown()
            # This key is dead, so a copy on its way may bear the next one.
            try:
                if found := self.find(order):
                    return found
            except LedgerUnavailableError:
                return Unknown()
        return Refused(prepared.refusal or "not_allowed")

    def _sent(self, command: _Command, body: Body, key: str) -> tuple[Reply, Verdict] | Outcome:
        try:
            reply = self._client.command(command.path, body, key, **command.query)
        except NotSentError:
            return RetryLater()
        except NoReplyError:
            return Unknown()
        return reply, judged(reply)

    def _told(self, prepared: _Prepared, reply: Reply, verdict: Verdict) -> Outcome:
        key = prepared.order.key
        match verdict.meaning:
            case Meaning.DONE if reply.from_cache:
                return self._replayed(prepared, verdict.resource_id)
            case Meaning.DONE:
                return _done(key, created=True)
            case Meaning.WAITS:
                logger().warning("fineract_wants_a_checker", reference=reference(key))
                return PendingApproval()
            case Meaning.REFUSED:
                if verdict.code == "not_allowed":
                    logger().warning("fineract_refused", reference=reference(key))
                return Refused(verdict.code)
            case Meaning.LATER:
                return RetryLater(answered=verdict.code == LOAN_LOCKED)
            case Meaning.MISCONFIGURED:
                logger().error("fineract_misconfigured", code=verdict.code)
                return RetryLater()
            case _:
                return self._uncertain(prepared.order, verdict)

    def _uncertain(self, order: AnyOrder, verdict: Verdict) -> Outcome:
        """A checker's no is not told under the key: it is still in use, and will be for ever."""
        if verdict.code != IN_USE:
            return Unknown()
        action, entity = _command_name(order)
        try:
            rejected = self._books.rejected(mark(order.key), action, entity)
        except LedgerUnavailableError:
            return Unknown()
        return Refused("not_allowed") if rejected else Unknown(answered=True)

    def _earlier_day(self, order: AnyOrder) -> dt.date | Outcome:
        """The core's day, where it is behind the order's; else there is nothing to try."""
        try:
            day = self._books.business_date(afresh=True)
        except LedgerUnavailableError:
            return RetryLater()
        if (order.business_date - day).days > FINERACT_DAYS_BEHIND_MAX:
            logger().error("fineract_day_is_far_behind", day=day.isoformat())
            return RetryLater()
        return min(day, order.business_date)

    def _replayed(self, prepared: _Prepared, resource_id: int) -> Outcome:
        """The server told the result of a key again. It compares no content, so we do."""
        try:
            same = self._is_same(prepared, resource_id)
        except LedgerUnavailableError:
            return Unknown()
        if not same:
            raise KeyReusedError
        return _done(prepared.order.key, created=False)

    def _is_same(self, prepared: _Prepared, resource_id: int) -> bool:
        order = prepared.order
        if isinstance(order, Deposit | Withdrawal):
            path = f"/v1/savingsaccounts/{prepared.source_id}/transactions/{resource_id}"
            row = self._books.read(path)
            return row is not None and reading.money(row.get("amount")) == order.amount
        # A command answers with the id of the transfer's details, which is not the transfer's.
        found = self._books.read(_TRANSFERS, accountDetailId=resource_id) or {}
        kind = int(_LOAN if isinstance(order, Repayment) else _SAVINGS)
        return any(
            int(row["fromAccount"]["id"]) == prepared.source_id
            and int(row["toAccount"]["id"]) == prepared.target_id
            and int(row["toAccountType"]["id"]) == kind
            and reading.money(row.get("transferAmount")) == order.amount
            for row in found.get("pageItems", [])
        )

    def _key_may_be_forgotten(self, order: AnyOrder) -> bool:
        """The server purges what it remembers: an old order is looked up before it is sent."""
        day = max(self._books.business_date(), self._today())
        return (day - order.business_date).days > FINERACT_KEYS_TRUSTED_DAYS

    # What is looked up for an order, and whether it may be sent.

    def _prepared(self, order: AnyOrder) -> _Prepared | Refused:
        match order:
            case Transfer():
                return self._prepared_transfer(order)
            case Repayment():
                return self._prepared_repayment(order)
            case _:
                return self._prepared_cash(order)

    def _prepared_transfer(self, order: Transfer) -> _Prepared | Refused:
        if order.source == order.target:
            return Refused("same_account")
        source, target = self._books.savings(order.source), self._books.savings(order.target)
        if source is None or target is None:
            return Refused("no_such_account")  # it never was, so no copy can be on its way
        giver, taker = self._books.client_of(source), self._books.client_of(target)
        own = giver.id == taker.id
        text = description(order.key, "own" if own else "send", giver.short_name, taker.short_name)
        refusal = self._why_not(order, source, giver) or self._why_not_to(target)
        command = _transfer_command(order, source, giver, _SAVINGS, target.id, taker, text)
        return _Prepared(order, command, refusal, source.id, target.id)

    def _prepared_repayment(self, order: Repayment) -> _Prepared | Refused:
        source, loan = self._books.savings(order.source), self._books.loan(order.loan)
        if source is None or loan is None:
            return Refused("no_such_account")
        loan_id = int(loan["id"])
        giver, taker = self._books.client_of(source), self._borrower(loan)
        text = description(order.key, "pay")
        refusal = self._why_not(order, source, giver) or self._why_not_paid(order, loan)
        command = _transfer_command(order, source, giver, _LOAN, loan_id, taker, text)
        return _Prepared(order, command, refusal, source.id, loan_id)

    def _prepared_cash(self, order: CashOrder) -> _Prepared | Refused:
        account = self._books.savings(order.account)
        if account is None:
            return Refused("no_such_account")
        owner = self._books.client_of(account)
        refusal = self._why_not(order, account, owner)
        if isinstance(order, Deposit) and not refusal:
            refusal = self._why_not_to(account)
        command = _cash_command(order, account, self._options.payment_type_id)
        return _Prepared(order, command, refusal, account.id, account.id)

    def _why_not(self, order: AnyOrder, account: Savings, owner: Client) -> str | None:
        """Fineract does not ask whose the account is. We do, before every write."""
        served = account.open and account.currency == self._options.currency
        if owner.member_ref != order.owner or account.client_id != owner.id or not served:
            return "no_such_account"
        if isinstance(order, Deposit):
            return None
        if account.fee_for_transfers and not isinstance(order, Withdrawal):
            return "not_allowed"  # the screen that confirmed could not name the fee
        return None if account.pays_out else "not_allowed"

    def _why_not_to(self, account: Savings) -> str | None:
        if not account.open or account.currency != self._options.currency:
            return "no_such_account"
        return None if account.takes_in else "not_allowed"

    def _why_not_paid(self, order: Repayment, loan: Any) -> str | None:
        """Fineract takes more than is owed, and then owes the rest itself: so it is capped here."""
        if reading.status(loan) != reading.ACTIVE:
            return "nothing_owed"
        payoff = self._books.payoff(int(loan["id"]))
        if payoff == ZERO:
            return "nothing_owed"
        if order.mode is RepaymentMode.PAYOFF and order.amount != payoff:
            return "payoff_changed"
        return "over_payoff" if order.amount > payoff else None

    def _borrower(self, loan: Any) -> Client:
        row = self._books.read(f"/v1/clients/{int(loan['clientId'])}")
        if row is None:
            raise LedgerUnavailableError("a loan of nobody")
        return reading.client(row, self._names.member_ref(row))

    # Finding what was posted.

    def _found(self, order: AnyOrder, account_id: int) -> Any | None:
        """The transaction that bears an order's mark. One that was undone is told only where no
        other does."""
        since = order.business_date - dt.timedelta(days=FINERACT_DAYS_BEHIND_MAX)
        wanted, undone = mark(order.key), None
        for row in self._books.transactions(account_id, fromSubmittedDate=since.isoformat()):
            if reading.said(row).startswith(wanted):
                if not row.get("reversed"):
                    return row
                undone = row
        return undone

    def _undo_path(self, original: AnyOrder) -> str | None:
        account = self._books.savings(_own_account(original))
        row = self._found(original, account.id) if account else None
        if account is None or row is None:
            return None
        if isinstance(original, Deposit | Withdrawal):
            return f"/v1/savingsaccounts/{account.id}/transactions/{int(row['id'])}"
        prepared = self._prepared(original)
        details_id = 0 if isinstance(prepared, Refused) else self._details_id(prepared)
        return f"{_TRANSFERS}/{details_id}" if details_id else None

    def _details_id(self, prepared: _Prepared) -> int:
        """What undoing takes is told only by the answer to the command: ask for it again. Where the
        server has forgotten it, an order for nothing is refused, and 0 is answered."""
        order, command = prepared.order, prepared.command
        for attempt in range(1, FINERACT_ATTEMPTS_MAX + 1):
            body = command.spoilt(order.business_date)
            answered = self._sent(command, body, attempt_key(order.key, attempt))
            if not isinstance(answered, tuple):
                raise LedgerUnavailableError("the details of a transfer")
            if answered[1].meaning is Meaning.DONE:
                return answered[1].resource_id
        return 0

    def _undone(self, key: uuid.UUID, original: AnyOrder, reply: Reply) -> Outcome:
        verdict = judged(reply)
        match verdict.meaning:
            case Meaning.DONE if not reply.from_cache:
                return _done(key, created=True)
            case Meaning.DONE:
                return self._undone_before(key, original)
            case Meaning.REFUSED:
                return Refused(verdict.code)
            case Meaning.WAITS:
                return PendingApproval()
            case Meaning.LATER | Meaning.MISCONFIGURED:
                return RetryLater()
            case _:
                return Unknown()

    def _undone_before(self, key: uuid.UUID, original: AnyOrder) -> Outcome:
        try:
            account = self._books.savings(_own_account(original))
            row = self._found(original, account.id) if account else None
        except LedgerUnavailableError:
            return Unknown()
        if row is None or not row.get("reversed"):
            raise KeyReusedError
        return _done(key, created=False)

    # Rows of a member's accounts.

    def _savings(self, row: Any) -> Account | None:
        code = self._names.savings_code(row)
        if not code or not reading.is_ordinary(row):
            return None
        whole = self._books.read(f"/v1/savingsaccounts/{int(row['id'])}") or {}
        if reading.savings({"id": 0, **whole}).currency != self._options.currency:
            return None
        name = str(row.get("productName", ""))
        balance, available = reading.balance(whole), reading.available(whole)
        return Account(code, AccountKind.SAVINGS, name, balance, available)

    def _loan(self, row: Any) -> Account | None:
        code = self._names.loan_code(row)
        if not code or reading.status(row) != reading.ACTIVE:
            return None
        owed = reading.money(row.get("loanBalance"))
        return Account(code, AccountKind.LOAN, str(row.get("productName", "")), -owed, ZERO)

    def _loan_status(self, row: Any, on: dt.date) -> LoanStatus | None:
        loan_id = int(row["id"])
        whole = self._books.schedule(loan_id)
        if whole is None:
            return None
        code, payoff = self._names.loan_code(row), self._books.payoff(loan_id)
        return reading.loan_status(whole, code, payoff, on)


def _by_age(rows: list[Any]) -> list[Any]:
    """In an order that stays."""
    return sorted(rows, key=lambda row: int(row["id"]))


def _done(key: uuid.UUID, *, created: bool) -> Done:
    return Done(reference(key), ZERO, created=created)


def _own_account(order: AnyOrder) -> str:
    """The savings account in which an order is found again."""
    return order.account if isinstance(order, Deposit | Withdrawal) else order.source


def _command_name(order: AnyOrder) -> tuple[str, str]:
    """The action and the entity of an order's command, as Fineract's table of commands has them."""
    match order:
        case Deposit():
            return "DEPOSIT", "SAVINGSACCOUNT"
        case Withdrawal():
            return "WITHDRAWAL", "SAVINGSACCOUNT"
        case _:
            return "CREATE", "ACCOUNTTRANSFER"


def _amount(amount: Money) -> str:
    soles, centimos = divmod(amount.centimos, 100)
    return f"{soles}.{centimos:02d}"


def _transfer_command(
    order: Order,
    source: Savings,
    giver: Client,
    to_type: str,
    target_id: int,
    taker: Client,
    text: str,
) -> _Command:
    """Every field is text, and there is no other place for a reference than the description."""
    return _Command(
        path=_TRANSFERS,
        query={},
        date="transferDate",
        amount="transferAmount",
        body={
            "fromOfficeId": str(giver.office_id),
            "fromClientId": str(giver.id),
            "fromAccountType": _SAVINGS,
            "fromAccountId": str(source.id),
            "toOfficeId": str(taker.office_id),
            "toClientId": str(taker.id),
            "toAccountType": to_type,
            "toAccountId": str(target_id),
            "transferAmount": _amount(order.amount),
            "transferDescription": text,
        },
    )


def _cash_command(order: CashOrder, account: Savings, payment_type_id: int) -> _Command:
    return _Command(
        path=f"/v1/savingsaccounts/{account.id}/transactions",
        query={"command": "deposit" if isinstance(order, Deposit) else "withdrawal"},
        date="transactionDate",
        amount="transactionAmount",
        body={
            "transactionAmount": Decimal(_amount(order.amount)),
            "paymentTypeId": payment_type_id,
            "receiptNumber": mark(order.key),
            "accountNumber": order.teller,
        },
    )
