"""What the engine refused to take into the table: rows of the wrong shape, broken quotes.

Here the engine's list of rejected rows becomes findings with physical line numbers. Rejected rows
never enter a view. `csvfile` calls it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from dvtool.quality.findings import Finding
from dvtool.quality.tables import sniffing
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.lines import LineMap, line_of_byte
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.structure import EXAMPLES, structural, times
from dvtool.quality.tables.table import RaggedRow
from dvtool.quality.tables.textfile import PlainText

CODES = frozenset({"ragged-rows", "broken-quotes", "long-lines", "truncated", "encoding-damage"})
_QUOTES = "UNQUOTED VALUE"
_LONG = "LINE SIZE OVER MAXIMUM"
_LONGEST = 1 << 16
"""Bytes of a ragged row up to which its fields are looked at."""


def count(engine: Engine, rejected: str) -> int:
    """Returns how many records the engine refused."""
    sql = f"SELECT count(DISTINCT line_byte_position) FROM {rejected}"
    return int(engine.rows(sql)[0][0])


def judge(
    engine: Engine, rejected: str, text: PlainText, width: int, places: LineMap
) -> list[Finding]:
    """Returns the findings about refused records.

    Args:
        engine: Holds the list.
        rejected: Its table.
        text: The file that was parsed.
        width: Fields that a row must have.
        places: Where rows lie.
    """
    groups = engine.rows(
        # One record can break several rules, and every surplus or missing field is listed on its own.
        "SELECT why, count(*), list(spot ORDER BY spot)[:5], max(spot), "
        "max_by(size, spot), max_by(fields, spot), list(fields ORDER BY spot)[:5], "
        "histogram(fields) FROM ("
        "SELECT line_byte_position AS spot, "
        f"CASE WHEN bool_or(error_type = '{_QUOTES}') THEN '{_QUOTES}' "
        f"WHEN bool_or(error_type = '{_LONG}') THEN '{_LONG}' ELSE 'ragged' END AS why, "
        "max(strlen(csv_line)) AS size, "
        "coalesce(min(column_idx) FILTER (error_type = 'MISSING COLUMNS'), max(column_idx)) AS fields "
        f"FROM {rejected} GROUP BY line_byte_position) GROUP BY why ORDER BY why"
    )
    findings: list[Finding] = []
    for why, many, starts, last, size, fields, widths, counts in groups:
        lines = line_of_byte(text.path, [int(at) - 1 for at in starts])
        short_last = why == _QUOTES or (why != _LONG and int(fields or 0) < width)
        cut = short_last and _is_cut(text, int(last), int(size))
        if cut:
            findings.append(_truncated(text, int(last), why, int(fields or 0), width))
        left = int(many) - cut
        if not left:
            continue
        examples = [(line, 0, None) for line in lines][: min(left, EXAMPLES)]
        if why == _QUOTES:
            message = f"{times(left, 'record')} with broken quotes left out, allowed 0"
            findings.append(
                structural("broken-quotes", message, text.name, examples=examples, records=left)
            )
        elif why == _LONG:
            message = f"{times(left, 'line')} longer than 8 MiB left out"
            findings.append(
                structural("long-lines", message, text.name, examples=examples, records=left)
            )
        else:
            found = Counter({int(key): int(many) for key, many in counts.items()})
            if cut:
                found[int(fields)] -= 1
            findings.append(
                _ragged(
                    text.name, +found, width, examples=examples, first_width=int(widths[0] or 0)
                )
            )
    return findings


def ragged_rows(
    engine: Engine, rejected: str, text: PlainText, options: ReadOptions, width: int
) -> tuple[RaggedRow, ...]:
    """Returns the first rows with another number of fields, those of very long lines left out.

    Args:
        engine: Holds the list.
        rejected: Its table.
        text: The file that was parsed.
        options: How it was split.
        width: Fields that a row must have.
    """
    found = engine.rows(
        "SELECT line_byte_position, any_value(csv_line) AS line "
        f"FROM {rejected} GROUP BY ALL HAVING strlen(line) <= {_LONGEST} AND "
        "bool_and(error_type IN ('MISSING COLUMNS', 'TOO MANY COLUMNS')) "
        f"ORDER BY line_byte_position LIMIT {EXAMPLES}"
    )
    lines = line_of_byte(text.path, [int(at) - 1 for at, _ in found])
    rows = [
        RaggedRow(line, record.fields)
        for line, (_, written) in zip(lines, found, strict=True)
        for record in sniffing.split(
            written, options.delimiter, options.quote, options.escape, limit=1
        )
    ]
    return tuple(row for row in rows if len(row.fields) != width)


def _ragged(
    name: str,
    counts: Mapping[int, int],
    width: int,
    *,
    examples: list[tuple[int, int, None]],
    first_width: int,
) -> Finding:
    count = sum(counts.values())
    short = sum(many for fields, many in counts.items() if fields < width)
    few, many = (sorted(one for one in counts if (one < width) is few) for few in (True, False))
    parts = [f"{short:,} too few ({_span(few)})"] if short else []
    parts += [f"{count - short:,} too many ({_span(many)})"] if count - short else []
    message = (
        f"{times(count, 'row')} without {times(width, 'field')}, allowed 0: {', '.join(parts)}; "
        "left out of the table"
    )
    return structural(
        "ragged-rows",
        message,
        name,
        examples=examples,
        rows=count,
        too_few=short,
        too_many=count - short,
        fields=width,
        first_fields=first_width,
    )


def _span(sizes: Sequence[int]) -> str:
    return f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"


def _is_cut(text: PlainText, start: int, size: int) -> bool:
    """Tells whether a refused record is the end of a file that stops in the middle of a line."""
    reaches_end = start - 1 + size >= text.seen.size_bytes - 2
    return reaches_end and not text.seen.ends_line


def _truncated(text: PlainText, at: int, why: str, fields: int, width: int) -> Finding:
    line = line_of_byte(text.path, [at - 1])[0]
    if why == _QUOTES:
        message = "the file ends inside a quoted field"
    else:
        message = f"the last line has {times(fields, 'field')} instead of {width} and no line end"
    return structural("truncated", message, text.name, line=line, fields=fields)
