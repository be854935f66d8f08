"""Bringing what judging needs, and nothing else: the tables of changed data sets and their baselines.

Unchanged data sets, files that are no tables, and files that did not change stay at the remote.
Called by `judging`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from dvtool.core.digest import Digest
from dvtool.core.sidecar import Sidecar
from dvtool.core.tree import Tree
from dvtool.errors import CorruptObject, InvalidText, ObjectMissing
from dvtool.ops.ci.changes import Change
from dvtool.ops.fetch import FetchReport, Seen, fetch_blobs
from dvtool.ops.judge import is_judged
from dvtool.ops.versions import shards_of
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.model import ChecksFile, TableSpec
from dvtool.quality.checks.parsing import parse_checks, table_for, unions_in


@dataclass(frozen=True, slots=True)
class Brought:
    """What judging can begin with.

    Attributes:
        fetched: What had to come from the remote.
        settled: By data set the files that nothing changed about: the same bytes under the same
            rules as before. They are not brought, and need not be judged.
    """

    fetched: FetchReport
    settled: Mapping[str, frozenset[str]]


def bring(
    workspace: Workspace, changes: Iterable[Change], *, remote_name: str | None, seen: Seen
) -> Brought:
    """Fetches what judging `changes` opens; what the remote lacks is left to be told by the caller.

    Args:
        workspace: Where.
        changes: The data sets.
        remote_name: From which remote; None for the default.
        seen: What was seen of it before.
    """
    changes = [one for one in changes if one.after.sidecar is not None]
    versions = [
        side for one in changes for side in (one.after.sidecar, one.before.sidecar, *one.compared)
    ]
    shards = shards_of(one for one in versions if one is not None)
    wanted: dict[Digest, int] = {}
    total = _fetched(workspace, shards, remote_name, seen)
    settled: dict[str, frozenset[str]] = {}
    for one in changes:
        with suppress(ObjectMissing):  # its list of files is not there: the caller says so
            settled[one.dataset] = _settled(workspace, one)
            wanted.update(_opened(workspace, one, settled[one.dataset]))
    return Brought(total + _fetched(workspace, wanted, remote_name, seen), settled)


def _fetched(
    workspace: Workspace, blobs: dict[Digest, int], name: str | None, seen: Seen
) -> FetchReport:
    missing = workspace.store.missing(blobs)
    try:
        return fetch_blobs(workspace, blobs, remote_name=name, seen=seen)
    except (ObjectMissing, CorruptObject):
        came = missing - workspace.store.missing(blobs)
        return FetchReport(len(blobs), len(came), sum(blobs[digest] for digest in came))


def _opened(workspace: Workspace, change: Change, settled: frozenset[str]) -> dict[Digest, int]:
    """Returns the blobs of a change that are opened, with their sizes in bytes."""
    after = _tree(workspace, change.after.sidecar)
    compared = [_tree(workspace, one) for one in change.compared]
    specs = [_parsed(text.text) for text in (change.after.checks, change.law) if text is not None]
    found: dict[Digest, int] = {}
    for raw, entry in after.items():
        path = os.fsdecode(raw)
        name = f"{change.dataset}/{path}" if path else change.dataset
        if path in settled or entry.mode not in ("f", "x"):
            continue
        if not any(is_judged(path, name, spec) for spec in [None, *_specs(specs, path)]):
            continue
        found[entry.digest] = entry.size
        for tree in compared:
            earlier = tree.get(raw)
            if earlier is not None and earlier.mode in ("f", "x"):
                found |= {} if earlier.digest == entry.digest else {earlier.digest: earlier.size}
    unsettled = {
        glob for glob, members in _unions(specs, after).items() if not settled.issuperset(members)
    }
    for tree in compared:
        for glob, members in _unions(specs, tree).items():
            entries = [tree[os.fsencode(path)] for path in members if glob in unsettled]
            found |= {entry.digest: entry.size for entry in entries}
    return found


def _settled(workspace: Workspace, change: Change) -> frozenset[str]:
    """Returns the settled files; none where rules changed, or where tables are held against others."""
    if not change.data_only or change.before.sidecar is None:
        return frozenset()
    checks = _parsed(change.after.checks.text) if change.after.checks else None
    if checks is not None and any(_looks_at_others(table) for table in checks.tables):
        return frozenset()
    before = _tree(workspace, change.before.sidecar)
    found = set()
    after = _tree(workspace, change.after.sidecar)
    for raw, entry in after.items():
        earlier = before.get(raw)
        if earlier is not None and (earlier.digest, earlier.mode) == (entry.digest, entry.mode):
            found.add(os.fsdecode(raw))
    for glob, members in _unions([checks], after).items():
        # Files that are one table are judged together, and missing ones are missed.
        if not found.issuperset(members) or set(members) != set(
            _unions([checks], before).get(glob, ())
        ):
            found -= set(members)
    return frozenset(found)


def _unions(checks: Iterable[ChecksFile | None], tree: Tree) -> dict[str, list[str]]:
    """Returns the files of a version that any of several checks unites, by glob."""
    paths = [os.fsdecode(raw) for raw, entry in tree.items() if entry.mode in ("f", "x")]
    found: dict[str, list[str]] = {}
    for one in checks:
        with suppress(InvalidText):
            found |= unions_in(one, paths) if one is not None else {}
    return found


def _looks_at_others(table: TableSpec) -> bool:
    """Tells whether a table's answer depends on other files of the data set."""
    return table.splits is not None or any(column.in_table for column in table.columns)


def _tree(workspace: Workspace, sidecar: Sidecar | None) -> Tree:
    return workspace.tree(sidecar) if sidecar is not None else Tree()


def _specs(checks: Iterable[ChecksFile | None], path: str) -> list[TableSpec | None]:
    found = []
    for one in checks:
        with suppress(InvalidText):
            found.append(table_for(one, path) if one is not None else None)
    return found


def _parsed(text: str) -> ChecksFile | None:
    try:
        return parse_checks(text)
    except InvalidText:
        return None  # told when it is used
