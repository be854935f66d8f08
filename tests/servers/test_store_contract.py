"""The contract that every store keeps; all of them run the same tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dvtool.errors import CorruptObject, ObjectMissing, RemoteFailed, RemoteTemporary
from dvtool.store.remote.backend import Backend, Spool
from dvtool.store.remote.remote import Remote
from tests.servers.services import Place

MIB = 2**20
# What gcsfs sends is one body in memory; aiohttp would like it in pieces, but it has its own thread.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")


def read(backend: Backend, name: str, start: int, end: int, tmp_path: Path) -> bytes:
    with Spool(tmp_path) as sink:
        backend.read_range(name, start, end, sink)
        return sink.read_at(0, sink.size)


def test_nothing_is_listed_where_nothing_was_created(store: Backend) -> None:
    assert store.list() == {}


def test_a_created_object_is_listed_with_its_size_and_read_back(store: Backend) -> None:
    assert store.create("packs/ab/abcd.pack", b"twelve bytes")

    assert {name: facts.size for name, facts in store.list().items()} == {"packs/ab/abcd.pack": 12}
    assert store.read("packs/ab/abcd.pack", size_limit=12) == b"twelve bytes"


def test_a_listing_has_the_servers_time_of_the_write(store: Backend) -> None:
    before = time.time()
    store.create("packs/ab/abcd.pack", b"x")

    modified_s = store.list()["packs/ab/abcd.pack"].modified_s
    assert before - 2 <= modified_s <= time.time() + 2  # some servers tell whole seconds


def test_an_object_that_exists_is_never_replaced(store: Backend) -> None:
    store.create("index/one.idx", b"first")

    assert not store.create("index/one.idx", b"other")

    assert store.read("index/one.idx", size_limit=100) == b"first"


def test_of_many_writers_of_one_name_exactly_one_creates_it(store: Backend) -> None:
    start = threading.Barrier(6)

    def write(number: int) -> bool:
        start.wait()
        return store.create("roots/a/b.root", b"writer %d" % number)

    with ThreadPoolExecutor(6) as pool:
        created = list(pool.map(write, range(6)))

    assert created.count(True) == 1
    assert store.read("roots/a/b.root", size_limit=100) == b"writer %d" % created.index(True)


def test_that_exists_already_counts_only_when_size_and_bytes_agree(
    store: Backend, tmp_path: Path
) -> None:
    remote = Remote(store, cache_dir=tmp_path / "cache")
    remote.put("packs/ab/x.pack", b"as it should be")

    remote.put("packs/ab/x.pack", b"as it should be")
    for other in (b"as it should b!", b"as it should", b"as it should be, and more"):
        with pytest.raises(CorruptObject, match="has other bytes"):
            remote.put("packs/ab/x.pack", other)


def test_an_empty_object_is_an_object(store: Backend) -> None:
    store.create("empty", b"")

    assert store.list()["empty"].size == 0
    assert store.read("empty", size_limit=10) == b""


def test_a_spool_of_several_blocks_arrives_whole(store: Backend, tmp_path: Path) -> None:
    data = bytes(range(256)) * (3 * MIB // 256) + b"tail"
    with Spool(tmp_path) as spool:
        spool.append(data[:100])
        spool.append(memoryview(data)[100 : 2 * MIB])
        spool.append(data[2 * MIB :])
        store.create("packs/cd/cdef.pack", spool)

    assert store.read("packs/cd/cdef.pack", size_limit=4 * MIB) == data


@pytest.mark.parametrize("kind", ["s3-seaweed", "azure", "google"])
def test_a_pack_larger_than_one_request_of_some_services_arrives_whole(
    kind: str,
    new_place: Callable[[str], Place],
    opened: Callable[..., Backend],
    tmp_path: Path,
) -> None:
    store = opened(new_place(kind))
    data = b"0123456789abcdef" * (66 * MIB // 16)  # Azure takes at most 64 MiB at once
    with Spool(tmp_path) as spool:
        spool.append(data)

        assert store.create("packs/cd/cdef.pack", spool)
        assert not store.create("packs/cd/cdef.pack", spool)

    assert store.list()["packs/cd/cdef.pack"].size == len(data)
    assert read(store, "packs/cd/cdef.pack", 0, 2**40, tmp_path) == data


def test_ranges_are_exact_and_end_where_the_object_ends(store: Backend, tmp_path: Path) -> None:
    store.create("digits", b"0123456789")

    assert read(store, "digits", 0, 10, tmp_path) == b"0123456789"
    assert read(store, "digits", 3, 7, tmp_path) == b"3456"
    assert read(store, "digits", 8, 50, tmp_path) == b"89"
    assert read(store, "digits", 50, 60, tmp_path) == b""
    assert read(store, "digits", 4, 4, tmp_path) == b""


def test_an_absent_object_is_missing_and_named(store: Backend, tmp_path: Path) -> None:
    store.create("present", b"x")

    with pytest.raises(ObjectMissing, match="packs/ff/absent"):
        store.read("packs/ff/absent", size_limit=10)
    with pytest.raises(ObjectMissing, match="packs/ff/absent"):
        read(store, "packs/ff/absent", 0, 10, tmp_path)


def test_an_object_larger_than_the_limit_is_refused(store: Backend) -> None:
    store.create("large", bytes(1000))

    with pytest.raises(CorruptObject, match="larger than 999 bytes"):
        store.read("large", size_limit=999)
    assert len(store.read("large", size_limit=1000)) == 1000


def test_a_deleted_object_is_gone_and_its_name_is_free(store: Backend) -> None:
    store.create("packs/ab/x.pack", b"first")
    store.create("packs/ab/y.pack", b"stays")

    store.delete("packs/ab/x.pack")

    assert set(store.list()) == {"packs/ab/y.pack"}
    assert store.create("packs/ab/x.pack", b"second")
    assert store.read("packs/ab/x.pack", size_limit=10) == b"second"


def test_deleting_what_is_not_there_is_fine(store: Backend) -> None:
    store.delete("packs/ab/absent.pack")

    assert store.list() == {}


ODD_ROOTS = ("with space", "größe", "a+b&c=d", "50%41", "it's;(1),~@!$*")


@pytest.mark.parametrize("odd", ODD_ROOTS)
def test_a_root_of_odd_characters_is_a_place_like_any_other(
    place: Place, opened: Callable[..., Backend], odd: str
) -> None:
    # A file URL is a URL, so a percent sign in it begins an escape.
    written = odd.replace("%", "%25") if place.url.startswith(("file:", "ssh:")) else odd
    store = opened(replace(place, url=f"{place.url}-{written}"))
    store.create("packs/ab/x.pack", b"odd")

    assert set(store.list()) == {"packs/ab/x.pack"}
    assert store.read("packs/ab/x.pack", size_limit=3) == b"odd"


def test_roots_in_one_place_do_not_see_each_other(
    place: Place, opened: Callable[..., Backend]
) -> None:
    one, other = opened(place), opened(replace(place, url=f"{place.url}2"))
    one.create("a", b"1")
    other.create("b", b"2")

    assert set(one.list()) == {"a"}
    assert set(other.list()) == {"b"}


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("s3-seaweed", 1000),
        ("google", 1000),
        pytest.param("s3-moto", 1000, marks=pytest.mark.slow),
        pytest.param("azure", 5000, marks=pytest.mark.slow),
    ],
)
def test_a_listing_longer_than_a_page_is_whole(
    kind: str, page: int, new_place: Callable[[str], Place], opened: Callable[..., Backend]
) -> None:
    store = opened(new_place(kind))
    names = {f"index/{number:04}.idx" for number in range(page + 10)}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda name: store.create(name, b""), sorted(names)))

    assert set(store.list()) == names


@pytest.mark.parametrize("kind", ["s3-moto", "azure", "google"])  # SeaweedFS makes them on demand
def test_a_bucket_that_does_not_exist_is_said_to_be_missing(
    kind: str, new_place: Callable[[str], Place], opened: Callable[..., Backend]
) -> None:
    place = new_place(kind)
    bucket = place.url.split("/")[2]
    absent = opened(replace(place, url=place.url.replace(bucket, "no-such-bucket")))

    for act in (absent.list, lambda: absent.create("a", b"")):
        with pytest.raises(RemoteFailed, match="bucket no-such-bucket does not exist") as caught:
            act()
        assert not isinstance(caught.value, RemoteTemporary)
