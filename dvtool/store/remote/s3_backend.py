"""A remote in an S3 bucket, Amazon's or another server's, through s3fs.

s3fs brings the session, the usual chain of credentials and the event loop; requests go through
its `call_s3`, so that each method here is exactly one request (a listing: one for each 1,000
objects). Its own retries, caches and extra look-ups stay off: `Retrying` is the only one to try
again, and presence is never remembered.
"""

from __future__ import annotations

import os
from base64 import b64encode
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from dvtool.errors import (
    CorruptObject,
    ExtraMissing,
    ObjectMissing,
    RemoteFailed,
    RemoteTemporary,
    UsageError,
)
from dvtool.store.remote.backend import BLOCK_BYTES, Listed, Sink, Spool
from dvtool.store.remote.redact import redact, secrets_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from botocore.exceptions import ClientError
    from botocore.response import StreamingBody
    from s3fs import S3FileSystem

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 60
_CONFIG: Final[dict[str, object]] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "read_timeout": READ_TIMEOUT_S,
    "retries": {"total_max_attempts": 1, "mode": "standard"},
    "max_pool_connections": 32,
    # We send our own sha256, itself signed, and prove every byte we read by its name: signing the
    # bytes too, and other checksums, only cost time, and some servers do not know the trailers.
    "s3": {"payload_signing_enabled": False},
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
_TEMPORARY_CODES: Final = frozenset(
    {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling"}
    | {"ThrottlingException", "RequestLimitExceeded", "BandwidthLimitExceeded", "BadDigest"}
    | {"ConditionalRequestConflict", "OperationAborted", "IncompleteBody"}
    | {"XAmzContentSHA256Mismatch"}
)
_DENIED_CODES: Final = frozenset(
    {"AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
    | {"ExpiredToken", "InvalidToken", "AuthorizationHeaderMalformed", "InvalidSecurity"}
    | {"NotSignedUp", "RequestTimeTooSkewed"}
)


class S3Backend:
    """Keeps objects below a prefix of a bucket; see `Backend` for the methods."""

    def __init__(
        self, filesystem: S3FileSystem, root: str, *, secrets: frozenset[str] = frozenset()
    ) -> None:
        """Takes an s3fs file system and `bucket/prefix`."""
        self.url = f"s3://{root}"
        self._fs = filesystem
        self._bucket, _, prefix = root.partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._secrets = secrets

    @classmethod
    def open(cls, root: str, *, options: Mapping[str, object]) -> S3Backend:
        """Returns a backend; imports s3fs and sends nothing.

        Args:
            root: Bucket, and the prefix after a slash.
            options: Those of `s3fs.S3FileSystem`.

        Raises:
            ExtraMissing: s3fs is not installed.
            UsageError: s3fs does not know an option.
        """
        try:
            import s3fs
        except ImportError as error:
            raise ExtraMissing("s3:// needs the package s3fs", hint="pip install s3fs") from error
        merged = {
            **options,
            "config_kwargs": _over(_CONFIG, options.get("config_kwargs")),
            "skip_instance_cache": True,
            "use_listings_cache": False,
        }
        try:
            filesystem = s3fs.S3FileSystem(**merged)
        except (TypeError, KeyError, ValueError) as error:
            said = redact(str(error), secrets_of(options))
            raise UsageError(f"options of remote s3://{root}: {said}") from None
        filesystem.retries = 1
        return cls(filesystem, root, secrets=secrets_of(options))

    def list(self) -> dict[str, Listed]:
        """Returns every object; one request for each 1,000."""
        found: dict[str, Listed] = {}
        more: dict[str, str] = {}
        skip = len(self._prefix)
        while True:
            page = self._call("list_objects_v2", "", Prefix=self._prefix, **more)
            for item in page.get("Contents", ()):
                found[item["Key"][skip:]] = Listed(item["Size"], item["LastModified"].timestamp())
            if not page.get("IsTruncated"):
                return found
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object; one request."""
        body = _Buffer(size_limit)
        self._download(name, body)
        if body.overflown:
            raise CorruptObject(f"{self.url}/{name} is larger than {size_limit} bytes")
        return bytes(body.data)

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink` as it arrives; one request."""
        if start < end:
            self._download(name, sink, Range=f"bytes={start}-{end - 1}")

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object by one conditional PUT, whose sha256 the server checks."""
        digest = sha256(data).digest() if isinstance(data, bytes) else data.sha256()
        body = data if isinstance(data, bytes) and len(data) < BLOCK_BYTES else _Body(data)
        try:
            self._call(
                "put_object",
                name,
                Key=self._prefix + name,
                Body=body,
                IfNoneMatch="*",
                ChecksumSHA256=b64encode(digest).decode(),
            )
        except FileExistsError:
            return False
        return True

    def delete(self, name: str) -> None:
        """Deletes an object; one request. In a versioned bucket its old version stays."""
        with suppress(ObjectMissing):
            self._call("delete_object", name, Key=self._prefix + name)

    def close(self) -> None:
        """Closes the connections and waits until they are."""
        from fsspec.asyn import sync

        client, self._fs._s3 = self._fs._s3, None
        if client is not None:
            sync(self._fs.loop, client.close)

    def _download(self, name: str, sink: Sink, **arguments: object) -> None:
        from fsspec.asyn import sync

        try:
            answer = self._call("get_object", name, Key=self._prefix + name, **arguments)
        except _PastTheEnd:
            return
        with self._failures(name):
            sync(self._fs.loop, _drain, answer["Body"], sink)

    def _call(self, method: str, name: str, **arguments: object) -> dict[str, Any]:
        with self._failures(name):
            # s3fs adds the encryption and class of `s3_additional_kwargs` by itself, not this.
            arguments |= self._fs.req_kw
            answer: dict[str, Any] = self._fs.call_s3(method, Bucket=self._bucket, **arguments)
            return answer

    @contextmanager
    def _failures(self, name: str) -> Iterator[None]:
        """Turns what s3fs, botocore and aiohttp raise into our errors, without credentials."""
        from aiohttp import ClientError as HttpError
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionError,
            HTTPClientError,
            IncompleteReadError,
            SSLError,
        )

        try:
            yield
        except ClientError as error:
            raise self._answered(error, name) from None
        except SSLError as error:  # an OSError too, so it comes first
            raise RemoteFailed(self._said(error, name), hint=_CERTIFICATE_HINT) from None
        except OSError as error:  # what s3fs makes of botocore's errors, and sockets' own
            if isinstance(error.__cause__, ClientError):
                raise self._answered(error.__cause__, name) from None
            raise RemoteTemporary(self._said(error, name)) from None
        except (ConnectionError, HTTPClientError, HttpError, IncompleteReadError) as error:
            raise RemoteTemporary(self._said(error, name)) from None
        except BotoCoreError as error:
            raise RemoteFailed(self._said(error, name), hint=_CREDENTIALS_HINT) from None

    def _answered(self, error: ClientError, name: str) -> Exception:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status == 412 or code == "PreconditionFailed":
            return FileExistsError(name)
        if code == "NoSuchBucket":
            return RemoteFailed(
                f"remote {self.url}: bucket {self._bucket} does not exist",
                hint="create the bucket, or correct the address: dvtool remote list",
            )
        if status == 416:
            return _PastTheEnd(name)
        said = self._said(error, name)
        if code in _DENIED_CODES or status in (401, 403):
            return RemoteFailed(said, hint=_CREDENTIALS_HINT)
        if code in ("NoSuchKey", "404") or status == 404:
            return ObjectMissing(f"no object {self.url}/{name}")
        if code in _TEMPORARY_CODES or status >= 500 or status in (408, 409, 429):
            return RemoteTemporary(said)
        return RemoteFailed(said)

    def _said(self, error: BaseException, name: str) -> str:
        where = f"remote {self.url}: {name}: " if name else f"remote {self.url}: "
        return where + redact(str(error) or type(error).__name__, self._secrets)


def _over(ours: Mapping[str, object], theirs: object) -> dict[str, object]:
    """Returns our settings with the user's over them, group by group."""
    found = dict(ours)
    for name, value in theirs.items() if isinstance(theirs, dict) else ():
        mine = found.get(name)
        found[name] = _over(mine, value) if isinstance(mine, dict) else value
    return found


_CREDENTIALS_HINT: Final = "check the credentials (AWS_PROFILE, ~/.aws/credentials, …) and what they may do with the bucket"

_CERTIFICATE_HINT: Final = "the server's certificate is not trusted here: check the address, or name its CA in AWS_CA_BUNDLE"


class _PastTheEnd(Exception):
    """A range that starts after the object's last byte."""


class _Buffer:
    """Collects a small object and refuses to grow past a limit."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self.overflown = False
        self._limit = limit

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self.overflown = self.overflown or len(self.data) + len(data) > self._limit
        if not self.overflown:
            self.data += data


class _Body:
    """A request's body that aiohttp sends block by block, and botocore may seek in to sign it.

    Neither bytes nor a file: aiohttp copies the one whole and reads the other in 64 KiB steps,
    each by a thread of its own.
    """

    def __init__(self, data: bytes | Spool) -> None:
        self._data = data
        self._size = len(data) if isinstance(data, bytes) else data.size
        self._at = 0

    def read(self, length: int | None = -1) -> bytes:
        wanted = self._size if length is None or length < 0 else length
        if isinstance(self._data, bytes):
            found = self._data[self._at : self._at + wanted]
        else:
            found = self._data.read_at(self._at, min(wanted, self._size - self._at))
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while block := self.read(_SEND_BYTES):
            yield block


_SEND_BYTES: Final = 256 * 2**10


async def _drain(body: StreamingBody, sink: Sink) -> None:
    """Moves an answer's body into `sink`; runs on s3fs's event loop."""
    try:
        async for block in body.iter_chunks(BLOCK_BYTES):
            sink.append(block)
    finally:
        body.close()
