"""The door to data diffs: two open tables in, one `TableDiff` out.

Columns are brought together by `sides`, keys found by `keys`, rows matched by `matching`; here the
parts meet, and a few rows are looked up as examples. Memory is the engine's. Called by
`dvtool.ops.datadiff`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dvtool.errors import UsageError
from dvtool.quality.datadiff.keys import find_key
from dvtool.quality.datadiff.matching import Matched, differs, match_by_key, match_wholes
from dvtool.quality.datadiff.model import (
    PRIVATE,
    Cell,
    ColumnChange,
    Key,
    Renamed,
    RowExample,
    SchemaDiff,
    TableDiff,
)
from dvtool.quality.datadiff.sides import Pair, pair_columns, relation_of
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Table

_RENAME_SHARE = 0.95
_RENAME_ROWS = 10_000
_RENAME_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """How two tables are compared.

    Attributes:
        key: Columns that name a row; none to find them.
        key_why: Where the key comes from, in words.
        examples: Rows shown of each kind.
        tolerance: Largest difference of two floats that still counts as equal.
        private: Columns of which no value is shown.
    """

    key: tuple[str, ...] = ()
    key_why: str = "given"
    examples: int = 5
    tolerance: float = 0.0
    private: frozenset[str] = frozenset()


def compare_tables(engine: Engine, old: Table, new: Table, asked: Asked) -> TableDiff:
    """Returns what changed between two tables.

    Args:
        engine: Holds both.
        old: Before.
        new: Now; its name is the result's.
        asked: How.

    Raises:
        UsageError: A given key names a column that one of them lacks.
    """
    pairs, schema = pair_columns(old, new)
    relations = tuple(relation_of(engine, table, pairs) for table in (old, new))
    key, why = _key(engine, relations, (old, new), pairs, asked)
    rest = [one for one in pairs if one not in key]
    notes = []
    if key:
        matched = match_by_key(
            engine,
            relations[0],
            relations[1],
            key,
            rest,
            tolerance=asked.tolerance,
            proven=not asked.key,
        )
        renamed = _renamed(engine, (old, new), relations, key, schema)
        schema = replace(schema, renamed=renamed)
    elif pairs:
        matched = match_wholes(engine, relations[0], relations[1], pairs)
        if asked.tolerance:
            notes.append("without a key the tolerance does not count: floats are compared exactly")
    else:
        matched = Matched(_nothing(engine), new.rows, old.rows)
        notes.append("the versions have no column in common")
    changes = [
        ColumnChange(one.name, cells)
        for one, cells in zip(rest, matched.cells, strict=False)
        if cells
    ]
    return TableDiff(
        new.name,
        (old.rows, new.rows),
        schema,
        Key(tuple(one.name for one in key), why, matched.repeated, matched.nulls),
        matched.added,
        matched.removed,
        matched.changed,
        tuple(sorted(changes, key=lambda one: -one.cells)),
        tuple(_examples(engine, (old, new), relations, matched, key=key, rest=rest, asked=asked)),
        asked.tolerance,
        tuple(notes),
    )


def _key(
    engine: Engine,
    relations: Sequence[str],
    tables: Sequence[Table],
    pairs: Sequence[Pair],
    asked: Asked,
) -> tuple[tuple[Pair, ...], str]:
    known = {one.name: one for one in pairs}
    if asked.key:
        missing = [name for name in asked.key if name not in known]
        if missing:
            raise UsageError(
                f"{tables[1].name}: key column {missing[0]} is not in both versions",
                hint=f"columns of both are: {', '.join(known) or 'none'}",
            )
        return tuple(known[name] for name in asked.key), asked.key_why
    old, new = ((relations[place], tables[place].rows) for place in (0, 1))
    found = find_key(engine, old, new, pairs)
    if found:
        return found, "found: in both versions no two rows have the same"
    return (), "none given or found: rows are compared as wholes"


def _nothing(engine: Engine) -> str:
    name = engine.fresh("differing")
    engine.rows(f"CREATE TABLE {name} (old_row BIGINT, new_row BIGINT)")
    return name


# -- renamed columns -------------------------------------------------------------------------------


def _renamed(
    engine: Engine,
    tables: Sequence[Table],
    relations: Sequence[str],
    key: Sequence[Pair],
    schema: SchemaDiff,
) -> tuple[Renamed, ...]:
    """Returns pairs of a removed and an added column whose values agree on some common rows."""
    removed, added = schema.removed, schema.added
    if not removed or not added or len(removed) * len(added) > _RENAME_COLUMNS**2:
        return ()
    kinds = [{one.name: one.kind for one in table.columns} for table in tables]
    candidates = [(a, b) for a in removed for b in added if kinds[0][a] is kinds[1][b]]
    if not candidates:
        return ()
    on = " AND ".join(f"o.{one.place} = n.{one.place}" for one in key)
    rows = f"SELECT o.r AS a, n.r AS b FROM {relations[0]} o JOIN {relations[1]} n ON {on}"
    parts = ", ".join(
        f"avg(CAST(x.{quoted(a)} IS NOT DISTINCT FROM y.{quoted(b)} AS INTEGER)), "
        f"count(DISTINCT y.{quoted(b)})"
        for a, b in candidates
    )
    row = engine.rows(
        f"SELECT {parts} FROM (SELECT * FROM ({rows}) LIMIT {_RENAME_ROWS}) s "
        f"JOIN {tables[0].source} x ON x.{quoted(ROW)} = s.a "
        f"JOIN {tables[1].source} y ON y.{quoted(ROW)} = s.b"
    )[0]
    shares = zip(candidates, row[::2], row[1::2], strict=True)
    # Two constant columns agree without being one.
    likely = sorted(
        (Renamed(a, b, float(share)) for (a, b), share, values in shares if share and values > 1),
        key=lambda one: -one.share,
    )
    found: list[Renamed] = []
    for one in likely:
        taken = any(one.old == other.old or one.new == other.new for other in found)
        if one.share >= _RENAME_SHARE and not taken:
            found.append(one)
    return tuple(found)


# -- examples --------------------------------------------------------------------------------------


def _examples(
    engine: Engine,
    tables: Sequence[Table],
    relations: Sequence[str],
    matched: Matched,
    *,
    key: Sequence[Pair],
    rest: Sequence[Pair],
    asked: Asked,
) -> Iterable[RowExample]:
    if not asked.examples:
        return
    wheres = {
        "changed": "old_row IS NOT NULL AND new_row IS NOT NULL",
        "added": "old_row IS NULL AND new_row IS NOT NULL",
        "removed": "new_row IS NULL AND old_row IS NOT NULL",
    }
    found = {
        kind: engine.rows(
            f"SELECT old_row, new_row FROM {matched.table} WHERE {where} "
            f"ORDER BY coalesce(new_row, old_row) LIMIT {asked.examples}"
        )
        for kind, where in wheres.items()
    }
    # Looking up rows reads a column of the whole file, so it is done once for all kinds.
    texts = [
        _written(
            engine, table, [spot[at] for spots in found.values() for spot in spots if spot[at]]
        )
        for at, table in enumerate(tables)
    ]
    flags = _flags(engine, relations, found["changed"], rest, asked) if found["changed"] else {}
    for kind, spots in found.items():
        for old_row, new_row in spots:
            before, now = texts[0].get(old_row, {}), texts[1].get(new_row, {})
            names = [one.name for one in rest]
            if kind == "changed":
                names = [
                    one.name for one, is_other in zip(rest, flags[new_row], strict=True) if is_other
                ]
            elif not key:
                names = [one.name for one in tables[kind == "added"].columns]
            cells = (Cell(name, before.get(name), now.get(name)) for name in names)
            shown = now or before
            yield RowExample(
                kind,
                tuple((one.name, _masked(one.name, shown[one.name], asked)) for one in key),
                old_row,
                new_row,
                tuple(_masked_cell(one, kind, asked) for one in cells),
            )


def _flags(
    engine: Engine,
    relations: Sequence[str],
    spots: Sequence[tuple[int, int]],
    rest: Sequence[Pair],
    asked: Asked,
) -> dict[int, tuple[bool, ...]]:
    """Returns, by new row, which columns differ."""
    flags = ", ".join(differs(one, asked.tolerance) for one in rest)
    values = ", ".join(f"({old}, {new})" for old, new in spots)
    olds, news = (", ".join(str(spot[place]) for spot in spots) for place in (0, 1))
    rows = engine.rows(
        f"SELECT s.b, {flags} FROM (VALUES {values}) s(a, b) "
        f"JOIN (SELECT * FROM {relations[0]} WHERE r IN ({olds})) o ON o.r = s.a "
        f"JOIN (SELECT * FROM {relations[1]} WHERE r IN ({news})) n ON n.r = s.b"
    )
    return {int(row[0]): tuple(row[1:]) for row in rows}


def _written(engine: Engine, table: Table, rows: Sequence[int]) -> dict[int, dict[str, str | None]]:
    """Returns some rows as they are written in the file, by row number."""
    if not rows:
        return {}
    names = [one.name for one in table.columns]
    columns = ", ".join(quoted(name) for name in (ROW, *names))
    wanted = ", ".join(map(str, rows))
    found = engine.rows(f"SELECT {columns} FROM {table.raw} WHERE {quoted(ROW)} IN ({wanted})")
    return {int(row[0]): dict(zip(names, row[1:], strict=True)) for row in found}


def _masked(name: str, value: str | None, asked: Asked) -> str | None:
    return PRIVATE if name in asked.private else value


def _masked_cell(cell: Cell, kind: str, asked: Asked) -> Cell:
    if cell.column not in asked.private:
        return cell
    return Cell(
        cell.column,
        None if kind == "added" else PRIVATE,
        None if kind == "removed" else PRIVATE,
    )
