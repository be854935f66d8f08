"""A remote in a directory that is reached by SSH, through asyncssh's SFTP.

Objects appear whole or not at all: written under a hidden name, then linked to their name, which
fails when it is taken. asyncssh reads `~/.ssh/config`, keys, agent and known hosts as ssh does; a
server whose key is not known is refused. Opened by `fsspec_backend.open_backend`.
"""

from __future__ import annotations

import secrets
import stat
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

from dvtool.errors import (
    CorruptObject,
    ExtraMissing,
    ObjectMissing,
    RemoteFailed,
    RemoteTemporary,
    UsageError,
)
from dvtool.store.remote.backend import BLOCK_BYTES, Listed, Sink, Spool
from dvtool.store.remote.failures import CERTIFICATE_HINT, CREDENTIALS_HINT, kind_of
from dvtool.store.remote.redact import redact, secrets_of

if TYPE_CHECKING:
    from asyncssh import SFTPClient, SSHClientConnection

CONNECT_TIMEOUT_S: Final = 15
_HIDDEN: Final = ".dvtool-"
_T = TypeVar("_T")


class SshBackend:
    """Keeps objects as files of another machine; see `Backend` for the methods."""

    def __init__(self, address: str, options: Mapping[str, object]) -> None:
        """Takes `user@host:port/path`, and options of `asyncssh.connect`; sends nothing."""
        parts = urlsplit(f"ssh://{address}")
        self.url = f"ssh://{address}"
        self._secrets = secrets_of(options)
        self._root = unquote(parts.path).rstrip("/")
        self._target: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S, **options}
        self._target["host"] = parts.hostname
        for name, value in (("port", parts.port), ("username", parts.username)):
            if value is not None:
                self._target[name] = value
        self._connection: SSHClientConnection | None = None
        self._sftp: SFTPClient | None = None

    @classmethod
    def open(cls, address: str, *, options: Mapping[str, object]) -> SshBackend:
        """Returns a backend.

        Args:
            address: What follows `ssh://` in the URL.
            options: Those of `asyncssh.connect`; `password`, `client_keys`, `passphrase`, ….

        Raises:
            ExtraMissing: asyncssh is not installed.
            UsageError: The address has no path.
        """
        try:
            import asyncssh  # noqa: F401
        except ImportError as error:
            raise ExtraMissing(
                "ssh:// needs the package asyncssh", hint="pip install 'dvtool[ssh]'"
            ) from error
        made = cls(address, options)
        if not made._root:
            raise UsageError(f"remote {made.url}: no path after the host")
        return made

    def list(self) -> dict[str, Listed]:
        """Returns every object; one exchange for each folder, and the folders one by one."""

        async def walk(sftp: SFTPClient) -> dict[str, Listed]:
            found: dict[str, Listed] = {}
            folders = [""]
            while folders:
                prefix = folders.pop()
                async for entry in sftp.scandir(f"{self._root}/{prefix}"):
                    name, facts = prefix + str(entry.filename), entry.attrs
                    if str(entry.filename).startswith("."):
                        continue
                    if facts.permissions is not None and stat.S_ISDIR(facts.permissions):
                        folders.append(f"{name}/")
                    else:
                        found[name] = Listed(facts.size or 0, float(facts.mtime or 0))
            return found

        with suppress(ObjectMissing):
            return self._run("", walk)
        return {}

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object."""
        body = bytearray()
        self.read_range(name, 0, size_limit + 1, _Bytes(body))
        if len(body) > size_limit:
            raise CorruptObject(f"{self.url}/{name} is larger than {size_limit} bytes")
        return bytes(body)

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink`."""

        async def read(sftp: SFTPClient) -> None:
            at = start
            async with sftp.open(self._path(name), "rb") as file:
                while at < end and (data := await file.read(min(BLOCK_BYTES, end - at), at)):
                    assert isinstance(data, bytes)
                    sink.append(data)
                    at += len(data)

        self._run(name, read)

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object: a file under a hidden name, then a link to its own."""
        path = self._path(name)
        parent = path.rpartition("/")[0]
        temporary = f"{parent}/{_HIDDEN}{secrets.token_hex(8)}"

        async def write(sftp: SFTPClient) -> bool:
            if await sftp.exists(path):
                return False
            await sftp.makedirs(parent, exist_ok=True)
            try:
                async with sftp.open(temporary, "xb") as file:
                    for block in (data,) if isinstance(data, bytes) else data.blocks():
                        await file.write(block)
                    with suppress(*_unsupported()):
                        await file.fsync()
                return await _publish(sftp, temporary, path)
            finally:
                with suppress(*_sftp_errors()):
                    await sftp.remove(temporary)

        return self._run(name, write)

    def delete(self, name: str) -> None:
        """Deletes an object's file; its folder stays."""
        with suppress(ObjectMissing):
            self._run(name, lambda sftp: sftp.remove(self._path(name)))

    def close(self) -> None:
        """Ends the connection."""
        from fsspec.asyn import get_loop, sync

        connection, self._connection, self._sftp = self._connection, None, None
        if connection is not None:
            connection.abort()
            with suppress(OSError):
                sync(get_loop(), connection.wait_closed)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _run(self, name: str, action: Callable[[SFTPClient], Coroutine[Any, Any, _T]]) -> _T:
        """Runs `action` on the event loop that all remotes share, connecting first."""
        from fsspec.asyn import get_loop, sync

        async def run() -> _T:
            return await action(await self._client())

        with self._failures(name):
            result: _T = sync(get_loop(), run)
            return result

    async def _client(self) -> SFTPClient:
        import asyncssh

        # Two threads at the start may both connect; one connection wins, the other is dropped.
        if self._sftp is None or self._connection is None or self._connection.is_closed():
            connection = await asyncssh.connect(**self._target)
            sftp = await connection.start_sftp_client()
            if self._sftp is None or self._connection is None or self._connection.is_closed():
                self._connection, self._sftp = connection, sftp
            else:
                connection.close()
        return self._sftp

    @contextmanager
    def _failures(self, name: str) -> Iterator[None]:
        try:
            yield
        except _sftp_errors() as error:
            kind = kind_of(error)
            where = f"remote {self.url}: {name}: " if name else f"remote {self.url}: "
            said = where + redact(str(error) or type(error).__name__, self._secrets)
            if kind == "missing":
                raise ObjectMissing(f"no object {self.url}/{name}") from None
            if kind == "temporary":
                raise RemoteTemporary(said) from None
            hint = {"denied": CREDENTIALS_HINT, "untrusted": CERTIFICATE_HINT}.get(kind, "")
            raise RemoteFailed(said, hint=hint) from None


async def _publish(sftp: SFTPClient, temporary: str, path: str) -> bool:
    """Gives a finished file its name; returns False when the name is taken.

    A server without links has the plain rename, which the protocol says refuses a taken name.
    """
    try:
        try:
            await sftp.link(temporary, path)
        except _unsupported():
            await sftp.rename(temporary, path)
    except _sftp_errors():
        if await sftp.exists(path):
            return False
        raise
    return True


def _sftp_errors() -> tuple[type[Exception], ...]:
    import asyncssh

    return (asyncssh.Error, OSError, ValueError)


def _unsupported() -> tuple[type[Exception], ...]:
    import asyncssh

    return (asyncssh.SFTPOpUnsupported,)


class _Bytes:
    """A sink that is a buffer in memory."""

    def __init__(self, data: bytearray) -> None:
        self._data = data

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self._data += data
