"""Hypothesis strategies for the values of `dvtool.core`, shared by the tests beside this file."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import settings
from hypothesis import strategies as st

from dvtool.core.digest import NO_DIGEST, Digest
from dvtool.core.manifest import check_no_clash
from dvtool.core.paths import check_path
from dvtool.core.tree import Entry, Tree
from dvtool.errors import InvalidText

law = settings(deadline=None, max_examples=150)
"""For laws that need no process of their own."""


def digest(name: str) -> Digest:
    """Returns a digest that stands for the bytes called `name`."""
    return Digest(sha256(name.encode()).digest())


def file(path: str | bytes, content: str = "1", *, mode: str = "f") -> Entry:
    raw = path.encode() if isinstance(path, str) else path
    return Entry(raw, digest(content), 10, mode)


def folder(path: str) -> Entry:
    return Entry(path.encode(), NO_DIGEST, 0, "d")


def tree(*entries: Entry) -> Tree:
    return Tree(entries)


def is_safe(path: bytes) -> bool:
    try:
        check_path(path)
    except InvalidText:
        return False
    return True


def is_peaceful(entries: Tree) -> bool:
    try:
        check_no_clash(entries.entries)
    except InvalidText:
        return False
    return True


# Components that are dull, that clash by case or Unicode form, or that need quoting.
COMPONENTS = [
    "a",
    "A",
    "b",
    "B",
    "c",
    "a-b",
    "é",
    "e\u0301",
    "ß",
    "SS",
    "x y",
    " s",
    'q"',
    "n\nl",
    "\\",
]
components = st.sampled_from([c.encode() for c in COMPONENTS] + [b"\xff", b"caf\xe9"])
small_paths = st.lists(components, min_size=1, max_size=3).map(b"/".join).filter(is_safe)
any_paths = st.binary(min_size=1, max_size=40).filter(is_safe)
odd_text_paths = st.text(min_size=1, max_size=12).map(lambda t: t.encode("utf-8", "surrogatepass"))
paths = st.one_of(small_paths, any_paths, odd_text_paths.filter(is_safe))

digests = st.binary(min_size=32, max_size=32).map(Digest)
sizes = st.one_of(st.integers(0, 100), st.integers(0, 2**63 - 1))


@st.composite
def entries(draw: st.DrawFn, path: st.SearchStrategy[bytes] = paths) -> Entry:
    name = draw(path)
    mode = draw(st.sampled_from("ffxld"))
    if mode == "d":
        return Entry(name, NO_DIGEST, 0, "d")
    return Entry(name, draw(digests), draw(sizes), mode)


trees = st.lists(entries(), max_size=12).map(Tree).filter(is_peaceful)
