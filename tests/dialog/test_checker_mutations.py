"""The checker finds what is planted. Here a sample; `scripts/mutate-menus` plants every fault."""

from __future__ import annotations

from tests.dialog.menu_mutations import EXPLAINED, SHIPPED, Mutant, faults, mutants

_ONE_IN = 12


def sample() -> list[Mutant]:
    """The first of each kind, and every twelfth of all."""
    planted = list(mutants())
    firsts = {mutant.kind: mutant for mutant in reversed(planted)}
    return [*firsts.values(), *planted[::_ONE_IN]]


def test_a_planted_fault_is_told_where_it_stands() -> None:
    """At least 95 in 100; and what survives is what no checker can know."""
    planted = sample()
    survivors = [mutant for mutant in planted if not mutant.caught()]

    assert [mutant.name for mutant in survivors if mutant.kind not in EXPLAINED] == []
    assert len(survivors) <= 0.05 * len(planted)


def test_faults_are_planted_by_the_hundred() -> None:
    """A mutation that no longer applies would plant nothing, and so be caught every time."""
    planted = list(mutants())

    assert len(planted) > 1_500
    assert len({mutant.kind for mutant in planted}) > 50
    assert all(mutant.pages != SHIPPED for mutant in planted)


def test_what_is_not_touched_has_no_fault() -> None:
    """Or every mutant would be caught by it."""
    assert faults(SHIPPED) == []
