"""Many small indexes become one, and nobody who reads, pushes or collects loses anything by it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.core.packindex import PackRef, RecordRow, encode_index, parse_index
from dvtool.core.roots import Root
from dvtool.store.remote import layout
from dvtool.store.remote.gc.collect import GcReport, collect
from dvtool.store.remote.gc.merging import MERGE_FROM
from dvtool.store.remote.gc.rebuild import rebuild_index
from dvtool.store.remote.layout import NEW_REMOTE, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.protect import object_name, read_blob
from dvtool.store.remote.push import push_bytes
from dvtool.store.remote.remote import Remote
from tests.remote.parts import ROOT, Counting, blobs

DAY_S = 24 * 3600.0
MIB = 2**20


class Aged(MemoryBackend):
    """A remote in memory that can be made older."""

    def age(self, days: float) -> None:
        for name in self._modified_s:
            self._modified_s[name] -= days * DAY_S

    def names(self, folder: str) -> set[str]:
        return {name for name in self.objects if name.startswith(folder)}


@pytest.fixture
def backend() -> Aged:
    backend = Aged()
    backend.create("dvtool.json", encode_format(NEW_REMOTE))
    return backend


@pytest.fixture
def remote(backend: Aged, tmp_path: Path) -> Remote:
    return Remote(backend, cache_dir=tmp_path / "cache")


def pushed(remote: Remote, contents: dict[Digest, bytes], number: int) -> Root:
    view = remote.snapshot(leaning=True)
    push_bytes(remote, view, contents.values())
    return remote.write_root(view, replace(ROOT, commit=f"{number:040x}"), new_digests=contents)


def many(remote: Remote, count: int = MERGE_FROM) -> dict[Digest, bytes]:
    """Pushes so many small blobs, one at a time, and one large one of chunks."""
    contents: dict[Digest, bytes] = {}
    for number in range(count):
        sizes = (5 * MIB, 300) if number == 0 else (300,)
        new = blobs(*sizes, seed=100 + number)
        pushed(remote, new, number)
        contents |= new
    return contents


def gc(remote: Remote, **options: object) -> GcReport:
    return collect(remote, delete=True, **options)  # type: ignore[arg-type]


def in_force(remote: Remote) -> set[str]:
    view = remote.snapshot()
    return {name for name in view.by_name if name not in view.notes.condemned}


def packs_of(backend: Aged, name: str, *, kept: Remote | None = None) -> list[PackRef]:
    """Returns the packs that an index names, from a clone's cache where it has been deleted."""
    data = backend.objects.get(name) or (kept and kept.cache.get(name))
    assert data
    return list(parse_index(data).packs)


def restored(remote: Remote, contents: dict[Digest, bytes]) -> dict[Digest, bytes]:
    snapshot = remote.snapshot()
    assert snapshot.damaged == ()
    return {digest: read_blob(remote, snapshot, digest) for digest in contents}


def test_many_small_indexes_become_one_and_packs_stay(remote: Remote, backend: Aged) -> None:
    contents = many(remote)
    packs, before = backend.names("packs/"), backend.names("index/")
    backend.age(8)

    first = gc(remote)
    backend.age(15)
    second = gc(remote)

    assert (first.merged_indexes, first.written_indexes) == (len(before), 1)
    assert (first.deleted, second.deleted) == (0, len(before))
    assert second.merged_indexes == 0
    assert len(backend.names("index/")) == 1
    assert backend.names("index/").isdisjoint(before)
    assert backend.names("packs/") == packs
    assert restored(remote, contents) == contents


def test_a_dry_run_says_how_many_become_how_many(remote: Remote, backend: Aged) -> None:
    many(remote)
    backend.age(8)
    before = dict(backend.objects)

    report = collect(remote)

    assert report.merged_indexes == len(backend.names("index/"))
    assert report.written_indexes == 1
    assert backend.objects == before


def test_indexes_of_pushes_under_way_and_few_indexes_are_left_alone(
    remote: Remote, backend: Aged
) -> None:
    many(remote)
    young = gc(remote)
    backend.age(8)
    few = gc(remote, merge_from=100)

    assert (young.merged_indexes, few.merged_indexes) == (0, 0)


def test_a_large_index_is_not_rewritten_for_a_few_small_ones(remote: Remote, backend: Aged) -> None:
    pushed(remote, blobs(*[100] * 1500), 99)
    large = max(backend.names("index/"), key=lambda name: len(backend.objects[name]))
    many(remote)
    backend.age(8)

    gc(remote)

    assert large not in remote.snapshot().notes.condemned
    assert len(remote.snapshot(leaning=True).indexes()) == 2


def test_a_fetch_that_read_old_indexes_goes_on_after_they_are_deleted(
    remote: Remote, backend: Aged, tmp_path: Path
) -> None:
    contents = many(remote)
    reader = Remote(backend, cache_dir=tmp_path / "reader")
    snapshot = reader.snapshot()
    backend.age(8)
    gc(remote)
    backend.age(15)
    gc(remote)

    found = {digest: read_blob(reader, snapshot, digest) for digest in contents}

    assert found == contents


def test_a_push_that_leant_on_a_merged_index_succeeds_and_sends_nothing_again(
    backend: Aged, tmp_path: Path
) -> None:
    counting = Counting(backend)
    pusher = Remote(counting, cache_dir=tmp_path / "pusher")
    collector = Remote(backend, cache_dir=tmp_path / "collector")
    contents = many(collector)
    backend.age(8)
    view = pusher.snapshot(leaning=True)
    root = pusher.write_root(view, replace(ROOT, commit="ee" * 20), new_digests=contents)
    gc(collector)
    counting.reset()

    pusher.settle(view, [root], None)  # type: ignore[arg-type]

    assert [name for kind, name in counting.names if kind == "create"] == []
    backend.age(30)
    gc(collector)
    assert restored(pusher, contents) == contents


def test_an_index_name_that_was_condemned_never_comes_back(remote: Remote, backend: Aged) -> None:
    kept, doomed = blobs(600), blobs(900, seed=7)
    pushed(remote, kept, 1)
    backend.age(8)
    gc(remote, merge_from=2)
    (first,) = in_force(remote)
    dead = pushed(remote, doomed, 2)
    backend.age(8)
    gc(remote, merge_from=2)
    assert first in remote.snapshot().notes.condemned
    backend.age(30)

    gc(remote, find_dead=lambda _: [object_name(dead)])

    # It speaks of the very packs that the first one spoke of.
    (last,) = in_force(remote)
    assert packs_of(backend, last) == packs_of(backend, first, kept=remote)
    assert last != first
    assert restored(remote, kept) == kept


def test_an_index_that_was_rebuilt_has_a_name_that_never_was(remote: Remote, backend: Aged) -> None:
    contents = blobs(600)
    pushed(remote, contents, 1)
    rebuilt: set[str] = set()
    for _ in range(3):
        for name in backend.names("index/"):
            backend.delete(name)
        rebuild_index(remote)
        assert rebuilt.isdisjoint(backend.names("index/"))
        rebuilt |= backend.names("index/")

    assert restored(remote, contents) == contents


def test_a_second_copy_of_a_record_is_kept_and_the_newer_one_found_first(
    remote: Remote, backend: Aged
) -> None:
    both = blobs(700, 5000)
    digest, data = min(both.items(), key=lambda item: len(item[1]))
    pushed(remote, both, 1)
    backend.age(1)
    view = remote.snapshot(leaning=True)
    view.disbelieve(digest)  # as after damage was found and repaired
    push_bytes(remote, view, [data])
    newer = remote.snapshot().locate(digest)
    assert newer is not None
    backend.age(8)

    gc(remote, merge_from=2)

    view = remote.snapshot(leaning=True)
    copies = {at.pack for one, at, _ in view.records() if one == digest}
    assert len(copies) == 2
    assert view.locate(digest) == newer


def test_indexes_that_say_the_same_are_merged_without_copies(remote: Remote, backend: Aged) -> None:
    many(remote, 2)
    backend.age(8)
    gc(remote, merge_from=2)
    # Two collections at the same moment leave two such indexes behind.
    one = max(backend.names("index/") - remote.snapshot().notes.condemned)
    twin = parse_index(backend.objects[one])
    data = encode_index(twin.packs, twin.rows(), [r for r in twin.blob_rows() if not r.is_nonce])
    backend.create(layout.index_name(hashlib.sha256(data).digest()), data)
    backend.age(8)

    report = gc(remote, merge_from=2)

    assert (report.merged_indexes, report.written_indexes) == (2, 1)


def test_rows_of_a_pack_that_has_gone_are_not_taken_over(remote: Remote, backend: Aged) -> None:
    many(remote, 3)
    gone = PackRef(bytes(31) + b"\1", 500)
    data = encode_index([gone], [RecordRow(Digest(b"d" * 32), 0, 10, 32)])
    backend.create(layout.index_name(hashlib.sha256(data).digest()), data)
    backend.age(8)

    gc(remote, merge_from=2)

    assert all(gone not in index.packs for index in remote.snapshot(leaning=True).indexes())
