"""Roots and segments."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import log, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.digest import Digest
from dvtool.core.roots import (
    Root,
    Segment,
    decode_segment,
    encode_root,
    encode_segment,
    parse_root,
    segments_to_merge,
)
from dvtool.errors import CorruptObject
from tests.core.strategies import digest, law

ROOT = Root("0f" * 16, "refs/heads/main", "ab" * 20, "full", (Segment(digest("s"), 7),))
TEXT = encode_root(ROOT)


def _in_order(segments):
    return tuple(sorted(segments, key=lambda segment: (-segment.count, segment.digest)))


roots = st.builds(
    Root,
    st.sampled_from(["0" * 32, "0123456789abcdef" * 2]),
    st.one_of(
        st.sampled_from(["HEAD", "refs/heads/ü", "main@{1 week ago}", "refs/heads/\udcff", "refs/tags/v\u2028x", "a\x85b"]),
        st.text(alphabet=st.characters(min_codepoint=33, exclude_characters="\x7f",
                                       exclude_categories=["Cs"]), min_size=1, max_size=9),
    ),
    st.sampled_from(["0" * 40, "f" * 64]),
    st.sampled_from(["full", "partial"]),
    st.lists(st.builds(Segment, st.text(max_size=3).map(digest), st.integers(1, 10**18)),
             max_size=4, unique=True).map(_in_order),
)  # fmt: skip
digests = st.binary(min_size=32, max_size=32).map(Digest)


@law
@given(roots)
def test_a_root_reads_back_as_its_value(root):
    assert parse_root(encode_root(root)) == root


@pytest.mark.parametrize(
    "change",
    [
        {"repository": "0F" * 16},
        {"repository": "0f" * 15},
        {"repository": ""},
        {"ref": ""},
        {"ref": "a "},
        {"ref": "a\ncommit: " + "0" * 40},
        {"ref": "a\x1b"},
        {"commit": "ab" * 19},
        {"commit": "g" * 40},
        {"scope": "half"},
        {"segments": (Segment(digest("s"), 0),)},
        {"segments": (Segment(digest("s"), -1),)},
        {"segments": (Segment(Digest(b""), 1),)},
        {"segments": (Segment(digest("s"), 1), Segment(digest("t"), 2))},
        {"segments": (Segment(digest("s"), 1), Segment(digest("s"), 1))},
    ],
)
def test_value_that_is_no_root_is_never_written(change):
    with pytest.raises(ValueError, match="not a root"):
        encode_root(replace(ROOT, **change))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        TEXT[:-1],
        TEXT + b"\n",
        TEXT.replace(b"root: 1", b"root: 2"),
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"scope: full\n", b""),
        TEXT.replace(b"scope: full\n", b"scope: full\nscope: full\n"),
        TEXT.replace(b"scope: full", b"scope: Full"),
        TEXT.replace(b" 7\n", b" 07\n"),
        TEXT.replace(b" 7\n", b" -7\n"),
        TEXT.replace(b" 7\n", b" 7_0\n"),
        TEXT.replace(b" 7\n", " \u0667\n".encode()),
        TEXT.replace(b" 7\n", b" " + b"7" * 5000 + b"\n"),
        TEXT.replace(b" 7\n", b"\n"),
        TEXT + b"unknown: x\n",
        TEXT + TEXT,
        TEXT + TEXT[TEXT.index(b"segment") :],
        TEXT + TEXT[TEXT.index(b"segment") :].replace(b" 7", b" 8"),
    ],
)
def test_text_that_is_not_the_one_spelling_is_refused(text):
    with pytest.raises(CorruptObject):
        parse_root(text)


@law
@given(st.lists(digests, max_size=20))
def test_a_segment_holds_the_distinct_digests_in_order(some):
    assert decode_segment(encode_segment(some)) == sorted(set(some))
    assert encode_segment([*some, *reversed(some)]) == encode_segment(some)


@pytest.mark.parametrize(
    "bad",
    [b"", b"DVTSEGM", b"DVTSEGM2", b"DVTSEGM1" + b"x" * 31, b"DVTSEGM1" + b"x" * 64,
     b"DVTSEGM1" + b"b" * 32 + b"a" * 32, b"\0DVTSEGM1"],
)  # fmt: skip
def test_bytes_that_are_no_segment_are_refused(bad):
    with pytest.raises(CorruptObject):
        decode_segment(bad)


@law
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300))
def test_segments_stay_few_and_are_rewritten_seldom(pushes):
    segments: list[list[int]] = []  # of how often each digest has been rewritten
    for new in pushes:
        merged = segments_to_merge([len(s) for s in segments], new)
        taken = segments[len(segments) - merged :]
        segments = segments[: len(segments) - merged]
        segments.append([n + 1 for s in taken for n in s] + [0] * new)
        counts = [len(s) for s in segments]
        total = sum(counts)
        assert all(a >= 2 * b for a, b in pairwise(counts))
        assert len(counts) <= log2(total) + 1
        assert max(max(s) for s in segments) <= log(total) / log(1.5) + 1


def test_a_push_of_nothing_new_merges_nothing():
    assert segments_to_merge([8, 4, 2], 0) == 0
    assert segments_to_merge([], 5) == 0


def test_a_large_push_merges_everything_smaller():
    assert segments_to_merge([8, 4, 2], 100) == 3
    assert segments_to_merge([1000, 4, 2], 100) == 2
