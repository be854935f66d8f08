"""Cuts: where the rule says, the same for ever, and the same again after an edit elsewhere."""

from __future__ import annotations

import hashlib
import io
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.chunking import ChunkRule, chunks_of
from tests.core.strategies import law

SMALL = ChunkRule(64, 256, 1024, 1)


def noise(size: int, seed: bytes = b"golden cuts") -> bytes:
    return hashlib.shake_128(seed).digest(size)


def cut(data: bytes, rule: ChunkRule = SMALL) -> list[bytes]:
    return list(chunks_of(io.BytesIO(data), rule))


class Dribbling(io.RawIOBase):
    """Gives fewer bytes than it is asked for, as pipes do."""

    def __init__(self, data: bytes, steps: list[int]) -> None:
        self._data, self._steps = memoryview(data), steps

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        step = self._steps.pop(0) if self._steps else len(buffer)
        part = self._data[: min(step, len(buffer))]
        buffer[: len(part)] = part
        self._data = self._data[len(part) :]
        return len(part)


# If one of these fails after an upgrade, cuts have moved: nothing at a remote becomes unreadable,
# but no chunk of before is recognised again. A new algorithm needs a new name in dvtool.json.
def test_cuts_of_the_default_rule_stay_where_they_are():
    assert [len(chunk) for chunk in cut(noise(8 * 2**20), ChunkRule())] == [
        472914, 534687, 528658, 593700, 332469, 278241, 212226, 626467,
        828516, 469102, 395428, 680231, 738116, 565229, 766275, 366349,
    ]  # fmt: skip


def test_cuts_of_a_small_rule_stay_where_they_are():
    assert [len(chunk) for chunk in cut(noise(6000))] == [
        380, 431, 281, 259, 260, 262, 599, 276, 347,
        300, 649, 338, 359, 544, 77, 259, 262, 117,
    ]  # fmt: skip


def test_the_chunker_is_the_compiled_one():
    from pyfastcdc import FastCDC

    assert FastCDC.__module__ == "pyfastcdc.cy.fastcdc"


def test_the_default_rule_is_what_the_first_remotes_were_made_with():
    assert ChunkRule() == ChunkRule(131072, 524288, 2097152, 1)


@law
@given(st.binary(max_size=6000), st.lists(st.integers(1, 700), max_size=30))
def test_chunks_are_the_data_however_it_arrives(data, steps):
    chunks = list(chunks_of(Dribbling(data, steps), SMALL))

    assert b"".join(chunks) == data
    assert chunks == cut(data)
    assert all(64 <= len(chunk) <= 1024 for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= 1024 for chunk in chunks)


def test_an_insertion_makes_few_new_chunks():
    data = noise(60_000)
    before = set(cut(data))
    source = random.Random(1)

    new = []
    for _ in range(200):
        place = source.randrange(len(data))
        inserted = source.randbytes(source.randrange(1, 40))
        new.append(len(set(cut(data[:place] + inserted + data[place:])) - before))

    # Of about 190 chunks; the worst of 200 places waits long for a common cut.
    assert statistics.mean(new) < 4
    assert max(new) < 30


def test_bytes_that_are_all_the_same_are_cut_at_the_maximum():
    assert [len(chunk) for chunk in cut(bytes(3000))] == [1024, 1024, 952]


@pytest.mark.parametrize(
    "rule",
    [
        ChunkRule(63, 256, 1024),
        ChunkRule(64, 255, 1024),
        ChunkRule(512, 256, 1024),
        ChunkRule(64, 2048, 1024),
        ChunkRule(64, 256, 17 * 2**20),
        ChunkRule(64, 256, 1024, 4),
        ChunkRule(64, 256, 1024, -1),
        ChunkRule(64, 256, True),
        ChunkRule(64, None, 1024),
        ChunkRule(64, 256.0, 1024),
    ],
)
def test_rule_that_cannot_be_is_not_valid(rule):
    assert not rule.is_valid
    assert SMALL.is_valid
