"""`python -m tests.scanners`: what scanners know of our code, our dependencies and forgotten keys.

Each exception stands with its reason: a scanner's of Python in the line itself (`# nosec`) or in
pyproject.toml, a known secret there too. That nobody could be asked about the dependencies is said,
and fails nothing: it is the network's fault, not the code's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

HOUSE = Path(__file__).parent.parent
ROOMS = ("gateway", "menus", "scripts", "tests", ".ci")

FILE_BYTES_MAX = 200_000  # a key is in something that people write
ASK_WITHIN_S = 45

# Keys that have a form of their own. The others know a secret by the name that it is given to, or
# by looking random: tests make theirs up, and are full of both.
_FORMS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector",
    "CloudantDetector", "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector",
    "JwtTokenDetector", "MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector",
    "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SquareOAuthDetector",
    "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
_GUESSES: tuple[dict[str, Any], ...] = (
    {"name": "KeywordDetector"},
    {"name": "HexHighEntropyString", "limit": 3.0},
    {"name": "Base64HighEntropyString", "limit": 4.5},
)
# Where hashes and what looks like them are meant.
_HASHES = ("requirements.lock",)

Found = Counter[tuple[str, str]]


def main() -> int:
    """All three at once; the number of those that complain."""
    with ThreadPoolExecutor() as pool:
        said = [pool.submit(scan) for scan in (_of_python, _of_dependencies, _of_secrets)]
        complaints = [list(each.result()) for each in said]
    for complaint in (line for lines in complaints for line in lines):
        click.echo(complaint, err=True)
    return sum(map(bool, complaints))


def _of_python() -> Iterator[str]:
    ended = _run(
        *("bandit", "-q", "-c", "pyproject.toml", "-r", "gateway", "scripts"),
        *("-f", "custom", "--msg-template", "bandit: {relpath}:{line} {test_id} {msg}"),
    )
    if ended.returncode:
        yield ended.stdout + ended.stderr
    else:
        click.echo("bandit: nothing")


def _of_dependencies() -> Iterator[str]:
    """Known faults of what the lock names, by PyPI's own list. A registry that is only a copy has
    none, and answers for no package at all."""
    try:
        ended = _run(
            *("pip-audit", "-s", "pypi", "-r", "requirements.lock", "--disable-pip"),
            *("--require-hashes", "-f", "json", "--progress-spinner", "off", "--timeout", "10"),
            timeout_s=ASK_WITHIN_S,
        )
    except subprocess.TimeoutExpired:
        click.echo("pip-audit: NOT DONE, nobody has answered in time")
        return
    try:
        packages = json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (ended.stderr.strip().splitlines() or ["no answer"])[-1]
        click.echo(f"pip-audit: NOT DONE, nobody to ask: {last[:200]}")
        return
    yield from faults(packages)
    asked = sum("vulns" in package for package in packages)
    word = "" if asked else "NOT DONE, nobody knows any: "
    click.echo(f"pip-audit: {word}{asked} of {len(packages)} packages are known there")


def faults(packages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each fault of a package."""
    for package in packages:
        for fault in package.get("vulns", ()):
            mended = ", ".join(fault["fix_versions"]) or "nowhere yet"
            name = f"{package['name']} {package['version']}"
            yield f"pip-audit: {name}: {fault['id']}, mended in {mended}"


def _of_secrets() -> Iterator[str]:
    sheet = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["secret-scan"]
    known: Found = Counter()
    for each in sheet["known"]:
        known[each["file"], each["kind"]] += each["times"]
    found = secrets_in(HOUSE, _files())
    for (file, kind), times in sorted((found - known).items()):
        yield f"secrets: {file}: {kind}, {times} more than pyproject.toml knows of"
    for (file, kind), times in sorted((known - found).items()):
        yield f"secrets: {file}: {kind}, {times} fewer than pyproject.toml knows of: take them out"
    if found == known:
        click.echo(f"secrets: none but the {known.total()} that are explained")


def secrets_in(folder: Path, files: Iterable[Path]) -> Found:
    """What looks like a secret, by file and kind."""
    forms = [{"name": name} for name in _FORMS]
    found: Found = Counter()
    for file in files:
        name = file.relative_to(folder).as_posix()
        made_up = name.startswith("tests/") or name in _HASHES
        plugins = [*forms, *(() if made_up else _GUESSES)]
        with transient_settings({"plugins_used": plugins}):
            secrets = SecretsCollection(root=str(folder))
            secrets.scan_file(name)
        found.update((name, secret.type) for _, secret in secrets)
    return found


def _files() -> Iterator[Path]:
    yield from (path for path in HOUSE.iterdir() if path.is_file() and path.name != ".git")
    for room in ROOMS:
        for path in sorted((HOUSE / room).rglob("*")):
            kept = "__pycache__" not in path.parts and path.is_file()
            if kept and path.stat().st_size <= FILE_BYTES_MAX:
                yield path


def _run(
    program: str, *arguments: str, timeout_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
