"""A sample of the records of a large file of text, taken before the file is parsed.

It only proposes how columns are read, so a record cut by a bad guess does no harm: what is proposed
is proven by counting over all rows. It also tells how much memory the rows will take. `csvfile` calls
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dvtool.quality.tables.casting import TYPES, Cell, Stored, stored_sql
from dvtool.quality.tables.engine import WIDE, Engine
from dvtool.quality.tables.headroom import INLINED_BYTES, row_bytes
from dvtool.quality.tables.proposing import SAMPLE_ROWS
from dvtool.quality.tables.scanning import Survey

_BLOCKS = 200


def can_cut(seen: Survey) -> bool:
    """Tells whether every line feed of a file ends a record, so that any block of lines is whole."""
    return not seen.has_quote and not seen.cr and seen.lf + seen.crlf > 0


def write_sample(path: Path, target: Path, *, skip: int) -> None:
    """Writes blocks of whole lines from all over a file, about as many as a sample has rows.

    Args:
        path: A file that `can_cut` holds for.
        target: Where to write them.
        skip: Lines at the beginning to leave out.
    """
    size = path.stat().st_size
    with path.open("rb") as file, target.open("wb") as sink:
        for _ in range(skip):
            file.readline()
        start = file.tell()
        step = max((size - start) // _BLOCKS, 1)
        place = start
        for block in range(_BLOCKS):
            at = start + block * step
            if at > place:
                place = file.seek(at - 1)
                place += len(file.readline())
            for _ in range(SAMPLE_ROWS // _BLOCKS):
                if place >= at + step:
                    break
                line = file.readline()
                place += len(line)
                sink.write(line)


def held_bytes(engine: Engine, sample: str, columns: Sequence[Stored], seen: Survey) -> int:
    """Returns what all rows take in memory as they are kept, about.

    The spelling of values that is kept beside them costs next to nothing where there is none. Tables
    of very many columns are not asked, since that is slow: the most they can take is returned.

    Args:
        engine: Holds `sample`.
        sample: A table of the text of some rows.
        columns: What is kept of each column.
        seen: The file.
    """
    cells = [one.cell for one in columns]
    text, spelled = seen.size_bytes, {one.rest for one in cells}
    if len(cells) <= WIDE:
        strings = [one.rest or one.text for one in cells]
        asked = ", ".join(f"count({one}), coalesce(sum({_apart(one)}), 0)" for one in strings)
        query = f"SELECT count(*), {asked} FROM ({stored_sql(columns, sample)})"
        ((rows, *found),) = engine.rows(query)
        spelled = {one for one, count in zip(strings, found[::2], strict=True) if count}
        text = min(text, sum(map(int, found[1::2])) * seen.lines // max(rows, 1))
    types = [name for one in cells for name in _types(one, spelled)]
    return seen.lines * row_bytes(types) + text


def _apart(text: str) -> str:
    """Returns the SQL of how many bytes of a string lie elsewhere than in its row."""
    return f"CASE WHEN strlen({text}) > {INLINED_BYTES} THEN strlen({text}) END"


def _types(cell: Cell, spelled: set[str]) -> list[str]:
    """Returns the engine types of what is kept of a column."""
    values = [TYPES[cell.reading.kind]] if cell.value else []
    return values + ["VARCHAR"] * (not cell.rest or cell.rest in spelled)
