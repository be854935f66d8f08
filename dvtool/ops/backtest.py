"""`check --backtest`: what the history gate would have said about the past, and what it catches.

Replays every version against those before it, then spoils the latest one column by column and counts
what is caught. Figures are `dvtool.quality.history`; called by the CLI.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from dvtool.core.events import Progress
from dvtool.errors import ObjectMissing, UsageError
from dvtool.ops.history import spec_of, versions_of
from dvtool.ops.profiler import Profiler, Spec
from dvtool.ops.subjects import PastFile, plain_file
from dvtool.quality.checks.model import HistoryRule
from dvtool.quality.findings import Finding, Severity
from dvtool.quality.history.faults import FAULTS
from dvtool.quality.history.judging import History
from dvtool.quality.history.version import Version
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.model import ColumnProfile
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.structure import times
from dvtool.quality.tables.table import ROW, Table

MOST_ROWS: Final = 20_000
"""Rows of the latest version that faults are tried on."""
MOST_COLUMNS: Final = 24
_FEW: Final = 50


@dataclass(frozen=True, slots=True)
class Alarm:
    """A past version that would have alarmed, and why."""

    version: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a back-test found.

    Attributes:
        versions: Known ones, oldest first.
        gaps: Names of versions without a profile here.
        judged: Versions that had enough before them.
        alarms: Those of them that would have alarmed.
        power: By column, by fault: whether it would have been caught in the latest version.
        note: Why no fault was tried; empty normally.
    """

    versions: tuple[str, ...]
    gaps: tuple[str, ...]
    judged: int
    alarms: tuple[Alarm, ...]
    power: dict[str, dict[str, bool]]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Returns it as JSON data."""
        return {
            "versions": len(self.versions),
            "gaps": list(self.gaps),
            "judged": self.judged,
            "alarms": [
                {
                    "version": one.version,
                    "findings": [f"{f.column}: {f.message}" for f in one.findings],
                }
                for one in self.alarms
            ],
            "power": self.power,
            "note": self.note,
        }


def backtest(
    past: Sequence[PastFile],
    profiler: Profiler,
    spec: Spec,
    progress: Progress,
    rule: HistoryRule | None = None,
) -> Backtest:
    """Returns what the gate would have said about each version, and what it catches in the latest.

    Args:
        past: Versions, oldest first, the latest included.
        profiler: Gives their profiles.
        spec: How they are profiled.
        progress: Whom to tell.
        rule: `history:` of the checks; None for the defaults.

    Raises:
        UsageError: Fewer versions than the gate needs have a profile.
    """
    how = spec_of(rule)
    least = how.min_versions
    versions, gaps = versions_of(past, profiler, spec)
    if len(versions) <= least:
        raise UsageError(
            f"{times(len(versions), 'version')} known, a back-test needs {least + 1}",
            hint="dvtool profile --all-history PATH profiles what is here",
        )
    progress.start("backtest", total_items=len(versions) - least)
    alarms = []
    for at in range(least, len(versions)):
        answer = History(versions[:at], how).judge(versions[at])
        failed = [one for one in answer.findings if one.severity is Severity.FAIL]
        if failed:
            alarms.append(Alarm(versions[at].name, tuple(failed)))
        progress.advance(items=1)
    latest = next(one for one in reversed(past) if one.name == versions[-1].name)
    history = History(versions[:-1], how)
    power, note = _power(history, versions[-1], latest, spec, profiler)
    names = tuple(one.name for one in versions)
    return Backtest(names, tuple(gaps), len(versions) - least, tuple(alarms), power, note)


def _power(
    history: History, version: Version, latest: PastFile, spec: Spec, profiler: Profiler
) -> tuple[dict[str, dict[str, bool]], str]:
    with ExitStack() as opened:
        engine = opened.enter_context(Engine())
        try:
            path = opened.enter_context(latest.file.open())
        except ObjectMissing as error:
            return {}, f"no fault was tried: {error}"
        table = open_table(engine, path, name=latest.file.name, options=spec.read)
        if table.options.format != "csv":
            return {}, "faults are tried on CSV files only"
        if table.rows > MOST_ROWS:
            return {}, f"faults are tried on up to {MOST_ROWS:,} rows, this has {table.rows:,}"
        names = [one.name for one in table.columns]
        rows = _texts(engine, table, names)
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        found = {}
        for at, name in enumerate(names[:MOST_COLUMNS]):
            column = version.profile.column(name)
            if column is None or column.privacy is Privacy.PRIVATE:
                continue
            spoiler = _Spoiler(history, names, rows, folder / "spoilt.csv", spec, profiler)
            found[name] = spoiler.tried(at, column)
    return found, ""


@dataclass(frozen=True, slots=True)
class _Spoiler:
    """The latest version as texts, and what judges it once it is spoilt."""

    history: History
    names: Sequence[str]
    rows: list[list[str]]
    path: Path
    spec: Spec
    profiler: Profiler

    def tried(self, at: int, column: ColumnProfile) -> dict[str, bool]:
        """Returns for each fault that fits a column whether it is caught."""
        found = {}
        texts = [row[at] for row in self.rows]
        for fault in FAULTS:
            if not _applies(fault.needs, column):
                continue
            spoilt = fault.make(texts, Random(f"{column.name} {fault.name}"))  # noqa: S311 repeatable
            if spoilt is not None and spoilt != texts:
                self._write(at, spoilt)
                found[fault.name] = self._is_caught()
        return found

    def _write(self, at: int, spoilt: Sequence[str]) -> None:
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.names)
            for row, text in zip(self.rows, spoilt, strict=True):
                writer.writerow([*row[:at], text, *row[at + 1 :]])

    def _is_caught(self) -> bool:
        how = Spec(None, self.spec.privacy, self.spec.label)
        made = self.profiler.file(plain_file(self.path, name=self.path.name), how)
        if made.profile is None:
            return True  # not even a table any more
        answer = self.history.judge(Version("spoilt", made.profile))
        return any(one.severity is Severity.FAIL for one in answer.findings)


def _applies(needs: str, column: ColumnProfile) -> bool:
    if needs == "number":
        return column.kind.is_number
    if needs == "any":
        return True
    is_text = column.kind is Kind.TEXT
    return is_text and (needs == "text" or (column.distinct or 0) <= _FEW)


def _texts(engine: Engine, table: Table, names: Sequence[str]) -> list[list[str]]:
    wanted = ", ".join(f"coalesce({quoted(one)}, '')" for one in names)
    sql = f"SELECT {wanted} FROM {table.raw} ORDER BY {quoted(ROW)}"  # noqa: S608 names are quoted
    return [list(row) for row in engine.rows(sql)]
