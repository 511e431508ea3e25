"""A hook is a hint: what members read is what the core's books say when they are read back."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any

from gateway.bounds import (
    CORE_NEWS_LOOKS_MAX,
    CORE_NEWS_OLD_DAYS,
    CORE_NEWS_PATIENCE_S,
    CORE_NEWS_WAITING_MAX,
)
from gateway.ledger.fineract.marks import mark
from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from gateway.ledger.fineract.standin.world import Savings
from gateway.values.consent import Consent, Purpose
from gateway.values.msisdn import Msisdn
from tests.cooperative import TODAY, Cooperative
from tests.core_news.conftest import HOOKS
from tests.people import ELMER, FLOR, MARIA, ROSA, SEGUNDO, WILMER, Person

HEADERS = {
    "X-Fineract-Entity": "SAVINGSACCOUNT",
    "X-Fineract-Action": "DEPOSIT",
    "Fineract-Platform-TenantId": "default",
}


def _account(core: StandIn, person: Person) -> Savings:
    code = person.savings[0].code
    return next(one for one in core.world.savings.values() if one.external_id == code)


def _states(cooperative: Cooperative) -> list[str]:
    with cooperative.owner() as owner:
        return [state for (state,) in owner.execute("select state from core_news.hint order by id")]


def _forged(
    cooperative: Cooperative, response: Mapping[str, Any], **headers: str
) -> tuple[int, str]:
    """What anybody could send who knows the path."""
    said = {**HEADERS, **headers}
    payload = {
        "entityName": said["X-Fineract-Entity"],
        "actionName": said["X-Fineract-Action"],
        "request": {"transactionAmount": "5000"},
        "response": response,
    }
    answer = cooperative.client.post(HOOKS, data=json.dumps(payload), headers=said)
    return answer.status_code, answer.text


def _looked_often(cooperative: Cooperative) -> None:
    for _ in range(CORE_NEWS_LOOKS_MAX):
        cooperative.deliver()
        cooperative.clock.pass_time(minutes=10)


def test_what_is_forged_tells_nobody_anything(cooperative: Cooperative, core: StandIn) -> None:
    account = _account(core, ROSA)
    assert _forged(cooperative, {"savingsId": account.id, "resourceId": 999_999})[0] == 204
    _looked_often(cooperative)
    assert _states(cooperative) == ["absent"]
    assert cooperative.inbox(ROSA.msisdn) == []


def test_a_forged_hint_does_not_spoil_the_real_one(cooperative: Cooperative, core: StandIn) -> None:
    """Whoever guesses the next number ahead of time takes the news from nobody."""
    account, following = (
        _account(core, ROSA),
        1 + max(line.id for one in core.world.savings.values() for line in one.lines),
    )
    _forged(cooperative, {"savingsId": account.id, "resourceId": following})
    _looked_often(cooperative)
    assert core.double.at_the_counter(account.external_id, 50_00).id == following
    core.double.hooks.deliver()
    cooperative.deliver()
    assert len(cooperative.inbox(ROSA.msisdn)) == 1


def test_a_line_of_another_account_is_none_of_this_one(
    cooperative: Cooperative, core: StandIn
) -> None:
    line = core.double.at_the_counter(_account(core, SEGUNDO).external_id, 50_00)
    _forged(cooperative, {"savingsId": _account(core, ROSA).id, "resourceId": line.id})
    _looked_often(cooperative)
    assert cooperative.inbox(ROSA.msisdn) == cooperative.inbox(SEGUNDO.msisdn) == []


def test_another_tenants_hook_is_not_for_us(cooperative: Cooperative, core: StandIn) -> None:
    line = core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    response = {"savingsId": line.account_id, "resourceId": line.id}
    status, _ = _forged(cooperative, response, **{"Fineract-Platform-TenantId": "other"})
    assert status == 400
    assert _states(cooperative) == []


def test_a_command_that_failed_or_waits_for_a_checker_is_no_news(
    cooperative: Cooperative, core: StandIn
) -> None:
    """Others have texted members about deposits that were refused."""
    core.plan.plan([Fault.APPROVAL])
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50", str(ROSA.pin))
    core.double.hooks.fire("SAVINGSACCOUNT", "DEPOSIT", {"transactionAmount": "50"}, None)
    assert core.double.hooks.deliver() == [204, 204]
    assert _states(cooperative) == []


def test_a_deposit_at_the_counter_reaches_its_member_once_however_often_it_is_told(
    cooperative: Cooperative, core: StandIn
) -> None:
    first = core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.at_the_counter(ROSA.savings[0].code, -20_00)
    assert core.double.hooks.deliver(times=3, backwards=True) == [204] * 6
    cooperative.deliver()
    came = f"Entro S/ 50.00 a tu cuenta Ahorro el 23 nov, op. {first.id}."
    went = f"Salio S/ 20.00 de tu cuenta Ahorro el 23 nov, op. {first.id + 1}."
    assert set(cooperative.inbox(ROSA.msisdn)) == {
        f"{came} Si no sabes por que, pregunta en tu agencia.",
        f"{went} Si no fuiste tu, llama ya a tu agencia.",
    }
    response = {"savingsId": first.account_id, "resourceId": first.id}
    _forged(cooperative, response)
    cooperative.clock.pass_time(hours=1)
    cooperative.deliver()
    assert len(cooperative.inbox(ROSA.msisdn)) == 2


def test_it_is_told_in_the_members_language(cooperative: Cooperative, core: StandIn) -> None:
    core.double.at_the_counter(FLOR.savings[0].code, 50_00)
    core.double.hooks.deliver()
    cooperative.deliver()
    (sms,) = cooperative.inbox(FLOR.msisdn)
    assert sms.startswith("S/ 50.00 came into your account Ahorro on")


def test_a_loan_that_is_paid_out_is_told(cooperative: Cooperative, core: StandIn) -> None:
    loan = next(iter(core.world.loans.values()))
    loan.disbursed_on = TODAY
    core.double.pay_out(loan.external_id)
    core.double.hooks.deliver(times=2)
    cooperative.deliver()
    (sms,) = cooperative.inbox(ROSA.msisdn)
    assert sms.startswith("Te dimos tu credito Campaña cafe de S/ 891.58 el 23 nov.")


def test_what_staff_send_to_a_member_is_told_to_who_gets_it(
    cooperative: Cooperative, core: StandIn
) -> None:
    giver, taker = _account(core, ELMER), _account(core, MARIA)
    with core.world.lock:
        transfer = core.world.send(giver, taker, 30_00, TODAY, "por encargo")
    answer = {"savingsId": giver.id, "resourceId": transfer.details_id}
    core.double.hooks.fire("ACCOUNTTRANSFER", "CREATE", {}, answer)
    core.double.hooks.deliver(times=2)
    cooperative.deliver()
    assert cooperative.inbox(ELMER.msisdn) == []
    (sms,) = cooperative.inbox(MARIA.msisdn)
    assert sms.startswith("Entro S/ 30.00 a tu cuenta Ahorro")


def test_what_was_ours_is_not_told_twice(cooperative: Cooperative, core: StandIn) -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50")
    assert "Listo" in phone.press(str(ROSA.pin)).text
    assert core.double.hooks.deliver() == [204]
    cooperative.deliver()
    assert _states(cooperative) == ["ours"]
    assert len(cooperative.inbox(ROSA.msisdn)) == len(cooperative.inbox(SEGUNDO.msisdn)) == 1


def test_a_hook_wakes_the_order_that_it_is_about(cooperative: Cooperative, core: StandIn) -> None:
    """Its answer was lost, and its member was told that it is under way."""
    core.plan.plan([Fault.DROP_AFTER])
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("2", SEGUNDO.msisdn.removeprefix("+51"), "50")
    assert "En proceso" in phone.press(str(ROSA.pin)).text
    cooperative.clock.pass_time(seconds=2)  # before the sweep would ask by itself
    cooperative.deliver()
    assert cooperative.inbox(ROSA.msisdn) == []
    core.double.hooks.deliver()
    cooperative.deliver()
    cooperative.deliver()
    (sms,) = cooperative.inbox(ROSA.msisdn)
    assert sms.startswith("Enviaste S/ 50.00 a Segundo C.")


def test_a_mark_that_somebody_copied_tells_nobody(cooperative: Cooperative, core: StandIn) -> None:
    """The evening's comparison finds it."""
    account = _account(core, ROSA)
    with core.world.lock:
        line = core.world.deposit(account, 5_00, TODAY, mark(uuid.UUID(int=9)))
    _forged(cooperative, {"savingsId": account.id, "resourceId": line.id})
    cooperative.deliver()
    assert _states(cooperative) == ["ours"]
    assert cooperative.inbox(ROSA.msisdn) == []


def test_who_never_enrolled_or_is_no_member_of_ours_is_told_nothing(
    cooperative: Cooperative, core: StandIn
) -> None:
    core.double.at_the_counter(WILMER.savings[0].code, 50_00)
    core.world.clients[_account(core, SEGUNDO).client_id].external_id = "nobody-here"
    core.double.at_the_counter(SEGUNDO.savings[0].code, 50_00)
    core.double.hooks.deliver()
    cooperative.deliver()
    assert _states(cooperative) == ["nobody", "nobody"]
    assert cooperative.inbox(WILMER.msisdn) == cooperative.inbox(SEGUNDO.msisdn) == []


def test_who_wants_no_such_messages_gets_none(cooperative: Cooperative, core: StandIn) -> None:
    no = Consent(Purpose.MOVEMENTS, given=False, channel="staff", text_version="1", language="es")
    rosa, _ = cooperative.gateway.bank.identify(Msisdn(ROSA.msisdn))
    assert rosa
    cooperative.gateway.bank.agree(rosa, no)
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.hooks.deliver()
    cooperative.deliver()
    assert cooperative.inbox(ROSA.msisdn) == []


def test_a_text_that_says_stop_does_not_silence_an_alarm(
    cooperative: Cooperative, core: StandIn
) -> None:
    """It may be forged."""
    cooperative.text(ROSA.msisdn, "BAJA")
    core.double.at_the_counter(ROSA.savings[0].code, -50_00)
    core.double.hooks.deliver()
    cooperative.deliver()
    (sms,) = cooperative.new_sms(ROSA.msisdn)
    assert sms.startswith("Salio S/ 50.00")


def test_what_was_taken_back_before_it_was_read_is_no_news(
    cooperative: Cooperative, core: StandIn
) -> None:
    line = core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.hooks.deliver()
    with core.world.lock:
        core.world.undo_line(line)
    _looked_often(cooperative)
    assert _states(cooperative) == ["absent"]
    assert cooperative.inbox(ROSA.msisdn) == []


def test_a_hook_of_long_ago_is_no_news(cooperative: Cooperative, core: StandIn) -> None:
    """Also when what was told of it is forgotten."""
    core.world.business_date = TODAY - dt.timedelta(days=CORE_NEWS_OLD_DAYS + 1)
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.hooks.deliver()
    cooperative.deliver()
    assert _states(cooperative) == ["old"]
    assert cooperative.inbox(ROSA.msisdn) == []


def test_while_the_core_is_away_news_waits(cooperative: Cooperative, core: StandIn) -> None:
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.hooks.deliver()
    core.plan.away = True
    for _ in range(20):
        cooperative.deliver()
        cooperative.clock.pass_time(minutes=16)
    assert _states(cooperative) == ["waiting"]
    core.plan.away = False
    cooperative.deliver()
    assert len(cooperative.inbox(ROSA.msisdn)) == 1


def test_a_core_that_is_away_for_a_day_leaves_it_to_staff(
    cooperative: Cooperative, core: StandIn
) -> None:
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.hooks.deliver()
    core.plan.away = True
    cooperative.clock.pass_time(seconds=CORE_NEWS_PATIENCE_S + 1)
    cooperative.deliver()
    assert _states(cooperative) == ["dead"]
    figure, whose = cooperative.metrics.registry.get_sample_value, {"cooperative": "norandino"}
    assert figure("chaski_core_news_dead", whose) == 1
    assert figure("chaski_core_news_waiting", whose) == 0


def test_a_worker_that_dies_between_the_look_and_the_telling_tells_once(
    cooperative: Cooperative, core: StandIn
) -> None:
    """Its lease ends, and another looks; what the first one says later counts no more."""
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.hooks.deliver()
    with cooperative.owner() as owner:
        claimed = "select id, attempt from core_news.claim(50, 120, %s)"
        (late,) = owner.execute(claimed, (cooperative.clock.now(),)).fetchall()
    cooperative.deliver()
    assert cooperative.inbox(ROSA.msisdn) == []
    cooperative.clock.pass_time(seconds=121)
    cooperative.deliver()
    with cooperative.owner() as owner:
        told = "%s, %s, 'core_credit', %s, 1, 'Ahorro', current_date, '1', now()"
        tell = f"select core_news.tell({told})"
        assert owner.execute(tell, (*late, ROSA.ref)).fetchone() == (False,)
    cooperative.deliver()
    assert len(cooperative.inbox(ROSA.msisdn)) == 1


def test_a_flood_is_refused_and_fills_no_table(cooperative: Cooperative, core: StandIn) -> None:
    with cooperative.owner() as owner:
        owner.execute(
            "insert into core_news.hint (subject, account_id, line_id, heard_at, due_at)"
            " select 'savings', 1, n, now(), now() from generate_series(1, %s) as n",
            (CORE_NEWS_WAITING_MAX,),
        )
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    assert core.double.hooks.deliver() == [503]


def test_hints_hold_two_numbers_and_nothing_of_what_was_said(
    cooperative: Cooperative, core: StandIn
) -> None:
    core.double.at_the_counter(ROSA.savings[0].code, 50_00)
    core.double.hooks.deliver()
    with cooperative.owner() as owner:
        (row,) = owner.execute("select to_jsonb(h)::text from core_news.hint as h").fetchall()
    assert not [word for word in ("Ana", "teller", "…", "Rosa", "987") if word in row[0]]
