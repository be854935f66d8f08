"""Damage at the remote: found, named, never accepted, and put right where a good copy exists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing
from dvtool.store.local import LocalStore
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Backend
from dvtool.store.remote.layout import RemoteFormat, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.remote import Remote
from tests.remote.parts import MIB, ROOT, blobs, contents_of, fill, remote_at

Reach = Callable[[Backend, str, bytes | None], None]


@pytest.fixture
def pushed(backend: Backend, tmp_path: Path) -> tuple[Remote, LocalStore, dict[Digest, bytes]]:
    """A remote with a hundred small blobs in one pack."""
    contents = blobs(*[1000] * 100)
    store = fill(tmp_path / "store", contents)
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), store, list(contents))
    return remote, store, contents


def the_only(remote: Remote, kind: str) -> str:
    (name,) = [name for name in remote.backend.list() if name.startswith(kind)]
    return name


def fetch_all(remote: Remote, tmp_path: Path, contents: dict[Digest, bytes]) -> LocalStore:
    fresh = LocalStore.open(tmp_path / "fresh")
    remote.fetch_blobs(remote.snapshot(), fresh, {d: len(b) for d, b in contents.items()})
    return fresh


def test_an_altered_record_is_named_and_the_rest_arrives(pushed, reach: Reach, tmp_path) -> None:
    remote, _, contents = pushed
    name = the_only(remote, "packs/")
    data = bytearray(remote.backend.read(name, size_limit=MIB))
    victim = next(iter(contents))
    at = data.index(contents[victim])
    data[at + 500] ^= 1
    reach(remote.backend, name, bytes(data))

    with pytest.raises(CorruptObject) as caught:
        fetch_all(remote, tmp_path, contents)

    assert f"sha256:{victim.hex()}" in str(caught.value)
    assert name in str(caught.value)
    fresh = LocalStore.open(tmp_path / "fresh")
    assert fresh.missing(contents) == {victim}
    kept = {digest: data for digest, data in contents.items() if digest != victim}
    assert contents_of(fresh, kept) == kept


def test_a_record_with_bytes_and_checksum_of_another_is_refused(tmp_path: Path) -> None:
    from dvtool.core.pack import Packer

    backend = MemoryBackend()
    contents = blobs(1000, 1000)
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))
    name = the_only(remote, "packs/")
    first, second = contents
    forged = b"".join(Packer(compress=False).record(first, contents[second]))
    data = backend.objects[name]
    at = data.index(first)
    backend.objects[name] = data[:at] + forged + data[at + len(forged) :]

    with pytest.raises(CorruptObject, match=f"sha256:{first.hex()}"):
        fetch_all(remote, tmp_path, contents)

    assert LocalStore.open(tmp_path / "fresh").missing(contents) == {first}


def test_a_truncated_pack_is_damage_and_nothing_of_it_counts_as_present(
    pushed, reach: Reach, tmp_path
) -> None:
    remote, _, contents = pushed
    name = the_only(remote, "packs/")
    reach(remote.backend, name, remote.backend.read(name, size_limit=MIB)[:-1000])

    snapshot = remote.snapshot()
    with pytest.raises(CorruptObject, match=f"{name} has .* bytes, expected"):
        fetch_all(remote, tmp_path, contents)

    assert snapshot.missing(contents) == set(contents)
    assert any(name in line for line in snapshot.damaged)
    assert LocalStore.open(tmp_path / "fresh").missing(contents) == set(contents)


def test_a_deleted_pack_is_missing_and_a_push_brings_it_back(
    pushed, reach: Reach, tmp_path
) -> None:
    remote, store, contents = pushed
    name = the_only(remote, "packs/")
    reach(remote.backend, name, None)

    with pytest.raises(ObjectMissing, match=f"{name} is gone"):
        fetch_all(remote, tmp_path, contents)
    result = remote.push_blobs(remote.snapshot(), store, list(contents))

    assert result.uploaded == 100
    assert contents_of(fetch_all(remote, tmp_path, contents), contents) == contents


def test_a_pack_deleted_after_the_listing_is_missing(pushed, reach: Reach, tmp_path) -> None:
    remote, _, contents = pushed
    snapshot = remote.snapshot()
    reach(remote.backend, the_only(remote, "packs/"), None)

    with pytest.raises(ObjectMissing, match="100 objects"):
        remote.fetch_blobs(snapshot, LocalStore.open(tmp_path / "fresh"), list(contents))


@pytest.mark.parametrize("cache", ["cached", "never read"])
@pytest.mark.parametrize("damage", ["cut", "altered", "deleted"])
def test_a_damaged_index_hides_its_blobs_and_a_push_brings_them_back(
    pushed, reach: Reach, tmp_path, cache: str, damage: str
) -> None:
    remote, store, contents = pushed
    name = the_only(remote, "index/")
    data = bytearray(remote.backend.read(name, size_limit=MIB))
    data[2000] ^= 1
    new = {"cut": bytes(data[:-7]), "altered": bytes(data), "deleted": None}[damage]
    reach(remote.backend, name, new)
    if cache == "never read":
        remote = remote_at(remote.backend, tmp_path / "other-cache")

    snapshot = remote.snapshot()
    if (cache, damage) == ("cached", "altered"):
        # Same size, and this clone knows the true bytes: nothing is lost for it.
        assert snapshot.missing(contents) == set()
        return
    kind = ObjectMissing if damage == "deleted" else CorruptObject
    with pytest.raises(kind):
        fetch_all(remote, tmp_path, contents)
    remote.push_blobs(snapshot, store, list(contents))

    assert contents_of(fetch_all(remote, tmp_path, contents), contents) == contents


def test_another_copy_is_used_where_one_is_damaged(tmp_path: Path) -> None:
    backend = MemoryBackend()
    contents = blobs(*[1000] * 10)
    store = fill(tmp_path / "store", contents)
    for cache in ("a", "b"):
        # Neither of two pushes at once sees the other.
        remote = remote_at(backend, tmp_path / cache)
        hidden, backend.objects = backend.objects, {}
        remote.push_blobs(remote.snapshot(), store, list(contents))
        backend.objects.update(hidden)
    _alter_each_first_record(backend, contents)

    fresh = fetch_all(remote_at(backend, tmp_path / "c"), tmp_path, contents)

    assert contents_of(fresh, contents) == contents


def _alter_each_first_record(backend: MemoryBackend, contents: dict[Digest, bytes]) -> None:
    victims = iter(contents)
    for name in [name for name in backend.objects if name.startswith("packs/")]:
        data = bytearray(backend.objects[name])
        data[data.index(contents[next(victims)]) + 9] ^= 255
        backend.objects[name] = bytes(data)


def test_reading_all_data_finds_damage_and_replacing_heals_it(
    pushed, reach: Reach, tmp_path
) -> None:
    remote, store, contents = pushed
    name = the_only(remote, "packs/")
    data = bytearray(remote.backend.read(name, size_limit=MIB))
    victims = sorted(contents)[:3]
    for victim in victims:
        data[data.index(contents[victim])] ^= 1
    reach(remote.backend, name, bytes(data))

    snapshot = remote.snapshot()
    checked, damaged = remote.read_data(snapshot)
    replaced = remote.replace_damaged(snapshot, store, damaged)

    assert (checked, sorted(damaged)) == (100, victims)
    assert all(name in str(error) for error in damaged.values())
    assert replaced.uploaded == 3
    assert remote.read_data(remote.snapshot()) == (100, {})
    assert contents_of(fetch_all(remote, tmp_path, contents), contents) == contents


def test_a_damaged_part_is_found_under_its_blob_and_replaced(tmp_path: Path) -> None:
    backend = MemoryBackend()
    backend.create(layout.FORMAT_NAME, encode_format(RemoteFormat(MIB, pack_bytes=2 * MIB)))
    contents = blobs(4 * MIB + 5)
    ((digest, whole),) = contents.items()
    store = fill(tmp_path / "store", contents)
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), store, list(contents))
    name = next(
        name for name in backend.objects if whole[2 * MIB : 2 * MIB + 50] in backend.objects[name]
    )
    data = bytearray(backend.objects[name])
    data[data.index(whole[2 * MIB : 2 * MIB + 50])] ^= 1
    backend.objects[name] = bytes(data)

    with pytest.raises(CorruptObject, match=name):
        fetch_all(remote, tmp_path, contents)
    assert LocalStore.open(tmp_path / "fresh").missing(contents) == {digest}
    assert list((tmp_path / "fresh" / "tmp").iterdir()) == []
    snapshot = remote.snapshot()
    _, damaged = remote.read_data(snapshot)
    replaced = remote.replace_damaged(snapshot, store, damaged)

    assert list(damaged) == [digest]
    assert replaced.raw_bytes == MIB
    assert contents_of(fetch_all(remote, tmp_path, contents), contents) == contents


def test_sound_parts_in_a_wrong_list_are_refused(tmp_path: Path) -> None:
    from hashlib import sha256

    from dvtool.core.packindex import BlobRow, encode_index, parse_index

    backend = MemoryBackend()
    backend.create(layout.FORMAT_NAME, encode_format(RemoteFormat(MIB, pack_bytes=8 * MIB)))
    contents = blobs(3 * MIB)
    (digest,) = contents
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))
    name = the_only(remote, "index/")
    index = parse_index(backend.objects.pop(name))
    (row,) = index.blob_rows()
    swapped = BlobRow(digest, row.size, (row.parts[1], row.parts[0], row.parts[2]))
    forged = encode_index(index.packs, index.rows(), [swapped])
    backend.create(layout.index_name(sha256(forged).digest()), forged)

    with pytest.raises(CorruptObject, match="together they are not the object"):
        fetch_all(remote, tmp_path, contents)

    assert LocalStore.open(tmp_path / "fresh").missing(contents) == {digest}


def test_a_damaged_local_blob_is_not_pushed(tmp_path: Path) -> None:
    backend = MemoryBackend()
    contents = blobs(1000, 3 * MIB)
    _small, large = contents
    store = fill(tmp_path / "store", contents)
    path = store.path_of(large)
    assert path is not None
    path.chmod(0o644)
    path.write_bytes(bytes(3 * MIB))
    remote = remote_at(backend, tmp_path / "cache")

    with pytest.raises(CorruptObject, match=f"sha256:{large.hex()}"):
        remote.push_blobs(remote.snapshot(), store, list(contents))

    assert large in remote.snapshot().missing(contents)


def test_a_root_whose_segment_is_damaged_proves_nothing(tmp_path: Path) -> None:
    backend = MemoryBackend()
    contents = blobs(*[100] * 50)
    remote = remote_at(backend, tmp_path / "cache")
    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, fill(tmp_path / "store", contents), list(contents))
    root = remote.write_root(snapshot, ROOT, new_digests=contents)
    segment = root.segments[0].digest
    for name, data in list(backend.objects.items()):
        if name.startswith("packs/") and segment in data:
            at = data.index(segment) + 64
            backend.objects[name] = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    other = remote_at(backend, tmp_path / "other-cache")
    fresh = other.snapshot()
    found = other.digests_of(fresh, root)

    assert fresh.missing(found) == {segment}


@pytest.mark.parametrize("text", [b"", b"{}", b"[" * 30_000, b'{"format": 1}', b"\xff"])
def test_a_place_that_is_not_ours_is_refused(tmp_path: Path, text: bytes) -> None:
    backend = MemoryBackend()
    backend.create(layout.FORMAT_NAME, text)

    with pytest.raises(DvtoolError, match="not that of a dvtool remote"):
        remote_at(backend, tmp_path).snapshot()


def test_a_newer_format_is_refused_with_a_hint(tmp_path: Path) -> None:
    backend = MemoryBackend()
    text = encode_format(RemoteFormat()).replace(b'"features": []', b'"features": ["cdc"]')
    backend.create(layout.FORMAT_NAME, text)

    with pytest.raises(DvtoolError, match="cdc") as caught:
        remote_at(backend, tmp_path).snapshot()

    assert "upgrade" in caught.value.hint


def test_strangers_files_beside_ours_do_no_harm(tmp_path: Path) -> None:
    backend = MemoryBackend()
    for name in ("README.md", "index/notes.idx", "packs/zz/x.pack", "roots/x", "index/../../etc"):
        backend.create(name, b"?")
    contents = blobs(10)
    remote = remote_at(backend, tmp_path / "cache")

    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))

    assert remote.snapshot().damaged == ()
    assert contents_of(fetch_all(remote, tmp_path, contents), contents) == contents
