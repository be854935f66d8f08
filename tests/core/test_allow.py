"""Allow files: one line an entry, one valid text, everything else refused with its line."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.allow import Allowance
from dvtool.core.allowtext import encode_allow, parse_allow
from dvtool.core.digest import Digest
from dvtool.core.manifest import Shard
from dvtool.core.sidecar import Sidecar, version_digest
from dvtool.core.tree import Entry
from dvtool.errors import InvalidText

GOLDEN = (Path(__file__).parents[1] / "golden" / "accepted.allow.yaml").read_bytes()
HELLO = Digest(bytes.fromhex("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"))
NOTHING = Digest(bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
ADA = "Ada Lovelace <ada@example.org>"
DAY = dt.date(2026, 11, 28)
ENTRIES = (
    Allowance(
        HELLO,
        "age.nulls",
        "exception",
        "sensor was down on 12 May, ticket 512",
        ADA,
        DAY,
        until=dt.date(2026, 12, 31),
    ),
    Allowance(
        NOTHING,
        "all",
        "new-normal",
        'the "new" tariff, see C:\\notes',
        ADA,
        DAY,
        table="north/a,b.csv",
    ),
)


def test_the_golden_file_is_what_two_entries_are() -> None:
    assert parse_allow(GOLDEN) == ENTRIES
    assert encode_allow(ENTRIES) == GOLDEN


def test_other_readers_of_yaml_read_the_same() -> None:
    read = yaml.safe_load(GOLDEN)

    assert read["entries"][0]["until"] == dt.date(2026, 12, 31)
    assert read["entries"][1]["reason"] == 'the "new" tariff, see C:\\notes'
    assert read["entries"][1]["table"] == "north/a,b.csv"
    assert read["entries"][1]["data"] == f"sha256:{NOTHING.hex()}"


LINE = GOLDEN.decode().splitlines()[2]


@pytest.mark.parametrize(
    ("was", "now", "line", "said"),
    [
        ("allow: 1", "allow: 2", 1, "expected 'allow: 1'"),
        ("entries:", "entry:", 2, "expected 'entries:'"),
        (LINE, LINE.replace("kind:", "kin:"), 3, "unknown key kin"),
        (LINE, LINE.replace("exception", "exemption"), 3, "kind is exception or new-normal"),
        (LINE, LINE.replace('"age.nulls"', "age.nulls"), 3, "finding is written in double quotes"),
        (LINE, LINE.replace("exception", '"exception"'), 3, "kind is written without quotes"),
        (LINE, LINE.replace("2026-12-31", "2026-02-30"), 3, "until is a day"),
        (LINE, LINE.replace("2026-12-31", "2026-W01-1"), 3, "until is a day"),
        (LINE, LINE.replace("ticket 512", "ticket\u202e 512"), 3, "invisible"),
        (LINE, LINE.replace("sensor", " sensor"), 3, "has a space at an end"),
        (LINE, LINE.replace("sha256:5891", "sha256:589"), 3, "64 hex digits"),
        (LINE, LINE.replace(", when: 2026-11-28", ""), 3, "an entry needs when"),
        (LINE, LINE.replace("kind: exception, ", "kind: exception, kind: exception, "), 3, "twice"),
        (LINE, LINE.replace("{finding", "{  finding"), 3, "expected 'key: value'"),
        (LINE, LINE + " # fine", 3, "expected an entry"),
        (LINE, LINE[2:], 3, "expected an entry"),
        (LINE, LINE + "\n" + LINE, 4, "stands twice, first on line 3"),
        (LINE, f"{LINE[:-1]}, }}", 3, "expected 'key: value'"),
    ],
)
def test_every_other_text_is_refused_with_its_line(
    was: str, now: str, line: int, said: str
) -> None:
    text = GOLDEN.decode().replace(was, now, 1)

    with pytest.raises(InvalidText) as caught:
        parse_allow(text.encode(), source="a.allow.yaml")

    assert str(caught.value).startswith(f"a.allow.yaml:{line}: ")
    assert said in str(caught.value)


def test_a_typo_is_answered_with_the_nearest_key() -> None:
    with pytest.raises(InvalidText) as caught:
        parse_allow(GOLDEN.replace(b"reason:", b"raeson:", 1))

    assert caught.value.hint == "did you mean reason?"


def test_a_new_normal_has_no_end_and_keys_have_an_order() -> None:
    with pytest.raises(InvalidText, match="a new normal has no until"):
        parse_allow(GOLDEN.replace(b"kind: exception", b"kind: new-normal", 1))
    swapped = GOLDEN.replace(
        b'finding: "age.nulls", kind: exception', b'kind: exception, finding: "age.nulls"'
    )
    with pytest.raises(InvalidText, match="not in order: finding, kind, reason"):
        parse_allow(swapped)


@pytest.mark.parametrize("text", [b"", b"allow: 1\nentries:\n", GOLDEN[:-1], b"\xff" + GOLDEN])
def test_nothing_half_and_no_bytes_beyond_utf8(text: bytes) -> None:
    with pytest.raises(InvalidText):
        parse_allow(text)


WORDS = st.text(max_size=40).map(str.strip).filter(bool)
DAYS = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))


@given(st.builds(Allowance, st.binary(min_size=32, max_size=32), WORDS, st.just("exception"),
                 WORDS, WORDS, DAYS, st.none() | DAYS, st.just("") | WORDS))  # fmt: skip
def test_what_can_be_written_is_read_back_and_all_else_is_refused(entry: Allowance) -> None:
    try:
        text = encode_allow([entry])
    except InvalidText:
        return

    assert parse_allow(text) == (entry,)
    assert text.count(b"\n") == 3


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused_or_are_the_one_text_of_what_they_say(tail: bytes) -> None:
    text = b"allow: 1\nentries:\n" + tail
    try:
        entries = parse_allow(text)
    except InvalidText:
        return

    assert encode_allow(entries) == text


def test_the_digest_of_a_version_does_not_depend_on_the_layout() -> None:
    entries = tuple(Entry(f"part-{number}.csv".encode(), HELLO, 6, "f") for number in (1, 2, 3))
    lines = b"".join(b"sha256:%s 6 f %s\n" % (HELLO.hex().encode(), one.path) for one in entries)
    shard = Shard(Digest(hashlib.sha256(lines).digest()), len(lines), b"part-1.csv")

    inline = Sidecar("directory", entries=entries)
    sharded = Sidecar("directory", "sharded", shards=(shard,))

    assert version_digest(inline) == version_digest(sharded)
    assert version_digest(Sidecar("file", entries=(Entry(b"", HELLO, 6, "f"),))) == HELLO
    assert version_digest(Sidecar("directory", entries=entries[:2])) != version_digest(inline)
