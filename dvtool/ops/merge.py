"""Merging sidecars: git's merge driver, and `resolve`, which finishes a merge by hand.

The driver is pure in the three texts and the shards in the store, and never uses the network: what
it cannot read it leaves as a conflict. Merged shards are stored before it answers. Called by the
CLI (`merge-driver`, `resolve`); the rules themselves are `dvtool.core.tree.merge_trees`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX, fold
from dvtool.core.sidecar import ReadBlob, Sidecar, encode_sidecar, parse_sidecar
from dvtool.core.tree import Conflict, Entry, Tree, merge_trees
from dvtool.errors import InvalidText, ObjectMissing, UsageError
from dvtool.git.contents import read_blobs
from dvtool.git.merging import merge_sides
from dvtool.git.sidecars import sidecar_paths, unmerged_sidecars
from dvtool.git.staging import stage
from dvtool.ops.workspace import Workspace
from dvtool.store.local import LocalStore

Side = Literal["ours", "theirs"]


@dataclass(frozen=True, slots=True)
class Merged:
    """The outcome of merging one sidecar.

    Attributes:
        dataset: Its path, as far as known.
        text: The merged text; None when the two sides cannot be merged as a whole.
        conflicts: Paths both sides changed; our side stands for them in `text`.
        reason: Why there is no text at all; empty otherwise.
    """

    dataset: str
    text: bytes | None
    conflicts: tuple[Conflict, ...] = ()
    reason: str = ""


def merge_sidecars(
    base: bytes | None,
    ours: bytes,
    theirs: bytes,
    *,
    dataset: str,
    read_blob: ReadBlob,
    choose: Mapping[bytes, Side] | Side | None = None,
) -> tuple[Merged, dict[Digest, bytes]]:
    """Merges three texts of one sidecar.

    Args:
        base: The common ancestor's text, None when both sides added the data set.
        ours: Our text.
        theirs: Their text.
        dataset: For messages.
        read_blob: Reads shards.
        choose: Settles conflicts: one side for all, or a side a path.

    Returns:
        The outcome, and the shards of the merged text, which must be stored before it is used.

    Raises:
        InvalidText: A text breaks its format.
        ObjectMissing: A shard cannot be read.
    """
    source = dataset + SIDECAR_SUFFIX
    ours_sidecar = parse_sidecar(ours, source=f"ours:{source}")
    theirs_sidecar = parse_sidecar(theirs, source=f"theirs:{source}")
    base_sidecar = parse_sidecar(base, source=f"base:{source}") if base else None
    reason = _irreconcilable(base_sidecar, ours_sidecar, theirs_sidecar)
    if reason:
        whole = {"ours": ours, "theirs": theirs}.get(choose) if isinstance(choose, str) else None
        return Merged(dataset, whole, (), "" if whole else reason), {}
    base_tree = base_sidecar.tree(read_blob) if base_sidecar else Tree()
    result = merge_trees(base_tree, ours_sidecar.tree(read_blob), theirs_sidecar.tree(read_blob))
    tree, left = _settle(result.tree, result.conflicts, choose)
    extra = _merged_extra(base_sidecar, ours_sidecar, theirs_sidecar) or ()
    merged, shards = replace(ours_sidecar, extra=extra).with_tree(tree)
    return Merged(dataset, encode_sidecar(merged), left), shards


def _irreconcilable(base: Sidecar | None, ours: Sidecar, theirs: Sidecar) -> str:
    if ours.kind != theirs.kind:
        return f"one side made it a {ours.kind}, the other a {theirs.kind}"
    if ours.layout != theirs.layout:
        return f"our list of files is {ours.layout}, theirs is {theirs.layout}"
    if _merged_extra(base, ours, theirs) is None:
        return "both sides changed the further keys"
    if base is not None and base.kind != ours.kind:
        return f"both sides made it a {ours.kind}; it was a {base.kind}"
    return ""


def _merged_extra(
    base: Sidecar | None, ours: Sidecar, theirs: Sidecar
) -> tuple[tuple[str, str], ...] | None:
    """Returns the further keys of the side that changed them, taken whole; None when both did."""
    before = base.extra if base is not None else ()
    if ours.extra in (theirs.extra, before):
        return theirs.extra
    return ours.extra if theirs.extra == before else None


def _settle(
    tree: Tree, conflicts: Sequence[Conflict], choose: Mapping[bytes, Side] | Side | None
) -> tuple[Tree, tuple[Conflict, ...]]:
    """Applies choices to a merged tree, which has our side wherever there was a conflict."""
    entries = dict(tree)
    left = []
    for conflict in conflicts:
        side = choose if isinstance(choose, str) else (choose or {}).get(conflict.path)
        if side is None:
            left.append(conflict)
        elif side == "theirs":
            _take_theirs(entries, conflict)
    return Tree(entries.values()), tuple(left)


def _take_theirs(entries: dict[bytes, Entry], conflict: Conflict) -> None:
    if conflict.theirs is None:
        entries.pop(conflict.path, None)
        return
    # Their path may not stand beside ours (case, or file against folder): ours gives way.
    mine = fold(conflict.path)
    for path in list(entries):
        other = fold(path)
        if other == mine or other.startswith(mine + b"/") or mine.startswith(other + b"/"):
            del entries[path]
    entries[conflict.path] = conflict.theirs


def run_driver(store: LocalStore, base: Path, ours: Path, theirs: Path, *, dataset: str) -> Merged:
    """Does what git asks of a merge driver: leaves the result in `ours`.

    A result without conflicts is written; with conflicts, `ours` keeps our valid text, so that the
    work tree stays usable, and git marks the path as unmerged.
    """
    base_text = base.read_bytes() or None
    try:
        merged, shards = merge_sidecars(
            base_text,
            ours.read_bytes(),
            theirs.read_bytes(),
            dataset=dataset,
            read_blob=lambda digest, size: store.read(digest),
        )
    except (ObjectMissing, InvalidText) as error:
        return Merged(dataset, None, (), str(error))
    if merged.text is not None and not merged.conflicts:
        store_shards(store, shards)
        ours.write_bytes(merged.text)
    return merged


def store_shards(store: LocalStore, shards: Mapping[Digest, bytes]) -> None:
    """Puts shards into the store, durably, before a sidecar that names them is written."""
    if shards:
        with store.writer() as writer:
            for digest, text in shards.items():
                writer.add_small(digest, text)


def resolve(
    workspace: Workspace, paths: Sequence[str], *, side: Side | None, inside: Sequence[bytes] = ()
) -> list[Merged]:
    """Finishes the merge of unmerged sidecars from the stages in git's index.

    Also of those that git merged as text into something invalid: then the three versions come
    from the commits of the merge. Sidecars that merge without conflict are written and staged. Conflicts are returned, and
    settled when `side` is given: for all of them, or for the paths in `inside`.

    Raises:
        UsageError: One of `paths` is not being merged.
    """
    unmerged = _unmerged(workspace)
    chosen = list(paths) or sorted(unmerged)
    unknown = [path for path in chosen if path not in unmerged]
    if unknown:
        raise UsageError(f"not being merged: {unknown[0]}", hint="git status shows what is")
    outcomes = []
    for dataset in chosen:
        merged = _resolve_one(workspace, dataset, unmerged[dataset], side=side, inside=inside)
        outcomes.append(merged)
    return outcomes


def _unmerged(workspace: Workspace) -> dict[str, Mapping[int, str]]:
    """Returns the data sets whose merge is open, with the object ids of the three versions."""
    unmerged: dict[str, Mapping[int, str]] = {
        path.removesuffix(SIDECAR_SUFFIX): stages
        for path, stages in unmerged_sidecars(workspace.git).items()
    }
    broken = [path for path in sidecar_paths(workspace.git) if _is_broken(workspace, path)]
    broken = [path for path in broken if path.removesuffix(SIDECAR_SUFFIX) not in unmerged]
    sides = merge_sides(workspace.git) if broken else None
    for path in broken if sides else ():
        assert sides is not None
        unmerged[path.removesuffix(SIDECAR_SUFFIX)] = sides.stages(workspace.git, path)
    return unmerged


def _is_broken(workspace: Workspace, path: str) -> bool:
    """Tells whether a sidecar on disk, or its shards put together, cannot be read."""
    try:
        workspace.tree(workspace.sidecar(path.removesuffix(SIDECAR_SUFFIX)))
    except InvalidText:
        return True
    except ObjectMissing:
        return False
    return False


def _resolve_one(
    workspace: Workspace,
    dataset: str,
    stages: Mapping[int, str],
    *,
    side: Side | None,
    inside: Sequence[bytes],
) -> Merged:
    texts = read_blobs(workspace.git, stages.values())
    ours, theirs = (texts.get(stages.get(number, "")) for number in (2, 3))
    if ours is None or theirs is None:
        return _resolve_removal(workspace, dataset, ours, theirs, side)
    choose: Mapping[bytes, Side] | Side | None = side
    if side is not None and inside:
        choose = dict.fromkeys(inside, side)
    merged, shards = merge_sidecars(
        texts.get(stages.get(1, "")),
        ours,
        theirs,
        dataset=dataset,
        read_blob=workspace.read_shard,
        choose=choose,
    )
    if merged.text is not None and not merged.conflicts:
        store_shards(workspace.store, shards)
        workspace.write_sidecar(dataset, merged.text)
        stage(workspace.git, [dataset + SIDECAR_SUFFIX])
    return merged


def _resolve_removal(
    workspace: Workspace, dataset: str, ours: bytes | None, theirs: bytes | None, side: Side | None
) -> Merged:
    """One side removed the whole data set; only a person can say which is right."""
    if side is None:
        who = "we" if ours is None else "they"
        return Merged(dataset, None, (), f"{who} removed the data set, the other side changed it")
    kept = ours if side == "ours" else theirs
    if kept is None:
        workspace.abspath(dataset + SIDECAR_SUFFIX).unlink(missing_ok=True)
    else:
        workspace.write_sidecar(dataset, kept)
    stage(workspace.git, [dataset + SIDECAR_SUFFIX])
    return Merged(dataset, kept or b"")
