"""What the engine refused to take into the table: rows of the wrong shape, broken quotes.

Here the engine's list of rejected rows becomes findings with physical line numbers. Rejected rows
never enter a view. `csvfile` calls it.
"""

from __future__ import annotations

from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.lines import LineMap, line_of_byte
from dvtool.quality.tables.structure import EXAMPLES, structural, times
from dvtool.quality.tables.textfile import PlainText

CODES = frozenset({"ragged-rows", "broken-quotes", "long-lines", "truncated", "encoding-damage"})
_QUOTES = "UNQUOTED VALUE"
_LONG = "LINE SIZE OVER MAXIMUM"


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
        # one record can break several rules, and every surplus field is listed on its own
        "SELECT why, count(*), sum(few), list(spot ORDER BY spot)[:5], max(spot), "
        "max_by(size, spot), max_by(fields, spot), list(fields ORDER BY spot)[:5] FROM ("
        "SELECT line_byte_position AS spot, "
        f"CASE WHEN bool_or(error_type = '{_QUOTES}') THEN '{_QUOTES}' "
        f"WHEN bool_or(error_type = '{_LONG}') THEN '{_LONG}' ELSE 'ragged' END AS why, "
        "max(CASE WHEN error_type = 'MISSING COLUMNS' THEN 1 ELSE 0 END) AS few, "
        "max(strlen(csv_line)) AS size, max(column_idx) AS fields "
        f"FROM {rejected} GROUP BY line_byte_position) GROUP BY why ORDER BY why"
    )
    findings: list[Finding] = []
    for why, many, few, starts, last, size, fields, widths in groups:
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
            short = int(few) - (1 if cut else 0)
            findings.append(
                _ragged(
                    text.name,
                    left,
                    short,
                    width,
                    examples=examples,
                    first_width=int(widths[0] or 0),
                )
            )
    return findings


def _ragged(
    name: str,
    count: int,
    short: int,
    width: int,
    *,
    examples: list[tuple[int, int, None]],
    first_width: int,
) -> Finding:
    parts = [f"{short:,} too few"] if short else []
    parts += [f"{count - short:,} too many"] if count - short else []
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
