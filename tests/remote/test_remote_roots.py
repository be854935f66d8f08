"""Roots: what a push writes down is complete, shared with what was there, and never a lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dvtool.core.roots import Root, encode_root, parse_root
from dvtool.errors import ObjectMissing
from dvtool.store.remote.backend import Backend
from dvtool.store.remote.memory import MemoryBackend
from tests.remote.parts import ROOT, Counting, blobs, fill, remote_at


def test_a_root_holds_all_it_was_given_and_is_read_back(backend: Backend, tmp_path: Path) -> None:
    contents = blobs(*[100] * 40)
    remote = remote_at(backend, tmp_path / "cache")
    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, fill(tmp_path / "store", contents), list(contents))
    remote.write_root(snapshot, ROOT, new_digests=contents)

    other = remote_at(backend, tmp_path / "other-cache")
    fresh = other.snapshot()
    (root,) = fresh.roots

    assert replace(root, segments=()) == ROOT
    segments = {segment.digest for segment in root.segments}
    assert other.digests_of(fresh, root) == set(contents) | segments
    assert fresh.missing(other.digests_of(fresh, root)) == set()


def test_a_later_root_shares_the_large_segments_and_merges_the_small_ones(tmp_path: Path) -> None:
    remote = remote_at(MemoryBackend(), tmp_path / "cache")
    snapshot = remote.snapshot()
    all_contents: dict[bytes, bytes] = {}
    roots: list[Root] = []
    for number, count in enumerate((100, 10, 10, 10)):
        contents = blobs(*[50] * count, seed=number)
        all_contents |= contents
        remote.push_blobs(snapshot, fill(tmp_path / f"s{number}", contents), list(contents))
        one = replace(ROOT, commit=f"{number:040x}")
        roots.append(remote.write_root(snapshot, one, before=roots[-1:], new_digests=contents))

    assert [[s.count for s in root.segments] for root in roots] == [
        [100],
        [100, 10],
        [100, 20],
        [100, 20, 10],
    ]
    assert len({root.segments[0] for root in roots}) == 1
    assert remote.digests_of(snapshot, roots[-1]) >= set(all_contents)


def test_the_same_root_again_sends_nothing(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    contents = blobs(*[50] * 5)
    remote = remote_at(backend, tmp_path / "cache")
    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, fill(tmp_path / "store", contents), list(contents))
    root = remote.write_root(snapshot, ROOT, new_digests=contents)
    backend.reset()

    again = remote.write_root(snapshot, ROOT, before=[root])

    assert again == root
    assert backend.requests == 0


def test_a_new_commit_without_new_blobs_costs_one_object(tmp_path: Path) -> None:
    backend = Counting(MemoryBackend())
    contents = blobs(*[50] * 5)
    remote = remote_at(backend, tmp_path / "cache")
    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, fill(tmp_path / "store", contents), list(contents))
    root = remote.write_root(snapshot, ROOT, new_digests=contents)
    backend.reset()

    remote.write_root(snapshot, replace(ROOT, commit="ef" * 20), before=[root])

    assert backend.calls == {"create": 1}
    assert len(remote.snapshot().roots) == 2


def test_a_root_over_something_absent_is_not_written(tmp_path: Path) -> None:
    backend = MemoryBackend()
    remote = remote_at(backend, tmp_path / "cache")

    with pytest.raises(ObjectMissing, match="1 objects of the new root"):
        remote.write_root(remote.snapshot(), ROOT, new_digests=blobs(10))

    assert not any(name.startswith("roots/") for name in backend.objects)


def test_a_root_whose_pack_is_gone_proves_nothing_even_when_cached(tmp_path: Path) -> None:
    backend = MemoryBackend()
    contents = blobs(*[50] * 5)
    remote = remote_at(backend, tmp_path / "cache")
    snapshot = remote.snapshot()
    remote.push_blobs(snapshot, fill(tmp_path / "store", contents), list(contents))
    root = remote.write_root(snapshot, ROOT, new_digests=contents)
    for name in [name for name in backend.objects if name.startswith("packs/")]:
        del backend.objects[name]

    fresh = remote.snapshot()

    assert fresh.missing(remote.digests_of(fresh, root)) == {root.segments[0].digest}


@pytest.mark.parametrize("change", ["altered", "of another name"])
def test_a_root_that_is_not_what_its_name_says_is_left_out(tmp_path: Path, change: str) -> None:
    backend = MemoryBackend()
    remote = remote_at(backend, tmp_path / "cache")
    remote.write_root(remote.snapshot(), ROOT)
    (name,) = [name for name in backend.objects if name.startswith("roots/")]
    text = backend.objects.pop(name)
    if change == "altered":
        forged = encode_root(replace(parse_root(text), commit="00" * 20))
        backend.objects[name] = forged
    else:
        backend.objects[f"{name[:-10]}00000.root"] = text

    assert remote_at(backend, tmp_path / "other-cache").snapshot().roots == []
