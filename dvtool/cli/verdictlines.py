"""The answer of `log --verdicts`, for people and as JSON. Called by `log`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dvtool.cli.commands.allow import entry_json
from dvtool.cli.output import Output

if TYPE_CHECKING:
    from dvtool.ops.verdict_log import VersionVerdict
    from dvtool.ops.workspace import Workspace

SHOWN_FINDINGS = 5


def show_verdicts(
    workspace: Workspace,
    dataset: str,
    rev: str,
    limit: int | None,
    remote: str | None,
    output: Output,
) -> None:
    """Prints what is known of each version of a data set."""
    from dvtool.ops.verdict_log import verdict_log

    found = verdict_log(
        workspace, dataset, rev, limit=limit, remote=remote, network=remote is not None
    )
    output.data({"dataset": dataset, "versions": list(map(_json, found))})
    for one in found:
        for line in _lines(one):
            output.text(line)
    unknown = next((one for one in found if one.record is None and one.data is not None), None)
    if unknown is not None:
        output.text(f"dvtool check --rev {unknown.commit[:12]} {dataset} judges a version")


def _json(one: VersionVerdict) -> dict[str, object]:
    from dvtool.ops.records import encode_record

    return {
        "commit": one.commit,
        "author": one.author,
        "date": one.date,
        "subject": one.subject,
        "verdict": None if one.record is None else one.record.verdict.value,
        "by_own_checks": one.own_checks,
        "source": one.source,
        "record": None if one.record is None else json.loads(encode_record(one.record)),
        "allowed": list(map(entry_json, one.allowed)),
    }


def _lines(one: VersionVerdict) -> Iterator[str]:
    record = one.record
    word = (
        "removed" if one.data is None else "not-known" if record is None else record.verdict.value
    )
    said = []
    if record is not None:
        said = [f"judged {record.time}", one.source]
        said += [] if one.own_checks else ["by other checks than its own"]
    told = f"  ({', '.join(said)})" if said else ""
    yield f"{one.commit[:12]}  {one.date[:10]}  {one.author}  {word}{told}  {one.subject}"
    findings = record.findings if record is not None else ()
    for found in findings[:SHOWN_FINDINGS]:
        state = "waived" if found.waived else found.verdict.value
        yield f"    {state:9} {found.table} {found.key}{': ' if found.message else ''}{found.message}"
    if len(findings) > SHOWN_FINDINGS:
        yield f"    and {len(findings) - SHOWN_FINDINGS} more"
    for entry in one.allowed:
        kind = "an exception" if entry.kind == "exception" else "the new normal"
        until = f" until {entry.until.isoformat()}" if entry.until is not None else ""
        table = f"{entry.table} " if entry.table else ""
        yield (
            f"    allowed   {table}{entry.finding} as {kind}{until},"
            f" {entry.when.isoformat()} by {entry.by}: {entry.reason}"
        )
