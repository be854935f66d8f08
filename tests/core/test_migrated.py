"""The map of a migration has one spelling, and makes the sidecars that its lines stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvtool.core.migrated import encode_map, parse_map
from dvtool.errors import InvalidText

GOLDEN = (Path(__file__).parents[1] / "golden" / "history.migrated").read_bytes()
HELLO = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"


def test_the_golden_map_is_read_and_written_the_same():
    found = parse_map(GOLDEN)

    assert encode_map(found) == GOLDEN
    assert sorted(found.files) == [
        "md5-dos2unix:e7d2b2d0bd8e0c0d4c2c7b4e0f6a7e2a",
        "md5:b1946ac92492d2347c6235b4d2611184",
        "pointer:5f1bb5eb6a2a8ad2fe41b1fcd6e3a7c56b7d4a3e",
    ]
    assert found.has_dvc
    assert found.has_pointers


def test_lines_make_sidecars():
    found = parse_map(GOLDEN)

    assert found.sidecar("md5:b1946ac92492d2347c6235b4d2611184", "x") == (
        f"dvt: 1\nkind: file\ndigest: sha256:{HELLO}\nsize: 6\nmode: x\n".encode()
    )
    assert found.sidecar("md5:d751713988987e9331980363e24189ce.dir") == (
        b"dvt: 1\nkind: directory\nlayout: sharded\nshards: |\n"
    )
    assert found.sidecar("md5:00000000000000000000000000000000") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", 1),
        (b"migrated: 2\n", 1),
        (GOLDEN[:-1], 1),
        (GOLDEN.replace(b" 6\n", b" 06\n", 1), 2),
        (GOLDEN.replace(b" 250 a.csv", b" 250  ../a.csv"), 4),
        (GOLDEN.replace(b"md5:b1946ac9", b"md5:01946ac9"), 5),
        (GOLDEN.replace(b"md5:b1946ac9", b"md5:B1946ac9"), 5),
        (GOLDEN + b"\n", 8),
        (GOLDEN.replace(b" 0\n", b" 99999999999999999999\n"), 7),
    ],
)
def test_every_other_spelling_is_refused_with_its_line(text, line):
    with pytest.raises(InvalidText) as caught:
        parse_map(text)

    assert caught.value.line == line
