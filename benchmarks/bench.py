"""What all cases share: the clock and the record, `Bench`, and one line of a comparison, `Entry`.

A case is a list of steps; a step is a list of entries, one for each tool or floor, run in turn so
that a slow minute of the machine hits all of them. Which steps there are is in the `case_*`
modules; what is done with the samples afterwards in `aims` and `report`.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from datasets import Content
from measure import CommandFailed, Runner, Usage
from serverprocess import ServerProcess, Traffic
from tools import Commands, Copier, Tool

RACY_S = 1.1


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    files: int
    file_bytes: int
    transfer_files: int
    big_mib: int
    million_files: int
    million_bytes: int
    gc_records: int
    repeat: int
    latency_ms: float
    content: Content


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one command line; `traffic` is None where no server was involved."""

    case: str
    step: str
    tool: str
    usage: Usage
    traffic: Traffic | None


@dataclass(slots=True)
class Results:
    """All samples of a run, and all that was not measured, with the reason."""

    samples: list[Sample] = field(default_factory=list)
    missing: list[tuple[str, str, str]] = field(default_factory=list)

    def values(self, case: str, step: str, tool: str, metric: str) -> list[float]:
        """Returns a metric's values over all samples of one entry; empty if there are none."""
        found = []
        for sample in self.samples:
            if (sample.case, sample.step, sample.tool) == (case, step, tool):
                holder = sample.usage if hasattr(sample.usage, metric) else sample.traffic
                if holder is not None:
                    found.append(float(getattr(holder, metric)))
        return found

    def median(self, case: str, step: str, tool: str, metric: str) -> float | None:
        """Returns the median of a metric over all samples of one entry, None if there are none."""
        values = self.values(case, step, tool, metric)
        return median(values) if values else None


class WrongResult(Exception):
    """A command ended well, but did not do what it was measured for."""


def nothing() -> None:
    """Does nothing; an entry's default preparation and check."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tool or floor in a step.

    Args:
        name: The tool or floor.
        commands: What is measured, together.
        cwd: Where it runs.
        before: Unmeasured preparation, before every repetition.
        after: Unmeasured check of the result; raises `WrongResult`.
    """

    name: str
    commands: Commands
    cwd: Path
    before: Callable[[], None] = nothing
    after: Callable[[], None] = nothing


@dataclass(slots=True)
class Bench:
    """One run: runs steps and keeps what they cost. A tool that fails is out for that case."""

    runner: Runner
    options: Options
    scratch: Path
    tools: Sequence[Tool]
    copiers: Sequence[Copier]
    programs: dict[str, Path]
    results: Results = field(default_factory=Results)
    _out: set[tuple[str, str]] = field(default_factory=set)

    def area(self, case: str) -> Path:
        """Returns a new, empty directory for a case."""
        path = self.scratch / case
        path.mkdir()
        return path

    def clear(self, path: Path) -> None:
        """Deletes a directory of this run, if it is there."""
        if path.exists():
            shutil.rmtree(path)

    def alive(self, case: str, tools: Iterable[Tool]) -> list[Tool]:
        """Returns the tools that have not failed in this case."""
        return [tool for tool in tools if (case, tool.name) not in self._out]

    def attempt(self, case: str, step: str, name: str, action: Callable[[], None]) -> bool:
        """Runs an action; when it fails, notes why and takes the tool out of the case."""
        if (case, name) in self._out:
            return False
        try:
            action()
        except (CommandFailed, WrongResult) as error:
            self._out.add((case, name))
            self.skip(case, name, f"{step} failed: {error}")
            return False
        return True

    def prepare(self, case: str, tools: Iterable[Tool], action: Callable[[Tool], None]) -> None:
        """Runs unmeasured preparation for every tool that is still in the case."""
        for tool in tools:
            self.attempt(case, "preparation", tool.name, lambda tool=tool: action(tool))  # type: ignore[misc]

    def skip(self, case: str, name: str, reason: str) -> None:
        """Notes, for everybody to see, that something is not measured."""
        if (case, name, reason) in self.results.missing:  # told in an earlier round
            return
        self.results.missing.append((case, name, reason))
        print(f"{case:10} {'-':14} {name:18} NOT MEASURED: {reason}", file=sys.stderr, flush=True)

    def step(
        self,
        case: str,
        step: str,
        entries: Sequence[Entry],
        *,
        repeats: int = 1,
        server: ServerProcess | None = None,
    ) -> None:
        """Measures all entries, `repeats` times in turn."""
        for _ in range(repeats):
            for entry in entries:
                self.attempt(
                    case,
                    step,
                    entry.name,
                    lambda entry=entry: self._measure(case, step, entry, server),  # type: ignore[misc]
                )

    def _measure(self, case: str, step: str, entry: Entry, server: ServerProcess | None) -> None:
        entry.before()
        if server is not None:
            server.traffic()
        usage = self.runner.measure(entry.commands, entry.cwd)
        traffic = server.traffic() if server is not None else None
        self.results.samples.append(Sample(case, step, entry.name, usage, traffic))
        requests = f" {traffic.requests:7d} requests" if traffic else ""
        print(
            f"{case:10} {step:14} {entry.name:18} {usage.cpu_s:8.3f} s CPU {usage.wall_s:8.3f} s wall "
            f"{usage.peak_bytes / 2**20:7.0f} MiB{requests}",
            file=sys.stderr,
            flush=True,
        )
        entry.after()


def settle() -> None:
    """Waits until the files just written are older than the clock tick of any file system.

    git and dvtool read a file again when it may have changed within the tick in which it was
    looked at; a user's data are older than a second, so the benchmark's have to be, too.
    """
    time.sleep(RACY_S)
