"""The specification tells the truth: its examples are the golden files, its numbers the code's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from dvtool.core import manifest, pack, paths
from dvtool.core.config import combine
from dvtool.store.remote.layout import NEW_REMOTE, encode_format

TOP = Path(__file__).parents[2]
GOLDEN = TOP / "tests" / "golden"
PAGE = (TOP / "docs" / "format.md").read_text(encoding="utf-8")
BLOCKS = {
    (kind, name): body
    for kind, name, body in re.findall(
        r"<!-- (golden|golden-hex|example): (\S+) -->\n```[a-z]*\n(.*?)```\n", PAGE, re.DOTALL
    )
}
HEX_LINE = re.compile(r"([0-9a-f]{8})  ((?:[0-9a-f]{2} ?){1,16})(?: .*)?")


def test_the_page_shows_each_format():
    assert len(BLOCKS) == PAGE.count("<!-- ")
    assert {Path(name).suffix for kind, name in BLOCKS if kind != "example"} == {
        ".sidecar", ".shard", ".pack", ".idx", ".root", ".segment", ".yaml",
        ".migrated",
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for kind, name in BLOCKS if kind == "golden"])
def test_example_is_the_golden_file(name):
    assert BLOCKS["golden", name].encode() == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("name", [name for kind, name in BLOCKS if kind == "golden-hex"])
def test_dump_is_the_golden_file(name):
    data = (GOLDEN / name).read_bytes()
    at = 0
    for line in BLOCKS["golden-hex", name].splitlines():
        if line == "…":
            at = -1
            continue
        match = HEX_LINE.fullmatch(line)
        assert match is not None, line
        offset, shown = int(match[1], 16), bytes.fromhex(match[2])
        assert at in (-1, offset)
        assert data[offset : offset + len(shown)] == shown
        at = offset + len(shown)

    assert at == len(data)


def test_example_of_a_configuration_is_read_as_the_page_says(tmp_path):
    (tmp_path / ".dvtool").write_text(BLOCKS["example", "dvtool"])
    listed = subprocess.run(
        ["git", "config", "--file", ".dvtool", "--list", "-z"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip

    settings = combine([tuple(pair.split("\n", 1)) for pair in listed.split("\0")[:-1]])

    remote = settings.pick_remote()
    assert settings.repository == "00112233445566778899aabbccddeeff"
    assert settings.unknown == ()
    assert (remote.name, remote.url) == ("origin", "s3://bucket/prefix")
    assert remote.endpoint_url == "https://objects.example.org"
    assert remote.options == {"client_kwargs.region_name": "eu-1", "requester_pays": True}


def test_example_of_a_remote_is_what_a_first_push_writes():
    assert BLOCKS["example", "dvtool.json"].encode() == encode_format(NEW_REMOTE)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (manifest.SHARD_DIVISOR, "is a multiple of {}"),
        (manifest.SHARD_MAX_ENTRIES, "has {} entries"),
        (manifest.SHARD_MAX_BYTES, "MUST NOT exceed {} bytes"),
        (pack.MAX_RECORD_BYTES, "raw size, at most {}"),
        (paths.MAX_PATH_BYTES, "longer than {} bytes"),
        (paths.MAX_COMPONENT_BYTES, "component longer than {} bytes"),
    ],
)
def test_number_on_the_page_is_the_number_in_the_code(number, sentence):
    assert sentence.format(f"{number:,}") in " ".join(PAGE.split())


def test_links_within_the_page_lead_somewhere():
    anchors = set(re.findall(r'<a id="([^"]+)">', PAGE))

    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_pages_that_the_code_names_exist():
    named = set()
    for source in (TOP / "dvtool").rglob("*.py"):
        named |= set(re.findall(r"docs/format\.md#([a-z-]+)", source.read_text(encoding="utf-8")))

    assert named <= set(re.findall(r'<a id="([^"]+)">', PAGE))
