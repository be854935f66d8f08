"""The answer of `check --since`, for people and as JSON. Called by `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dvtool.cli.judging import exit_code
from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.output import Output, count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dvtool.ops.check import Wanted
    from dvtool.ops.since import Since
    from dvtool.ops.since_versions import JudgedVersion

SHOWN_OPEN = 3


def show_since(path: str, rev: str, wanted: Wanted, output: Output) -> int:
    """Prints where failures of a data set began; returns the exit code that the newest version has."""
    from dvtool.ops.since import check_since
    from dvtool.quality.findings import Verdict

    workspace = open_workspace(quiet=output.quiet or output.as_json)
    dataset = in_repository(workspace, [path])[0].removesuffix(".dvt")
    found = check_since(workspace, dataset, rev, wanted)
    output.data(_json(found))
    for line in _lines(found):
        output.text(line)
    newest = found.versions[0].verdict or Verdict.UNDECIDED
    return exit_code({newest} & {Verdict.FAIL, Verdict.UNDECIDED})


def _json(found: Since) -> dict[str, object]:
    return {
        "dataset": found.dataset,
        "versions": [
            {
                "commit": one.commit,
                "how": one.how,
                "verdict": _word(one),
                "failing": [{"table": s.table, "finding": s.finding.key} for s in one.failing],
                "unknown": list(map(str, one.unknown)),
            }
            for one in found.versions
        ],
        "began": found.began,
    }


def _lines(found: Since) -> Iterator[str]:
    for one in found.versions:
        keys = ", ".join(dict.fromkeys(seen.finding.key for seen in one.failing))
        told = "" if one.how in ("unknown", "absent") else f" (from {one.how})"
        yield f"{one.commit[:12]}  {_word(one)}{told}{'  ' if keys else ''}{keys}"
        for item in one.unknown[:SHOWN_OPEN]:
            yield f"    unknown: {item}"
        if len(one.unknown) > SHOWN_OPEN:
            yield f"    and {len(one.unknown) - SHOWN_OPEN} more that are unknown"
    if not found.began:
        yield f"no failure is known in {count(len(found.versions), 'version')}"
    for start in found.began:
        state = "still fails" if start.still else "does not fail any more"
        versions = count(start.failing, "version")
        yield f"{start.name} began in {start.first[:12]}: {start.message}"
        if start.hint:
            yield f"    {start.hint}"
        if start.before:
            gap = f", {count(start.unknown, 'version')} unknown in between" if start.unknown else ""
            yield f"    not in {start.before[:12]} before it{gap}; fails in {versions}, {state}"
        else:
            older = f", {start.unknown} older unknown" if start.unknown else ""
            yield f"    at the latest{older}; fails in {versions}, {state}"


def _word(one: JudgedVersion) -> str:
    if one.verdict is not None:
        return one.verdict.value
    return "absent" if one.how == "absent" else "unknown"
