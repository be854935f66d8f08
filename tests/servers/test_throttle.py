"""Rate limits, by a clock that only moves when somebody waits."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.errors import UsageError
from dvtool.store.remote.backend import Spool
from dvtool.store.remote.fsspec_backend import open_backend
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.throttle import BURST_S, LIMIT_MIN, Bucket, Throttled

KIB = 2**10
MIB = 2**20
LIMIT = MIB


class Clock:
    """A clock that stands still but for those who sleep."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def bucket(self, limit: int = LIMIT) -> Bucket:
        return Bucket(limit, clock=self, sleep=self.sleep)


def test_a_spool_is_sent_at_the_limit(tmp_path: Path) -> None:
    clock, inner = Clock(), MemoryBackend()
    with Spool(tmp_path) as spool:
        spool.append(bytes(10 * MIB))
        assert Throttled(inner, clock.bucket()).create("a", spool)

    assert clock.now_s - 1000 == pytest.approx(10 - BURST_S)
    assert inner.objects == {"a": bytes(10 * MIB)}


def test_a_range_is_received_at_the_limit(tmp_path: Path) -> None:
    clock, inner = Clock(), MemoryBackend()
    inner.create("a", bytes(10 * MIB))
    with Spool(tmp_path) as sink:
        Throttled(inner, clock.bucket()).read_range("a", 0, 4 * MIB, sink)

        assert sink.size == 4 * MIB
    assert clock.now_s - 1000 == pytest.approx(4 - BURST_S)


def test_both_ways_and_all_threads_share_one_budget() -> None:
    waited: list[float] = []
    bucket = Bucket(LIMIT, clock=lambda: 1000.0, sleep=waited.append)  # time stands still
    one, other = Throttled(MemoryBackend(), bucket), Throttled(MemoryBackend(), bucket)

    def work(backend: Throttled) -> None:
        backend.create("a", bytes(MIB))
        backend.read("a", size_limit=MIB)

    threads = [threading.Thread(target=work, args=(backend,)) for backend in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(waited) == pytest.approx(4 - BURST_S)


def test_an_idle_line_saves_up_a_burst_and_no_more() -> None:
    clock = Clock()
    bucket = clock.bucket()
    clock.now_s += 3600

    bucket.take(int(BURST_S * LIMIT))
    assert clock.now_s == 4600

    bucket.take(LIMIT)
    assert clock.now_s == pytest.approx(4601)


@given(
    st.lists(st.tuples(st.integers(0, 4 * MIB), st.floats(0, 5)), max_size=50),
    st.integers(LIMIT_MIN, 100 * MIB),
)
def test_no_stretch_of_time_passes_more_than_the_limit_and_one_burst(
    steps: list[tuple[int, float]], limit: int
) -> None:
    clock = Clock()
    bucket = clock.bucket(limit)
    passed = [(clock.now_s, 0)]
    for size, pause_s in steps:
        bucket.take(size)
        passed.append((clock.now_s, passed[-1][1] + size))
        clock.now_s += pause_s

    for number, (since_s, before) in enumerate(passed):
        for until_s, after in passed[number:]:
            assert after - before <= limit * (until_s - since_s + BURST_S) * (1 + 1e-9) + 1


def test_a_body_that_is_read_twice_is_paid_once(tmp_path: Path) -> None:
    class Signing(MemoryBackend):
        def create(self, name: str, data: bytes | Spool) -> bool:
            assert isinstance(data, Spool)
            list(data.blocks())
            return super().create(name, data)

    clock = Clock()
    with Spool(tmp_path) as spool:
        spool.append(bytes(2 * MIB))
        Throttled(Signing(), clock.bucket()).create("a", spool)

    assert clock.now_s - 1000 == pytest.approx(2 - BURST_S)


def test_a_limit_that_would_break_connections_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 65536 bytes a second"):
        open_backend("memory://limited", limit_rate=LIMIT_MIN - 1)


def test_an_opened_backend_keeps_its_limit_on_a_real_clock(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    backend = open_backend((tmp_path / "r").as_uri(), limit_rate=4 * MIB)
    start_s = time.monotonic()

    backend.create("a", bytes(3 * MIB))

    assert time.monotonic() - start_s >= 3 / 4 - BURST_S - 0.01
    assert backend.read("a", size_limit=3 * MIB) == bytes(3 * MIB)
