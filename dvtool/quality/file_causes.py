"""Causes among files: which of many files under one entry of the checks a failing figure comes from.

Each file is judged alone; here the answers are laid side by side, so that a finding says whether its
file is the only one, or all of them are alike. Nothing is read again. Called by `dvtool.ops.judge`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dvtool.quality.checks.model import ChecksFile
from dvtool.quality.checks.parsing import table_for
from dvtool.quality.findings import Finding, Outcome, Severity
from dvtool.quality.judged import JudgedTable

MOST_NAMED: Final = 3
"""Files that are named where several fail alike."""


def beside_each_other(
    tables: Sequence[tuple[str, JudgedTable]], checks: ChecksFile | None
) -> list[tuple[str, JudgedTable]]:
    """Returns the tables of a folder, findings with the file to look at among those judged alike.

    Args:
        tables: By path inside the folder.
        checks: Of the folder; without them, files of one folder and one ending are judged alike.
    """
    told = list(tables)
    if len(told) < 2 or not any(table.findings for _, table in told):
        return told
    alike: dict[str, list[int]] = defaultdict(list)
    for at, (path, _) in enumerate(told):
        spec = table_for(checks, path) if checks is not None else None
        folder, name = os.path.split(path)
        alike[spec.path if spec else f"{folder}/*{os.path.splitext(name)[1]}"].append(at)
    for places in alike.values():
        found = with_file_causes([told[at][1] for at in places])
        for at, table in zip(places, found, strict=True):
            told[at] = (told[at][0], table)
    return told


def with_file_causes(tables: Sequence[JudgedTable]) -> list[JudgedTable]:
    """Returns the tables of one entry of the checks, their findings with the file to look at.

    It stands in `figures` as `files`, and in words after the hint. Findings that could not be decided,
    or are only notes, stay as they are; so does everything where there is one table only.

    Args:
        tables: Judged by the same checks, in the order of their paths.
    """
    read = [one for one in tables if one.is_table and one.rows]
    rows = {one.name: one.rows for one in read}
    failing: dict[str, dict[str, Finding]] = defaultdict(dict)
    for table in read:
        for finding in table.findings:
            if _counts(finding):
                failing[_key(finding)][table.name] = finding
    if len(rows) < 2 or not failing:
        return list(tables)
    said = {key: _words(found, rows) for key, found in failing.items()}
    return [
        replace(
            one,
            findings=tuple(
                _told(one.name, finding, rows, failing, said) for finding in one.findings
            ),
        )
        for one in tables
    ]


def _counts(finding: Finding) -> bool:
    return finding.outcome is Outcome.VIOLATED and finding.severity is not Severity.NOTE


def _key(finding: Finding) -> str:
    """Returns what is one cause in many files: drift shows by whichever method."""
    return f"{finding.evidence.value} {finding.column}" if _is_drift(finding) else finding.key


def _is_drift(finding: Finding) -> bool:
    return bool(finding.column) and "effects" in finding.figures


def _told(
    name: str,
    finding: Finding,
    rows: dict[str, int],
    failing: dict[str, dict[str, Finding]],
    said: dict[str, str],
) -> Finding:
    key = _key(finding)
    if not _counts(finding) or name not in failing.get(key, {}):
        return finding
    found = failing[key]
    share = sum(rows[one] for one in found) / sum(rows.values())
    figures = {"failing": len(found), "of": len(rows), "support": share}
    return finding.explained(said[key], files=figures)


def _words(found: dict[str, Finding], rows: dict[str, int]) -> str:
    """Returns in one line which files are to be looked at."""
    share = f"{100 * sum(rows[one] for one in found) / sum(rows.values()):.3g}% of rows"
    if len(found) == 1:
        return f"only this one of {len(rows)} files is like this ({share})"
    if (leading := _leading(found, rows)) is not None:
        return leading
    if len(found) == len(rows):
        return f"all {len(rows)} files are like this, so it is no matter of one file"
    named = ", ".join(list(found)[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"{len(found)} of {len(rows)} files are like this ({share}): {named}{more}"


def _leading(found: dict[str, Finding], rows: dict[str, int]) -> str | None:
    """Returns the file with most of the violations, in words; None where they are no counts."""
    counts = {name: one.figures.get("found") for name, one in found.items()}
    if not all(isinstance(one, int) for one in counts.values()):
        return None
    from dvtool.quality.choosing import explain_files
    from dvtool.quality.slices import MOSTLY, Slice

    best = explain_files({name: (n, int(counts.get(name) or 0)) for name, n in rows.items()})
    if not isinstance(best, Slice) or best.share is None or best.share < MOSTLY:
        return None
    return f"of {len(rows)} files: {best.words()}"
