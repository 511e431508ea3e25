"""A feature phone in the terminal: it dials a running gateway through its real webhook."""

from __future__ import annotations

import json
import textwrap
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

_TIMEOUT_S = 10  # as the aggregator waits
_ANSWER_S = 4  # an SMS comes within it, if the worker runs
_LOOK_S = 0.2
_WIDTH = 34  # letters a line: room for the longest option

PUT_AWAY = "q"

Say = Callable[[str], None]
Ask = Callable[[str], str]


class NoAnswerError(Exception):
    """The gateway cannot be reached, or answered no screen. The message says what to do."""


@dataclass(slots=True)
class Phone:
    """One handset.

    Args:
        msisdn: its number.
        url: where the gateway listens: `http://127.0.0.1:8080`.
        secret: what stands in the webhook's path.
        short_code: what a plain dial calls.
    """

    msisdn: str
    url: str
    secret: str
    short_code: str
    _session: str = ""
    _typed: list[str] = field(default_factory=list)
    _read: int = 0

    def dial(self, behind: str = "") -> tuple[str, bool]:
        """Call the short code in a new session, with what may stand `behind` it: `2*987000002*50`.
        Answers the screen, and whether it was the last one."""
        self._session = f"phone-{uuid.uuid4()}"
        self._typed = [behind] if behind else []
        return self._hop()

    def press(self, keys: str) -> tuple[str, bool]:
        """Answer the screen. An aggregator of this dialect sends all answers so far, joined by
        `*`."""
        self._typed.append(keys)
        return self._hop()

    def text(self, said: str) -> None:
        """Send an SMS to the short code."""
        form = {
            "id": f"phone-{uuid.uuid4()}",
            "from": self.msisdn,
            "to": self.short_code.strip("*#"),
            "text": said,
            "date": "",
        }
        self._post("/sms/africastalking", form)

    def await_sms(self) -> list[str]:
        """The messages that arrive within a moment."""
        deadline = time.monotonic() + _ANSWER_S
        while not (new := self.new_sms()) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        return new

    def new_sms(self) -> list[str]:
        """The messages that arrived since the last look. Only the demo's network can tell."""
        try:
            with _open(f"{self.url}/simulator/inbox/{urllib.parse.quote(self.msisdn)}") as answer:
                inbox = json.loads(answer.read())
        except urllib.error.HTTPError:
            return []
        new = inbox[self._read :]
        self._read = len(inbox)
        return [f"{sms['from']}: {sms['text']}" for sms in new]

    def _hop(self) -> tuple[str, bool]:
        form = {
            "sessionId": self._session,
            "serviceCode": self.short_code,
            "phoneNumber": self.msisdn,
            "networkCode": "99999",
            "text": "*".join(self._typed),
        }
        body = self._post("/ussd/africastalking", form)
        verb, _, screen = body.partition(" ")
        if verb not in {"CON", "END"}:
            raise NoAnswerError(f"{self.url} answered no screen: {body[:80]!r}")
        return screen, verb == "END"

    def _post(self, path: str, form: dict[str, str]) -> str:
        address = f"{self.url}{path}/{urllib.parse.quote(self.secret)}"
        try:
            with _open(address, urllib.parse.urlencode(form).encode()) as answer:
                body: str = answer.read().decode()
                return body
        except urllib.error.HTTPError as error:
            raise NoAnswerError(
                f"{self.url} answered {error.code}: is --secret the one in the webhook's path?"
            ) from error


def use(phone: Phone, say: Say, ask: Ask) -> None:
    """Dial, answer, and read what arrives, until the person has had enough.

    Raises:
        NoAnswerError: the gateway cannot be reached.
    """
    code = phone.short_code
    say(f"This is the phone {phone.msisdn}. Enter dials {code}; q puts it away.")
    say(f"Or dial it all at once ({code[:-1]}*2*987000002*50#), or type an SMS to send: SALDO")
    phone.new_sms()  # what lay there before is not news
    while (typed := ask("dial> ").strip()).lower() != PUT_AWAY:
        put_away = False
        if typed and not typed.startswith("*"):
            phone.text(typed)
        else:
            put_away = _call(phone, _behind(typed, code), say, ask)
        for sms in phone.new_sms() if put_away or not typed else phone.await_sms():
            say(f"  SMS from {sms}")
        if put_away:
            return


def _behind(typed: str, code: str) -> str:
    """What was dialled behind the code: `2*987000002*50` of `*775*2*987000002*50#`."""
    return typed.rstrip("#").removeprefix(code.rstrip("#")).strip("*")


def _call(phone: Phone, behind: str, say: Say, ask: Ask) -> bool:
    """One session, until the network or the person ends it. True: the phone is put away as well."""
    screen, over = phone.dial(behind)
    say(framed(screen))
    while not over:
        keys = ask("answer (empty hangs up)> ").strip()
        if not keys or keys.lower() == PUT_AWAY:
            return bool(keys)
        screen, over = phone.press(keys)
        say(framed(screen))
    return False


def framed(screen: str) -> str:
    """A screen with a frame around it."""
    lines = [piece for line in screen.split("\n") for piece in textwrap.wrap(line, _WIDTH) or [""]]
    edge = "+" + "-" * (_WIDTH + 2) + "+"
    return "\n".join([edge, *(f"| {line:<{_WIDTH}} |" for line in lines), edge])


def _open(url: str, body: bytes | None = None) -> urllib.request._UrlopenRet:
    if not url.startswith(("http://", "https://")):
        raise NoAnswerError(f"{url} is no http:// address")
    try:
        # No file:// comes this far.
        return urllib.request.urlopen(url, data=body, timeout=_TIMEOUT_S)  # noqa: S310 # nosec B310
    except urllib.error.HTTPError:
        raise
    except OSError as error:
        raise NoAnswerError(
            f"no gateway at {url} ({error}): start one with scripts/run, or give --url"
        ) from error
