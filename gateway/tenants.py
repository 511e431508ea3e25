"""Several cooperatives in one deployment: a folder with a file of variables for each.

`NAME.env` is the cooperative NAME. What is in the process's own environment holds for all of them,
a file adds what is its cooperative's own, and nothing that opens a door may be two cooperatives'.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from dotenv import dotenv_values

from gateway.settings import PREFIX, Settings, SettingsError, load

FOLDER = f"{PREFIX}TENANTS"
OWNER_URL = f"{PREFIX}OWNER_URL"

_NAME = f"{PREFIX}COOPERATIVE"

# One process has one of each, whomever it serves.
_OF_THE_PROCESS = frozenset(
    PREFIX + name
    for name in (
        *("QUEUE_URL", "HOST", "PORT", "WEB_WORKERS", "WEB_THREADS", "LOG_LEVEL", "DEMO"),
        *("TRUSTED_PROXIES", "ALLOWED_NETWORKS", "HTTP_PROFILES", "TENANTS"),
    )
)


def load_all(environment: Mapping[str, str] = os.environ) -> tuple[Settings, ...]:
    """The settings of every cooperative that this process serves: of the folder that the
    environment names, else of the environment alone.

    Raises:
        SettingsError: with every variable that is missing, wrong or shared, by file and name.
    """
    if not environment.get(FOLDER):
        return (load(environment),)
    common = {name: text for name, text in environment.items() if name != FOLDER}
    found: list[Settings] = []
    problems: list[str] = []
    for file in files_in(Path(environment[FOLDER])):
        try:
            found.append(load({**common, **variables_of(file)}))
        except SettingsError as error:
            problems += [f"{file.name}: {line}" for line in str(error).splitlines()]
    problems += _shared(found)
    if problems:
        raise SettingsError("\n".join(problems))
    return tuple(found)


def files_in(folder: Path) -> list[Path]:
    """A file a cooperative, by their names.

    Raises:
        SettingsError: there is none.
    """
    files = sorted(folder.glob("*.env"))
    if not files:
        raise SettingsError(f"{FOLDER}: no NAME.env in {folder}")
    return files


def variables_of(file: Path) -> dict[str, str]:
    """What a file says of its cooperative. Its name is the file's.

    Raises:
        SettingsError: it says what is not a cooperative's to say.
    """
    said = {name: text or "" for name, text in dotenv_values(file, interpolate=False).items()}
    wrong = [f"{name}: of the process, for all: not here" for name in said.keys() & _OF_THE_PROCESS]
    if _NAME in said:
        wrong.append(f"{_NAME}: the file's name says it")
    if wrong:
        raise SettingsError("\n".join(sorted(wrong)))
    return {**said, _NAME: file.stem}


def owner_urls(folder: Path) -> dict[str, str]:
    """Where the owner of each cooperative's schemas signs in, by cooperative.

    These files are not the processes' own: whoever serves members cannot own their books.

    Raises:
        SettingsError: a file does not say it.
    """
    urls = {file.stem: variables_of(file).get(OWNER_URL, "") for file in files_in(folder)}
    if missing := [f"{name}.env: {OWNER_URL} is missing" for name, url in urls.items() if not url]:
        raise SettingsError("\n".join(missing))
    return urls


def _shared(tenants: Sequence[Settings]) -> list[str]:
    """What two cooperatives have in common and must not: never the value, only whose it is."""
    return [
        f"{one.cooperative}.env and {other.cooperative}.env: {PREFIX}{name}: the same in both"
        for one, other in combinations(tenants, 2)
        for name, mine in _own(one).items()
        if set(mine) & set(_own(other)[name])
    ]


def _core(settings: Settings) -> str:
    return f"{settings.fineract_url.rstrip('/')} {settings.fineract_tenant}"


def _own(settings: Settings) -> dict[str, Iterable[object]]:
    """What opens a cooperative's doors, or holds what is theirs."""
    texts = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "READ_DATABASE_URL": settings.read_database_url.get_secret_value(),
        "STAFF_DATABASE_URL": settings.staff_database_url.get_secret_value(),
        "SESSION_SECRET": settings.session_secret.get_secret_value(),
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "SMPP_LINES": settings.smpp_lines,
        "FINERACT_TENANT": settings.fineract_url and _core(settings),
        "FINERACT_MESSAGES_KEY": settings.fineract_messages_key.get_secret_value(),
    }
    return {
        **{name: [text] if text else [] for name, text in texts.items()},
        "WEBHOOK_SECRETS": settings.secrets,
        "FINERACT_HOOKS_SECRET": settings.fineract_hooks_secrets,
        "PIN_PEPPERS": settings.peppers.values(),
        "STAFF_KEYS": settings.staff.values(),
    }
