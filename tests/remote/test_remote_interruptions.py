"""Interruptions: what arrived is kept, the next run goes on, and failures come soon and once."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from dvtool.errors import ExtraMissing, RemoteFailed, RemoteTemporary, UsageError
from dvtool.store.local import LocalStore
from dvtool.store.remote import layout
from dvtool.store.remote.fsspec_backend import open_backend
from dvtool.store.remote.layout import RemoteFormat, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.push import push_blobs
from dvtool.store.remote.redact import redact, secrets_of
from dvtool.store.remote.retry import Retrying
from tests.remote.conftest import S3_OPTIONS
from tests.remote.parts import MIB, Counting, blobs, contents_of, fill, remote_at

PACK_A_BLOB = encode_format(RemoteFormat(MIB, pack_bytes=1000))


def test_an_interrupted_push_goes_on_where_it_stopped(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    backend.create(layout.FORMAT_NAME, PACK_A_BLOB)
    contents = blobs(*[1000] * 20)
    store = fill(tmp_path / "store", contents)
    remote = remote_at(backend, tmp_path / "cache")
    backend.creates_left = 11  # two batches of four packs and an index, and one pack more

    with pytest.raises(RemoteFailed, match="the line is cut"):
        push_blobs(remote, remote.snapshot(), store, list(contents), jobs=1, packs_per_index=4)
    backend.creates_left = None
    again = push_blobs(remote, remote.snapshot(), store, list(contents), packs_per_index=4)

    assert again.uploaded == 11  # not the one either that arrived before its index could
    assert remote.snapshot().missing(contents) == set()


def test_what_arrived_of_a_failed_batch_is_indexed(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    backend.create(layout.FORMAT_NAME, PACK_A_BLOB)
    contents = blobs(*[1000] * 9)
    fill(tmp_path / "store", contents)
    (damaged, *_) = sorted(contents)
    pack = next((tmp_path / "store" / "packs").glob("*.pack"))
    pack.chmod(0o644)
    data = pack.read_bytes()
    pack.write_bytes(data.replace(contents[damaged], bytes(1000)))
    remote = remote_at(backend, tmp_path / "cache")

    with pytest.raises(Exception, match=damaged.hex()):
        remote.push_blobs(remote.snapshot(), LocalStore.open(tmp_path / "store"), list(contents))

    missing = remote.snapshot().missing(contents)
    assert damaged in missing
    assert len(missing) < len(contents)


def test_an_interrupted_fetch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    backend.create(layout.FORMAT_NAME, PACK_A_BLOB)
    contents = blobs(*[1000] * 20)
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))
    snapshot = remote.snapshot()
    held = {name: data for name, data in backend.inner.objects.items() if "packs" in name}
    broken = _BreaksAfter(backend, 8)
    fresh = LocalStore.open(tmp_path / "fresh")

    with pytest.raises(RemoteFailed, match="the line is cut"):
        other = remote_at(broken, tmp_path / "cache")
        other.fetch_blobs(snapshot, fresh, list(contents), jobs=1)
    left = LocalStore.open(tmp_path / "fresh").missing(contents)
    backend.reset()
    remote.fetch_blobs(snapshot, fresh, list(contents))

    assert 0 < len(left) < 20
    assert backend.calls["read_range"] == len(left)
    assert len(held) == 20
    assert contents_of(fresh, contents) == contents


class _BreaksAfter(Counting):
    """Serves so many ranges, then none."""

    def __init__(self, inner: Counting, ranges: int) -> None:
        super().__init__(inner)
        self._ranges = ranges

    def read_range(self, name: str, start: int, end: int, sink: object) -> None:
        if self._ranges == 0:
            raise RemoteFailed("the line is cut")
        self._ranges -= 1
        super().read_range(name, start, end, sink)  # type: ignore[arg-type]


def test_hiccups_are_waited_out(tmp_path: Path) -> None:
    waits: list[float] = []
    flaky = Counting(MemoryBackend())
    remote = remote_at(Retrying(flaky, delays_s=(1, 2, 4), sleep=waits.append), tmp_path / "cache")
    contents = blobs(100, 200)
    flaky.hiccups = 3

    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))

    assert len(waits) == 3
    assert 1 <= waits[0] <= 1.5
    assert 2 <= waits[1] <= 3
    assert 4 <= waits[2] <= 6
    assert remote.snapshot().missing(contents) == set()


def test_a_create_whose_answer_got_lost_is_a_success(tmp_path: Path) -> None:
    class AnswerLost(Counting):
        def create(self, name: str, data: object) -> bool:
            is_first = not self.calls["create"]
            created = super().create(name, data)  # type: ignore[arg-type]
            if is_first:
                raise RemoteTemporary("connection closed")
            return created

    backend = AnswerLost(MemoryBackend())
    remote = remote_at(Retrying(backend, delays_s=(0,)), tmp_path)

    remote.put("packs/ab/x.pack", b"the bytes")

    assert backend.calls == {"create": 2, "read_range": 1}


def test_a_broken_download_goes_on_behind_what_arrived(tmp_path: Path) -> None:
    class Breaking(Counting):
        def read_range(self, name: str, start: int, end: int, sink: object) -> None:
            super().read_range(name, start, min(end, start + 4), sink)  # type: ignore[arg-type]
            if start + 4 < end:
                raise RemoteTemporary("connection closed")

    backend = Breaking(MemoryBackend())
    backend.create("digits", b"0123456789")
    sink = bytearray()

    class Sink:
        append = staticmethod(sink.extend)

    Retrying(backend, delays_s=(0, 0)).read_range("digits", 0, 10, Sink())

    assert sink == b"0123456789"


def test_bytes_that_differ_under_one_name_are_an_error(tmp_path: Path) -> None:
    remote = remote_at(MemoryBackend(), tmp_path)
    remote.put("roots/a/b.root", b"first")

    remote.put("roots/a/b.root", b"first")
    with pytest.raises(Exception, match="exists already and has other bytes"):
        remote.put("roots/a/b.root", b"other")


def test_an_unreachable_server_is_temporary_and_told_soon(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: every connection is refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        options = {**S3_OPTIONS, "endpoint_url": url}
        backend = open_backend("s3://bucket/x", options=options, delays_s=(0.01, 0.02))
        started = time.monotonic()

        with pytest.raises(RemoteTemporary) as caught:
            remote_at(backend, tmp_path).snapshot()

        backend.close()
    assert time.monotonic() - started < 10
    assert "tried 3 times" in str(caught.value)
    assert "test-secret-value" not in str(caught.value)


def test_refused_credentials_are_one_error_and_not_tried_again(
    s3_backend, strict_s3: str, tmp_path: Path
) -> None:
    contents = blobs(*[1000] * 20)
    store = fill(tmp_path / "store", contents)
    backend = Counting(s3_backend())
    remote = remote_at(backend, tmp_path / "cache")

    with pytest.raises(RemoteFailed) as caught:
        remote.push_blobs(remote.snapshot(), store, list(contents))

    assert not isinstance(caught.value, RemoteTemporary)
    assert backend.requests == 1
    assert "credentials" in caught.value.hint
    assert "test-secret-value" not in str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None


def test_a_bucket_that_does_not_exist_is_said_so(s3_server: str, tmp_path: Path) -> None:
    options = {**S3_OPTIONS, "endpoint_url": s3_server}
    backend = open_backend("s3://no-such-bucket/x", options=options)

    with pytest.raises(RemoteFailed, match="bucket no-such-bucket does not exist"):
        remote_at(backend, tmp_path).snapshot()

    backend.close()


def test_a_disk_that_is_not_mounted_is_not_filled(tmp_path: Path) -> None:
    backend = open_backend((tmp_path / "not-mounted/team/data").as_uri())

    with pytest.raises(RemoteFailed, match="does not exist"):
        backend.create("dvtool.json", b"{}")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("protocol", "package", "extra"),
    [("gs", "gcsfs", "gs"), ("az", "adlfs", "azure"), ("ssh", "asyncssh", "ssh")],
)
def test_a_protocol_without_its_package_names_the_pip_line(
    protocol: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    # As if it were not installed, also when another test has imported it before.
    imported = [name for name in sys.modules if name.startswith(f"{package}.")]
    for name in (package, *imported):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(ExtraMissing, match=package) as caught:
        open_backend(f"{protocol}://place/prefix")

    assert caught.value.hint == f"pip install 'dvtool[{extra}]'"


@pytest.mark.parametrize(
    "url",
    [
        "simplecache::s3://bucket/x",
        "file::/tmp",
        "ext::sh -c id",
        "http://host/x",
        "github://org:repo@/x",
        "shell://x",
        "s3://",
        "file://host/share",
        "file:relative",
        "/plain/path",
        "",
    ],
)
def test_urls_outside_the_closed_list_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        open_backend(url)


def test_refusing_a_url_hides_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        open_backend("webdav://user:hunter2@host/x")

    assert "hunter2" not in str(caught.value)


def test_an_unknown_option_is_refused_without_its_value() -> None:
    with pytest.raises(UsageError) as caught:
        open_backend("s3://bucket/x", options={**S3_OPTIONS, "username": "test-secret-value"})

    assert "test-secret-value" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:pw@host/x?a=1", "https://***@host/x?a=1"),
        ("ssh://me@host/x", "ssh://me@host/x"),
        ("GET /x?X-Amz-Signature=abc&y=1", "GET /x?X-Amz-Signature=***&y=1"),
        ("https://a.blob/x?sv=1&sig=q%3D", "https://a.blob/x?sv=1&sig=***"),
        ("key AKIAIOSFODNN7EXAMPLE unknown", "key *** unknown"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("told s3cr3t twice s3cr3t", "told *** twice ***"),
    ],
)
def test_credentials_are_hidden_in_texts(text: str, expected: str) -> None:
    assert redact(text, ["s3cr3t"]) == expected


def test_secrets_are_found_at_any_depth() -> None:
    options = {
        "key": "K",
        "secret": "S",
        "client_kwargs": {"aws_session_token": "T", "region_name": "eu-1"},
        "endpoint_url": "http://x",
    }

    assert secrets_of(options) == {"K", "S", "T"}
