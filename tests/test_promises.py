"""What is promised names a proof that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PROMISES = (HOUSE / "gateway/PROMISES.md").read_text()
SECURITY = (HOUSE / "SECURITY.md").read_text()
PROOFS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PROMISES + SECURITY)))


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_a_proof_is_there(file: str, name: str) -> None:
    """A test that was renamed is renamed here too."""
    tree = ast.parse((HOUSE / file).read_text())

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_has_a_proof() -> None:
    """A promise without one is a wish."""
    promises = re.split(r"^\d+\. ", PROMISES, flags=re.MULTILINE)[1:]

    assert len(promises) >= 12
    assert [each.split("\n")[0] for each in promises if "`tests/" not in each] == []


def test_every_threat_has_a_proof_that_is_there() -> None:
    """A row without one is a hope."""
    threats = SECURITY.split("## Threats")[1].split("## What a captured request")[0]
    rows = [row for row in threats.split("\n") if row.startswith("| ")]
    told = [row for row in rows if not row.startswith("| Threat |")]

    assert len(told) > 30
    for row in told:
        proofs = re.findall(
            r"`(tests/[\w./]+|scripts/[\w-]+|chaski [\w ]+)[ `:]|\]\(([\w/.]+)\)", row
        )
        assert proofs, row
        files = [one or other for one, other in proofs if not one.startswith("chaski ")]
        assert all((HOUSE / file).exists() for file in files), row
