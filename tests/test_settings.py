"""The environment: a bad variable stops the boot by its name, and says nothing of its value."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.bank.sims import WhenUnknown
from gateway.providers import sim_swap
from gateway.settings import DEMO_PEPPER, PREFIX, Settings, SettingsError, load
from gateway.sim.camara import CamaraSimSwap

GOOD = {
    "CHASKI_DATABASE_URL": "postgresql://chaski_app@/chaski",
    "CHASKI_SESSIONS_URL": "redis://localhost/0",
    "CHASKI_QUEUE_URL": "redis://localhost/1",
    "CHASKI_WEBHOOK_SECRETS": "a-long-and-random-path-secret",
    "CHASKI_SESSION_SECRET": "another-long-and-random-secret",
    "CHASKI_PIN_PEPPERS": '{"1": "' + "a1" * 32 + '"}',
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHASKI_DATABASE_URL", None),
        ("CHASKI_WEBHOOK_SECRETS", "demo"),
        ("CHASKI_WEBHOOK_SECRETS", "a-long-and-random-path-secret,"),
        ("CHASKI_SESSION_SECRET", "short"),
        ("CHASKI_PIN_PEPPERS", "not json"),
        ("CHASKI_PIN_PEPPERS", "{}"),
        ("CHASKI_PIN_PEPPERS", '{"1": "abc"}'),
        ("CHASKI_PIN_PEPPERS", '{"one": "' + "a1" * 32 + '"}'),
        ("CHASKI_PIN_PEPPERS", '{"1": "' + DEMO_PEPPER + '"}'),
        ("CHASKI_PIN_DIGITS_MAX", "7"),
        ("CHASKI_PIN_DIGITS_MIN", "3"),
        ("CHASKI_CODE_HOURS", "0"),
        ("CHASKI_STAFF_KEYS", "ana"),
        ("CHASKI_STAFF_KEYS", '["ana"]'),
        ("CHASKI_STAFF_KEYS", '{"ana": "the key itself"}'),
        ("CHASKI_STAFF_KEYS", '{" ": "' + "b2" * 32 + '"}'),
        ("CHASKI_ALLOWED_NETWORKS", "10.0.0.0/8"),
        ("CHASKI_ALLOWED_NETWORKS", '{"infobib": ["10.0.0.0/8"]}'),
        ("CHASKI_ALLOWED_NETWORKS", '{"infobip": ["10.0.0.1/8"]}'),
        ("CHASKI_ALLOWED_NETWORKS", '{"infobip": ["api.infobip.com"]}'),
        ("CHASKI_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CHASKI_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("CHASKI_TRUSTED_PROXIES", "::ffff:0:0/96"),
        ("CHASKI_HOPS_PER_SECOND", "0"),
        ("CHASKI_PORT", "eighty"),
        ("CHASKI_PORT", "0"),
        ("CHASKI_TIMEZONE", "Lima"),
        ("CHASKI_TIMEZONE", ""),
        ("CHASKI_SHORT_CODE", "775"),
        ("CHASKI_SCREEN_SEPTETS", "183"),
        ("CHASKI_LOG_LEVEL", "loud"),
        ("CHASKI_POTR", "8080"),
        ("CHASKI_FINERACT_URL", "core.example"),
        ("CHASKI_FINERACT_NAMES", "phone"),
        ("CHASKI_FINERACT_TIMEZONE", "Lima"),
        ("CHASKI_SESSION_SECRET_FILE", "/no/such/file"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str | None) -> None:
    """Whoever boots it knows which line to mend, and no secret is printed."""
    environment = {**GOOD, name: value} if value is not None else {**GOOD}
    if value is None:
        del environment[name]

    with pytest.raises(SettingsError) as refused:
        load(environment)

    assert name.removesuffix("_FILE") in str(refused.value)
    assert "a1a1" not in str(refused.value)
    assert "random" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("CHASKI_PIN_DIGITS_MIN", {"CHASKI_PIN_DIGITS_MIN": "6", "CHASKI_PIN_DIGITS_MAX": "5"}),
        ("CHASKI_STAFF_DATABASE_URL", {"CHASKI_STAFF_KEYS": '{"ana": "' + "b2" * 32 + '"}'}),
    ],
)
def test_what_does_not_go_together_is_named(name: str, more: dict[str, str]) -> None:
    """Each is right alone."""
    with pytest.raises(SettingsError, match=name):
        load({**GOOD, **more})


def test_every_problem_is_named_at_once() -> None:
    """Not one boot after the other."""
    with pytest.raises(SettingsError) as refused:
        load({**GOOD, "CHASKI_PORT": "eighty", "CHASKI_TIMEZONE": "Lima", "CHASKI_X": ""})

    assert len(str(refused.value).split("\n")) == 3


def test_good_settings_are_typed_and_hide_their_secrets() -> None:
    """Two secrets are valid at once while one is being replaced."""
    settings = load({**GOOD, "CHASKI_WEBHOOK_SECRETS": "first-secret-of-two,second-secret-of-two"})

    assert settings.secrets == ("first-secret-of-two", "second-secret-of-two")
    assert settings.peppers == {1: bytes.fromhex("a1" * 32)}
    assert "a1a1" not in repr(settings)
    assert "secret-of-two" not in repr(settings)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    """As Docker and systemd hand them over, with a line's end."""
    file = tmp_path / "database_url"
    file.write_text("postgresql://from-a-file@/chaski\n")
    environment = {**GOOD, "CHASKI_DATABASE_URL_FILE": str(file)}
    del environment["CHASKI_DATABASE_URL"]

    assert load(environment).database_url.get_secret_value() == "postgresql://from-a-file@/chaski"


def test_the_demo_may_use_what_everybody_knows() -> None:
    """Only with CHASKI_DEMO, which opens the simulator's routes too."""
    assert load({**GOOD, "CHASKI_DEMO": "yes", "CHASKI_WEBHOOK_SECRETS": "demo"}).demo


def test_half_a_contract_about_sims_is_none() -> None:
    """And its secret is not shown."""
    url = {"CHASKI_SIM_SWAP_URL": "https://api.operator.example/sim-swap/v2"}
    with pytest.raises(SettingsError, match="SIM_SWAP_TOKEN_URL is missing"):
        load({**GOOD, **url})
    assert sim_swap(load(GOOD)) is None

    whole = load(
        {
            **GOOD,
            **url,
            "CHASKI_SIM_SWAP_TOKEN_URL": "https://api.operator.example/token",
            "CHASKI_SIM_SWAP_CLIENT_ID": "chaski",
            "CHASKI_SIM_SWAP_CLIENT_SECRET": "well-kept",
        }
    )

    assert isinstance(sim_swap(whole), CamaraSimSwap)
    assert "well-kept" not in repr(whole)


def test_what_an_unknown_sim_means_is_one_of_three() -> None:
    """Unless somebody says otherwise an operator that is away stops nobody."""
    assert load(GOOD).sim_swap_unknown is WhenUnknown.ALLOW
    assert not load(GOOD).claim_holds
    with pytest.raises(SettingsError, match="CHASKI_SIM_SWAP_UNKNOWN"):
        load({**GOOD, "CHASKI_SIM_SWAP_UNKNOWN": "deny"})


def test_every_setting_is_described() -> None:
    """`.env.example` has a line for each, and no other."""
    example = (Path(__file__).parents[1] / ".env.example").read_text()
    named = {
        line.lstrip("# ").partition("=")[0]
        for line in example.splitlines()
        if line.lstrip("# ").startswith(PREFIX)
    }

    assert named == {PREFIX + name.upper() for name in Settings.model_fields}


CORE = {
    "CHASKI_FINERACT_URL": "https://core.example/fineract-provider/api",
    "CHASKI_FINERACT_PAYMENT_TYPE": "3",
}
BASIC = {"CHASKI_FINERACT_USER": "chaski", "CHASKI_FINERACT_PASSWORD": "a1a1"}
ISSUER = {
    "CHASKI_FINERACT_TOKEN_URL": "https://id.example/token",
    "CHASKI_FINERACT_CLIENT_ID": "chaski",
    "CHASKI_FINERACT_CLIENT_SECRET": "a1a1",
}


@pytest.mark.parametrize("way", [BASIC, ISSUER, {"CHASKI_FINERACT_TOKEN": "a1a1"}])
def test_a_core_is_reached_in_one_of_three_ways(way: dict[str, str]) -> None:
    assert load({**GOOD, **CORE, **way}).fineract_payment_type == 3


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({**CORE}, "CHASKI_FINERACT_USER is missing"),
        ({**CORE, "CHASKI_FINERACT_USER": "chaski"}, "CHASKI_FINERACT_PASSWORD is missing"),
        (
            {**CORE, "CHASKI_FINERACT_TOKEN_URL": "https://id.example"},
            "CHASKI_FINERACT_CLIENT_SECRET is missing",
        ),
        (
            {**CORE, **BASIC, "CHASKI_FINERACT_URL": "http://core.example/api"},
            "CHASKI_FINERACT_URL: a password goes over it",
        ),
        (
            {**CORE, **ISSUER, "CHASKI_FINERACT_TOKEN_URL": "http://id.example/token"},
            "CHASKI_FINERACT_TOKEN_URL: a password goes over it",
        ),
        (
            {**CORE, **BASIC, "CHASKI_FINERACT_PAYMENT_TYPE": "0"},
            "CHASKI_FINERACT_PAYMENT_TYPE is missing",
        ),
        (
            {**CORE, **BASIC, "CHASKI_FINERACT_CA": "/no/such/authority.pem"},
            "CHASKI_FINERACT_CA: Path does not point to a file",
        ),
        (
            {**CORE, **BASIC, "CHASKI_FINERACT_HOOKS_SECRET": "a1a1"},
            "CHASKI_FINERACT_HOOKS_SECRET: fewer than 16 letters",
        ),
        (
            {**CORE, **BASIC, "CHASKI_FINERACT_HOOKS_SECRET": f"{'a1a1' * 6},"},
            "CHASKI_FINERACT_HOOKS_SECRET: fewer than 16 letters",
        ),
        (
            {**CORE, **BASIC, "CHASKI_FINERACT_MESSAGES_KEY": "a1a1"},
            "CHASKI_FINERACT_MESSAGES_KEY: fewer than 16 letters",
        ),
        (
            {"CHASKI_FINERACT_HOOKS_SECRET": "a1a1" * 6},
            "CHASKI_FINERACT_URL is missing",
        ),
    ],
)
def test_half_a_core_is_none(environment: dict[str, str], missing: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**GOOD, **environment})

    assert missing in str(refused.value)
    assert "a1a1" not in str(refused.value)
