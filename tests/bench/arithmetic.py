"""From what was measured to what so many members need: the table of gateway/GROWTH.md.

`python -m tests.bench.arithmetic [PAGE]` reads the page's block of JSON, assumptions and figures,
and writes its table anew. Replace the figures by those of `scripts/bench growth`, and run it.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[2] / "gateway" / "GROWTH.md"
SIZES = (40_000, 4_000_000, 40_000_000)

_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
_TABLE = re.compile(r"(<!-- table -->\n).*?(<!-- end -->)", re.DOTALL)


def needs(members: int, given: Mapping[str, float]) -> dict[str, str]:
    """What so many members need, in words."""
    sessions = (
        members * given["sessions_per_member_and_month"] / 30 * given["payday_over_mean"]
        * given["share_of_busiest_hour"] / 3600 * given["busiest_minute_over_its_hour"]
    )  # fmt: skip
    orders = sessions * given["orders_per_session"]
    pins = sessions * given["pins_per_session"]
    hops = sessions * given["hops_per_session"]
    idle = 1 / given["busy_at_most"]
    others = hops - given["hops_per_session"] * orders  # those of an order are weighed together
    web = (
        others * given["web_us_per_hop"] / 1e6
        + orders * given["web_ms_per_order"] / 1e3
        + pins * given["web_ms_per_pin"] / 1e3
    ) * idle  # fmt: skip
    stored = (
        others * given["postgres_us_per_hop"] / 1e6
        + orders * given["postgres_ms_per_order"] / 1e3
    ) * idle  # fmt: skip
    yearly = members * 12 * given["sessions_per_member_and_month"] * given["orders_per_session"]
    databases = math.ceil(members / given["members_per_database"])
    cores = max(1, math.ceil(web))
    return {
        "sessions begun a second, at peak": _number(sessions),
        "hops a second": _number(hops),
        "orders a second": _number(orders),
        "cores of web processes": f"{cores:,}",
        "their memory": _bytes(cores * given["web_process_mib"] * 2**20),
        "databases": f"{databases:,}",
        "cores of PostgreSQL, all primaries": f"{max(1, math.ceil(stored)):,}",
        "commits a second, each database": _number((orders + 2 * pins) / databases),
        "log written a second, each database": _bytes(
            orders * given["log_bytes_per_order"] / databases
        ),
        "data at the start": _bytes(members * given["postgres_bytes_per_member"]),
        "data added a year": _bytes(yearly * given["postgres_bytes_per_order"]),
        "Redis, sessions and drafts": _bytes(
            sessions * given["seconds_in_redis"] * given["redis_bytes_per_session"]
        ),
    }


def table(given: Mapping[str, float]) -> str:
    """The needs of each size, a column each, in Markdown."""
    columns = [needs(members, given) for members in SIZES]
    head = "| | " + " | ".join(f"{members:,} members" for members in SIZES) + " |"
    rows = (
        f"| {name} | " + " | ".join(column[name] for column in columns) + " |"
        for name in columns[0]
    )
    return "\n".join([head, "|---|" + "---:|" * len(SIZES), *rows]) + "\n"


def written(page: str) -> str:
    """The page with its table anew."""
    block = _BLOCK.search(page)
    if block is None:
        raise ValueError("the page has no block of JSON")
    given = {name: value for part in json.loads(block[1]).values() for name, value in part.items()}
    return _TABLE.sub(lambda found: found[1] + table(given) + found[2], page)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{_number(count)} {unit}"
        count /= 1000
    return f"{_number(count)} TB"


if __name__ == "__main__":
    _page = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    _page.write_text(written(_page.read_text()))
