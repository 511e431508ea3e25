"""Fineract's campaigns through our outbox: to members who want them, once, by day, with a fate."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from click.testing import CliRunner

from gateway.bounds import CORE_MESSAGE_REPORT_S, CORE_MESSAGES_AT_ONCE
from gateway.cli.main import main
from gateway.ledger.fineract.standin.app import TENANT
from gateway.ledger.fineract.standin.outgoing import Campaigns
from gateway.values.delivery import DeliveryState, Report
from gateway.values.gsm import plain
from tests.cooperative import Cooperative
from tests.core_news.conftest import MESSAGES, asking
from tests.people import MARIA, ROSA, SEGUNDO, STRANGER, WILMER

SERVICE, ADVERTISING = 1, 2
SENT, DELIVERED, FAILED, WAITING, PENDING = 200, 300, 400, 150, 100


def _reported(cooperative: Cooperative, state: DeliveryState) -> None:
    """What the network says of all that it took."""
    with cooperative.owner() as owner:
        taken = owner.execute("select sender, provider_id from notices.submissions").fetchall()
    for sender, provider_id in taken:
        assert cooperative.gateway.reported(Report(sender, provider_id, state))


def _signs(database_urls: tuple[str, str], *words: str) -> None:
    """Rosa, at the branch."""
    said = ("members", "agree", "--phone", ROSA.msisdn, "--paper", "2026-11", "--by", "ana", *words)
    result = CliRunner().invoke(main, (*said, "--url", database_urls[0]))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("key", "tenant"), [("", TENANT), ("wrong", TENANT), ("demo", "other")])
def test_who_has_not_the_key_of_the_tenant_gets_nowhere(
    cooperative: Cooperative, key: str, tenant: str
) -> None:
    stranger = Campaigns(MESSAGES, key, tenant, asking(cooperative))
    message = stranger.write(ROSA.msisdn, "Feria el sabado", SERVICE)
    assert stranger.send() == [403]
    assert message.status == PENDING
    answer = cooperative.client.get(
        f"{MESSAGES}/smsbridges",
        headers={"Fineract-Tenant-App-Key": key, "Fineract-Platform-TenantId": tenant},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"[1]", 400),
        (b'[{"internalId": "41"}]', 400),
        (b'[{"internalId": 0}]', 400),
        (b'[{"internalId": 9223372036854775808}]', 400),
        (b"[" * 2_000, 400),
        (json.dumps([{"internalId": 41, "message": "a" * 3_000}]).encode(), 400),
        (json.dumps([{"internalId": 7}] * (CORE_MESSAGES_AT_ONCE + 1)).encode(), 413),
        (b" " * (1024 * 1024 + 1), 413),
    ],
)  # fmt: skip
def test_what_is_no_list_of_messages_is_refused(
    cooperative: Cooperative, body: bytes, status: int
) -> None:
    headers = {"Fineract-Tenant-App-Key": "demo", "Fineract-Platform-TenantId": TENANT}
    answer = cooperative.client.post(f"{MESSAGES}/sms", data=body, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (STRANGER, "Feria el sabado"),  # nobody's whom we know
        (WILMER.msisdn, "Feria el sabado"),  # who has not enrolled, and agreed to nothing
        ("40000001", "Feria el sabado"),
        ("", "Feria el sabado"),
        ("rosa", "Feria el sabado"),
        (ROSA.msisdn, " "),
        (ROSA.msisdn, "a" * 700),
    ],
)
def test_what_cannot_be_sent_is_taken_and_reported_as_failed(
    cooperative: Cooperative, campaigns: Campaigns, number: str, text: str
) -> None:
    """Else it would come again for ever, and stand in the way of the others."""
    message = campaigns.write(number, text, SERVICE)
    assert campaigns.send() == [202]
    cooperative.deliver()
    campaigns.reports()
    assert message.status == FAILED
    assert [cooperative.inbox(each) for each in (ROSA.msisdn, WILMER.msisdn, STRANGER)] == [[]] * 3


def test_a_message_of_service_reaches_its_member_in_plain_letters(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    """As staff typed the number: with spaces, without the country's code."""
    text = "Mañana la agencia de Jaén abrirá a las 9 – trae tu DNI"
    message = campaigns.write("987 000 001", text, SERVICE)
    assert campaigns.send() == [202]
    campaigns.reports()
    assert message.status == WAITING
    cooperative.deliver()
    assert cooperative.inbox(ROSA.msisdn) == [
        "Mañana la agencia de Jaén abrira a las 9 - trae tu DNI"
    ]
    campaigns.reports()
    assert message.status == WAITING  # the network may still say more
    _reported(cooperative, DeliveryState.DELIVERED)
    campaigns.reports()
    assert message.status == DELIVERED
    assert message.external_id


def test_a_message_that_comes_again_is_sent_once(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    for person in (ROSA, SEGUNDO, MARIA):
        campaigns.write(person.msisdn, f"Hola {person.short_name}", SERVICE)
    for _ in range(3):
        campaigns.forget()
        assert campaigns.send() == [202]
        cooperative.deliver()
    for person in (ROSA, SEGUNDO, MARIA):
        assert cooperative.inbox(person.msisdn) == [f"Hola {plain(person.short_name)}"]


def test_who_said_stop_gets_no_service_until_they_say_start(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    cooperative.text(ROSA.msisdn, "BAJA")
    stopped = campaigns.write(ROSA.msisdn, "Feria el sabado", SERVICE)
    campaigns.send()
    cooperative.deliver()
    assert cooperative.new_sms(ROSA.msisdn) == []
    campaigns.reports()
    assert stopped.status == FAILED
    cooperative.text(ROSA.msisdn, "ALTA")
    campaigns.write(ROSA.msisdn, "Feria el domingo", SERVICE)
    campaigns.send()
    cooperative.deliver()
    assert cooperative.new_sms(ROSA.msisdn) == ["Feria el domingo"]


def test_stop_counts_also_between_the_campaign_and_its_sending(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    campaigns.write(ROSA.msisdn, "Feria el sabado", SERVICE)
    campaigns.send()
    cooperative.text(ROSA.msisdn, "BAJA")
    assert "Feria el sabado" not in cooperative.inbox(ROSA.msisdn)


@pytest.mark.parametrize("bridge", [ADVERTISING, 7])
def test_advertising_reaches_only_who_agreed_to_it(
    cooperative: Cooperative,
    campaigns: Campaigns,
    database_urls: tuple[str, str],
    bridge: int,
) -> None:
    """What came by no bridge of ours is taken for it."""
    campaigns.write(ROSA.msisdn, "Pide tu credito escolar", bridge)
    campaigns.send()
    cooperative.deliver()
    assert cooperative.inbox(ROSA.msisdn) == []
    _signs(database_urls, "--to", "advertising")
    campaigns.write(ROSA.msisdn, "Pide tu credito escolar ya", bridge)
    campaigns.send()
    cooperative.deliver()
    assert cooperative.new_sms(ROSA.msisdn) == ["Pide tu credito escolar ya"]
    _signs(database_urls, "--to", "advertising", "--no")
    campaigns.write(ROSA.msisdn, "Pide tu credito escolar hoy", bridge)
    campaigns.send()
    cooperative.deliver()
    assert cooperative.new_sms(ROSA.msisdn) == []
    with cooperative.owner() as owner:
        deeds = owner.execute(
            "select actor, action from audit.entry where actor_kind = 'staff' order by id"
        )
        assert deeds.fetchall() == [("ana", "consent.given"), ("ana", "consent.withdrawn")]


def test_at_night_a_campaign_waits_for_the_morning(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    cooperative.clock.pass_time(hours=13)  # 23:00 in Lima
    message = campaigns.write(ROSA.msisdn, "Feria el sabado", SERVICE)
    campaigns.send()
    cooperative.deliver()
    campaigns.reports()
    assert (cooperative.inbox(ROSA.msisdn), message.status) == ([], WAITING)


def test_a_number_that_went_to_somebody_else_gets_nothing_of_its_former_owner(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    campaigns.write(ROSA.msisdn, "Rosa, tu feria es el sabado", SERVICE)
    campaigns.send()
    with cooperative.owner() as owner:
        owner.execute("update bank.member set msisdn = null where member_ref = %s", (ROSA.ref,))
        owner.execute(
            "update bank.member set msisdn = %s where member_ref = %s", (ROSA.msisdn, MARIA.ref)
        )
    cooperative.deliver()
    assert cooperative.inbox(ROSA.msisdn) == []


def test_a_network_that_never_reports_does_not_keep_newer_messages_waiting(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    """Fineract asks about the two hundred oldest that wait."""
    message = campaigns.write(ROSA.msisdn, "Feria el sabado", SERVICE)
    campaigns.send()
    cooperative.deliver()
    cooperative.clock.at = dt.datetime.now(dt.UTC)  # PostgreSQL notes when it was sent
    cooperative.clock.pass_time(seconds=CORE_MESSAGE_REPORT_S + 60)
    campaigns.reports()
    assert message.status == SENT


def test_what_the_network_could_not_deliver_failed(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    message = campaigns.write(ROSA.msisdn, "Feria el sabado", SERVICE)
    campaigns.send()
    cooperative.deliver()
    _reported(cooperative, DeliveryState.FAILED)
    campaigns.reports()
    assert message.status == FAILED


def test_of_an_id_that_never_came_nothing_is_said(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    headers = {"Fineract-Tenant-App-Key": "demo", "Fineract-Platform-TenantId": TENANT}
    answer = cooperative.client.post(f"{MESSAGES}/sms/report", data=b"[7, 8]", headers=headers)
    assert (answer.status_code, answer.json) == (200, [])


def test_who_writes_a_campaign_chooses_what_it_is(campaigns: Campaigns) -> None:
    offered = campaigns.bridges()
    assert [(row["id"], row["providerName"]) for row in offered] == [
        (SERVICE, "Chaski: service"),
        (ADVERTISING, "Chaski: advertising"),
    ]
    assert {row["tenantId"] for row in offered} == {TENANT}


def test_what_a_campaign_said_is_forgotten_with_the_notices(
    cooperative: Cooperative, campaigns: Campaigns
) -> None:
    campaigns.write(ROSA.msisdn, "Feria el sabado", SERVICE)
    campaigns.send()
    with cooperative.owner() as owner:
        kept = owner.execute("select to_jsonb(m)::text from core_news.message as m").fetchall()
        owner.execute("select notices.erase(%s, %s, now())", (ROSA.ref, ROSA.msisdn))
        left = owner.execute("select detail from notices.outbox where fact = 'campaign'").fetchall()
    assert "Feria" not in str(kept)
    assert "987" not in str(kept)
    assert left == [({},)]
