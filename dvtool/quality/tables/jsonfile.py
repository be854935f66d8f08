"""Reads JSON lines and JSON arrays of objects: nested fields become columns by path.

Here the records of a file become one table with flat columns. Splitting and strictness stand in
`jsonrecords`, paths in `jsonpaths`. `textfile` calls it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dvtool.quality.findings import Finding
from dvtool.quality.tables import naming
from dvtool.quality.tables.casting import Cell
from dvtool.quality.tables.contents import judge_contents
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.headroom import row_bytes
from dvtool.quality.tables.jsonmixed import by_majority, mixed, structure_of
from dvtool.quality.tables.jsonpaths import Leaf, leaves, target, without_clashes
from dvtool.quality.tables.jsonrecords import Records, load_records
from dvtool.quality.tables.kinding import TEMPORAL, decide
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.proposing import propose_from
from dvtool.quality.tables.structure import EXAMPLES, structural, times, unreadable, worst_first
from dvtool.quality.tables.table import Table
from dvtool.quality.tables.textfile import PlainText
from dvtool.quality.tables.views import Field, make_views

_MAX_COLUMNS = 5000


def read_json(engine: Engine, text: PlainText) -> Table:
    """Returns the table of a JSON file: one row for each object, one column for each path.

    Raises:
        Unreadable: Not JSON, no object in it, or objects whose keys differ without end.
    """
    records = load_records(engine, text)
    try:
        shape = structure_of(engine, f"SELECT doc, record FROM {records.table}")
        shape, odd = by_majority(engine, records.table, shape if isinstance(shape, dict) else {})
        parts = without_clashes(shape)
        found = [leaf for n, part in enumerate(parts) for leaf in leaves(part, f"s{n}")]
    except RecursionError as error:
        message = "the objects are nested too deeply for a table"
        raise unreadable("not-a-table", message, text.name) from error
    if not found or len(found) > _MAX_COLUMNS:
        message = f"the objects have {len(found):,} different fields, allowed 1 to {_MAX_COLUMNS:,}"
        raise unreadable("not-a-table", message, text.name)
    base = _flattened(engine, text, records, [json.dumps(target(one)) for one in parts], found)
    names, findings = naming.unique_names([one.name for one in found], text.name)
    places = _places(text.path, records, base)
    fields, settled, dated = _fields(engine, base, names, found, text=text, places=places)
    findings = [*text.findings, *records.findings, *findings, *dated]
    findings += _repeated(engine, records.table, text.name, places)
    findings += mixed(engine, records, names, found, odd, name=text.name, places=places)
    columns, source, raw = make_views(engine, base, "rowid + 1", fields)
    table = Table(text.name, settled, columns, records.rows, source, raw, places=places)
    if text.contents:
        findings += judge_contents(engine, table)
    return replace(table, findings=worst_first(findings))


def _flattened(
    engine: Engine,
    text: PlainText,
    records: Records,
    structures: Sequence[str],
    found: Sequence[Leaf],
) -> str:
    flat = ", ".join(f"{one.expression} AS c{place}" for place, one in enumerate(found))
    transformed = ", ".join(
        f"json_transform(doc, {literal(one)}) AS s{n}" for n, one in enumerate(structures)
    )
    query = f"SELECT {flat}, record FROM (SELECT record, {transformed} FROM {records.table})"
    size = text.seen.size_bytes
    held = records.total * row_bytes([one.type for one in found]) + size
    return engine.keep("json", query, size, held_bytes=held)


def _fields(
    engine: Engine,
    base: str,
    names: Sequence[str],
    found: Sequence[Leaf],
    *,
    text: PlainText,
    places: LineMap,
) -> tuple[list[Field], ReadOptions, list[Finding]]:
    """Returns the fields: strings may be dates, unsigned numbers become signed ones."""
    strings = [place for place, one in enumerate(found) if one.type == "VARCHAR"]
    no_nulls = replace(text.options, nulls=())
    texts, called = [f"c{place}" for place in strings], [names[place] for place in strings]
    proposal = propose_from(engine, base, texts, called, no_nulls, told=True, kinds=TEMPORAL)
    dated, settled, findings = decide(
        engine,
        base,
        [Cell(one) for one in texts],
        called,
        proposal,
        name=text.name,
        places=places,
        kinds=TEMPORAL,
    )
    fields = []
    for place, one in enumerate(found):
        if one.type == "VARCHAR":
            fields.append(dated[strings.index(place)])
        elif one.type.startswith("UBIGINT"):
            fields.append(_signed(engine, base, names[place], f"c{place}", one.type))
        else:
            fields.append(Field(names[place], f"c{place}", one.type))
    return fields, replace(settled, nulls=text.options.nulls), findings


def _signed(engine: Engine, base: str, name: str, column: str, type_name: str) -> Field:
    item = f"list_max({column})" if type_name.endswith("[]") else column
    most = engine.rows(f"SELECT max({item}) FROM {base}")[0][0]
    fits = most is None or int(most) < 1 << 63
    signed = type_name.replace("UBIGINT", "BIGINT" if fits else "HUGEINT")
    return Field(name, f"CAST({column} AS {signed})", signed)


def _places(path: Path, records: Records, base: str) -> LineMap:
    if not records.is_lines:
        return LineMap()
    return LineMap(path=path, table=base)


def _repeated(engine: Engine, table: str, name: str, places: LineMap) -> list[Finding]:
    """Returns a finding about records that name a field twice, of which the engine reads the first."""
    spots = engine.rows(
        f"SELECT rowid + 1, count(*) OVER () FROM (SELECT rowid, json_keys(doc) AS k FROM {table}) "
        f"WHERE len(k) <> len(list_distinct(k)) ORDER BY 1 LIMIT {EXAMPLES}"
    )
    if not spots:
        return []
    rows = [int(row) for row, _ in spots]
    lines = places.find(engine, rows)
    count = int(spots[0][1])
    message = f"{times(count, 'record')} with a field named twice, allowed 0; the first one is read"
    examples = [(lines.get(row, 0), row, None) for row in rows]
    return [structural("repeated-fields", message, name, examples=examples, records=count)]
