"""A table of many files says what one file with the same rows says: drawn at random, read both ways."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.given import Given
from dvtool.quality.judging import judge_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Member, Members

CHECKS = """\
columns:
  id: {type: int, unique: true}
  n: {min: 2, nulls: 1, mean: 3..5}
  word: {in: [a, b], nulls: '<= 10%'}
rows: {min: 12, max: 20}
"""
ROW = st.tuples(
    st.integers(0, 40),
    st.one_of(st.none(), st.integers(0, 9), st.floats(0, 9).map(lambda x: round(x, 1))),
    st.sampled_from(["a", "b", "c", "b\nb", ""]),
)


def text(rows: list[tuple[object, ...]]) -> str:
    return "id,n,word\n" + "".join(
        f'{key},{"" if n is None else n},"{word}"\n'
        if word
        else f"{key},{'' if n is None else n},\n"
        for key, n, word in rows
    )


def told(engine: Engine, given: Given) -> list[tuple[str, str, object]]:
    """Returns code, column and message of what the checks find."""
    found = judge_table(engine, given).findings
    return sorted(
        (one.code, one.column, one.message.partition(" (")[0])
        for one in found
        if one.rule is not None
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(ROW, min_size=1, max_size=9), min_size=2, max_size=4))
def test_many_files_say_what_one_file_with_their_rows_says(
    files: list[list[tuple[object, ...]]],
) -> None:
    spec = parse_checks(CHECKS).tables[0]
    with tempfile.TemporaryDirectory() as folder:
        members = []
        for number, rows in enumerate(files):
            path = Path(folder, f"{number}.csv")
            path.write_text(text(rows))
            mark = hashlib.sha256(path.read_bytes()).hexdigest()
            members.append(Member(path.name, path.name, path, mark))
        whole = Path(folder, "whole.csv")
        whole.write_text(text([row for rows in files for row in rows]))
        now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        with Engine() as engine:
            one = told(engine, Given("t", whole, spec, "t.checks.yaml", now=now))
        with Engine() as engine:
            many = told(engine, Given("t", Members(tuple(members)), spec, "t.checks.yaml", now=now))

    assert many == one
