"""Proof that everybody can have every version of a change: each commit's bytes are at the remote.

Presence is what the remote lists at this moment; no data are read. Called by `run`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dvtool.core.digest import format_digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.ops.ci.stretch import Span
from dvtool.ops.fetch import Seen
from dvtool.ops.verify import VerifyReport, verify_range
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Evidence, Finding, Place, Severity

ERASED = "erased on purpose"
"""Words of `verify` about what `purge` removed; that is for people to know, not to mend."""
SHOWN = 5
"""Commits and objects that one finding names."""


def prove(
    workspace: Workspace, span: Span, *, remote_name: str | None, seen: Seen
) -> tuple[Finding, ...]:
    """Returns what cannot be restored, one finding a data set; none when all of it can.

    Args:
        workspace: Where.
        span: The commits.
        remote_name: Which remote; None for the default.
        seen: Learns what the remote lists.
    """
    ranges = [f"{span.base}..{span.head}"] if span.base else [span.head]
    report = verify_range(workspace, ranges, remote_name=remote_name, at_remote=True, seen=seen)
    datasets = sorted({name for gap in report.incomplete for name in gap.datasets})
    return tuple(_finding(report, dataset) for dataset in datasets)


def _finding(report: VerifyReport, dataset: str) -> Finding:
    commits = [gap.commit[:12] for gap in report.incomplete if dataset in gap.datasets]
    lacking = [one for one in report.problems if one.where.startswith(f"{dataset} at ")]
    what = [format_digest(one.digest) if one.digest else one.what for one in lacking]
    erased = bool(lacking) and all(ERASED in one.what for one in lacking)
    why = f"{ERASED} " if erased else "not at the remote: "
    return Finding(
        "not-restorable",
        f"nobody else can restore {_listed(commits, 'commit')}: "
        + (why + _listed(what, "object") if what else "bytes are not at the remote"),
        Place(dataset + SIDECAR_SUFFIX),
        Evidence.GATE,
        severity=Severity.WARN if erased else Severity.FAIL,
        figures={"commits": commits, "objects": what},
        hint="whoever made these commits: dvtool push",
    )


def _listed(names: Sequence[str], noun: str) -> str:
    shown = ", ".join(names[:SHOWN])
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{noun}{'s' * (len(names) != 1)} {shown}{more}"
