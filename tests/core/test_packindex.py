"""Pack indexes: look-up in place, and indexes made by hand."""

from __future__ import annotations

import struct
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.digest import Digest
from dvtool.core.packindex import BlobRow, Location, PackRef, RecordRow, encode_index, parse_index
from dvtool.errors import CorruptObject
from tests.core.strategies import law

PACKS = (PackRef(b"p" * 32, 10_000), PackRef(b"q" * 32, 2**40))
HEAD = struct.Struct("<8sIIIIQ")


def name(text: str) -> Digest:
    return Digest(sha256(text.encode()).digest())


def signed(body: bytes) -> bytes:
    return body + sha256(body).digest()


digests = st.binary(min_size=32, max_size=32).map(Digest)
few_first_bytes = st.tuples(
    st.sampled_from(b"\x00\x01\x7f\xfe\xff"), st.binary(min_size=31, max_size=31)
)
clustered = few_first_bytes.map(lambda t: Digest(bytes([t[0]]) + t[1]))
rows = st.builds(
    RecordRow,
    st.one_of(digests, clustered),
    st.just(1),
    st.integers(0, 2**20),
    st.integers(32, 2**39),
)
part_lists = st.lists(digests, min_size=1, max_size=4).map(tuple)
without_ends = st.builds(BlobRow, digests, st.integers(0, 2**63), part_lists, st.just(()))


@st.composite
def with_ends(draw: st.DrawFn) -> BlobRow:
    ends = sorted(draw(st.sets(st.integers(1, 2**63), min_size=1, max_size=4)))
    parts = draw(st.lists(digests, min_size=len(ends), max_size=len(ends)))
    return BlobRow(draw(digests), ends[-1], tuple(parts), tuple(ends))


blobs = st.one_of(without_ends, with_ends())


@law
@given(st.lists(rows, unique_by=lambda r: r.digest, max_size=40),
       st.lists(blobs, unique_by=lambda b: b.digest, max_size=5), digests)  # fmt: skip
def test_every_row_is_found_and_nothing_else(records, large, other):
    index = parse_index(encode_index(PACKS, records, large))

    assert len(index) == len(records)
    assert list(index.rows()) == sorted(records)
    assert list(index.blob_rows()) == sorted(large)
    assert list(index.digests()) == [r.digest for r in sorted(records)] + [
        b.digest for b in sorted(large)
    ]
    for row in records:
        where = Location(PACKS[1], row.offset, 64 + row.stored)
        assert index.locate(row.digest) == where
        assert dict(index.locate_all({row.digest})) == {row.digest: where}
    for blob in large:
        assert index.parts_of(blob.digest) == blob
    if other not in {r.digest for r in records}:
        assert index.locate(other) is None
    if other not in {b.digest for b in large}:
        assert index.parts_of(other) is None


@law
@given(st.permutations([RecordRow(name(str(i)), i % 2, i, 100 + i) for i in range(6)]))
def test_the_order_of_rows_does_not_matter(records):
    assert encode_index(PACKS, records) == encode_index(PACKS, sorted(records))


def test_of_two_rows_for_one_record_the_first_stays():
    index = parse_index(
        encode_index(PACKS, [RecordRow(name("a"), 1, 5, 100), RecordRow(name("a"), 0, 5, 200)])
    )

    assert index.locate(name("a")) == Location(PACKS[1], 100, 69)


def test_an_empty_index_is_valid():
    index = parse_index(encode_index([], []))

    assert (len(index), index.packs, list(index.digests())) == (0, (), [])
    assert index.locate(name("a")) is None


@law
@given(st.data())
def test_no_bit_of_an_index_can_flip_unnoticed(data):
    good = encode_index(
        PACKS, [RecordRow(name("a"), 0, 5, 100)], [BlobRow(name("b"), 9, (name("a"),))]
    )
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8

    with pytest.raises(CorruptObject):
        parse_index(bytes(bad))
    with pytest.raises(CorruptObject):
        parse_index(good[: bit // 8])


@pytest.mark.parametrize(
    "row",
    [
        RecordRow(name("a"), 2, 5, 100),
        RecordRow(name("a"), 0, 5, 0),
        RecordRow(name("a"), 0, 5, 31),
        RecordRow(name("a"), 0, 5, 10_000 - 64 - 4),
        RecordRow(name("a"), 0, 5, 2**64 - 1),
        RecordRow(name("a"), 1, 64 * 2**20 + 1, 100),
        RecordRow(name("a"), 1, 2**32 - 1, 100),
    ],
)
def test_row_that_points_where_no_record_can_be_is_refused(row):
    with pytest.raises(CorruptObject):
        parse_index(encode_index(PACKS, [row]))


def test_a_record_may_end_where_its_pack_does():
    parse_index(encode_index(PACKS, [RecordRow(name("a"), 0, 5, 10_000 - 64 - 5)]))


def _by_hand(*, n_packs=1, n_records=0, n_blobs=0, n_parts=0, flags=0, magic=b"DVTINDX1", tail=b"",
             fan=(0,) * 256):  # fmt: skip
    head = HEAD.pack(magic, n_packs, n_records, n_blobs, n_parts, flags)
    return signed(head + struct.pack("<256I", *fan) + struct.pack("<32sQ", *PACKS[0]) + tail)


def _blob(digest: bytes, first: int, count: int, size: int = 7) -> bytes:
    return struct.pack("<32sQII", digest, size, first, count)


def test_an_index_made_by_hand_is_read_when_it_is_right():
    assert parse_index(_by_hand()).packs == (PACKS[0],)
    made = _by_hand(n_blobs=1, n_parts=1, tail=_blob(b"a" * 32, 0, 1) + b"z" * 32)
    assert parse_index(made).parts_of(Digest(b"a" * 32)) == BlobRow(
        Digest(b"a" * 32), 7, (b"z" * 32,)
    )


@pytest.mark.parametrize(
    "bad",
    [
        _by_hand(magic=b"DVTINDX2"),
        _by_hand(flags=1),
        _by_hand(n_packs=2),
        _by_hand(n_records=1),
        _by_hand(n_records=2**32 - 1, n_blobs=2**32 - 1, n_parts=2**32 - 1),
        _by_hand(tail=b"x"),
        _by_hand(fan=(0,) * 255 + (1,)),
        _by_hand(n_blobs=1, tail=_blob(b"a" * 32, 0, 0)),
        _by_hand(n_blobs=1, tail=_blob(b"a" * 32, 0, 1)),
        _by_hand(n_blobs=1, tail=_blob(b"a" * 32, 0, 2**32 - 1)),
        _by_hand(n_parts=1, tail=b"z" * 32),
        _by_hand(n_blobs=1, n_parts=2, tail=_blob(b"a" * 32, 1, 1) + b"z" * 64),
        _by_hand(n_blobs=2, n_parts=1, tail=_blob(b"a" * 32, 0, 1) + _blob(b"b" * 32, 0, 1) + b"z" * 32),
        _by_hand(n_blobs=2, n_parts=2, tail=_blob(b"b" * 32, 0, 1) + _blob(b"a" * 32, 1, 1) + b"z" * 64),
        _by_hand(n_records=2, fan=(0,) * 97 + (2,) * 159,
                 tail=struct.pack("<32sIIQ", b"a" * 32, 0, 1, 32) * 2),
        _by_hand(n_records=1, fan=(0,) * 98 + (1,) * 158,
                 tail=struct.pack("<32sIIQ", b"a" * 32, 0, 1, 32)),
        _by_hand(n_records=1, fan=(1,) * 256, tail=struct.pack("<32sIIQ", b"a" * 32, 0, 1, 32)),
    ],
)  # fmt: skip
def test_index_made_by_hand_that_breaks_a_bound_is_refused(bad):
    with pytest.raises(CorruptObject):
        parse_index(bad)


def _with_parts(parts: bytes, count: int, size: int) -> bytes:
    return _by_hand(
        n_blobs=1, n_parts=count, flags=1, tail=_blob(b"a" * 32, 0, count, size) + parts
    )


def _ended(*ends: int) -> bytes:
    return b"".join(struct.pack("<32sQ", b"p" * 32, end) for end in ends)


def test_ends_made_by_hand_are_read():
    index = parse_index(_with_parts(_ended(5, 9), 2, 9))

    assert index.parts_of(Digest(b"a" * 32)) == BlobRow(
        Digest(b"a" * 32), 9, (Digest(b"p" * 32),) * 2, (5, 9)
    )
    assert list(index.blob_digests()) == [b"a" * 32]


def test_parts_whose_ends_are_all_zero_have_none():
    assert parse_index(_with_parts(_ended(0, 0), 2, 9)).parts_of(Digest(b"a" * 32)).ends == ()


@pytest.mark.parametrize("ends", [(5, 8), (5, 10), (9, 5), (5, 5), (0, 9), (9, 9), (9, 0)])
def test_ends_that_do_not_rise_to_the_size_are_refused(ends):
    with pytest.raises(CorruptObject):
        parse_index(_with_parts(_ended(*ends), 2, 9))


def test_an_index_of_blobs_without_ends_keeps_its_first_layout():
    blob = BlobRow(name("b"), 9, (name("a"), name("c")))

    made = encode_index(PACKS, [], [blob])

    assert made[24:32] == bytes(8)
    assert made[-96:-32] == name("a") + name("c")
