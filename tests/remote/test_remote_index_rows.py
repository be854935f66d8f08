"""What indexes say, as rows and as Parquet; and reading a sample of a remote."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dvtool.core.digest import Digest
from dvtool.core.pack import scan_pack
from dvtool.store.remote.layout import NEW_REMOTE, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.remote import Remote
from dvtool.store.remote.rows import count_rows, write_parquet
from dvtool.store.remote.verify import read_sample
from tests.remote.parts import MIB, ROOT, blobs, fill, remote_at, text_blobs


@pytest.fixture
def contents() -> dict[Digest, bytes]:
    return blobs(5 * MIB, 900, 800) | text_blobs(7)


@pytest.fixture
def remote(tmp_path: Path, contents: dict[Digest, bytes]) -> Remote:
    backend = MemoryBackend()
    backend.create("dvtool.json", encode_format(NEW_REMOTE))
    remote = remote_at(backend, tmp_path / "cache")
    snapshot = remote.snapshot(leaning=True)
    remote.push_blobs(snapshot, fill(tmp_path / "store", contents), list(contents))
    remote.write_root(snapshot, replace(ROOT, commit="11" * 20), new_digests=contents)
    return remote


def test_every_row_stands_in_the_file_with_what_is_known_of_it(
    remote: Remote, contents: dict[Digest, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"

    written = write_parquet(remote.snapshot(), path)

    rows = pq.read_table(path).to_pylist()
    assert len(rows) == written
    by_digest = {row["digest"]: row for row in rows}
    (large,) = [digest for digest, data in contents.items() if len(data) > 2 * MIB]
    kinds = Counter(row["kind"] for row in rows)
    assert kinds["large"] == 1
    assert kinds["blob"] == len(contents) - 1 + 1  # the segment of the root is a blob too
    top = by_digest[large.hex()]
    assert (top["size"], top["pack"], top["sound"]) == (5 * MIB, None, True)
    chunks = [by_digest[name] for name in top["chunks"]]
    assert {row["kind"] for row in chunks} == {"chunk"}
    assert sum(row["size"] for row in chunks) == 5 * MIB
    assert {row["codec"] for row in chunks} == {"raw"}
    # Packs say themselves what is in them.
    for name in {row["pack"] for row in rows} - {None}:
        pack = remote.backend.objects[name]
        places = {
            record.digest.hex(): offset
            for record, offset in scan_pack(pack)
            if record.codec in (0, 1)
        }
        assert places == {row["digest"]: row["offset"] for row in rows if row["pack"] == name}


def test_counts_say_what_is_there_and_what_is_alive(
    remote: Remote, contents: dict[Digest, bytes]
) -> None:
    packs = [data for name, data in remote.backend.objects.items() if name.startswith("packs/")]

    counts = count_rows(remote, remote.snapshot(), live=True)

    assert (counts.packs, counts.pack_bytes) == (len(packs), sum(map(len, packs)))
    assert counts.large_blobs == 1
    assert counts.records == counts.chunks + len(contents)
    assert counts.rows == counts.records
    assert (counts.damaged, counts.condemned) == (0, 0)
    assert counts.live_share is not None
    assert 0.99 < counts.live_share < 1


def test_an_empty_remote_gives_an_empty_file(tmp_path: Path) -> None:
    remote = remote_at(MemoryBackend(), tmp_path / "cache")

    assert write_parquet(remote.snapshot(), tmp_path / "rows.parquet") == 0
    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 0
    assert count_rows(remote, remote.snapshot(), live=True).live_share is None


@pytest.mark.parametrize(("share", "expected"), [(0.01, 1), (0.07, 7), (0.5, 50), (0.555, 56)])
def test_a_sample_has_exactly_its_share_of_the_records_rounded_up(
    tmp_path: Path, share: float, expected: int
) -> None:
    remote = small_remote(tmp_path)

    drawn = read_sample(remote, remote.snapshot(), share=share, seed=1, jobs=2)

    assert (drawn.checked, drawn.records, drawn.damaged) == (expected, 100, {})


def test_a_seed_draws_its_sample_again_and_samples_find_damage_at_their_share(
    tmp_path: Path,
) -> None:
    remote = small_remote(tmp_path)
    (name,) = [name for name in remote.backend.objects if name.startswith("packs/")]
    data = bytearray(remote.backend.objects[name])
    for record, offset in list(scan_pack(bytes(data)))[:40]:  # 40 of 100 records
        if record.stored:
            data[offset + 64] ^= 1
    remote.backend.objects[name] = bytes(data)

    found = [
        set(read_sample(remote, remote.snapshot(), share=0.25, seed=seed, jobs=2).damaged)
        for seed in (*range(30), 0)
    ]

    assert found[0] == found[-1]
    assert len({frozenset(one) for one in found}) > 20
    # 30 draws of 25 without replacement: mean 10, standard error 0.39.
    assert 8 < sum(map(len, found[:30])) / 30 < 12


def test_a_sample_reads_few_bytes(tmp_path: Path) -> None:
    remote = small_remote(tmp_path, size=300_000)
    read: list[int] = []
    inner = remote.backend.read_range

    class Measuring(MemoryBackend):
        def read_range(self, name: str, start: int, end: int, sink: object) -> None:
            read.append(end - start)
            inner(name, start, end, sink)  # type: ignore[arg-type]

    measuring = Measuring()
    measuring.objects = remote.backend.objects
    measuring._modified_s = remote.backend._modified_s
    remote.backend = measuring

    read_sample(remote, remote.snapshot(), share=0.05, seed=3, jobs=2)

    assert sum(read) < 0.12 * 100 * 300_000


def small_remote(tmp_path: Path, size: int = 500) -> Remote:
    backend = MemoryBackend()
    backend.create("dvtool.json", encode_format(NEW_REMOTE))
    remote = remote_at(backend, tmp_path / "cache")
    contents = blobs(*range(size, size + 100))
    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))
    return remote
