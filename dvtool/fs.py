"""`dvt://`: any version of any data set as a read-only fsspec file system.

Here live fsspec's names for what `dvtool.ops.versionfiles` does, and its errors. Paths carry the
revision as a prefix, so two revisions in one process never mix; there is no option for it.
Registered by entry point; libraries open it by URL. Grammar: docs/python-api.md.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NoReturn, TypeVar

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem
from fsspec.utils import glob_translate

from dvtool.core.address import PROTOCOL, Address, parse_address
from dvtool.core.digest import format_digest
from dvtool.errors import (
    DvtoolError,
    ExtraMissing,
    NoRepository,
    RemoteFailed,
    UnknownRevision,
    UsageError,
)
from dvtool.ops.blobreader import BlobReader
from dvtool.ops.versionfiles import REPOSITORIES, Node, VersionFiles, VersionTree

T = TypeVar("T")


class DvtFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """Read-only versions of data sets: `dvt://v1.2@data/train.csv`, `dvt://REPO:REV@PATH`."""

    protocol: ClassVar[str] = PROTOCOL
    root_marker: ClassVar[str] = ""
    cachable: ClassVar[bool] = True

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        text = os.fspath(path).removeprefix(f"{PROTOCOL}://").removeprefix(f"{PROTOCOL}::")
        return text.rstrip("/")

    @classmethod
    def _parent(cls, path: str) -> str:
        address = parse_address(cls._strip_protocol(path))
        return f"{address.prefix}{address.path.rpartition('/')[0]}"

    # -- looking ---------------------------------------------------------------------------------

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Returns name, size, type and, for a file, `ETag`: the sha256 that the commit binds."""
        address = self._address(path)
        tree, node = self._node(address)
        return _info(address, tree, node)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """Returns what is in a folder, sorted by name; a file lists itself."""
        address = self._address(path)
        tree, node = self._node(address)
        if not node.is_folder:
            found = [_info(address, tree, node)]
        else:
            below = f"{node.path}/" if node.path else ""
            nodes = (tree.nodes[below + name] for name in tree.children[node.path])
            found = [
                _info(Address(address.repository, address.rev, one.path), tree, one)
                for one in nodes
            ]
        return found if detail else [one["name"] for one in found]

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """Returns the paths that match a pattern in the path; the revision is taken literally."""
        detail = kwargs.pop("detail", False)
        address = self._address(path)
        if not set("*?[") & set(address.path):
            found = {address.prefix + address.path: self.info(path)} if self.exists(path) else {}
            return found if detail else list(found)
        fixed = address.path[: min(address.path.find(c) for c in "*?[" if c in address.path)]
        base = fixed.rpartition("/")[0]
        pattern = re.compile(glob_translate(address.path))
        everything = self.find(f"{address.prefix}{base}", withdirs=True, detail=True)
        start = len(address.prefix)
        found = {
            name: facts
            for name, facts in sorted(everything.items())
            if name
            and pattern.match(name[start:])
            and (maxdepth is None or name[start:].count("/") < fixed.count("/") + maxdepth)
        }
        return found if detail else list(found)

    def created(self, path: str) -> dt.datetime:
        """Returns when the version was committed."""
        return self.modified(path)

    def modified(self, path: str) -> dt.datetime:
        """Returns when the version was committed, UTC; now for the work tree's versions."""
        tree, _ = self._node(self._address(path))
        return tree.time

    def checksum(self, path: str) -> int:
        """Returns the sha256 as a number."""
        return int(self.ukey(path).partition(":")[2], 16)

    def ukey(self, path: str) -> str:
        """Returns the digest of a file; of a folder, a text that follows from commit and path."""
        facts = self.info(path)
        return str(facts.get("ETag") or f"{facts['version']}:{facts['name']}")

    # -- reading ---------------------------------------------------------------------------------

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any
    ) -> bytes:
        """Returns the bytes of a file, or a range of them; negative offsets count from its end."""
        reader, size = self._reader(path)
        first = 0 if start is None else start + size if start < 0 else start
        last = size if end is None else end + size if end < 0 else end
        return _told(lambda: reader.read(first, last), path)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> DvtFile:
        if mode != "rb":
            _refuse(path)
        reader, size = self._reader(path)
        return DvtFile(self, self._strip_protocol(path), reader, size)

    def local_path(self, path: str) -> str:
        """Returns a read-only path on this machine, fetched into the store first."""
        address = self._address(path)
        _, node = self._node(address)
        if node.is_folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return str(_told(lambda: self._versions(address).local_path(node), path))

    # -- what a version cannot do ----------------------------------------------------------------

    def _rm(self, path: str) -> NoReturn:
        _refuse(path)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> NoReturn:
        """Refuses: versions do not change."""
        _refuse(str(path))

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> NoReturn:
        """Refuses: versions do not change."""
        _refuse(path)

    def makedirs(self, path: str, exist_ok: bool = False) -> NoReturn:
        """Refuses: versions do not change."""
        _refuse(path)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> NoReturn:
        """Refuses: versions do not change."""
        _refuse(path2)

    def put_file(self, lpath: Any, rpath: str, callback: Any = None, **kwargs: Any) -> NoReturn:
        """Refuses: versions do not change."""
        _refuse(rpath)

    def pipe_file(
        self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any
    ) -> NoReturn:
        """Refuses: versions do not change."""
        _refuse(path)

    # -- inside ----------------------------------------------------------------------------------

    def _address(self, path: str) -> Address:
        return _told(lambda: parse_address(self._strip_protocol(path)), path)

    def _versions(self, address: Address) -> VersionFiles:
        return _told(lambda: REPOSITORIES.at(address, dict(os.environ)), str(address))

    def _node(self, address: Address) -> tuple[VersionTree, Node]:
        versions = self._versions(address)
        return _told(lambda: versions.node(address.rev, address.path), str(address))

    def _reader(self, path: str) -> tuple[BlobReader, int]:
        address = self._address(path)
        _, node = self._node(address)
        if node.entry is None:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        return self._versions(address).reader(node.entry), node.entry.size


class DvtFile(AbstractBufferedFile):  # type: ignore[misc]
    """One file of a version, open for reading; its reader holds chunks and reads ahead."""

    def __init__(self, fs: DvtFileSystem, path: str, reader: BlobReader, size: int) -> None:
        """Takes the file; reads nothing."""
        self._reader = reader
        super().__init__(fs, path, mode="rb", cache_type="none", size=size)

    def _fetch_range(self, start: int, end: int) -> bytes:
        return _told(lambda: self._reader.read(start, end), self.path)


def _info(address: Address, tree: VersionTree, node: Node) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": f"{address.prefix}{address.path}",
        "size": 0,
        "type": "directory",
        "version": tree.commit,
        "mtime": tree.time,
    }
    if node.entry is not None:
        etag = format_digest(node.entry.digest)
        facts |= {"size": node.entry.size, "type": "file", "ETag": etag}
    return facts


def _told(action: Callable[[], T], path: str) -> T:
    """Runs an action; our errors become those that users of fsspec catch, with our words."""
    try:
        return action()
    except DvtoolError as error:
        text = f"{error}" + (f" (hint: {error.hint})" if error.hint else "")
        for kinds, make in _TRANSLATED:
            if isinstance(error, kinds):
                raise make(text, path) from error
        raise OSError(errno.EIO, text, path) from error


_TRANSLATED: Final[
    tuple[tuple[tuple[type[DvtoolError], ...], Callable[[str, str], Exception]], ...]
] = (
    (
        (UnknownRevision, NoRepository),
        lambda text, path: FileNotFoundError(errno.ENOENT, text, path),
    ),
    ((UsageError,), lambda text, path: ValueError(text)),
    ((ExtraMissing,), lambda text, path: ImportError(text)),
    ((RemoteFailed,), lambda text, path: ConnectionError(errno.EIO, text, path)),
)


def _refuse(path: str) -> NoReturn:
    raise OSError(errno.EROFS, "versions do not change: change the work tree and dvtool add", path)
