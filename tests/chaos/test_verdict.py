"""The verdict, on made-up books: first those that it must find faulty."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from gateway.embedded import Endpoints
from tests.chaos.leaks import PinSearch
from tests.chaos.members import Member
from tests.chaos.orders import Attempt, Heard, Order, What
from tests.chaos.verdict import Books, Movement, Sms, Storm, itf_centimos, judge
from tests.people import ROSA, SEGUNDO

SENDER = Member(ROSA, "012345", has_loan=True)
PAYEE = Member(SEGUNDO, "054321", has_loan=False)
BEFORE = 1_560_50
UNDONE = "Tu pedido de S/ 1.23 NO se hizo. No se movio tu dinero."
RECEIPT = "Enviaste S/ 1.23 a Segundo C. el 23 nov, op. 100009. Si no fuiste tu, llama ya."


def moved(reference: str = "100009", *, at: float = 11, centimos: int = 1_23) -> Movement:
    """A movement from Rosa to Segundo."""
    return Movement(reference, ROSA.ref, SEGUNDO.ref, centimos, at)


def inbox(*texts: str, at: float = 12) -> dict[str, list[Sms]]:
    """Rosa's SMS."""
    return {ROSA.msisdn: [Sms(at, text) for text in texts]}


def books(*movements: Movement, sms: tuple[str, ...] | None = None) -> Books:
    """Books that add up, with a receipt for each movement unless others are given."""
    receipts = [RECEIPT.replace("100009", movement.reference) for movement in movements]
    return Books(
        differing=(),
        sum_centimos=0,
        savings_before=BEFORE,
        savings_after=BEFORE,
        movements=movements,
        unsettled=0,
        unsent=0,
        given_up=0,
        inboxes=inbox(*(receipts if sms is None else sms)),
    )


def order(
    *attempts: Attempt,
    heard: tuple[Heard, ...] = (),
    wanted: int = 1,
    meant_at: tuple[float, ...] = (9,),
) -> Order:
    """Rosa means S/ 1.23 to Segundo."""
    return Order(SENDER, PAYEE, 1_23, wanted, list(meant_at), list(attempts), list(heard))


def tried(
    at: float = 10, *, agreed: bool = False, sent: bool = True, denied: bool = False
) -> Attempt:
    """The PIN was typed."""
    return Attempt(at, agreed, sent, denied)


def told(what: What, at: float = 12, reference: str = "") -> Heard:
    """Something was heard about it."""
    return Heard(what, at, reference)


def found(judged: Order, books: Books, storm: Storm | None = None) -> dict[str, list[str]]:
    """The violations, by the check that found them."""
    checks = judge([judged], books, storm or Storm(kills={}))
    return {check.name: check.violations for check in checks if check.violations}


# --- What must be found faulty

TWICE = "nothing moved twice"
UNASKED = "nothing moved that nobody asked for"
LOST = "whoever was told that it was done, it was"
UNTOLD = "whatever was done, its sender got the SMS"
BELIED = "nobody was told that it was not done when it was"
DENIED = "whoever was told that it was not done, it never was"


@pytest.mark.parametrize(
    ("judged", "the_books", "checks"),
    [
        pytest.param(
            order(tried(), tried(11)),
            books(moved("100009", at=11), moved("100010", at=12)),
            {TWICE},
            id="moved twice",
        ),
        pytest.param(
            order(tried(), tried(11), wanted=2),
            books(moved("100009", at=11), moved("100010", at=12)),
            {TWICE},
            id="moved twice, and meant so, but nobody said yes to again",
        ),
        pytest.param(
            order(tried(), tried(14, agreed=True), wanted=2),
            books(moved("100009", at=11), moved("100010", at=12)),
            {TWICE},
            id="moved again before somebody said yes",
        ),
        pytest.param(
            order(tried()),
            books(moved(), replace(moved("100010"), receiver_ref="c-9999"), sms=(RECEIPT,)),
            {TWICE, UNASKED, UNTOLD, DENIED},
            id="moved to somebody else",
        ),
        pytest.param(
            order(),
            books(Movement("100010", "c-9999", SEGUNDO.ref, 5_00, 11), sms=()),
            {UNASKED, UNTOLD},
            id="moved what nobody meant",
        ),
        pytest.param(
            order(tried(), heard=(told(What.SENT, reference="100009"),)),
            books(),
            {LOST},
            id="told that it was done, and the books have nothing",
        ),
        pytest.param(
            order(tried(), heard=(told(What.SENT, reference="100008"),)),
            books(moved()),
            {LOST},
            id="told another reference than the books have",
        ),
        pytest.param(
            order(tried(), tried(denied=True), heard=(told(What.SENT_BEFORE),)),
            books(),
            {LOST},
            id="asked ¿Otra vez? of what never was",
        ),
        pytest.param(
            order(tried(), heard=(told(What.SENT_BEFORE, at=10.5),)),
            books(moved(at=11)),
            {LOST},
            id="asked ¿Otra vez? of what was not yet",
        ),
        pytest.param(
            order(tried(), heard=(told(What.SENT, reference="100009"),)),
            books(moved(), sms=()),
            {UNTOLD},
            id="done, and no SMS",
        ),
        pytest.param(
            order(tried()),
            books(moved(), sms=(RECEIPT.replace("1.23", "1.24"),)),
            {UNTOLD},
            id="done, and an SMS with another amount",
        ),
        pytest.param(
            order(tried()),
            books(moved(), sms=("Recibiste S/ 1.23 de Segundo C. el 23 nov, op. 100009",)),
            {UNTOLD},
            id="done, and an SMS that says received",
        ),
        pytest.param(
            order(tried(), heard=(told(What.NOT_DONE, at=10.5),)),
            books(moved(at=11)),
            {DENIED},
            id="denied, and then posted",
        ),
        pytest.param(
            order(tried(denied=True), heard=(told(What.REFUSED, at=10.5),)),
            books(moved(at=11)),
            {DENIED},
            id="refused, and then posted",
        ),
        pytest.param(
            order(tried(), tried(10.7, denied=True), heard=(told(What.NOT_DONE, at=10.5),)),
            books(moved(at=10.8)),
            {DENIED},
            id="denied, and then posted while another try was refused",
        ),
        pytest.param(
            order(tried(), tried(10.7), heard=(told(What.NOT_DONE, at=10.5),)),
            books(moved(at=10.6)),
            {DENIED},
            id="denied, then posted, and only then tried again",
        ),
        pytest.param(
            order(tried(), heard=(told(What.UNFINISHED, at=10.5),)),
            books(moved(at=11)),
            {DENIED},
            id="offered as unfinished, and then posted",
        ),
        pytest.param(
            order(tried(), heard=(told(What.NOT_DONE, at=12),)),
            books(moved(at=11)),
            {BELIED},
            id="posted, and then denied",
        ),
        pytest.param(
            order(
                tried(),
                tried(14, agreed=True),
                wanted=2,
                meant_at=(9, 13),
                heard=(told(What.NOT_DONE, at=16),),
            ),
            books(moved("100009", at=11), moved("100010", at=15)),
            {BELIED},
            id="posted twice, as it was meant, and then denied",
        ),
        pytest.param(
            order(
                tried(),
                tried(14, agreed=True),
                wanted=2,
                meant_at=(9, 13),
                heard=(told(What.NOT_AGAIN, at=16),),
            ),
            books(moved("100009", at=11), moved("100010", at=15)),
            {BELIED},
            id="done again, and then told that it was not",
        ),
        pytest.param(
            order(tried(), heard=(told(What.NOT_AGAIN),)),
            books(),
            {LOST},
            id="told that it was not done again, and it never was",
        ),
        pytest.param(
            order(tried()),
            books(moved(at=11), sms=(RECEIPT, UNDONE)),
            {BELIED},
            id="posted, and then denied by SMS",
        ),
        pytest.param(
            order(tried()),
            books(moved(at=13), sms=(RECEIPT, UNDONE)),
            {DENIED},
            id="denied by SMS, and then posted",
        ),
        pytest.param(
            order(tried(denied=True)),
            books(moved(at=10.1)),
            {DENIED},
            id="posted, and its only try was refused",
        ),
        pytest.param(
            order(tried(), tried(11, denied=True), tried(12, denied=True), wanted=2),
            books(moved("100009", at=11.1), moved("100010", at=12.1)),
            {TWICE, DENIED},
            id="two movements, and but one try that was not denied",
        ),
        pytest.param(
            order(tried(sent=False)), books(moved()), {DENIED}, id="posted before the PIN left"
        ),
    ],
)
def test_faulty_orders_are_found(judged: Order, the_books: Books, checks: set[str]) -> None:
    assert set(found(judged, the_books)) == checks


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"differing": ("100-0001",)}, "the ledger adds up"),
        ({"sum_centimos": 1}, "the ledger adds up"),
        ({"savings_after": BEFORE - 1}, "the ledger adds up"),
        ({"savings_after": BEFORE + 1}, "the ledger adds up"),
        ({"unsettled": 1}, "every order has its end, every notice is out"),
        ({"unsent": 1}, "every order has its end, every notice is out"),
        ({"given_up": 1}, "every order has its end, every notice is out"),
        (
            {"inboxes": inbox(RECEIPT, RECEIPT)},
            "an SMS came twice only where a process died",
        ),
    ],
)
def test_faulty_books_are_found(change: dict[str, object], check: str) -> None:
    faulty = replace(books(moved()), **change)  # type: ignore[arg-type]
    assert set(found(order(tried()), faulty)) == {check}


@pytest.mark.parametrize(
    ("storm", "check"),
    [
        (Storm({}, drained_s=None), "every order has its end, every notice is out"),
        (
            Storm({}, leaks=("web.log:7 holds a PIN",)),
            "no PIN in a log, in Redis or in a transcript",
        ),
        (Storm({}, faults=("HTTP 500",)), "every hop got a screen while web was up"),
        (Storm({}, puzzles=("a screen",)), "no phone was at a loss"),
        (Storm({}, fallen=("worker",)), "nothing ended by itself, and all healed"),
    ],
)
def test_a_faulty_storm_is_found(storm: Storm, check: str) -> None:
    assert set(found(order(tried()), books(moved()), storm)) == {check}


# --- What is as it should be


@pytest.mark.parametrize(
    ("judged", "the_books"),
    [
        pytest.param(order(), books(), id="never got as far as the PIN"),
        pytest.param(order(tried()), books(), id="nothing is known, and nothing moved"),
        pytest.param(order(tried()), books(moved()), id="nothing is known, and it moved"),
        pytest.param(
            order(tried(), heard=(told(What.SENT, reference="100009"),)),
            books(moved()),
            id="done, and told",
        ),
        pytest.param(
            order(
                tried(),
                tried(14, denied=True),
                wanted=2,
                meant_at=(9, 13),
                heard=(told(What.NOT_DONE, at=16),),
            ),
            books(moved()),
            id="done once, and the second one was denied",
        ),
        pytest.param(
            order(tried(), tried(13), heard=(told(What.NOT_DONE, at=12),)),
            books(moved(at=13.5)),
            id="denied, tried again, done",
        ),
        pytest.param(
            order(tried(), tried(13, denied=True), heard=(told(What.SENT_BEFORE, at=14),)),
            books(moved()),
            id="done unseen, tried again, asked ¿Otra vez?",
        ),
        pytest.param(
            order(tried(), tried(13, denied=True), heard=(told(What.NOT_AGAIN, at=14),)),
            books(moved()),
            id="done unseen, tried again, told that it was not done again",
        ),
        pytest.param(
            order(tried(), tried(13, denied=True), tried(14, agreed=True), wanted=2),
            books(moved("100009"), moved("100010", at=15)),
            id="done, and once more after a yes",
        ),
    ],
)
def test_what_went_well_has_no_violation(judged: Order, the_books: Books) -> None:
    assert found(judged, the_books) == {}


def test_a_repeated_sms_is_allowed_for_the_deaths_that_repeat_it() -> None:
    twice = replace(books(moved()), inboxes=inbox(RECEIPT, RECEIPT))
    assert found(order(tried()), twice, Storm({"worker": 1})) == {}
    assert found(order(tried()), twice, Storm({"PostgreSQL": 1})) == {}
    assert set(found(order(tried()), twice, Storm({"web": 9, "Redis": 9}))) != set()


@pytest.mark.parametrize(
    ("centimos", "tax"), [(1_23, 0), (999_99, 0), (1_000_00, 5), (1_999_99, 5), (2_000_00, 10)]
)
def test_taxes_and_loans_may_leave_the_savings(centimos: int, tax: int) -> None:
    assert itf_centimos(centimos) == tax
    sent = replace(books(moved(centimos=centimos)), savings_after=BEFORE - 2 * tax)
    paid = replace(
        books(replace(moved(centimos=centimos), receiver_ref="")),
        savings_after=BEFORE - centimos - tax,
    )
    for right in (sent, paid):
        assert "the ledger adds up" not in found(order(), right)


# --- PINs

PINS = PinSearch(["012345", "054321"])


@pytest.mark.parametrize(
    ("line", "leaks"),
    [
        (b"text=2*987000002*1.23*012345", True),
        (b'{"pin": "012345"}', True),
        (b"Pin(054321)", True),
        (b"\xa6012345\x81", True),
        (b"2026-11-23T07:57:35.012345Z", False),
        (b"1700000000.012345", False),
        (b"+51987012345", False),
        (b"op. 1012345", False),
        (b"d3b01234-5aaa-4012-8345-012345abcdef", False),
    ],
)
def test_a_pin_is_found_and_what_only_looks_like_one_is_not(line: bytes, leaks: bool) -> None:
    assert PINS.found(line) is leaks


def test_a_pin_in_a_file_is_found_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("all is well\ntext=2*012345\n")
    (tmp_path / "worker.log").write_text("all is well\n")
    assert list(PINS.in_files(tmp_path)) == ["web.log:2 holds a PIN"]


def test_a_pin_is_found_wherever_redis_keeps_it(redis_urls: tuple[str, str]) -> None:
    url, _ = redis_urls
    with redis.Redis.from_url(url) as client:
        client.set("harmless", "2*987000002*1.23")
        assert list(PINS.in_redis(url)) == []
        client.set("text", b"\x93\xa6012345")
        client.hset("session", mapping={"state": "054321"})
        client.rpush("queue", "x", "*012345")
        client.sadd("set", "012345")
        client.zadd("scores", {"054321": 1})
        client.xadd("stream", {"typed": "012345"})
        client.set("012345", "")
    assert sorted(PINS.in_redis(url)) == [
        f"a {kind} in Redis holds a PIN"
        for kind in ("hash", "list", "set", "stream", "string", "string", "zset")
    ]


def test_a_pin_in_a_packed_job_is_found(redis_urls: tuple[str, str], endpoints: Endpoints) -> None:
    with redis.Redis.from_url(endpoints.queue_url) as client:
        client.hset("rq:job:1", "data", zlib.compress(b'["send", "012345"]'))
    assert list(PINS.in_redis(redis_urls[1])) == ["a hash in Redis holds a PIN"]


# --- Over a core that decides later


@pytest.mark.parametrize(
    ("what", "at", "checks"),
    [
        (What.SENT_BEFORE, 11, set()),
        (What.NOT_AGAIN, 11, set()),
        (What.UNFINISHED, 11, set()),
        (What.SENT_BEFORE, 9.5, {LOST}),
        (What.NOT_AGAIN, 9.5, {LOST}),
        (What.NOT_DONE, 11, {DENIED}),
        (What.REFUSED, 11, {DENIED}),
    ],
)
def test_what_is_with_the_core_is_neither_sent_nor_denied_by_words_about_another_order(
    what: What, at: float, checks: set[str]
) -> None:
    """Given at 10, posted at 20. What is left unfinished or not done again meanwhile is a second
    order of the same amount; a plain no is about this one."""
    later = replace(moved("100009", at=20), given_at=10)
    assert set(found(order(tried(), heard=(told(what, at),)), books(later))) == checks


def test_what_was_left_unfinished_before_it_was_given_is_denied() -> None:
    """And then it was posted without another PIN."""
    later = replace(moved("100009", at=20), given_at=13)
    judged = order(tried(10), heard=(told(What.UNFINISHED, 12),))
    assert set(found(judged, books(later))) == {DENIED}
