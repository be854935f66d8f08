"""`init` and `clone`: make a work tree ready for data.

Idempotent: what is there already stays as it is. Called by the CLI.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dvtool.core.config import CONFIG_FILE, FORMAT_VERSION
from dvtool.core.events import SILENT, Progress
from dvtool.errors import DvtoolError
from dvtool.git.attributes import ensure_attributes, install_drivers
from dvtool.git.cloning import clone_repository
from dvtool.git.plumbing import Git
from dvtool.git.settings import set_committed
from dvtool.git.staging import stage
from dvtool.ops.install import InstallReport, install
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class InitReport:
    """What `init` did.

    Attributes:
        top: Top of the work tree.
        written: Files it wrote or changed, relative to the top; empty when all was there.
        drivers: Keys of git's configuration that it set in this clone; likewise.
        hooks: What was done to the hooks; None when nobody wanted them, or git runs none here.
    """

    top: Path
    written: tuple[str, ...]
    drivers: tuple[str, ...] = ()
    hooks: InstallReport | None = None


def init(
    cwd: Path, *, environ: Mapping[str, str], hooks: bool = True, progress: Progress = SILENT
) -> InitReport:
    """Writes `.dvtool` and `.gitattributes` where they are missing; sets up drivers and hooks.

    Hooks that cannot be installed are told in the report, all else is done.

    Raises:
        NoRepository: `cwd` is in no git work tree.
    """
    workspace = Workspace.open(cwd, environ=environ, progress=progress, must_be_ready=False)
    written = []
    if not workspace.is_ready:
        set_committed(workspace.git, "format", str(FORMAT_VERSION))
        set_committed(workspace.git, "repository", secrets.token_hex(16))
        written.append(CONFIG_FILE)
    if changed := ensure_attributes(workspace.git):
        written.append(changed)
    stage(workspace.git, written)
    drivers = install_drivers(workspace.git)
    installed = _install_hooks(workspace) if hooks else None
    return InitReport(workspace.top, tuple(written), tuple(drivers), installed)


def _install_hooks(workspace: Workspace) -> InstallReport | None:
    try:
        return install(workspace.git)
    except DvtoolError as error:
        workspace.progress.note(f"no hooks installed: {error}")
        return None


def clone(
    url: str,
    directory: Path,
    *,
    environ: Mapping[str, str],
    branch: str | None = None,
    hooks: bool = True,
    progress: Progress = SILENT,
) -> Workspace:
    """Clones a git repository and makes the clone ready; the caller pulls.

    Raises:
        GitFailed: git could not clone.
        UsageError: The URL uses a transport that runs programs.
        NoRepository: The repository does not use dvtool.
    """
    clone_repository(url, directory, branch=branch, environ=environ)
    git = Git.at(directory, environ=environ, foreign=True)
    workspace = Workspace(git, environ, progress)
    if workspace.is_ready:
        install_drivers(git)
        if hooks:
            _install_hooks(workspace)
    return workspace
