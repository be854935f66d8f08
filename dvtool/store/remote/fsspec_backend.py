"""Opening a remote's URL, and the backend for every protocol that only fsspec speaks here.

`open_backend` is the only place that chooses an implementation; files, memory and S3 have modules
of their own. What is left (Google, Azure, SSH) goes through fsspec's generic calls and is
experimental until the contract suite has passed on a real server. Called by `dvtool.ops`.
"""

from __future__ import annotations

import errno
import secrets
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from dvtool.errors import (
    CorruptObject,
    ExtraMissing,
    ObjectMissing,
    RemoteFailed,
    RemoteTemporary,
    UsageError,
)
from dvtool.store.remote.backend import Listed, Sink, Spool
from dvtool.store.remote.redact import redact, secrets_of
from dvtool.store.remote.retry import DELAYS_S, Retrying

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsspec import AbstractFileSystem

    from dvtool.store.remote.backend import Backend

PROTOCOLS: Final = frozenset({"file", "s3", "gs", "gcs", "az", "abfs", "ssh", "sftp", "memory"})
"""All protocols a remote may have. A closed list: fsspec knows some that run programs."""
_PACKAGES: Final = {
    "gs": ("gcsfs", "gs"),
    "gcs": ("gcsfs", "gs"),
    "az": ("adlfs", "azure"),
    "abfs": ("adlfs", "azure"),
    "ssh": ("sshfs", "ssh"),
    "sftp": ("sshfs", "ssh"),
}
"""The package that speaks a protocol, and the extra that installs it."""
_RENAMES: Final = frozenset({"ssh", "sftp"})
"""Protocols without a conditional create, but whose rename refuses a name that is taken."""
_STEP_BYTES: Final = 16 * 2**20
_TEMPORARY: Final = frozenset(
    {errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT, errno.EPIPE, errno.ECONNRESET}
    | {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNABORTED}
)


def open_backend(
    url: str, *, options: Mapping[str, object] | None = None, delays_s: tuple[float, ...] = DELAYS_S
) -> Backend:
    """Returns a backend for `url`, with retries around it; nothing is sent yet.

    Args:
        url: `file:///dir`, `s3://bucket/prefix`, …; the protocols are PROTOCOLS, never chained.
        options: Options of the protocol's fsspec file system, already typed; `endpoint_url` of
            another S3 server is one.
        delays_s: How long to wait before each further try.

    Raises:
        UsageError: The URL has an unknown protocol, is chained, or lacks a place.
        ExtraMissing: The protocol needs a package that is not installed.
    """
    return Retrying(_open_plain(url, options or {}), delays_s=delays_s)


def _open_plain(url: str, options: Mapping[str, object]) -> Backend:
    protocol, root = split_url(url)
    if protocol == "file":
        from dvtool.store.remote.file_backend import FileBackend

        return FileBackend(Path(root), url=url)
    if protocol == "memory":
        from dvtool.store.remote.memory import MemoryBackend

        return MemoryBackend.shared(root)
    if protocol == "s3":
        from dvtool.store.remote.s3_backend import S3Backend

        return S3Backend.open(root, options=options)
    return FsspecBackend.open(protocol, root, options=options)


def split_url(url: str) -> tuple[str, str]:
    """Returns protocol and root of a remote's URL; the root has no slash at its end.

    Raises:
        UsageError: Unknown protocol, chained protocols, no place, or a relative file path.
    """
    shown = redact(url)
    protocol, found, rest = url.partition("://")
    if "::" in url or not found or protocol not in PROTOCOLS:
        raise UsageError(
            f"remote URL {shown}: expected one of {', '.join(sorted(PROTOCOLS))} and ://",
            hint="dvtool remote add origin s3://bucket/prefix",
        )
    if protocol == "file":
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise UsageError(
                f"remote URL {shown}: expected an absolute path, as in file:///srv/data"
            )
        return protocol, unquote(parts.path).rstrip("/") or "/"
    root = rest.strip("/") if protocol not in ("ssh", "sftp") else rest.rstrip("/")
    if not root:
        raise UsageError(f"remote URL {shown}: no place after ://")
    return protocol, root


class FsspecBackend:
    """Keeps objects through any fsspec file system; see `Backend` for the methods."""

    def __init__(
        self,
        filesystem: AbstractFileSystem,
        root: str,
        *,
        url: str,
        secrets: frozenset[str] = frozenset(),
        renames: bool = False,
    ) -> None:
        """Takes a file system and the path of the root in it.

        Args:
            filesystem: An instance with its caches off.
            root: Path without protocol.
            url: For messages; credentials in it are hidden.
            secrets: Texts that no message may hold.
            renames: Create by writing under a hidden name and renaming it.
        """
        self.url = redact(url, secrets)
        self._fs = filesystem
        self._root = root.rstrip("/")
        self._secrets = secrets
        self._renames = renames

    @classmethod
    def open(cls, protocol: str, root: str, *, options: Mapping[str, object]) -> FsspecBackend:
        """Returns a backend for a protocol of _PACKAGES.

        Raises:
            ExtraMissing: Its package is not installed.
            UsageError: The package does not know an option.
        """
        import importlib

        package, extra = _PACKAGES[protocol]
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ExtraMissing(
                f"{protocol}:// needs the package {package}", hint=f"pip install 'dvtool[{extra}]'"
            ) from error
        import fsspec

        hidden = secrets_of(options)
        url = f"{protocol}://{root}"
        try:
            filesystem, path = fsspec.core.url_to_fs(
                url, skip_instance_cache=True, use_listings_cache=False, **options
            )
        except (TypeError, ValueError, KeyError) as error:
            said = redact(str(error), hidden)
            raise UsageError(f"options of remote {redact(url, hidden)}: {said}") from None
        except OSError as error:  # some connect at once
            said = redact(str(error), hidden)
            raise RemoteFailed(f"remote {redact(url, hidden)}: {said}") from None
        return cls(filesystem, path, url=url, secrets=hidden, renames=protocol in _RENAMES)

    def list(self) -> dict[str, Listed]:
        """Returns every object."""
        skip = len(self._root) + 1
        found: dict[str, Listed] = {}
        with self._failures(""), suppress(FileNotFoundError):
            for path, facts in self._fs.find(self._root, detail=True).items():
                name = path[skip:]
                if facts.get("type") == "file" and not name.rpartition("/")[2].startswith("."):
                    found[name] = Listed(int(facts["size"]), _modified_s(facts))
        return found

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object."""
        with self._failures(name):
            data: bytes = self._fs.cat_file(self._path(name), start=0, end=size_limit + 1)
        if len(data) > size_limit:
            raise CorruptObject(f"{self.url}/{name} is larger than {size_limit} bytes")
        return data

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink`, in steps that fit into memory."""
        with self._failures(name):
            while start < end:
                stop = min(end, start + _STEP_BYTES)
                data = self._fs.cat_file(self._path(name), start=start, end=stop)
                sink.append(data)
                start += len(data)
                if start < stop:
                    return

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object by the file system's exclusive mode, or by a rename."""
        path = self._path(name)
        body = data if isinstance(data, bytes) else b"".join(data.blocks())
        with self._failures(name):
            try:
                if self._renames:
                    return self._create_by_rename(path, body)
                self._fs.pipe_file(path, body, mode="create")
            except FileExistsError:
                return False
            return True

    def close(self) -> None:
        """Leaves closing to the file system's own end."""

    def _create_by_rename(self, path: str, body: bytes) -> bool:
        parent, _, name = path.rpartition("/")
        self._fs.makedirs(parent, exist_ok=True)
        if self._fs.exists(path):
            return False
        hidden = f"{parent}/.dvtool-{secrets.token_hex(8)}-{name}"
        try:
            self._fs.pipe_file(hidden, body)
            self._fs.mv(hidden, path)
        except OSError:
            with suppress(OSError):
                self._fs.rm_file(hidden)
            if self._fs.exists(path):
                return False
            raise
        return True

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _failures(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            if not name:
                raise
            raise ObjectMissing(f"no object {self.url}/{name}") from None
        except FileExistsError:
            raise
        except PermissionError as error:
            hint = "check the credentials and what they may do"
            raise RemoteFailed(self._said(error, name), hint=hint) from None
        except (TimeoutError, ConnectionError) as error:
            raise RemoteTemporary(self._said(error, name)) from None
        except OSError as error:
            temporary = error.errno is None or error.errno in _TEMPORARY
            kind = RemoteTemporary if temporary else RemoteFailed
            raise kind(self._said(error, name)) from None

    def _said(self, error: BaseException, name: str) -> str:
        where = f"remote {self.url}: {name}: " if name else f"remote {self.url}: "
        return where + redact(str(error) or type(error).__name__, self._secrets)


def _modified_s(facts: Mapping[str, Any]) -> float:
    """Returns an object's age; file systems call it by different names and types."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = facts.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return 0.0
