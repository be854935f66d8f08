"""The door to tables: a path in, a `Table` or `Unreadable` out, never another error.

Here a file's format and compression are settled and the right reader is called. Parsing lives in
the readers (`csvfile`, `jsonfile`, `columnar`, `workbook`). Checks, profiles and the operations call
`open_table`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.structure import unreadable
from dvtool.quality.tables.table import Table

_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".psv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".geojson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".arrows": "arrow",
    ".ipc": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_COMPRESSIONS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
_TEXTUAL = frozenset({"csv", "json", "jsonl"})


def is_table(name: str) -> bool:
    """Tells by a name's endings whether `open_table` would try to read it without being told how."""
    found, compression = _endings(name)
    return bool(found) and (not compression or found in _TEXTUAL)


def open_table(
    engine: Engine, path: Path, *, name: str = "", options: ReadOptions | None = None
) -> Table:
    """Returns the table that a file holds, read once, with its structural findings.

    Without options, everything is sniffed and `Table.options` says what came out; with options they
    are followed, and what does not fit them is a finding. A name that says nothing is read as CSV.

    Args:
        engine: Holds the table's views; the table lives as long as it does.
        path: A file.
        name: What the user calls it; the path itself when empty.
        options: How to read it; None to find out.

    Raises:
        Unreadable: No table can be had: an empty file, damage, not a table.
        ExtraMissing: The format needs a package that is not installed.
        OSError: The file cannot be opened.
    """
    import duckdb

    name = name or str(path)
    size = path.stat().st_size
    if size == 0:
        raise unreadable("empty-file", "the file has 0 bytes", name, bytes=0)
    found, compression = _endings(path.name)
    settled = options or replace(ReadOptions(), format=found or "csv", compression=compression)
    try:
        return _read(engine, path, name, settled, told=options is not None)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        raise  # our own SQL is wrong, not the file
    except (duckdb.Error, UnicodeError, MemoryError) as error:
        first = str(error).strip().split("\n")[0]
        raise unreadable("unreadable", f"cannot be read: {first}", name) from error


def _read(engine: Engine, path: Path, name: str, options: ReadOptions, *, told: bool) -> Table:
    if options.format in _TEXTUAL:
        from dvtool.quality.tables.textfile import read_text

        return read_text(engine, path, name, options, told=told)
    if options.format == "xlsx":
        from dvtool.quality.tables.workbook import read_workbook

        return read_workbook(engine, path, name, options, told=told)
    from dvtool.quality.tables.columnar import read_columnar

    return read_columnar(engine, path, name, options)


def _endings(name: str) -> tuple[str, str]:
    """Returns format and compression by a name's endings, each empty when they say nothing."""
    stem = name.lower()
    compression = ""
    for ending, kind in _COMPRESSIONS.items():
        if stem.endswith(ending):
            stem, compression = stem.removesuffix(ending), kind
            break
    for ending, kind in _FORMATS.items():
        if stem.endswith(ending):
            return kind, compression
    return "", compression
