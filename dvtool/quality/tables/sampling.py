"""A sample of the records of a large file of text, taken before the file is parsed.

It only proposes how columns are read, so a record cut by a bad guess does no harm: what is proposed
is proven by counting over all rows. `csvfile` calls it.
"""

from __future__ import annotations

from pathlib import Path

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
