"""Reads several files as one table: each is opened alone, then kinds are agreed on and rows stacked.

Columns meet by name; one that a file lacks is missing in its rows, with a finding. What a file is
alone is the readers' business; findings about rows of the whole come back to their files through
`located`. `opening` calls it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from dvtool.quality.findings import RANK, Finding, Place, Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.alike import read_alike
from dvtool.quality.tables.contents import judge_contents
from dvtool.quality.tables.endings import TEXTUAL
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.members import Member, Members
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.proposing import NEARLY
from dvtool.quality.tables.structure import structural, times, worst_first
from dvtool.quality.tables.table import ROW, Column, MemberTable, Table, Unreadable
from dvtool.quality.tables.views import kind_of

MOST_NAMED: Final = 3
"""Files that are named where something is about several."""
_SMALL_ROWS: Final = 20_000
"""Rows a file, on average, up to which files cost more to go through than to copy once."""
_WIDER: Final = ((Kind.INT, Kind.FLOAT), (Kind.DATE, Kind.DATETIME))
"""Kinds of which the second holds the values of the first as they are."""
_DIALECT: Final = ("delimiter", "quote", "header", "skip", "decimal", "thousands", "encoding")


def open_union(
    engine: Engine,
    members: Members,
    *,
    name: str,
    options: ReadOptions | None = None,
    contents: bool = True,
    known: Mapping[str, MemberTable] | None = None,
) -> Table:
    """Returns the table that several files are together.

    A file that holds no table is a finding, and the others are read; so is a file without rows.

    Args:
        engine: Holds the table's views.
        members: The files.
        name: What the user calls them together.
        options: How to read each; None to find out.
        contents: Whether findings about values are wanted, such as repeated rows.
        known: Files that the engine holds already, by their marks.

    Raises:
        Unreadable: None of the files is a table.
        ExtraMissing: The format needs a package that is not installed.
        OSError: A file cannot be opened.
    """
    alike = read_alike(engine, members, name=name, options=options, contents=contents)
    if alike is not None:
        found = [*map(_of_a_part, alike.findings), *_same_files(members.files)]
        return replace(alike, findings=worst_first(folded(found)))
    reading = partial(
        _one_by_one, engine, members, name=name, options=options, contents=contents, known=known
    )
    if not contents:
        return reading(damage=True)
    import duckdb

    try:
        return reading(damage=False)  # all values are looked at once, in all files together
    except duckdb.Error:
        return reading(damage=True)  # which tells the damaged file


def _one_by_one(
    engine: Engine,
    members: Members,
    *,
    name: str,
    options: ReadOptions | None,
    contents: bool,
    known: Mapping[str, MemberTable] | None,
    damage: bool,
) -> Table:
    findings: list[Finding] = []
    opened: list[MemberTable] = []
    for one in members.files:
        held = (known or {}).get(one.mark)
        try:
            table = (
                held.table
                if held is not None
                else open_table(
                    engine,
                    one.path,
                    name=one.name,
                    options=options,
                    contents=False,
                    damage=damage,
                )
            )
        except Unreadable as error:
            findings += map(_of_a_part, error.findings)
            continue
        is_own = held is None or held.is_own
        opened.append(
            MemberTable(one.inside, one.mark, replace(table, name=one.name), is_own=is_own)
        )
    if not opened:
        raise Unreadable(*findings)
    columns = _columns(engine, opened)
    paths = {one.inside: one.path for one in members.files}
    opened = _placed(_agreed(engine, opened, columns, paths))
    findings += _same_files(members.files)
    findings += _column_findings(columns, opened, name)
    findings += _dialects(opened)
    findings += folded([finding for one in opened for finding in one.table.findings])
    return _stacked(
        engine,
        opened,
        columns,
        name=name,
        findings=findings,
        contents=contents,
        size_bytes=members.size_bytes,
    )


def narrowed(engine: Engine, table: Table, kept: Set[str]) -> Table:
    """Returns the rows of some files of a table of several, numbered as they are in all of it.

    Args:
        engine: Holds the table.
        table: Of several files.
        kept: Paths of the files inside the data set.
    """
    chosen = tuple(one for one in table.members if one.inside in kept)
    spans = " OR ".join(
        f"{quoted(ROW)} BETWEEN {one.first + 1} AND {one.first + one.table.rows}"
        for one in chosen
        if one.table.rows
    )
    source, raw = engine.fresh("source"), engine.fresh("raw")
    for view, whole in ((source, table.source), (raw, table.raw)):
        engine.rows(f"CREATE TEMP VIEW {view} AS SELECT * FROM {whole} WHERE {spans or 'false'}")
    rows = sum(one.table.rows for one in chosen)
    return replace(table, rows=rows, source=source, raw=raw, members=chosen, findings=())


def located(engine: Engine, table: Table, findings: Sequence[Finding]) -> list[Finding]:
    """Returns findings about rows of a table of several files with the file and line of each row."""
    if not table.members:
        return list(findings)
    rows = {place.row for one in findings for place in _places(one) if place.path == table.name}
    spots = dict(_spots(engine, table, sorted(row for row in rows if row)))

    def moved(place: Place) -> Place:
        return spots.get(place.row, place) if place.path == table.name else place

    return [
        replace(
            one,
            place=moved(one.place),
            examples=tuple(
                replace(example, place=moved(example.place)) for example in one.examples
            ),
        )
        for one in findings
    ]


def folded(findings: Sequence[Finding]) -> list[Finding]:
    """Returns findings about single files, those that say the same of several files as one."""
    alike: dict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        alike[one.key].append(one)
    return [_together(several) for several in alike.values()]


def named(names: Sequence[str], of: int) -> str:
    """Returns some of a table's files in words: `2 of 12 files (a.csv, b.csv)`."""
    return f"{len(names)} of {times(of, 'file')} ({_listed(names)})"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


# -- columns -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Shared:
    """One column of the whole: its name, and what it is in each file that has it.

    Args:
        name: As in the first file that has it.
        own: The file's own column, by number of the file.
        values: Values that are not missing, by number of the file; only where kinds differ.
        kind: What it is in all of them.
    """

    name: str
    own: Mapping[int, Column]
    values: Mapping[int, int]
    kind: Kind

    def odd(self) -> list[int]:
        """Returns the files in which it holds values of another kind."""
        return [
            at
            for at, one in self.own.items()
            if self.values.get(at, 0) and _wider({one.kind, self.kind}) is not self.kind
        ]


def _columns(engine: Engine, opened: Sequence[MemberTable]) -> list[_Shared]:
    """Returns the columns of all files, in the order in which they first come."""
    found: dict[str, dict[int, Column]] = {}
    for at, one in enumerate(opened):
        for column in one.table.columns:
            # The engine tells no names apart by case.
            found.setdefault(column.name.casefold(), {})[at] = column
    return [_shared(engine, opened, own) for own in found.values()]


def _shared(engine: Engine, opened: Sequence[MemberTable], own: Mapping[int, Column]) -> _Shared:
    name = next(iter(own.values())).name
    kinds = {one.kind for one in own.values()}
    if len(kinds) == 1:
        return _Shared(name, own, {}, kinds.pop())
    values = {
        at: int(
            engine.rows(f"SELECT count({quoted(one.name)}) FROM {opened[at].table.source}")[0][0]
        )
        for at, one in own.items()
    }
    weights: dict[Kind, int] = defaultdict(int)
    for at, one in own.items():
        weights[one.kind] += values[at]
    told = {kind for kind, weight in weights.items() if weight}
    # Files without a value of it say nothing about its kind.
    kind = _wider(told or kinds)
    if kind is None:
        kind = max((one for one in weights if one is not Kind.TEXT), key=lambda one: weights[one])
    return _Shared(name, own, values, kind)


def _wider(kinds: set[Kind]) -> Kind | None:
    """Returns the kind that holds the values of all of them; None where there is none."""
    if len(kinds) == 1:
        return next(iter(kinds))
    for narrow, wide in _WIDER:
        if kinds == {narrow, wide}:
            return wide
    return None


def _agreed(
    engine: Engine,
    opened: Sequence[MemberTable],
    columns: list[_Shared],
    paths: Mapping[str, Path],
) -> list[MemberTable]:
    """Returns the files, those with columns of another kind than the whole read as that kind.

    A column of which too many values are of no other kind is text in all files; so is one whose
    files carry types of their own.
    """
    told: dict[int, dict[str, Kind]] = defaultdict(dict)
    for one in columns:
        for at in one.odd():
            told[at][one.own[at].name] = one.kind
    again = {
        at: _read_as(engine, opened[at].table, paths[opened[at].inside], kinds)
        for at, kinds in told.items()
    }
    for place, one in enumerate(columns):
        odd = one.odd()
        lost = sum(_lost(again[at], one.own[at].name, one.values[at]) for at in odd)
        if odd and lost > (1 - NEARLY) * sum(one.values.values()):
            columns[place] = replace(one, kind=Kind.TEXT)
            for at in odd:
                told[at].pop(one.own[at].name)
    return [
        replace(one, table=table, is_own=False) if (table := again.get(at)) and told[at] else one
        for at, one in enumerate(opened)
    ]


def _read_as(engine: Engine, table: Table, path: Path, kinds: Mapping[str, Kind]) -> Table | None:
    """Returns a file of text read again, some columns as a kind; None for files with own types."""
    if table.options.format not in TEXTUAL:
        return None
    types = {**dict(table.options.types), **{name: kind.value for name, kind in kinds.items()}}
    options = replace(table.options, types=tuple(types.items()), stated=frozenset())
    try:
        again = open_table(engine, path, name=table.name, options=options, contents=False)
    except Unreadable:
        return None
    findings = [
        replace(one, severity=Severity.WARN)
        if one.code == "mixed-types" and one.column in kinds
        else one
        for one in again.findings
    ]
    return replace(again, findings=tuple(findings))


def _lost(table: Table | None, column: str, values: int) -> int:
    """Returns how many values of a column a file would lose by being read again."""
    if table is None or table.unparsed is None:
        return values
    return table.unparsed.get(column, values)


# -- rows --------------------------------------------------------------------------------------


def _placed(opened: Sequence[MemberTable]) -> list[MemberTable]:
    """Returns the files with the rows that come before each."""
    placed, first = [], 0
    for one in opened:
        placed.append(replace(one, first=first))
        first += one.table.rows
    return placed


def _stacked(
    engine: Engine,
    opened: Sequence[MemberTable],
    columns: Sequence[_Shared],
    *,
    name: str,
    findings: list[Finding],
    contents: bool,
    size_bytes: int,
) -> Table:
    rows = sum(one.table.rows for one in opened)
    engine.make_room(len(columns))
    source, raw = engine.fresh("source"), engine.fresh("raw")
    types = _types(opened, columns)
    query = " UNION ALL ".join(_typed(at, one, columns, types) for at, one in enumerate(opened))
    if rows <= _SMALL_ROWS * len(opened):
        query = f"SELECT * FROM {engine.create('union', query, size_bytes)}"
    with engine.planned_fast():
        engine.rows(f"CREATE TEMP VIEW {source} AS {query}")
        texts = " UNION ALL ".join(_text(at, one, columns) for at, one in enumerate(opened))
        engine.rows(f"CREATE TEMP VIEW {raw} AS {texts}")
    described = {str(row[0]): str(row[1]) for row in engine.rows(f"DESCRIBE {source}")}
    if not rows:
        message = f"no rows in {times(len(opened), 'file')}"
        findings.append(structural("no-rows", message, name, rows=0))
    table = Table(
        name,
        opened[0].table.options,
        tuple(
            Column(one.name, kind_of(described[one.name]), described[one.name]) for one in columns
        ),
        rows,
        source,
        raw,
        unparsed=_unparsed(opened, columns),
        members=tuple(opened),
    )
    if contents:
        findings += judge_contents(engine, table)
    return replace(table, findings=worst_first(findings))


def _types(opened: Sequence[MemberTable], columns: Sequence[_Shared]) -> dict[str, str]:
    """Returns the engine's type of each column whose kind is not the same in all files."""
    found: dict[str, str] = {}
    for one in columns:
        for at, own in one.own.items() if one.values else ():
            column = next(two for two in opened[at].table.columns if two.name == own.name)
            if column.kind is one.kind:
                found.setdefault(one.name, column.type)
    return found


def _typed(
    at: int, member: MemberTable, columns: Sequence[_Shared], types: Mapping[str, str]
) -> str:
    """Returns the SQL of a file's rows as rows of the whole."""
    own = {one.name: one.type for one in member.table.columns}
    parts = [f"s.{quoted(ROW)} + {member.first} AS {quoted(ROW)}"]
    texts = False
    for one in columns:
        column = one.own.get(at)
        if column is None or (one.values and not one.values.get(at)):
            value = "NULL"
        elif one.kind is Kind.TEXT and own[column.name] != "VARCHAR":
            value, texts = f"r.{quoted(column.name)}", True
        else:
            value = f"s.{quoted(column.name)}"
        if one.name in types:
            value = f"CAST({value} AS {types[one.name]})"
        parts.append(f"{value} AS {quoted(one.name)}")
    joined = f" JOIN {member.table.raw} r USING ({quoted(ROW)})" if texts else ""
    return f"SELECT {', '.join(parts)} FROM {member.table.source} s{joined}"


def _text(at: int, member: MemberTable, columns: Sequence[_Shared]) -> str:
    parts = [f"{quoted(ROW)} + {member.first} AS {quoted(ROW)}"]
    for one in columns:
        value = quoted(one.own[at].name) if at in one.own else "CAST(NULL AS VARCHAR)"
        parts.append(f"{value} AS {quoted(one.name)}")
    return f"SELECT {', '.join(parts)} FROM {member.table.raw}"


def _unparsed(opened: Sequence[MemberTable], columns: Sequence[_Shared]) -> dict[str, int] | None:
    """Returns how many values were lost to a column's kind, None where a reader did not count."""
    counted: dict[str, int] = {}
    for one in columns:
        lost = 0
        for at, own in one.own.items():
            known = opened[at].table.unparsed
            if known is None:
                return None
            lost += 0 if one.kind is Kind.TEXT else known.get(own.name, 0)
        counted[one.name] = lost
    return counted


def _spots(engine: Engine, table: Table, rows: Sequence[int]) -> Iterator[tuple[int, Place]]:
    """Yields where rows of the whole stand: file, line and row in it."""
    for one in table.members:
        mine = [row - one.first for row in rows if 0 < row - one.first <= one.table.rows]
        lines = one.table.lines(engine, mine) if mine else {}
        for row in mine:
            yield row + one.first, Place(one.table.name, lines.get(row, 0), row)


# -- findings ----------------------------------------------------------------------------------


def _places(finding: Finding) -> Iterator[Place]:
    yield finding.place
    yield from (one.place for one in finding.examples)


def _of_a_part(finding: Finding) -> Finding:
    """Returns what makes a file no table, milder for one that only has no rows: others have."""
    if finding.code != "header-only":
        return finding
    return replace(finding, severity=Severity.WARN)


def _together(several: Sequence[Finding]) -> Finding:
    """Returns one finding for what is found in several files alike: the worst, and where else."""
    if len(several) == 1:
        return several[0]
    worst = max(several, key=lambda one: RANK[one.severity])
    names = list(dict.fromkeys(one.place.path for one in several if one is not worst))
    if not names:
        return worst
    words = f"the same in {times(len(names), 'other file')}: {_listed(names)}"
    return replace(
        worst, message=f"{worst.message}; {words}", figures={**worst.figures, "files": names}
    )


def _same_files(files: Sequence[Member]) -> list[Finding]:
    """Returns a warning about each file whose bytes an earlier one has: delivered twice, perhaps."""
    first: dict[str, str] = {}
    found = []
    for one in files:
        before = first.setdefault(one.mark, one.name)
        if before != one.name:
            message = f"byte for byte the same as {before}, so that its rows count twice"
            found.append(structural("repeated-file", message, one.name))
    return folded(found)


def _column_findings(
    columns: Sequence[_Shared], opened: Sequence[MemberTable], name: str
) -> list[Finding]:
    found = []
    names = [one.table.name for one in opened]
    for one in columns:
        without = [at for at in range(len(opened)) if at not in one.own]
        if without:
            # A column that later files have and earlier ones do not was added.
            severity = Severity.WARN if max(without) < min(one.own) else Severity.FAIL
            message = f"no such column in {named([names[at] for at in without], len(names))}"
            found.append(
                structural("columns-differ", message, name, column=one.name, severity=severity,
                           files=[names[at] for at in without])
            )  # fmt: skip
        spelled = [at for at, own in one.own.items() if own.name != one.name]
        if spelled:
            message = f"spelled {one.own[spelled[0]].name} in {named([names[at] for at in spelled], len(names))}"
            found.append(
                structural("columns-differ", message, name, column=one.name, severity=Severity.WARN,
                           files=[names[at] for at in spelled])
            )  # fmt: skip
        kinds: dict[str, list[str]] = defaultdict(list)
        for at, own in one.own.items():
            if one.values.get(at):
                kinds[own.kind.value].append(names[at])
        if one.kind is Kind.TEXT and len(kinds) > 1:
            told = "; ".join(f"{kind} in {named(some, len(names))}" for kind, some in kinds.items())
            message = f"values of several types, kept as text: {told}"
            found.append(structural("mixed-types", message, name, column=one.name))
    return found


def _dialects(opened: Sequence[MemberTable]) -> list[Finding]:
    """Returns a warning where files are written in different ways, such as with another delimiter."""
    found = []
    first = opened[0].table
    for key in _DIALECT:
        usual = getattr(first.options, key)
        others = [one.table.name for one in opened if getattr(one.table.options, key) != usual]
        if others:
            message = f"read with {key} {usual!r}, and otherwise in {named(others, len(opened))}"
            hint = (
                "if that is right, say nothing; if not, read: in the checks says how all are read"
            )
            found.append(
                structural("read-differently", message, first.name, hint=hint, files=others)
            )
    return found
