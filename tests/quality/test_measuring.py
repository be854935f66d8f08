"""Distributions of many different numbers: the grid of ranks against numpy's own order statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from dvtool.quality import measuring
from dvtool.quality.drift.distributions import NumericDistribution
from dvtool.quality.measuring import GRID, distribution
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("rows", [4095, 4096, 50_001])
def test_a_grid_of_ranks_holds_the_order_statistics_that_numpy_picks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(measuring, "MAX_EXACT", 100)
    values = np.random.default_rng(7).normal(size=rows)
    file = tmp_path / "table.csv"
    file.write_text("a\n" + "\n".join(map(repr, values.tolist())) + "\n")

    with Engine() as engine:
        table = open_table(engine, file)
        found = distribution(engine, table, table.columns[0])

    shares = (np.arange(GRID) + 0.5) / GRID
    expected = np.quantile(values, shares, method="inverted_cdf")
    assert isinstance(found, NumericDistribution)
    times = (found.weights * GRID / rows).round().astype(int)
    assert np.repeat(found.values, times).tolist() == expected.tolist()
