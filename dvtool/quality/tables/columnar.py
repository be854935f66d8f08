"""Reads Parquet and Arrow: files that carry their own types.

Parquet stays where it is and is scanned by the engine through a view; Arrow is copied into the
engine once, batch by batch. Text formats are read elsewhere (`textfile`). `opening` calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dvtool.quality.findings import Finding, Severity
from dvtool.quality.tables.contents import judge_contents
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.naming import unique_names
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.structure import structural, unreadable, worst_first
from dvtool.quality.tables.table import Table
from dvtool.quality.tables.unpacking import refuse_packed
from dvtool.quality.tables.views import Field, make_views

if TYPE_CHECKING:
    import pyarrow as pa

_PARQUET_MARKS = (b"PAR1", b"PARE")
_ARROW_MARK = b"ARROW1"
_STREAM_END = b"\xff\xff\xff\xff\0\0\0\0"
_SHORT = "Expected to"
"""How Arrow's words begin for a message that is shorter than it says."""


@dataclass(frozen=True, slots=True)
class _Relation:
    """What the views are made over: a relation, its row number, and its own column names."""

    name: str
    row: str
    columns: tuple[tuple[str, str], ...]
    """(name in the engine, engine type)"""
    names: tuple[str, ...]
    """As written in the file."""
    findings: tuple[Finding, ...] = ()


def read_columnar(
    engine: Engine,
    path: Path,
    name: str,
    options: ReadOptions,
    *,
    contents: bool = True,
    damage: bool = True,
) -> Table:
    """Returns the table of a Parquet or Arrow file; arguments as `open_table`.

    Raises:
        Unreadable: The file is damaged, cut off, or of another format.
        ExtraMissing: pyarrow is needed and not installed.
    """
    refuse_packed(path, name, options.format.capitalize())
    load = _scan_parquet if options.format == "parquet" else _load_arrow
    relation = load(engine, path, name)
    names, found = unique_names(relation.names, name)
    findings: list[Finding] = [*relation.findings, *found]
    fields = [
        Field(new, quoted(column), kind)
        for new, (column, kind) in zip(names, relation.columns, strict=True)
    ]
    columns, source, raw = make_views(engine, relation.name, relation.row, fields)
    # reading every value once finds damage here, not in the middle of a check
    rows = int(engine.rows(f"SELECT count(*) FROM {relation.name}")[0][0])
    if not rows:
        message = f"no rows under {len(columns)} columns"
        findings.append(structural("no-rows", message, name, rows=0))
    table = Table(name, options, columns, rows, source, raw)
    if contents or damage:
        found = judge_contents(engine, table)
        findings += found if contents else []
    return replace(table, findings=worst_first(findings))


def _scan_parquet(engine: Engine, path: Path, name: str) -> _Relation:
    import duckdb

    with path.open("rb") as file:
        head = file.read(4)
        file.seek(max(file.seek(0, 2) - 4, 0))
        tail = file.read(4)
    if head not in _PARQUET_MARKS:
        raise unreadable("not-a-table", "the file does not begin like Parquet", name)
    if tail not in _PARQUET_MARKS:
        raise unreadable("truncated", "the footer of the Parquet file is missing", name)
    relation = engine.fresh("parquet")
    scan = f"read_parquet({literal(str(path))}, hive_partitioning=false"
    try:
        engine.rows(f"CREATE VIEW {relation} AS SELECT * FROM {scan}, file_row_number=true)")
    except duckdb.BinderException:  # the file has a column of that very name
        numbered = "row_number() OVER () - 1 AS __number"
        engine.rows(f"CREATE VIEW {relation} AS SELECT *, {numbered} FROM {scan})")
    described = [(str(row[0]), str(row[1])) for row in engine.rows(f"DESCRIBE {relation}")]
    *columns, (number, _) = described
    written = tuple(column for column, _ in columns)
    return _Relation(relation, f"{quoted(number)} + 1", tuple(columns), written)


def _load_arrow(engine: Engine, path: Path, name: str) -> _Relation:
    import duckdb
    import pyarrow as pa

    if _has_no_footer(path):
        raise unreadable("truncated", "the footer of the Arrow file is missing", name)
    feed = engine.fresh("feed")
    broken: list[Exception] = []
    try:
        with pa.memory_map(str(path)) as file:
            schema, batches = _batches(file)
            names = [str(one) for one in schema.names]
            plain = pa.schema(
                [schema.field(place).with_name(f"c{place}") for place in range(len(names))]
            )
            renamed = (batch.rename_columns(plain.names) for batch in _noting(batches, broken))
            reader = pa.RecordBatchReader.from_batches(plain, renamed)
            engine.connection.register(feed, reader)
            relation = engine.create("arrow", f"SELECT * FROM {feed}", path.stat().st_size)
            engine.connection.unregister(feed)
    except (pa.ArrowException, OSError) as error:
        first = str(error).strip().split("\n")[0]
        raise unreadable("unreadable", f"not an Arrow file: {first}", name) from error
    except duckdb.Error as error:
        if not broken:
            raise
        why = str(broken[0]).strip().split("\n")[0]
        code = "truncated" if why.startswith(_SHORT) else "unreadable"
        raise unreadable(code, f"the Arrow data end or break in the middle: {why}", name) from error
    described = engine.rows(f"DESCRIBE {relation}")
    columns = tuple((str(row[0]), str(row[1])) for row in described)
    return _Relation(relation, "rowid + 1", columns, tuple(names), tuple(_no_end(path, name)))


def _has_no_footer(path: Path) -> bool:
    """Tells whether a file begins as Arrow's format with a footer and does not end like it."""
    with path.open("rb") as file:
        if file.read(len(_ARROW_MARK)) != _ARROW_MARK:
            return False
        file.seek(-len(_ARROW_MARK), 2)
        return file.read() != _ARROW_MARK


def _no_end(path: Path, name: str) -> Iterator[Finding]:
    """Yields a warning where a stream just stops: its writer may have died between two batches."""
    with path.open("rb") as file:
        begins = file.read(4)
        file.seek(max(file.seek(0, 2) - len(_STREAM_END), 0))
        if begins == _STREAM_END[:4] and file.read() != _STREAM_END:
            message = "the Arrow stream has no end mark, so batches may be missing"
            yield structural("truncated", message, name, severity=Severity.WARN)


def _noting(batches: Iterator[pa.RecordBatch], broken: list[Exception]) -> Iterator[pa.RecordBatch]:
    """Yields batches; keeps an error, which the engine would tell with a traceback inside."""
    import pyarrow as pa

    try:
        yield from batches
    except (pa.ArrowException, OSError) as error:
        broken.append(error)
        raise


def _batches(file: pa.MemoryMappedFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Returns schema and record batches of an Arrow file, an Arrow stream or Feather version 1."""
    import pyarrow.feather
    import pyarrow.ipc

    head = file.read(6)
    file.seek(0)
    if head == _ARROW_MARK:
        reader = pyarrow.ipc.open_file(file)
        return reader.schema, (reader.get_batch(i) for i in range(reader.num_record_batches))
    if head[:4] == b"FEA1":
        table = pyarrow.feather.read_table(file)
        return table.schema, iter(table.to_batches())
    stream = pyarrow.ipc.open_stream(file)
    return stream.schema, iter(stream)
