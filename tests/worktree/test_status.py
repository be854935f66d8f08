import pytest

from dvtool.core.digest import digest_of, fingerprint_of
from dvtool.core.tree import Entry, Tree
from dvtool.worktree.filestat import key_of
from dvtool.worktree.ignore import Ignore
from dvtool.worktree.sections import NO_FINGERPRINT, IndexSection

from .conftest import FAR_FUTURE, SIDECAR, Data, states

OTHER_SIDECAR = fingerprint_of(b"another text")


def entry(path: str, content: bytes, mode: str = "f") -> Entry:
    return Entry(path.encode(), digest_of(content), len(content), mode)


def test_an_unchanged_data_set_is_clean_without_parsing_the_sidecar(data: Data) -> None:
    data.write({"a": b"1", "sub/b": b"2"})
    section = data.add()

    status = data.status(section)

    assert (status.paths, status.clean, status.is_changed) == ((), 2, False)
    assert status.section is section


def test_edits_against_an_unchanged_sidecar(data: Data) -> None:
    data.write({"same": b"1", "edited": b"2", "resized": b"3", "lost": b"4", "run": b"5"})
    section = data.add()
    data.write({"edited": b"X", "resized": b"longer", "fresh": b"6"})
    (data.path / "lost").unlink()
    (data.path / "run").chmod(0o755)

    status = data.status(section)

    assert states(status) == {
        b"edited": "modified",
        b"fresh": "new",
        b"lost": "deleted",
        b"resized": "modified",
        b"run": "modified",
    }
    assert status.clean == 1
    assert [p.path for p in status.paths] == sorted(p.path for p in status.paths)


def test_what_status_read_it_does_not_read_again(data: Data) -> None:
    data.write({"a": b"1", "b": b"2"})
    section = data.add()
    data.write({"a": b"X"})
    (data.path / "b").touch()

    first = data.status(section)
    second = data.status(first.section)

    assert states(first) == states(second) == {b"a": "modified"}
    assert (first.is_changed, second.is_changed) == (True, False)
    assert data.scan(first.section).unchanged == 2


def test_what_status_hashed_is_still_to_be_stored_by_add(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    data.write({"a": b"X"})

    section = data.status(section).section

    assert data.scan(section).unchanged == 1
    assert [f.path for f in data.scan(section, reread=section.bases).changed] == [b"a"]


def test_an_edit_that_is_undone_is_clean_again(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    data.write({"a": b"X"})
    section = data.status(section).section
    data.write({"a": b"1"})

    status = data.status(section)

    assert (status.paths, status.clean) == ((), 1)
    assert dict(status.section.bases) == {}


def test_a_file_as_young_as_its_row_is_read_again(data: Data) -> None:
    data.write({"a": b"1"})
    written_ns = (data.path / "a").stat().st_mtime_ns
    section = data.add(clock_ns=written_ns)  # read in the tick it was written in
    (row,) = section.rows()

    # Whatever its times say now, this row proves nothing.
    assert row.stat != key_of((data.path / "a").stat())
    assert [f.path for f in data.scan(section).changed] == [b"a"]
    with open(data.path / "a", "r+b") as file:
        file.write(b"X")
    assert states(data.status(section)) == {b"a": "modified"}


def test_a_racy_row_whose_file_is_the_same_settles_down(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add(clock_ns=0)

    first = data.status(section, clock_ns=FAR_FUTURE)
    second = data.status(first.section)

    assert (first.paths, first.is_changed) == ((), True)
    assert (second.paths, second.is_changed) == ((), False)


@pytest.mark.parametrize(
    ("base", "disk", "sidecar", "state"),
    [
        (b"1", b"1", b"2", "stale"),
        (b"1", b"2", b"1", "modified"),
        (b"1", b"2", b"3", "conflict"),
        (b"1", b"2", b"2", None),
        (b"1", b"22", b"333", "conflict"),
        (b"1", b"1", None, "stale"),
        (b"1", b"2", None, "conflict"),
        (b"1", None, b"1", "deleted"),
        (b"1", None, b"2", "conflict"),
        (b"1", None, None, None),
        (None, b"1", b"2", "modified"),
        (None, b"1", b"1", None),
        (None, b"1", None, "new"),
        (None, None, b"1", "not-checked-out"),
    ],
)
def test_the_three_way_rule(
    data: Data, base: bytes | None, disk: bytes | None, sidecar: bytes | None, state: str | None
) -> None:
    data.write({"other": b"o"} | ({"f": base} if base else {}))
    section = data.add()
    if disk is not None:
        data.write({"f": disk})
    else:
        (data.path / "f").unlink(missing_ok=True)
    tree = Tree([entry("other", b"o"), *([entry("f", sidecar)] if sidecar else [])])

    first = data.status(section, tree, sidecar=OTHER_SIDECAR)
    second = data.status(first.section, tree, sidecar=OTHER_SIDECAR)

    expected = {b"f": state} if state else {}
    assert states(first) == states(second) == expected
    assert not second.is_changed


def test_a_sidecar_with_another_text_and_the_same_files_is_parsed_once(data: Data) -> None:
    data.write({"a": b"1", "b": b"2"})
    section = data.add()
    tree = Tree([entry("a", b"1"), entry("b", b"2")])

    first = data.status(section, tree, sidecar=OTHER_SIDECAR)
    second = data.status(first.section, None, sidecar=OTHER_SIDECAR)

    assert (first.clean, second.clean, first.is_changed) == (2, 2, True)


def test_without_an_index_equal_files_are_clean_and_remembered(data: Data) -> None:
    data.write({"a": b"1", "b": b"2"})
    (data.path / "e").mkdir()
    tree = Tree([entry("a", b"1"), entry("b", b"2"), Entry(b"e", digest_of(b"")[:0], 0, "d")])

    first = data.status(None, tree)
    second = data.status(first.section)

    assert (first.paths, first.clean) == ((), 3)
    assert (second.paths, second.clean, second.is_changed) == ((), 3, False)


def test_a_partial_checkout_keeps_asking_for_the_rest(data: Data) -> None:
    data.write({"a": b"1"})
    tree = Tree([entry("a", b"1"), entry("b", b"2")])

    first = data.status(None, tree)
    second = data.status(first.section, tree)

    assert states(first) == states(second) == {b"b": "not-checked-out"}
    assert not second.section.complete
    assert not second.is_changed


def test_a_removed_data_set_is_all_deleted(data: Data) -> None:
    data.write({"": b"1"})
    section = data.add()
    data.path.unlink()

    status = data.status(section)

    assert (status.kind, states(status)) == ("", {b"": "deleted"})


def test_a_comparison_with_another_tree_leaves_the_sidecar_mark_alone(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()

    status = data.status(section, Tree([entry("a", b"2")]), sidecar=NO_FINGERPRINT)

    assert states(status) == {b"a": "stale"}
    assert status.section.sidecar_fingerprint == SIDECAR


def test_the_stat_of_a_path_is_that_of_the_disk_now(data: Data) -> None:
    data.write({"a": b"1", "b": b"2"})
    section = data.add()
    data.write({"a": b"longer"})
    (data.path / "b").unlink()

    found = {p.path: p for p in data.status(section).paths}

    (on_disk,) = data.scan().new
    assert found[b"a"].stat == on_disk.stat
    assert found[b"b"].stat is None
    assert found[b"b"].base == found[b"b"].sidecar == entry("b", b"2")


def test_ignored_files_are_listed_apart(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    data.write({"x.tmp": b"2"})
    (data.top / ".dvtignore").write_text("*.tmp\n")

    status = data.status(section, ignore=Ignore.for_dataset(data.top, "data"))

    assert (status.paths, status.ignored) == ((), (b"x.tmp",))


def test_a_file_replaced_by_a_folder_is_deleted_and_its_files_new(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    (data.path / "a").unlink()
    data.write({"a/b": b"2"})

    assert states(data.status(section)) == {b"a": "deleted", b"a/b": "new"}


def test_a_file_replaced_by_an_empty_folder_is_modified(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    (data.path / "a").unlink()
    (data.path / "a").mkdir()

    assert states(data.status(section)) == {b"a": "modified"}


def test_an_empty_section_is_as_good_as_none(data: Data) -> None:
    data.write({"a": b"1"})

    status = data.status(IndexSection("data"), Tree())

    assert states(status) == {b"a": "new"}


@pytest.mark.usefixtures("open_descriptors")
def test_a_status_leaves_no_descriptor_open(data: Data) -> None:
    data.write({f"d{number}/f": b"1" for number in range(100)})
    section = data.add(clock_ns=0)

    assert data.status(section).clean == 100
