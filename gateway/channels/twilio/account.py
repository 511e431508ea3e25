"""One cooperative's account at Twilio: what its webhooks are proven with, and where they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

# The short name in origins, in delivery reports and in `Sender.name`.
CHANNEL = "twilio"

INBOUND_PATH = "/sms/twilio"
STATUS_PATH = "/sms/twilio/status"


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """An account, or a subaccount: each cooperative has one of its own.

    Args:
        account_sid: `AC…`. Empty, in the demo alone: whatever a request says, and only its
            signature decides.
        auth_tokens: the tokens that are valid now: two while one is being replaced. The first one
            sends. An API key cannot prove a webhook: Twilio signs with the account's token.
        public_base_url: what Twilio calls, without the path: `https://sms.norandino.pe`. Twilio
            signs the address that it was given, so it is told here and never read from a request.
        sha256_key: the shared key, where webhooks are signed by HMAC-SHA256. Empty: those are
            refused.

    Raises:
        ValueError: the message says what is wrong with which of them.
    """

    account_sid: str
    auth_tokens: tuple[str, ...] = field(repr=False)
    public_base_url: str
    sha256_key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.auth_tokens or not all(self.auth_tokens):
            raise ValueError("auth_tokens: none, or an empty one")
        url = urlsplit(self.public_base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError("public_base_url: it begins with https:// and a host")
        if url.query or url.fragment or url.username is not None:
            raise ValueError("public_base_url: only a host, and a path if there is one")
        if "_" in url.hostname:
            raise ValueError("public_base_url: Twilio calls no host with an underscore in its name")

    def address(self, path: str) -> str:
        """Where Twilio finds a webhook of ours."""
        return self.public_base_url.rstrip("/") + path
