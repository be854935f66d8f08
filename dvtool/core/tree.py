"""Trees: what a version of a data set holds, and how two of them differ or merge.

A tree is a mapping from path to entry. A data set that is one file is a tree with a single entry
whose path is empty. Nothing here touches a file; the text forms are in `dvtool.core.sidecar`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from dvtool.core.digest import NO_DIGEST, Digest
from dvtool.core.paths import find_clash

FILE: Final = "f"
EXECUTABLE: Final = "x"
SYMLINK: Final = "l"
EMPTY_DIRECTORY: Final = "d"
MODES: Final = frozenset("fxld")
THE_FILE: Final = b""
"""The path of the only entry of a data set that is one file."""


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
        keys = list(by_path)
        if any(a > b for a, b in zip(keys, keys[1:], strict=False)):
            by_path = dict(sorted(by_path.items()))
        self._by_path = by_path

    def __getitem__(self, path: bytes) -> Entry:
        return self._by_path[path]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._by_path)

    def __len__(self) -> int:
        return len(self._by_path)

    @property
    def entries(self) -> Iterable[Entry]:
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
        """Returns this tree with everything at or below `prefix` replaced by `part`."""
        below = prefix + b"/"
        kept = (
            e
            for e in self.entries
            if prefix and e.path != prefix and not e.path.startswith(below)
        )
        return Tree([*kept, *part])


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


def diff_trees(old: Tree, new: Tree, *, renames: bool = True) -> list[Change]:
    """Returns what changed from `old` to `new`, sorted by path; empty for equal trees.

    A removed and an added file with the same non-empty bytes and mode are one `renamed`.
    """
    changes: list[Change] = []
    removed: dict[tuple[Digest, str], list[Entry]] = {}
    for path, before in old.items():
        after = new.get(path)
        if after is None:
            removed.setdefault((before.digest, before.mode), []).append(before)
        elif after != before:
            same_bytes = after.digest == before.digest and {before.mode, after.mode} <= {"f", "x"}
            changes.append(Change("mode" if same_bytes else "changed", path, before, after))
    for path, after in new.items():
        if path in old:
            continue
        sources = removed.get((after.digest, after.mode)) if renames and after.size else None
        if sources:
            changes.append(Change("renamed", path, sources.pop(0), after))
        else:
            changes.append(Change("added", path, None, after))
    changes += [Change("removed", e.path, e, None) for left in removed.values() for e in left]
    return sorted(changes, key=lambda change: change.path)


@dataclass(frozen=True, slots=True)
class Conflict:
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


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a three-way merge gives: the tree, with our side where `conflicts` is not empty."""

    tree: Tree
    conflicts: tuple[Conflict, ...]


def merge_trees(base: Tree, ours: Tree, theirs: Tree) -> MergeResult:
    """Returns the three-way merge of two trees, file by file.

    A path that one side changed takes that side; equal changes are one. Paths that cannot stand
    side by side (case clash, `a` beside `a/b`) are conflicts, never part of a result.
    """
    merged: dict[bytes, Entry] = {}
    conflicts: list[Conflict] = []
    for path in sorted({*base, *ours, *theirs}):
        b, o, t = base.get(path), ours.get(path), theirs.get(path)
        keep = t if o == b else o
        if o not in (b, t) and t != b:
            both = "both sides changed it" if o and t else "one side changed, the other removed it"
            conflicts.append(Conflict(path, b, o, t, both))
        if keep is not None:
            merged[path] = keep
    while clash := find_clash(merged):
        conflicts += _settle_clash(clash, merged, base, ours, theirs)
    return MergeResult(Tree(merged.values()), tuple(sorted(conflicts, key=lambda c: c.path)))


def _settle_clash(
    clash: tuple[bytes, bytes],
    merged: dict[bytes, Entry],
    base: Tree,
    ours: Tree,
    theirs: Tree,
) -> Iterator[Conflict]:
    """Takes their side of a clash out of `merged` and yields it as conflicts.

    Both inputs are valid, so at least one of two clashing paths is theirs alone. A clash may name
    a folder; then all that is theirs alone below it is meant.
    """
    def theirs_alone(name: bytes) -> list[bytes]:
        below = name + b"/"
        return [p for p in merged if (p == name or p.startswith(below)) and p not in ours]

    first, second = clash
    victims = theirs_alone(second) or theirs_alone(first)
    other = first if victims and victims[0].startswith(second) else second
    for path in victims:
        del merged[path]
        reason = f"cannot stand beside {other.decode('utf-8', 'backslashreplace')}"
        yield Conflict(path, base.get(path), None, theirs[path], reason)


def no_entry(path: bytes) -> Entry:
    """Returns the entry of an empty directory at `path`."""
    return Entry(path, NO_DIGEST, 0, EMPTY_DIRECTORY)
