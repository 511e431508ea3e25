"""A profile: an aggregator's dialect as data. `reading.py` reads it from its file, `checks.py` says
what is wrong with it, and README.md is for who writes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec

from gateway.channels.http.fields import Fields, as_text

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
MediaType = Annotated[str, msgspec.Meta(pattern=r"^[\w.+-]+/[\w.+-]+(; ?[\w=-]+)?$")]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the file. A key that nobody knows is a fault."""


class Event(Section, frozen=True):
    """A request is this event where `field` is one of the values, in any case. A field that is
    missing is as good as an empty one; JSON's true is `true`."""

    field: Name
    values: Annotated[list[str | int | bool], msgspec.Meta(min_length=1)] = msgspec.field(name="is")

    def said(self, fields: Fields) -> str | None:
        """Which of the values it is, in the profile's letters; None: it is not this event."""
        heard = fields.text(self.field).strip().casefold()
        return next((text for text in self.texts() if text.casefold() == heard), None)

    def texts(self) -> list[str]:
        """The values as a form would have them."""
        return [as_text(value) for value in self.values]


class Dialled(Section, frozen=True):
    """Where the string that was dialled stands, and how much of it.

    Args:
        holds: `everything`: `*775*2*50#`; `rest`: the answers alone; `extension`: of a code that
            several services share, what stands behind `service_code`, our extension first.
    """

    field: Name
    holds: Literal["everything", "extension", "rest"]


class Incoming(Section, frozen=True):
    """What comes in.

    Args:
        methods: of HTTP.
        body: where the fields are; `declared`: as the request's Content-Type says, JSON or form.
        session, msisdn, input, service_code, sequence, network: what the provider calls them.
        answers: `last`: the input is the last answer; `all`: every answer so far.
        separator: one character between the answers where they are `all`.
        msisdn_region: ISO 3166, where numbers come without their country code: `GH`.
        start, goes_on, end: how to tell them. Without `goes_on` it is whatever else comes in.
        dialled: where a deep dial's answers are.
    """

    methods: Annotated[list[Literal["GET", "POST"]], msgspec.Meta(min_length=1)]
    body: Literal["json", "form", "query", "declared"]
    session: Name
    msisdn: Name
    input: Name
    answers: Literal["last", "all"]
    service_code: Name | None = None
    sequence: Name | None = None
    network: Name | None = None
    separator: Annotated[str, msgspec.Meta(min_length=1, max_length=1)] = "*"
    msisdn_region: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] | None = None
    start: Event | None = None
    goes_on: Event | None = None
    end: Event | None = None
    dialled: Dialled | None = None

    @property
    def mapped(self) -> dict[str, str]:
        """The placeholders that stand for a field, and that field's name."""
        names = {
            "session": self.session,
            "msisdn": self.msisdn,
            "service_code": self.service_code,
            "sequence": self.sequence,
            "network": self.network,
        }
        return {name: field for name, field in names.items() if field}

    @property
    def secret_fields(self) -> frozenset[str]:
        """What may never be written down or sent back: it may hold a PIN."""
        return frozenset({self.input, self.dialled.field if self.dialled else self.input})


class Outgoing(Section, frozen=True):
    """What goes out: `text` or `json`, a template (see `template.py`).

    Args:
        newline: between the lines of a screen.
        content_type: where it is not text/plain or application/json.
        end_event: what an `end` is acknowledged with; of the same kind.
    """

    text: str | dict[str, str] | None = None
    json: dict[str, Any] | None = None
    newline: Annotated[str, msgspec.Meta(min_length=1, max_length=8)] = "\n"
    content_type: MediaType | None = None
    end_event: str | dict[str, Any] = ""

    @property
    def template(self) -> Any:
        """Whichever of the two there is."""
        return self.text if self.json is None else self.json


class Sheet(Section, frozen=True):
    """The file as a whole.

    Args:
        source: where its facts are from: a document, a repository.
        unconfirmed: what nobody has seen on the real network yet.
    """

    source: Annotated[str, msgspec.Meta(min_length=1)]
    request: Incoming
    reply: Outgoing
    unconfirmed: list[str] = []


@dataclass(frozen=True, slots=True)
class Profile:
    """An aggregator's dialect. Its name is its file's, and stands in the webhook's path."""

    name: str
    source: str
    unconfirmed: tuple[str, ...]
    request: Incoming
    reply: Outgoing

    @property
    def channel(self) -> str:
        """What its sessions, its log lines and its figures are under."""
        return f"http-{self.name}"
