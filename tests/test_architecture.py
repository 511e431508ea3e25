"""The shape of the house, read from its imports: arrows point down, rooms keep to themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent
GATEWAY = HOUSE / "gateway"

# A room imports from the lines below its own, and from no room of its own line.
LINES = (
    ("cli",),
    ("demo",),
    ("bootstrap",),
    ("providers", "cores", "consoles", "tenants"),
    ("settings",),
    ("worker",),
    ("web",),
    ("channels", "console", "staff"),
    ("driver",),
    ("receipts", "unfinished", "reminders", "retention", "texting", "reconciliation", "core_news"),
    ("programme",),
    ("conversation",),
    ("library",),
    ("menus",),
    ("translations",),
    ("dialog", "sessions"),
    ("signin",),
    ("bank",),
    ("notices",),
    ("instructions",),
    ("core",),
    ("sim",),
    ("ledger",),
    ("audit",),
    ("events",),
    ("db",),
    ("embedded",),
    ("breaking", "observing"),
    ("values",),
    ("bounds",),
)

# What brings the world in: a network, a disk, a clock, chance.
IO = {
    *("flask", "granian", "psycopg", "psycopg_pool", "redis", "rq", "yoyo", "structlog", "logging"),
    *("asyncio", "http", "io", "os", "pathlib", "shutil", "socket", "subprocess", "sys", "urllib"),
    *("random", "secrets", "tempfile", "threading", "time", "prometheus_client"),
}

# What a room may not import, though it stands below.
KEPT_OUT = {
    "dialog": IO,
    "values": IO,
    "conversation": IO,
    "texting": IO,
    "channels": {"gateway.bank", "gateway.instructions", "gateway.ledger", "gateway.db"},
    "embedded": {"gateway"},
    "bank": {"flask", "redis", "rq"},
}

# Where alone a library may be imported.
AT_HOME = {
    # bootstrap, providers: types that they hand over.
    # ledger: a core behind HTTP, and its loopback double.
    "flask_login": {"console"},
    "flask_wtf": {"console"},
    "pyotp": {"signin"},
    "segno": {"console"},
    "secure": {"console"},
    "flask": {
        "consoles",
        "cores",
        "web",
        "channels",
        "console",
        "staff",
        "demo",
        "bootstrap",
        "providers",
        "ledger",
    },
    "requests": {"channels", "sim", "ledger", "cores"},  # cores: a type that it hands over
    "twilio": {"channels"},
    "pybreaker": {"breaking", "notices", "sim", "core"},
    "pyrate_limiter": {"notices"},
    "stamina": {"channels"},
    "rapidfuzz": {"dialog"},
    "granian": {"cli"},
    "leather": {"programme", "console"},
    "duckdb": {"events"},
    "redis": {"sessions", "notices", "worker", "bootstrap"},
    "rq": {"notices", "worker"},
    "fakeredis": {"embedded"},
    # cli: to say plainly that it is away.
    "psycopg": {"db", "ledger", "demo", "cli"},
    "psycopg_pool": {"db"},
    "yoyo": {"db"},
    # consoles, bootstrap, demo: a type that they hand over.
    "argon2": {"bank", "signin", "consoles", "bootstrap", "demo"},
    "cryptography": {"bank"},
    "pydantic": {"settings"},
    "dotenv": {"tenants"},
}

# Calls that look at the world without an import of IO.
WORLDLY_CALLS = {"open", "print", "input", "now", "utcnow", "today", "uuid1", "uuid4"}
PURE = ("dialog", "values", "conversation", "texting")

# Where money is counted, in whole céntimos: no float is written, named or made here.
MONEY = ("values", "bank", "instructions", "ledger")

# Folders outside gateway/ that have a law of their own too.
OTHER_ROOMS = (
    "scripts",
    "tests/browser",
    "tests/dialogs",
    "tests/chaos",
    "tests/fuzz",
    "tests/simulation",
    "tests/slow_core",
)

README_LINES_MAX = 40


@dataclass(frozen=True)
class Source:
    """One Python file of the gateway."""

    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.path.relative_to(GATEWAY).with_suffix("").parts[0]

    def at(self, node: ast.expr | ast.stmt, what: str) -> str:
        return f"{self.path.relative_to(HOUSE)}:{node.lineno}: {what}"

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Every imported module by its whole name, those inside functions too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module == "gateway":
                yield from ((node, f"gateway.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node, node.module or "."


SOURCES = [
    Source(path, ast.parse(path.read_text()))
    for path in sorted(GATEWAY.rglob("*.py"))
    if path.parent != GATEWAY or path.name != "__init__.py"
]
HEIGHT = {room: -line for line, rooms in enumerate(LINES) for room in rooms}
ROOMS = sorted({source.room for source in SOURCES})


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def room_of(module: str) -> str | None:
    """The room that a module of the gateway is in; None for other modules, and for the root."""
    first, _, rest = module.partition(".")
    room = rest.partition(".")[0]
    return room if first == "gateway" and room in ROOMS else None


def test_every_room_has_its_line() -> None:
    assert set(ROOMS) - HEIGHT.keys() == set(), "give a new room its line in LINES, and a README.md"


def test_arrows_point_down() -> None:
    up = [
        source.at(node, f"{source.room} imports {module}")
        for source in SOURCES
        for node, module in source.imports()
        if (room := room_of(module)) and room != source.room and HEIGHT[room] >= HEIGHT[source.room]
    ]
    assert up == []


def test_imports_are_absolute() -> None:
    relative = [
        source.at(node, "a relative import")
        for source in SOURCES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


@pytest.mark.parametrize("room", KEPT_OUT)
def test_a_room_keeps_out_what_is_not_its_business(room: str) -> None:
    let_in = [
        source.at(node, f"{room} imports {module}")
        for source in SOURCES
        if source.room == room
        for node, module in source.imports()
        if within(module, KEPT_OUT[room]) and room_of(module) != room
    ]
    assert let_in == []


@pytest.mark.parametrize("library", AT_HOME)
def test_a_library_stays_where_it_is_at_home(library: str) -> None:
    elsewhere = [
        source.at(node, f"{source.room} imports {module}")
        for source in SOURCES
        if source.room not in AT_HOME[library]
        for node, module in source.imports()
        if within(module, {library})
    ]
    assert elsewhere == []


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_does_not_look_at_the_world(room: str) -> None:
    looks = [
        source.at(node, f"{ast.unparse(node.func)}()")
        for source in SOURCES
        if source.room == room
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in WORLDLY_CALLS
    ]
    assert looks == []


@pytest.mark.parametrize("room", MONEY)
def test_money_is_never_a_float(room: str) -> None:
    floats = [
        source.at(node, ast.unparse(node))
        for source in SOURCES
        if source.room == room
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert floats == []


def test_every_room_has_a_short_readme() -> None:
    rooms = [path.parent for path in GATEWAY.glob("*/__init__.py")]
    for room in [*rooms, *(HOUSE / other for other in OTHER_ROOMS)]:
        readme = room / "README.md"
        assert readme.exists(), f"{readme.relative_to(HOUSE)}: say in three sentences what it is"
        assert 3 <= len(readme.read_text().splitlines()) <= README_LINES_MAX, readme
