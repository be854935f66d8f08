"""`push`: upload what commits need and the remote does not have, then say so in a root.

Write order: packs, index, root; a push that dies leaves nothing that lies. Called by the CLI and
by the pre-push hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest, short_digest
from dvtool.core.roots import Root, Scope
from dvtool.errors import ObjectMissing, UnknownRevision, UsageError
from dvtool.git.ancestry import is_covered
from dvtool.git.revisions import BRANCHES, TAGS, current_refs, head, resolve_commit
from dvtool.ops.coverage import Need, covering_roots, needs_of
from dvtool.ops.versions import selected_sidecars, shards_of
from dvtool.ops.workspace import Workspace
from dvtool.store.remote.gc.age import PushClock

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did.

    Attributes:
        remote: Name of the remote.
        url: Its address.
        needed: How many blobs the commits need that no root covered.
        uploaded: How many of them had to be uploaded.
        uploaded_bytes: Bytes on the wire, after compression.
        packs: How many packs were written.
        refs: Refs whose whole history is now at the remote.
    """

    remote: str
    url: str
    needed: int
    uploaded: int
    uploaded_bytes: int
    packs: int
    refs: tuple[str, ...]


def push(
    workspace: Workspace,
    *,
    remote_name: str | None = None,
    paths: Sequence[str] = (),
    rev: str | None = None,
    branches: bool = False,
    tags: bool = False,
    commits: Mapping[str, str] | None = None,
    jobs: int | None = None,
    dry_run: bool = False,
    before_upload: Callable[[Mapping[Digest, int]], None] = lambda sizes: None,
) -> PushReport:
    """Uploads what commits need.

    Without paths: the whole history of HEAD (or `rev`, all branches, all tags), as far as no
    verified root at the remote covers it. With paths: only those data sets, of HEAD or `rev`.
    With `commits`, ref names to commits: the whole history of these. `before_upload` is told the
    sizes of what is about to be sent, and may raise to stop it.

    Raises:
        ObjectMissing: A commit needs bytes that neither the store nor the remote has; what is
            there has been uploaded by then.
        RemoteFailed, RemoteUntrusted: From the remote.
    """
    if paths and (branches or tags):
        raise UsageError("paths go with --rev, not with --all-branches or --all-tags")
    remote = workspace.remote(remote_name)
    clock = PushClock()
    # What garbage collection has condemned does not count as being there.
    snapshot = remote.snapshot(leaning=True)
    tips = commits or _tips(workspace, rev=rev, branches=branches, tags=tags)
    plans = _plans(workspace, remote, snapshot, tips, paths)
    need = _joined(plan.need for plan in plans)
    missing = snapshot.missing(need.blobs)
    lost = workspace.store.missing(missing)
    if lost and not dry_run:
        remote.rescue(snapshot, lost)
        missing = snapshot.missing(need.blobs)
    lost &= snapshot.plain.missing(lost)
    refs = tuple(plan.ref for plan in plans)
    if dry_run:
        _check_lost(need, lost, remote.url)
        return PushReport(remote.name, remote.url, len(need.blobs), len(missing), 0, 0, refs)
    jobs = jobs or workspace.settings.jobs
    sizes = {digest: need.blobs[digest] for digest in missing - lost}
    before_upload(sizes)
    done = remote.push_blobs(snapshot, workspace.store, sizes, jobs=jobs)
    # No root before everything it speaks of is there.
    _check_lost(need, lost, remote.url)
    clock.check()
    if plans:
        _seal(workspace, remote, snapshot, plans, is_partial=bool(paths))
        if (workspace.shared_dir / "profiles").is_dir():
            from dvtool.ops.profile_travel import send_profiles

            send_profiles(workspace, remote, snapshot, pushed=need.blobs)
    return PushReport(
        remote.name,
        remote.url,
        len(need.blobs),
        done.uploaded,
        done.uploaded_bytes,
        done.packs,
        refs,
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """One ref to push: what its commits need that the roots in `before` do not cover."""

    ref: str
    commit: str
    need: Need
    before: tuple[Root, ...]


def _plans(
    workspace: Workspace,
    remote: Remote,
    snapshot: Snapshot,
    tips: Mapping[str, str],
    paths: Sequence[str],
) -> list[_Plan]:
    if paths:
        return [
            _Plan(name, commit, _needs_of_paths(workspace, commit, list(paths)), ())
            for name, commit in tips.items()
        ]
    roots = covering_roots(workspace, remote, snapshot)
    in_force = [root for root in roots if remote.is_in_force(snapshot, root)]
    return _plan_histories(workspace, tips, roots, in_force)


def _seal(
    workspace: Workspace,
    remote: Remote,
    snapshot: Snapshot,
    plans: Sequence[_Plan],
    *,
    is_partial: bool,
) -> None:
    """Writes the roots that say what commits need, now that all of it is there."""
    scope: Scope = "partial" if is_partial or workspace.git.layout.shallow else "full"
    written = []
    for plan in plans:
        root = Root(workspace.settings.repository, plan.ref, plan.commit, scope, ())
        written.append(
            remote.write_root(snapshot, root, before=plan.before, new_digests=plan.need.blobs)
        )
    remote.settle(snapshot, written, workspace.store)


def _plan_histories(
    workspace: Workspace, tips: Mapping[str, str], roots: Sequence[Root], in_force: Sequence[Root]
) -> list[_Plan]:
    """Returns a plan for each ref whose history no root in force covers yet.

    A root bounds the walk only of histories it lies in: what a side branch's root covers beyond
    them is not theirs, and what they share with it must stand in their own root too.
    """
    plans: list[_Plan] = []
    covered = [root.commit for root in in_force]
    for name, commit in tips.items():
        if is_covered(workspace.git, commit, covered):
            continue
        before = tuple(root for root in roots if is_covered(workspace.git, root.commit, [commit]))
        need = needs_of(workspace, [commit], [root.commit for root in before])
        if need.unreadable:
            where, dataset, error = need.unreadable[0]
            raise ObjectMissing(
                f"{len(need.unreadable)} versions cannot be read,"
                f" first {dataset} at {where[:12]}: {error}",
                hint="dvtool fetch --all-commits, where another remote has them",
            )
        plans.append(_Plan(name, commit, need, before))
        covered.append(commit)
    return plans


def _joined(needs: Iterable[Need]) -> Need:
    blobs: dict[Digest, int] = {}
    where: dict[Digest, tuple[str, str]] = {}
    for need in needs:
        blobs.update(need.blobs)
        where.update(need.where)
    return Need(blobs, where, ())


def _tips(workspace: Workspace, *, rev: str | None, branches: bool, tags: bool) -> dict[str, str]:
    """Returns ref names with the commits to push; HEAD stands for a typed revision."""
    if branches or tags:
        prefixes = [BRANCHES] * branches + [TAGS] * tags
        return current_refs(workspace.git, prefixes)
    if rev is not None:
        # What a person typed may be no ref at all; a root only tells people where it came from.
        return {"HEAD": resolve_commit(workspace.git, rev)}
    current = head(workspace.git)
    if current.commit is None:
        raise UnknownRevision(
            "nothing is committed yet, so no commit needs data", hint="git commit"
        )
    return {current.ref or "HEAD": current.commit}


def _needs_of_paths(workspace: Workspace, commit: str, paths: list[str]) -> Need:
    blobs: dict[Digest, int] = {}
    where: dict[Digest, tuple[str, str]] = {}
    for one, sidecar in selected_sidecars(workspace, commit, paths):
        tree = workspace.tree(sidecar).under(one.inside)
        for digest, size in {**shards_of([sidecar]), **tree.blobs()}.items():
            blobs[digest] = size
            where[digest] = (commit, one.dataset)
    return Need(blobs, where, ())


def _check_lost(need: Need, lost: set[Digest], url: str) -> None:
    if not lost:
        return
    examples = []
    for digest in sorted(lost)[:10]:
        commit, dataset = need.where[digest]
        examples.append(f"{short_digest(digest)} of {dataset} at {commit[:12]}")
    raise ObjectMissing(
        f"{len(lost)} objects are neither in the store nor at {url}: {'; '.join(examples)}",
        hint="push from the clone that made these commits, or dvtool fetch from another remote",
    )
