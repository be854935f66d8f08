"""Reads CSV: the engine parses once, kinds are decided over all rows, views type the columns.

Rows of the wrong shape are left out of the table and reported with their lines; nothing is padded
or shifted. Decoding comes before (`textfile`), deciding kinds after (`kinding`). `textfile` calls
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from dvtool.quality.findings import Finding
from dvtool.quality.tables import naming, rejects, sampling, sniffing
from dvtool.quality.tables.casting import Cell, Stored, stored, stored_sql
from dvtool.quality.tables.contents import judge_contents
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.kinding import decide
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.proposing import SAMPLE_ROWS, Proposal, propose, propose_from
from dvtool.quality.tables.scanning import normalise_newlines, survey
from dvtool.quality.tables.structure import structural, times, unreadable, worst_first
from dvtool.quality.tables.table import ROW, Table
from dvtool.quality.tables.textfile import PlainText
from dvtool.quality.tables.views import make_views

_SAMPLE_BYTES = 1 << 18
_LINE_BYTES = 1 << 23
_BUFFER_BYTES = 2 * _LINE_BYTES
"""What is read at once. The engine would take sixteen longest lines, and several such buffers."""
LARGE_BYTES = 8 << 20
"""From here on a file is looked at before it is parsed, and kept as values."""

_FIRST_ROWS = 2_000
_DIALECT = frozenset({"delimiter", "quote", "escape", "skip", "header"})
_MARKS = frozenset({"decimal", "thousands"})
"""Options of how numbers are written: who chooses one chooses both."""
_NO_NULL = "\x01\x02no null\x03"


@dataclass(frozen=True, slots=True)
class _Head:
    """The header and what comes before the data."""

    names: tuple[str, ...]
    width: int
    line: int
    data_after: int
    """Physical lines before the first data row."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A file parsed into a table.

    Attributes:
        table: Its name.
        rejects: The table of refused records.
        cells: Its columns.
        proposal: How columns are read, where that was asked before parsing.
    """

    table: str
    rejects: str
    cells: tuple[Cell, ...]
    proposal: Proposal | None = None


def read_csv(engine: Engine, text: PlainText) -> Table:
    """Returns the table of a CSV file.

    Raises:
        Unreadable: No record, no data row, or a file that no dialect splits.
    """
    sample = _sample(text.path)
    options = _settled(sample, text)
    head = _head(sample, options, text.name)
    findings = list(text.findings)
    names, naming_findings = naming.unique_names(
        head.names or [f"column{place + 1}" for place in range(head.width)],
        text.name,
        line=head.line,
    )
    findings += naming_findings
    if options.skip and "skip" not in text.told and sample[: options.skip].strip():
        message = f"{times(options.skip, 'line')} before the header skipped"
        findings.append(structural("preamble", message, text.name, line=1, lines=options.skip))
    text, loaded = _load(engine, text, options, head, names=names, findings=findings)
    rows = int(engine.rows(f"SELECT count(*) FROM {loaded.table}")[0][0])
    places = _places(text, options, head, rows, rejects.count(engine, loaded.rejects))
    findings += rejects.judge(engine, loaded.rejects, text, head.width, places)
    if not rows:
        raise _nothing(text.name, head, findings)
    proposal = loaded.proposal or propose_from(
        engine, loaded.table, _texts(head.width), names, options, told=bool(text.told & _MARKS)
    )
    fields, settled, kind_findings = decide(
        engine, loaded.table, loaded.cells, names, proposal, name=text.name, places=places
    )
    columns, source, raw = make_views(engine, loaded.table, "rowid + 1", fields)
    unparsed = {one.name: one.unparsed for one in fields}
    table = Table(text.name, settled, columns, rows, source, raw, places=places, unparsed=unparsed)
    if any(one.code == "ragged-rows" for one in findings):
        ragged = rejects.ragged_rows(engine, loaded.rejects, text, options, head.width)
        table = replace(table, ragged=ragged)
    findings += kind_findings
    if text.contents:
        findings += judge_contents(engine, table, written=_written(loaded))
    return replace(table, findings=worst_first(findings))


def _texts(width: int) -> list[str]:
    return [f"c{place}" for place in range(width)]


def _written(loaded: _Loaded) -> tuple[str, list[str]]:
    """Returns the relation in which rows with the same text are the same, and its columns."""
    parts = [one for cell in loaded.cells for one in cell.identity]
    names = [f"k{nth}" for nth in range(len(parts))]
    listed = ", ".join(f"{one} AS {name}" for one, name in zip(parts, names, strict=True))
    return f"(SELECT rowid + 1 AS {quoted(ROW)}, {listed} FROM {loaded.table})", names


def _sample(path: Path) -> str:
    """Returns whole lines from the beginning of a file, at least one."""
    with path.open("rb") as file:
        data = file.read(_SAMPLE_BYTES)
        if len(data) == _SAMPLE_BYTES:
            data += file.readline(_LINE_BYTES)
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _settled(sample: str, text: PlainText) -> ReadOptions:
    """Returns the options with what nobody chose about records and fields as the sample shows it."""
    asked = _DIALECT - text.told
    if not asked:
        return text.options
    lower = text.name.lower()
    preferred = "\t" if ".tsv" in lower or ".tab" in lower else "|" if ".psv" in lower else ","
    found = asdict(sniffing.sniff(sample, preferred=preferred))
    options = replace(text.options, **{key: found[key] for key in asked})
    if "quote" in text.told and "escape" in asked:
        options = replace(options, escape=options.quote)
    if "delimiter" in text.told and text.told.isdisjoint({"skip", "header"}):
        # Another delimiter makes other records, of which the first are looked at anew.
        records = sniffing.split(sample, options.delimiter, options.quote, options.escape)
        skip, header = sniffing.sniff_records(records)
        options = replace(options, skip=skip, header=header)
    return options


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
    engine: Engine,
    text: PlainText,
    options: ReadOptions,
    head: _Head,
    *,
    names: Sequence[str],
    findings: list[Finding],
) -> tuple[PlainText, _Loaded]:
    import duckdb

    try:
        return text, _parse(engine, text, options, names, head)
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
    return text, _parse(engine, text, options, names, head)


def _parse(
    engine: Engine, text: PlainText, options: ReadOptions, names: Sequence[str], head: _Head
) -> _Loaded:
    """Parses a file into a table.

    A small one becomes columns of text `c0`, `c1`, …. Of a large one a sample is looked at before,
    and values are kept instead of text where they say the same: it is read, converted and written
    once, and everything after that works on values.
    """
    engine.make_room(head.width)
    proposal, held = None, 0
    kept = [Stored(Cell(one), one) for one in _texts(head.width)]
    if text.seen.size_bytes >= LARGE_BYTES:
        sample = _sampled(engine, text, options, head)
        proposal = propose(
            engine, sample, _texts(head.width), names, options, told=bool(text.told & _MARKS)
        )
        kept = [
            stored(place, proposal.reading(place), proposal.options) for place in range(head.width)
        ]
        held = sampling.held_bytes(engine, sample, kept, text.seen)
        engine.rows(f"DROP TABLE {sample}")
    rejected, scans = engine.fresh("rejects"), engine.fresh("scans")
    kept_apart = {
        "store_rejects": "true",
        "rejects_table": literal(rejected),
        "rejects_scan": literal(scans),
    }
    source = _scan(text.path, options, head, skip=head.data_after, **kept_apart)
    query = stored_sql(kept, source)
    store = partial(engine.keep, held_bytes=held) if proposal else engine.create
    table = store("csv", query, text.seen.size_bytes)
    return _Loaded(table, rejected, tuple(one.cell for one in kept), proposal)


def _sampled(engine: Engine, text: PlainText, options: ReadOptions, head: _Head) -> str:
    """Creates a small table of text from all over a file that is not parsed yet."""
    sample = engine.fresh("sample")
    if sampling.can_cut(text.seen):
        target = engine.folder / engine.fresh("lines")
        sampling.write_sample(text.path, target, skip=head.data_after)
        source = _scan(target, options, head, skip=0, ignore_errors="true")
        engine.rows(f"CREATE TEMP TABLE {sample} AS SELECT * FROM {source}")
        return sample
    source = _scan(text.path, options, head, skip=head.data_after, ignore_errors="true")
    step = max(text.seen.lines // SAMPLE_ROWS, 1)
    row = ", ".join(_texts(head.width))
    engine.rows(
        f"CREATE TEMP TABLE {sample} AS SELECT * FROM {source} WHERE hash({row}) % {step} = 0 "
        f"UNION ALL (SELECT * FROM {source} LIMIT {_FIRST_ROWS})"  # rows may all be the same
    )
    return sample


def _scan(path: Path, options: ReadOptions, head: _Head, *, skip: int, **more: str) -> str:
    """Returns the SQL that parses a file into columns of text."""
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(head.width))
    settings = {
        "delim": literal(options.delimiter),
        "quote": literal(options.quote),
        "escape": literal(options.escape),
        "skip": str(skip),
        "nullstr": literal(_NO_NULL),
        "max_line_size": str(_LINE_BYTES),
        "buffer_size": str(_BUFFER_BYTES),
        **more,
    }
    told = ", ".join(f"{key}={value}" for key, value in settings.items())
    return (
        f"read_csv({literal(str(path))}, columns={{{columns}}}, auto_detect=false, header=false, "
        f"strict_mode=true, allow_quoted_nulls=false, compression='none', {told})"
    )


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
