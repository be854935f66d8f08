"""JSON text to one engine table of records, each proved to be one strict JSON object.

The engine splits and parses, and Python's parser looks at what the engine forgives: trailing
commas, `NaN`. What the records mean as columns is not settled here. `jsonfile` calls it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.lines import line_of_record
from dvtool.quality.tables.structure import EXAMPLES, structural, times, unreadable
from dvtool.quality.tables.textfile import PlainText

_WHOLE_BYTES = 1 << 25
_RECORD_BYTES = 1 << 25
_SUSPECT = r"(?i)(,\s*[\]}]|[\[{:,]\s*[-+]?(nan|inf)|/[*/])"


@dataclass(frozen=True, slots=True)
class Records:
    """Records of a JSON file.

    Args:
        table: Engine table with `doc` (JSON), `record` (1-based place among all records) and
            `rowid` (0-based place among those that are kept).
        rows: How many there are.
        total: How many the file has, broken ones included.
        is_lines: Whether each record is a line of the file.
        findings: What was found on the way.
    """

    table: str
    rows: int
    total: int
    is_lines: bool
    findings: tuple[Finding, ...]


def load_records(engine: Engine, text: PlainText) -> Records:
    """Returns the objects of a JSON file.

    A `.json` file that is one array gives its elements; one object gives the elements of its only
    list of objects. Anything else is read as JSON lines, where blank lines are passed over.

    Raises:
        Unreadable: Not JSON, or without one object.
    """
    with text.path.open("rb") as file:
        mark = file.read(1 << 16).lstrip()[:1]
    findings: list[Finding] = []
    reader, path = "read_ndjson_objects", text.path
    if text.options.format == "json" and mark in b"[{" and mark:
        whole = _whole(text, is_array=mark == b"[")
        if mark == b"[":
            reader = "read_json_objects"
        elif isinstance(whole, dict):
            path, finding = _unwrapped(engine, text, whole)
            findings.append(finding)
    is_lines = reader == "read_ndjson_objects" and path == text.path
    extra = ", ignore_errors=true" if reader == "read_ndjson_objects" else ", format='array'"
    docs = (
        f"SELECT json AS doc FROM {reader}({literal(str(path))}, "
        f"compression='none', maximum_object_size={_RECORD_BYTES}{extra})"
    )
    base = engine.create("docs", docs, text.seen.size_bytes)
    total = int(engine.rows(f"SELECT count(*) FROM {base}")[0][0])
    bad, spots = _broken(engine, base)
    if bad == total:
        what = (
            "no object in the file"
            if not total
            else f"none of {times(total, 'record')} is a JSON object"
        )
        raise unreadable("header-only" if not total else "not-a-table", what, text.name)
    if not bad:
        view = engine.fresh("records")
        engine.rows(f"CREATE VIEW {view} AS SELECT doc, rowid, rowid + 1 AS record FROM {base}")
        return Records(view, total, total, is_lines, tuple(findings))
    whole = f"SELECT doc, rowid + 1 AS record FROM {base} WHERE doc IS NOT NULL ORDER BY rowid"
    table = engine.create("records", whole, text.seen.size_bytes)
    engine.rows(f"DROP TABLE {base}")
    findings += _reported(text, bad, total, spots, is_lines=is_lines)
    return Records(table, total - bad, total, is_lines, tuple(findings))


def _whole(text: PlainText, *, is_array: bool) -> object:
    """Returns a whole small file parsed strictly, None when it is large or JSON lines."""
    if text.seen.size_bytes > _WHOLE_BYTES:
        return None
    content = text.path.read_text("utf-8")
    try:
        return _strict(content)
    except (ValueError, RecursionError) as error:
        if not is_array:
            return None
        line = getattr(error, "lineno", 0)
        where = f" at line {line}" if line else ""
        reason = str(getattr(error, "msg", error)).lower()
        if isinstance(error, RecursionError):
            reason = "nested too deeply"
        cut = not content.rstrip().endswith("]")
        code = "truncated" if cut else "not-a-table"
        raise unreadable(code, f"not a JSON array: {reason}{where}", text.name) from error


def _strict(text: str) -> object:
    return json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _unwrapped(engine: Engine, text: PlainText, whole: dict[str, object]) -> tuple[Path, Finding]:
    """Writes the records inside one object as lines and says where they were."""
    lists = [
        key
        for key, one in whole.items()
        if isinstance(one, list) and one and all(isinstance(item, dict) for item in one)
    ]
    if len(lists) != 1:
        found = f"{times(len(lists), 'field')} with a list of objects"
        message = f"one JSON object with {found}, a table needs exactly 1"
        raise unreadable("not-a-table", message, text.name)
    items = whole[lists[0]]
    assert isinstance(items, list)
    path = engine.folder / engine.fresh("unwrapped")
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(one) + "\n" for one in items)
    message = f"the rows are the list {lists[0]!r} inside one object"
    return path, structural("wrapped-records", message, text.name, line=1, field=lists[0])


def _broken(engine: Engine, base: str) -> tuple[int, list[int]]:
    """Blanks all records that are no strict JSON objects; returns their number and the first."""
    engine.rows(
        f"UPDATE {base} SET doc = NULL WHERE doc IS NOT NULL AND json_type(doc) <> 'OBJECT'"
    )
    suspects = engine.connection.execute(
        f"SELECT rowid, CAST(doc AS VARCHAR) FROM {base} "
        f"WHERE regexp_matches(CAST(doc AS VARCHAR), {literal(_SUSPECT)})"
    )
    wrong: list[int] = []
    while some := suspects.fetchmany(1000):
        for rowid, doc in some:
            try:
                _strict(doc)
            except (ValueError, RecursionError):
                wrong.append(int(rowid))
    for at in range(0, len(wrong), 1000):
        marks = ", ".join(map(str, wrong[at : at + 1000]))
        engine.rows(f"UPDATE {base} SET doc = NULL WHERE rowid IN ({marks})")
    bad = int(engine.rows(f"SELECT count(*) FROM {base} WHERE doc IS NULL")[0][0])
    first = engine.rows(
        f"SELECT rowid + 1 FROM {base} WHERE doc IS NULL ORDER BY rowid LIMIT {EXAMPLES}"
    )
    return bad, [int(row[0]) for row in first]


def _reported(
    text: PlainText, bad: int, total: int, spots: list[int], *, is_lines: bool
) -> list[Finding]:
    lines = line_of_record(text.path, [*spots, total]) if is_lines else {}
    findings = []
    if is_lines and total in spots and not text.seen.ends_line:
        message = "the last line is not a whole JSON object and has no line end"
        findings.append(structural("truncated", message, text.name, line=lines.get(total, 0)))
        bad -= 1
        spots = [one for one in spots if one != total]
    if bad:
        message = f"{bad:,} of {times(total, 'record')} not a JSON object, allowed 0; left out"
        examples = [(lines.get(one, 0), 0, None) for one in spots]
        findings.append(
            structural("broken-records", message, text.name, examples=examples, records=bad)
        )
    return findings
