"""Trees: what a version of a data set holds, and how two of them differ or merge.

A tree is a mapping from path to entry. A data set that is one file is a tree with a single entry
whose path is empty. Nothing here touches a file; the text forms are in `dvtool.core.sidecar`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, ItemsView, Iterable, Iterator, Mapping, ValuesView
from itertools import islice
from operator import attrgetter, lt
from typing import Final, NamedTuple

from dvtool.core.digest import NO_DIGEST, Digest
from dvtool.core.paths import Neighbours, find_clash
from dvtool.core.quote import display

FILE: Final = "f"
EXECUTABLE: Final = "x"
SYMLINK: Final = "l"
EMPTY_DIRECTORY: Final = "d"
MODES: Final = frozenset("fxld")
_FILES: Final = frozenset("fx")
THE_FILE: Final = b""
"""The path of the only entry of a data set that is one file."""
_ONE_REMOVED: Final = "one side changed, the other removed it"


class Entry(NamedTuple):
    """One file of a version. A named tuple, not a dataclass: there may be a million of them.

    Attributes:
        path: Raw bytes relative to the data set; empty for a data set that is one file.
        digest: sha256 of the bytes (of the target's text for a symlink); NO_DIGEST for `d`.
        size: In bytes.
        mode: `f` file, `x` executable file, `l` symlink, `d` empty directory.
    """

    path: bytes
    digest: Digest
    size: int
    mode: str


class Tree(Mapping[bytes, Entry]):
    """The entries of one version, by path, iterated in the order of raw bytes."""

    __slots__ = ("_by_path",)

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        """Takes entries in any order; of two with one path the later counts."""
        by_path = {entry.path: entry for entry in entries}
        if not all(map(lt, by_path, islice(by_path, 1, None))):
            by_path = dict(sorted(by_path.items()))
        self._by_path = by_path

    def __getitem__(self, path: bytes) -> Entry:
        return self._by_path[path]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._by_path)

    def __len__(self) -> int:
        return len(self._by_path)

    def items(self) -> ItemsView[bytes, Entry]:
        """All paths with their entries, sorted by path."""
        return self._by_path.items()  # Mapping's own costs a call of __getitem__ an entry

    @property
    def entries(self) -> ValuesView[Entry]:
        """All entries, sorted by path."""
        return self._by_path.values()

    @property
    def size_bytes(self) -> int:
        """The sum of all sizes; a blob that stands twice counts twice."""
        return sum(entry.size for entry in self.entries)

    def blobs(self) -> dict[Digest, int]:
        """Returns every distinct blob with its size; entries without bytes are left out."""
        return {entry.digest: entry.size for entry in self.entries if entry.digest}

    def under(self, prefix: bytes) -> Tree:
        """Returns the part at or below `prefix`, paths unchanged; everything for an empty one."""
        if not prefix:
            return self
        below = prefix + b"/"
        return Tree(e for e in self.entries if e.path == prefix or e.path.startswith(below))

    def replaced(self, prefix: bytes, part: Iterable[Entry]) -> Tree:
        """Returns this tree with everything at or below `prefix` replaced by `part`.

        A directory that was recorded as empty and gets something is recorded no longer.
        """
        part = list(part)
        below = prefix + b"/"
        kept = [
            e for e in self.entries if prefix and e.path != prefix and not e.path.startswith(below)
        ]
        folders = folders_of(entry.path for entry in part)
        return Tree([*(e for e in kept if not is_filled(e, folders)), *part])


def folders_of(paths: Iterable[bytes]) -> set[bytes]:
    """Returns every folder on the way to any of `paths`, the data set itself left out."""
    folders: set[bytes] = set()
    for path in paths:
        folder, slash, _ = path.rpartition(b"/")
        while slash and folder not in folders:
            folders.add(folder)
            folder, slash, _ = folder.rpartition(b"/")
    return folders


def is_filled(entry: Entry, folders: Container[bytes]) -> bool:
    """Tells whether `entry` records as empty a directory that is one of `folders`."""
    return entry.mode == EMPTY_DIRECTORY and entry.path in folders


class Change(NamedTuple):
    """One line of a difference.

    Attributes:
        kind: `added`, `removed`, `changed`, `mode` (only the mode letter differs) or `renamed`.
        path: The path in the new tree, or in the old one for `removed`.
        old: The entry before, None for `added`.
        new: The entry after, None for `removed`.
    """

    kind: str
    path: bytes
    old: Entry | None
    new: Entry | None


def changed_paths(old: Tree, new: Tree) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """Yields each path whose entries differ, with both; those of `old` first."""
    before_at, after_at = dict(old.items()), dict(new.items())
    for path, before in before_at.items():
        after = after_at.get(path)
        if after != before:
            yield path, before, after
    for path, after in after_at.items():
        if path not in before_at:
            yield path, None, after


def diff_trees(old: Tree, new: Tree, *, renames: bool = True) -> list[Change]:
    """Returns what changed from `old` to `new`, sorted by path; empty for equal trees.

    A removed and an added file with the same non-empty bytes and mode are one `renamed`.
    """
    changes: list[Change] = []
    removed: dict[tuple[Digest, str], deque[Entry]] = {}
    added: list[Entry] = []
    for path, before, after in changed_paths(old, new):
        if after is None:
            assert before is not None
            removed.setdefault((before.digest, before.mode), deque()).append(before)
        elif before is None:
            added.append(after)
        else:
            same_bytes = before.digest == after.digest and {before.mode, after.mode} == _FILES
            changes.append(Change("mode" if same_bytes else "changed", path, before, after))
    for after in added:
        sources = removed.get((after.digest, after.mode)) if renames and after.size else None
        if sources:
            changes.append(Change("renamed", after.path, sources.popleft(), after))
        else:
            changes.append(Change("added", after.path, None, after))
    changes += [Change("removed", e.path, e, None) for left in removed.values() for e in left]
    return sorted(changes, key=attrgetter("path"))


class Conflict(NamedTuple):
    """A path that both sides changed in ways that cannot both hold.

    Attributes:
        path: Where.
        base: The common ancestor's entry, None when it had none.
        ours: Our entry, None when we removed it.
        theirs: Their entry, None when they removed it.
        reason: Plain words for the person who decides.
    """

    path: bytes
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    reason: str


class MergeResult(NamedTuple):
    """What a three-way merge gives: the tree, with our side where `conflicts` is not empty."""

    tree: Tree
    conflicts: tuple[Conflict, ...]


def merge_trees(base: Tree, ours: Tree, theirs: Tree) -> MergeResult:
    """Returns the three-way merge of two trees, file by file.

    A path that one side changed takes that side; equal changes are one; a file's bytes and its
    executable bit merge apart from each other. Paths that cannot stand side by side (case clash,
    `a` beside `a/b`) are conflicts, never part of a result. A directory that one side recorded as
    empty and the other filled is simply filled.
    """
    merged = dict(ours.items())
    arrivals: dict[bytes, Entry] = {}
    conflicts: list[Conflict] = []
    for path, before, after in changed_paths(base, theirs):
        mine = merged.get(path)
        if mine == after:
            continue
        if mine == before:
            if after is None:
                del merged[path]
            else:
                (merged if before else arrivals)[path] = after
        elif both := _merge_entries(before, mine, after):
            merged[path] = both
        else:
            why = "both sides changed it" if mine and after else _ONE_REMOVED
            conflicts.append(Conflict(path, before, mine, after, why))
    _drop_filled(merged, arrivals)
    conflicts += _add_arrivals(merged, arrivals)
    return MergeResult(Tree(merged.values()), tuple(sorted(conflicts, key=attrgetter("path"))))


def _merge_entries(base: Entry | None, ours: Entry | None, theirs: Entry | None) -> Entry | None:
    """Returns the entry that holds both sides' changes, None when there is no such entry."""
    if base is None or ours is None or theirs is None:
        return None
    if not {base.mode, ours.mode, theirs.mode} <= _FILES:
        return None
    if ours.digest == base.digest:
        content = theirs
    elif theirs.digest in (base.digest, ours.digest):
        content = ours
    else:
        return None
    return content._replace(mode=theirs.mode if ours.mode == base.mode else ours.mode)


def _drop_filled(merged: dict[bytes, Entry], arrivals: dict[bytes, Entry]) -> None:
    """Takes out the empty directories that are not empty once both sides are put together."""
    sides = (merged, arrivals)
    empty = [p for side in sides for p, e in side.items() if e.mode == EMPTY_DIRECTORY]
    if not empty:
        return
    folders = folders_of(merged) | folders_of(arrivals)
    for path in folders.intersection(empty):
        for side in sides:
            if path in side:
                del side[path]


def _add_arrivals(merged: dict[bytes, Entry], arrivals: dict[bytes, Entry]) -> Iterator[Conflict]:
    """Puts what only their side added into `merged`; yields as conflicts what clashes there.

    Our side is valid and so without clashes: whatever clashes is an arrival.
    """
    if find_clash([*merged, *arrivals]) is None:
        merged.update(arrivals)
        return
    neighbours = Neighbours()
    for path in merged:
        neighbours.admit(path)
    for path, entry in arrivals.items():
        other = neighbours.admit(path)
        if other is None:
            merged[path] = entry
        else:
            yield Conflict(path, None, None, entry, f"cannot stand beside {display(other)}")


def no_entry(path: bytes) -> Entry:
    """Returns the entry of an empty directory at `path`."""
    return Entry(path, NO_DIGEST, 0, EMPTY_DIRECTORY)
