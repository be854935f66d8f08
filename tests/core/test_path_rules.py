"""Which paths are safe, and which can stand side by side."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.core import paths
from dvtool.core.manifest import encode_lines
from dvtool.core.paths import Neighbours, check_path, find_clash, fold
from dvtool.core.tree import Entry
from dvtool.errors import UnsafePath
from tests.core.strategies import law, small_paths

UNSAFE = [
    b"",
    b"/",
    b"/etc/passwd",
    b"a//b",
    b"a/",
    b".",
    b"..",
    b"../a",
    b"a/../b",
    b"a/..",
    b"./a",
    b"a/./b",
    b".. ",
    b"..:x/a",
    b". /a",
    b"a\0b",
    # git's own directory, as written, by case, and as NTFS and HFS+ read it
    b".git",
    b".GIT",
    b".gIt/config",
    b"a/.git/hooks/post-checkout",
    b".git ",
    b".git.",
    b".git . .",
    b".git:stream",
    b".git::$INDEX_ALLOCATION",
    b".git::$INDEX_ALLOCATION/config",
    b"git~1",
    b"GIT~1/config",
    b"git~2",
    ".g\u200cit".encode(),
    "\u200e.git".encode(),
    ".git\ufeff".encode(),
    ".\u206ag\u202ait".encode(),
    # backslashes are separators on NTFS
    b"..\\a",
    b"a\\..\\b",
    b"a\\..",
    b".git\\config",
    b"a\\.git\\config",
    b"a\\GIT~1",
    b"a\\. \\b",
    # the other names that are not data
    b".dvtool",
    b".DVTool",
    b"a/.dvtool/x",
    b"DVTOOL~1",
    b".gitattributes",
    b"a/.gitAttributes",
    b"GITATT~1",
    ".gitattribute\u017f".encode(),
    # too long
    b"x" * 256,
    b"/".join([b"x" * 200] * 30),
]
SAFE = [
    b"a",
    b"a/b/c",
    b"-rf",
    b"a b",
    b" a",
    b"a ",
    b"a.",
    b"...",
    b"..a",
    b"a..b",
    b".gitignore",
    b".gitkeep",
    b".github/workflows/x.yml",
    b".git2",
    b"x.git",
    b"x.git/a",
    b"git~",
    b"git~x",
    b"~",
    b"C:",
    b"a:b",
    b"a\\b",
    b"\\",
    b"\xff\xfe",
    b"new\nline",
    b".dvtignore",
    b"dvtool",
    "é".encode(),
    "\u200cx".encode(),
    b"x" * 255,
    b"/".join([b"x" * 200] * 20),
]


@pytest.mark.parametrize("path", UNSAFE)
def test_unsafe_path_is_refused(path):
    with pytest.raises(UnsafePath):
        check_path(path)


@pytest.mark.parametrize("path", SAFE)
def test_safe_path_is_taken(path):
    check_path(path)


@pytest.mark.parametrize("path", UNSAFE)
def test_unsafe_path_is_refused_deeper_too(path):
    if not path:
        return

    with pytest.raises(UnsafePath):
        check_path(b"data/" + path)


@law
@given(st.text(alphabet="./\\:~ gGiItT1dDvVoOlL\u200c\ufeff\u202a\0", max_size=12))
def test_quick_look_at_a_path_agrees_with_the_full_one(text):
    path = text.encode()
    try:
        check_path(path)
        quick = True
    except UnsafePath:
        quick = False

    assert quick == _is_safe_by_component(path)


def _is_safe_by_component(path: bytes) -> bool:
    try:
        for component in path.split(b"/"):
            paths._check_component(component, path)
    except UnsafePath:
        return False
    return bool(path)


@pytest.mark.parametrize(
    "clashing",
    [
        [b"a", b"A"],
        [b"dir/a", b"DIR/b"],
        [b"a", b"a/b"],
        [b"a", b"A/b"],
        [b"A", b"a/b"],
        [b"a/b", b"a/b/c/d"],
        [b"a", b"a-b", b"a/b"],
        [b"x/Y/1", b"x/y/2"],
        ["é".encode(), "e\u0301".encode()],
        ["É".encode(), "e\u0301".encode()],
        ["straße".encode(), b"STRASSE"],
        ["\u212a".encode(), b"k"],
        ["é/1".encode(), "e\u0301/2".encode()],
        ["\u01c6".encode(), "\u01c5".encode()],
        ["\u1f80".encode(), "\u1f00\u0345".encode()],
    ],
)
def test_paths_that_clash_are_found_in_any_order(clashing):
    for order in (clashing, clashing[::-1]):
        found = find_clash(order)

        assert found is not None
        assert found[1] in clashing


@pytest.mark.parametrize(
    "peaceful",
    [
        [],
        [b"a"],
        [b"a", b"a-b", b"a.b", b"ab/c"],
        [b"a/b", b"a/c", b"ab", b"b/a"],
        [b"\xff", b"\xfe"],
        [b"\xe9", "é".encode()],
        [b"DIR/A", b"DIR/B", b"dirs/a"],
    ],
)
def test_paths_that_can_stand_side_by_side_do(peaceful):
    assert find_clash(peaceful) is None


@law
@given(st.lists(small_paths, unique=True, max_size=8))
def test_clashes_are_those_of_every_pair(some):
    pairs = [(a, b) for a in some for b in some if a < b and _clash(a, b)]

    assert (find_clash(some) is not None) == bool(pairs)


def _clash(a: bytes, b: bytes) -> bool:
    """The rule, written down for two paths."""
    left, right = a.split(b"/"), b.split(b"/")
    for depth, (x, y) in enumerate(zip(left, right, strict=False), 1):
        if fold(x) != fold(y):
            return False
        last = depth in (len(left), len(right))
        if x != y or last:
            return True
    return True


@law
@given(st.lists(small_paths, unique=True, max_size=8))
def test_admitted_neighbours_never_clash(some):
    neighbours = Neighbours()
    admitted = [path for path in some if neighbours.admit(path) is None]

    assert find_clash(admitted) is None


@law
@given(
    st.one_of(st.text(max_size=12).map(lambda t: t.encode("utf-8", "surrogatepass")), st.binary())
)
def test_fold_twice_is_fold(path):
    assert fold(fold(path)) == fold(path)
    assert fold(path).count(b"/") == path.count(b"/")


@law
@given(st.lists(small_paths, unique=True, min_size=1, max_size=5))
def test_what_is_spelt_plain_by_pattern_is_safe_and_needs_no_quotes(some):
    for path in some:
        if re.fullmatch(paths.PLAIN_PATH, path):
            check_path(path)
            assert encode_lines([Entry(path, b"", 0, "d")]) == b"- 0 d %s\n" % path
