"""`install`: put dvtool's hooks where git looks for them, and take them out again.

Hooks that were there before are kept as they were and run first. Nothing outside of git's folder of
hooks and of dvtool's own folder is touched. Called by the CLI, `init` and `clone`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import dvtool
from dvtool.errors import DvtoolError
from dvtool.git.hooks import (
    hooks_folder,
    is_shared,
    places,
    put,
    remember_interpreter,
    take,
)
from dvtool.git.plumbing import Git


@dataclass(frozen=True, slots=True)
class InstallReport:
    """What was done to the hooks.

    Attributes:
        folder: Where git looks for hooks.
        changed: Hooks that were put in or taken out; empty when all was as it should be.
        kept: Hooks from before that now run first, or were put back.
        refused: Hooks that could not be put in or taken out, with the error.
        shared: The folder serves other repositories too.
    """

    folder: Path
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    refused: tuple[tuple[str, DvtoolError], ...] = ()
    shared: bool = False


def install(git: Git, *, force: bool = False) -> InstallReport:
    """Puts all hooks in; those that cannot go in are told, the others are put in all the same.

    Raises:
        UsageError: git runs no hooks here, as `core.hooksPath` is no folder.
        StoreFailed: A folder cannot be written.
    """
    folder = hooks_folder(git)
    remember_interpreter(git, sys.executable, str(Path(dvtool.__file__).parent))
    return _each(git, folder, removing=False, force=force)


def uninstall(git: Git, *, force: bool = False) -> InstallReport:
    """Takes all hooks of ours out and puts back what was there before.

    Raises:
        As `install`.
    """
    return _each(git, hooks_folder(git), removing=True, force=force)


def _each(git: Git, folder: Path, *, removing: bool, force: bool) -> InstallReport:
    changed, kept, refused = [], [], []
    for place in places(folder):
        had_kept = place.kept.exists()
        try:
            if not (take(place, force=force) if removing else put(git, place, force=force)):
                continue
        except DvtoolError as error:
            refused.append((place.name, error))
            continue
        changed.append(place.name)
        if had_kept if removing else place.kept.exists():
            kept.append(place.name)
    return InstallReport(
        folder, tuple(changed), tuple(kept), tuple(refused), shared=is_shared(git, folder)
    )
