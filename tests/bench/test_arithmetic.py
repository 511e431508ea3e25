"""The page says what its figures say."""

from __future__ import annotations

from tests.bench.arithmetic import PAGE, needs, written

GIVEN = {
    "sessions_per_member_and_month": 3,
    "hops_per_session": 4,
    "pins_per_session": 0.5,
    "orders_per_session": 0.25,
    "payday_over_mean": 1,
    "share_of_busiest_hour": 0.1,
    "busiest_minute_over_its_hour": 3.6,
    "busy_at_most": 0.5,
    "members_per_database": 1_000_000,
    "seconds_in_redis": 600,
    "web_us_per_hop": 1_000,
    "web_ms_per_order": 5,
    "web_ms_per_pin": 20,
    "web_process_mib": 100,
    "postgres_us_per_hop": 100,
    "postgres_ms_per_order": 1,
    "postgres_bytes_per_member": 5_000,
    "postgres_bytes_per_order": 2_000,
    "log_bytes_per_order": 4_000,
    "redis_bytes_per_session": 2_000,
}


def test_a_million_members_by_hand() -> None:
    """100,000 sessions a day, a tenth in the busiest hour, 3.6 times that in its busiest minute."""
    needed = needs(1_000_000, GIVEN)

    assert needed["sessions begun a second, at peak"] == "10"
    assert needed["hops a second"] == "40"
    assert needed["orders a second"] == "2.5"
    # 30 hops of 1 ms, 2.5 orders of 5 ms and 5 PINs of 20 ms: 0.14 s a second, half busy.
    assert needed["cores of web processes"] == "1"
    assert needed["commits a second, each database"] == "12"
    assert needed["log written a second, each database"] == "10 kB"
    assert needed["data at the start"] == "5.0 GB"
    assert needed["data added a year"] == "18 GB"
    assert needed["Redis, sessions and drafts"] == "12 MB"


def test_the_pages_table_is_that_of_its_figures() -> None:
    """Whoever changes a figure runs `python -m tests.bench.arithmetic`."""
    page = PAGE.read_text()

    assert written(page) == page
