"""Causes that only rows tell, looked for once history has alarmed.

Profiles know no order of rows and no cell, so the latest version stands beside the judged one: the
judged one is open still, and so is the latest where it was the baseline; else it is opened, which costs
what a baseline costs. Only after an alarm. Called by `dvtool.ops.history`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

from dvtool.errors import ExtraMissing, ObjectMissing
from dvtool.ops.profiler import Spec
from dvtool.ops.subjects import FileBytes
from dvtool.quality.drift.diagnosis import likely_fault
from dvtool.quality.drift.faults import Fault
from dvtool.quality.filled import filled, findings_of
from dvtool.quality.findings import Finding
from dvtool.quality.folding import ALARM, MISPLACED
from dvtool.quality.judging import Opened
from dvtool.quality.kinds import Kind
from dvtool.quality.measuring import Incomparable, distribution
from dvtool.quality.retyping import as_written
from dvtool.quality.shifted import with_shift
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import size_of
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Table, Unreadable
from dvtool.quality.tables.union_findings import located

LARGEST_BYTES: Final = 256 << 20
"""Larger files are not looked through only to name a cause."""
_NATURAL: Final = frozenset({"category-dropped", "time-shift"})
"""What the next version is often like without any fault."""


@dataclass(frozen=True, slots=True)
class Causes:
    """What the rows tell.

    Attributes:
        findings: About filled values and shifted columns.
        faults: The likely fault of columns that history alarms on.
    """

    findings: tuple[Finding, ...] = ()
    faults: dict[str, Fault] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What is open once a table was judged, so that no file is read twice.

    Attributes:
        opened: The judged table, and its baseline where that was read.
        size_bytes: Of the judged file.
        earlier: The file of the baseline; None where there is none.
    """

    opened: Opened
    size_bytes: int
    earlier: FileBytes | None = None

    def before(self, latest: FileBytes) -> Table | None:
        """Returns the table of a file, where that is the baseline and was read."""
        if self.earlier is None or latest.digest is None:
            return None
        return self.opened.before if self.earlier.digest == latest.digest else None


def causes_beside(
    held: Held,
    latest: FileBytes,
    spec: Spec,
    findings: Sequence[Finding],
    *,
    policy: str,
    is_compared: bool,
) -> Causes:
    """Returns what the rows tell about alarms; nothing where either file cannot be read.

    Args:
        held: What was judged, and what is open beside it.
        latest: The version before it.
        spec: How both are read, and which columns are private.
        findings: All that was found so far.
        policy: `schema_change:` of the checks, empty for the default.
        is_compared: Whether a baseline was compared already, so that only faults are asked for.
    """
    engine, table = held.opened.engine, held.opened.table
    if table is None or held.size_bytes > LARGEST_BYTES:
        return Causes()
    broken = suppress(Unreadable, ObjectMissing, ExtraMissing, OSError)
    with broken, ExitStack() as files:
        earlier = held.before(latest)
        if earlier is None:
            source = files.enter_context(latest.open())
            if size_of(source) > LARGEST_BYTES:
                return Causes()
            earlier = open_table(
                engine, source, name=latest.name, options=spec.read, contents=False
            )
        found: tuple[Finding, ...] = ()
        if not is_compared:
            sides = (earlier, table)
            found = tuple(_by_rows(engine, sides, spec, findings, policy))
        names = dict.fromkeys(one.column for one in findings if one.code == ALARM and one.column)
        found = tuple(located(engine, table, found))
        return Causes(found, _faults(engine, earlier, table, names))
    return Causes()


def _by_rows(
    engine: Engine,
    sides: tuple[Table, Table],
    spec: Spec,
    findings: Sequence[Finding],
    policy: str,
) -> Iterable[Finding]:
    before, table = sides
    said = {(one.code, one.column) for one in findings}
    shift = with_shift(engine, before, table, policy, findings)[:1]
    for one in (
        *findings_of(engine, table, filled(engine, before, table)),
        *(one for one in shift if one.code in MISPLACED),
    ):
        if (one.code, one.column) not in said and one.column not in spec.private:
            yield one


def _faults(engine: Engine, before: Table, table: Table, names: Iterable[str]) -> dict[str, Fault]:
    sides = [{one.name: one for one in side.columns} for side in (before, table)]
    found = {}
    for name in names:
        if not all(name in side for side in sides):
            continue
        was, now = (side[name] for side in sides)
        # A guess is a service: whatever goes wrong on the way, the alarm stands.
        with suppress(Exception):
            if was.kind is not now.kind or now.kind is Kind.TEXT:
                texts = [as_written(engine, one, name) for one in (before, table)]
                fault = likely_fault(texts[0], texts[1])
            else:
                numbers = [
                    distribution(engine, one, column)
                    for one, column in ((before, was), (table, now))
                ]
                if isinstance(numbers[0], Incomparable) or isinstance(numbers[1], Incomparable):
                    continue
                fault = likely_fault(numbers[0], numbers[1], moment=now.kind.is_moment)
            if fault is not None and fault.code not in _NATURAL:
                found[name] = fault
    return found
