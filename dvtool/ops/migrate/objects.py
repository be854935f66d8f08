"""Objects: bytes of another tool on their way into the store, proven as they pass.

Each file is read once: its md5 must be its name, and the same bytes give the sha256 and the copy in
the store. Lists of directories are read, not stored. Called by `migrate dvc`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dvtool.core.digest import digest_of
from dvtool.core.dvcfiles import BLOCK_BYTES, Md5, directory_text, members_of
from dvtool.core.events import Progress
from dvtool.core.migrated import Bytes
from dvtool.errors import CorruptObject, DvtoolError, InvalidText, ObjectMissing, StoreFailed
from dvtool.ops.migrate.places import Place, Unread
from dvtool.ops.storing import store_blocks
from dvtool.store.local import SMALL_BLOB_BYTES, LocalStore
from dvtool.store.writer import StoreWriter

_MAX_LIST_BYTES = 2**30
_READERS_HERE = 4
_READERS_ELSEWHERE = 16


@dataclass(slots=True)
class Shelf:
    """All places together: where an object is, and the object itself as a file.

    Attributes:
        places: Those to look in, in order.
        scratch: A folder for what has to be downloaded; emptied by whoever made it.
    """

    places: Sequence[Place]
    scratch: Path
    _found: dict[str, tuple[Place, str] | None] = field(default_factory=dict)

    def place_of(self, name: str) -> Place | None:
        """Returns the first place that has an object, None when none has."""
        found = self._locate(name)
        return found[0] if found else None

    @property
    def nowhere(self) -> str:
        """For messages: that an object is in none of the places, and which were not asked."""
        unread = [place.label for place in self.places if isinstance(place, Unread)]
        beside = f"; of a kind that is not read: {', '.join(unread)}" if unread else ""
        return f"is in no cache and at no remote of DVC{beside}"

    def file(self, name: str) -> tuple[Path, bool]:
        """Returns an object as a file, and whether it is a copy to be deleted after use.

        Raises:
            ObjectMissing: No place has it.
            RemoteFailed: It cannot be downloaded.
        """
        found = self._locate(name)
        if found is None:
            raise ObjectMissing(self.nowhere)
        place, where = found
        return place.local(where, self.scratch), not place.is_here

    def members(self, name: str) -> dict[bytes, str]:
        """Returns what a directory holds, once its list is proven.

        Raises:
            ObjectMissing, RemoteFailed: The list cannot be had.
            CorruptObject: Its bytes do not match its name.
            InvalidText: It is no list, or a path in it is refused.
        """
        path, is_copy = self.file(name)
        try:
            if path.stat().st_size > _MAX_LIST_BYTES:
                raise InvalidText(
                    f"a list of files has at most {_MAX_LIST_BYTES} bytes", source=name
                )
            text = path.read_bytes()
        except OSError as error:
            raise ObjectMissing(f"cannot read {path}: {error.strerror}") from error
        finally:
            if is_copy:
                path.unlink(missing_ok=True)
        found = members_of(name, text)
        # DVC may keep sizes and the like in the list, but names it by paths and md5s alone.
        bare = directory_text({path: value.partition(":")[2] for path, value in found.items()})
        if not any(_is_named(name, each) for each in (text, bare)):
            raise _not_its_name(name, path)
        return found

    def _locate(self, name: str) -> tuple[Place, str] | None:
        if name not in self._found:
            self._found[name] = None
            for place in self.places:
                where = place.find(name)
                if where is not None:
                    self._found[name] = (place, where)
                    break
        return self._found[name]


def _is_named(name: str, text: bytes) -> bool:
    md5 = Md5()
    for start in range(0, len(text), BLOCK_BYTES):
        md5.update(text[start : start + BLOCK_BYTES])
    return md5.matches(name)


def _not_its_name(name: str, path: Path) -> CorruptObject:
    return CorruptObject(f"{name} does not match its bytes: {path}")


def bring(
    shelf: Shelf,
    names: Iterable[str],
    store: LocalStore,
    *,
    progress: Progress,
    failed: Callable[[str, DvtoolError], None],
) -> dict[str, Bytes]:
    """Brings files into the store, several at once, and returns what each of them is there.

    Args:
        shelf: Where they are.
        names: Of files, not of directories.
        store: Where they go.
        progress: Whom to tell.
        failed: Called for each that is missing or damaged; nothing of it is kept.

    Raises:
        StoreFailed: The store cannot be written; what was brought is kept.
    """
    wanted = list(names)
    progress.start("migrate", total_items=len(wanted))
    done: dict[str, Bytes] = {}
    is_all_here = all(place.is_here for place in shelf.places)
    workers = _READERS_HERE if is_all_here else _READERS_ELSEWHERE
    with store.writer() as writer, ThreadPoolExecutor(workers) as pool:

        def one(name: str) -> Bytes | DvtoolError:
            try:
                path, is_copy = shelf.file(name)
                try:
                    return _store_file(writer, name, path)
                finally:
                    if is_copy:
                        path.unlink(missing_ok=True)
            except StoreFailed:
                raise
            except DvtoolError as error:
                return error

        for name, found in zip(wanted, pool.map(one, wanted), strict=True):
            if isinstance(found, DvtoolError):
                failed(name, found)
            else:
                done[name] = found
                progress.advance(size_bytes=found.size, items=1)
    return done


def _store_file(writer: StoreWriter, name: str, path: Path) -> Bytes:
    """Reads one file into the store, each byte once."""
    try:
        with path.open("rb", buffering=0) as source:
            size = os.fstat(source.fileno()).st_size
            if size >= SMALL_BLOB_BYTES:
                return _store_large(writer, name, path, source.fileno())
            data = source.read()
    except OSError as error:
        raise ObjectMissing(f"cannot read {path}: {error.strerror}") from error
    md5 = Md5()
    md5.update(data)
    if not md5.matches(name):
        raise _not_its_name(name, path)
    digest = digest_of(data)
    writer.add_small(digest, data)
    return Bytes(digest, len(data))


def _store_large(writer: StoreWriter, name: str, path: Path, source: int) -> Bytes:
    def blocks() -> Iterator[bytes]:
        md5 = Md5()
        while block := _block(source):
            md5.update(block)
            yield block
        if not md5.matches(name):
            raise _not_its_name(name, path)

    return Bytes(*store_blocks(writer, blocks()))


def _block(source: int) -> bytes:
    """Returns the next BLOCK_BYTES, less only at the end of the file."""
    parts = []
    left = BLOCK_BYTES
    while left and (part := os.read(source, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
