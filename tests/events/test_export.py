"""Events as files: what is read back is what was recorded, and a spreadsheet runs none of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import duckdb
import psycopg
import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import main
from gateway.events.export import COLUMNS, cell
from gateway.events.kinds import KINDS, catalogue

DAYS = [dt.date(2026, 10, 30) + dt.timedelta(days=day) for day in range(4)]


@pytest.fixture
def owner_url(database_urls: tuple[str, str]) -> str:
    """A database with four events a day, over the end of a month."""
    events = [
        {
            "day": day.isoformat(),
            "at": f"{day.isoformat()}T15:00:00Z",
            "source": 1,
            "number": number,
            "kind": "step.reached",
            "session": 2**62 + number,
            "channel": "ussd",
            "journey": "=cmd|calc" if number == 0 else "send",
            "network": "",
            "step": 'a "quoted", step',
            "misread": number == 2,
        }
        for day in DAYS
        for number in range(4)
    ]
    with psycopg.connect(database_urls[0]) as owner:
        owner.execute("select events.append(%s::jsonb)", (json.dumps(events),))
    return database_urls[0]


def _export(url: str, file: str, *more: str) -> Result:
    days = ("--from", "2026-10-31", "--to", "2026-11-01")
    return CliRunner().invoke(
        main, ["events", "export", *days, "--output", file, *more, "--url", url]
    )


def test_csv_has_the_days_asked_for_and_no_others(owner_url: str) -> None:
    said = _export(owner_url, "-")

    lines = list(csv.DictReader(io.StringIO(said.stdout)))
    assert said.exit_code == 0, said.output
    assert list(lines[0]) == list(COLUMNS)
    assert [line["day"] for line in lines] == ["2026-10-31"] * 4 + ["2026-11-01"] * 4
    assert lines[1]["session"] == str(2**62 + 1)
    assert lines[1]["step"] == 'a "quoted", step'
    assert lines[1]["at"] == "2026-10-31T15:00:00.000+00:00"
    assert lines[0]["journey"] == "'=cmd|calc", "a spreadsheet would run it"
    assert lines[2]["misread"] == "True"
    assert lines[2]["operation"] == ""


def test_parquet_reads_back_as_it_was(owner_url: str, tmp_path: Path) -> None:
    """With types: numbers are numbers, and what is not there is null."""
    file = tmp_path / "events.parquet"

    said = _export(owner_url, str(file), "--format", "parquet")

    assert said.exit_code == 0, said.output
    with psycopg.connect(owner_url) as owner:
        wanted = owner.execute(
            f"select {', '.join(COLUMNS)} from events.event"  # noqa: S608 - ours
            " where day between '2026-10-31' and '2026-11-01' order by day, at, source, number"
        ).fetchall()
    names = ", ".join(name for name in COLUMNS if name != "at")
    with duckdb.connect() as reader:
        found = reader.execute(f"select {names} from '{file}'").fetchall()  # noqa: S608 - ours
        moments = reader.sql(
            f"select distinct epoch_ms(\"at\") from '{file}' order by 1"  # noqa: S608 - ours
        ).fetchall()
    assert found == [(line[0], *line[2:]) for line in wanted]
    assert moments == sorted({(int(line[1].timestamp() * 1000),) for line in wanted})


def test_days_without_events_are_an_empty_file(owner_url: str, tmp_path: Path) -> None:
    for kind in ("csv", "parquet"):
        file = tmp_path / f"none.{kind}"
        days = ("--from", "2020-01-01", "--to", "2020-01-02")
        said = CliRunner().invoke(
            main,
            [
                "events",
                "export",
                *days,
                "--format",
                kind,
                "--output",
                str(file),
                "--url",
                owner_url,
            ],
        )
        assert said.exit_code == 0, said.output
        assert "0 events" in said.output


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\nx"])
def test_a_formula_is_only_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell("send") == "send"
    assert cell(-5) == -5


def test_the_catalogue_names_every_kind_and_field() -> None:
    """It is made from the types, and the command prints it."""
    said = CliRunner().invoke(main, ["events", "catalogue"]).output

    assert said.strip() == catalogue()
    for kind in KINDS:
        assert f"{kind.__struct_config__.tag}: " in said
        assert kind.__doc__
        for field in kind.__struct_fields__:
            assert f"  {field} " in said
