"""The contract that every backend keeps; all of them run the same tests."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.remote.backend import Backend, Spool

MIB = 2**20


def read(backend: Backend, name: str, start: int, end: int, tmp_path: Path) -> bytes:
    with Spool(tmp_path) as sink:
        backend.read_range(name, start, end, sink)
        return sink.read_at(0, sink.size)


def test_nothing_is_listed_where_nothing_was_created(any_backend: Backend) -> None:
    assert any_backend.list() == {}


def test_a_created_object_is_listed_with_its_size_and_read_back(any_backend: Backend) -> None:
    assert any_backend.create("packs/ab/abcd.pack", b"twelve bytes")

    listed = any_backend.list()
    assert set(listed) == {"packs/ab/abcd.pack"}
    assert listed["packs/ab/abcd.pack"].size == 12
    assert listed["packs/ab/abcd.pack"].modified_s > 1_600_000_000
    assert any_backend.read("packs/ab/abcd.pack", size_limit=12) == b"twelve bytes"


def test_an_object_that_exists_is_never_replaced(any_backend: Backend) -> None:
    any_backend.create("index/one.idx", b"first")

    assert not any_backend.create("index/one.idx", b"other")

    assert any_backend.read("index/one.idx", size_limit=100) == b"first"


def test_of_many_writers_of_one_name_exactly_one_creates_it(backend: Backend) -> None:
    start = threading.Barrier(6)

    def write(number: int) -> bool:
        start.wait()
        return backend.create("roots/a/b.root", b"writer %d" % number)

    with ThreadPoolExecutor(6) as pool:
        created = list(pool.map(write, range(6)))

    assert created.count(True) == 1
    winner = created.index(True)
    assert backend.read("roots/a/b.root", size_limit=100) == b"writer %d" % winner


def test_an_empty_object_is_an_object(any_backend: Backend) -> None:
    any_backend.create("empty", b"")

    assert any_backend.list()["empty"].size == 0
    assert any_backend.read("empty", size_limit=10) == b""


def test_a_spool_of_several_blocks_arrives_whole(any_backend: Backend, tmp_path: Path) -> None:
    data = bytes(range(256)) * (3 * MIB // 256) + b"tail"
    with Spool(tmp_path) as spool:
        spool.append(data[:100])
        spool.append(memoryview(data)[100 : 2 * MIB])
        spool.append(data[2 * MIB :])
        any_backend.create("packs/cd/cdef.pack", spool)

    assert any_backend.read("packs/cd/cdef.pack", size_limit=4 * MIB) == data


def test_ranges_are_exact_and_end_where_the_object_ends(
    any_backend: Backend, tmp_path: Path
) -> None:
    any_backend.create("digits", b"0123456789")

    assert read(any_backend, "digits", 0, 10, tmp_path) == b"0123456789"
    assert read(any_backend, "digits", 3, 7, tmp_path) == b"3456"
    assert read(any_backend, "digits", 8, 50, tmp_path) == b"89"
    assert read(any_backend, "digits", 50, 60, tmp_path) == b""
    assert read(any_backend, "digits", 4, 4, tmp_path) == b""


def test_an_absent_object_is_missing_and_named(any_backend: Backend, tmp_path: Path) -> None:
    any_backend.create("present", b"x")

    with pytest.raises(ObjectMissing, match="packs/ff/absent"):
        any_backend.read("packs/ff/absent", size_limit=10)
    with pytest.raises(ObjectMissing, match="packs/ff/absent"):
        read(any_backend, "packs/ff/absent", 0, 10, tmp_path)


def test_an_object_larger_than_the_limit_is_refused(any_backend: Backend) -> None:
    any_backend.create("large", bytes(1000))

    with pytest.raises(CorruptObject, match="larger than 999 bytes"):
        any_backend.read("large", size_limit=999)
    assert len(any_backend.read("large", size_limit=1000)) == 1000


def test_every_page_of_a_long_listing_is_read(s3_backend) -> None:
    from moto.s3.models import s3_backends

    backend = s3_backend("long")
    bucket = backend.url.removeprefix("s3://").partition("/")[0]
    server = s3_backends["123456789012"]["aws"]  # the server's own memory: 2,001 PUTs take long
    for number in range(2001):
        server.put_object(bucket, f"long/index/{number:04}", b"")

    assert len(backend.list()) == 2001


def test_prefixes_in_one_bucket_do_not_see_each_other(s3_backend) -> None:
    one, other, whole = s3_backend("team/data"), s3_backend("team/data2"), s3_backend("")
    one.create("a", b"1")
    other.create("b", b"2")

    assert set(one.list()) == {"a"}
    assert set(other.list()) == {"b"}
    assert set(whole.list()) == {"team/data/a", "team/data2/b"}


def test_a_file_remote_shows_no_unfinished_objects(tmp_path: Path) -> None:
    from dvtool.store.remote.file_backend import FileBackend

    backend = FileBackend(tmp_path / "r")
    backend.create("packs/ab/x.pack", b"whole")
    (tmp_path / "r/packs/ab/.dvtool-0123").write_bytes(b"tor")

    assert set(backend.list()) == {"packs/ab/x.pack"}
    assert [p.name for p in (tmp_path / "r/packs/ab").glob("[!.]*")] == ["x.pack"]


def test_memory_remotes_of_one_name_are_one() -> None:
    from dvtool.store.remote.fsspec_backend import open_backend

    open_backend("memory://shared-by-name").create("a", b"1")

    assert open_backend("memory://shared-by-name").read("a", size_limit=9) == b"1"
    assert open_backend("memory://another").list() == {}
