"""From data rows back to physical lines, found only for the rows that somebody reports.

Line numbers are not kept for every row: most files have one row a line, and for the others the
file is read once more up to the last row asked for. `Table.lines` calls it, and the readers call it
for their own findings.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dvtool.quality.tables.engine import Engine

_FIELD_LIMIT = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class LineMap:
    """How rows lie in lines.

    Args:
        path: UTF-8 file that was parsed, plain; None when the format has no lines.
        first: Line of the first data row when every row takes exactly one line, else 0.
        table: Of JSON lines: the engine table with a column `record`; else empty.
        start: Physical lines before the first record that is not a data row's (header included).
        width: Fields of a data row; records of another width were no data rows.
        delimiter: As in `ReadOptions`.
        quote: As in `ReadOptions`.
        escape: As in `ReadOptions`.
        header: Whether the first record after `start` lines is the header.
    """

    path: Path | None = None
    first: int = 0
    table: str = ""
    start: int = 0
    width: int = 0
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    header: bool = True

    def find(self, engine: Engine, rows: Sequence[int]) -> dict[int, int]:
        """Returns the lines of some 1-based data rows; see `Table.lines`."""
        wanted = sorted({row for row in rows if row > 0})
        if not wanted:
            return {}
        if self.first:
            return {row: self.first + row - 1 for row in wanted}
        if self.table:
            return self._by_record(engine, wanted)
        return self._by_parsing(wanted) if self.path else {}

    def _by_record(self, engine: Engine, wanted: list[int]) -> dict[int, int]:
        """Returns lines of JSON lines: the table knows which record a row is, blank lines do not count."""
        assert self.path is not None
        marks = ", ".join(str(row - 1) for row in wanted)
        known = engine.rows(f"SELECT rowid + 1, record FROM {self.table} WHERE rowid IN ({marks})")
        lines = line_of_record(self.path, [int(record) for _, record in known])
        return {int(row): lines[int(record)] for row, record in known if int(record) in lines}

    def _by_parsing(self, wanted: list[int]) -> dict[int, int]:
        assert self.path is not None
        found: dict[int, int] = {}
        csv.field_size_limit(_FIELD_LIMIT)
        with self.path.open(encoding="utf-8", errors="replace", newline="") as lines:
            for _ in range(self.start):
                lines.readline()
            reader = csv.reader(
                lines,
                delimiter=self.delimiter,
                quotechar=self.quote or None,
                quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
                doublequote=self.escape == self.quote,
                escapechar=self.escape if self.escape != self.quote and self.escape else None,
            )
            if self.header:
                next(reader, None)
            row, last, targets = 0, reader.line_num, set(wanted)
            for record in reader:
                if record and len(record) == self.width:
                    row += 1
                    if row in targets:
                        found[row] = self.start + last + 1
                        if row == wanted[-1]:
                            break
                last = reader.line_num
        return found


def line_of_byte(path: Path, offsets: Sequence[int]) -> list[int]:
    r"""Returns the 1-based physical line of each 0-based byte offset, in the order given.

    Leading line ends at an offset itself (blank lines before a record) are passed over. Lines end
    in `\n`, `\r\n` or a lone `\r`.
    """
    answers: dict[int, int] = {}
    line, position = 1, 0
    with path.open("rb") as file:
        for offset in sorted(set(offsets)):
            while position < offset:
                chunk = file.read(min(offset - position, 1 << 22))
                if not chunk:
                    break
                if chunk.endswith(b"\r"):
                    after = file.read(1)
                    if after == b"\n":
                        chunk += after
                    elif after:
                        file.seek(-1, 1)
                position += len(chunk)
                line += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
            ahead = file.read(4096)
            file.seek(-len(ahead), 1)
            blank = ahead[: len(ahead) - len(ahead.lstrip(b"\r\n"))]
            answers[offset] = line + blank.count(b"\n") + blank.count(b"\r") - blank.count(b"\r\n")
    return [answers[offset] for offset in offsets]


def line_of_record(path: Path, records: Sequence[int]) -> dict[int, int]:
    """Returns the physical line of each wanted record of JSON lines, blank lines passed over.

    Args:
        path: The file.
        records: 1-based places among the lines that are not blank.
    """
    wanted, nth = set(records), 0
    found: dict[int, int] = {}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                nth += 1
                if nth in wanted:
                    found[nth] = number
                    if len(found) == len(wanted):
                        break
    return found
