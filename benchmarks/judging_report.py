"""Holds the samples of a judging run, its aims, and how both are written down.

The least CPU of the repetitions counts, not the median: neighbours on the machine only ever add
to it. Nothing is measured here. Called by `judging.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from measure import Usage
from report import table

MIB = float(2**20)
NOTE = """\
Least CPU seconds (user and system, with all children) of `n` repetitions, tools taking turns, each
in a process and an environment of its own; *wall* is that repetition's. *peak*: largest resident
memory of any repetition. *MiB in*: size of the table. Compare only within one table of this page.
"""
SUMMARIZE = "floor: SUMMARIZE"


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: which table, what was done, by whom, at what cost."""

    rows: int
    form: str
    step: str
    tool: str
    usage: Usage


@dataclass(slots=True)
class Run:
    """Everything that one run, or several written into one file, found."""

    date: str = ""
    machine: dict[str, str] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    missing: list[tuple[int, str, str, str, str]] = field(default_factory=list)

    def add(self, rows: int, form: str, step: str, tool: str, usage: Usage) -> None:
        """Keeps a sample."""
        self.samples.append(Sample(rows, form, step, tool, usage))
        print(
            f"{rows:>9} {form:8} {step:8} {tool:24} {usage.cpu_s:8.2f} s CPU "
            f"{usage.wall_s:8.2f} s wall {usage.peak_bytes / MIB:7.0f} MiB",
            flush=True,
        )

    def skip(self, rows: int, form: str, step: str, tool: str, reason: str) -> None:
        """Notes, for everybody to see, that something is not measured."""
        one = (rows, form, step, tool, reason)
        if one not in self.missing:
            self.missing.append(one)
            print(f"{rows:>9} {form:8} {step:8} {tool:24} NOT MEASURED: {reason}", flush=True)

    def least(self, rows: int, form: str, step: str, tool: str) -> Usage | None:
        """Returns the repetition with the least CPU, with the largest peak of all; None for none."""
        found = [
            one.usage
            for one in self.samples
            if (one.rows, one.form, one.step, one.tool) == (rows, form, step, tool)
        ]
        if not found:
            return None
        best = min(found, key=lambda usage: usage.cpu_s)
        peak = max(usage.peak_bytes for usage in found)
        return Usage(best.wall_s, best.cpu_s, peak, best.tree_bytes)

    def count(self, rows: int, form: str, step: str, tool: str) -> int:
        """Returns the number of repetitions."""
        key = (rows, form, step, tool)
        return sum((one.rows, one.form, one.step, one.tool) == key for one in self.samples)

    def write(self, out: Path) -> None:
        """Writes OUT.json and OUT.md."""
        out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        out.with_suffix(".json").write_text(text + "\n")
        out.with_suffix(".md").write_text(as_markdown(self))

    @staticmethod
    def read(path: Path) -> Run:
        """Returns a run as it was written."""
        found = json.loads(path.read_text())
        samples = [Sample(**one | {"usage": Usage(**one["usage"])}) for one in found["samples"]]
        missing = [tuple(one) for one in found["missing"]]
        return Run(**found | {"samples": samples, "missing": missing})


@dataclass(frozen=True, slots=True)
class Judged:
    """One aim: what was promised and what was measured, both in words; `met` None for unknown."""

    name: str
    limit: str
    found: str
    met: bool | None


def aims(run: Run) -> Iterator[Judged]:
    """Yields every aim, for every table that was measured."""
    again = run.least(100_000, "parquet", "again", "dvtool")
    if again is not None:
        milli = again.cpu_s * 1000
        yield Judged("unchanged data judged again", "≤ 100 ms", f"{milli:.0f} ms", milli <= 100)
    for rows, form in dict.fromkeys((one.rows, one.form) for one in run.samples):
        where = f"{rows:,} rows, {form}"
        floor = run.least(rows, form, "profile", SUMMARIZE)
        profile = run.least(rows, form, "profile", "dvtool")
        check = run.least(rows, form, "check", "dvtool")
        if floor and profile and check:
            ratio = (profile.cpu_s + check.cpu_s) / floor.cpu_s
            name = f"profiled and judged beside SUMMARIZE: {where}"
            yield Judged(name, "≤ 2x CPU", f"{ratio:.2f}x", ratio <= 2)
            peak = max(profile.peak_bytes, check.peak_bytes) / MIB
            yield Judged(f"memory: {where}", "≤ 1024 MiB", f"{peak:.0f} MiB", peak <= 1024)
        floor, both = (run.least(rows, form, "both", name) for name in (SUMMARIZE, "dvtool"))
        if floor and both:
            ratio = both.cpu_s / floor.cpu_s
            name = f"profiled and judged at once beside SUMMARIZE: {where}"
            yield Judged(name, "≤ 2x CPU", f"{ratio:.2f}x", ratio <= 2)
            peak = both.peak_bytes / MIB
            yield Judged(f"memory, at once: {where}", "≤ 1024 MiB", f"{peak:.0f} MiB", peak <= 1024)
        for step, tool in (
            ("check", "great-expectations"),
            ("check", "evidently"),
            ("profile", "evidently"),
            ("drift", "evidently"),
        ):
            mine, other = (run.least(rows, form, step, name) for name in ("dvtool", tool))
            if mine and other:
                ratio = other.cpu_s / mine.cpu_s
                name = f"{step} faster than {tool}: {where}"
                yield Judged(name, "≥ 5x less CPU", f"{ratio:.1f}x", ratio >= 5)


def as_markdown(run: Run) -> str:
    """Returns the run as Markdown."""
    facts = [("date", run.date), *run.machine.items(), *run.notes.items()]
    parts = ["# Judging beside others", table(("", ""), facts)]
    parts += ["## Environments", table(("environment", "holds"), run.programs.items())]
    verdicts = {True: "met", False: "missed", None: "unknown"}
    rows = [(one.name, one.limit, one.found, verdicts[one.met]) for one in aims(run)]
    parts += ["## Aims", table(("aim", "limit", "measured", "verdict"), rows)]
    parts += ["## Measurements", NOTE]
    for key in dict.fromkeys((one.rows, one.form) for one in run.samples):
        parts += [f"### {key[0]:,} rows, {key[1]}", _case(run, *key)]
    if run.missing:
        gone = [
            (f"{n:,} {form}", *rest, why.splitlines()[-1]) for n, form, *rest, why in run.missing
        ]
        parts += ["## Not measured", table(("table", "step", "tool", "reason"), gone)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _case(run: Run, rows: int, form: str) -> str:
    lines = []
    keys = dict.fromkeys(
        (one.step, one.tool) for one in run.samples if (one.rows, one.form) == (rows, form)
    )
    for step, tool in keys:
        usage = run.least(rows, form, step, tool)
        own = run.least(rows, form, step, "dvtool")
        assert usage is not None
        ratio = f"{usage.cpu_s / own.cpu_s:.2f}" if own else ""
        lines.append(
            (
                *(step, tool, str(run.count(rows, form, step, tool)), f"{usage.cpu_s:.2f}"),
                *(ratio, f"{usage.wall_s:.2f}", f"{usage.peak_bytes / MIB:.0f}"),
            )
        )
    size = run.sizes.get(f"{rows} {form}")
    head = f"{size / MIB:.0f} MiB in.\n\n" if size else ""
    names = ("step", "tool", "n", "CPU s", "x dvtool", "wall s", "peak MiB")
    return head + table(names, lines)
