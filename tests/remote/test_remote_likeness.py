"""Cutting beside an earlier version: the same chunks, for less; and a version that lies is found out."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.chunking import ChunkRule, Cutter, chunks_of
from dvtool.core.digest import Digest, digest_of
from dvtool.core.packindex import BlobRow
from dvtool.store.largefiles import LargeBlob
from dvtool.store.local import LocalStore
from dvtool.store.remote import likeness
from dvtool.store.remote.layout import encode_format
from dvtool.store.remote.likeness import DoubtfulVersion, Earlier, parts_beside
from dvtool.store.remote.memory import MemoryBackend
from tests.core.strategies import law
from tests.remote.chunkparts import CHUNKED, Metered, named, noise
from tests.remote.parts import MIB, contents_of, fill, remote_at

SMALL = ChunkRule(64, 256, 1024, 1)


def cut(path: Path) -> list[bytes]:
    with path.open("rb", buffering=0) as file:
        return list(chunks_of(file, SMALL))


def earlier(path: Path, data: bytes, *, kept: bytes | None = None) -> Earlier:
    """Writes a version; `kept` is what its file really holds."""
    import xxhash

    path.write_bytes(data)
    chunks = cut(path)
    path.write_bytes(data if kept is None else kept)
    ends = [sum(map(len, chunks[: n + 1])) for n in range(len(chunks))]
    row = BlobRow(digest_of(data), len(data), tuple(map(digest_of, chunks)), tuple(ends))
    return Earlier(LargeBlob(row.digest, xxhash.xxh3_128_digest(data), path), row)


def beside(path: Path, data: bytes, old: Earlier) -> list[likeness.Part]:
    path.write_bytes(data)
    with path.open("rb", buffering=0) as file:
        return list(parts_beside(file, len(data), old, SMALL))


def edited(data: bytes, edits: list[tuple[float, int, int]], seed: int) -> bytes:
    """Returns data in which stretches were replaced: place, bytes taken out, bytes put in."""
    for place, taken, given_ in edits:
        at = int(place * len(data))
        data = data[:at] + noise(given_, seed) + data[at + taken :]
    return data


@law
@given(
    size=st.integers(1, 20_000),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 3_000), st.integers(0, 3_000)), max_size=4
    ),
    seed=st.integers(0, 2**32),
    is_dull=st.booleans(),
)
def test_chunks_are_those_of_cutting_alone(
    tmp_path_factory: pytest.TempPathFactory, size: int, edits: list, seed: int, is_dull: bool
) -> None:
    folder = tmp_path_factory.mktemp("alike")
    old = bytes(size) if is_dull else noise(size, seed)
    new = edited(old, edits, seed + 1) or b"x"

    parts = beside(folder / "new", new, earlier(folder / "old", old))

    assert [part.data for part in parts] == cut(folder / "new")
    assert all(part.name == digest_of(part.data) for part in parts)


@law
@given(st.integers(1, 20_000), st.randoms(use_true_random=False))
def test_a_cutter_goes_on_from_any_cut(
    tmp_path_factory: pytest.TempPathFactory, size: int, chance: random.Random
) -> None:
    path = tmp_path_factory.mktemp("cut") / "file"
    path.write_bytes(chance.randbytes(size))
    chunks = cut(path)

    with path.open("rb") as file:
        cutter = Cutter(file.fileno(), size, SMALL)
        starts = [sum(map(len, chunks[:number])) for number in range(len(chunks))]
        chance.shuffle(starts)
        found = {at: cutter.chunk(at) for at in starts}

    assert b"".join(found[at] for at in sorted(found)) == path.read_bytes()
    assert [found[at] for at in sorted(found)] == chunks


def test_most_of_an_edited_version_is_only_compared(tmp_path: Path) -> None:
    old = noise(100_000)
    new = old[:40_000] + b"inserted" + old[40_000:] + noise(500, 2)

    parts = beside(tmp_path / "new", new, earlier(tmp_path / "old", old))

    hashed = [part for part in parts if not part.is_compared]
    assert len(parts) > 250
    assert len(hashed) <= 8


def test_an_older_version_that_rots_is_doubted(tmp_path: Path) -> None:
    old = noise(100_000)
    rotten = old[:70_000] + b"rot" + old[70_003:]

    with pytest.raises(DoubtfulVersion):
        beside(tmp_path / "new", rotten, earlier(tmp_path / "old", old, kept=rotten))


@pytest.mark.parametrize("change", [lambda old: old[:-1], lambda old: old + b"x"])
def test_an_older_version_that_changed_its_size_is_doubted(tmp_path: Path, change) -> None:
    old = noise(10_000)

    with pytest.raises(DoubtfulVersion):
        beside(tmp_path / "new", old + b"new", earlier(tmp_path / "old", old, kept=change(old)))


def test_a_row_with_a_wrong_name_is_doubted(tmp_path: Path) -> None:
    old = earlier(tmp_path / "old", noise(10_000))
    wrong = (Digest(bytes(32)), *old.row.parts[1:])
    old = old._replace(row=old.row._replace(parts=wrong))

    with pytest.raises(DoubtfulVersion):
        beside(tmp_path / "new", noise(10_000), old)


def test_a_version_that_rots_here_does_no_harm_to_the_next_push(tmp_path: Path) -> None:
    backend = Metered(MemoryBackend())
    backend.create("dvtool.json", encode_format(CHUNKED))
    remote = remote_at(backend, tmp_path / "cache")
    data = noise(3 * MIB)
    rotten = data[:MIB] + b"rot" + data[MIB + 3 :]
    old, new = named(data), named(rotten)
    store = fill(tmp_path / "here", {**old, **new})
    remote.push_blobs(remote.snapshot(), store, list(old))
    path = store.path_of(*old)
    path.chmod(0o600)
    path.write_bytes(rotten)

    remote.push_blobs(remote.snapshot(), store, list(new))

    there = LocalStore.open(tmp_path / "there")
    remote.fetch_blobs(remote.snapshot(), there, [*old, *new])
    assert contents_of(there, {**old, **new}) == {**old, **new}


def test_two_versions_of_one_push_are_compared_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Metered(MemoryBackend())
    backend.create("dvtool.json", encode_format(CHUNKED))
    names: list[Digest] = []
    real = likeness.parts_beside

    def noted(file, size, old, rule):
        names.append(old.row.digest)
        return real(file, size, old, rule)

    monkeypatch.setattr("dvtool.store.remote.push.parts_beside", noted)
    contents = named(noise(2 * MIB), noise(2 * MIB) + b"more")
    first = min(contents)

    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), fill(tmp_path / "here", contents), list(contents))

    assert names == [first]
