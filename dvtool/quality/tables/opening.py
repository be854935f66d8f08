"""The door to tables: a path in, a `Table` or `Unreadable` out, never another error.

Here a file's format and compression are settled and the right reader is called. Parsing lives in
the readers (`csvfile`, `jsonfile`, `columnar`, `workbook`). Checks, profiles and the operations call
`open_table`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dvtool.quality.tables.endings import TEXTUAL, endings
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Members, Source
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.structure import too_large, unreadable
from dvtool.quality.tables.table import Table


def open_table(
    engine: Engine,
    path: Source,
    *,
    name: str = "",
    options: ReadOptions | None = None,
    contents: bool = True,
    damage: bool = True,
) -> Table:
    """Returns the table that a file holds, or several do together, with its structural findings.

    Without options, everything is sniffed and `Table.options` says what came out; with options they
    are followed, and what does not fit them is a finding. Options that state no format leave it to
    the name, and what else they do not state is sniffed. A name that says nothing is read as CSV.

    Args:
        engine: Holds the table's views; the table lives as long as it does.
        path: A file, or the members of a table of several.
        name: What the user calls it; the path itself when empty.
        options: How to read it; None to find out.
        contents: Whether findings about values are wanted, such as repeated rows.
        damage: Whether files that carry their own types are looked through all the same, since that
            finds damage; else it is found in the middle of whatever reads them.

    Raises:
        Unreadable: No table can be had: an empty file, damage, not a table, too little memory.
        ExtraMissing: The format needs a package that is not installed.
        OSError: The file cannot be opened.
    """
    import duckdb

    if isinstance(path, Members):
        from dvtool.quality.tables.union import open_union

        return open_union(engine, path, name=name, options=options, contents=contents)
    name = name or str(path)
    size = path.stat().st_size
    if size == 0:
        raise unreadable("empty-file", "the file has 0 bytes", name, bytes=0)
    found, compression = endings(path.name)
    told: frozenset[str] = frozenset()
    settled = options or ReadOptions()
    if options is not None:
        told = options.told
    if "format" not in told:
        packed = settled.compression if "compression" in told else compression
        settled = replace(settled, format=found or "csv", compression=packed, stated=frozenset())
    try:
        return _read(engine, path, name, settled, told=told, contents=contents, damage=damage)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        raise  # our own SQL is wrong, not the file
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise too_large(name, engine.memory_bytes) from error
    except (duckdb.Error, UnicodeError) as error:
        first = str(error).strip().split("\n")[0]
        raise unreadable("unreadable", f"cannot be read: {first}", name) from error


def _read(
    engine: Engine,
    path: Path,
    name: str,
    options: ReadOptions,
    *,
    told: frozenset[str],
    contents: bool,
    damage: bool,
) -> Table:
    if options.format in TEXTUAL:
        from dvtool.quality.tables.textfile import read_text

        return read_text(engine, path, name, options, told=told, contents=contents)
    if options.format == "xlsx":
        from dvtool.quality.tables.workbook import read_workbook

        return read_workbook(engine, path, name, options, told=told)
    from dvtool.quality.tables.columnar import read_columnar

    return read_columnar(engine, path, name, options, contents=contents, damage=damage)
