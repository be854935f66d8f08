"""Manifest lines and shards."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvtool.core import manifest
from dvtool.core.manifest import (
    SHARD_MAX_BYTES,
    Shard,
    cut_shards,
    decode_block,
    decode_lines,
    decode_shard,
    encode_lines,
    encode_shards,
)
from dvtool.core.pack import MAX_RECORD_BYTES
from dvtool.core.tree import Entry, Tree
from dvtool.errors import InvalidText, UnsafePath
from tests.core.strategies import digest, file, folder, law, tree, trees

SHA = b"sha256:" + b"0123456789abcdef" * 4
GOOD = SHA + b" 12 f name"
small_cuts = settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b"name",
        GOOD[1:],
        GOOD + b"\r",
        GOOD.replace(b"sha256", b"SHA256"),
        GOOD.replace(b"sha256", b"md5"),
        GOOD.replace(b"abc", b"ABC"),
        GOOD.replace(b"0123", b"012", 1),
        GOOD.replace(b" 12 ", b" 012 "),
        GOOD.replace(b" 12 ", b" -1 "),
        GOOD.replace(b" 12 ", b" +1 "),
        GOOD.replace(b" 12 ", b" 1_2 "),
        GOOD.replace(b" 12 ", b"  12 "),
        GOOD.replace(b" 12 ", b" 9223372036854775808 "),
        GOOD.replace(b" 12 ", b" 99999999999999999999999 "),
        GOOD.replace(b" f ", b" d "),
        GOOD.replace(b" f ", b" F "),
        GOOD.replace(b" f ", b" fx "),
        GOOD.replace(b" f ", b"\tf "),
        GOOD + b" ",
        GOOD.replace(b"name", b'"name"'),
        GOOD.replace(b"name", b""),
        b"- 0 f name",
        b"- 1 d name",
        b"-  0 d name",
        b"<<<<<<< ours",
        b"=======",
    ],
)
@pytest.mark.parametrize(
    "decode", [lambda line: decode_lines([line]), lambda line: decode_block(line + b"\n")]
)
def test_line_that_is_not_the_one_spelling_is_refused(line, decode):
    with pytest.raises(InvalidText):
        decode(line)


@pytest.mark.parametrize("path", [b"../up", b".git/config", b"/abs", b"a//b", b'"a\\\\..\\\\b"'])
def test_unsafe_path_is_refused_with_its_line(path):
    text = encode_lines([file("+"), file("-")]) + GOOD.replace(b"name", path) + b"\n"

    with pytest.raises(UnsafePath) as caught:
        decode_block(text, first_line=5)

    assert caught.value.line == 7


@pytest.mark.parametrize("names", [("b", "a"), ("a", "a")])
def test_lines_out_of_order_or_twice_are_refused_with_the_line(names):
    text = b"".join(encode_lines([file(name)], indent=b"  ") for name in names)

    with pytest.raises(InvalidText, match="not sorted") as caught:
        decode_block(text, indent=b"  ", first_line=5)

    assert caught.value.line == 6


def test_the_line_at_fault_is_named_in_a_text_of_many_chunks():
    entries = [file(f"f{i:05}") for i in range(5_000)]
    text = encode_lines(entries, indent=b"  ")
    lines = text.splitlines(keepends=True)

    for at in (0, 700, 4_999):
        broken = b"".join([*lines[:at], lines[at].replace(b" f ", b" q "), *lines[at + 1 :]])
        with pytest.raises(InvalidText) as caught:
            decode_block(broken, indent=b"  ", first_line=5)
        assert caught.value.line == 5 + at

    for at in range(1, 5_000, 313):
        broken = b"".join([*lines[:at], *lines[at - 1 :]])
        with pytest.raises(InvalidText, match="not sorted") as caught:
            decode_block(broken, indent=b"  ", first_line=5)
        assert caught.value.line == 5 + at


def test_wrong_indentation_is_refused():
    for text in (GOOD + b"\n", b" " + GOOD + b"\n", b"   " + GOOD + b"\n", b"\t" + GOOD + b"\n"):
        with pytest.raises(InvalidText):
            decode_block(text, indent=b"  ")


def test_a_line_of_any_length_is_read_or_refused_quickly():
    started = time.process_time()
    for junk in (
        b"x" * 5_000_000,
        b"\n" * 500_000,
        b"sha256:" * 500_000,
        b"- 0 d " + b"/" * 3_000_000,
    ):
        with pytest.raises(InvalidText):
            decode_block(junk + b"\n")

    assert time.process_time() - started < 5


@law
@given(trees, st.sampled_from([b"", b"  "]))
def test_lines_read_back_as_the_entries(some, indent):
    text = encode_lines(some.entries, indent=indent)

    assert decode_block(text, indent=indent) == list(some.entries)
    assert decode_lines([line[len(indent) :] for line in text.split(b"\n")[:-1]]) == list(
        some.entries
    )


@law
@given(trees, st.integers(0, 10_000), st.binary(min_size=1, max_size=2))
def test_the_fast_way_of_reading_lines_agrees_with_the_slow_one(some, at, patch):
    text = encode_lines(some.entries)
    at %= len(text) + 1
    text = text[:at] + patch + text[at + len(patch) :]

    text = text.removesuffix(b"\n") + b"\n"

    assert _outcome(lambda: decode_block(text)) == _outcome(
        lambda: decode_lines(text[:-1].split(b"\n"))
    )


def _outcome(decode):
    try:
        return decode()
    except InvalidText as error:
        return type(error)


def test_a_hundred_thousand_lines_take_a_fraction_of_a_second():
    text = encode_lines([file(f"dir/{i:06}.bin") for i in range(100_000)])

    started = time.process_time()
    entries = decode_block(text)

    assert len(entries) == 100_000
    assert time.process_time() - started < 1.5  # 0.17 on the machine it was written on


def test_a_shard_fits_into_one_record_of_a_pack():
    assert MAX_RECORD_BYTES == SHARD_MAX_BYTES


def test_paths_too_long_for_a_shard_are_refused_before_they_are_stored(monkeypatch):
    monkeypatch.setattr(manifest, "SHARD_MAX_BYTES", 500)

    with pytest.raises(InvalidText, match="at most 500"):
        list(encode_shards([file("x" * 200 + "/a"), file("x" * 200 + "/b")]))


def test_no_entries_are_no_shards():
    assert list(cut_shards([])) == []


def test_a_shard_never_exceeds_its_maximum(monkeypatch):
    monkeypatch.setattr(manifest, "SHARD_MAX_ENTRIES", 10)

    sizes = [len(part) for part in cut_shards([file(f"{i:03}") for i in range(100)])]

    assert max(sizes) == 10
    assert sum(sizes) == 100


def test_one_changed_file_of_many_touches_one_shard():
    entries = {f"{i:06}": file(f"{i:06}") for i in range(30_000)}
    before = {shard.digest for shard, _ in encode_shards(entries.values())}

    entries["012345"] = file("012345", "changed")
    after = {shard.digest for shard, _ in encode_shards(entries.values())}

    assert len(before) > 30
    assert len(after - before) == 1


@small_cuts
@given(trees, st.sampled_from([(1, 10), (2, 3), (3, 100), (1000, 2)]))
def test_shards_read_back_and_only_as_the_format_cuts_them(monkeypatch, some, cuts):
    monkeypatch.setattr(manifest, "SHARD_DIVISOR", cuts[0])
    monkeypatch.setattr(manifest, "SHARD_MAX_ENTRIES", cuts[1])
    parts = list(encode_shards(some.entries))
    firsts = [*(shard.first for shard, _ in parts), None][1:]

    read = [
        decode_shard(text, shard, before=b) for (shard, text), b in zip(parts, firsts, strict=True)
    ]

    assert [entry for part in read for entry in part] == list(some.entries)
    for (one, left), (two, right), before in zip(parts, parts[1:], firsts[1:], strict=False):
        joined = left + right
        with pytest.raises(InvalidText, match="cut"):
            decode_shard(joined, Shard(digest("any"), len(joined), one.first), before=before)
        assert two.first > one.first


def test_shard_that_ends_early_is_refused():
    entries = [file(f"{i:03}") for i in range(4)]
    text = encode_lines(entries[:2])

    with pytest.raises(InvalidText, match="cut"):
        decode_shard(text, Shard(digest("any"), len(text), b"000"), before=b"002")


@pytest.mark.parametrize(
    ("first", "before", "size", "reason"),
    [
        (b"001", None, 0, "range"),
        (b"000", b"003", 0, "range"),
        (b"000", b"001", 0, "range"),
        (b"000", None, 1, "bytes"),
        (b"000", None, -1, "bytes"),
    ],
)
def test_shard_that_is_not_what_the_sidecar_says_is_refused(first, before, size, reason):
    text = encode_lines([file(f"{i:03}") for i in range(4)])

    with pytest.raises(InvalidText, match=reason) as caught:
        decode_shard(text, Shard(digest("any"), len(text) + size, first), before=before)

    assert digest("any").hex() in str(caught.value)


@pytest.mark.parametrize(
    "text", [b"", b"\n", GOOD, GOOD + b"\n\n", b"\n" + GOOD + b"\n", b"  " + GOOD + b"\n"]
)
def test_text_that_is_no_shard_is_refused(text):
    with pytest.raises(InvalidText):
        decode_shard(text, Shard(digest("any"), len(text), b"name"), before=None)


def test_modes_and_sizes_come_back_as_they_were():
    some = tree(
        Entry(b"big", digest("1"), 2**63 - 1, "f"), Entry(b"zero", digest("2"), 0, "x"),
        Entry(b"link", digest("3"), 3, "l"), folder("none"),
    )  # fmt: skip

    assert Tree(decode_block(encode_lines(some.entries))) == some
