"""The one spelling of each path in sidecars and manifests."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.quote import display, must_quote, quote, unquote
from dvtool.errors import InvalidText
from tests.core.strategies import law

SPELLINGS = [
    (b"plain.txt", b"plain.txt"),
    (b"with space", b"with space"),
    (b" leading", b'" leading"'),
    (b"trailing ", b'"trailing "'),
    (b"-dash", b"-dash"),
    (b"#not a comment: 'x' {y} [z] & *", b"#not a comment: 'x' {y} [z] & *"),
    ("café".encode(), "café".encode()),
    ("📦".encode(), "📦".encode()),
    (b'say "hi"', b'"say \\"hi\\""'),
    (b"back\\slash", b'"back\\\\slash"'),
    (b"\a\b\t\n\v\f\r", b'"\\a\\b\\t\\n\\v\\f\\r"'),
    (b"nul\0byte", b'"nul\\000byte"'),
    (b"\x1b[31m", b'"\\033[31m"'),
    (b"del\x7f", b'"del\\177"'),
    (b"latin1-\xe9", b'"latin1-\\351"'),
    ("next\u0085line".encode(), b'"next\\302\\205line"'),
    ("line\u2028separator".encode(), b'"line\\342\\200\\250separator"'),
    ("paragraph\u2029separator".encode(), b'"paragraph\\342\\200\\251separator"'),
    ("\ufeffmark".encode(), b'"\\357\\273\\277mark"'),
    (b"\xed\xa0\x80", b'"\\355\\240\\200"'),
    (b"\xc0\xaf", b'"\\300\\257"'),
]


@pytest.mark.parametrize(("path", "spelling"), SPELLINGS)
def test_each_path_has_the_expected_spelling(path, spelling):
    assert quote(path) == spelling
    assert unquote(spelling) == path


@pytest.mark.parametrize(
    "spelling",
    [
        b"",
        b'""',
        b'"plain"',
        b'"with space"',
        b'"open',
        b'"',
        b'close"',
        b" lead",
        b"tail ",
        b"tab\there",
        b"back\\slash",
        b'"\\q"',
        b'"\\7"',
        b'"\\400"',
        b'"\\012"',
        b'"\\x41\\n"',
        b'"\\303\\251"',
        '"é\\n"'.encode(),
        b"latin1-\xe9",
        b'"a"b"',
        b'"a\n"',
        "\u2028".encode(),
    ],
)
def test_any_other_spelling_is_refused(spelling):
    with pytest.raises(InvalidText):
        unquote(spelling)


@law
@given(st.binary(min_size=1, max_size=60))
def test_unquote_is_the_inverse_of_quote(path):
    text = quote(path)

    assert unquote(text) == path
    assert b"\n" not in text
    assert text.strip() == text
    text.decode("utf-8")


@law
@given(st.binary(max_size=20))
def test_no_two_spellings_of_one_path(text):
    try:
        path = unquote(text)
    except InvalidText:
        return

    assert quote(path) == text


@law
@given(st.text(min_size=1, max_size=20))
def test_the_parts_of_a_path_are_no_less_plain_than_the_whole(text):
    path = text.encode("utf-8", "surrogatepass")

    assert must_quote(path) == (quote(path) != path)
    assert display(path).isprintable() or not must_quote(path)


def test_quoted_spellings_are_those_of_git(tmp_path):
    names = [
        b'say "hi"',
        b"back\\slash",
        b"\a\b\t\n\v\f\r",
        b"latin1-\xe9",
        b"del\x7f",
        b"\x1b[31m",
    ]
    for name in names:
        with open(bytes(tmp_path) + b"/" + name, "wb"):
            pass

    listed = subprocess.run(
        ["git", "-c", "core.quotePath=true", "ls-files", "--others"],
        cwd=_repository(tmp_path), check=True, capture_output=True,
    ).stdout  # fmt: skip

    assert sorted(listed.splitlines()) == sorted(map(quote, names))


def _repository(top):
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    return top
