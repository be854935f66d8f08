"""What reading costs: bytes near the range, few requests, bounded memory, and proof at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.ops import blobreader
from dvtool.ops.blobreader import BlobReader
from dvtool.store.local import LocalStore
from dvtool.store.remote.layout import FORMAT_NAME, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.remote import Remote
from tests.remote.chunkparts import CHUNKED, KIB, Metered, named, noise
from tests.remote.parts import MIB, fill, remote_at

SIZE = 12 * MIB


class World:
    """One blob at a remote whose reads are counted, and an empty store."""

    def __init__(self, folder: Path, data: bytes) -> None:
        self.data = data
        self.backend = Metered(MemoryBackend())
        self.backend.create(FORMAT_NAME, encode_format(CHUNKED))
        self.remote: Remote = remote_at(self.backend, folder / "cache")
        contents = named(data)
        (self.digest,) = contents
        self.here = fill(folder / "here", contents)
        self.remote.push_blobs(self.remote.snapshot(), self.here, list(contents))
        self.store = LocalStore.open(folder / "there")
        self.snapshot = self.remote.snapshot()
        self.looks = 0
        self.backend.reset()
        self.backend.bytes_read = 0

    def look(self, anew: bool) -> tuple[Remote, object]:
        self.looks += 1
        return self.remote, self.remote.snapshot() if anew else self.snapshot

    def reader(self, *, digest: Digest | None = None, size: int = 0) -> BlobReader:
        return BlobReader(digest or self.digest, size or len(self.data), self.store, self.look)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, noise(SIZE))


def test_a_range_brings_little_more_than_itself(world: World) -> None:
    found = world.reader().read(5 * MIB, 7 * MIB)

    assert found == world.data[5 * MIB : 7 * MIB]
    assert world.backend.bytes_read <= 1.3 * 2 * MIB


def test_the_first_byte_costs_one_request(world: World) -> None:
    assert world.reader().read(0, 1) == world.data[:1]

    assert world.backend.requests == 1
    assert world.backend.bytes_read <= 512 * KIB


def test_reading_on_in_small_steps_brings_each_chunk_once_by_few_requests(world: World) -> None:
    reader = world.reader()
    step = 64 * KIB

    found = b"".join(reader.read(at, at + step) for at in range(0, SIZE, step))

    assert found == world.data
    assert world.backend.bytes_read <= 1.05 * SIZE
    # Twice as far ahead each time, and packs of a MiB end a request: not one for each of 192 reads.
    assert world.backend.requests <= 40


def test_jumping_about_reads_nothing_ahead(world: World) -> None:
    reader = world.reader()

    for at in (9, 3, 7, 1, 5):
        assert reader.read(at * MIB, at * MIB + 10) == world.data[at * MIB : at * MIB + 10]

    assert world.backend.bytes_read <= 5 * 512 * KIB


def test_what_is_held_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobreader, "KEPT_BYTES", 2 * MIB)
    reader = world.reader()

    for at in range(0, SIZE, MIB):
        assert reader.read(at, at + MIB) == world.data[at : at + MIB]
        assert reader.held_bytes <= 2 * MIB

    assert reader.held_bytes > 0


def test_a_blob_of_the_store_asks_nobody(world: World) -> None:
    world.store = world.here

    assert world.reader().read(MIB, 2 * MIB) == world.data[MIB : 2 * MIB]
    assert world.looks == 0


def test_a_whole_read_is_proven(world: World) -> None:
    path = world.here.path_of(world.digest)
    assert path is not None
    path.chmod(0o600)
    path.write_bytes(noise(SIZE, 9))
    world.store = world.here

    with pytest.raises(CorruptObject, match="does not match its name"):
        world.reader().read(0, SIZE)


def test_a_size_that_the_index_does_not_have_is_told(world: World) -> None:
    with pytest.raises(CorruptObject, match="expected 1048576"):
        world.reader(size=MIB).read(5, 10)


def test_a_blob_that_is_nowhere_is_told_after_a_second_look(world: World) -> None:
    with pytest.raises(ObjectMissing):
        world.reader(digest=Digest(bytes(32))).read(5, 10)

    assert world.looks == 2


def test_small_blobs_are_read_too(tmp_path: Path) -> None:
    small = World(tmp_path, b"0123456789")

    assert small.reader().read(2, 5) == b"234"
    assert small.reader().read(0, 10) == b"0123456789"
    assert small.reader().read(8, 99) == b"89"
    assert small.reader().read(10, 99) == b""
