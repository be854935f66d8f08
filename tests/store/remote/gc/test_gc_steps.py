"""Single steps of collection and erasure, on a remote in memory whose clock the test turns."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.core.roots import Root
from dvtool.errors import CorruptObject, ObjectMissing, RemoteTemporary
from dvtool.store.remote.gc.age import PushClock
from dvtool.store.remote.gc.collect import collect
from dvtool.store.remote.gc.erase import erase
from dvtool.store.remote.gc.rebuild import rebuild_index
from dvtool.store.remote.layout import RemoteFormat, encode_format
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.protect import object_name, read_blob
from dvtool.store.remote.push import push_bytes
from dvtool.store.remote.remote import Remote
from tests.remote.parts import ROOT, blobs

DAY_S = 24 * 3600.0


class Aged(MemoryBackend):
    """A remote in memory that can be made older."""

    def age(self, days: float) -> None:
        for name in self._modified_s:
            self._modified_s[name] -= days * DAY_S

    def names(self, folder: str) -> set[str]:
        return {name for name in self.objects if name.startswith(folder)}


def pushed(remote: Remote, contents: dict[Digest, bytes], commit: str) -> Root:
    view = remote.snapshot(leaning=True)
    push_bytes(remote, view, contents.values())
    return remote.write_root(view, replace(ROOT, commit=commit), new_digests=contents)


@pytest.fixture
def backend() -> Aged:
    backend = Aged()
    backend.create("dvtool.json", encode_format(RemoteFormat(part_bytes=1000)))
    return backend


@pytest.fixture
def remote(backend: Aged, tmp_path: Path) -> Remote:
    return Remote(backend, cache_dir=tmp_path / "cache")


def collected(remote: Remote, backend: Aged, dead: list[Root]) -> None:
    """Collects until everything that is due has gone."""
    for _ in range(3):
        backend.age(15)
        collect(remote, find_dead=lambda _: [object_name(root) for root in dead], delete=True)


def test_a_thin_pack_is_rewritten_with_what_is_alive(remote: Remote, backend: Aged) -> None:
    both = blobs(900, 80)
    large, small = sorted(both, key=lambda digest: -len(both[digest]))
    first = pushed(remote, both, "11" * 20)
    packs = backend.names("packs/")
    pushed(remote, {small: both[small]}, "22" * 20)

    collected(remote, backend, [first])

    assert backend.names("packs/").isdisjoint(packs)
    snapshot = remote.snapshot()
    assert read_blob(remote, snapshot, small) == both[small]
    assert snapshot.missing([large]) == {large}
    assert snapshot.damaged == ()


def test_a_pack_that_is_mostly_alive_stays(remote: Remote, backend: Aged) -> None:
    both = blobs(900, 80)
    large = max(both, key=lambda digest: len(both[digest]))
    first = pushed(remote, both, "11" * 20)
    packs = {name for name in backend.names("packs/") if len(backend.objects[name]) > 900}
    pushed(remote, {large: both[large]}, "22" * 20)

    collected(remote, backend, [first])

    assert packs <= backend.names("packs/")


def test_nothing_is_deleted_while_a_root_cannot_be_read(remote: Remote, backend: Aged) -> None:
    pushed(remote, blobs(500), "11" * 20)
    (name,) = backend.names("roots/")
    backend.objects[name] = b"of a newer dvtool\n"
    before = dict(backend.objects)
    fresh = Remote(backend, cache_dir=Path("/nonexistent/cache"))

    with pytest.raises(CorruptObject, match="nothing is deleted"):
        collect(fresh, delete=True, grace_s=0)

    assert backend.objects == before


def test_a_dry_run_changes_nothing(remote: Remote, backend: Aged) -> None:
    first = pushed(remote, blobs(500), "11" * 20)
    backend.age(30)
    before = dict(backend.objects)

    report = collect(remote, find_dead=lambda _: [object_name(first)])

    assert (report.is_dry_run, report.retired, report.alive) == (True, 1, 0)
    assert report.dead_packs == len(backend.names("packs/"))
    assert backend.objects == before


def test_an_unfinished_push_is_left_alone_until_it_is_old(remote: Remote, backend: Aged) -> None:
    push_bytes(remote, remote.snapshot(leaning=True), blobs(500).values())

    young = collect(remote, delete=True)
    backend.age(8)
    old = collect(remote, delete=True)

    assert (young.dead_packs, old.dead_packs) == (0, 1)


def test_an_erased_blob_takes_only_its_own_parts_along(remote: Remote, backend: Aged) -> None:
    (shared, own, other), _ = list(blobs(1000, 1000, 1000).values()), None
    import hashlib

    one, two = shared + own, other + shared
    contents = {Digest(hashlib.sha256(data).digest()): data for data in (one, two)}
    gone, kept = contents
    pushed(remote, contents, "11" * 20)

    erase(remote, [gone], "a good reason")

    snapshot = remote.snapshot()
    assert snapshot.missing(contents) == {gone}
    assert read_blob(remote, snapshot, kept) == two
    assert not any(own in data for data in backend.objects.values())
    assert any(shared in data for data in backend.objects.values())
    assert remote.snapshot(leaning=True).missing(contents) == set()  # so no push sends it again


def test_an_erased_blob_is_told_with_its_reason(remote: Remote) -> None:
    from dvtool.store.remote.losses import loss_of

    contents = blobs(100, 200)
    gone = min(contents)
    pushed(remote, contents, "11" * 20)

    erase(remote, [gone], "a good reason")

    loss = loss_of(gone, remote.snapshot())
    assert isinstance(loss, ObjectMissing)
    assert "erased on purpose: a good reason" in str(loss)


def test_records_are_found_again_without_any_index(remote: Remote, backend: Aged) -> None:
    contents = blobs(100, 200, 300)
    pushed(remote, contents, "11" * 20)
    for name in backend.names("index/"):
        backend.delete(name)
    assert remote.snapshot().missing(contents) == set(contents)

    report = rebuild_index(remote)

    assert report.damaged == ()
    snapshot = remote.snapshot()
    assert {d: read_blob(remote, snapshot, d) for d in contents} == contents
    assert rebuild_index(remote).packs == 0


def test_a_root_that_somebody_relies_on_is_renewed_before_it_may_be_retired(
    remote: Remote, backend: Aged
) -> None:
    first = pushed(remote, blobs(100), "11" * 20)
    view = remote.snapshot(leaning=True)
    assert remote.write_root(view, replace(first, segments=()), before=[first]) == first
    backend.age(8)

    view = remote.snapshot(leaning=True)
    renewed = remote.write_root(view, replace(first, segments=()), before=[first])

    assert renewed != first
    assert renewed.commit == first.commit
    assert remote.digests_of(view, renewed) >= remote.digests_of(view, first)


def test_a_push_older_than_half_the_grace_period_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = PushClock()
    clock.check()
    began_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(time, "clock_gettime", lambda _: began_s + 7.1 * DAY_S)

    with pytest.raises(RemoteTemporary, match=r"7\.1 days ago"):
        clock.check()
