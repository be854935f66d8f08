"""S3 options on their way to the server, as the server's side of the socket sees them."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dvtool.errors import RemoteFailed, RemoteTemporary
from dvtool.store.remote.backend import Backend
from tests.servers.services import S3_KEYS, Place

EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


class Seen(list[tuple[str, str, dict[str, str]]]):
    """Requests as they came: method, target and headers, names in lower case."""

    port: int
    server: ThreadingHTTPServer

    def believed_by(self, folder: Path) -> Path:
        """Speaks TLS from now on; returns the certificate of the authority that vouches for it."""
        key, certificate = folder / "key.pem", folder / "ca.pem"
        words = (
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=tests"
        )
        named = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
        subprocess.run(["openssl", *words.split(), *named], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        return certificate


@pytest.fixture
def seen() -> Iterator[Seen]:
    """Listens where S3, or a proxy before it, would; says yes to everything."""
    found = Seen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.append((self.command, self.path, headers))
            self.rfile.read(int(headers.get("content-length", 0)))
            body = b"" if self.command == "PUT" else EMPTY
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.server = server
        found.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def place(seen: Seen, **options: object) -> Place:
    region = {"region_name": "eu-central-1"}
    endpoint = f"http://127.0.0.1:{seen.port}"
    given = {**S3_KEYS, "client_kwargs": region, "endpoint_url": endpoint, **options}
    return Place("s3://bucket/root", given)


def test_requester_pays_is_said_in_every_request(
    seen: Seen, opened: Callable[..., Backend]
) -> None:
    store = opened(place(seen, requester_pays=True))
    store.list()
    store.create("a", b"x")
    store.read("a", size_limit=1000)
    store.delete("a")

    assert [headers.get("x-amz-request-payer") for _, _, headers in seen] == ["requester"] * 4


def test_nobody_pays_unless_told(seen: Seen, opened: Callable[..., Backend]) -> None:
    opened(place(seen)).list()

    assert "x-amz-request-payer" not in seen[0][2]


def test_encryption_and_storage_class_go_with_each_object(
    seen: Seen, opened: Callable[..., Backend]
) -> None:
    more = {
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "alias/data",
        "StorageClass": "STANDARD_IA",
    }
    opened(place(seen, s3_additional_kwargs=more)).create("a", b"x")

    _, _, headers = seen[0]
    assert headers["x-amz-server-side-encryption"] == "aws:kms"
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/data"
    assert headers["x-amz-storage-class"] == "STANDARD_IA"
    assert headers["if-none-match"] == "*"


def test_the_region_is_signed(seen: Seen, opened: Callable[..., Backend]) -> None:
    opened(place(seen)).list()

    assert "/eu-central-1/s3/aws4_request" in seen[0][2]["authorization"]


def test_a_bucket_is_in_the_path_when_told(seen: Seen, opened: Callable[..., Backend]) -> None:
    named = {"endpoint_url": f"http://localhost:{seen.port}"}
    path = {"config_kwargs": {"s3": {"addressing_style": "path"}}}
    opened(place(seen, **named, **path)).list()

    method, target, headers = seen[0]
    assert (method, target.partition("?")[0]) == ("GET", "/bucket")
    assert headers["host"] == f"localhost:{seen.port}"


def test_a_proxy_of_the_environment_is_used(
    seen: Seen, opened: Callable[..., Backend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{seen.port}")
    opened(place(seen, endpoint_url="http://s3.example.invalid")).list()

    assert seen[0][1].startswith("http://s3.example.invalid/bucket?")


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate authority of our own, and what a server on 127.0.0.1 needs to be believed."""
    import trustme

    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return tmp_path / "ca.pem", context


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl program here")
def test_a_certificate_authority_of_ones_own_is_believed_when_named(
    seen: Seen, opened: Callable[..., Backend], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = seen.believed_by(tmp_path)
    address = {"endpoint_url": f"https://127.0.0.1:{seen.port}"}
    with pytest.raises(RemoteFailed) as caught:
        opened(place(seen, **address)).list()

    assert not isinstance(caught.value, RemoteTemporary)
    assert "AWS_CA_BUNDLE" in caught.value.hint
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    assert opened(place(seen, **address)).list() == {}
