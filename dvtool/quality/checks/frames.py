"""Columns and tables as pandas objects, and pandera checks run on them.

A batch of a column holds its present values only, so that a missing one changes no type; its index
is the data row. What is too large to be held whole is not loaded. `schema_reference` calls these.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dvtool.quality.checks.subject import Subject
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import quoted
from dvtool.quality.tables.table import ROW, Column

if TYPE_CHECKING:
    import pandas as pd

Untyped = Any
"""Checks, types and answers of pandera, which have no types of their own."""
BATCH_ROWS = 100_000
_TEXT_BYTES = 80
"""What one value of text costs in a frame, beside its characters, about."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What a check said.

    Args:
        failed: Whether it failed.
        count: Rows that broke it, 0 when it answers for all of them together.
        total: Rows it looked at.
        rows: The first few, with a text to show.
        too_large: Why it was not run, empty when it was.
    """

    failed: bool = False
    count: int = 0
    total: int = 0
    rows: tuple[tuple[int, str | None], ...] = ()
    too_large: str = ""


def column_batches(
    subject: Subject, column: Column, dtype: Untyped, size: int
) -> Generator[pd.Series[Any], None, None]:
    """Yields the present values of a column, at most `size` at once, indexed by data row."""
    import pyarrow as pa

    name = quoted(column.name)
    sql = (
        f'SELECT "{ROW}" AS __r, {name} AS __v FROM {subject.table.source} '
        f'WHERE {name} IS NOT NULL ORDER BY "{ROW}"'
    )
    reader = subject.engine.connection.sql(sql).to_arrow_reader(size)
    try:
        for batch in reader:
            if batch.num_rows:
                frame = pa.Table.from_batches([batch]).to_pandas()
                values = frame.set_index("__r")["__v"].rename(column.name)
                yield values if dtype is None else values.astype(dtype.type)
    finally:
        reader.close()  # an open result would block the connection for every later query


def run_on_batches(
    check: Untyped, batches: Generator[pd.Series[Any], None, None], limit: int, private: bool
) -> Failures:
    """Returns what a row by row check says of all batches together."""
    count = total = 0
    rows: list[tuple[int, str | None]] = []
    with closing(batches):
        for values in batches:
            total += len(values)
            answer = check(values)
            if bool(answer.check_passed):
                continue
            broken = _broken(answer.check_output, values)
            count += len(broken)
            rows += [
                (int(row), None if private else str(value))
                for row, value in broken.head(limit - len(rows)).items()
            ]
    return Failures(count > 0, count, total, tuple(rows))


def whole_column(
    subject: Subject, column: Column, dtype: Untyped, check: Untyped, memory_bytes: int
) -> Failures:
    """Returns what a check says of a whole column, missing values included unless it skips them."""
    if why := _too_large(subject, [column], memory_bytes):
        return Failures(too_large=why)
    frame = _frame(subject, [column])
    values = frame[column.name]
    if dtype is not None and (check.ignore_na or not values.isna().any()):
        values = values.dropna().astype(dtype.type)
    return _said(subject, check(values), values, column.name in subject.private)


def whole_frame(
    subject: Subject, check: Untyped, memory_bytes: int, column: str | None
) -> Failures:
    """Returns what a check says of the whole table, or of a column grouped by others."""
    columns = list(subject.table.columns)
    if why := _too_large(subject, columns, memory_bytes):
        return Failures(too_large=why)
    frame = _frame(subject, columns)
    answer = check(frame) if column is None else check(frame, column)
    return _said(subject, answer, None, private=True)


def worth_bytes(subject: Subject, columns: list[Column]) -> int:
    """Returns how much memory a frame of some columns takes, about."""
    fixed = sum(8 for column in columns if column.kind not in (Kind.TEXT, Kind.LIST, Kind.OTHER))
    texts = [column for column in columns if column.kind in (Kind.TEXT, Kind.LIST, Kind.OTHER)]
    if not texts:
        return fixed * subject.table.rows
    sizes = " + ".join(
        f"coalesce(sum(strlen(CAST({quoted(one.name)} AS VARCHAR))), 0)" for one in texts
    )
    characters = int(subject.engine.rows(f"SELECT {sizes} FROM {subject.table.source}")[0][0])
    return (fixed + _TEXT_BYTES * len(texts)) * subject.table.rows + characters


def _too_large(subject: Subject, columns: list[Column], memory_bytes: int) -> str:
    size = worth_bytes(subject, columns)
    if size <= memory_bytes:
        return ""
    what = "the whole column" if len(columns) == 1 else "the whole table"
    return f"needs {what} in memory, about {_mib(size)}, allowed {_mib(memory_bytes)}"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB" if size >= 1 << 20 else f"{size} bytes"


def _frame(subject: Subject, columns: list[Column]) -> pd.DataFrame:
    names = ", ".join(quoted(column.name) for column in columns)
    sql = f'SELECT {names}, "{ROW}" FROM {subject.table.source} ORDER BY "{ROW}"'
    result = subject.engine.connection.sql(sql).to_arrow_table()
    found: pd.DataFrame = result.to_pandas().set_index(ROW)
    return found


def _said(
    subject: Subject, answer: Untyped, values: pd.Series[Any] | None, private: bool
) -> Failures:
    import pandas as pd

    if bool(answer.check_passed):
        return Failures()
    output = answer.check_output
    if isinstance(output, pd.DataFrame):
        output = output.all(axis=1)
    if not isinstance(output, pd.Series) or output.index.nlevels != 1 or output.dtype != bool:
        return Failures(failed=True)
    broken = output[~output]
    shown = values if values is not None and not private else None
    rows = tuple(
        (int(row), None if shown is None else str(shown.loc[row]))
        for row in broken.head(subject.limit).index
    )
    return Failures(True, len(broken), len(output), rows)


def _broken(output: Untyped, values: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(output, pd.Series):
        kept = output.reindex(values.index).fillna(True).astype(bool)
        return values[~kept]
    return values if not bool(output) else values.iloc[:0]
