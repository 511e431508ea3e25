"""Every `CHASKI_…` variable, typed, with help. A bad one stops the boot by its name.

A secret may also come from a file: `CHASKI_DATABASE_URL_FILE=/run/secrets/database_url`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import (
    Field,
    FilePath,
    Json,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from gateway import bounds
from gateway.bank.sims import WhenUnknown
from gateway.channels.addresses import Networks, read_networks

PREFIX = "CHASKI_"

# What the demo uses, and production refuses.
DEMO_WEBHOOK_SECRET = "demo"  # noqa: S105 # nosec B105
DEMO_SESSION_SECRET = "demo-session-secret-of-no-worth"  # noqa: S105 # nosec B105
DEMO_PEPPER = "00" * 32
DEMO_TWILIO_TOKEN = "demo-token"  # noqa: S105 # nosec B105

_SECRET_CHARS_MIN = 16
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PEPPER = re.compile(r"(?:[0-9a-f]{2}){32,}")  # 32 bytes or more, in hex
_WEBHOOKS = re.compile(r"africastalking|infobip|twilio|fineract|http-[a-z][a-z0-9-]{0,30}")
_IN_THE_OPEN = re.compile(r"http://(?!127\.0\.0\.1[:/]|localhost[:/])")  # a sidecar may be near
_MENUS = Path(__file__).parent.parent / "menus"


class SettingsError(Exception):
    """The environment is not usable. The message names each variable that is wrong, a line each."""


class Settings(BaseSettings):
    """One deployment's settings. A variable's name is the field's with `CHASKI_` in front."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    # Stores.
    database_url: SecretStr = Field(description="postgresql://… as chaski_app, which owns nothing")
    sessions_url: SecretStr = Field(
        description="redis://… of the sessions, or redis+cluster://one,two; may be lost any time"
    )
    read_database_url: SecretStr = Field(
        SecretStr(""), description="a standby's, for balances and movements; empty: the primary"
    )
    queue_url: SecretStr = Field(description="redis://… of the RQ queues; not a cluster")
    database_connections: int = Field(16, ge=2, le=200, description="connections a process")

    # Several cooperatives in one deployment: see gateway/tenants.py.
    tenants: Path | None = Field(
        None, description="a folder with a file of variables a cooperative: NAME.env"
    )

    # Secrets.
    webhook_secrets: SecretStr = Field(
        description="what stands in the path of webhooks; two, with a comma, while one is replaced"
    )
    session_secret: SecretStr = Field(description="keys the hashes that sessions are kept under")
    pin_peppers: Json[dict[int, SecretStr]] = Field(
        description='by version, 32 bytes in hex: {"1": "…"}; new PINs take the highest'
    )
    staff_keys: str = Field("{}", description='of /staff/v1: {"name": "sha256 of the key, in hex"}')
    staff_database_url: SecretStr = Field(
        SecretStr(""), description="postgresql://… as chaski_staff, for /console and /staff/v1"
    )

    # Who may call the webhooks, beside knowing the secret.
    allowed_networks: Json[dict[str, list[str]]] = Field(
        "{}",  # type: ignore[arg-type]  # as the environment would have it
        description='by channel: {"infobip": ["193.105.74.0/24"]}; one that is not here: any',
    )
    trusted_proxies: str = Field(
        "", description="networks of ours, with commas, whose X-Forwarded-For is believed"
    )
    hops_per_second: int = Field(
        bounds.HOPS_PER_SECOND, ge=1, description="beyond it who dials is told to try later"
    )

    # The cooperative.
    cooperative: str = Field("norandino", pattern=r"^[a-z][a-z0-9-]{1,30}$")
    short_code: str = Field("*775#", pattern=r"^\*[0-9*]{2,12}#$")
    sms_sender: str = Field("NORANDINO", max_length=11, description="whom an SMS is from")
    timezone: str = Field("America/Lima", description="where the business day begins and ends")
    region: str = Field("PE", pattern=r"^[A-Z]{2}$", description="of numbers without country code")
    default_language: str = Field("es", description="for who is no member")
    menus: Path = Field(_MENUS, description="the folder of the menu files")

    # Networks. Each needs a contract; without any, outside the demo, messages wait.
    public_url: str = Field(
        "", description="https://… that networks call, without a path; some sign it"
    )
    sms_routes: str = Field(
        "", description='by whom a number is reached: {"+51": ["infobip", "twilio"]}; empty: all'
    )
    quiet_hours: str = Field("21-8", description="when nothing is sent that can wait; empty: never")
    twilio_account_sid: str = Field("", pattern=r"^(AC[0-9a-fA-F]{32})?$", description="AC…")
    twilio_auth_tokens: SecretStr = Field(
        SecretStr(""), description="two, with a comma, while one is replaced; the first one sends"
    )
    twilio_sha256_key: SecretStr = Field(
        SecretStr(""), description="where webhooks are signed by HMAC-SHA256"
    )
    twilio_sender: str = Field("", description="a number of ours, a short code, or a name")
    twilio_messaging_service: str = Field("", description="MG…, in place of the sender")
    twilio_discard_content: bool = Field(
        default=False, description="Twilio keeps no text: needs its Message Redaction"
    )
    twilio_api_url: str = Field("", description="of another region, or of a stand-in")
    infobip_base_url: str = Field("", description="https://….api.infobip.com")
    infobip_api_key: SecretStr = Field(SecretStr(""), description="with the right to send SMS")
    infobip_sender: str = Field("", description="a registered name or number; empty: sms_sender")
    africastalking_username: str = Field("", description="of the application there")
    africastalking_api_key: SecretStr = Field(SecretStr(""), description="its key")
    africastalking_sender: str = Field("", description="a short code or name; empty: theirs")
    africastalking_api_url: str = Field("", description="of the sandbox, or of a stand-in")
    smpp_lines: Path | None = Field(
        None, description="the folder of the operators' own lines, a YAML file each"
    )
    smpp_threads: int = Field(16, ge=1, le=128, description="hops at once over all lines")
    smpp_port: int = Field(8081, ge=1, le=65535, description="health and figures of chaski smpp")
    http_profiles: Path | None = Field(
        None, description="a folder with profiles of USSD networks, beside those that are shipped"
    )

    # SIM cards: who says whether one was changed (CAMARA SIM Swap). Without a URL nobody is asked.
    sim_swap_url: str = Field("", description="https://…/sim-swap/v2 of an operator or aggregator")
    sim_swap_token_url: str = Field("", description="where it gives a token (client credentials)")
    sim_swap_client_id: str = Field("", description="ours there")
    sim_swap_client_secret: SecretStr = Field(SecretStr(""), description="its secret")
    sim_swap_scope: str = Field("", description="what is asked for; empty: what the client may")
    sim_swap_hours: int = Field(
        bounds.SIM_CHANGED_HOURS, ge=1, le=bounds.SIM_HOURS_MAX, description="a change is recent"
    )
    # Allow: an operator that is away would stop every order of 40,000 members, and PIN and limits
    # hold as ever.
    sim_swap_unknown: WhenUnknown = Field(
        WhenUnknown.ALLOW, description="nobody can say: allow, careful (lower limits), look_only"
    )
    # Off: a claim must not be a weapon. Whoever paid for a sack of coffee could freeze its price.
    claim_holds: bool = Field(
        default=False, description="a claim holds the money at the other side at once"
    )
    # The cooperative's own core. Without it the books are ours, in PostgreSQL.
    fineract_url: str = Field(
        "", pattern=r"^(https?://.+/api/?)?$", description="https://…/fineract-provider/api"
    )
    fineract_tenant: str = Field("default", description="whose database there")
    fineract_user: str = Field("", description="of the service account, where it signs in so")
    fineract_password: SecretStr = Field(SecretStr(""), description="its password")
    fineract_token: SecretStr = Field(SecretStr(""), description="a token, in place of the two")
    fineract_token_url: str = Field("", description="an OAuth 2 issuer, in place of a token")
    fineract_client_id: str = Field("", description="of the gateway, at the issuer")
    fineract_client_secret: SecretStr = Field(SecretStr(""), description="its secret")
    fineract_payment_type: int = Field(0, ge=0, description="id of cash by phone: obligatory there")
    fineract_names: str = Field(
        "id", pattern=r"^(id|external-id)$", description="how members and accounts are named"
    )
    fineract_currency: str = Field("PEN", pattern=r"^[A-Z]{3}$", description="of what is served")
    fineract_timezone: str = Field("", description="of its tenant; empty: timezone")
    fineract_transfer_undo: bool = Field(default=False, description="it is newer than 1.14")
    fineract_hooks_secret: SecretStr = Field(
        SecretStr(""), description="in the path of its web hooks; empty: none; two, with a comma"
    )
    fineract_messages_key: SecretStr = Field(
        SecretStr(""), description="the tenant's app key of its SMS campaigns; empty: none"
    )
    fineract_ca: FilePath | None = Field(None, description="a certificate authority of its own")

    # Behaviour.
    screen_septets: int = Field(
        bounds.SCREEN_SEPTETS, ge=70, le=bounds.SCREEN_SEPTETS_HARD, description="room on a screen"
    )
    session_idle_s: int = Field(bounds.SESSION_IDLE_S, ge=10, le=600)
    session_total_s: int = Field(bounds.SESSION_TOTAL_S, ge=30, le=1800)
    draft_s: int = Field(bounds.DRAFT_S, ge=60, le=86_400, description="how long a redial goes on")
    go_on_sms: bool = Field(
        default=True, description="an SMS to who lost the signal in a money order: it costs"
    )

    pin_digits_min: int = Field(
        bounds.PIN_DIGITS_MIN,
        ge=bounds.PIN_DIGITS_MIN,
        le=bounds.PIN_DIGITS_MAX,
        description="of a new PIN",
    )
    pin_digits_max: int = Field(
        bounds.PIN_DIGITS_MAX, ge=bounds.PIN_DIGITS_MIN, le=bounds.PIN_DIGITS_MAX
    )
    code_hours: int = Field(
        72, ge=1, le=bounds.CODE_HOURS_MAX, description="how long an activation code is good"
    )

    notice_detail_days: int = Field(
        90, ge=1, le=3650, description="how long the figures of what was sent are kept"
    )

    # The process.
    host: str = Field("127.0.0.1", description="where the web server listens")
    port: int = Field(8080, ge=1, le=65535)
    web_workers: int = Field(
        1, ge=1, le=64, description="web processes; /metrics is of all of them"
    )
    web_threads: int = Field(
        bounds.HOPS_AT_ONCE, ge=1, le=128, description="hops at once in each of them"
    )
    log_level: str = Field("INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    demo: bool = Field(default=False, description="allow demo secrets and show the simulator")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The webhook secrets that are valid now."""
        return tuple(map(str.strip, self.webhook_secrets.get_secret_value().split(",")))

    @property
    def fineract_hooks_secrets(self) -> tuple[str, ...]:
        """The secrets of the core's web hooks that are valid now; none: it may call none."""
        secrets = self.fineract_hooks_secret.get_secret_value()
        return tuple(map(str.strip, secrets.split(","))) if secrets else ()

    @property
    def peppers(self) -> dict[int, bytes]:
        """The peppers as keys, by version."""
        return {
            version: bytes.fromhex(pepper.get_secret_value())
            for version, pepper in self.pin_peppers.items()
        }

    @property
    def staff(self) -> dict[str, str]:
        """Who may call `/staff/v1`, and the SHA-256 of their keys."""
        return dict(json.loads(self.staff_keys))

    @field_validator("staff_keys")
    @classmethod
    def _hashed_keys(cls, value: str) -> str:
        try:
            keys = json.loads(value)
            fine = all(name.strip() and _SHA256.fullmatch(key) for name, key in keys.items())
        except (ValueError, TypeError, AttributeError):
            fine = False
        if not fine or len(keys) > bounds.STAFF_KEYS_MAX:
            raise ValueError('{"name": "sha256 of the key"}: openssl rand -hex 32, then sha256sum')
        return value

    @property
    def networks(self) -> dict[str, Networks]:
        """Where each channel may be called from."""
        return {channel: read_networks(texts) for channel, texts in self.allowed_networks.items()}

    @property
    def proxies(self) -> Networks:
        """The proxies whose word is believed."""
        return read_networks(filter(None, map(str.strip, self.trusted_proxies.split(","))))

    @field_validator("allowed_networks")
    @classmethod
    def _known_channels(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for channel, texts in value.items():
            if not _WEBHOOKS.fullmatch(channel):
                raise ValueError(f"no such channel: {channel}")
            read_networks(texts)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _real_proxies(cls, value: str) -> str:
        networks = read_networks(filter(None, map(str.strip, value.split(","))))
        if any(network.prefixlen == 0 for network in networks):
            raise ValueError("the whole world is no proxy of ours")
        return value

    @field_validator("smpp_lines", "http_profiles", "tenants", mode="before")
    @classmethod
    def _no_folder(cls, value: object) -> object:
        return value or None  # `CHASKI_SMPP_LINES=` is no folder, and not the one we stand in

    @field_validator("tenants")
    @classmethod
    def _whose(cls, value: Path | None) -> Path | None:
        if value is not None:
            raise ValueError("it has several cooperatives: say whose, chaski --tenant FILE")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError(f"no such time zone: {value}") from error
        return value

    @field_validator("pin_peppers")
    @classmethod
    def _strong_peppers(cls, value: dict[int, SecretStr]) -> dict[int, SecretStr]:
        if not value or not all(_PEPPER.fullmatch(p.get_secret_value()) for p in value.values()):
            raise ValueError("each pepper is 32 bytes in hex: openssl rand -hex 32")
        return value

    @model_validator(mode="after")
    def _nothing_of_the_demo(self) -> Settings:
        """Production refuses what is short, and what everybody knows."""
        if any("/" in secret or not secret for secret in self.secrets):
            raise ValueError(f"{PREFIX}WEBHOOK_SECRETS: one is empty, or has a slash in it")
        if missing := self._half_contracts():
            raise ValueError("; ".join(missing))
        if self.pin_digits_min > self.pin_digits_max:
            raise ValueError(f"{PREFIX}PIN_DIGITS_MIN: more than {PREFIX}PIN_DIGITS_MAX")
        if self.staff and not self.staff_database_url.get_secret_value():
            raise ValueError(f"{PREFIX}STAFF_DATABASE_URL is missing, which STAFF_KEYS needs")
        if self.demo:
            return self
        if min(map(len, self.secrets)) < _SECRET_CHARS_MIN:
            raise ValueError(
                f"{PREFIX}WEBHOOK_SECRETS: fewer than {_SECRET_CHARS_MIN} letters: "
                "openssl rand -hex 24"
            )
        self._nothing_short_of_the_core()
        session_secret = self.session_secret.get_secret_value()
        if len(session_secret) < _SECRET_CHARS_MIN or session_secret == DEMO_SESSION_SECRET:
            raise ValueError(f"{PREFIX}SESSION_SECRET: short, or the demo's: openssl rand -hex 32")
        if DEMO_TWILIO_TOKEN in self.twilio_auth_tokens.get_secret_value():
            raise ValueError(f"{PREFIX}TWILIO_AUTH_TOKENS: this is the demo's")
        if bytes.fromhex(DEMO_PEPPER) in self.peppers.values():
            raise ValueError(f"{PREFIX}PIN_PEPPERS: this is the demo's: openssl rand -hex 32")
        return self

    def _nothing_short_of_the_core(self) -> None:
        for name in ("fineract_hooks_secret", "fineract_messages_key"):
            text = getattr(self, name).get_secret_value()
            if text and min(len(one.strip()) for one in text.split(",")) < _SECRET_CHARS_MIN:
                raise ValueError(
                    f"{PREFIX}{name.upper()}: fewer than {_SECRET_CHARS_MIN} letters: "
                    "openssl rand -hex 24"
                )

    @field_validator("fineract_timezone")
    @classmethod
    def _known_core_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value or "UTC")
        except (KeyError, ValueError) as error:
            raise ValueError(f"no such time zone: {value}") from error
        return value

    @model_validator(mode="after")
    def _nothing_in_the_open(self) -> Settings:
        """Production sends no password to another machine unencrypted."""
        for name in () if self.demo else ("fineract_url", "fineract_token_url"):
            if _IN_THE_OPEN.match(getattr(self, name)):
                raise ValueError(f"{PREFIX}{name.upper()}: a password goes over it: https://")
        return self

    def _half_contracts(self) -> list[str]:
        """What is missing of the networks that are named."""
        needs: dict[str, bool] = {}
        if self.twilio_account_sid:
            needs["TWILIO_AUTH_TOKENS"] = bool(self.twilio_auth_tokens.get_secret_value())
            needs["TWILIO_SENDER"] = bool(self.twilio_sender or self.twilio_messaging_service)
        if self.twilio_auth_tokens.get_secret_value():
            needs["PUBLIC_URL"] = bool(self.public_url)
            needs["TWILIO_ACCOUNT_SID"] = self.demo or bool(self.twilio_account_sid)
        if self.sim_swap_url:
            needs["SIM_SWAP_TOKEN_URL"] = bool(self.sim_swap_token_url)
            needs["SIM_SWAP_CLIENT_ID"] = bool(self.sim_swap_client_id)
            secret = self.sim_swap_client_secret.get_secret_value()
            needs["SIM_SWAP_CLIENT_SECRET"] = bool(secret)
        if self.infobip_base_url:
            needs["INFOBIP_API_KEY"] = bool(self.infobip_api_key.get_secret_value())
            needs["PUBLIC_URL"] = bool(self.public_url)
        if self.africastalking_username:
            key = self.africastalking_api_key.get_secret_value()
            needs["AFRICASTALKING_API_KEY"] = bool(key)
        if self.fineract_url:
            needs |= self._fineract_needs()
        if self.fineract_hooks_secret.get_secret_value():
            needs["FINERACT_URL"] = bool(self.fineract_url)
        return [f"{PREFIX}{name} is missing" for name, there in needs.items() if not there]

    def _fineract_needs(self) -> dict[str, bool]:
        """One way to sign in, and the payment type that its server insists on."""
        needs = {"FINERACT_PAYMENT_TYPE": self.fineract_payment_type > 0}
        if self.fineract_token_url:
            secret = self.fineract_client_secret.get_secret_value()
            return {**needs, "FINERACT_CLIENT_SECRET": bool(self.fineract_client_id and secret)}
        if self.fineract_token.get_secret_value():
            return needs
        needs["FINERACT_USER"] = bool(self.fineract_user)
        return {**needs, "FINERACT_PASSWORD": bool(self.fineract_password.get_secret_value())}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` has read: it knows `…_FILE`, and names what is wrong."""
        return (init_settings,)


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an environment.

    Raises:
        SettingsError: with every variable that is missing or wrong, by its name.
    """
    values, problems = _read(environment)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            name = PREFIX + str(fault["loc"][0]).upper() + ": " if fault["loc"] else ""
            problems.append(name + fault["msg"].removeprefix("Value error, "))
    if problems:
        raise SettingsError("\n".join(sorted(problems)))
    return settings


def _read(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    problems: list[str] = []
    for name, text in environment.items():
        if not name.startswith(PREFIX):
            continue
        field = name.removeprefix(PREFIX).lower()
        if field.removesuffix("_file") not in Settings.model_fields:
            problems.append(f"{name}: there is no such setting")
        elif field in Settings.model_fields:
            values[field] = text
        else:
            try:
                values[field.removesuffix("_file")] = Path(text).read_text().strip()
            except OSError as error:
                problems.append(f"{name}: cannot read {text}: {error.strerror}")
    return values, problems
