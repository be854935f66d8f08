"""Packs: records, whole packs, and what damage does to them."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256

import pytest
import xxhash
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.digest import Digest
from dvtool.core.pack import (
    END,
    MAX_RECORD_BYTES,
    RAW,
    RECORD,
    ZSTD,
    Packer,
    check_header,
    decode_record,
    encode_end,
    encode_header,
    parse_record_head,
    scan_pack,
)
from dvtool.errors import CorruptObject
from tests.core.strategies import law

NONCE = bytes(range(16))


def digest_of(data: bytes) -> Digest:
    return Digest(sha256(data).digest())


def record(data: bytes, *, compress: bool = False) -> bytes:
    head, stored = Packer(compress=compress).record(digest_of(data), data)
    return head + stored


def pack(*blobs: bytes) -> bytes:
    return encode_header(NONCE) + b"".join(map(record, blobs)) + encode_end(len(blobs))


def head(*, digest=b"d" * 32, raw=1, stored=1, check=0, codec=RAW) -> bytes:
    return RECORD.pack(digest, raw, stored, check, codec)


@law
@given(st.binary(max_size=300), st.booleans())
def test_a_record_gives_back_its_bytes(data, compress):
    assert decode_record(record(data * 5, compress=compress), digest_of(data * 5)) == data * 5


def test_bytes_are_compressed_only_where_it_pays():
    text, noise = b"0123456789" * 100, b"".join(sha256(b"%d" % i).digest() for i in range(9))

    assert parse_record_head(record(text, compress=True)).codec == ZSTD
    assert len(record(text, compress=True)) < 64 + len(text) // 10
    assert parse_record_head(record(text)).codec == RAW
    assert parse_record_head(record(noise, compress=True)).codec == RAW


def test_a_blob_larger_than_a_record_may_be_is_not_packed():
    with pytest.raises(ValueError, match="67108864"):
        Packer(compress=False).record(digest_of(b""), bytes(MAX_RECORD_BYTES + 1))


@law
@given(st.lists(st.binary(max_size=50), max_size=6))
def test_a_pack_is_scanned_without_an_index(blobs):
    data = pack(*blobs)

    found = [(r.digest, data[at : at + RECORD.size + r.stored]) for r, at in scan_pack(data)]

    assert found == [(digest_of(blob), record(blob)) for blob in blobs]


@law
@given(st.lists(st.binary(max_size=50), max_size=4), st.data())
def test_a_pack_that_is_cut_off_anywhere_is_noticed(blobs, data):
    whole = pack(*blobs)
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(CorruptObject):
        list(scan_pack(whole[:cut]))


def test_records_before_the_damage_are_told():
    whole = pack(b"first", b"second")
    seen = []

    with pytest.raises(CorruptObject):
        for found, _ in scan_pack(whole[: -RECORD.size - 1]):
            seen.append(found.digest)

    assert seen == [digest_of(b"first")]


@law
@given(st.binary(min_size=1, max_size=200), st.booleans(), st.data())
def test_no_bit_of_a_record_can_flip_unnoticed(blob, compress, data):
    good = record(blob * 9, compress=compress)
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    bad = bytearray(good)
    bad[bit // 8] ^= 1 << bit % 8

    with pytest.raises(CorruptObject):
        decode_record(bytes(bad), digest_of(blob * 9))


def test_a_record_of_other_bytes_is_not_taken_for_the_one_asked_for():
    with pytest.raises(CorruptObject, match=digest_of(b"one").hex()):
        decode_record(record(b"two"), digest_of(b"one"))


def test_right_bytes_under_a_wrong_name_are_refused():
    good = record(b"one")

    with pytest.raises(CorruptObject):
        decode_record(bytes(32) + good[32:], digest_of(b"one"))
    with pytest.raises(CorruptObject):
        decode_record(good[:32] + record(b"two")[32:], digest_of(b"one"))


@pytest.mark.parametrize(
    "bad",
    [
        head(codec=2),
        head(codec=256),
        head(codec=2**63),
        head(raw=2, stored=1),
        head(raw=1, stored=2),
        head(raw=1, stored=1, codec=ZSTD),
        head(raw=0, stored=0, codec=ZSTD),
        head(raw=2**64 - 1, stored=2**64 - 1),
        head(raw=MAX_RECORD_BYTES + 1, stored=MAX_RECORD_BYTES + 1),
        head(raw=MAX_RECORD_BYTES + 1, stored=5, codec=ZSTD),
        head(codec=END),
        head(digest=bytes(32), raw=0, stored=1, codec=END),
        head(digest=bytes(32), raw=0, stored=0, check=1, codec=END),
        head()[:-1],
        b"",
    ],
)
def test_record_head_that_no_writer_makes_is_refused(bad):
    with pytest.raises(CorruptObject):
        parse_record_head(bad)


@pytest.mark.parametrize(
    "bad",
    [b"", b"DVTPACK1", encode_header(NONCE)[:-1], b"DVTPACK2" + bytes(24),
     b"DVTPACK1" + b"\1" + bytes(23), b"PACK" + bytes(28)],
)  # fmt: skip
def test_header_that_no_writer_makes_is_refused(bad):
    with pytest.raises(CorruptObject):
        check_header(bad)


def test_pack_with_a_wrong_count_or_bytes_after_its_end_is_refused():
    body = encode_header(NONCE) + record(b"one")

    for bad in (body + encode_end(0), body + encode_end(2), body + encode_end(1) + b"\0",
                body + encode_end(1) + encode_end(1)):  # fmt: skip
        with pytest.raises(CorruptObject):
            list(scan_pack(bad))


def _zstd_record(frame: bytes, raw: int, digest: bytes) -> bytes:
    check = xxhash.xxh3_64_intdigest(frame)
    return RECORD.pack(digest, raw, len(frame), check, ZSTD) + frame


def test_frame_that_does_not_state_its_size_or_states_another_is_refused():
    data = b"0" * 1000
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(data)
    spoken = zstandard.ZstdCompressor().compress(data)

    for frame, raw in ((silent, 1000), (spoken, 999), (spoken, 1001), (spoken + b"x", 1000),
                       (spoken + spoken, 1000), (spoken[:-1], 1000), (b"", 1000)):  # fmt: skip
        with pytest.raises(CorruptObject):
            decode_record(_zstd_record(frame, raw, digest_of(data)), digest_of(data))


def test_a_small_record_cannot_make_the_reader_allocate_much():
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(300 * 2**20))

    tracemalloc.start()
    for raw in (300 * 2**20, MAX_RECORD_BYTES, 100_000):
        with pytest.raises(CorruptObject):
            decode_record(_zstd_record(bomb, raw, b"d" * 32), Digest(b"d" * 32))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2**20
