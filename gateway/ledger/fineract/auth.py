"""How the gateway signs in at Fineract: one service account, in one of three ways."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from gateway.bounds import FINERACT_CONNECT_S, FINERACT_READ_S, FINERACT_TOKEN_SLACK_S

_TOKEN_LIFE_S = 60  # of a token that does not say how long it lives


class Basic(AuthBase):
    """A user and a password, with each request: Fineract's default."""

    def __init__(self, user: str, password: str) -> None:
        self._sign: AuthBase = HTTPBasicAuth(user.encode(), password.encode())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        signed: requests.PreparedRequest = self._sign(request)
        return signed


class Bearer(AuthBase):
    """A token; `token` gives the one of now."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = f"Bearer {self._token()}"
        return request


class ClientCredentials:
    """A token by OAuth 2 client credentials, kept until shortly before it ends.

    Args:
        token_url: of the issuer, such as Keycloak.
        verify: whom to trust: True, or the file of a certificate authority.
        seconds: a clock that only goes forward.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        verify: bool | str = True,
        seconds: Callable[[], int] = lambda: int(time.monotonic()),
    ) -> None:
        self._token_url = token_url
        self._credentials = (client_id, client_secret)
        self._verify = verify
        self._seconds = seconds
        self._lock = threading.Lock()
        self._token = ""  # nosec B105
        self._ends_at = 0

    def __call__(self) -> str:
        """The token of now.

        Raises:
            requests.ConnectionError: the issuer cannot be reached, or gives none.
        """
        with self._lock:
            if not self._token or self._seconds() >= self._ends_at:
                self._renew()
            return self._token

    def _renew(self) -> None:
        try:
            answer = requests.post(
                self._token_url,
                data={"grant_type": "client_credentials"},
                auth=self._credentials,
                timeout=(FINERACT_CONNECT_S, FINERACT_READ_S),
                verify=self._verify,
                allow_redirects=False,
            )
            said = answer.json() if answer.ok else {}
            self._token = str(said["access_token"])
            life_s = int(said.get("expires_in", _TOKEN_LIFE_S))
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError):
            # A request that could not be signed was not sent: said as such, and without its words.
            raise requests.exceptions.ConnectTimeout("the issuer of tokens gave none") from None
        self._ends_at = self._seconds() + life_s - FINERACT_TOKEN_SLACK_S
