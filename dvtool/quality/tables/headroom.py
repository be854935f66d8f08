"""Memory: how much of it this process could still take, and how much rows take that it holds.

The system tells the first: what is free of the machine, of each control group around this process and
of its own address space, the least of them. Who takes how much of it is decided in `engine`.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

INLINED_BYTES = 12
"""Strings up to this length take no more than that."""
_WIDTHS = {
    "BOOLEAN": 1,
    "DATE": 4,
    "TIME": 8,
    "TIMESTAMP": 8,
    "BIGINT": 8,
    "UBIGINT": 8,
    "DOUBLE": 8,
}
"""Bytes of a value; of a string or a list those of its length, its beginning and where it is."""
_MASK = 2
"""Bytes that tell which values are missing, and what else there is, a value; as measured."""


def row_bytes(types: Sequence[str]) -> int:
    """Returns what a held row of some engine types takes, besides the text of its strings."""
    return 8 + sum(_WIDTHS.get(one, 16) + _MASK for one in types)


def available_bytes(root: Path = Path("/")) -> int | None:
    """Returns how much more memory could be taken without swapping, None where nobody tells.

    Limits of control groups count as far as they are not used; cached files that the system would
    give back at once do not count as used.

    Args:
        root: Where `proc` and `sys` are.
    """
    told = (_of_machine(root), *_of_groups(root), _of_process(root))
    found = [free for free in told if free is not None]
    return max(min(found), 0) if found else None


def meminfo_available(text: str) -> int | None:
    """Returns `MemAvailable` of `/proc/meminfo` in bytes; None before Linux 3.14."""
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) << 10
    return None


def group_paths(text: str) -> tuple[str | None, str | None]:
    """Returns the control groups of a process, as `/proc/self/cgroup` names them; None for none.

    First that of version 2, then the one of version 1 that limits memory.
    """
    second = first = None
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            second = path
        elif "memory" in controllers.split(","):
            first = path
    return second, first


def group_free(limit: str, used: str, stat: str) -> int | None:
    """Returns what is left of a control group's limit, None where it has none or nobody can tell.

    Args:
        limit: Text of `memory.max`, `memory.high` or `memory.limit_in_bytes`.
        used: Text of `memory.current` or `memory.usage_in_bytes`.
        stat: Text of `memory.stat`; inactive files are cache that goes first.
    """
    if not limit.strip().isdecimal() or not used.strip().isdecimal():  # such as "max"
        return None
    counts = dict(line.split(" ", 1) for line in stat.splitlines() if " " in line)
    cached = int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))
    return int(limit) - max(int(used) - cached, 0)


def _of_machine(root: Path) -> int | None:
    text = _text(root / "proc/meminfo")
    return meminfo_available(text) if text else None


def _of_groups(root: Path) -> Iterator[int | None]:
    text = _text(root / "proc/self/cgroup")
    second, first = group_paths(text) if text else (None, None)
    mounted = root / "sys/fs/cgroup"
    for folder in _upwards(mounted, second):
        for limit in ("memory.max", "memory.high"):
            yield _of_group(folder, limit, "memory.current")
    for folder in _upwards(mounted / "memory", first):
        yield _of_group(folder, "memory.limit_in_bytes", "memory.usage_in_bytes")


def _upwards(mounted: Path, group: str | None) -> Iterator[Path]:
    """Yields the folders of a control group and of those around it.

    In a container the path may be that of the host, of which only the last part is mounted, as root.
    """
    if group is not None:
        inner = PurePosixPath(group.lstrip("/"))
        for place in (inner, *inner.parents):
            yield mounted / place


def _of_group(folder: Path, limit: str, used: str) -> int | None:
    return group_free(*(_text(folder / name) for name in (limit, used, "memory.stat")))


def _of_process(root: Path) -> int | None:
    """Returns what `ulimit -v` leaves."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    text = _text(root / "proc/self/statm")
    if limit == resource.RLIM_INFINITY or not text:
        return None
    return limit - int(text.split()[0]) * resource.getpagesize()


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text("ascii", "replace")
    return ""
