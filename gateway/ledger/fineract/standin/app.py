"""The endpoints of the loopback Fineract."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
import time
from collections import deque
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import msgspec
from flask import (
    Blueprint,
    Flask,
    Response,
    copy_current_request_context,
    current_app,
    request,
)
from werkzeug.exceptions import HTTPException

from gateway.ledger.fineract.standin import showing
from gateway.ledger.fineract.standin.commands import Answered, Commands, failure
from gateway.ledger.fineract.standin.faults import Fault, Plan
from gateway.ledger.fineract.standin.outgoing import Hooks
from gateway.ledger.fineract.standin.world import (
    DEPOSIT,
    Client,
    DomainError,
    Loan,
    Savings,
    Transaction,
    Transfer,
    World,
)

PREFIX = "/fineract-provider/api"
TENANT = "default"
USER, PASSWORD = "chaski", "loopback"
PAYMENT_TYPE_ID = 3
PERMISSIONS = (
    *("READ_CLIENT", "READ_CLIENTIDENTIFIER", "READ_SAVINGSACCOUNT", "READ_LOAN"),
    *("DEPOSIT_SAVINGSACCOUNT", "WITHDRAWAL_SAVINGSACCOUNT", "UNDOTRANSACTION_SAVINGSACCOUNT"),
    *("READ_ACCOUNTTRANSFER", "CREATE_ACCOUNTTRANSFER", "READ_PAYMENTTYPE", "READ_OFFICE"),
    *("READ_BUSINESS_DATE", "READ_CONFIGURATION", "READ_AUDIT", "UNDO_ACCOUNTTRANSFER"),
)

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
_DATED = ("locale", "dateFormat")
_CASH_FIELDS = frozenset(
    {
        *_DATED,
        *("transactionDate", "transactionAmount", "paymentTypeId", "accountNumber", "checkNumber"),
        *("routingCode", "receiptNumber", "bankNumber", "note"),
    }
)
_TRANSFER_FIELDS = (
    *("fromOfficeId", "fromClientId", "fromAccountType", "fromAccountId", "toOfficeId"),
    *("toClientId", "toAccountType", "toAccountId", "transferAmount", "transferDate"),
    "transferDescription",
)
_LOAN_TYPE = "1"

api = Blueprint("fineract", __name__, url_prefix=PREFIX)
control = Blueprint("control", __name__)


class Double:
    """What the endpoints share. `permissions` may be taken from the user to see what happens."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.commands = Commands(world)
        self.hooks = Hooks(TENANT)
        self.permissions = set(PERMISSIONS)
        self.read_only = False
        self._on_their_way: deque[Callable[[], object]] = deque()

    def at_the_counter(self, code: str, centimos: int) -> Transaction:
        """A teller takes cash in, or pays out what is negative, in a browser of theirs."""
        with self.world.lock:
            found = [one for one in self.world.savings.values() if one.external_id == code]
            account: Savings = _one(found, "saving.account")
            move = self.world.deposit if centimos > 0 else self.world.withdraw
            line = move(account, abs(centimos), self.world.business_date, "")
        action = "DEPOSIT" if centimos > 0 else "WITHDRAWAL"
        answer = {"clientId": account.client_id, "savingsId": account.id, "resourceId": line.id}
        self.hooks.fire("SAVINGSACCOUNT", action, {"transactionAmount": "…"}, answer)
        return line

    def pay_out(self, code: str) -> Loan:
        """Staff disburse a loan."""
        found = [one for one in self.world.loans.values() if one.external_id == code]
        loan: Loan = _one(found, "loan")
        answer = {"clientId": loan.client_id, "loanId": loan.id, "resourceId": loan.id}
        self.hooks.fire("LOAN", "DISBURSE", {}, answer)
        return loan

    def delay(self, command: Callable[[], object]) -> None:
        """Execute it when the rest arrives."""
        self._on_their_way.append(command)

    def arrive(self) -> int:
        """Execute what was on its way; answers how many."""
        count = len(self._on_their_way)
        for _ in range(count):
            self._on_their_way.popleft()()
        return count


def create_app(double: Double) -> Flask:
    """The application."""
    app = Flask(__name__)
    app.extensions["double"] = double
    app.register_blueprint(api)
    app.register_blueprint(control)
    return app


def _double() -> Double:
    double: Double = current_app.extensions["double"]
    return double


def _json(body: Any, status: int = 200, **headers: str) -> Response:
    return Response(_ENCODE(body), status, headers, content_type="application/json")


# Filters, in front of everything.


@api.before_request
def _filters() -> Response | None:
    double = _double()
    request.get_data()  # what stays unread would be taken for the next request of this connection
    if double.plan.away:
        _hang_up()
    time.sleep(double.plan.delay_ms / 1000)
    if request.headers.get("Fineract-Platform-TenantId") != TENANT:
        return Response("<html>400</html>", 400, {"WWW-Authenticate": "Basic"})
    expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    signs_in = request.path.endswith("/authentication")
    if not signs_in and request.headers.get("Authorization") != f"Basic {expected}":
        realm = 'Basic realm="Fineract Platform API"'
        return Response("", 401, {"WWW-Authenticate": realm})
    if double.read_only and request.method == "POST" and "command" in request.args:
        return _json(failure(405, "error.msg.invalid.instance.type"), 405)
    return None


@api.errorhandler(DomainError)
def _domain_error(error: DomainError) -> Response:
    return _json(failure(error.status, error.code), error.status)


@api.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> Response:
    return Response(f"<html>{error.code}</html>", error.code or 500)


def _hang_up() -> None:
    """End the connection without an answer."""
    wire = request.environ.get("werkzeug.socket")
    if wire is not None:
        wire.shutdown(socket.SHUT_RDWR)


# Commands.


def _command(
    action: str,
    entity: str,
    validate: Callable[[dict[str, Any]], None],
    act: Callable[[dict[str, Any]], dict[str, Any]],
) -> Response:
    double = _double()
    fault = double.plan.take()
    if early := _turned_away(double, f"{action}_{entity}", fault):
        return early
    try:
        body = json.loads(request.get_data(), parse_float=Decimal)
    except ValueError:
        return _json(failure(400, "error.msg.invalid.request.body"), 400)
    key = request.headers.get("Idempotency-Key")

    def run() -> Answered:
        checks = partial(validate, body)
        acts = copy_current_request_context(partial(act, body))  # it may be executed later
        answer = double.commands.run(action, entity, key, body, checks, acts, fault)
        if not answer.from_cache:
            double.hooks.fire(entity, action, body, answer.body if answer.status == 200 else None)
        return answer

    if fault is Fault.LATE:
        double.delay(copy_current_request_context(run))
        _hang_up()
        return Response("")
    return _returned(run(), fault)


def _turned_away(double: Double, permission: str, fault: Fault | None) -> Response | None:
    """What happens before a command is even written down."""
    if fault is Fault.SLOW:
        time.sleep(double.plan.slow_ms / 1000)
    if permission not in double.permissions:
        code = "error.msg.not.authorized"
        return _json(failure(403, code, code), 403)
    match fault:
        case Fault.DROP_BEFORE:
            _hang_up()
            return Response("")
        case Fault.HTML_502_BEFORE:
            return Response("<html>502 Bad Gateway</html>", 502)
        case Fault.TOO_MANY:
            return Response("<html>429</html>", 429, {"Retry-After": "1"})
        case Fault.JOB_RUNNING:
            return _json(failure(503, "error.msg.sheduler.job.currently.running"), 503)
        case Fault.LOAN_LOCKED:
            body = _ENCODE(failure(409, "error.msg.loan.locked", "error.msg.loan.locked"))
            response = Response(body, 409)
            del response.headers["Content-Type"]
            return response
        case _:
            return None


def _returned(answer: Answered, fault: Fault | None) -> Response:
    headers = {"x-served-from-cache": "true"} if answer.from_cache else {}
    match fault:
        case Fault.DROP_AFTER | Fault.STUCK_AFTER | Fault.STUCK_BEFORE:
            _hang_up()
            return Response("")
        case Fault.HTML_502_AFTER:
            return Response("<html>502 Bad Gateway</html>", 502)
        case Fault.TRUNCATED:
            whole = _ENCODE(answer.body)
            return Response(whole[: len(whole) // 2], answer.status, headers)
        case _:
            return _json(answer.body, answer.status, **headers)


@api.post("/v1/savingsaccounts/<int:number>/transactions")
def _cash(number: int) -> Response:
    double = _double()
    command = request.args.get("command", "")
    if command not in ("deposit", "withdrawal"):
        return _json(failure(400, "error.msg.unrecognized.query.param.value"), 400)

    def act(body: dict[str, Any]) -> dict[str, Any]:
        account = _savings(number)
        move = double.world.deposit if command == "deposit" else double.world.withdraw
        on, receipt = _date(body["transactionDate"]), str(body.get("receiptNumber", ""))
        line = move(account, _centimos(body["transactionAmount"]), on, receipt)
        return {
            "officeId": 1,
            "clientId": account.client_id,
            "savingsId": account.id,
            "resourceId": line.id,
            "changes": {"paymentTypeId": body["paymentTypeId"]},
        }

    return _command(command.upper(), "SAVINGSACCOUNT", _validate_cash, act)


def _validate_cash(body: dict[str, Any]) -> None:
    if unknown := body.keys() - _CASH_FIELDS:
        del unknown
        raise DomainError(400, "error.msg.parameter.unsupported")
    _validate_dated(body, "transactionDate")
    if "paymentTypeId" not in body:
        raise DomainError(400, "validation.msg.savingsaccount.paymentTypeId.cannot.be.blank")
    for name in ("receiptNumber", "accountNumber"):
        if len(str(body.get(name, ""))) > 50:
            raise DomainError(400, f"validation.msg.savingsaccount.{name}.exceeds.max.length")
    if _centimos(body.get("transactionAmount")) <= 0:
        code = "validation.msg.savingsaccount.transactionAmount.not.greater.than.zero"
        raise DomainError(400, code)


@api.post("/v1/savingsaccounts/<int:number>/transactions/<int:line_id>")
def _undo_cash(number: int, line_id: int) -> Response:
    def act(_: dict[str, Any]) -> dict[str, Any]:
        account = _savings(number)
        _double().world.undo_line(_line(account, line_id))
        return {"savingsId": account.id, "resourceId": account.id}

    return _command("UNDOTRANSACTION", "SAVINGSACCOUNT", lambda _: None, act)


@api.post("/v1/accounttransfers")
def _send() -> Response:
    world = _double().world

    def act(body: dict[str, Any]) -> dict[str, Any]:
        source = _savings(int(body["fromAccountId"]))
        centimos, on = _centimos(body["transferAmount"]), _date(body["transferDate"])
        text, target = str(body["transferDescription"]), int(body["toAccountId"])
        if body["toAccountType"] == _LOAN_TYPE:
            transfer = world.repay(source, _loan(target), centimos, on, text)
        else:
            transfer = world.send(source, _savings(target), centimos, on, text)
        return {"savingsId": source.id, "resourceId": transfer.details_id}

    return _command("CREATE", "ACCOUNTTRANSFER", _validate_transfer, act)


def _validate_transfer(body: dict[str, Any]) -> None:
    """A field that it does not know is dropped without a word."""
    for name in _TRANSFER_FIELDS:
        if not str(body.get(name, "")).strip():
            raise DomainError(400, f"validation.msg.accounttransfer.{name}.cannot.be.blank")
    _validate_dated(body, "transferDate")
    if len(str(body["transferDescription"])) > 200:
        code = "validation.msg.accounttransfer.transferDescription.exceeds.max.length"
        raise DomainError(400, code)
    if _centimos(body["transferAmount"]) <= 0:
        code = "validation.msg.accounttransfer.transferAmount.not.greater.than.zero"
        raise DomainError(400, code)


def _validate_dated(body: dict[str, Any], name: str) -> None:
    for needed in _DATED:
        if needed not in body:
            raise DomainError(400, f"validation.msg.missing.{needed}.parameter")
    _date(body.get(name))


@api.post("/v1/accounttransfers/<int:details_id>")
def _undo_transfer(details_id: int) -> Response:
    world = _double().world
    if not world.newer_than_1_14:
        return Response("<html>405</html>", 405)

    def act(_: dict[str, Any]) -> dict[str, Any]:
        transfer = _transfer(details_id)
        world.undo_transfer(transfer)
        return {"savingsId": transfer.source, "resourceId": details_id}

    return _command("UNDO", "ACCOUNTTRANSFER", lambda _: None, act)


# Look-ups.


@api.get("/v1/clients/<int:number>")
def _get_client(number: int) -> Response:
    return _json(showing.client(_client(number)))


@api.get("/v1/clients/external-id/<name>")
def _get_client_by_external_id(name: str) -> Response:
    clients = _double().world.clients.values()
    return _json(showing.client(_one([c for c in clients if c.external_id == name], "client")))


@api.get("/v1/clients/<int:number>/accounts")
def _get_accounts(number: int) -> Response:
    world = _double().world
    with world.lock:
        return _json(showing.overview(world, _client(number)))


@api.get("/v1/clients/<int:number>/identifiers")
def _get_identifiers(number: int) -> Response:
    return _json([{"id": 1, "documentKey": _client(number).dni, "documentType": {"name": "DNI"}}])


@api.get("/v1/search")
def _search() -> Response:
    """Any of four columns, and no telling which."""
    text = request.args.get("query", "")
    whole = request.args.get("exactMatch") == "true"

    def fits(one: Client) -> bool:
        columns = (f"{one.id:09d}", one.external_id, one.mobile_no, one.first_names)
        return any(text == column if whole else text in column for column in columns)

    clients = _double().world.clients.values()
    return _json([showing.found_client(one) for one in clients if fits(one)])


@api.post("/v2/clients/search")
def _search_documents() -> Response:
    text = str((request.get_json().get("request") or {}).get("text", ""))
    clients = [one for one in _double().world.clients.values() if text in one.dni]
    return _json({"content": [{"id": one.id} for one in clients], "totalElements": len(clients)})


@api.get("/v1/savingsaccounts/<int:number>")
def _get_savings(number: int) -> Response:
    world = _double().world
    with world.lock:
        return _json(showing.savings(world, _savings(number)))


@api.get("/v1/savingsaccounts/external-id/<name>")
def _get_savings_by_external_id(name: str) -> Response:
    world = _double().world
    with world.lock:
        found = [one for one in world.savings.values() if one.external_id == name]
        return _json(showing.savings(world, _one(found, "saving.account")))


@api.get("/v1/savingsaccounts/<int:number>/transactions/search")
def _get_lines(number: int) -> Response:
    """`offset` is a page's number. Undone lines are among them."""
    _validate_dated(dict(request.args, date="2000-01-01"), "date")
    limit = int(request.args.get("limit", "50"))
    first = int(request.args.get("offset", "0")) * limit
    names = ("fromSubmittedDate", "fromDate", "toDate")
    since, first_day, last_day = (
        _date(request.args.get(name, fallback))
        for name, fallback in zip(names, ("1900-01-01", "1900-01-01", "2999-01-01"), strict=True)
    )
    with _double().world.lock:
        running, shown = 0, []
        for line in _savings(number).lines:
            change = line.centimos if line.kind == DEPOSIT else -line.centimos
            running += 0 if line.reversed else change
            if line.on >= max(since, first_day) and line.on <= last_day:
                shown.append(((line.on, line.id), showing.line(line, running)))
    shown.sort(key=lambda one: one[0], reverse=True)
    rows = [row for _, row in shown]
    return _json({"total": len(rows), "content": rows[first : first + limit]})


@api.get("/v1/savingsaccounts/<int:number>/transactions/<int:line_id>")
def _get_line(number: int, line_id: int) -> Response:
    with _double().world.lock:
        return _json(showing.line(_line(_savings(number), line_id), 0))


@api.get("/v1/loans/<int:number>")
def _get_loan(number: int) -> Response:
    world, whole = _double().world, request.args.get("associations") == "repaymentSchedule"
    with world.lock:
        return _json(showing.loan(world, _loan(number), schedule=whole))


@api.get("/v1/loans/external-id/<name>")
def _get_loan_by_external_id(name: str) -> Response:
    world = _double().world
    with world.lock:
        found = [one for one in world.loans.values() if one.external_id == name]
        return _json(showing.loan(world, _one(found, "loan"), schedule=False))


@api.get("/v1/loans/<int:number>/transactions/template")
def _get_prepayment(number: int) -> Response:
    world = _double().world
    with world.lock:
        payoff = sum(one.payoff for one in _loan(number).opened(world.business_date))
        on = showing.day(world.business_date)
    return _json({"amount": showing.amount(payoff), "date": on})


@api.get("/v1/accounttransfers")
def _get_transfers() -> Response:
    """The details' id is the only filter that works."""
    world = _double().world
    with world.lock:
        wanted = request.args.get("accountDetailId")
        found = [t for t in world.transfers if wanted is None or t.details_id == int(wanted)]
        rows = [showing.transfer(one) for one in found]
    return _json({"totalFilteredRecords": len(rows), "pageItems": rows})


@api.get("/v1/businessdate/BUSINESS_DATE")
def _get_business_date() -> Response:
    on = showing.day(_double().world.business_date)
    return _json({"type": "BUSINESS_DATE", "date": on, "description": "Business Date"})


@api.get("/v1/configurations/name/<name>")
def _get_configuration(name: str) -> Response:
    if name not in ("enable-business-date", "maker-checker"):
        raise DomainError(404, "error.msg.configuration.property.invalid")
    enabled = name == "enable-business-date" and _double().world.has_business_date
    return _json({"name": name, "enabled": enabled, "id": 1})


@api.get("/v1/audits")
def _get_audits() -> Response:
    """Of the table of commands only what was rejected, newest first."""
    asked = request.args
    if asked.get("processingResult") != "3":
        raise DomainError(400, "error.msg.not.in.the.double")
    rows = [
        {
            "actionName": action,
            "entityName": entity,
            "processingResult": "rejected",
            "commandAsJson": _ENCODE(body).decode(),
        }
        for action, entity, body in _double().commands.rejected()
        if (action, entity) == (asked.get("actionName"), asked.get("entityName"))
    ]
    return _json(rows[::-1])


@api.get("/v1/paymenttypes")
def _get_payment_types() -> Response:
    return _json([{"id": 1, "name": "Cash"}, {"id": PAYMENT_TYPE_ID, "name": "USSD"}])


@api.post("/v1/authentication")
def _sign_in() -> Response:
    asked = request.get_json()
    if (asked.get("username"), asked.get("password")) != (USER, PASSWORD):
        return _json(failure(401, "error.msg.not.authenticated"), 401)
    user = {"userId": 5, "officeId": 1, "officeName": "Head Office", "authenticated": True}
    return _json({**user, "permissions": sorted(_double().permissions)})


# For the tests alone.


@control.get("/_ledger")
def _get_ledger() -> Response:
    """Sums, and every movement by its description or receipt."""
    world = _double().world
    with world.lock:
        lines = [line for account in world.savings.values() for line in account.lines]
        receipts = [one.receipt for one in lines if one.receipt and not one.reversed]
        sent = [one.description for one in world.transfers if not one.reversed]
        savings = sum(account.balance for account in world.savings.values())
        paid = sum(t.centimos for t in world.transfers if t.to_loan and not t.reversed)
        body: dict[str, Any] = {"savings_centimos": savings, "to_loans_centimos": paid}
        body["met"] = dict(_double().plan.met)
        body["transfers"] = [_booked(world, one) for one in world.transfers]
        return _json({**body, "movements": [*sent, *receipts], "keys": _double().commands.keys()})


@control.post("/_counter")
def _post_counter() -> Response:
    """Cash at the counter: `{"account": "100-0001", "centimos": 5000}`."""
    asked = request.get_json()
    line = _double().at_the_counter(str(asked["account"]), int(asked["centimos"]))
    return _json({"transaction": line.id})


def _booked(world: World, one: Transfer) -> dict[str, Any]:
    """Who moved how much to whom, by their external ids, and when."""
    target = (world.loans if one.to_loan else world.savings)[one.target]
    return {
        "description": one.description,
        "from": world.clients[world.savings[one.source].client_id].external_id,
        "to": world.clients[target.client_id].external_id,
        "to_loan": one.to_loan,
        "centimos": one.centimos,
        "reversed": one.reversed,
        "at_ms": one.made_at_ms,
    }


@control.post("/_faults")
def _post_faults() -> Response:
    """What the next commands meet, one each; null is nothing."""
    asked = [Fault(name) if name else None for name in request.get_json()]
    _double().plan.plan(asked)
    return _json({"planned": len(asked)})


# What is named in a path or a body.


def _one(found: list[Any], what: str) -> Any:
    if not found:
        raise DomainError(404, f"error.msg.{what}.id.invalid")
    return found[0]


def _client(number: int) -> Client:
    found: Client = _one([c for c in [_double().world.clients.get(number)] if c], "client")
    return found


def _savings(number: int) -> Savings:
    found = [s for s in [_double().world.savings.get(number)] if s]
    account: Savings = _one(found, "saving.account")
    return account


def _loan(number: int) -> Loan:
    found: Loan = _one([one for one in [_double().world.loans.get(number)] if one], "loan")
    return found


def _line(account: Savings, number: int) -> Transaction:
    found: Transaction = _one([one for one in account.lines if one.id == number], "transaction")
    return found


def _transfer(details_id: int) -> Transfer:
    transfers = _double().world.transfers
    found = [one for one in transfers if one.details_id == details_id]
    transfer: Transfer = _one(found, "account.transfer")
    return transfer


def _date(text: Any) -> dt.date:
    try:
        return dt.date.fromisoformat(str(text))
    except ValueError as error:
        raise DomainError(400, "validation.msg.invalid.dateFormat.format") from error


def _centimos(amount: Any) -> int:
    try:
        return int(Decimal(str(amount).replace(",", "")) * 100)  # locale en
    except InvalidOperation as error:
        raise DomainError(400, "validation.msg.invalid.decimal.format") from error
