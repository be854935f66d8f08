"""Opening a remote's URL, and the backend for the protocols that only fsspec speaks here.

`open_backend` is the only place that chooses an implementation; files, memory, S3 and SSH have
modules of their own. What is left, Google and Azure, goes through fsspec's generic calls: both
have a conditional create behind `mode="create"`. Called by `dvtool.ops`.
"""

from __future__ import annotations

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
from dvtool.store.remote.failures import CERTIFICATE_HINT, CREDENTIALS_HINT, kind_of
from dvtool.store.remote.redact import redact, secrets_of
from dvtool.store.remote.retry import DELAYS_S, Retrying

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fsspec import AbstractFileSystem

    from dvtool.store.remote.backend import Backend

PROTOCOLS: Final = frozenset({"file", "s3", "gs", "gcs", "az", "abfs", "ssh", "sftp", "memory"})
"""All protocols a remote may have. A closed list: fsspec knows some that run programs."""
_STEP_BYTES: Final = 16 * 2**20


def open_backend(
    url: str,
    *,
    options: Mapping[str, object] | None = None,
    delays_s: tuple[float, ...] = DELAYS_S,
    limit_rate: int | None = None,
) -> Backend:
    """Returns a backend for `url`, with retries around it; nothing is sent yet.

    Args:
        url: `file:///dir`, `s3://bucket/prefix`, …; the protocols are PROTOCOLS, never chained.
        options: Options of the protocol's fsspec file system, already typed; `endpoint_url` of
            another S3 server is one.
        delays_s: How long to wait before each further try.
        limit_rate: Bytes a second, both ways together; None for as fast as it goes.

    Raises:
        UsageError: The URL has an unknown protocol, is chained, or lacks a place; or the limit is
            below `throttle.LIMIT_MIN`.
        ExtraMissing: The protocol needs a package that is not installed.
    """
    backend = _open_plain(url, options or {})
    if limit_rate is not None:
        from dvtool.store.remote.throttle import Bucket, Throttled

        backend = Throttled(backend, Bucket(limit_rate))
    return Retrying(backend, delays_s=delays_s)


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
    if protocol in ("ssh", "sftp"):
        from dvtool.store.remote.ssh_backend import SshBackend

        return SshBackend.open(root, options=options)
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
        errors: tuple[type[Exception], ...] = (),
        buckets: bool = False,
    ) -> None:
        """Takes a file system and the path of the root in it.

        Args:
            filesystem: An instance with its caches off.
            root: Path without protocol.
            url: For messages; credentials in it are hidden.
            secrets: Texts that no message may hold.
            errors: What the file system raises besides `OSError`.
            buckets: The root's first part is a bucket, which dvtool never creates.
        """
        self.url = redact(url, secrets)
        self._fs = filesystem
        self._root = root.rstrip("/")
        self._secrets = secrets
        self._errors: tuple[type[Exception], ...] = (OSError, *errors)
        self._buckets = buckets

    @classmethod
    def open(cls, protocol: str, root: str, *, options: Mapping[str, object]) -> FsspecBackend:
        """Returns a backend for Google's or Azure's storage.

        Raises:
            ExtraMissing: The protocol's package is not installed.
            UsageError: The package does not know an option, or there are no credentials.
        """
        hidden = secrets_of(options)
        url = redact(f"{protocol}://{root}", hidden)
        make = _google if protocol in ("gs", "gcs") else _azure
        extra = "gs" if make is _google else "azure"
        try:
            filesystem, errors = make(options)
        except ImportError as error:
            raise ExtraMissing(
                f"{protocol}:// needs the package {error.name}",
                hint=f"pip install 'dvtool[{extra}]'",
            ) from error
        except (TypeError, ValueError, KeyError) as error:
            raise UsageError(f"options of remote {url}: {redact(str(error), hidden)}") from None
        except OSError as error:  # where credentials are looked for at once
            raise RemoteFailed(f"remote {url}: {redact(str(error), hidden)}") from None
        return cls(filesystem, root, url=url, secrets=hidden, errors=errors, buckets=True)

    def list(self) -> dict[str, Listed]:
        """Returns every object."""
        skip = len(self._root) + 1
        found: dict[str, Listed] = {}
        with suppress(FileNotFoundError), self._failures(""):
            for path, facts in self._fs.find(self._root, detail=True).items():
                if facts.get("type") == "file":
                    found[path[skip:]] = Listed(int(facts["size"]), _modified_s(facts))
        if not found and self._buckets:
            self._check_bucket()
        return found

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object."""
        data = b""
        with suppress(_PastTheEnd), self._failures(name):  # where an object is empty
            data = self._fs.cat_file(self._path(name), start=0, end=size_limit + 1)
        if len(data) > size_limit:
            raise CorruptObject(f"{self.url}/{name} is larger than {size_limit} bytes")
        return data

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink`, in steps that fit into memory."""
        with suppress(_PastTheEnd):
            while start < end:
                stop = min(end, start + _STEP_BYTES)
                with self._failures(name):
                    data = self._fs.cat_file(self._path(name), start=start, end=stop)
                sink.append(data)
                start += len(data)
                if start < stop:
                    return

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object by the service's conditional write; it is in memory meanwhile."""
        body = data if isinstance(data, bytes) else b"".join(data.blocks())
        try:
            with self._failures(name):
                self._fs.pipe_file(self._path(name), body, mode="create")
        except FileExistsError:
            return False
        except ObjectMissing:
            raise self._no_bucket() from None
        return True

    def delete(self, name: str) -> None:
        """Deletes an object."""
        with suppress(ObjectMissing), self._failures(name):
            self._fs.rm_file(self._path(name))

    def close(self) -> None:
        """Leaves closing to the file system's own end."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _check_bucket(self) -> None:
        """Tells an empty place from a bucket that is not there."""
        try:
            with self._failures(""):
                self._fs.info(self._root.partition("/")[0])
        except FileNotFoundError:
            raise self._no_bucket() from None
        except RemoteTemporary:
            raise
        except RemoteFailed:
            pass  # who may list below the prefix need not be allowed to look at the bucket

    def _no_bucket(self) -> RemoteFailed:
        bucket = self._root.partition("/")[0]
        return RemoteFailed(
            f"remote {self.url}: bucket {bucket} does not exist",
            hint="create the bucket, or correct the address: dvtool remote list",
        )

    @contextmanager
    def _failures(self, name: str) -> Iterator[None]:
        """Turns foreign errors into ours; what callers handle stays `FileExistsError` and so on."""
        try:
            yield
        except self._errors as error:
            kind = kind_of(error)
            said = self._said(error, name)
            if kind == "missing":
                if not name:
                    raise FileNotFoundError(said) from None
                raise ObjectMissing(f"no object {self.url}/{name}") from None
            if kind == "taken":
                raise FileExistsError(said) from None
            if kind == "past-the-end":
                raise _PastTheEnd(said) from None
            if kind == "temporary":
                raise RemoteTemporary(said) from None
            hint = {"denied": CREDENTIALS_HINT, "untrusted": CERTIFICATE_HINT}.get(kind, "")
            raise RemoteFailed(said, hint=hint) from None

    def _said(self, error: BaseException, name: str) -> str:
        where = f"remote {self.url}: {name}: " if name else f"remote {self.url}: "
        first = (str(error) or type(error).__name__).partition("\n")[0]
        return where + redact(first, self._secrets)


class _PastTheEnd(Exception):
    """A range that starts after the object's last byte."""


_OPTIONS: Final[dict[str, Any]] = {"skip_instance_cache": True, "use_listings_cache": False}
_Opened = tuple["AbstractFileSystem", tuple[type[Exception], ...]]


def _google(options: Mapping[str, object]) -> _Opened:
    """Returns gcsfs's plain file system: one request a call, its own retries off.

    What `gcsfs` exports asks for each bucket's kind by gRPC first, and waits a minute where only
    HTTP is spoken, as by proxies and emulators.
    """
    import aiohttp
    from gcsfs.core import GCSFileSystem
    from gcsfs.retry import ChecksumError, HttpError, NonRetryableError
    from google.auth.exceptions import GoogleAuthError

    class Plain(GCSFileSystem):  # type: ignore[misc]
        async def _request(self, *args: object, **kwargs: object) -> object:
            return await GCSFileSystem._request.__wrapped__(self, *args, **kwargs)

        async def _pipe_file(self, path: str, data: bytes, **kwargs: object) -> object:
            # From 50 MiB on gcsfs would send pieces, whose condition is checked at the first only.
            return await super()._pipe_file(path, data, chunksize=len(data) + 1, **kwargs)

    errors = (HttpError, ChecksumError, NonRetryableError, GoogleAuthError)
    return Plain(**_OPTIONS, **options), (*errors, aiohttp.ClientError, ValueError)


def _azure(options: Mapping[str, object]) -> _Opened:
    """Returns adlfs's file system, its own retries off."""
    from adlfs import AzureBlobFileSystem
    from azure.core.exceptions import AzureError

    filesystem = AzureBlobFileSystem(**_OPTIONS, **options)
    # adlfs passes no option on; Azure's own default waits 15 seconds and more before each try.
    filesystem.service_client._config.retry_policy.total_retries = 0
    return filesystem, (AzureError, ValueError)


def _modified_s(facts: Mapping[str, Any]) -> float:
    """Returns an object's age; file systems call it by different names and types."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = facts.get(key)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, int | float):
            return float(value)
    return 0.0
