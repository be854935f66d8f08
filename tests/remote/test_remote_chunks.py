"""Chunks at a remote: bytes cost what changed, both ways, and old remotes stay as they are."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dvtool.core.chunklist import parse_chunk_list
from dvtool.core.digest import Digest
from dvtool.core.pack import LIST, ZSTD, decode_body, scan_pack
from dvtool.core.packindex import PackIndex, parse_index
from dvtool.errors import CorruptObject, DvtoolError, RemoteFailed
from dvtool.store.local import LocalStore
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Backend
from dvtool.store.remote.fsspec_backend import open_backend
from dvtool.store.remote.layout import RemoteFormat, encode_format, parse_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.remote import Remote
from tests.remote.chunkparts import CHUNKED, GOLDEN, KIB, Metered, named, noise
from tests.remote.parts import MIB, contents_of, fill, remote_at


def chunked(inner: Backend | None = None) -> Metered:
    backend = Metered(inner or MemoryBackend())
    backend.create(layout.FORMAT_NAME, encode_format(CHUNKED))
    return backend


def indexes(backend: Metered) -> list[PackIndex]:
    objects = backend.inner.objects
    return [parse_index(objects[name]) for name in objects if name.startswith("index/")]


def push(remote: Remote, tmp_path: Path, contents: dict[Digest, bytes]):
    store = fill(tmp_path / f"store-{len(list(tmp_path.iterdir()))}", contents)
    return remote.push_blobs(remote.snapshot(), store, list(contents))


def fetch(remote: Remote, store: LocalStore, contents: dict[Digest, bytes]) -> None:
    remote.fetch_blobs(remote.snapshot(), store, {d: len(data) for d, data in contents.items()})
    assert contents_of(store, contents) == contents


def test_the_first_push_pins_the_rule_that_all_others_cut_by(tmp_path: Path) -> None:
    backend = MemoryBackend()

    push(remote_at(backend, tmp_path / "cache"), tmp_path, named(b"x"))

    document = json.loads(backend.objects["dvtool.json"])
    assert document["features"] == ["chunks"]
    assert document["parts"] == {"bytes": 2097152}
    assert document["chunks"] == {
        "algorithm": "fastcdc-2020", "minimum_bytes": 131072, "average_bytes": 524288,
        "maximum_bytes": 2097152, "normalization": 1,
    }  # fmt: skip


def test_blobs_in_chunks_come_back_byte_for_byte(backend: Backend, tmp_path: Path) -> None:
    backend.create(layout.FORMAT_NAME, encode_format(CHUNKED))
    lines = b"".join(b"%d,text,%d\n" % (n, n % 7) for n in range(200_000))
    contents = named(noise(2 * MIB + 1), noise(MIB, 2), lines, bytes(3 * MIB), b"small", b"")
    remote = remote_at(backend, tmp_path / "cache")

    push(remote, tmp_path, contents)

    fetch(remote, LocalStore.open(tmp_path / "there"), contents)
    assert remote.read_data(remote.snapshot())[1] == {}


def test_an_append_an_insertion_and_a_deletion_send_little(tmp_path: Path) -> None:
    backend = chunked()
    remote = remote_at(backend, tmp_path / "cache")
    data = noise(4 * MIB)
    push(remote, tmp_path, named(data))

    appended = push(remote, tmp_path, named(data + noise(40 * KIB, 2)))
    inserted = push(remote, tmp_path, named(data[: 2 * MIB] + b"new" + data[2 * MIB :]))
    deleted = push(remote, tmp_path, named(data[: 3 * MIB] + data[3 * MIB + 100 :]))

    assert appended.raw_bytes <= (40 + 256) * KIB
    assert inserted.raw_bytes <= 2 * 256 * KIB
    assert deleted.raw_bytes <= 2 * 256 * KIB


def test_two_blobs_of_one_push_share_their_chunks(tmp_path: Path) -> None:
    backend = chunked()
    data = noise(3 * MIB)

    result = push(remote_at(backend, tmp_path / "cache"), tmp_path, named(data, data + b"more"))

    assert result.uploaded == 2
    assert result.raw_bytes <= 3 * MIB + 256 * KIB


def test_chunks_that_do_not_get_smaller_are_stored_as_they_are(tmp_path: Path) -> None:
    backend = chunked()
    rows = b"".join(b"%d,%d\n" % (n, n * n) for n in range(120_000))

    push(remote_at(backend, tmp_path / "cache"), tmp_path, named(noise(2 * MIB), rows))

    heads = [head for pack in packs(backend) for head, _ in scan_pack(pack)]
    assert {head.codec for head in heads} == {0, ZSTD, LIST}
    assert all(head.stored <= head.raw for head in heads)
    assert sum(head.raw for head in heads if head.codec == ZSTD) == len(rows)


def test_packs_alone_say_of_which_chunks_a_blob_is_made(tmp_path: Path) -> None:
    backend = chunked()
    contents = named(noise(2 * MIB), noise(3 * MIB, 2))
    push(remote_at(backend, tmp_path / "cache"), tmp_path, contents)

    records, lists = {}, []
    for pack in packs(backend):
        for head, offset in scan_pack(pack):
            raw = decode_body(head, memoryview(pack)[offset + 64 : offset + 64 + head.stored])
            if head.codec == LIST:
                lists.append(parse_chunk_list(raw))
            records[head.digest] = raw

    assert {row.digest: b"".join(map(records.get, row.parts)) for row in lists} == contents
    assert sorted(lists) == sorted(row for index in indexes(backend) for row in index.blob_rows())
    assert not {hashlib.sha256(b"").digest()} & set(records)


def packs(backend: Metered) -> list[bytes]:
    objects = backend.inner.objects
    return [objects[name] for name in objects if name.startswith("packs/")]


def test_a_newer_version_is_fetched_for_the_price_of_what_is_new(tmp_path: Path) -> None:
    backend = chunked()
    remote = remote_at(backend, tmp_path / "cache")
    data = noise(4 * MIB)
    old, new = named(data), named(data[:MIB] + b"inserted" + data[MIB:] + noise(100, 2))
    push(remote, tmp_path, old)
    push(remote, tmp_path, new)
    store = LocalStore.open(tmp_path / "there")
    fetch(remote, store, old)
    backend.bytes_read = 0

    fetch(remote, store, new)

    assert backend.bytes_read <= 3 * 256 * KIB


def test_an_older_version_that_rots_here_does_no_harm(tmp_path: Path) -> None:
    backend = chunked()
    remote = remote_at(backend, tmp_path / "cache")
    data = noise(2 * MIB)
    old, new = named(data), named(data + b"more")
    push(remote, tmp_path, {**old, **new})
    store = fill(tmp_path / "there", old)
    path = store.path_of(*old)
    path.chmod(0o600)
    path.write_bytes(data[:MIB] + b"rot" + data[MIB + 3 :])

    fetch(remote, store, new)


def test_an_older_version_that_is_cut_short_here_does_no_harm(tmp_path: Path) -> None:
    backend = chunked()
    remote = remote_at(backend, tmp_path / "cache")
    data = noise(2 * MIB)
    old, new = named(data), named(data + b"more")
    push(remote, tmp_path, {**old, **new})
    store = fill(tmp_path / "there", old)
    path = store.path_of(*old)
    path.chmod(0o600)
    path.write_bytes(data[:MIB])

    fetch(remote, store, new)


@pytest.mark.parametrize("fixed", [False, True], ids=["chunks", "parts"])
def test_an_interrupted_fetch_goes_on_where_it_was(tmp_path: Path, fixed: bool) -> None:
    backend = Metered(MemoryBackend())
    format = RemoteFormat(MIB, 2 * MIB) if fixed else CHUNKED
    backend.create(layout.FORMAT_NAME, encode_format(format))
    remote = remote_at(backend, tmp_path / "cache")
    contents = named(noise(12 * MIB))
    push(remote, tmp_path, contents)
    store = LocalStore.open(tmp_path / "there")
    backend.bytes_left = 9 * MIB
    with pytest.raises(RemoteFailed):
        remote.fetch_blobs(remote.snapshot(), store, list(contents))
    backend.bytes_left, backend.bytes_read = None, 0

    fetch(remote, store, contents)

    assert backend.bytes_read < 11 * MIB
    assert list((tmp_path / "there" / "tmp").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from dvtool.store.local import LocalStore
from dvtool.store.remote.fsspec_backend import open_backend
from tests.remote.parts import Counting, remote_at

class Deadly(Counting):
    left = 9 * 2**20
    def read_range(self, name, start, end, sink):
        self.left -= end - start
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        super().read_range(name, start, end, sink)

top = Path(sys.argv[1])
remote = remote_at(Deadly(open_backend((top / "remote").as_uri())), top / "cache")
remote.fetch_blobs(remote.snapshot(), LocalStore.open(top / "there"), [bytes.fromhex(sys.argv[2])])
"""


def test_a_fetch_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    backend = chunked(open_backend((tmp_path / "remote").as_uri()))
    remote = remote_at(backend, tmp_path / "cache")
    contents = named(noise(12 * MIB))
    push(remote, tmp_path, contents)
    (digest,) = contents
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, digest.hex()],
        check=False,
        cwd=Path(__file__).parents[2],
    )
    backend.bytes_read = 0

    fetch(remote, LocalStore.open(tmp_path / "there"), contents)

    assert done.returncode == -signal.SIGKILL
    assert backend.bytes_read < 11 * MIB


KILLED_PUSH = """
import os, signal, sys
from pathlib import Path
from dvtool.store.local import LocalStore
from dvtool.store.remote.fsspec_backend import open_backend
from tests.remote.parts import Counting, remote_at

class Deadly(Counting):
    left = 5
    def create(self, name, data):
        self.left -= name.startswith("packs/")
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().create(name, data)

top = Path(sys.argv[1])
remote = remote_at(Deadly(open_backend((top / "remote").as_uri())), top / "cache")
store = LocalStore.open(top / "here")
remote.push_blobs(remote.snapshot(), store, [bytes.fromhex(sys.argv[2])], jobs=1)
"""


@pytest.mark.parametrize("trouble", ["", "a pack is gone", "the notes are damaged"])
def test_a_push_that_was_killed_sends_no_pack_again(tmp_path: Path, trouble: str) -> None:
    backend = chunked(open_backend((tmp_path / "remote").as_uri()))
    contents = named(noise(12 * MIB))
    store = fill(tmp_path / "here", contents)
    (digest,) = contents
    done = subprocess.run(
        [sys.executable, "-c", KILLED_PUSH, tmp_path, digest.hex()],
        check=False,
        cwd=Path(__file__).parents[2],
    )
    arrived = {path.name for path in (tmp_path / "remote" / "packs").rglob("*.pack")}
    notes = sorted((tmp_path / "cache" / "arrived").iterdir())
    if trouble == "a pack is gone":
        next((tmp_path / "remote" / "packs").rglob("*.pack")).unlink()
    elif trouble:
        for note in notes:
            note.write_bytes(note.read_bytes()[:-1])
    remote = remote_at(backend, tmp_path / "cache")

    result = remote.push_blobs(remote.snapshot(), store, list(contents))

    assert done.returncode == -signal.SIGKILL
    assert len(arrived) == len(notes) == 5
    kept = {"": 5, "a pack is gone": 4}.get(trouble, 0)
    assert result.raw_bytes <= 12 * MIB - kept * (MIB - 256 * KIB)
    assert result.raw_bytes >= 12 * MIB - kept * (MIB + 512 * KIB)
    assert list((tmp_path / "cache" / "arrived").iterdir()) == []
    fetch(remote, LocalStore.open(tmp_path / "there"), contents)


def test_rubbish_left_under_the_name_of_a_half_fetched_blob_does_no_harm(tmp_path: Path) -> None:
    remote = remote_at(chunked(), tmp_path / "cache")
    contents = named(noise(2 * MIB))
    push(remote, tmp_path, contents)
    (digest,) = contents
    (tmp_path / "there" / "tmp").mkdir(parents=True)
    (tmp_path / "there" / "tmp" / f"{digest.hex()}.part").write_bytes(noise(MIB, 3))

    fetch(remote, LocalStore.open(tmp_path / "there"), contents)

    assert list((tmp_path / "there" / "tmp").iterdir()) == []


def test_a_long_run_of_equal_chunks_is_read_once(tmp_path: Path) -> None:
    backend = chunked()
    remote = remote_at(backend, tmp_path / "cache")
    contents = named(bytes(8 * MIB))
    push(remote, tmp_path, contents)
    backend.reset()

    fetch(remote, LocalStore.open(tmp_path / "there"), contents)

    assert backend.calls["read_range"] <= 2


def test_a_damaged_chunk_is_found_under_its_blob_and_another_copy_is_read(tmp_path: Path) -> None:
    backend = chunked()
    remote = remote_at(backend, tmp_path / "cache")
    data = noise(2 * MIB)
    contents = named(data)
    store = fill(tmp_path / "store", contents)
    remote.push_blobs(remote.snapshot(), store, list(contents))
    objects = backend.inner.objects
    name = next(name for name in objects if data[MIB : MIB + 50] in objects[name])
    bad = bytearray(objects[name])
    bad[bad.index(data[MIB : MIB + 50])] ^= 1
    objects[name] = bytes(bad)
    there = LocalStore.open(tmp_path / "there")

    with pytest.raises(CorruptObject, match=name):
        remote.fetch_blobs(remote.snapshot(), there, list(contents))
    snapshot = remote.snapshot()
    _, damaged = remote.read_data(snapshot)
    replaced = remote.replace_damaged(snapshot, store, damaged)

    assert list(damaged) == list(contents)
    assert replaced.raw_bytes <= 256 * KIB
    fetch(remote, there, contents)


def test_a_remote_of_fixed_parts_stays_readable(tmp_path: Path) -> None:
    # Made by the last version that knew only fixed parts; the bytes come from this loop.
    large = b"".join(b"%07d,fixed,parts\n" % (n // 30_000) for n in range(150_000))[:3_000_000]
    contents = named(b"hello\n", b"", b"x,y\n1,2\n", large)
    remote = remote_at(open_backend(GOLDEN.as_uri()), tmp_path / "cache")

    fetch(remote, LocalStore.open(tmp_path / "there"), contents)

    snapshot = remote.snapshot()
    assert snapshot.damaged == ()
    assert remote.read_data(snapshot)[1] == {}
    assert remote.digests_of(snapshot, snapshot.roots[0]) >= set(contents)


def test_a_remote_of_fixed_parts_keeps_them_when_it_is_written_to(tmp_path: Path) -> None:
    place = shutil.copytree(GOLDEN, tmp_path / "remote")
    before = {path for path in place.rglob("*") if path.is_file()}
    remote = remote_at(open_backend(place.as_uri()), tmp_path / "cache")
    contents = named(noise(2 * MIB + 5))

    push(remote, tmp_path, contents)

    (name,) = set(place.rglob("*.idx")) - before
    (row,) = parse_index(name.read_bytes()).blob_rows()
    assert name.read_bytes()[24:32] == bytes(8)  # the flags that older versions insist on
    assert (len(row.parts), row.ends) == (5, ())
    assert (place / "dvtool.json").read_bytes() == (GOLDEN / "dvtool.json").read_bytes()
    fetch(remote, LocalStore.open(tmp_path / "there"), contents)


def test_formats_come_back_from_their_text() -> None:
    for one in (RemoteFormat(), layout.NEW_REMOTE, CHUNKED):
        assert parse_format(encode_format(one), url="here") == one


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (b'"chunks"\n ]', b'"chunks",\n  "more"\n ]', "more"),
        (b"fastcdc-2020", b"rabin", "rabin"),
        (b"fastcdc-2020", b"x" * 10_000, "upgrade|asks for"),
        (b'"average_bytes": 65536', b'"average_bytes": 1', "out of range"),
        (b'"average_bytes": 65536', b'"average_bytes": "65536"', "out of range"),
        (b'"average_bytes": 65536,', b"", "out of range"),
        (b'"maximum_bytes": 262144', b'"maximum_bytes": 1e9', "out of range"),
        (b'"chunks": {', b'"other": {', "out of range"),
    ],
)
def test_a_rule_that_is_not_known_here_is_refused(old: bytes, new: bytes, match: str) -> None:
    text = encode_format(CHUNKED)
    assert old in text

    with pytest.raises(DvtoolError, match=match) as caught:
        parse_format(text.replace(old, new), url="here")

    assert len(str(caught.value)) < 300
