"""The scanners: they find what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scanners import faults, secrets_in

# Put together here, so that they are not found in this file.
KEYS = {
    "AWS Access Key": "AKIA" + "Q3EGRIPLZ7HUNYT5",
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "Basic Auth Credentials": "redis://chaski:" + "bR7x2kQv@redis",
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("room", ["gateway", "tests", "scripts"])
def test_a_key_that_was_left_in_a_file_is_found(tmp_path: Path, room: str, kind: str) -> None:
    """In tests too: only what merely looks like one is forgiven there."""
    file = tmp_path / room / "left.py"
    file.parent.mkdir()
    file.write_text(f'KEPT = "{KEYS[kind]}"\n')

    assert secrets_in(tmp_path, [file])[f"{room}/left.py", kind] == 1


def test_a_password_by_its_name_is_found_in_the_code_alone(tmp_path: Path) -> None:
    for room in ("gateway", "tests"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "left.py").write_text("pass" + 'word = "bR7x2kQvPz"\n')
    files = [tmp_path / "gateway/left.py", tmp_path / "tests/left.py"]

    assert dict(secrets_in(tmp_path, files)) == {("gateway/left.py", "Secret Keyword"): 1}


def test_a_known_fault_of_a_dependency_is_a_complaint() -> None:
    """Who was not known to the list is no complaint: it was never asked."""
    packages = [
        {"name": "fine", "version": "1", "vulns": []},
        {"name": "unknown", "skip_reason": "not found"},
        {
            "name": "holey",
            "version": "2.0",
            "vulns": [
                {"id": "PYSEC-1", "fix_versions": ["2.1"]},
                {"id": "GHSA-2", "fix_versions": []},
            ],
        },
    ]

    assert list(faults(packages)) == [
        "pip-audit: holey 2.0: PYSEC-1, mended in 2.1",
        "pip-audit: holey 2.0: GHSA-2, mended in nowhere yet",
    ]
