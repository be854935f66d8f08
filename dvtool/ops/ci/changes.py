"""What a change touches: data sets whose data, checks or exceptions differ between two trees.

A data set also counts as changed when a schema or a table that its checks refer to does. Reads git
only; no data. Called by `run`.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from dvtool.core.paths import ALLOW_SUFFIX, CHECKS_SUFFIX, SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.errors import InvalidText
from dvtool.git.contents import EMPTY_TREES, read_blobs
from dvtool.git.plumbing import Git
from dvtool.git.sidecars import sidecars_at
from dvtool.ops import subjects
from dvtool.ops.baselines import chosen
from dvtool.ops.comparing import reference_version
from dvtool.ops.selection import Places, owner_of
from dvtool.ops.subjects import ChecksText
from dvtool.ops.workspace import Workspace

if TYPE_CHECKING:
    from dvtool.quality.checks.model import TableSpec


@dataclass(frozen=True, slots=True)
class Version:
    """One data set in one tree.

    Attributes:
        sidecar: None when the tree does not have the data set.
        checks: None when it has none.
    """

    sidecar: Sidecar | None
    checks: ChecksText | None


@dataclass(frozen=True, slots=True)
class Change:
    """A data set that a change touches.

    Attributes:
        dataset: Its path.
        before: In the tree that the change is relative to.
        after: In the tree that is judged.
        law: Its checks in the commit whose rules hold, when they, or the code of their schemas, are
            others than the judged tree's; else None.
        data_only: Nothing but its data changed: no checks, no exceptions, nothing they refer to.
        compared: The versions it is compared with: the one before, or, where that was an exception,
            the one before it; and the references of its checks.
    """

    dataset: str
    before: Version
    after: Version
    law: ChecksText | None
    data_only: bool = False
    compared: tuple[Sidecar, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """All that a change touches.

    Attributes:
        datasets: Sorted by path.
        paths: Every path that differs, of whatever kind.
        unchanged: How many data sets it leaves alone.
        broken: Sidecars of the judged tree that nobody can read, with where and why.
    """

    datasets: tuple[Change, ...]
    paths: frozenset[str]
    unchanged: int
    broken: tuple[InvalidText, ...] = ()


def find_changes(
    workspace: Workspace, *, before: str | None, after: str, law: str | None
) -> Changes:
    """Returns what differs between two trees.

    Args:
        workspace: Where.
        before: Commit or tree; None for one with nothing in it.
        after: Commit or tree that is judged.
        law: Commit whose checks hold as well; None for none.
    """
    paths = changed_paths(workspace.git, before, after)
    had, _ = _sidecars(workspace, before)
    has, broken = _sidecars(workspace, after)
    apart = paths if law == before else changed_paths(workspace.git, law, after)
    found = []
    for dataset in sorted({**had, **has}):
        checks = subjects.checks_at(workspace, dataset, after)
        rules_changed = any(dataset + one in paths for one in (CHECKS_SUFFIX, ALLOW_SUFFIX))
        rules_changed = rules_changed or _refers_to(dataset, checks, paths, {*had, *has})
        if not rules_changed and dataset + SIDECAR_SUFFIX not in paths:
            continue
        earlier = subjects.checks_at(workspace, dataset, before) if before is not None else None
        ruling = subjects.checks_at(workspace, dataset, law) if law is not None else None
        if ruling == checks and apart.isdisjoint(schema_files(ruling)):
            ruling = None
        found.append(
            Change(
                dataset,
                Version(had.get(dataset), earlier),
                Version(has.get(dataset), checks),
                ruling,
                data_only=not rules_changed and ruling is None,
                compared=tuple(_compared(workspace, dataset, before, (checks, ruling))),
            )
        )
    return Changes(tuple(found), paths, len({**had, **has}) - len(found), tuple(broken))


def _compared(
    workspace: Workspace, dataset: str, before: str | None, checks: Iterable[ChecksText | None]
) -> Iterator[Sidecar]:
    if before is not None:
        for version in islice(chosen(workspace, dataset, before, why="before"), 1):
            yield version.sidecar
    for table in _tables(checks, "reference"):
        if table.reference:
            pinned = reference_version(workspace, dataset, table.reference)
            if pinned is not None:
                yield pinned.sidecar


def _tables(checks: Iterable[ChecksText | None], *words: str) -> Iterator[TableSpec]:
    """Yields the tables of checks that have one of some words; none of checks that are broken."""
    for one in checks:
        if one is None or not any(word in one.text for word in words):
            continue  # the parser of checks need not be loaded
        from dvtool.quality.checks.parsing import parse_checks

        with suppress(InvalidText):  # told when they are used
            yield from parse_checks(one.text, source=one.path).tables


def _sidecars(
    workspace: Workspace, tree: str | None
) -> tuple[dict[str, Sidecar], list[InvalidText]]:
    """Returns the data sets of a tree, and what is wrong with sidecars that cannot be read."""
    oids = sidecars_at(workspace.git, tree) if tree is not None else {}
    texts = read_blobs(workspace.git, oids.values())
    found: dict[str, Sidecar] = {}
    broken = []
    for path, oid in oids.items():
        try:
            found[path.removesuffix(SIDECAR_SUFFIX)] = parse_sidecar(texts[oid], source=path)
        except InvalidText as error:
            broken.append(error)
    places = Places(found)
    for dataset in list(found):
        try:
            places.check(dataset)
        except InvalidText as error:
            broken.append(error)
            del found[dataset]
    return found, broken


def changed_paths(git: Git, before: str | None, after: str) -> frozenset[str]:
    """Returns the paths that differ between two commits or trees; one process."""
    empty = EMPTY_TREES[git.layout.object_format]
    listed = git.run(
        *("diff-tree", "-r", "-z", "--name-only", "--no-renames"),
        *("--end-of-options", before or empty, after),
    )
    return frozenset(os.fsdecode(path) for path in listed.split(b"\0") if path)


def schema_files(checks: ChecksText | None) -> list[str]:
    """Returns the files of schemas that checks refer to, as written; none when they are broken."""
    return [path for path, is_schema in references(checks) if is_schema]


def _refers_to(
    dataset: str, checks: ChecksText | None, paths: frozenset[str], datasets: set[str]
) -> bool:
    folder = posixpath.dirname(dataset)
    for written, _ in references(checks):
        for path in (posixpath.normpath(posixpath.join(folder, written)), written):
            owner = path if path in datasets else owner_of(datasets, path)
            if path in paths or (owner is not None and owner + SIDECAR_SUFFIX in paths):
                return True
    return False


def references(checks: ChecksText | None) -> Iterator[tuple[str, bool]]:
    """Yields files that checks refer to, as written, and whether each is a schema."""
    for table in _tables([checks], "schema", "in_table"):
        if table.schema:
            yield table.schema.rpartition(":")[0] or table.schema, True
        for column in table.columns:
            if column.in_table:
                yield column.in_table.rpartition(":")[0], False
