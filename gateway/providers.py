"""The networks that a deployment has contracts with: settings in, senders and webhooks out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flask import Blueprint

from gateway.bounds import SIM_BUDGET_MS
from gateway.channels import asking
from gateway.channels.africastalking import sender as africastalking_sender
from gateway.channels.africastalking import sms as africastalking_sms
from gateway.channels.africastalking import ussd as africastalking_ussd
from gateway.channels.crowd import Crowd
from gateway.channels.doors import Doors
from gateway.channels.http import ussd as http_ussd
from gateway.channels.http.profile import Profile
from gateway.channels.http.reading import load_profiles
from gateway.channels.infobip import sms as infobip_sms
from gateway.channels.infobip import ussd as infobip_ussd
from gateway.channels.infobip.sender import InfobipSender
from gateway.channels.smpp.lines import load_lines
from gateway.channels.twilio import account as twilio_account
from gateway.channels.twilio import sender as twilio_sender
from gateway.channels.twilio import sms as twilio_sms
from gateway.channels.twilio.account import TwilioAccount
from gateway.channels.walls import Walls
from gateway.driver import Gateway
from gateway.notices.router import Router, read_routes
from gateway.notices.senders import Sender
from gateway.notices.watching import Watch
from gateway.observing import Metrics
from gateway.settings import Settings
from gateway.sim.camara import CamaraSimSwap, Contract
from gateway.sim.port import SimSwap

# Together half of SIM_BUDGET_MS: see `CamaraSimSwap`.
CAMARA_CONNECT_S = 0.4 * SIM_BUDGET_MS / 2 / 1000
CAMARA_ANSWER_S = 0.6 * SIM_BUDGET_MS / 2 / 1000

_SIGNED_SHARE = 4  # of the threads a fourth may wait for bodies of which nothing is proven yet


def webhooks(
    settings: Settings,
    gateways: Sequence[Gateway],
    metrics: Metrics,
    tenants: Sequence[Settings] = (),
) -> list[Blueprint]:
    """What the networks call. A network without a contract is behind a secret that only the
    cooperative knows, so it stands open to nobody.

    Args:
        settings: of the process.
        gateways: one a cooperative.
        metrics: where who was refused is counted.
        tenants: the settings of each of them; empty: those of the process.

    Raises:
        FaultySheetError: a profile of the folder cannot be served.
        ValueError: Twilio's account is not usable, or a list of networks is of no profile.
    """
    doors = Doors(gateways, Crowd(settings.web_threads))
    walls = Walls(
        settings.networks, settings.proxies, metrics, max(1, settings.web_threads // _SIGNED_SHARE)
    )
    profiles = load_profiles(settings.http_profiles)
    _refuse_lists_of_nobody(settings, profiles)
    blueprints = [
        walls.around(
            africastalking_ussd.routes(doors),
            africastalking_ussd.CHANNEL,
            short_way=africastalking_ussd.short_way(doors),
        ),
        walls.around(africastalking_sms.routes(doors), africastalking_sms.CHANNEL),
        walls.around(infobip_ussd.routes(doors), infobip_ussd.CHANNEL),
        walls.around(infobip_sms.routes(doors), infobip_sms.CHANNEL),
        walls.around(http_ussd.routes(doors, profiles), "http"),
    ]
    accounts = [
        (_twilio_account(own), gateway)
        for own, gateway in zip(tenants or [settings] * len(gateways), gateways, strict=True)
        if own.twilio_auth_tokens.get_secret_value()
    ]
    if accounts:
        signed = twilio_sms.routes(accounts)
        blueprints.append(walls.around(signed, twilio_account.CHANNEL, signed=True))
    return blueprints


def route(settings: Settings, watch: Watch, own: Sequence[Sender] = ()) -> Sender | None:
    """The ways that messages go out by; None where there is no contract with any network.

    Args:
        own: of the lines that this process holds; they are tried first.

    Raises:
        RoutesError: the routes name no such sender.
        ValueError: a contract is not usable.
    """
    senders = [*own, *_senders(settings)]
    if not senders:
        return None
    routes = read_routes(settings.sms_routes, [sender.name for sender in senders])
    return Router(senders, routes, watch)


def lines_send(settings: Settings) -> bool:
    """Whether messages go by a line of our own: then only who holds it can send.

    Raises:
        FaultySheetError: a line cannot be used.
    """
    lines = load_lines(settings.smpp_lines) if settings.smpp_lines else ()
    return any(line.sheet.sms for line in lines)


def sim_swap(settings: Settings) -> SimSwap | None:
    """Who knows SIM cards; None where there is no contract."""
    if not settings.sim_swap_url:
        return None
    contract = Contract(
        url=settings.sim_swap_url,
        token_url=settings.sim_swap_token_url,
        client_id=settings.sim_swap_client_id,
        client_secret=settings.sim_swap_client_secret.get_secret_value(),
        scope=settings.sim_swap_scope,
    )
    pool = asking.session(connect_timeout_s=CAMARA_CONNECT_S, answer_timeout_s=CAMARA_ANSWER_S)
    return CamaraSimSwap(contract, pool)


def _refuse_lists_of_nobody(settings: Settings, profiles: Mapping[str, Profile]) -> None:
    """A typing mistake in a profile's name would leave its webhook open to every network."""
    named = {name for name in settings.networks if name.startswith("http-")}
    if nobody := named - {profile.channel for profile in profiles.values()}:
        raise ValueError(f"CHASKI_ALLOWED_NETWORKS: no such profile: {', '.join(sorted(nobody))}")


def _senders(settings: Settings) -> Iterator[Sender]:
    """One for each contract, in the order in which they are tried where no route says another."""
    if settings.twilio_account_sid:
        yield twilio_sender.TwilioSender(
            _twilio_account(settings),
            from_=settings.twilio_sender,
            messaging_service_sid=settings.twilio_messaging_service,
            discard_content=settings.twilio_discard_content,
            api_url=settings.twilio_api_url or twilio_sender.API_URL,
        )
    if settings.infobip_base_url:
        yield InfobipSender(
            settings.infobip_base_url,
            settings.infobip_api_key.get_secret_value(),
            settings.infobip_sender or settings.sms_sender,
            infobip_sms.reports_url(settings.public_url, settings.secrets[0]),
        )
    if settings.africastalking_username:
        yield africastalking_sender.AfricasTalkingSender(
            settings.africastalking_username,
            settings.africastalking_api_key.get_secret_value(),
            from_=settings.africastalking_sender,
            api_url=settings.africastalking_api_url or africastalking_sender.API_URL,
        )


def _twilio_account(settings: Settings) -> TwilioAccount:
    tokens = settings.twilio_auth_tokens.get_secret_value().split(",")
    return TwilioAccount(
        account_sid=settings.twilio_account_sid,
        auth_tokens=tuple(map(str.strip, tokens)),
        public_base_url=settings.public_url,
        sha256_key=settings.twilio_sha256_key.get_secret_value(),
    )
