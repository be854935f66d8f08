"""The remotes that the round trips run against; the contract of stores is in tests/servers."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote

import pytest

from dvtool.store.remote.backend import Backend
from dvtool.store.remote.fsspec_backend import open_backend
from dvtool.store.remote.memory import MemoryBackend
from tests.remote.parts import Counting

S3_OPTIONS = {
    "key": "test-key",
    "secret": "test-secret-value",
    "client_kwargs": {"region_name": "us-east-1"},
}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Starts a real S3 server on a socket of this machine; returns its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_backend(s3_server: str) -> Iterator[Callable[..., Backend]]:
    """Makes backends in a fresh bucket, which exists."""
    bucket = f"bucket-{secrets.token_hex(6)}"
    create = urllib.request.Request(f"{s3_server}/{bucket}", method="PUT")
    urllib.request.urlopen(create).close()
    opened: list[Backend] = []

    def make(prefix: str = "team/data", **options: object) -> Backend:
        given = {**S3_OPTIONS, "endpoint_url": s3_server, **options}
        opened.append(open_backend(f"s3://{bucket}/{prefix}", options=given, delays_s=(0.0,)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def reach() -> Callable[[Backend, str, bytes | None], None]:
    """Changes or deletes an object behind dvtool's back: `reach(backend, name, None)`."""

    def change(backend: Backend, name: str, data: bytes | None) -> None:
        url = backend.url
        if url.startswith("file://"):
            path = Path(unquote(url.removeprefix("file://"))) / name
            path.unlink()
            if data is not None:
                path.write_bytes(data)
        elif url.startswith("memory://"):
            objects = _innermost(backend).objects
            del objects[name]
            if data is not None:
                objects[name] = data
        else:
            # In the server's own memory: from outside it would ask for a signature.
            from moto.s3.models import s3_backends

            bucket, _, prefix = url.removeprefix("s3://").partition("/")
            server = s3_backends["123456789012"]["aws"]
            server.delete_object(bucket, f"{prefix}/{name}")
            if data is not None:
                server.put_object(bucket, f"{prefix}/{name}", data)

    return change


def _innermost(backend: Backend) -> MemoryBackend:
    while not isinstance(backend, MemoryBackend):
        backend = getattr(backend, "inner", None) or backend._inner
    return backend


@pytest.fixture(params=["memory", "file", "s3"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """Each kind of remote that must work."""
    return _make(request.param, request, tmp_path)


def _make(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if kind == "memory":
        return MemoryBackend()
    if kind == "file":
        return open_backend((tmp_path / "remote dir").as_uri())
    make: Callable[[], Backend] = request.getfixturevalue("s3_backend")
    return make()


@pytest.fixture
def counted(backend: Backend) -> Counting:
    """Each kind of remote, with its requests counted."""
    return Counting(backend)


@pytest.fixture
def strict_s3(s3_server: str) -> Iterator[str]:
    """The same server while it checks who asks; nobody is known to it."""
    _post(f"{s3_server}/moto-api/reset-auth", b"0")
    yield s3_server
    _post(f"{s3_server}/moto-api/reset-auth", b"inf")


def _post(url: str, data: bytes) -> object:
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(url, data=data, method="POST", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")
    except HTTPError as error:
        error.close()
        raise
