"""Arrivals from a URL: one file at any place that fsspec can read.

What the server calls the bytes (a strong ETag) tells whether they changed, so that nothing is
downloaded when they did not; where it says nothing they are read again and compared by digest.
Called by `arriving`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any, Final

from dvtool.core.digest import Digest, digest_of
from dvtool.core.origin import Origin, url_of, without_credentials
from dvtool.core.tree import FILE, THE_FILE, Entry, Tree
from dvtool.errors import (
    ChangedWhileReading,
    DvtoolError,
    ExtraMissing,
    ObjectMissing,
    RemoteFailed,
    RemoteTemporary,
    UsageError,
)
from dvtool.ops.imports.arriving import Arrival, Receiver
from dvtool.ops.storing import store_blocks
from dvtool.store.local import SMALL_BLOB_BYTES
from dvtool.store.remote.failures import CREDENTIALS_HINT, kind_of
from dvtool.store.remote.redact import redact
from dvtool.store.writer import StoreWriter

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_BLOCK_BYTES: Final = 8 << 20
_LONGEST_ETAG: Final = 500
_CACHES: Final = ("blockcache", "cached", "filecache", "simplecache")
_INDIRECT: Final = ("async_wrapper", "asyncwrapper", "dask", "generic", "jlab", "jupyter")
_CONTAINERS: Final = ("data", "dir", "libarchive", "pyscript", "reference", "tar", "zip")
_REPOSITORIES: Final = ("dvc", "dvt", "git", "github")
_WRAPPERS: Final = frozenset((*_CACHES, *_INDIRECT, *_CONTAINERS))
"""What fsspec knows that is no place of its own, or lets a URL name another one."""


def check_url(url: str) -> None:
    """Checks that a text is the URL of one file somewhere.

    Raises:
        UsageError: It is not; the message repeats no credential.
    """
    if "::" in url.partition("?")[0]:
        raise UsageError("chained protocols (::) are not followed", hint="give the URL of a file")
    protocol, mark, place = url.partition("://")
    shown = without_credentials(url)[0] if mark else url
    if not mark or not protocol.isascii() or not place:
        raise UsageError(
            f"not a URL: {shown}",
            hint="dvtool import https://host/file.csv, or dvtool import REPOSITORY PATH",
        )
    if protocol in _REPOSITORIES:
        raise UsageError(
            f"{protocol}:// names a repository: {shown}",
            hint="dvtool import REPOSITORY PATH --rev REV",
        )
    if protocol in _WRAPPERS:
        raise UsageError(f"{protocol}:// is no place that data are imported from: {shown}")
    if place.endswith("/"):
        raise UsageError(f"a folder, and URLs are imported file by file: {shown}")


def arrive_from_url(receiver: Receiver, asked: Origin, known: Origin | None) -> Arrival | None:
    """Brings the file at a URL; None when it has the bytes that are known.

    `asked.address` may hold credentials; the result's does not.
    """
    url = asked.address
    check_url(url)
    with _told(url):
        filesystem, path = _opened(url)
        info = filesystem.info(path)
        if info.get("type") == "directory":
            raise UsageError(f"a folder, and URLs are imported file by file: {_shown(url)}")
        etag = etag_of(info)
        if known is not None and etag and known.etag == etag:
            return None
        receiver.progress.start("import", total_bytes=info.get("size") or 0)
        entry = _download(receiver, filesystem, path, info)
        if etag_of(filesystem.info(path)) != etag:
            raise ChangedWhileReading(f"changed while it was read: {_shown(url)}")
    origin = replace(asked, address=_shown(url), etag=etag)
    if known is not None and known.digest == entry.digest and known.etag == etag:
        return None
    return Arrival(origin, "file", Tree((entry,)), 1, entry.size)


def etag_of(info: dict[str, Any]) -> str:
    """Returns the strong ETag in what a server told of a file; empty without one.

    A weak one (`W/`) may stay the same when bytes change, so it tells nothing.
    """
    said = next((info[key] for key in ("ETag", "etag") if info.get(key)), "")
    etag = str(said).strip().strip('"')
    is_plain = etag.isascii() and etag.isprintable() and len(etag) <= _LONGEST_ETAG
    return "" if etag.startswith("W/") or not is_plain else etag


def _shown(url: str) -> str:
    return without_credentials(url)[0]


def _opened(url: str) -> tuple[AbstractFileSystem, str]:
    import fsspec

    try:
        filesystem, path = fsspec.core.url_to_fs(url_of(url))
    except ImportError as error:
        raise ExtraMissing(f"{_shown(url)}: {error}", hint="pip install what it names") from error
    except ValueError as error:
        raise UsageError(f"{_shown(url)}: {redact(str(error))}") from error
    filesystem.invalidate_cache()
    return filesystem, path


def _download(
    receiver: Receiver, filesystem: AbstractFileSystem, path: str, info: dict[str, Any]
) -> Entry:
    # Streaming: servers that know no ranges serve it too.
    is_web = {"http", "https"} & set(_protocols(filesystem))
    options: dict[str, Any] = {"block_size": 0} if is_web else {"block_size": _BLOCK_BYTES}
    with receiver.store.writer() as writer, filesystem.open(path, "rb", **options) as stream:
        digest, size = _stored(writer, stream, receiver)
    told = info.get("size")
    if told is not None and told != size:
        raise RemoteTemporary(
            f"{size} bytes came, {told} were told", hint="run the same command again"
        )
    return Entry(THE_FILE, digest, size, FILE)


def _protocols(filesystem: AbstractFileSystem) -> tuple[str, ...]:
    named = filesystem.protocol
    return (named,) if isinstance(named, str) else tuple(named)


def _stored(writer: StoreWriter, stream: IO[bytes], receiver: Receiver) -> tuple[Digest, int]:
    """Stores what a stream gives; it is in memory only while it is small."""
    head = b""
    while len(head) < SMALL_BLOB_BYTES and (block := stream.read(_BLOCK_BYTES)):
        head += block
    if len(head) < SMALL_BLOB_BYTES:
        digest = digest_of(head)
        writer.add_small(digest, head)
        receiver.progress.advance(size_bytes=len(head), items=1)
        return digest, len(head)

    def blocks() -> Iterator[bytes]:
        block = head
        while block:
            yield block
            receiver.progress.advance(size_bytes=len(block))
            block = stream.read(_BLOCK_BYTES)

    return store_blocks(writer, blocks())


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turns what any fsspec library raises into an error of ours, without credentials."""
    try:
        yield
    except DvtoolError:
        raise
    except Exception as error:  # each protocol's library has a tree of errors of its own
        # fsspec says of every failure over HTTP that the file is not found; its cause knows better.
        is_masked = isinstance(error, FileNotFoundError) and error.__cause__ is not None
        cause = error.__cause__ if is_masked and error.__cause__ is not None else error
        kind = kind_of(cause)
        said = redact(str(cause)).replace(url, _shown(url)).splitlines()
        message = f"{_shown(url)}: {(said[0] if said else type(cause).__name__)[:300]}"
        if kind == "missing":
            raise ObjectMissing(f"nothing at {_shown(url)}", hint="check the address") from error
        if kind == "temporary":
            raise RemoteTemporary(message, hint="run the same command again") from error
        hint = CREDENTIALS_HINT if kind == "denied" else ""
        raise RemoteFailed(message, hint=hint) from error
