"""Settled data: when everything on disk was last found unchanged, in a form a shell can check.

Written after a look at all data sets: the paths to look at again, in a file whose own time is that
of the look. What changed since has a newer ctime, which `find` compares faster than Python starts.
The shell that reads this is `dvtool.git.hooktext`; called by `dvtool.ops` for hooks.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from dvtool.worktree.statindex import StatIndex

PATHS: Final = "paths"
"""What to look at, a path a line; its mtime is the time of the look."""
ABSENT: Final = "absent"
"""What was not there."""
INDEX: Final = "index"
"""A second name of the stat index as it was; not the same file any more once that was saved."""
NOTE: Final = "note"
"""All of it once more as shell, so that the shell starts no process to read it; written last."""
# One command line must hold them all; Linux gives it a quarter of the stack, mostly 2 MiB.
_MAX_PATHS_BYTES: Final = 1 << 20


def note(
    folder: Path,
    index: StatIndex,
    *,
    top: Path,
    datasets: Iterable[str],
    watched: Iterable[Path],
    large_bytes: int,
    clock_ns: int,
    is_all: bool = True,
) -> None:
    """Notes which data sets do not differ on disk from what was added, as of `clock_ns`.

    Args:
        folder: Where to note it, for this work tree alone.
        index: The stat index as it was saved after the look.
        top: The work tree's top, where `find` will be started.
        datasets: Those that do not differ.
        watched: Other files whose change makes the note worthless, such as settings.
        large_bytes: The size from which files are large; 0 for none.
        clock_ns: The file system's time at the start of the look; 0 when unknown.
        is_all: Whether these are all data sets. If not, the shell gets no note: it must ask dvtool,
            which looks at the others again and not at these.
    """
    forget(folder)
    names = sorted(datasets)
    present: list[str] = []
    absent: list[str] = []
    for name in names:
        (present if os.path.lexists(f"{top}/{name}") else absent).append(f"./{name}")
    paths = [*present, *(str(path) for path in watched if path.exists())]
    text = os.fsencode("".join(f"{path}\n" for path in paths))
    if (
        not clock_ns
        or len(text) > _MAX_PATHS_BYTES
        or any("\n" in one for one in (*paths, *absent))
    ):
        return
    # No note is a note that everything must be looked at.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if index.path.exists():
            os.link(index.path, folder / INDEX)
        (folder / ABSENT).write_bytes(os.fsencode("".join(f"{path}\n" for path in absent)))
        (folder / PATHS).write_bytes(text)
        os.utime(folder / PATHS, ns=(clock_ns - 1, clock_ns - 1))
        if not is_all:
            return
        unfinished = folder / f"{NOTE}.tmp"
        unfinished.write_bytes(os.fsencode(_as_shell(paths, absent, large_bytes)))
        unfinished.replace(folder / NOTE)


def _as_shell(paths: Sequence[str], absent: Sequence[str], large_bytes: int) -> str:
    digits = "[0-9]" * len(str(large_bytes)) if large_bytes else "none"
    listed = " ".join(map(_quoted, paths))
    return f"large='{digits}'\nabsent={_quoted(chr(10).join(absent))}\nset -- {listed}\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def forget(folder: Path) -> None:
    """Takes the note away, so that the next look is at everything."""
    for name in (NOTE, PATHS, INDEX, ABSENT):
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def unsettled(folder: Path, index: StatIndex, *, top: Path, datasets: Sequence[str]) -> list[str]:
    """Returns the data sets that must be looked at: those that may have changed since the note.

    All of them when there is no note, or it cannot be used. One `find` process.
    """
    known = _lines(folder / PATHS)
    present = {path[2:] for path in known if path.startswith("./")}
    changed = _newer(top, sorted(present.intersection(datasets)), folder / PATHS)
    if changed is None:
        return list(datasets)
    before = StatIndex.load(folder / INDEX)
    absent = {path[2:] for path in _lines(folder / ABSENT)}
    return [
        name
        for name in datasets
        if name in changed
        or not (name in present or (name in absent and not os.path.lexists(f"{top}/{name}")))
        or not _is_same(before, index, name)
    ]


def _newer(top: Path, datasets: Sequence[str], note_file: Path) -> set[str] | None:
    if not datasets:
        return set() if note_file.exists() else None
    # One that is gone would make `find` fail; it has changed, and the caller looks at it.
    here = [name for name in datasets if os.path.lexists(f"{top}/{name}")]
    command = ["find", *(f"./{name}" for name in here), "-cnewer", str(note_file), "-print0"]
    try:
        done = subprocess.run(
            command, cwd=top, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, ValueError):
        return None
    if done.returncode or not here:
        return None
    found = (
        {name for name in datasets if name not in set(here)} if len(here) < len(datasets) else set()
    )
    known = set(here)
    for raw in done.stdout.split(b"\0")[:-1]:
        path = os.fsdecode(raw)[2:]
        while path and path not in known:
            path = path.rpartition("/")[0]
        found.add(path)
    return found


def _is_same(before: StatIndex, now: StatIndex, dataset: str) -> bool:
    """Tells whether a data set's last added or checked-out version is the one it was."""
    if before.is_stored_alike(now, dataset):
        return True
    one, other = before.section(dataset), now.section(dataset)
    if one is None or other is None:
        return one is other
    return (
        bytes(one.digests) == bytes(other.digests)
        and bytes(one.names) == bytes(other.names)
        and one.folders == other.folders
        and one.counts == other.counts
        and bytes(one.modes) == bytes(other.modes)
        and one.bases == other.bases
    )


def _lines(path: Path) -> list[str]:
    try:
        return os.fsdecode(path.read_bytes()).split("\n")[:-1]
    except OSError:
        return []
