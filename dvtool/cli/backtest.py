"""`dvtool check --backtest`: the past replayed, and what would be caught, as text or JSON.

Here a path becomes a past and the answer is shown. What is not here: the back-test (`dvtool.ops.backtest`).
Called by the command `check`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dvtool.cli.opening import data_and_files, open_workspace, watcher
from dvtool.cli.output import Output
from dvtool.errors import NoRepository

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dvtool.ops.backtest import Backtest
    from dvtool.ops.profiler import Spec
    from dvtool.ops.subjects import PastFile
    from dvtool.ops.workspace import Workspace
    from dvtool.quality.checks.model import HistoryRule


def show_backtest(path: str, output: Output, *, quiet: bool) -> int:
    """Shows the back-test of a data set, a folder or a pattern of files; returns the exit code."""
    from dvtool.ops.backtest import backtest
    from dvtool.ops.profiler import Profiler, Spec

    try:
        workspace = open_workspace(quiet=quiet)
    except NoRepository:
        workspace = None
    found = _committed(workspace, path) if workspace is not None else None
    progress = watcher(quiet=quiet)
    if found is not None and workspace is not None:
        past, spec, rule = found
        result = backtest(past, Profiler.of(workspace), spec, progress, rule)
    else:
        from dvtool.ops.history import files_in_order

        result = backtest(files_in_order(path), Profiler(None, b"", progress), Spec(), progress)
    output.data(result.to_json())
    for line in _lines(result):
        output.text(line)
    return 0


def _committed(
    workspace: Workspace, path: str
) -> tuple[Sequence[PastFile], Spec, HistoryRule] | None:
    """Returns the versions of a data set or a file in one, None for what is none."""
    from dvtool.ops.history import committed_past

    inside, _ = data_and_files(workspace, [path])
    if not inside or not Path(path).exists():
        return None
    return committed_past(workspace, inside[0])


def _lines(result: Backtest) -> list[str]:
    lines = [f"{len(result.alarms)} of {result.judged} versions would have alarmed"]
    lines[0] += ":" if result.alarms else ""
    for alarm in result.alarms:
        first = alarm.findings[0]
        where = f"{first.column}: " if first.column else ""
        lines.append(f"  {alarm.version}  {where}{first.message}")
    if result.gaps:
        lines.append(f"{len(result.gaps)} versions have no profile here and were left out")
    if result.power:
        lines.append("in the latest version this would be caught:")
    for column, faults in result.power.items():
        caught = [name for name, is_caught in faults.items() if is_caught]
        missed = [name for name, is_caught in faults.items() if not is_caught]
        text = f"  {column}: {', '.join(caught) or 'nothing that was tried'}"
        lines.append(text + (f"; not: {', '.join(missed)}" if missed else ""))
    if result.note:
        lines.append(result.note)
    return lines
