"""What the store does about damage: it tells, it heals, it never returns wrong bytes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.local import LocalStore
from tests.store.blobs import (
    HEAD,
    PACK_HEAD,
    blob,
    damage,
    files,
    fingerprint,
    name,
    only,
    put,
    put_large,
)

RECORD = HEAD + 1000


@pytest.fixture
def digests(tmp_path: Path) -> list[Digest]:
    """Ten blobs of 1,000 bytes, in one pack."""
    return put(LocalStore.open(tmp_path / "store"), *map(blob, range(10)))


@pytest.fixture
def store(tmp_path: Path, digests: list[Digest]) -> LocalStore:
    return LocalStore.open(tmp_path / "store")


def test_an_altered_blob_is_an_error_and_its_neighbours_are_not(store, digests):
    damage(only(store.root, "packs/*.pack"), PACK_HEAD + 3 * RECORD + HEAD + 500)

    with pytest.raises(CorruptObject, match=digests[3].hex()):
        store.read(digests[3])
    assert store.read(digests[4]) == blob(4)


@pytest.mark.parametrize("at", [0, 31, 32, 40, 48, 56, HEAD, RECORD - 1])
def test_a_bit_flipped_anywhere_in_a_record_is_noticed_by_every_reader(store, digests, at):
    damage(only(store.root, "packs/*.pack"), PACK_HEAD + 3 * RECORD + at)

    with pytest.raises(CorruptObject):
        store.read(digests[3])
    with pytest.raises(CorruptObject):
        list(store.read_many(digests))
    assert isinstance(dict(store.verify())[digests[3]], CorruptObject)


def test_reading_many_yields_all_that_is_sound_before_it_complains(store, digests):
    pack = only(store.root, "packs/*.pack")
    damage(pack, PACK_HEAD + 3 * RECORD + HEAD)
    damage(pack, PACK_HEAD + 7 * RECORD + HEAD)

    found = []
    with pytest.raises(CorruptObject, match="2 objects damaged") as caught:
        found.extend(digest for digest, _ in store.read_many(digests))

    assert found == [one for i, one in enumerate(digests) if i not in (3, 7)]
    assert digests[3].hex() in str(caught.value)
    assert digests[7].hex() in str(caught.value)


def test_adding_a_damaged_blob_again_heals_it(store, digests):
    damage(only(store.root, "packs/*.pack"), PACK_HEAD + 3 * RECORD + HEAD)

    with store.writer() as writer:
        assert writer.add_small(digests[3], blob(3))

    for view in (store, LocalStore.open(store.root)):
        assert view.read(digests[3]) == blob(3)
        assert len(list(view.read_many(digests))) == 10
        assert all(error is None for _, error in view.verify())


def test_a_dropped_blob_is_missing_can_be_added_again_and_stays_away_from_a_rebuilt_index(
    store, digests
):
    damage(only(store.root, "packs/*.pack"), PACK_HEAD + 3 * RECORD + HEAD)

    assert store.drop(digests[3])

    only(store.root, "packs/*.idx").unlink()
    again = LocalStore.open(store.root)
    assert store.missing(digests) == again.missing(digests) == {digests[3]}
    put(again, blob(3))
    assert store.read(digests[3]) == blob(3)


def test_a_sound_blob_is_never_dropped(store, digests):
    with store.writer() as writer:
        large = put_large(writer, blob(20))

    assert not store.drop(digests[3])
    assert not store.drop(large)

    assert store.missing([*digests, large]) == set()


def test_a_lost_index_is_built_again_and_kept(store, digests):
    only(store.root, "packs/*.idx").unlink()

    assert store.present() == set(digests)
    assert store.read(digests[9]) == blob(9)
    assert only(store.root, "packs/*.idx").stat().st_size > 0


@pytest.mark.parametrize("length", [0, 1, 1000, 1500])
def test_an_index_cut_off_is_built_again(store, digests, length):
    index = only(store.root, "packs/*.idx")
    index.chmod(0o644)
    os.truncate(index, length)

    assert store.present() == set(digests)
    assert LocalStore.open(store.root).read(digests[0]) == blob(0)


def test_a_rebuilt_index_equals_the_lost_one(store, digests):
    index = only(store.root, "packs/*.idx")
    before = index.read_bytes()
    damage(index, 1100)

    store.present()

    assert index.read_bytes() == before


def test_an_index_of_another_pack_is_not_believed(store, digests):
    index = only(store.root, "packs/*.idx")
    other = LocalStore.open(store.root.with_name("other"))
    put(other, *map(blob, range(100, 110)))
    index.unlink()
    shutil.copy(only(other.root, "packs/*.idx"), index)

    assert store.present() == set(digests)


@pytest.mark.parametrize("cut", [1, HEAD, HEAD + 1, HEAD + RECORD, 5 * RECORD])
def test_a_pack_cut_off_keeps_what_comes_before(store, digests, cut):
    pack = only(store.root, "packs/*.pack")
    size = pack.stat().st_size
    pack.chmod(0o644)
    os.truncate(pack, size - cut)

    kept = [digests[i] for i in range(10) if PACK_HEAD + (i + 1) * RECORD <= size - cut]
    assert store.present() == set(kept)
    assert [bytes(data) for _, data in store.read_many(kept)] == list(map(blob, range(len(kept))))
    assert LocalStore.open(store.root).missing(digests) == set(digests) - set(kept)


@pytest.mark.parametrize("length", [0, 5, PACK_HEAD, PACK_HEAD + 10])
def test_a_pack_with_nothing_left_is_an_empty_one(store, digests, length):
    pack = only(store.root, "packs/*.pack")
    pack.chmod(0o644)
    os.truncate(pack, length)

    assert store.missing(digests) == set(digests)
    with pytest.raises(ObjectMissing):
        store.read(digests[0])


def test_a_pack_cut_off_while_in_use_is_an_error_and_no_crash(store, digests):
    assert store.has(digests[9])
    pack = only(store.root, "packs/*.pack")
    pack.chmod(0o644)
    os.truncate(pack, PACK_HEAD + 5 * RECORD + 7)

    with pytest.raises(CorruptObject):
        store.read(digests[9])
    found = []
    with pytest.raises(CorruptObject, match="5 objects"):
        found.extend(store.read_many(digests))
    assert len(found) == 5


def test_a_pack_that_vanishes_is_missing_and_no_crash(store, digests):
    assert store.has(digests[0])
    only(store.root, "packs/*.pack").unlink()

    with pytest.raises(ObjectMissing):
        store.read(digests[0])
    assert store.present() == set()


def test_a_damaged_head_hides_what_follows_only_without_an_index(store, digests):
    damage(only(store.root, "packs/*.pack"), PACK_HEAD + 3 * RECORD + 41)
    assert store.read(digests[9]) == blob(9)

    only(store.root, "packs/*.idx").unlink()

    assert LocalStore.open(store.root).present() == set(digests[:3])


def test_foreign_files_among_the_packs_are_ignored(store, digests):
    (store.root / "packs" / "README").write_text("hello")
    (store.root / "packs" / "xyz.pack").write_bytes(b"DVTPACK1")
    (store.root / "packs" / f"{'0' * 32}.idx").write_bytes(b"an index without its pack")

    assert store.present() == set(digests)


def test_a_pack_of_a_newer_format_is_left_alone(store, digests):
    pack = only(store.root, "packs/*.pack")
    damage(pack, 8)
    index = only(store.root, "packs/*.idx")
    index.unlink()

    store.present()

    assert not index.exists()


def test_verify_tells_of_every_blob(store, digests):
    with store.writer() as writer:
        large = put_large(writer, blob(20))

    assert dict(store.verify()) == dict.fromkeys([*digests, large])
    assert dict(store.verify([digests[1], large])) == dict.fromkeys([digests[1], large])
    assert isinstance(dict(store.verify([name(b"no")]))[name(b"no")], ObjectMissing)


def test_verify_proves_by_sha256_what_a_record_only_claims(store):
    wrong = name(blob(31))
    with store.writer() as writer:
        writer.add_small(wrong, blob(30))
        temp = writer.temp_file()
        os.write(temp.fd, blob(32))
        writer.adopt(temp.path, name(blob(33)), fingerprint(blob(32)))

    found = dict(store.verify())

    assert isinstance(found[wrong], CorruptObject)
    assert isinstance(found[name(blob(33))], CorruptObject)
    with pytest.raises(CorruptObject):
        store.read(wrong, verify=True)


def test_an_altered_large_blob_is_an_error_and_is_moved_aside_when_dropped(store):
    with store.writer() as writer:
        digest = put_large(writer, blob(20))
    path = store.path_of(digest)
    damage(path, 500)

    with pytest.raises(CorruptObject, match=digest.hex()):
        store.read(digest)
    assert isinstance(dict(store.verify())[digest], CorruptObject)
    assert store.drop(digest)

    assert store.missing([digest]) == {digest}
    assert files(store.root / "damaged") == [path.name]


def test_a_large_file_that_vanishes_is_missing(store):
    with store.writer() as writer:
        digest = put_large(writer, blob(20))
    store.path_of(digest).unlink()

    assert store.path_of(digest) is None
    with pytest.raises(ObjectMissing):
        store.read(digest)


def test_adopting_a_damaged_large_blob_again_heals_it(store):
    with store.writer() as writer:
        digest = put_large(writer, blob(20))
    damage(store.path_of(digest), 500)

    with store.writer() as writer:
        put_large(writer, blob(20))

    assert store.read(digest, verify=True) == blob(20)


def test_temp_files_are_ignored_and_removed_when_old_and_nobody_holds_them(store):
    temp = store.root / "tmp"
    old, young = temp / "old.pack", temp / "young.pack"
    for path in (old, young):
        path.write_bytes(b"half a pack")
    os.utime(old, (0, 0))
    with store.writer() as other:
        held = other.temp_file()
        os.utime(held.path, (0, 0))

        put(store, blob(50))

        assert files(temp) == sorted(["young.pack", held.path.name])
