"""What the gateway costs, beside others in the same run: `scripts/bench --help`."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench import growth, hop, money, pins, processes, saturation
from tests.bench.fill import Say
from tests.bench.report import Report
from tests.bench.stage import Stage, filled, staged

_MEMBERS = 40_000
_ORDINARY = ("pin", "hop", "money", "saturation")
_DESCRIPTION = (
    "Measures everything beside something else in the same run, in turn and round by round: on a"
    " machine that others use too only the ratios mean anything. Without a part: all but growth."
)


def main(arguments: Sequence[str]) -> None:
    """Measure, and say it."""
    asked = _parser().parse_args(arguments)
    say = _say_to(sys.stderr if asked.json else sys.stdout)
    parts = [asked.part] if asked.part else list(_ORDINARY)
    report = Report(processes.machine(), _settings(asked, parts))
    say(report.machine)
    with _folder(asked.data) as folder:
        if asked.part == "growth":
            _growth(folder, asked, report, say)
        else:
            _ordinary(folder, asked, parts, report, say)
    sys.stdout.write((report.as_json() if asked.json else "\n" + report.as_text()) + "\n")


def _ordinary(
    folder: Path, asked: argparse.Namespace, parts: list[str], report: Report, say: Say
) -> None:
    say("bench: starting PostgreSQL and Redis, and opening accounts")
    filled(folder, asked.members[0], say)
    with staged(folder, asked.members[0], say) as stage:
        for part in parts:
            _MEASURES[part](stage, asked, report, say)


def _hop(stage: Stage, asked: argparse.Namespace, report: Report, say: Say) -> None:
    figures = hop.measure(stage, asked.rounds, asked.seconds, say)
    report.parts["hop"] = figures.rows()
    report.ratios |= figures.ratios()
    if hop.PEER in figures.skipped:
        report.ratios["hop_cpu_vs_ussd_menu_builder"] = None
    report.skipped |= figures.skipped


def _money(stage: Stage, asked: argparse.Namespace, report: Report, say: Say) -> None:
    figures = money.measure(stage, asked.rounds, asked.seconds, asked.scale, say)
    report.parts["money"] = figures.rows()
    report.parts["money: CPU of a transfer through the whole webhook"] = figures.where()
    report.ratios |= figures.ratios()


def _saturation(stage: Stage, asked: argparse.Namespace, report: Report, say: Say) -> None:
    figures = saturation.measure(stage, asked.rounds, asked.seconds, say)
    report.parts["saturation"] = figures.rows()
    report.ratios |= figures.ratios()


def _growth(folder: Path, asked: argparse.Namespace, report: Report, say: Say) -> None:
    sizes = growth.sizes(asked.members, asked.entries)
    figures = growth.measure(folder, sizes, asked.rounds, asked.seconds, say)
    report.parts["growth"] = figures.rows()
    report.parts["memory"] = {"memory": figures.memory}
    report.ratios |= figures.ratios()


def _pin(stage: Stage, asked: argparse.Namespace, report: Report, say: Say) -> None:
    say("  pin: verifying")
    report.parts["pin"] = pins.rows(asked.seconds)


_MEASURES = {
    "hop": _hop,
    "money": _money,
    "saturation": _saturation,
    "pin": _pin,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=_DESCRIPTION)
    parser.add_argument("part", nargs="?", choices=sorted([*_MEASURES, "growth"]), help="only this")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--rounds", type=_above_zero, default=5, help="default 5")
    parser.add_argument("--seconds", type=_above_zero, default=3, help="of a window; default 3")
    parser.add_argument("--data", type=Path, help="a folder that keeps what was filled")
    parser.add_argument(
        "--members",
        type=_sizes,
        default=(_MEMBERS,),
        help="how many; for growth several with commas, 40000,400000,4000000",
    )
    parser.add_argument("--entries", type=int, default=0, help="of growth, with the last size")
    parser.add_argument("--scale", type=_above_zero, default=100, help="of pgbench; default 100")
    return parser


def _above_zero(text: str) -> int:
    if (number := int(text)) <= 0:
        raise argparse.ArgumentTypeError("has to be above zero")
    return number


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(sorted(int(size) for size in text.split(",")))
    if sizes[0] < _FEWEST:
        raise argparse.ArgumentTypeError(f"has to be {_FEWEST} or more")
    return sizes


_FEWEST = 2_000  # so that nobody is in two dialogues at once, and the slow PINs are not all


def _settings(asked: argparse.Namespace, parts: list[str]) -> dict[str, object]:
    names = ("rounds", "seconds", "members", "entries", "scale")
    return {"parts": parts, **{name: getattr(asked, name) for name in names}}


def _say_to(stream: object) -> Say:
    def say(line: str) -> None:
        print(line, file=stream, flush=True)  # type: ignore[call-overload]

    return say


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Where it all lies. The servers' account has to be able to go through it."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="chaski-bench-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


if __name__ == "__main__":
    if not hasattr(processes.os, "sched_setaffinity"):
        sys.exit("bench: needs Linux: it gives each process its core and reads /proc")
    main(sys.argv[1:])
