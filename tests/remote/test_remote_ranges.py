"""Ranged reads: exactly the bytes asked for, from no more records than hold them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.core.packindex import BlobRow
from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Spool
from dvtool.store.remote.layout import RemoteFormat, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.plan import covering, ends_of
from dvtool.store.remote.ranged import read_range
from dvtool.store.remote.remote import Remote
from tests.remote.chunkparts import CHUNKED, KIB, Metered, named, noise
from tests.remote.parts import MIB, fill, remote_at

Push = Callable[[RemoteFormat, bytes], tuple[Metered, Remote, Digest]]


@pytest.fixture
def pushed(tmp_path: Path) -> Push:
    def push(format: RemoteFormat, data: bytes) -> tuple[Metered, Remote, Digest]:
        backend = Metered(MemoryBackend())
        backend.create(layout.FORMAT_NAME, encode_format(format))
        remote = remote_at(backend, tmp_path / "cache")
        contents = named(data)
        remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))
        backend.bytes_read = 0
        return backend, remote, next(iter(contents))

    return push


@pytest.mark.parametrize(
    ("format", "size"),
    [
        (CHUNKED, 3 * MIB + 7),
        (RemoteFormat(300 * KIB, MIB), 3 * MIB + 7),
        (RemoteFormat(MIB, MIB), 3 * MIB),
        (CHUNKED, 5000),
        (CHUNKED, 0),
    ],
    ids=["chunks", "parts", "whole parts", "small", "empty"],
)
def test_any_range_is_that_of_the_blob(pushed: Push, format: RemoteFormat, size: int) -> None:
    data = noise(size)
    _, remote, digest = pushed(format, data)
    snapshot = remote.snapshot()
    source = random.Random(5)
    pairs = [sorted(source.randrange(size + 100) for _ in "ab") for _ in range(25)]

    for start, end in [(0, size), (0, 1), (max(size - 1, 0), size + 5), (size, size + 9), *pairs]:
        found = b"".join(read_range(remote, snapshot, digest, start, end))
        assert found == data[start:end], (start, end)


def test_only_the_chunks_that_cover_a_range_are_read(pushed: Push) -> None:
    backend, remote, digest = pushed(CHUNKED, noise(8 * MIB))

    found = b"".join(read_range(remote, remote.snapshot(), digest, 5 * MIB, 5 * MIB + 10))

    assert found == noise(8 * MIB)[5 * MIB : 5 * MIB + 10]
    assert backend.bytes_read <= 2 * 256 * KIB


@pytest.mark.parametrize(("start", "end"), [(5, 5), (9, 3)])
def test_an_empty_range_asks_for_nothing(pushed: Push, start: int, end: int) -> None:
    backend, remote, digest = pushed(CHUNKED, noise(MIB))
    snapshot = remote.snapshot()
    backend.reset()

    assert list(read_range(remote, snapshot, digest, start, end)) == []
    assert backend.requests == 0


def test_a_damaged_chunk_fails_the_range_that_needs_it_and_no_other(pushed: Push) -> None:
    data = noise(2 * MIB)
    backend, remote, digest = pushed(CHUNKED, data)
    objects = backend.inner.objects
    name = next(name for name in objects if data[MIB : MIB + 50] in objects[name])
    bad = bytearray(objects[name])
    bad[bad.index(data[MIB : MIB + 50])] ^= 1
    objects[name] = bytes(bad)

    snapshot = remote.snapshot()

    assert b"".join(read_range(remote, snapshot, digest, 0, 1000)) == data[:1000]
    with pytest.raises(CorruptObject, match=name):
        list(read_range(remote, snapshot, digest, MIB, MIB + 10))


def test_a_blob_that_is_not_there_is_missing(pushed: Push) -> None:
    _, remote, _ = pushed(CHUNKED, noise(MIB))

    with pytest.raises(ObjectMissing):
        list(read_range(remote, remote.snapshot(), Digest(bytes(32)), 0, 1))


def test_ends_of_fixed_parts_follow_from_their_size() -> None:
    parts = (Digest(b"p" * 32),) * 3

    assert ends_of(BlobRow(Digest(b"b" * 32), 25, parts), 10) == (10, 20, 25)
    assert ends_of(BlobRow(Digest(b"b" * 32), 30, parts), 10) == (10, 20, 30)
    assert ends_of(BlobRow(Digest(b"b" * 32), 31, parts), 10) == ()
    assert ends_of(BlobRow(Digest(b"b" * 32), 25, parts, (1, 2, 25)), 10) == (1, 2, 25)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [(0, 1, [0]), (4, 5, [0]), (5, 6, [1]), (4, 6, [0, 1]), (0, 9, [0, 1, 2]), (8, 99, [2]),
     (9, 10, []), (3, 3, []), (7, 8, [1])],
)  # fmt: skip
def test_parts_that_cover_a_range(start: int, end: int, wanted: list[int]) -> None:
    assert list(covering((5, 8, 9), start, end)) == wanted


def test_a_spool_in_memory_needs_no_place_for_a_file(tmp_path: Path) -> None:
    blocks = [bytes([number]) * 700_000 for number in range(5)]

    with Spool(tmp_path / "nowhere", hashed=False, in_memory=True) as spool:
        for block in blocks:
            spool.append(block)
        whole = b"".join(blocks)
        assert spool.size == len(whole)
        assert spool.read_at(699_999, 3) == b"\x00\x01\x01"
        assert bytes(spool.view_at(1_400_000, len(whole))) == whole[1_400_000:]
        assert b"".join(spool.blocks()) == whole
