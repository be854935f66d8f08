"""What the store promises when nothing goes wrong."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.errors import ObjectMissing, UsageError
from dvtool.store.local import SMALL_BLOB_BYTES, LocalStore
from tests.store.blobs import HEAD, PACK_HEAD, blob, files, fingerprint, name, only, put, put_large


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore.open(tmp_path / "store")


def test_what_was_added_is_read_back_by_another_process_view(store):
    digests = put(store, blob(1), blob(2))

    again = LocalStore.open(store.root)

    assert [again.read(digest) for digest in digests] == [blob(1), blob(2)]


def test_an_empty_store_has_nothing_and_creates_nothing(store):
    assert store.present() == set()
    assert not store.has(name(b"x"))
    assert store.missing([name(b"x")]) == {name(b"x")}
    assert list(store.verify()) == []
    assert not store.root.exists()


def test_a_writer_that_adds_nothing_creates_nothing(store):
    with store.writer() as writer:
        writer.flush()

    assert not store.root.exists()


def test_a_blob_of_zero_bytes_is_a_blob_like_any_other(store):
    (digest,) = put(store, b"")

    assert digest.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert store.read(digest, verify=True) == b""
    assert store.size_of(digest) == 0
    assert [(one, bytes(data)) for one, data in store.read_many([digest])] == [(digest, b"")]
    assert store.open_blob(digest).read() == b""


def test_one_run_makes_one_pack_with_an_index_beside_it(store):
    put(store, *map(blob, range(50)))

    suffixes = [Path(path).suffix for path in files(store.root, besides=["lock"])]
    assert sorted(suffixes) == [".idx", ".pack"]
    assert only(store.root, "packs/*.pack").stat().st_size == PACK_HEAD + 50 * (HEAD + 1000) + HEAD


def test_a_pack_is_named_by_the_nonce_in_its_header(store):
    put(store, blob(1))

    pack = only(store.root, "packs/*.pack")
    assert pack.read_bytes()[16:32].hex() == pack.stem


def test_published_files_are_read_only_and_no_more_public_than_the_umask_allows(store):
    before = os.umask(0o077)
    try:
        put(store, blob(1))
        with store.writer() as writer:
            digest = put_large(writer, blob(2))
    finally:
        os.umask(before)

    large = store.path_of(digest)
    assert large is not None
    for path in [large, *store.root.glob("packs/*")]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o400


def test_a_blob_is_stored_once(store):
    with store.writer() as writer:
        assert writer.add_small(name(blob(1)), blob(1))
        assert not writer.add_small(name(blob(1)), blob(1))
        writer.flush()
        assert not writer.add_small(name(blob(1)), blob(1))
    with LocalStore.open(store.root).writer() as writer:
        assert not writer.add_small(name(blob(1)), blob(1))

    assert len(list(store.root.glob("packs/*.pack"))) == 1


def test_nothing_is_visible_before_it_is_flushed(store):
    with store.writer() as writer:
        writer.add_small(name(blob(1)), blob(1))
        large = put_large(writer, blob(2))
        before = LocalStore.open(store.root).present()
        writer.flush()

        assert before == set()
        assert LocalStore.open(store.root).present() == {name(blob(1)), large}


def test_an_exception_keeps_what_was_complete(store):
    with pytest.raises(KeyboardInterrupt), store.writer() as writer:
        writer.add_small(name(blob(1)), blob(1))
        large = put_large(writer, blob(2))
        unfinished = writer.temp_file()
        os.write(unfinished.fd, b"half of a large")
        raise KeyboardInterrupt

    assert store.present() == {name(blob(1)), large}
    assert files(store.root / "tmp") == []


def test_a_discarded_temp_file_is_gone(store):
    with store.writer() as writer:
        temp = writer.temp_file()
        writer.discard(temp.path)
        writer.discard(temp.path)

    assert files(store.root, besides=["lock"]) == []


def test_a_pack_is_rolled_when_it_has_grown_enough(store):
    with store.writer(pack_bytes=10_000) as writer:
        digests = [name(blob(i)) for i in range(40) if writer.add_small(name(blob(i)), blob(i))]

    assert len(list(store.root.glob("packs/*.pack"))) == 4
    assert LocalStore.open(store.root).present() == set(digests)


def test_a_view_is_copied_before_its_owner_changes_it(store):
    buffer = bytearray(blob(1))
    with store.writer() as writer:
        writer.add_small(name(blob(1)), memoryview(buffer))
        buffer[:] = blob(2)

    assert store.read(name(blob(1)), verify=True) == blob(1)


def test_a_large_blob_is_a_plain_file_named_by_both_hashes(store):
    data = blob(1, SMALL_BLOB_BYTES + 1)
    with store.writer() as writer:
        digest = put_large(writer, data)

    path = store.path_of(digest)
    assert path is not None
    place = f"large/{digest.hex()[:2]}/{digest.hex()}.{fingerprint(data).hex()}"
    assert path == store.root / place
    assert path.read_bytes() == data
    assert store.size_of(digest) == len(data)
    assert store.read(digest, verify=True) == data
    with store.open_blob(digest) as stream:
        assert stream.read(10) == data[:10]


def test_a_small_blob_has_no_file_of_its_own(store):
    (digest,) = put(store, blob(1))

    assert store.path_of(digest) is None
    assert store.large(digest) is None
    assert store.open_blob(digest).read() == blob(1)


def test_many_blobs_come_back_each_once_whatever_pack_they_lie_in(store):
    first = put(store, *map(blob, range(100)))
    second = put(store, *map(blob, range(100, 200)))
    with store.writer() as writer:
        large = put_large(writer, blob(1000, 3_000_000))
    wanted = [*first[::3], *second, large, first[0]]

    found = [(digest, bytes(data)) for digest, data in store.read_many(wanted)]

    assert len(found) == len(set(wanted))
    assert dict(found).keys() == set(wanted)
    assert all(name(data) == digest for digest, data in found)


def test_blobs_of_one_pack_come_in_the_order_of_the_pack(store):
    digests = put(store, *(blob(i, 200_000) for i in range(60)))

    assert [digest for digest, _ in store.read_many(set(digests))] == digests


def test_asking_for_many_fails_before_the_first_when_one_is_missing(store):
    (digest,) = put(store, blob(1))
    absent = name(blob(2))

    with pytest.raises(ObjectMissing, match=absent.hex()):
        next(store.read_many([digest, absent]))


def test_a_missing_blob_is_an_error_that_says_where_it_is_not(store):
    absent = name(blob(1))

    for ask in (store.read, store.size_of, store.open_blob):
        with pytest.raises(ObjectMissing, match=str(store.root)):
            ask(absent)
    assert store.path_of(absent) is None


def test_a_blob_over_the_size_limit_is_not_read_into_memory(store):
    with store.writer() as writer:
        digests = [put_large(writer, blob(1, 5000)), name(blob(2, 5000))]
        writer.add_small(digests[1], blob(2, 5000))

    for digest in digests:
        assert len(store.read(digest, size_limit=5000)) == 5000
        with pytest.raises(UsageError, match="5000 bytes"):
            store.read(digest, size_limit=4999)


def test_what_another_writer_brings_is_noticed(store):
    put(store, blob(1))
    assert store.present() == {name(blob(1))}
    other = LocalStore.open(store.root)

    put(other, blob(2))
    with other.writer() as writer:
        large = put_large(writer, blob(3))

    assert store.read(name(blob(2))) == blob(2)
    assert store.size_of(large) == 1000
    assert store.missing([name(blob(2)), large, name(blob(4))]) == {name(blob(4))}
    assert store.present() == {name(blob(i)) for i in (1, 2)} | {large}


def test_one_hundred_thousand_blobs(store):
    blobs = {name(b"%d" % i): b"%d" % i for i in range(100_000)}

    with store.writer() as writer:
        for digest, data in blobs.items():
            writer.add_small(digest, data)
    again = LocalStore.open(store.root)

    assert again.present() == blobs.keys()
    assert again.missing(blobs) == set()
    assert all(again.has(digest) for digest in blobs)
    found = {digest: bytes(data) for digest, data in again.read_many(blobs)}
    assert found == blobs
    some = list(blobs)[::9973]
    assert [again.read(digest) for digest in some] == [blobs[digest] for digest in some]


def test_look_ups_by_bisection_and_by_table_agree(store):
    present = put(store, *map(blob, range(0, 400, 2)))
    absent = [name(blob(i)) for i in range(1, 400, 2)]
    again = LocalStore.open(store.root)

    for _ in range(3):
        assert [again.has(digest) for digest in present] == [True] * 200
        assert [again.has(digest) for digest in absent] == [False] * 200
    assert LocalStore.open(store.root).missing([*absent, present[0]]) == set(absent)
    assert LocalStore.open(store.root).missing([absent[0], present[0]]) == {absent[0]}


def test_many_threads_may_use_one_writer(store):
    from concurrent.futures import ThreadPoolExecutor

    with store.writer(pack_bytes=50_000) as writer, ThreadPoolExecutor(4) as pool:

        def add(number: int) -> Digest:
            if number % 10:
                writer.add_small(name(blob(number)), blob(number))
            else:
                put_large(writer, blob(number))
            return name(blob(number))

        digests = set(pool.map(add, [i % 300 for i in range(600)]))

    assert LocalStore.open(store.root).present() == digests
    assert all(error is None for _, error in store.verify())
