"""`checkout`: write the files of a version, and take away those it does not have.

Here is which data sets, by which sidecars. A plan comes first (`checkout_plan`), for all of them,
and is then carried out (`checkout_write`); nothing that exists only on disk is overwritten without
`force`. Called by the CLI, `pull`, imports and the hooks after a checkout.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence, Set

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.quote import display
from dvtool.core.sidecar import Sidecar, encode_sidecar, parse_sidecar
from dvtool.errors import InvalidText, ObjectMissing, WouldLoseData
from dvtool.git.attributes import ignore
from dvtool.git.contents import read_blobs
from dvtool.git.revisions import head, resolve_commit
from dvtool.git.sidecars import sidecar_paths, sidecars_at, staged_sidecars
from dvtool.git.staging import stage, tracked_files
from dvtool.ops.checkout_plan import EMPTY_TEXT, Plan, plan_for, refuse_unsaved
from dvtool.ops.checkout_write import CheckoutReport, carry_out, report_of
from dvtool.ops.merge import store_shards
from dvtool.ops.selection import Selected, datasets_of, select
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.worktree.statindex import StatIndex


def checkout(
    workspace: Workspace,
    paths: Sequence[str] = (),
    *,
    rev: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> list[CheckoutReport]:
    """Brings files in line with their sidecars, or with `rev` both in line with a commit.

    Args:
        workspace: Where.
        paths: Data sets or parts of them; everything when empty, then also data sets that the
            current commit no longer has are taken away, if nobody worked on them.
        rev: A revision; its sidecars are written and staged too, as `git checkout REV -- PATH`.
        force: Overwrite unsaved work.
        dry_run: Only say what would be done.

    Raises:
        WouldLoseData: Unsaved work stands in the way; nothing was touched.
        ObjectMissing: The store lacks bytes; everything else was written.
    """
    with workspace.changing() as index:
        if rev is not None:
            targets = _of_revision(workspace, list(paths), rev, force=force)
        else:
            chosen = select(datasets_of(sidecar_paths(workspace.git)), paths)
            targets = [(one, workspace.sidecar_text(one.dataset) or b"") for one in chosen]
        plans = [plan_for(workspace, index, one, text, force=force) for one, text in targets]
        if rev is None and not paths:
            plans += _orphans(workspace, index, {one.dataset for one, _ in targets})
        refuse_unsaved(plans)
        if dry_run:
            return [report_of(plan, missing=0) for plan in plans]
        if rev is not None:
            _write_sidecars(workspace, targets)
        return carry_out(workspace, index, plans)


def bring_to(
    workspace: Workspace, targets: Sequence[tuple[Selected, bytes]]
) -> list[CheckoutReport]:
    """Writes and stages sidecars with given texts, and brings their files in line.

    Args:
        workspace: Where; its store has what the texts name.
        targets: Whole data sets, each with the text its sidecar shall have.

    Raises:
        WouldLoseData: Unsaved work stands in the way; nothing was touched.
    """
    with workspace.changing() as index:
        plans = [plan_for(workspace, index, one, text, force=False) for one, text in targets]
        refuse_unsaved(plans, drop="dvtool checkout --force drops it")
        _write_sidecars(workspace, targets)
        return carry_out(workspace, index, plans)


def follow(
    workspace: Workspace, datasets: Iterable[str], *, known_before: Set[str]
) -> tuple[list[CheckoutReport], list[tuple[str, str]]]:
    """Brings data sets in line as far as that loses nothing and needs no network.

    A data set goes as a whole or is left as it is. What this work tree never had of a data set
    that is not new stays away.

    Args:
        workspace: Where.
        datasets: Those that may be behind their sidecars.
        known_before: Those among them that the commit before had too.

    Returns:
        What was done, and each data set that was left with the reason.
    """
    left: list[tuple[str, str]] = []
    plans = []
    with workspace.changing() as index:
        for dataset in datasets:
            text = workspace.sidecar_text(dataset)
            section = index.section(dataset)
            had = section is not None and len(section) > 0
            if text is None or (not had and dataset in known_before):
                continue
            try:
                plan = plan_for(workspace, index, Selected(dataset), text, force=False)
            except (InvalidText, ObjectMissing, WouldLoseData) as error:
                left.append((dataset, str(error)))
                continue
            if section is not None and had and not section.complete:
                plan.left += [path for path in plan.write if path.state == "not-checked-out"]
                plan.write = [path for path in plan.write if path.state != "not-checked-out"]
            lacking = workspace.store.missing(
                path.sidecar.digest for path in plan.write if path.sidecar and path.sidecar.digest
            )
            if plan.unsaved:
                left.append((dataset, f"{len(plan.unsaved)} files hold work that is in no version"))
            elif lacking:
                left.append((dataset, f"{len(lacking)} objects are not in the store"))
            else:
                plans.append(plan)
        plans += _orphans(workspace, index, set(datasets_of(sidecar_paths(workspace.git))))
        tracked = tracked_files(workspace.git, [plan.target.dataset for plan in plans])
        gits = {plan.target.dataset for plan in plans if _holds(plan.target.dataset, tracked)}
        plans = [plan for plan in plans if plan.target.dataset not in gits]
        return carry_out(workspace, index, plans), left


def _holds(dataset: str, tracked: Sequence[str]) -> bool:
    """Tells whether git itself tracks some of a data set, so that it is git's to write."""
    return any(path == dataset or path.startswith(dataset + "/") for path in tracked)


def _of_revision(
    workspace: Workspace, paths: list[str], rev: str, *, force: bool
) -> list[tuple[Selected, bytes]]:
    """Returns the texts that the sidecars will have after checking out parts of a commit."""
    commit = resolve_commit(workspace.git, rev)
    targets = []
    for one, sidecar in selected_sidecars(workspace, commit, paths):
        text = encode_sidecar(sidecar)
        current = workspace.sidecar_text(one.dataset)
        if one.inside:
            text = _with_part(workspace, one, sidecar, current)
        if current is not None and current != text and not force:
            hint = "git commit it first, or --force drops them"
            refuse_uncommitted(workspace, [one.dataset], hint=hint)
        targets.append((one, text))
    return targets


def _with_part(
    workspace: Workspace, one: Selected, sidecar: Sidecar, current: bytes | None
) -> bytes:
    """Returns the sidecar on disk with one part of it as the revision has it."""
    part = workspace.tree(sidecar).under(one.inside)
    if not part:
        raise ObjectMissing(f"that version has no {one}", hint="dvtool list --rev REV --files")
    here = Sidecar("directory", sidecar.layout)
    if current is not None:
        here = parse_sidecar(current, source=one.dataset + SIDECAR_SUFFIX)
    merged, shards = here.with_tree(workspace.tree(here).replaced(one.inside, part.entries))
    store_shards(workspace.store, shards)
    return encode_sidecar(merged)


def refuse_uncommitted(workspace: Workspace, datasets: Sequence[str], *, hint: str) -> None:
    """Refuses to drop sidecars that no commit has: they alone name the bytes they stand for.

    Raises:
        WouldLoseData: A sidecar on disk is not as HEAD has it.
    """
    paths = [dataset + SIDECAR_SUFFIX for dataset in datasets]
    commit = head(workspace.git).commit
    oids = sidecars_at(workspace.git, commit, paths) if commit is not None else {}
    committed = read_blobs(workspace.git, oids.values())
    for dataset, path in zip(datasets, paths, strict=True):
        if workspace.sidecar_text(dataset) != committed.get(oids.get(path, "")):
            shown = display(os.fsencode(path))
            raise WouldLoseData(f"{shown} has changes that are not committed", hint=hint)


def _write_sidecars(workspace: Workspace, targets: Iterable[tuple[Selected, bytes]]) -> None:
    staged = []
    for one, text in targets:
        path = one.dataset + SIDECAR_SUFFIX
        if workspace.sidecar_text(one.dataset) != text:
            workspace.write_sidecar(one.dataset, text)
            staged.append(path)
    staged += ignore(workspace.git, [one.dataset for one, _ in targets])
    stage(workspace.git, staged)


def _orphans(workspace: Workspace, index: StatIndex, here: set[str]) -> list[Plan]:
    """Returns plans that take away data sets which neither disk nor git's index has any more."""
    gone = [dataset for dataset in index.datasets if dataset not in here]
    if not gone:
        return []
    staged = {entry.path for entry in staged_sidecars(workspace.git)}
    plans = []
    for dataset in gone:
        if dataset + SIDECAR_SUFFIX in staged or workspace.sidecar_text(dataset) is not None:
            continue
        plan = plan_for(workspace, index, Selected(dataset), EMPTY_TEXT, force=False)
        plan.kept += plan.unsaved
        plan.unsaved.clear()
        plans.append(plan)
    return plans


def take_away(
    workspace: Workspace, index: StatIndex, datasets: Sequence[str], *, force: bool
) -> None:
    """Removes the files of data sets as they were added or checked out; others stay.

    For the caller of `Workspace.changing`. Nothing is touched if any data set refuses.

    Raises:
        UnsafePath: A symlink stands where a folder or the data set should.
        WouldLoseData: A file is the only copy of its bytes, or changed under our hands.
    """
    plans = [
        plan_for(workspace, index, Selected(dataset), EMPTY_TEXT, force=force)
        for dataset in datasets
    ]
    refuse_unsaved(plans)
    carry_out(workspace, index, plans)
