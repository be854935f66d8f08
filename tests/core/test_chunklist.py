"""Chunk lists: exact bytes, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.chunklist import encode_chunk_list, parse_chunk_list
from dvtool.core.digest import Digest
from dvtool.core.pack import LIST, decode_record, list_record, parse_record_head
from dvtool.core.packindex import BlobRow
from dvtool.errors import CorruptObject
from tests.core.strategies import law

BLOB, ONE, TWO = (Digest(letter * 32) for letter in (b"b", b"1", b"2"))
ROW = BlobRow(BLOB, 9, (ONE, TWO), (5, 9))
# Literal: magic, blob, size, then digest and end of each chunk.
TEXT = (
    b"DVTLIST1" + b"b" * 32 + b"\x09" + bytes(7)
    + b"1" * 32 + b"\x05" + bytes(7)
    + b"2" * 32 + b"\x09" + bytes(7)
)  # fmt: skip


def test_a_list_is_these_bytes_and_comes_back():
    assert encode_chunk_list(ROW) == TEXT
    assert parse_chunk_list(TEXT) == ROW


def test_a_list_in_a_record_is_told_from_data_by_its_codec():
    import hashlib

    name = Digest(hashlib.sha256(TEXT).digest())
    head, stored = list_record(name, TEXT)

    assert parse_record_head(head).codec == LIST == 2
    assert decode_record(head + stored, name) == TEXT


@pytest.mark.parametrize("row", [BlobRow(BLOB, 9, (ONE, TWO)), BlobRow(BLOB, 9, (ONE, TWO), (9,))])
def test_no_list_is_made_where_ends_are_not_known(row):
    with pytest.raises(ValueError, match="no chunk list"):
        encode_chunk_list(row)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        TEXT[:48],
        TEXT[:-1],
        TEXT + b"x",
        b"DVTLIST2" + TEXT[8:],
        TEXT[:40] + struct.pack("<Q", 10) + TEXT[48:],
        TEXT[:40] + struct.pack("<Q", 0) + b"1" * 32 + bytes(8),
        TEXT[:40] + struct.pack("<Q", 9) + b"1" * 32 + struct.pack("<Q", 9) + TEXT[88:],
    ],
)
def test_list_that_no_writer_makes_is_refused(bad):
    with pytest.raises(CorruptObject):
        parse_chunk_list(bad)


@law
@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail_otherwise(data):
    with contextlib.suppress(CorruptObject):
        parse_chunk_list(b"DVTLIST1" + data)
