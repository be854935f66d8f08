"""Data changed on disk and not added: the one question of a commit that the work tree answers.

After a look that found nothing, what was looked at is noted, so that the next commit can ask the
file system what changed since, without starting Python. Called by the pre-commit hook.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dvtool.core.config import CONFIG_FILE
from dvtool.errors import DvtoolError
from dvtool.git.hooktext import QUICK_FOLDER
from dvtool.git.sidecars import sidecar_paths
from dvtool.ops.disk import UNADDED, compare_dataset
from dvtool.ops.gate import GatePolicy
from dvtool.ops.hooks.problems import Problem, named
from dvtool.ops.selection import datasets_of
from dvtool.ops.workspace import Workspace
from dvtool.worktree import settled
from dvtool.worktree.statindex import StatIndex

_OVERRIDES = ("GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT")


def changed_on_disk(workspace: Workspace, policy: GatePolicy) -> tuple[list[Problem], list[str]]:
    """Returns reasons to stop and notes about data that changed since they were last added."""
    if policy.modified == "off":
        _note(workspace, policy, workspace.load_index(), [])
        return [], []
    datasets = datasets_of(sidecar_paths(workspace.git))
    index = workspace.load_index()
    clock_ns = index.clock()
    changed = {}
    unread: dict[str, str] = {}
    for name in settled.unsettled(_folder(workspace), index, top=workspace.top, datasets=datasets):
        try:
            found = compare_dataset(workspace, index, name)
        except DvtoolError as error:
            unread[name] = f"{name} was not compared with what is on disk: {error}"
            continue
        paths = [one for one in found.paths if one.state in UNADDED]
        # A data set that is gone as a whole makes room on the disk; nothing of it is unsaved.
        if found.kind and paths:
            changed[name] = paths
    if index.is_changed:
        from dvtool.ops.status import save_quietly

        save_quietly(workspace, index)
    in_order = [name for name in datasets if name not in changed and name not in unread]
    _note(workspace, policy, index, in_order, clock_ns=clock_ns, is_all=in_order == datasets)
    notes = list(unread.values())
    if not changed:
        return [], notes
    told = [
        f"{name} ({len(paths)} file{'s' * (len(paths) != 1)})" for name, paths in changed.items()
    ]
    what = f"changed on disk and not added: {named(told)}"
    if policy.modified == "warn":
        return [], [*notes, f"{what}; the commit has the data as they were added last"]
    first = next(iter(changed))
    hint = f"dvtool add {first} keeps the change, dvtool checkout --force {first} drops it"
    return [Problem(what, f"{hint}; gate.modified = warn lets it pass")], notes


def forget_settled(workspace: Workspace) -> None:
    """Has the next commit look at all data, since sidecars changed under them."""
    settled.forget(_folder(workspace))


def _folder(workspace: Workspace) -> Path:
    return workspace.private_dir / QUICK_FOLDER


def _note(
    workspace: Workspace,
    policy: GatePolicy,
    index: StatIndex,
    datasets: list[str],
    *,
    clock_ns: int | None = None,
    is_all: bool = True,
) -> None:
    """Notes what is as it should be, unless settings hold for this one command only."""
    if any(workspace.environ.get(name) for name in _OVERRIDES):
        return
    settled.note(
        _folder(workspace),
        index,
        top=workspace.top,
        datasets=datasets,
        watched=_settings_files(workspace),
        large_bytes=policy.large_file_bytes,
        clock_ns=index.clock() if clock_ns is None else clock_ns,
        is_all=is_all,
    )


def _settings_files(workspace: Workspace) -> Iterator[Path]:
    """Yields the files that the policy was read from, as far as they are where git looks first."""
    yield workspace.top / CONFIG_FILE
    yield workspace.git.layout.common_dir / "config"
    yield workspace.git.layout.git_dir / "config.worktree"
    environ = workspace.environ
    home = environ.get("HOME", "")
    candidates = [environ.get("GIT_CONFIG_GLOBAL") or os.path.join(home, ".gitconfig")]
    folder = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    candidates += [os.path.join(folder, "git", "config"), "/etc/gitconfig"]
    yield from (path for one in candidates if (path := Path(one)).is_absolute() and path.is_file())
