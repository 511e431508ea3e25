"""What a program reads of a run."""

from __future__ import annotations

import json

from tests.bench.figures import spread
from tests.bench.hop import CONSTANT, GATEWAY, PEER, TWO_TRIPS, HopFigures
from tests.bench.money import (
    CASH,
    LEDGER,
    LOANS,
    MINIMAL,
    MINIMAL_FROM_PYTHON,
    MINIMAL_ORDER,
    ORDER,
    PORT,
    SIMPLE,
    TPCB,
    MoneyFigures,
)
from tests.bench.report import Report
from tests.bench.saturation import OFFERED, SaturationFigures


def _hops(*names: str) -> HopFigures:
    cpu = {GATEWAY: 300.0, CONSTANT: 100.0, TWO_TRIPS: 200.0, PEER: 150.0}
    return HopFigures({name: {"cpu_us": [cpu[name]] * 3} for name in names}, {})


def _money() -> MoneyFigures:
    per_s = {
        PORT: 3000.0,
        LOANS: 2700.0,
        CASH: 3300.0,
        LEDGER: 4000.0,
        MINIMAL: 5000.0,
        MINIMAL_FROM_PYTHON: 4000.0,
        ORDER: 1800.0,
        MINIMAL_ORDER: 3000.0,
        TPCB: 1500.0,
        SIMPLE: 2500.0,
    }
    return MoneyFigures({name: [rate] * 3 for name, rate in per_s.items()}, {}, {}, [])


def _report(hops: HopFigures) -> Report:
    report = Report("Measured on nothing.", {"rounds": 3})
    report.ratios |= hops.ratios() | _money().ratios()
    return report


def test_the_ratios_that_are_promised_are_there_by_their_names() -> None:
    said = json.loads(_report(_hops(GATEWAY, CONSTANT, TWO_TRIPS, PEER)).as_json())
    expected = {
        "hop_cpu_vs_flask_two_redis_trips": 1.5,
        "hop_cpu_vs_ussd_menu_builder": 2.0,
        "transfer_vs_minimal_function": 0.6,
        "transfer_vs_tpcb_like": 2.0,
        "hot_account_vs_uniform": 0.9,
    }
    assert {name: said["ratios"][name] for name in expected} == expected
    assert said["ratios_spread"]["hot_account_vs_uniform"] == [0.9, 0.9]
    assert said["machine"] == "Measured on nothing."


def test_a_peer_that_was_not_there_is_null_and_the_reason_is_said() -> None:
    report = _report(_hops(GATEWAY, CONSTANT, TWO_TRIPS))
    report.ratios["hop_cpu_vs_ussd_menu_builder"] = None
    report.skipped[PEER] = "there is no node"
    said = json.loads(report.as_json())
    assert said["ratios"]["hop_cpu_vs_ussd_menu_builder"] is None
    assert said["skipped"] == {PEER: "there is no node"}
    assert "SKIPPED ussd-menu-builder: there is no node" in report.as_text()


def test_a_ratio_that_misses_what_was_wanted_says_so() -> None:
    lines = _report(_hops(GATEWAY, CONSTANT, TWO_TRIPS, PEER)).as_text().splitlines()
    verdicts = {line.split()[0]: line.split()[-1] for line in lines if "at " in line}
    assert verdicts["hop_cpu_vs_flask_two_redis_trips"] == "MISSED"
    assert verdicts["transfer_vs_minimal_function"] == "MISSED"
    assert verdicts["transfer_vs_tpcb_like"] == "met"
    assert verdicts["hot_account_vs_uniform"] == "met"


def test_each_part_is_an_object_of_rows_with_medians() -> None:
    report = Report("m", {})
    report.parts["hop"] = {"chaski": {"cpu_us": spread([1.0, 2.0, 3.0]), "mib": 12.345}}
    said = json.loads(report.as_json())
    assert said["hop"] == {
        "chaski": {"cpu_us": {"median": 2.0, "low": 1.0, "high": 3.0}, "mib": 12.3}
    }


def test_goodput_beyond_capacity_is_judged_by_the_highest_load() -> None:
    offered = {share: {"right_of_capacity": [share / 2]} for share in OFFERED}
    ratios = SaturationFigures([100.0], offered).ratios()
    assert ratios["goodput_at_twice_capacity"] == spread([1.0])
