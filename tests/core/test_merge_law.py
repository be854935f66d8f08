"""The law of merges: git's own text merge of sidecars is right, or it is refused.

Whatever `git merge-file` merges without a conflict either reads back as the three-way merge of the
trees, or is refused as invalid text. Nobody needs our merge driver to be safe.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dvtool.core import manifest
from dvtool.core.sidecar import Sidecar, encode_sidecar, file_sidecar, parse_sidecar
from dvtool.core.tree import Tree, merge_trees
from dvtool.errors import InvalidText
from tests.core.strategies import file, folder, is_peaceful

law = settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = [f"{letter}{digit}" for letter in "abcd" for digit in range(4)]
ODD_NAMES = ["A0", "a0/x", "B1", "a1/x/y", "a1/X/z", "c-0", "c0", "c0/0", "d\n", "é", "e\u0301"]
ENTRIES = [
    *(file(name, content, mode=mode) for name in NAMES for content in "123" for mode in "fx"),
    *(file(name, content) for name in ODD_NAMES for content in "12"),
    *(folder(name) for name in ["a0", "c0", "b2", "z"]),
]
EXTRAS = [(), (("licence", "MIT"),), (("origin", "web"),), (("licence", "MIT"), ("origin", "web"))]


@pytest.fixture(scope="module")
def merge_file(tmp_path_factory):
    """Merges three texts with git; returns None for a conflict."""
    top = tmp_path_factory.mktemp("merge")

    def run(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
        for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
            (top / name).write_bytes(text)
        done = subprocess.run(
            ["git", "merge-file", "-p", "ours", "base", "theirs"],
            cwd=top, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode in range(128), done.stderr
        return None if done.returncode else done.stdout

    return run


@st.composite
def three_versions(draw):
    """A base of one dozen entries or so, and two versions that are a few edits away."""
    base = Tree(draw(st.lists(st.sampled_from(ENTRIES), max_size=14)))
    sides = []
    for _ in range(2):
        side = dict(base.items())
        for entry in draw(st.lists(st.sampled_from(ENTRIES), max_size=3)):
            if side.get(entry.path) == entry:
                del side[entry.path]
            else:
                side[entry.path] = entry
        sides.append(Tree(side.values()))
    return tuple(map(_without_clashes, (base, *sides)))


def _without_clashes(some: Tree) -> Tree:
    kept = Tree()
    for entry in some.entries:
        if is_peaceful(wider := Tree([*kept.entries, entry])):
            kept = wider
    return kept


def _check_law(merge_file, sidecars, shards):
    """Merges as text and by value, and compares."""

    def tree_of(sidecar):
        return sidecar.tree(lambda digest, size: shards[digest])

    base, ours, theirs = sidecars
    text = merge_file(*map(encode_sidecar, sidecars))
    if text is None:
        event("conflict")
        return
    expected = merge_trees(*map(tree_of, sidecars))
    try:
        merged = parse_sidecar(text)
        found = tree_of(merged)
    except InvalidText:
        event("clean text, refused")
        assert expected.conflicts or not is_peaceful(_side_by_side(base, ours, theirs, tree_of))
        return
    event("clean text, right" if ours != base != theirs else "one side only")
    assert not expected.conflicts
    assert found == expected.tree
    assert encode_sidecar(merged) == text
    for part in ("kind", "layout", "extra"):
        b, o, t = (getattr(sidecar, part) for sidecar in sidecars)
        if part != "extra" or o == b or t == b:
            assert getattr(merged, part) == (t if o == b else o)


def _side_by_side(base, ours, theirs, tree_of):
    """The merge as plain text sees it, where an emptied directory may stand beside its files."""
    before, mine, other = map(dict, (tree_of(base), tree_of(ours), tree_of(theirs)))
    merged = {}
    for path in {*before, *mine, *other}:
        entry = other.get(path) if mine.get(path) == before.get(path) else mine.get(path)
        if entry:
            merged[path] = entry
    return Tree(merged.values())


@law
@given(three_versions(), st.tuples(*[st.sampled_from(EXTRAS)] * 3))
def test_clean_text_merge_of_inline_sidecars_is_right_or_refused(merge_file, versions, extras):
    sidecars = [
        Sidecar("directory", entries=tuple(some.entries), extra=extra)
        for some, extra in zip(versions, extras, strict=True)
    ]

    _check_law(merge_file, sidecars, {})


@law
@given(three_versions(), st.sampled_from([(2, 100), (4, 3), (1000, 2), (1000, 4)]))
def test_clean_text_merge_of_sharded_sidecars_is_right_or_refused(
    merge_file, monkeypatch, versions, cuts
):
    monkeypatch.setattr(manifest, "SHARD_DIVISOR", cuts[0])
    monkeypatch.setattr(manifest, "SHARD_MAX_ENTRIES", cuts[1])
    made = [Sidecar("directory", "sharded").with_tree(some) for some in versions]

    _check_law(
        merge_file,
        [sidecar for sidecar, _ in made],
        {digest: text for _, shards in made for digest, text in shards.items()},
    )


@law
@given(three_versions(), st.tuples(*[st.sampled_from(["inline", "sharded"])] * 3),
       st.tuples(*[st.sampled_from(EXTRAS)] * 3))  # fmt: skip
def test_clean_text_merge_where_the_layout_changes_is_right_or_refused(
    merge_file, monkeypatch, versions, layouts, extras
):
    monkeypatch.setattr(manifest, "SHARD_DIVISOR", 3)
    made = [
        Sidecar("directory", layout, extra=extra).with_tree(some)
        for some, layout, extra in zip(versions, layouts, extras, strict=True)
    ]

    _check_law(
        merge_file,
        [sidecar for sidecar, _ in made],
        {digest: text for _, shards in made for digest, text in shards.items()},
    )


# Contents of equal and of different size, so that the size line may or may not change.
one_file = st.builds(
    lambda entry: file_sidecar(entry._replace(size=10 + entry.digest[0] % 2)),
    st.sampled_from([entry for entry in ENTRIES if entry.mode in "fx"]),
)
sidecar_values = st.one_of(
    one_file,
    three_versions().map(lambda some: Sidecar("directory", entries=tuple(some[0].entries)[:3])),
)


@law
@given(st.tuples(one_file, one_file, one_file), st.tuples(*[st.sampled_from(EXTRAS)] * 3))
def test_clean_text_merge_of_single_files_is_right_or_refused(merge_file, sidecars, extras):
    with_extras = [replace(s, extra=extra) for s, extra in zip(sidecars, extras, strict=True)]

    _check_law(merge_file, with_extras, {})


@law
@given(st.tuples(sidecar_values, sidecar_values, sidecar_values))
def test_clean_text_merge_of_a_file_and_a_directory_is_right_or_refused(merge_file, sidecars):
    _check_law(merge_file, sidecars, {})


def _inline(*names: str) -> bytes:
    return encode_sidecar(Sidecar("directory", entries=tuple(Tree(map(file, names)).entries)))


BETWEEN = [f"a-{i}" for i in range(9)]


def test_files_added_far_from_each_other_merge_as_text(merge_file):
    text = merge_file(_inline(*BETWEEN), _inline(*BETWEEN, "A"), _inline(*BETWEEN, "z"))

    assert text == _inline("A", *BETWEEN, "z")


@pytest.mark.parametrize(
    ("ours", "theirs"), [("A", "a/b"), ("A/1", "a/2"), ("a", "a/b"), ("Z", "z")]
)
def test_clash_that_a_text_merge_lets_through_is_refused(merge_file, ours, theirs):
    text = merge_file(_inline(*BETWEEN), _inline(*BETWEEN, ours), _inline(*BETWEEN, theirs))

    assert text is not None
    with pytest.raises(InvalidText, match="side by side"):
        parse_sidecar(text)
