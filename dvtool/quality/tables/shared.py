"""The columns that several files share: by name, and of one kind in all of them.

What a column is in each file its reader says; here it is settled what it is in the whole, and files of
another kind are read again. Called by `union` and `union_findings`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from dvtool.quality.findings import Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.endings import TEXTUAL
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.proposing import NEARLY
from dvtool.quality.tables.table import Column, MemberTable, Table, Unreadable

_WIDER: Final = ((Kind.INT, Kind.FLOAT), (Kind.DATE, Kind.DATETIME))
"""Kinds of which the second holds the values of the first as they are."""


@dataclass(frozen=True, slots=True)
class Shared:
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


def shared_columns(engine: Engine, opened: Sequence[MemberTable]) -> list[Shared]:
    """Returns the columns of all files, in the order in which they first come."""
    found: dict[str, dict[int, Column]] = {}
    for at, one in enumerate(opened):
        for column in one.table.columns:
            # The engine tells no names apart by case.
            found.setdefault(column.name.casefold(), {})[at] = column
    return [_shared(engine, opened, own) for own in found.values()]


def _shared(engine: Engine, opened: Sequence[MemberTable], own: Mapping[int, Column]) -> Shared:
    name = next(iter(own.values())).name
    kinds = {one.kind for one in own.values()}
    if len(kinds) == 1:
        return Shared(name, own, {}, kinds.pop())
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
    return Shared(name, own, values, kind)


def _wider(kinds: set[Kind]) -> Kind | None:
    """Returns the kind that holds the values of all of them; None where there is none."""
    if len(kinds) == 1:
        return next(iter(kinds))
    for narrow, wide in _WIDER:
        if kinds == {narrow, wide}:
            return wide
    return None


def agreed(
    engine: Engine,
    opened: Sequence[MemberTable],
    columns: list[Shared],
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


def types_of(opened: Sequence[MemberTable], columns: Sequence[Shared]) -> dict[str, str]:
    """Returns the engine's type of each column whose kind is not the same in all files."""
    found: dict[str, str] = {}
    for one in columns:
        for at, own in one.own.items() if one.values else ():
            column = next(two for two in opened[at].table.columns if two.name == own.name)
            if column.kind is one.kind:
                found.setdefault(one.name, column.type)
    return found
