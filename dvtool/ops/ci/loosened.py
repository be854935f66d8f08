"""What a change asks for less than before: each thing a finding, so that a reviewer sees it.

Checks, the code of schemas, exceptions, and settings of the gate are compared. A loosening does not
help the change that brings it: data are judged under both sides' checks, and the base's gate
decides. Called by `run`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from dvtool.core.allowtext import parse_allow
from dvtool.core.config import CONFIG_FILE, Settings
from dvtool.core.paths import ALLOW_SUFFIX, CHECKS_SUFFIX, SIDECAR_SUFFIX
from dvtool.errors import InvalidText, ObjectMissing
from dvtool.git.plumbing import Git
from dvtool.ops.ci.changes import Change, Changes, Version, schema_files
from dvtool.ops.ci.trusting import Ruled
from dvtool.ops.gate import GatePolicy, policy_of
from dvtool.ops.subjects import file_at
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.loosening import loosenings
from dvtool.quality.checks.model import ChecksFile
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.findings import Evidence, Finding, Place, Severity, Verdict


def find_loosened(
    workspace: Workspace, changes: Changes, ruled: Ruled, *, before: str | None, after: str
) -> tuple[Finding, ...]:
    """Returns what a change loosens: warnings, or failures where the base's `gate.loosened` says so.

    Args:
        workspace: Where; shards of changed data sets are in its store, where there are any.
        changes: The data sets.
        ruled: The settings of both sides.
        before: Commit that the change is relative to; None for none, which nothing loosens.
        after: Commit or tree that is judged.
    """
    if before is None:
        return ()
    files = [file_at(workspace.git, where, CONFIG_FILE) for where in (before, after)]
    found = []
    if files[0] is not None and files[1] is None:
        message = "the settings of the gate and its remotes would be gone"
        found.append(_finding("gate-loosened", message, CONFIG_FILE))
    elif files[0] is not None:
        found += _of_settings(ruled)
    for change in changes.datasets:
        found += _of_checks(workspace, change, changes)
        found += _of_exceptions(workspace.git, change, before, after, changes)
    severity = Severity(policy_of(ruled.settings).loosened)
    return tuple(replace(one, severity=severity) for one in found)


def _finding(
    code: str, message: str, path: str, *, line: int = 0, column: str = "", hint: str = ""
) -> Finding:
    place = Place(path, line)
    return Finding(
        code,
        message,
        place,
        Evidence.GATE,
        column=column,
        severity=Severity.WARN,
        rule=place,
        hint=hint,
    )


# -- checks --------------------------------------------------------------------------------------


def _of_checks(workspace: Workspace, change: Change, changes: Changes) -> Iterator[Finding]:
    broken = {error.source for error in changes.broken}
    before, after = change.before.checks, change.after.checks
    path = change.dataset + CHECKS_SUFFIX
    if before is None:
        return
    if change.after.sidecar is None:
        if change.dataset + SIDECAR_SUFFIX in broken:
            return
        yield _finding(
            "loosened",
            "the data set is gone, and its checks with it",
            change.dataset + SIDECAR_SUFFIX,
        )
        return
    if after is None:
        yield _finding(
            "loosened", "every check was there, is gone", change.dataset + SIDECAR_SUFFIX
        )
        return
    old, new = _parsed(before.text), _parsed(after.text)
    if old is None or new is None:
        return  # one that nobody can read is a finding of its own where it is used
    for one in loosenings(old, new, _paths(workspace, change)):
        yield _finding("loosened", str(one), path, line=one.line, column=one.column)
    for schema in schema_files(after):
        if schema in changes.paths:
            yield _finding(
                "loosened",
                f"the code of a schema changed, which nobody can compare: {schema}",
                path,
            )


def _parsed(text: str) -> ChecksFile | None:
    try:
        return parse_checks(text)
    except InvalidText:
        return None


def _paths(workspace: Workspace, change: Change) -> set[str]:
    return {
        path for version in (change.before, change.after) for path in _files(workspace, version)
    }


def _files(workspace: Workspace, version: Version) -> Iterator[str]:
    if version.sidecar is None:
        return
    try:
        tree = workspace.tree(version.sidecar)
    except (ObjectMissing, InvalidText):
        return  # its list of files is not here, which is told elsewhere
    for raw, entry in tree.items():
        if entry.mode in ("f", "x"):
            yield os.fsdecode(raw)


# -- exceptions ----------------------------------------------------------------------------------


def _of_exceptions(
    git: Git, change: Change, before: str, after: str, changes: Changes
) -> Iterator[Finding]:
    """Yields what a change accepts, an entry each; entries are lines of text of one spelling."""
    path = change.dataset + ALLOW_SUFFIX
    if path not in changes.paths:
        return
    old, new = (file_at(git, where, path) or "" for where in (before, after))
    known = set(old.splitlines())
    for line, text in enumerate(new.splitlines(), 1):
        if text.startswith("- {") and text not in known:
            yield _finding(
                "exception-added", f"this change accepts {_entry(text)}", path, line=line
            )


def _entry(text: str) -> str:
    """Returns an entry in words; as it is written where nobody can read it, which fails elsewhere."""
    try:
        (one,) = parse_allow(f"allow: 1\nentries:\n{text}\n".encode())
    except InvalidText:
        return text
    until = f" until {one.until.isoformat()}" if one.until else ""
    table = f" of {one.table}" if one.table else ""
    return f"{one.finding}{table} as {one.kind}{until}: {one.reason}"


# -- settings ------------------------------------------------------------------------------------


def _of_settings(ruled: Ruled) -> Iterator[Finding]:
    """Yields what a change would set otherwise; the settings of the base hold all the same."""
    was, now = policy_of(ruled.before), policy_of(ruled.proposed)
    for key, old, new in _gates(was, now):
        yield _finding(
            "gate-loosened",
            f"{key} was {old}, would be {new}; for this change the base's settings hold",
            CONFIG_FILE,
        )
    yield from _of_remotes(ruled)


def _gates(was: GatePolicy, now: GatePolicy) -> Iterator[tuple[str, str, str]]:
    for key in ("commit", "push", "merge"):
        old, new = getattr(was, key), getattr(now, key)
        if not old <= new:
            yield f"gate.{key}", _words(old), _words(new)
    if now.commit_budget_s < was.commit_budget_s:
        yield "gate.commit-budget", f"{was.commit_budget_s:g} s", f"{now.commit_budget_s:g} s"
    order = ("off", "warn", "block")
    if order.index(now.modified) < order.index(was.modified):
        yield "gate.modified", was.modified, now.modified
    if was.loosened == "fail" != now.loosened:
        yield "gate.loosened", was.loosened, now.loosened
    if was.large_file_bytes and not 0 < now.large_file_bytes <= was.large_file_bytes:
        yield "gate.large-file", f"{was.large_file_bytes} bytes", f"{now.large_file_bytes} bytes"


def _words(verdicts: frozenset[Verdict]) -> str:
    return " ".join(sorted(one.value for one in verdicts)) or "nothing"


def _of_remotes(ruled: Ruled) -> Iterator[Finding]:
    for name in ruled.moved:
        remote = ruled.proposed.remotes[name]
        yield _finding(
            "remote-moved",
            f"remote {name} would be {remote.url}; nothing was asked or sent there",
            CONFIG_FILE,
            hint=f"if the address is right, the job may set DVTOOL_TRUST_REMOTE={remote.url}",
        )
    old, new = ruled.before, ruled.proposed
    gone = sorted(set(_committed(old)) - set(_committed(new)))
    for name in gone:
        yield _finding("remote-moved", f"remote {name} would be gone", CONFIG_FILE)
    if old.repository and old.repository != new.repository:
        yield _finding(
            "remote-moved", "the repository would have another id at its remotes", CONFIG_FILE
        )


def _committed(settings: Settings) -> list[str]:
    return [name for name, remote in settings.remotes.items() if remote.committed]
