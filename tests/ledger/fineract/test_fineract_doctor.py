"""The doctor names what a Fineract lacks, and the client says what certainly did not happen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from gateway.ledger.contract.cooperative import TODAY
from gateway.ledger.fineract.auth import Basic, Bearer, ClientCredentials
from gateway.ledger.fineract.client import FineractClient, NoReplyError, NotSentError
from gateway.ledger.fineract.doctor import State, examine
from gateway.ledger.fineract.standin.app import PASSWORD, PAYMENT_TYPE_ID, TENANT, USER
from gateway.ledger.fineract.standin.faults import Fault
from gateway.ledger.fineract.standin.server import StandIn
from tests.channels.standin import Answer, stand_in


def ailments(
    standin: StandIn,
    *,
    url: str = "",
    tenant: str = TENANT,
    password: str = PASSWORD,
    payment_type: int = PAYMENT_TYPE_ID,
) -> dict[str, tuple[State, str]]:
    """What the doctor finds, but for what is well."""
    client = FineractClient(url or standin.url, tenant, Basic(USER, password))
    found = list(examine(client, payment_type, USER, password))
    client.close()
    return {one.what: (one.state, one.advice) for one in found if one.state is not State.OK}


def test_a_fit_server_has_no_ailment_and_keeps_no_trace(standin: StandIn) -> None:
    assert ailments(standin) == {}
    assert standin.world.transfers == []


@pytest.mark.parametrize(
    ("ail", "what", "names"),
    [
        (lambda s: ailments(s, tenant="elsewhere"), "address", "CHASKI_FINERACT_TENANT"),
        (lambda s: ailments(s, password="wrong"), "address", "CHASKI_FINERACT_USER"),
        (lambda s: ailments(s, url=f"{s.root}/api"), "address", "ends in /api"),
        (lambda s: ailments(s, url="http://127.0.0.1:9/api"), "address", "cannot be reached"),
        (lambda s: ailments(s, payment_type=77), "payment type 77", "3 USSD"),
    ],
)
def test_what_is_missing_is_named(
    standin: StandIn,
    ail: Callable[[StandIn], dict[str, tuple[State, str]]],
    what: str,
    names: str,
) -> None:
    ((found, (_, advice)),) = ail(standin).items()
    assert found.startswith(what)
    assert names in advice


def test_each_missing_right_is_named(standin: StandIn) -> None:
    standin.double.permissions -= {"CREATE_ACCOUNTTRANSFER", "READ_LOAN"}
    found = ailments(standin)
    assert found["right CREATE_ACCOUNTTRANSFER"][0] is State.MISSING
    assert found["right READ_LOAN"][0] is State.MISSING


@pytest.mark.parametrize("fault", Fault)
def test_a_server_in_trouble_for_a_moment_is_not_called_unfit(
    standin: StandIn, fault: Fault
) -> None:
    """A process of ours that starts just then has to come up."""
    standin.plan.slow_ms = 1
    standin.plan.plan([fault])
    assert all(state is State.AWAY for state, _ in ailments(standin).values())
    standin.plan.plan([None, fault])
    assert all(state is State.AWAY for state, _ in ailments(standin).values())


def test_a_server_without_a_memory_of_keys_is_unfit(standin: StandIn) -> None:
    """Each answer of this one is as the first time: it is older than 1.9, or a proxy is before
    it."""
    with stand_in() as proxy:
        refused = '{"errors": [{"userMessageGlobalisationCode": "validation.msg.x"}]}'
        proxy.answers(
            Answer(200, '{"enabled": false}'),
            Answer(200, '[{"id": 3}]'),
            Answer(200, '{"enabled": false}'),
            Answer(200, '{"enabled": false}'),
            Answer(400, refused),
            Answer(400, refused),
        )
        client = FineractClient(f"{proxy.url}/api", TENANT, Bearer(lambda: "token"))
        found = {one.what: one for one in examine(client, 3, "", "")}
        client.close()
    assert found["idempotency keys"].state is State.MISSING
    assert proxy.heard[-1].headers["Idempotency-Key"] == proxy.heard[-2].headers["Idempotency-Key"]


def test_a_server_that_only_reads_is_unfit(standin: StandIn) -> None:
    with stand_in() as reader:
        reader.answers(
            Answer(200, '{"enabled": false}'),
            Answer(200, '[{"id": 3}]'),
            Answer(200, '{"enabled": false}'),
            Answer(200, '{"enabled": false}'),
            Answer(405),
            Answer(405),
        )
        client = FineractClient(f"{reader.url}/api", TENANT, Bearer(lambda: "token"))
        found = {one.what: one for one in examine(client, 3, "", "")}
        client.close()
    assert "only reads" in found["idempotency keys"].advice


# The client.


def test_every_request_bears_tenant_and_account() -> None:
    with stand_in() as server:
        server.answers(Answer(200, "{}"))
        client = FineractClient(f"{server.url}/api", "coop", Basic("señora", "clave"))
        client.get("/v1/clients/1")
        client.close()
    (heard,) = server.heard
    assert heard.headers["Fineract-Platform-TenantId"] == "coop"
    assert heard.headers["Authorization"].startswith("Basic ")
    assert heard.headers["X-Correlation-ID"]


def test_nobody_listening_is_certain_and_a_broken_line_is_not() -> None:
    client = FineractClient("http://127.0.0.1:9/api", TENANT, Basic(USER, PASSWORD))
    with pytest.raises(NotSentError):
        client.command("/v1/accounttransfers", {}, "k")
    client.close()
    with stand_in() as server:
        server.answers(Answer(breaks=True))
        client = FineractClient(f"{server.url}/api", TENANT, Basic(USER, PASSWORD))
        with pytest.raises(NoReplyError) as error:
            client.command("/v1/accounttransfers", {}, "k")
        assert "127.0.0.1" not in str(error.value)
        client.close()


def test_an_authority_whose_file_went_away_is_a_core_that_is_away() -> None:
    """The library says it with an error of another kind."""
    url, auth = "https://127.0.0.1:9/api", Basic(USER, PASSWORD)
    client = FineractClient(url, TENANT, auth, verify="/no/such/authority.pem")
    with pytest.raises(NoReplyError, match=r"^OSError$"):
        client.get("/v1/clients/12")
    (finding,) = examine(client, PAYMENT_TYPE_ID, USER, PASSWORD)
    assert finding.state is State.AWAY
    client.close()


def test_a_token_is_fetched_once_and_renewed_before_it_ends() -> None:
    now = [1_000]
    with stand_in() as issuer:
        issuer.answers(
            Answer(200, '{"access_token": "one", "expires_in": 300}'),
            Answer(200, '{"access_token": "two", "expires_in": 300}'),
        )
        tokens = ClientCredentials(
            f"{issuer.url}/token", "chaski", "secret", seconds=lambda: now[0]
        )
        first = [tokens(), tokens()]
        now[0] += 271
        again = tokens()
    assert (first, again) == (["one", "one"], "two")
    assert issuer.heard[0].form == {"grant_type": "client_credentials"}


@pytest.mark.parametrize("answer", [Answer(401), Answer(200, "{}"), Answer(200, "[]"), Answer(500)])
def test_without_a_token_nothing_is_sent(answer: Answer) -> None:
    with stand_in() as issuer, StandIn(TODAY) as standin:
        issuer.answers(answer)
        tokens = ClientCredentials(f"{issuer.url}/token", "chaski", "secret")
        client = FineractClient(standin.url, TENANT, Bearer(tokens))
        with pytest.raises(NotSentError):
            client.command("/v1/accounttransfers", {}, "k")
        client.close()
        assert standin.double.commands.keys() == []


def test_an_unknown_account_is_turned_away_there(standin: StandIn) -> None:
    """The double is as strict as the server."""
    answer = requests.get(f"{standin.url}/v1/paymenttypes", timeout=5)
    assert answer.status_code == 400
