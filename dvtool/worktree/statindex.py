"""The stat index: one binary file per work tree with the section of every data set.

A cache with one duty: never to be trusted when damaged. The file carries a checksum, is replaced
whole, and anything unexpected in it counts as no index at all. The values are in `sections`, read
when they are asked for; the verbs load it once and save it once. Spec: docs/format.md#stat-index.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import xxhash

from dvtool.core.digest import NO_DIGEST, Digest, Fingerprint
from dvtool.core.tree import EMPTY_DIRECTORY, Entry
from dvtool.worktree.filestat import file_system_clock
from dvtool.worktree.sections import NO_FINGERPRINT, WIDTHS, Buffer, IndexSection

MAGIC: Final = b"DVTSTAT1"
HEADER: Final = struct.Struct("<8sQ16s")
"""Magic (the last byte is the version), number of sections, xxh3-128 of all that follows."""
SECTION: Final = struct.Struct("<IBxxx16sQQQQQQ")
"""Bytes of the data set's path, flags, sidecar fingerprint, folders, bytes of their names, rows,
bytes of the rows' names, bases, bytes of their paths: 72 bytes."""
BASE: Final = struct.Struct("<32sQc")
"""Digest, size and mode letter of a base; the letter is `-` where there is none."""
COMPLETE: Final = 1
KNOWN_SIDECAR: Final = 2


class StatIndex:
    """The sections of one work tree, by data set."""

    def __init__(
        self, path: Path, sections: Mapping[str, IndexSection | memoryview] | None = None
    ) -> None:
        """Takes the file's path and its sections; use `load` for an existing file."""
        self.path = path
        # A section stays as it stands in the file until somebody asks for it.
        self._sections = dict(sections or {})
        self._is_changed = False

    @classmethod
    def load(cls, path: Path) -> StatIndex:
        """Returns the index at `path`; an empty one if missing, damaged or of another version."""
        try:
            data = path.read_bytes()
        except OSError:
            return cls(path)
        try:
            return cls(path, _stored_sections(data))
        except (ValueError, struct.error):  # UnicodeDecodeError is a ValueError
            return cls(path)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Every data set with a section."""
        return tuple(self._sections)

    @property
    def is_changed(self) -> bool:
        """Whether something was replaced or removed since loading or saving."""
        return self._is_changed

    def section(self, dataset: str) -> IndexSection | None:
        """Returns the section of a data set, None when there is none."""
        found = self._sections.get(dataset)
        if isinstance(found, memoryview):
            found = self._sections[dataset] = _decode(found)
        return found

    def is_stored_alike(self, other: StatIndex, dataset: str) -> bool:
        """Tells whether two files hold the same bytes for a data set, without reading them.

        False also when either was read or replaced since it was loaded.
        """
        one, another = self._sections.get(dataset), other._sections.get(dataset)
        return isinstance(one, memoryview) and isinstance(another, memoryview) and one == another

    def replace(self, section: IndexSection) -> None:
        """Puts a section in the place of the one of the same data set."""
        self._sections[section.dataset] = section
        self._is_changed = True

    def remove(self, dataset: str) -> None:
        """Drops a data set's section; nothing if there is none."""
        if self._sections.pop(dataset, None) is not None:
            self._is_changed = True

    def clock(self) -> int:
        """Returns the file system's time in ns, by writing a file beside the index.

        Where nothing can be written it is 0: then every file counts as changed since, and is read
        again whenever it matters.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return file_system_clock(self.path.parent)
        except OSError:
            return 0

    def save(self) -> None:
        """Replaces the file in one step; an index lost in a power cut is only rebuilt.

        Raises:
            OSError: The directory cannot be written; the old file is as it was.
        """
        pieces = [piece for one in self._sections.values() for piece in _pieces(one)]
        checksum = xxhash.xxh3_128()
        for piece in pieces:
            checksum.update(piece)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f"{self.path.name}.tmp-{os.getpid()}")
        try:
            with open(unfinished, "wb") as file:
                file.write(HEADER.pack(MAGIC, len(self._sections), checksum.digest()))
                file.writelines(pieces)
            os.replace(unfinished, self.path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        self._is_changed = False


def _pieces(section: IndexSection | memoryview) -> Iterator[Buffer]:
    return iter((section,)) if isinstance(section, memoryview) else _encode(section)


def _encode(section: IndexSection) -> Iterator[Buffer]:
    dataset = os.fsencode(section.dataset)
    folders = os.fsencode("\0".join(section.folders))
    base_paths = b"\0".join(section.bases)
    flags = COMPLETE * section.complete + KNOWN_SIDECAR * bool(section.sidecar_fingerprint)
    yield SECTION.pack(
        len(dataset),
        flags,
        section.sidecar_fingerprint or bytes(16),
        len(section.folders),
        len(folders),
        len(section),
        len(section.names),
        len(section.bases),
        len(base_paths),
    )
    yield dataset
    yield folders
    yield struct.pack(f"<{len(section.counts)}Q", *section.counts)
    yield struct.pack(f"<{len(section.name_sizes)}Q", *section.name_sizes)
    yield section.names
    yield from (section.stats, section.modes, section.fingerprints, section.digests)
    yield base_paths
    for base in section.bases.values():
        if base is None:
            yield BASE.pack(b"", 0, b"-")
        else:
            yield BASE.pack(base.digest, base.size, base.mode.encode())


def _stored_sections(data: bytes) -> dict[str, memoryview]:
    """Returns the bytes of every section by its data set."""
    magic, count, checksum = HEADER.unpack_from(data)
    body = memoryview(data)[HEADER.size :]
    if magic != MAGIC or xxhash.xxh3_128_digest(body) != checksum:
        raise ValueError("another version, or damaged")
    sections: dict[str, memoryview] = {}
    at = 0
    for _ in range(count):
        head = SECTION.unpack_from(body, at)
        start, at = at, at + _size(head)
        name_at = start + SECTION.size
        sections[os.fsdecode(bytes(body[name_at : name_at + head[0]]))] = body[start:at]
    if at != len(body):
        raise ValueError("sections of another length than the file")
    return sections


def _size(head: tuple[Any, ...]) -> int:
    dataset_size, _, _, folders, folders_size, rows, names_size, bases, base_paths_size = head
    texts: int = dataset_size + folders_size + names_size + base_paths_size
    columns: int = 16 * folders + rows * sum(WIDTHS) + bases * BASE.size
    return SECTION.size + texts + columns


def _decode(stored: memoryview) -> IndexSection:
    """Returns a section, its columns without a copy.

    The file's checksum is right and the section is as long as it says, so what does not fit in it
    was written so by this module.
    """
    head = SECTION.unpack_from(stored)
    dataset_size, flags, mark, folder_count, folders_size, rows, names_size = head[:7]
    base_count, base_paths_size = head[7:]
    at = SECTION.size

    def take(size: int) -> memoryview:
        nonlocal at
        at += size
        return stored[at - size : at]

    dataset = os.fsdecode(bytes(take(dataset_size)))
    folders = os.fsdecode(bytes(take(folders_size))).split("\0") if folder_count else []
    counts = struct.unpack(f"<{folder_count}Q", take(8 * folder_count))
    name_sizes = struct.unpack(f"<{folder_count}Q", take(8 * folder_count))
    names = take(names_size)
    stats, modes, marks, digests = (take(rows * width) for width in WIDTHS)
    base_paths = bytes(take(base_paths_size)).split(b"\0") if base_count else []
    bases = BASE.iter_unpack(take(base_count * BASE.size))
    return IndexSection(
        dataset,
        Fingerprint(mark) if flags & KNOWN_SIDECAR else NO_FINGERPRINT,
        bool(flags & COMPLETE),
        tuple(folders),
        counts,
        name_sizes,
        names,
        stats,
        modes,
        marks,
        digests,
        {path: _base(path, *b) for path, b in zip(base_paths, bases, strict=True)},
    )


def _base(path: bytes, digest: bytes, size: int, mode: bytes) -> Entry | None:
    if mode == b"-":
        return None
    known = NO_DIGEST if mode == EMPTY_DIRECTORY.encode() else Digest(digest)
    return Entry(path, known, size, mode.decode())
