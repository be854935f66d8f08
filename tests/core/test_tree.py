"""Trees: mapping, differences, and the three-way merge by value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dvtool.core.tree import Change, Entry, Tree, diff_trees, merge_trees
from tests.core.strategies import digest, file, folder, is_peaceful, law, tree, trees


def test_entries_are_iterated_by_raw_bytes_whatever_their_order():
    some = tree(file("b"), file("B"), file("a/b"), file("a-b"), file("é"))

    assert list(some) == [b"B", b"a-b", b"a/b", b"b", "é".encode()]
    assert [path for path, _ in some.items()] == [entry.path for entry in some.entries]


def test_of_two_entries_with_one_path_the_later_counts():
    assert tree(file("a", "1"), file("a", "2"))[b"a"].digest == digest("2")


def test_sizes_count_each_entry_and_blobs_each_content():
    some = tree(file("a", "same"), file("b", "same"), file("c", "other"), folder("d"))

    assert some.size_bytes == 30
    assert some.blobs() == {digest("same"): 10, digest("other"): 10}


def test_under_takes_a_path_or_a_folder_never_a_longer_name():
    some = tree(file("a/1"), file("a/2/3"), file("a-b"), file("ab/1"))

    assert list(some.under(b"a")) == [b"a/1", b"a/2/3"]
    assert list(some.under(b"a-b")) == [b"a-b"]
    assert some.under(b"") is some
    assert not some.under(b"nothing")


def test_replaced_changes_only_what_is_below_the_prefix():
    some = tree(file("a/1"), file("a/2"), file("ab"), file("b"))

    assert list(some.replaced(b"a", [file("a/3")])) == [b"a/3", b"ab", b"b"]
    assert list(some.replaced(b"a/1", [])) == [b"a/2", b"ab", b"b"]
    assert list(some.replaced(b"", [file("x")])) == [b"x"]


def test_a_directory_that_gets_a_file_is_recorded_as_empty_no_longer():
    some = tree(folder("a"), folder("ab"), folder("b/c"))

    assert list(some.replaced(b"a/x", [file("a/x")])) == [b"a/x", b"ab", b"b/c"]
    assert list(some.replaced(b"b/c/d/e", [file("b/c/d/e")])) == [b"a", b"ab", b"b/c/d/e"]


def test_each_kind_of_change_is_told_once_and_sorted():
    old = tree(file("gone", "g"), file("kept"), file("moved", "m"), file("run"), file("text", "1"))
    new = tree(file("kept"), file("later", "m"), file("new", "n"), file("run", mode="x"),
               file("text", "2"))  # fmt: skip

    changes = diff_trees(old, new)

    assert [(c.kind, c.path) for c in changes] == [
        ("removed", b"gone"),
        ("renamed", b"later"),
        ("added", b"new"),
        ("mode", b"run"),
        ("changed", b"text"),
    ]
    assert changes[1] == Change("renamed", b"later", old[b"moved"], new[b"later"])


def test_a_file_that_becomes_a_link_is_changed_even_with_the_same_bytes():
    assert diff_trees(tree(file("a")), tree(file("a", mode="l")))[0].kind == "changed"


def test_empty_files_and_directories_are_never_renames():
    nothing = Entry(b"a", digest(""), 0, "f")

    changes = diff_trees(tree(nothing, folder("x")), tree(nothing._replace(path=b"b"), folder("y")))

    assert [c.kind for c in changes] == ["removed", "added", "removed", "added"]


def test_copies_of_one_content_are_renamed_in_order():
    old = tree(*(file(f"a{i}", "same") for i in range(3)))
    new = tree(*(file(f"b{i}", "same") for i in range(2)))

    changes = diff_trees(old, new)

    assert [(c.kind, c.path) for c in changes] == [
        ("removed", b"a2"),
        ("renamed", b"b0"),
        ("renamed", b"b1"),
    ]
    assert changes[1].old == old[b"a0"]


@law
@given(trees, trees, st.booleans())
def test_a_difference_leads_from_the_old_tree_to_the_new(old, new, renames):
    by_path = dict(old.items())
    for change in diff_trees(old, new, renames=renames):
        assert change.old != change.new
        if change.old is not None and change.kind != "changed":
            by_path.pop(change.old.path, None)
    for change in diff_trees(old, new, renames=renames):
        if change.new is not None:
            by_path[change.path] = change.new

    assert by_path == dict(new.items())


@law
@given(trees)
def test_equal_trees_do_not_differ(some):
    assert diff_trees(some, Tree(reversed(list(some.entries)))) == []


def test_independent_changes_merge():
    base = tree(file("a"), file("b"), file("c"), file("d"))
    ours = tree(file("a", "ours"), file("b"), file("d"), file("new1"))
    theirs = tree(file("a"), file("b", "theirs"), file("c"), file("d"), file("new2"))

    merged = merge_trees(base, ours, theirs)

    assert merged.conflicts == ()
    assert merged.tree == tree(
        file("a", "ours"), file("b", "theirs"), file("d"), file("new1"), file("new2")
    )


def test_a_path_changed_on_both_sides_is_a_conflict_that_names_all_three():
    base, ours, theirs = tree(file("a")), tree(file("a", "o")), tree(file("a", "t"))

    merged = merge_trees(base, ours, theirs)

    (conflict,) = merged.conflicts
    assert (conflict.path, conflict.base, conflict.ours, conflict.theirs) == (
        b"a", base[b"a"], ours[b"a"], theirs[b"a"],
    )  # fmt: skip
    assert merged.tree == ours


def test_changed_here_and_removed_there_is_a_conflict_either_way():
    base, changed = tree(file("a")), tree(file("a", "2"))

    assert merge_trees(base, changed, tree()).tree == changed
    assert merge_trees(base, tree(), changed).tree == tree()
    assert len(merge_trees(base, changed, tree()).conflicts) == 1
    assert len(merge_trees(base, tree(), changed).conflicts) == 1


def test_bytes_and_executable_bit_merge_apart_from_each_other():
    base, new_bytes, new_mode = file("a", "1"), file("a", "2"), file("a", "1", mode="x")

    for ours, theirs in ((new_bytes, new_mode), (new_mode, new_bytes)):
        merged = merge_trees(tree(base), tree(ours), tree(theirs))

        assert merged.conflicts == ()
        assert merged.tree == tree(file("a", "2", mode="x"))


def test_a_link_never_takes_the_bytes_of_a_file():
    base, link, new = file("a", "1"), file("a", "1", mode="l"), file("a", "2")

    assert len(merge_trees(tree(base), tree(link), tree(new)).conflicts) == 1
    assert len(merge_trees(tree(base), tree(new), tree(link)).conflicts) == 1


def test_paths_that_cannot_stand_side_by_side_are_conflicts_and_ours_stays():
    ours, theirs = tree(file("a"), file("b/c")), tree(file("A"), file("b"), file("ok"))

    merged = merge_trees(tree(), ours, theirs)

    assert [(c.path, c.ours, c.theirs) for c in merged.conflicts] == [
        (b"A", None, theirs[b"A"]),
        (b"b", None, theirs[b"b"]),
    ]
    assert merged.tree == tree(file("a"), file("b/c"), file("ok"))
    assert merged.conflicts[1].reason == "cannot stand beside b"


def test_a_rename_that_only_changes_the_case_merges():
    base, theirs = tree(file("Read.me"), file("x")), tree(file("read.me"), file("x"))

    merged = merge_trees(base, base, theirs)

    assert merged.conflicts == ()
    assert merged.tree == theirs


def test_a_directory_recorded_as_empty_here_and_filled_there_is_filled():
    filled = tree(file("a/b/x"))
    for ours, theirs in ((tree(folder("a/b")), filled), (filled, tree(folder("a/b")))):
        merged = merge_trees(tree(), ours, theirs)

        assert merged.conflicts == ()
        assert merged.tree == filled


def test_many_clashes_are_settled_in_one_pass():
    ours = tree(*(file(f"f{i}") for i in range(20_000)))
    theirs = tree(*(file(f"F{i}") for i in range(20_000)))

    merged = merge_trees(tree(), ours, theirs)

    assert merged.tree == ours
    assert len(merged.conflicts) == 20_000


@law
@given(trees, trees, trees)
def test_a_merge_is_a_valid_tree_and_finds_the_same_conflicts_from_either_side(base, ours, theirs):
    forward, backward = merge_trees(base, ours, theirs), merge_trees(base, theirs, ours)

    assert is_peaceful(forward.tree)
    assert bool(forward.conflicts) == bool(backward.conflicts)
    if not forward.conflicts:
        assert forward.tree == backward.tree


@law
@given(trees, trees)
def test_a_merge_with_an_unchanged_side_is_the_other_side(base, changed):
    for merged in (
        merge_trees(base, base, changed),
        merge_trees(base, changed, base),
        merge_trees(base, changed, changed),
    ):
        assert merged.conflicts == ()
        assert merged.tree == changed
