"""Pushing and fetching: what goes in comes out, by few requests, and only what is needed."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from dvtool.errors import ObjectMissing
from dvtool.store.local import LocalStore
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Backend
from dvtool.store.remote.layout import RemoteFormat, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.push import push_blobs
from tests.remote.parts import MIB, ROOT, Counting, blobs, contents_of, fill, remote_at, text_blobs

SMALL_PARTS = encode_format(RemoteFormat(part_bytes=MIB, pack_bytes=2 * MIB))


def test_all_kinds_of_blobs_come_back_byte_for_byte(backend: Backend, tmp_path: Path) -> None:
    backend.create(layout.FORMAT_NAME, SMALL_PARTS)
    contents = {
        **blobs(0, 1, 100, 64 * 1024, MIB - 1, MIB, MIB + 1, 3 * MIB, 5 * MIB + 7),
        **text_blobs(20),
    }
    store = fill(tmp_path / "here", contents)
    remote = remote_at(backend, tmp_path / "cache")
    pushed = remote.push_blobs(remote.snapshot(), store, list(contents))

    other = remote_at(backend, tmp_path / "other-cache")
    there = LocalStore.open(tmp_path / "there")
    sizes = {digest: len(data) for digest, data in contents.items()}
    fetched = other.fetch_blobs(other.snapshot(), there, sizes)

    assert pushed.uploaded == fetched.fetched == len(contents)
    assert fetched.fetched_bytes == sum(sizes.values())
    assert contents_of(there, contents) == contents
    assert all(error is None for _, error in LocalStore.open(tmp_path / "there").verify())


def test_the_second_push_sends_nothing_by_one_request(counted: Counting, tmp_path: Path) -> None:
    contents = blobs(*[1000] * 50)
    store = fill(tmp_path / "store", contents)
    remote = remote_at(counted, tmp_path / "cache")
    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, store, list(contents))
    remote.write_root(snapshot, ROOT, new_digests=contents)
    remote.snapshot()
    counted.reset()

    again = remote.snapshot()
    result = remote.push_blobs(again, store, list(contents))
    roots = again.roots

    assert result.uploaded == result.packs == result.uploaded_bytes == 0
    assert again.missing(remote.digests_of(again, roots[0])) == set()
    assert counted.calls == {"list": 1}


def test_fetching_what_is_here_asks_for_nothing(counted: Counting, tmp_path: Path) -> None:
    contents = blobs(*[1000] * 5)
    store = fill(tmp_path / "store", contents)
    remote = remote_at(counted, tmp_path / "cache")
    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, store, list(contents))
    counted.reset()

    assert remote.fetch_blobs(snapshot, store, dict.fromkeys(contents, 1000)).fetched == 0
    assert counted.requests == 0


def test_ten_thousand_small_files_take_nine_requests_and_come_back_by_six(tmp_path: Path) -> None:
    # 64 MiB packs would make this slow; a hundredth of the size in a hundredth of the pack.
    backend = Counting(MemoryBackend())
    backend.create(layout.FORMAT_NAME, encode_format(RemoteFormat(MIB, pack_bytes=640 * 1024)))
    backend.reset()
    contents = blobs(*[102] * 10_000)
    store = fill(tmp_path / "store", contents)
    remote = remote_at(backend, tmp_path / "cache")

    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, store, list(contents))
    remote.write_root(snapshot, ROOT, new_digests=contents)

    assert backend.requests <= 9
    assert backend.calls["list"] == 1
    backend.reset()
    other = remote_at(backend, tmp_path / "other")
    there = LocalStore.open(tmp_path / "there")
    assert other.fetch_blobs(other.snapshot(), there, list(contents)).fetched == 10_000
    assert backend.requests <= 8


def test_only_new_blobs_are_sent(counted: Counting, tmp_path: Path) -> None:
    old, new = blobs(*[500] * 20, seed=1), blobs(*[700] * 3, seed=2)
    store = fill(tmp_path / "store", {**old, **new})
    remote = remote_at(counted, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), store, list(old))

    result = remote.push_blobs(remote.snapshot(), store, [*{**old, **new}])

    assert result.uploaded == 3
    assert result.raw_bytes == 3 * 700
    assert remote.snapshot().missing({**old, **new}) == set()


def test_parts_that_are_there_are_not_sent_again(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    backend.create(layout.FORMAT_NAME, SMALL_PARTS)
    first = secrets.token_bytes(4 * MIB)
    (one,) = made = _named(first)
    (two,) = longer = _named(first + b"appended")
    store = fill(tmp_path / "store", {**made, **longer})
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), store, [one])

    result = remote.push_blobs(remote.snapshot(), store, [two])

    assert result.raw_bytes == len(b"appended")
    there = LocalStore.open(tmp_path / "there")
    remote.fetch_blobs(remote.snapshot(), there, {two: len(first) + 8})
    assert contents_of(there, longer) == longer


def test_a_blob_of_equal_parts_stores_the_part_once(tmp_path: Path) -> None:
    backend = MemoryBackend()
    backend.create(layout.FORMAT_NAME, SMALL_PARTS)
    zeros = _named(bytes(6 * MIB))
    store = fill(tmp_path / "store", zeros)
    remote = remote_at(backend, tmp_path / "cache")

    remote.push_blobs(remote.snapshot(), store, list(zeros))
    there = LocalStore.open(tmp_path / "there")
    remote.fetch_blobs(remote.snapshot(), there, dict.fromkeys(zeros, 6 * MIB))

    assert sum(len(data) for data in backend.objects.values()) < 10_000
    assert contents_of(there, zeros) == zeros


def test_text_is_compressed_and_random_bytes_are_not(tmp_path: Path) -> None:
    text, noise = text_blobs(50), blobs(*[5000] * 50)
    store = fill(tmp_path / "store", {**text, **noise})
    remote = remote_at(MemoryBackend(), tmp_path / "cache")

    snapshot = remote.snapshot()
    of_text = remote.push_blobs(snapshot, store, list(text))
    of_noise = remote.push_blobs(snapshot, store, list(noise))

    assert of_text.uploaded_bytes < of_text.raw_bytes * 0.7
    assert of_noise.raw_bytes < of_noise.uploaded_bytes < of_noise.raw_bytes * 1.1


def test_two_pushes_at_once_both_arrive(tmp_path: Path) -> None:
    backend = MemoryBackend()
    mine, yours = blobs(*[900] * 30, seed=1), blobs(*[900] * 30, seed=2)
    common = blobs(*[900] * 30, seed=3)
    remotes = [remote_at(backend, tmp_path / name) for name in ("a", "b")]
    before = [remote.snapshot() for remote in remotes]

    for remote, snapshot, own in zip(remotes, before, (mine, yours), strict=True):
        store = fill(tmp_path / f"store-{len(list(tmp_path.iterdir()))}", {**own, **common})
        remote.push_blobs(snapshot, store, [*{**own, **common}])

    assert remotes[0].snapshot().missing({**mine, **yours, **common}) == set()


def test_what_is_nowhere_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    here, lost = blobs(*[100] * 3, seed=1), blobs(*[100] * 12, seed=2)
    store = fill(tmp_path / "store", here)
    remote = remote_at(backend, tmp_path / "cache")

    with pytest.raises(ObjectMissing) as caught:
        remote.push_blobs(remote.snapshot(), store, [*{**here, **lost}])

    assert f"sha256:{min(lost).hex()}" in str(caught.value)
    assert "12 objects" in str(caught.value)
    assert "and 2 more" in str(caught.value)
    assert backend.calls["create"] == 0


def test_what_the_remote_lacks_is_named_and_the_rest_is_stored(
    backend: Backend, tmp_path: Path
) -> None:
    there, lost = blobs(*[100] * 3, seed=1), blobs(*[100] * 12, seed=2)
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", there), list(there))
    fresh = LocalStore.open(tmp_path / "fresh")

    with pytest.raises(ObjectMissing) as caught:
        remote.fetch_blobs(remote.snapshot(), fresh, [*{**there, **lost}])

    assert "12 objects" in str(caught.value)
    assert f"sha256:{min(lost).hex()}" in str(caught.value)
    assert remote.url in str(caught.value)
    assert contents_of(fresh, there) == there


def test_version_in_the_middle_of_a_long_history_takes_few_requests(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    backend.create(layout.FORMAT_NAME, encode_format(RemoteFormat(MIB, pack_bytes=MIB)))
    # 400 versions, each changes 5 of 100 files; a version is the newest of each file by then.
    files = dict(enumerate(blobs(*[2000] * 100)))
    everything = blobs(*[2000] * 100)
    version_200 = {}
    remote = remote_at(backend, tmp_path / "cache")
    for version in range(1, 401):
        changed = blobs(*[2000] * 5, seed=1000 + version)
        everything.update(changed)
        files.update({(version * 5 + n) % 100: name for n, name in enumerate(changed)})
        if version == 200:
            version_200 = dict.fromkeys(files.values(), 2000)
    store = fill(tmp_path / "store", everything)
    remote.push_blobs(remote.snapshot(), store, list(everything))

    snapshot = remote.snapshot()
    touched = {at.pack for at in snapshot.locate_all(version_200).values()}
    backend.reset()
    remote.fetch_blobs(snapshot, LocalStore.open(tmp_path / "there"), version_200)

    assert backend.calls["read_range"] <= 2 * len(touched)


def test_an_index_is_written_after_so_many_packs(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    backend.create(layout.FORMAT_NAME, encode_format(RemoteFormat(MIB, pack_bytes=1000)))
    contents = blobs(*[1000] * 10)
    remote = remote_at(backend, tmp_path / "cache")

    push_blobs(
        remote,
        remote.snapshot(),
        fill(tmp_path / "store", contents),
        list(contents),
        packs_per_index=4,
    )

    kinds = [name.partition("/")[0] for call, name in backend.names if call == "create"][1:]
    assert [len(list(run)) for run in _runs(kinds, "packs")] == [4, 4, 2]
    assert kinds.count("index") == 3


def _runs(kinds: list[str], kind: str) -> list[list[str]]:
    text = "".join("p" if one == kind else " " for one in kinds)
    return [list(run) for run in text.split()]


def _named(data: bytes) -> dict:
    import hashlib

    return {hashlib.sha256(data).digest(): data}
