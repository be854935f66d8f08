"""Law: what Python's csv module writes, in whatever dialect, the raw view gives back, line by line."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.options import ReadOptions

PIECES = [*"ab01 .,;|\t'\"\\é日-:\n", "\r\n", '""', "NA"]
CELLS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from([",", ";", "\t", "|"]),
        "lineterminator": st.sampled_from(["\n", "\r\n"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    }
)


@st.composite
def tables(draw):
    width = draw(st.integers(2, 4))
    return draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8))


@pytest.fixture(scope="module")
def shared_engine():
    with Engine() as engine:
        yield engine


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(rows=tables(), dialect=DIALECTS)
def test_raw_text_and_line_numbers_survive_every_dialect(shared_engine, rows, dialect):
    engine = shared_engine
    text = io.StringIO(newline="")
    writer = csv.writer(text, **dialect)
    writer.writerow([f"name{place}" for place in range(len(rows[0]))])
    starts = []
    for row in rows:
        before = text.getvalue()
        starts.append(before.count("\n") + 1)
        writer.writerow(row)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(text.getvalue().encode())
        options = ReadOptions(delimiter=dialect["delimiter"])

        table = open_table(engine, path, options=options)
        found = engine.rows(f"SELECT * FROM {table.raw} ORDER BY __row")
        lines = table.lines(engine, range(1, len(rows) + 1))

    assert [list(row[1:]) for row in found] == rows
    assert [lines[nth] for nth in range(1, len(rows) + 1)] == starts
