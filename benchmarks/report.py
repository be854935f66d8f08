"""Writes a run down: everything as JSON, and the medians as Markdown for people.

Pure: takes what was measured, returns text. `run` decides where it goes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from aims import MIB, Judged
from bench import Results

STEPS_NOTE = """\
Medians over `n` repetitions, in one run, tools taking turns. *CPU*: user and system seconds of the
command and all its children. *peak*: resident memory of its largest process; *all*: of the command
and its children together, sampled, blank where it was too short. *requests* and *MB*: counted by
the S3 server; where *server CPU* is near *wall*, the server was the bottleneck.
"""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the numbers: date (ISO 8601, UTC), command, machine, program versions."""

    date: str
    command: str
    machine: Mapping[str, str]
    programs: Mapping[str, str]


def as_json(head: Head, results: Results, judged: Iterable[Judged]) -> str:
    """Returns every sample and every aim as JSON; sizes in bytes, times in seconds."""
    document = {
        "format": 1,
        **asdict(head),
        "samples": [asdict(sample) for sample in results.samples],
        "not_measured": [
            {"case": case, "tool": tool, "reason": reason} for case, tool, reason in results.missing
        ],
        "aims": [
            {
                **asdict(item.aim),
                "numerator": item.numerator,
                "denominator": item.denominator,
                "value": item.value,
                "verdict": item.verdict,
            }
            for item in judged
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def as_markdown(head: Head, results: Results, judged: Iterable[Judged]) -> str:
    """Returns the medians and the aims as Markdown."""
    facts = [("date", head.date), ("command", f"`{head.command}`"), *head.machine.items()]
    parts = ["# Benchmark results", table(("", ""), facts), "## Programs"]
    parts.append(table(("program", "version"), head.programs.items()))
    parts += ["## Aims", _aims_table(judged), "## Measurements", STEPS_NOTE]
    for case in dict.fromkeys(sample.case for sample in results.samples):
        parts += [f"### {case}", _case_table(results, case)]
    if results.missing:
        rows = [(case, tool, reason.splitlines()[0]) for case, tool, reason in results.missing]
        parts += ["## Not measured", table(("case", "tool", "reason"), rows)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def shown_command(program: str, argv: Iterable[str]) -> str:
    """Returns a command line without places, which mean nothing on another machine."""
    places = ("--scratch", "--out", "--dvtool", "--dvc")
    words = iter(argv)
    kept = []
    for word in words:
        if word in places:
            next(words, None)
        elif not word.startswith(tuple(f"{place}=" for place in places)):
            kept.append(word)
    return shlex.join(["python", f"benchmarks/{program}", *kept])


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a Markdown table."""
    names = list(head)
    lines = [_row(names), _row("---" for _ in names)]
    lines += [_row(row) for row in rows]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _aims_table(judged: Iterable[Judged]) -> str:
    rows = []
    for item in judged:
        aim = item.aim
        against = f"{aim.against} {aim.against_step}".strip() if aim.against else "-"
        scale = MIB if aim.metric.endswith("_bytes") and not aim.against else 1.0
        unit = " MiB" if scale > 1 else "x" if aim.against else ""
        value = "-" if item.value is None else f"{item.value / scale:.3g}{unit}"
        measure = f"{aim.case} {aim.step}, {aim.metric}"
        rows.append(
            (aim.name, measure, against, f"≤ {aim.limit / scale:g}{unit}", value, item.verdict)
        )
    return table(("aim", "measure", "against", "limit", "measured", "verdict"), rows)


def _case_table(results: Results, case: str) -> str:
    rows = []
    for step, tool in dict.fromkeys(
        (sample.step, sample.tool) for sample in results.samples if sample.case == case
    ):

        def cell(
            metric: str, form: str, scale: float = 1.0, *, key: tuple[str, str] = (step, tool)
        ) -> str:
            value = results.median(case, *key, metric)
            return "" if value is None else form.format(value / scale)

        tree = cell("tree_bytes", "{:.0f}", MIB)
        rows.append(
            (
                step,
                tool,
                str(len(results.values(case, step, tool, "wall_s"))),
                cell("cpu_s", "{:.3f}"),
                cell("wall_s", "{:.3f}"),
                cell("peak_bytes", "{:.0f}", MIB),
                "" if tree == "0" else tree,
                cell("requests", "{:.0f}"),
                cell("bytes_in", "{:.1f}", 1e6),
                cell("bytes_out", "{:.1f}", 1e6),
                cell("server_cpu_s", "{:.2f}"),
            )
        )
    names = (
        "step",
        "tool",
        "n",
        "CPU s",
        "wall s",
        "peak MiB",
        "all MiB",
        "requests",
        "MB up",
        "MB down",
        "server CPU s",
    )
    return table(names, rows)
