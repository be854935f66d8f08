"""Origins: what the sidecar of an imported data set says, and what never gets into it."""

from __future__ import annotations

import pytest

from dvtool.core.digest import Digest
from dvtool.core.origin import Origin, origin_of, uri_of, url_of, with_origin, without_credentials
from dvtool.core.sidecar import encode_sidecar, file_sidecar, parse_sidecar
from dvtool.core.tree import Entry
from dvtool.errors import InvalidText, UsageError

FILE = file_sidecar(Entry(b"", Digest(bytes(range(32))), 6, "f"))


def test_the_lines_of_an_origin_are_these():
    origin = Origin(
        "https://host/team/data.git",
        "data/été 100%.csv",
        "release/2",
        "a" * 40,
        digest=Digest(b"\x11" * 32),
    )

    text = encode_sidecar(with_origin(FILE, origin)).decode()

    assert text.splitlines()[5:] == [
        'origin: "https://host/team/data.git"',
        f'origin-commit: "{"a" * 40}"',
        f'origin-digest: "sha256:{"11" * 32}"',
        'origin-path: "data/%C3%A9t%C3%A9 100%25.csv"',
        'origin-rev: "release/2"',
    ]
    assert origin_of(parse_sidecar(text.encode()), source="x.dvt") == origin


def test_what_looks_like_markup_of_the_sidecar_comes_back_as_it_was():
    origin = Origin('s3://bucket/a "b" \\ c.csv', etag='x"y-2')

    again = parse_sidecar(encode_sidecar(with_origin(FILE, origin)))

    assert origin_of(again, source="x.dvt") == origin


def test_other_further_keys_are_kept():
    kept = parse_sidecar(encode_sidecar(FILE) + b"licence: CC-BY-4.0\norigins: 3\n")

    told = with_origin(with_origin(kept, Origin("s3://b/a", etag="1")), Origin("s3://b/c"))

    assert told.extra == (("licence", "CC-BY-4.0"), ("origin", '"s3://b/c"'), ("origins", "3"))


def test_a_sidecar_without_the_lines_has_no_origin():
    assert origin_of(FILE, source="x.dvt") is None


def test_a_path_without_its_commit_is_refused():
    broken = parse_sidecar(encode_sidecar(FILE) + b'origin: "https://h/r"\norigin-path: "a"\n')

    with pytest.raises(InvalidText, match="origin-commit"):
        origin_of(broken, source="x.dvt")


def test_an_address_that_no_sidecar_can_hold_is_refused():
    with pytest.raises(UsageError, match="printable ASCII"):
        with_origin(FILE, Origin("host:é"))


@pytest.mark.parametrize(
    ("url", "clean", "dropped"),
    [
        ("https://me:pw@host/a.csv?x=1", "https://host/a.csv?x=1", ("user and password",)),
        ("https://token@host/a.git", "https://host/a.git", ("user and password",)),
        ("ssh://me@host/a", "ssh://me@host/a", ()),
        ("ssh://me:pw@host/a", "ssh://host/a", ("user and password",)),
        (
            "https://b.s3.amazonaws.com/a?X-Amz-Signature=abc&versionId=7&X-Amz-Date=1",
            "https://b.s3.amazonaws.com/a?versionId=7",
            ("X-Amz-Signature", "X-Amz-Date"),
        ),
        ("https://h/a?api_key=1&format=csv", "https://h/a?format=csv", ("api_key",)),
        ("https://h/a?sv=2020&sig=abc%2F", "https://h/a", ("sv", "sig")),
        ("file:///a/b%20c", "file:///a/b%20c", ()),
        ("memory://a/b", "memory://a/b", ()),
        ("git@host:team/data.git", "git@host:team/data.git", ()),
    ],
)
def test_credentials_are_taken_out_of_an_address(url, clean, dropped):
    assert without_credentials(url) == (clean, dropped)


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("s3://bucket/é 100%.csv", "s3://bucket/%C3%A9 100%25.csv"),
        ("file:///a/b%20c", "file:///a/b%2520c"),
        ("https://h/b%20c?d=%25", "https://h/b%20c?d=%25"),
    ],
)
def test_an_address_is_written_in_ascii_and_comes_back_as_it_was_typed(url, uri):
    assert uri_of(url) == uri
    assert url_of(uri) == url
