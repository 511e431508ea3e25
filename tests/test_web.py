"""The gateway from outside: over HTTP, as an aggregator and an operator see it."""

from __future__ import annotations

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.settings import DEMO_WEBHOOK_SECRET
from tests.cooperative import Cooperative, Handset
from tests.people import ELMER, FLOR, PEOPLE, ROSA, SEGUNDO, STRANGER, WILMER, Person

USSD = f"/ussd/africastalking/{DEMO_WEBHOOK_SECRET}"


def test_rosa_sends_fifty_soles_to_segundo_and_the_request_comes_again(
    cooperative: Cooperative,
) -> None:
    """Both balances move once, two receipts arrive; the same request gives the same screen."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    assert "PIN" in phone.press("2", "987000002", "50").text
    done = phone.press(str(ROSA.pin))

    again = [phone.send() for _ in range(3)]

    assert again == [done] * 3
    assert done.ends
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_200_50
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00
    cooperative.deliver()
    assert len(cooperative.inbox(ROSA.msisdn)) == 1
    assert len(cooperative.inbox(SEGUNDO.msisdn)) == 1
    assert cooperative.books_are_right()


def test_rosa_pays_the_instalment_that_is_due(cooperative: Cooperative) -> None:
    """Three inputs after dialling: her savings and her debt fall by the same S/ 85.40."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    done = phone.press("3", "1", str(ROSA.pin))

    assert done.ends
    assert cooperative.balances(ROSA.ref) == {"100-0001": 1_165_10, "300-0001": -427_00}
    assert cooperative.books_are_right()


def test_the_pin_hop_sent_by_many_at_once_moves_money_once(cooperative: Cooperative) -> None:
    """Sixteen copies, eight at a time: one does it, all get the same screen."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50")
    phone.history += f"*{ROSA.pin}"

    def copy(_: int) -> object:
        client = cooperative.client.application.test_client()
        return Handset(client, phone.msisdn, phone.session, phone.history).send()

    with ThreadPoolExecutor(8) as pool:
        screens = set(pool.map(copy, range(16)))

    assert len(screens) == 1
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00


def test_redis_forgot_everything_and_the_pin_hop_comes_again(cooperative: Cooperative) -> None:
    """The member reads what became of the transfer, and nothing moves twice."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50", str(ROSA.pin))
    with redis.Redis.from_url(cooperative.settings.sessions_url.get_secret_value()) as client:
        client.flushdb()

    again = phone.send()

    assert "SI se hizo" in again.text
    assert again.ends
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00


def test_a_worker_died_after_the_bank_had_decided(cooperative: Cooperative) -> None:
    """Nothing was kept and nothing was shown: the next dial says what became of it."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50")
    cooperative.worker_dies_after_the_bank_decided(phone, ROSA.pin)

    told = cooperative.phone(ROSA.msisdn).dial()

    assert "Tu pedido de enviar S/ 50.00 a Segundo C. SI se hizo. Op." in told.text
    assert "1. Saldo" in told.text
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00
    again = cooperative.phone(ROSA.msisdn)
    assert again.dial().text == told.text, "who lost that screen too is told once more"
    again.press("1")
    assert cooperative.phone(ROSA.msisdn).dial().text.startswith("Hola Rosa")


def test_redis_forgot_before_the_pin_and_it_is_asked_again(cooperative: Cooperative) -> None:
    """Nothing is authorised from a session that nobody has seen."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002", "50")
    with redis.Redis.from_url(cooperative.settings.sessions_url.get_secret_value()) as client:
        client.flushdb()

    asked = phone.press(str(ROSA.pin))

    assert "PIN" in asked.text
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 310_00
    assert phone.press(str(ROSA.pin)).ends
    assert cooperative.balances(SEGUNDO.ref)["100-0002"] == 360_00


def test_two_members_send_to_each_other_all_the_time(cooperative: Cooperative) -> None:
    """Sixteen transfers each, both at once: each of them is told, no deadlock reaches anybody."""

    def send_all(sender: Person, payee: Person) -> list[str]:
        phone = cooperative.phone(sender.msisdn)
        phone.client = cooperative.client.application.test_client()
        done = []
        for centimos in range(16):
            phone.dial(f"2*{payee.msisdn.removeprefix('+51')}*1.{centimos:02}")
            done.append(phone.press(str(sender.pin)).text)
        return done

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(send_all, *pair) for pair in ((ROSA, SEGUNDO), (SEGUNDO, ROSA))]
        told = [text for one in both for text in one.result()]

    assert [text for text in told if not text.startswith("Listo")] == []
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_250_50
    assert cooperative.books_are_right()


def test_thirty_two_sessions_guessing_a_pin_get_three_guesses(cooperative: Cooperative) -> None:
    """Elmer's money is safe, and then Elmer himself has to wait."""

    def guess(number: int) -> str:
        phone = cooperative.phone(ELMER.msisdn)
        phone.client = cooperative.client.application.test_client()
        phone.dial()
        return phone.press("1", f"{number:04}").text

    with ThreadPoolExecutor(8) as pool:
        screens = list(pool.map(guess, range(32)))

    assert sum("equivocado" in screen for screen in screens) <= 2
    with cooperative.owner() as owner:
        attempts = owner.execute("select count(*) from bank.pin_attempt").fetchone()
    assert attempts is not None
    assert attempts[0] <= 3


@pytest.mark.parametrize(
    ("msisdn", "said"),
    [(STRANGER, "no esta registrado"), (WILMER.msisdn, "Pide tu codigo")],
)
def test_who_may_not_come_in_is_told_where_to_go(
    cooperative: Cooperative, msisdn: str, said: str
) -> None:
    """And the session ends."""
    screen = cooperative.phone(msisdn).dial()

    assert said in screen.text
    assert screen.ends


@pytest.mark.parametrize(
    "answer", ["x" * 10_000, "", "*", "**", "#", "{member}", "%s", "\x00", "9"]
)
def test_a_strange_answer_loses_nothing(cooperative: Cooperative, answer: str) -> None:
    """A clear screen, and then the journey goes on where it was."""
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", "987000002")

    asked = phone.press(answer)

    assert not asked.ends
    if "celular" in asked.text:  # a # or * may have been "0": back
        phone.press("987000002")
    assert "PIN" in phone.press("50").text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"sessionId=s1",
        b"sessionId=s1&phoneNumber=%2B51987000001",
        b"sessionId=s1&phoneNumber=rosa&text=",
        b"sessionId=&phoneNumber=%2B51987000001&text=",
        b"\xff\xfe\xfd",
        b"sessionId=s1&phoneNumber=%2B51987000001&text=%FF%FE",
        b"text=" + b"1" * 10_000,
        b"%",
        b"&" * 5_000,
    ],
)
def test_a_request_that_is_no_hop_gets_a_valid_last_screen(
    cooperative: Cooperative, body: bytes
) -> None:
    """Another status than 200 would be an error of the network on the member's phone."""
    response = cooperative.client.post(
        USSD, data=body, content_type="application/x-www-form-urlencoded"
    )

    assert response.status_code == 200
    assert response.text.startswith(("END ", "CON "))


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data", ""]
)
def test_another_kind_of_body_is_no_fault_of_ours(
    cooperative: Cooperative, content_type: str
) -> None:
    """Somebody tries JSON."""
    response = cooperative.client.post(USSD, data=b'{"sessionId": 1', content_type=content_type)

    assert response.status_code in {200, 400}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/ussd/africastalking/wrong", 404),
        ("POST", "/ussd/africastalking/d%C3%A9mo", 404),
        ("POST", "/ussd/africastalking/wrong/events", 404),
        ("POST", "/ussd/africastalking/", 404),
        ("GET", USSD, 405),
        ("GET", "/", 404),
        ("GET", "/simulator/inbox/rosa", 404),
        ("GET", "/../../etc/passwd", 404),
    ],
)
def test_what_is_not_here_is_said_in_a_line(
    cooperative: Cooperative, method: str, path: str, status: int
) -> None:
    """No page, no trace."""
    response = cooperative.client.open(path, method=method)

    assert response.status_code == status
    assert response.text.count("\n") == 1


def test_a_body_larger_than_any_webhooks_is_refused(cooperative: Cooperative) -> None:
    """Before it is read into memory."""
    response = cooperative.client.post(
        USSD,
        data=b"text=" + b"1" * 100_000,
        content_type="application/x-www-form-urlencoded",
    )

    assert response.status_code == 413


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.sampled_from(["sessionId", "phoneNumber", "text", "serviceCode", "networkCode", "x"]),
        st.one_of(st.text(max_size=200), st.just(ROSA.msisdn), st.just("1*4826")),
    )
)
def test_no_form_makes_a_fault(cooperative: Cooperative, form: dict[str, str]) -> None:
    """No request makes a 500."""
    for path in (USSD, f"{USSD}/events"):
        assert cooperative.client.post(path, data=form).status_code == 200


def test_an_end_of_session_event_is_taken_and_its_secrets_are_not_written_down(
    cooperative: Cooperative, caplog: pytest.LogCaptureFixture
) -> None:
    """`input` holds the PIN."""
    with caplog.at_level(logging.DEBUG):
        response = cooperative.client.post(
            f"{USSD}/events",
            data={
                "sessionId": "s1",
                "status": "Incomplete",
                "input": "1*4826",
                "lastAppResponse": "END S/ 1,250.50",
                "hopsCount": "2",
            },
        )

    assert response.status_code == 200
    assert "4826" not in caplog.text
    assert "1,250.50" not in caplog.text


def test_no_pin_is_found_anywhere_afterwards(
    cooperative: Cooperative, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every journey is walked, with wrong and right PINs; then every store is searched."""
    for person, journey in (
        (ROSA, ("2", "987000002", "50")),
        (ROSA, ("3", "1")),
        (ROSA, ("1",)),
        (ELMER, ("4", "2")),
        (FLOR, ("1",)),
    ):
        phone = cooperative.phone(person.msisdn)
        phone.dial()
        phone.press(*journey, "7318", str(person.pin))
    code = cooperative.invite(WILMER)
    wilmer, rosa = cooperative.phone(WILMER.msisdn), cooperative.phone(ROSA.msisdn)
    wilmer.dial()
    wilmer.press(WILMER.dni, "73184062", WILMER.dni, code, "1", "731806", "731808", "731806")
    wilmer.press("731806")
    rosa.dial()
    rosa.press("5", "4", "7318", str(ROSA.pin), "731804", "731804")
    cooperative.deliver()

    pins = ["7318", *(person.pin for person in PEOPLE if person.pin)]
    pins += ["731804", "731806", "731808", "73184062", WILMER.dni, code]
    kept = _everything(cooperative) + "".join(capfd.readouterr())
    assert "send/over" in kept  # the log was really searched
    assert re.findall(rf"(?<![0-9a-f])(?:{'|'.join(pins)})(?![0-9a-f])", kept) == []


def _everything(cooperative: Cooperative) -> str:
    """All that Redis, PostgreSQL and the metrics hold, as text."""
    found = [cooperative.client.get("/metrics").text]
    for url in (cooperative.settings.sessions_url, cooperative.settings.queue_url):
        with redis.Redis.from_url(url.get_secret_value()) as client:
            for key in client.keys("*"):
                kind = client.type(key)
                value = {b"hash": client.hgetall, b"string": client.get}.get(kind, client.dump)(key)
                found.append(f"{key!r} {value!r}")
    with cooperative.owner() as owner:
        tables = owner.execute(
            "select schemaname || '.' || tablename from pg_tables"
            " where schemaname in ('bank', 'instructions', 'notices')"
        ).fetchall()
        for (table,) in tables:
            # Instants and numbers of our own may hold any four digits by chance.
            rows = owner.execute(f"table {table}").fetchall()
            found.append(str([[v for v in row if isinstance(v, str | dict)] for row in rows]))
    return "\n".join(found)


def test_the_operators_endpoints_answer(cooperative: Cooperative) -> None:
    """Live, ready, and what Prometheus reads."""
    cooperative.phone(ROSA.msisdn).dial()

    assert cooperative.client.get("/health/live").json == {"live": True}
    ready = cooperative.client.get("/health/ready")
    assert ready.status_code == 200
    assert json.loads(ready.text)["ready"]
    figures = cooperative.client.get("/metrics").text
    assert 'chaski_hops_total{channel="africastalking",cooperative="norandino"' in figures
    for name in ('chaski_outbox_waiting{cooperative="norandino"} 0', "chaski_queue_depth 0"):
        assert name in figures


def test_the_inbox_of_the_simulated_network_is_read_oldest_first(cooperative: Cooperative) -> None:
    """`at`, `from` and `text`, and an empty list for a phone that got nothing."""
    for amount in ("10", "20"):
        phone = cooperative.phone(ROSA.msisdn)
        phone.dial()
        phone.press("2", "987000002", amount, str(ROSA.pin))
        cooperative.deliver()

    inbox = cooperative.client.get("/simulator/inbox/+51987000002").json

    assert [set(sms) for sms in inbox] == [{"at", "from", "text"}] * 2
    assert ["S/ 10.00" in inbox[0]["text"], "S/ 20.00" in inbox[1]["text"]] == [True, True]
    assert cooperative.client.get("/simulator/inbox/+51999999999").json == []


def test_a_hop_that_nobody_has_a_hand_free_for_is_told_so_and_counted(
    cooperative: Cooperative,
) -> None:
    reply = cooperative.gateway.busy("africastalking")

    assert reply.ends
    assert reply.text.startswith("Espera un momento")
    figures = cooperative.client.get("/metrics").text
    assert (
        'chaski_hops_total{channel="africastalking",cooperative="norandino",outcome="shed"} 1.0'
        in figures
    )
