"""What the `chaski audit` command offers: is everything as it was sealed, and which is the newest
seal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from gateway.audit import verifying
from gateway.audit.seals import head
from gateway.cli.desk import (
    DATA,
    JSON,
    OWNER_DATA,
    OWNER_URL,
    application_database,
    iso,
    opened,
    owner_url,
    plainly,
    user,
)
from gateway.db.reading import snapshot
from gateway.embedded import running

_FINDINGS = {
    "line_changed": "a row was changed",
    "line_missing": "a row is missing",
    "line_added": "a row was added",
    "seal_changed": "the seal itself was changed",
    "seal_missing": "a seal is missing",
    "chain_broken": "the seal does not stand on the one before it",
    "head_unknown": "no seal has this hash: the chain was cut short or written anew",
}


@click.group()
def audit() -> None:
    """Evidence: what was done, sealed."""


@audit.command(name="head")
@DATA
@JSON
@plainly
def audit_head(data: Path | None, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """The newest seal. Send its hash elsewhere every day: verify --head proves it later."""
    with application_database(data) as database:
        newest = head(database)
    if newest is None:
        raise click.ClickException("nothing was sealed yet: the worker seals every few minutes")
    row = {"seal": newest.number, "hash": newest.hash, "sealed_at": iso(newest.sealed_at)}
    click.echo(json.dumps(row) if as_json else f"{newest.hash}  seal {newest.number}")


@audit.command(name="verify")
@click.option(
    "--url", envvar="CHASKI_AUDITOR_URL", help="postgresql://… of chaski_auditor or the owner."
)
@OWNER_DATA
@click.option(
    "--head", "heads", multiple=True, help="A hash that was kept elsewhere; may be repeated."
)
@JSON
@plainly
def audit_verify(url: str | None, data: Path | None, heads: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001
    """Recompute every seal from the rows; only reads. Exit 1 on any difference."""
    where = _auditor_url(data) if data else url
    if where is None:
        raise click.UsageError("say where: --data DIR of a demo, or --url (CHASKI_AUDITOR_URL)")
    with snapshot(where) as evidence:
        verdict = verifying.verify(evidence, lambda far: click.echo(far, err=True), heads)
    if as_json:
        click.echo(json.dumps(_as_json(verdict)))
    else:
        click.echo("\n".join(_in_words(verdict)))
    sys.exit(0 if verdict.ok else 1)


@audit.command(name="go-on")
@OWNER_URL
@OWNER_DATA
@plainly
def audit_go_on(url: str | None, data: Path | None) -> None:
    """After a dump was restored into another server: once, before anything is written there."""
    with opened(owner_url(url, data)) as database:
        added = database.row("select audit.go_on_after_restore() as added")["added"]
        database.call(
            "select audit.write('staff', %s, 'audit.gone_on', null, '{}', now())", (user(),)
        )
    click.echo(f"{added} is added to this server's transaction numbers from now on")


def _auditor_url(data: Path) -> str:
    return running(data.resolve()).owner_url.replace("chaski_owner", "chaski_auditor", 1)


def _as_json(verdict: verifying.Verdict) -> dict[str, Any]:
    newest = verdict.head
    return {
        "ok": verdict.ok,
        "seals": verdict.seals,
        "lines": verdict.lines,
        "unsealed": verdict.unsealed,
        "head": newest and {"seal": newest.number, "hash": newest.hash.hex()},
        "findings": [
            {"what": found.what, "seal": found.seal, "kind": found.kind, "row": found.row}
            for found in verdict.findings
        ],
        "more": verdict.more,
    }


def _in_words(verdict: verifying.Verdict) -> list[str]:
    lines = [f"{kind}: {count} lines sealed" for kind, count in verdict.lines.items()]
    lines.append(f"{verdict.seals} seals; {verdict.unsealed} lines are newer than the last one")
    if verdict.head:
        lines.append(f"newest: {verdict.head.hash.hex()}")
    for found in verdict.findings:
        where = "" if found.seal is None else f"seal {found.seal}: "
        kind = f"{found.kind}: " if found.kind else ""
        lines.append(f"{where}{kind}{_FINDINGS[found.what]}  {found.row}".rstrip())
    if verdict.more:
        lines.append(f"and {verdict.more} more")
    lines.append("everything is as it was sealed" if verdict.ok else "NOT as it was sealed")
    return lines
