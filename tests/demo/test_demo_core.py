"""A demo over the loopback Fineract: whoever looks into its folder finds the way to its books."""

from __future__ import annotations

from pathlib import Path

from gateway.demo.core import core_variables, running_core, variables_of


def test_the_core_is_found_by_the_demos_folder_while_it_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert variables_of(data) == {}
    with running_core(data, 18_080) as core:
        assert core.double.hooks.url == "http://127.0.0.1:18080/core/fineract/demo/hooks/"
        assert variables_of(data) == core_variables(core.url)
        assert core.url.startswith("http://127.0.0.1:")
    assert variables_of(data) == {}
