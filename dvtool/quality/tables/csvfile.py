"""Reads CSV: the engine parses once into text, kinds are decided over all rows, views type it.

Rows of the wrong shape are left out of the table and reported with their lines; nothing is padded
or shifted. Decoding comes before (`textfile`), deciding kinds after (`kinding`). `textfile` calls
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dvtool.quality.findings import Finding
from dvtool.quality.tables import naming, rejects, sniffing
from dvtool.quality.tables.contents import judge_contents
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.kinding import decide
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.scanning import normalise_newlines, survey
from dvtool.quality.tables.structure import structural, times, unreadable, worst_first
from dvtool.quality.tables.table import Table
from dvtool.quality.tables.textfile import PlainText
from dvtool.quality.tables.views import make_views

_SAMPLE_BYTES = 1 << 18
_LINE_BYTES = 1 << 23
_NO_NULL = "\x01\x02no null\x03"


@dataclass(frozen=True, slots=True)
class _Head:
    """The header and what comes before the data."""

    names: tuple[str, ...]
    width: int
    line: int
    data_after: int
    """Physical lines before the first data row."""


def read_csv(engine: Engine, text: PlainText) -> Table:
    """Returns the table of a CSV file.

    Raises:
        Unreadable: No record, no data row, or a file that no dialect splits.
    """
    sample = _sample(text.path)
    options = text.options if text.told else _sniffed(sample, text)
    head = _head(sample, options, text.name)
    findings = list(text.findings)
    names, naming_findings = naming.unique_names(
        head.names or [f"column{place + 1}" for place in range(head.width)],
        text.name,
        line=head.line,
    )
    findings += naming_findings
    if options.skip and not text.told and sample[: options.skip].strip():
        message = f"{times(options.skip, 'line')} before the header skipped"
        findings.append(structural("preamble", message, text.name, line=1, lines=options.skip))
    text, loaded, rejected = _load(engine, text, options, head, findings)
    rows = int(engine.rows(f"SELECT count(*) FROM {loaded}")[0][0])
    places = _places(text, options, head, rows, rejects.count(engine, rejected))
    findings += rejects.judge(engine, rejected, text, head.width, places)
    if not rows:
        raise _nothing(text.name, head, findings)
    fields, settled, kind_findings = decide(
        engine,
        loaded,
        [f"c{place}" for place in range(head.width)],
        names,
        options,
        name=text.name,
        places=places,
        told=text.told,
    )
    columns, source, raw = make_views(engine, loaded, "rowid + 1", fields)
    table = Table(text.name, settled, columns, rows, source, raw, places=places)
    findings += kind_findings
    findings += judge_contents(engine, table, as_written=True)
    return replace(table, findings=worst_first(findings))


def _sample(path: Path) -> str:
    """Returns whole lines from the beginning of a file, at least one."""
    with path.open("rb") as file:
        data = file.read(_SAMPLE_BYTES)
        if len(data) == _SAMPLE_BYTES:
            data += file.readline(_LINE_BYTES)
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _sniffed(sample: str, text: PlainText) -> ReadOptions:
    lower = text.name.lower()
    preferred = "\t" if ".tsv" in lower or ".tab" in lower else "|" if ".psv" in lower else ","
    found = sniffing.sniff(sample, preferred=preferred)
    return replace(
        text.options,
        delimiter=found.delimiter,
        quote=found.quote,
        escape=found.escape,
        skip=found.skip,
        header=found.header,
    )


def _head(sample: str, options: ReadOptions, name: str) -> _Head:
    body = sniffing.after_lines(sample, options.skip)
    records = sniffing.split(body, options.delimiter, options.quote, options.escape, limit=200)
    if not records:
        raise unreadable("empty-file", "no record in the file", name)
    first = records[0]
    if options.header:
        names = tuple(_unquoted(cell, options.quote) for cell in first.fields)
        after = options.skip + first.last_line
        return _Head(names, len(names), options.skip + first.first_line, after)
    width = sniffing.usual_width(records)
    return _Head((), width, 0, options.skip + first.first_line - 1)


def _unquoted(cell: str, quote: str) -> str:
    """Returns a header cell without the quotes after a blank that the engine takes off, too."""
    bare = cell.strip()
    if quote and bare != cell and len(bare) > 1 and bare[0] == bare[-1] == quote:
        return bare[1:-1]
    return cell


def _load(
    engine: Engine, text: PlainText, options: ReadOptions, head: _Head, findings: list[Finding]
) -> tuple[PlainText, str, str]:
    import duckdb

    try:
        return text, *_parse(engine, text, options, head)
    except duckdb.InvalidInputException as error:
        if "invalid state" not in str(error) or text.seen.newline_kinds < 2:
            raise
    seen = text.seen
    counts = {"crlf": seen.crlf, "lf": seen.lf, "cr": seen.cr}
    told = ", ".join(f"{count:,} {kind.upper()}" for kind, count in counts.items() if count)
    message = f"lines end in different ways: {told}; all read as line ends"
    findings.append(structural("mixed-newlines", message, text.name, counts=counts))
    target = engine.folder / engine.fresh("lines")
    normalise_newlines(text.path, target)
    text = replace(text, path=target, seen=survey(target))
    return text, *_parse(engine, text, options, head)


def _parse(engine: Engine, text: PlainText, options: ReadOptions, head: _Head) -> tuple[str, str]:
    """Parses a file into a table of text columns `c0`, `c1`, …; returns it and the rejects' table."""
    table = engine.fresh_table("csv", text.seen.size_bytes)
    rejected, scans = engine.fresh("rejects"), engine.fresh("scans")
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(head.width))
    settings = {
        "delim": literal(options.delimiter),
        "quote": literal(options.quote),
        "escape": literal(options.escape),
        "skip": str(head.data_after),
        "nullstr": literal(_NO_NULL),
        "rejects_table": literal(rejected),
        "rejects_scan": literal(scans),
        "max_line_size": str(_LINE_BYTES),
    }
    told = ", ".join(f"{key}={value}" for key, value in settings.items())
    engine.rows(
        f"CREATE TABLE {table} AS SELECT * FROM read_csv({literal(str(text.path))}, "
        f"columns={{{columns}}}, auto_detect=false, header=false, store_rejects=true, "
        f"strict_mode=true, allow_quoted_nulls=false, compression='none', {told})"
    )
    return table, rejected


def _places(
    text: PlainText, options: ReadOptions, head: _Head, rows: int, rejected: int
) -> LineMap:
    regular = not rejected and text.seen.lines - head.data_after == rows
    return LineMap(
        path=text.path,
        first=head.data_after + 1 if regular else 0,
        start=head.data_after,
        width=head.width,
        delimiter=options.delimiter,
        quote=options.quote,
        escape=options.escape,
        header=False,
    )


def _nothing(name: str, head: _Head, findings: Sequence[Finding]) -> Exception:
    cause = next((one for one in findings if one.code in rejects.CODES), None)
    if cause is None:
        message = f"no data row after the header of {times(head.width, 'column')}"
        cause = structural("header-only", message, name, line=head.line, rows=0)
    from dvtool.quality.tables.table import Unreadable

    return Unreadable(cause, *(one for one in worst_first(findings) if one is not cause))
