"""Versions made by hand for the tests of the history gate: from columns, without files of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dvtool.quality.history.version import Version
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

MakeVersion = Callable[..., Version]


@pytest.fixture
def version(tmp_path: Path) -> Iterator[MakeVersion]:
    """Returns a function from a name and Arrow columns to a version."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with Engine(scratch=tmp_path, threads=1) as engine:

        def make(name: str, columns: dict[str, Any]) -> Version:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
            pq.write_table(pa.table(columns), path)
            return Version(name, profile_table(engine, open_table(engine, path, name=name)))

        yield make


def sales(at: int, rows: int = 400) -> dict[str, Any]:
    """Returns one day of sales: a counter, a date, prices by kind, a region and its code."""
    rng = np.random.default_rng(100 + at)
    regions = np.array(["north", "south", "east", "west", "centre"])
    codes = rng.integers(0, 5, rows)
    kind = rng.integers(0, 3, rows)
    return {
        "id": np.arange(at * 1000, at * 1000 + rows),
        "day": np.full(rows, np.datetime64("2024-03-01") + at),
        "region": regions[codes].tolist(),
        "code": codes + 10,
        "kind": np.array(["a", "b", "c"])[kind].tolist(),
        "price": np.round(10 * (kind + 1) + rng.normal(0, 1, rows), 2),
        "amount": rng.poisson(4, rows),
    }
