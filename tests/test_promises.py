"""What is promised names a proof that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
PROMISES = (HOUSE / "gateway/PROMISES.md").read_text()
PROOFS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PROMISES)


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
