"""What is found of a table of several files as such: in what its files differ, and what they say alike.

Also how a finding about a row of the whole comes back to file and line. What a file is alone its reader
finds. Called by `union`, and by whoever judges such a table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from dvtool.quality.findings import RANK, Finding, Place, Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Member
from dvtool.quality.tables.shared import Shared
from dvtool.quality.tables.structure import structural, times
from dvtool.quality.tables.table import MemberTable, Table

MOST_NAMED: Final = 3
"""Files that are named where something is about several."""
_DIALECT: Final = ("delimiter", "quote", "header", "skip", "decimal", "thousands", "encoding")


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


def of_a_part(finding: Finding) -> Finding:
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


def same_files(files: Sequence[Member]) -> list[Finding]:
    """Returns a warning about each file whose bytes an earlier one has: delivered twice, perhaps."""
    first: dict[str, str] = {}
    found = []
    for one in files:
        before = first.setdefault(one.mark, one.name)
        if before != one.name:
            message = f"byte for byte the same as {before}, so that its rows count twice"
            found.append(structural("repeated-file", message, one.name))
    return folded(found)


def column_findings(
    columns: Sequence[Shared], opened: Sequence[MemberTable], name: str
) -> list[Finding]:
    """Returns what is found of columns that files lack, spell in another way, or hold other kinds of."""
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


def dialects(opened: Sequence[MemberTable]) -> list[Finding]:
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


def _places(finding: Finding) -> Iterator[Place]:
    yield finding.place
    yield from (one.place for one in finding.examples)


def _spots(engine: Engine, table: Table, rows: Sequence[int]) -> Iterator[tuple[int, Place]]:
    """Yields where rows of the whole stand: file, line and row in it."""
    for one in table.members:
        mine = [row - one.first for row in rows if 0 < row - one.first <= one.table.rows]
        lines = one.table.lines(engine, mine) if mine else {}
        for row in mine:
            yield row + one.first, Place(one.table.name, lines.get(row, 0), row)
