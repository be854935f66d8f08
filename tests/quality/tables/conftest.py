"""An engine for each test, and one call that writes bytes and opens them as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.table import Table

Read = Callable[..., Table]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with Engine(memory_bytes=256 << 20, threads=2, scratch=scratch) as engine:
        yield engine


@pytest.fixture
def read(engine: Engine, tmp_path: Path) -> Read:
    def write_and_open(
        data: bytes | str, name: str = "t.csv", options: ReadOptions | None = None
    ) -> Table:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return open_table(engine, path, name=name, options=options)

    return write_and_open


@pytest.fixture
def values(engine: Engine) -> Callable[..., list[tuple[object, ...]]]:
    """Returns the rows of a table's typed view, or of its raw view, in file order."""

    def rows(table: Table, *, raw: bool = False) -> list[tuple[object, ...]]:
        view = table.raw if raw else table.source
        return [row[1:] for row in engine.rows(f"SELECT * FROM {view} ORDER BY __row")]

    return rows


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [one.code for one in findings]
