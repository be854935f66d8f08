"""Tables made by hand for the profile tests: from rows, from CSV, from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.model import Profile
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

MakeProfile = Callable[..., Profile]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


@pytest.fixture
def profile_csv(engine: Engine, tmp_path: Path) -> MakeProfile:
    """Returns a function from CSV text, and options of `profile_table`, to a profile."""

    def make(text: str, **options: Any) -> Profile:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
        path.write_text(text, encoding="utf-8")
        return profile_table(engine, open_table(engine, path), **options)

    return make


@pytest.fixture
def profile_rows(engine: Engine, tmp_path: Path) -> MakeProfile:
    """Returns a function from Arrow columns, and options of `profile_table`, to a profile."""

    def make(columns: dict[str, Any], **options: Any) -> Profile:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        pq.write_table(pa.table(columns), path)
        return profile_table(engine, open_table(engine, path), **options)

    return make
