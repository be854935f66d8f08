"""Leftovers: temporary files of an `add` or `checkout` that was killed.

They are told and never deleted, since one may hold what was just being replaced. Called by `doctor`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from dvtool.worktree.folders import TEMPORARY_PREFIX

_NAME: Final = re.compile(
    re.escape(TEMPORARY_PREFIX) + r"([0-9a-f]{1,8})-[0-9a-f]{8}(-.*)?", re.DOTALL
)


def leftovers(top: Path, datasets: Iterable[str]) -> Iterator[str]:
    """Yields temporary files inside data sets and beside their sidecars, relative to the top.

    Those of a process that still runs are at work, and left out.
    """
    parents = set()
    for dataset in datasets:
        parents.add(dataset.rpartition("/")[0])
        whole = os.path.join(top, dataset)
        if not os.path.islink(whole):
            for folder, _, names in os.walk(whole):
                yield from _dead(os.path.relpath(folder, top), names)
    for folder in sorted(parents):
        try:
            yield from _dead(folder, os.listdir(os.path.join(top, folder)))
        except OSError:
            continue


def _dead(folder: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        found = _NAME.fullmatch(name)
        if found is not None and not _is_running(int(found[1], 16)):
            yield os.path.join(folder, name)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
