import os
import socket
from pathlib import Path

import pytest

from dvtool.errors import UnsafePath, WouldLoseData
from dvtool.worktree.folders import check_link
from dvtool.worktree.ignore import Ignore
from dvtool.worktree.scan import Found

from .conftest import Data, paths_of

ODD_NAMES = [
    b"a\nb",
    b"\xff\xfe.bin",
    b"-rf",
    b" lead",
    b"trail ",
    "ü/é".encode(),
    b"q\"uo'te",
    b"a\\b",
]


def test_a_first_scan_finds_every_file_as_new(data: Data) -> None:
    data.write({"a": b"1", "sub/b": b"22", "sub/deep/c": b""})

    found = data.scan()

    assert found.kind == "directory"
    assert {(f.path, f.mode, f.size) for f in found.new} == {
        (b"a", "f", 1),
        (b"sub/b", "f", 2),
        (b"sub/deep/c", "f", 0),
    }
    assert (len(found.new), found.new.size_bytes, found.unchanged) == (3, 3, 0)


def test_a_missing_data_set_has_no_kind_and_all_its_rows_are_gone(data: Data) -> None:
    data.write({"a": b"1", "sub/b": b"2"})
    section = data.add()
    (data.path / "a").unlink()
    (data.path / "sub/b").unlink()
    (data.path / "sub").rmdir()
    data.path.rmdir()

    found = data.scan(section)

    assert found.kind == ""
    assert sorted(found.gone) == [b"a", b"sub/b"]


def test_a_missing_parent_folder_is_a_missing_data_set(tmp_path: Path) -> None:
    assert Data(tmp_path, "no/such/data").scan().kind == ""


def test_an_unchanged_data_set_has_nothing_to_report(data: Data) -> None:
    data.write({"a": b"1", "sub/b": b"2"})
    (data.path / "empty").mkdir()

    found = data.scan(data.add())

    assert found.unchanged == 3
    assert (len(found.changed), len(found.new), found.gone) == (0, 0, [])


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_found_and_recognised_again(data: Data, name: bytes) -> None:
    target = os.fsencode(data.path) + b"/" + name
    os.makedirs(os.path.dirname(target))
    with open(target, "wb") as file:
        file.write(b"x")

    first = data.scan()
    again = data.scan(data.add())

    assert paths_of(first.new) == {name}
    assert again.unchanged == 1


def test_a_single_file_is_a_data_set_with_an_empty_path(data: Data) -> None:
    data.write({"": b"hello"})

    found = data.scan()
    again = data.scan(data.add())

    assert (found.kind, paths_of(found.new)) == ("file", {b""})
    assert again.unchanged == 1


def test_a_file_that_becomes_a_folder_is_gone_and_its_files_are_new(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    (data.path / "a").unlink()
    data.write({"a/b": b"2"})

    found = data.scan(section)

    assert (found.gone, paths_of(found.new)) == ([b"a"], {b"a/b"})


def test_a_file_that_becomes_an_empty_folder_is_changed(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    (data.path / "a").unlink()
    (data.path / "a").mkdir()

    found = data.scan(section)

    assert [(f.path, f.mode) for f in found.changed] == [(b"a", "d")]
    assert (found.gone, len(found.new)) == ([], 0)


def test_a_folder_that_becomes_a_file_is_new_and_its_files_are_gone(data: Data) -> None:
    data.write({"a/b": b"2"})
    section = data.add()
    (data.path / "a/b").unlink()
    (data.path / "a").rmdir()
    data.write({"a": b"1"})

    found = data.scan(section)

    assert (found.gone, paths_of(found.new)) == ([b"a/b"], {b"a"})


def test_a_data_set_that_turns_from_folder_to_file_keeps_no_row(data: Data) -> None:
    data.write({"a": b"1"})
    section = data.add()
    (data.path / "a").unlink()
    data.path.rmdir()
    data.write({"": b"1"})

    found = data.scan(section)

    assert (found.kind, found.gone, paths_of(found.new)) == ("file", [b"a"], {b""})


def test_an_empty_folder_that_gets_a_file_is_gone(data: Data) -> None:
    (data.path / "e").mkdir(parents=True)
    section = data.add()
    data.write({"e/f": b"1"})

    found = data.scan(section)

    assert (found.gone, paths_of(found.new)) == ([b"e"], {b"e/f"})


def test_an_empty_data_set_holds_nothing(data: Data) -> None:
    data.path.mkdir()

    found = data.scan()

    assert (found.kind, len(found.new)) == ("directory", 0)


def test_a_changed_executable_bit_is_a_change(data: Data) -> None:
    data.write({"run": b"#!"})
    section = data.add()
    (data.path / "run").chmod(0o755)

    assert [(f.path, f.mode) for f in data.scan(section).changed] == [(b"run", "x")]


def test_a_kept_mtime_does_not_hide_an_edit(data: Data) -> None:
    data.write({"a": b"old!"})
    section = data.add()
    before = (data.path / "a").stat()
    (data.path / "a").write_bytes(b"new!")
    os.utime(data.path / "a", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert paths_of(data.scan(section).changed) == {b"a"}


def test_rows_to_read_again_count_as_changed(data: Data) -> None:
    data.write({"a": b"1", "s/b": b"2"})
    section = data.add()

    found = data.scan(section, reread={b"s/b", b"no/such"})

    assert (paths_of(found.changed), found.unchanged) == ({b"s/b"}, 1)


def test_unfinished_files_of_dvtool_are_not_data(data: Data) -> None:
    data.write({".dvt-tmp-1": b"half", "a": b"1", ".hidden": b"2"})
    (data.path / ".dvt-tmp-folder").mkdir()

    assert paths_of(data.scan().new) == {b"a", b".hidden"}


def test_times_beyond_what_a_row_can_hold_are_read_again_each_time(data: Data) -> None:
    data.write({"a": b"1"})
    os.utime(data.path / "a", (2**34, 2**34))  # the year 2514
    section = data.add()

    found = data.scan(section)

    assert [(f.path, f.size) for f in found.changed] == [(b"a", 1)]


def test_a_symlink_inside_is_recorded(data: Data) -> None:
    data.write({"a/file": b"1"})
    (data.path / "a/link").symlink_to("../a/file")

    found = data.scan()

    assert {(f.path, f.mode) for f in found.new} == {(b"a/file", "f"), (b"a/link", "l")}


@pytest.mark.parametrize(
    "target",
    [b"/etc/passwd", b"../..", b"../../x", b"a/../../..", b"x/../y", b"./../../z", b""],
)
def test_a_symlink_that_could_leave_is_refused(target: bytes) -> None:
    with pytest.raises(UnsafePath, match="could leave the data set"):
        check_link(b"sub/link", target)


@pytest.mark.parametrize("target", [b"..", b"../x", b"y", b"./y/z", b".././x"])
def test_a_symlink_that_stays_is_accepted(target: bytes) -> None:
    check_link(b"sub/link", target)


def test_a_scan_refuses_a_symlink_that_leaves(data: Data) -> None:
    data.write({"a": b"1"})
    (data.path / "link").symlink_to("../outside")

    with pytest.raises(UnsafePath, match=r"link -> \.\./outside"):
        data.scan()


def test_a_data_set_that_is_a_symlink_is_refused(data: Data, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    data.path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(UnsafePath, match="data is a symlink"):
        data.scan()


def test_a_parent_that_is_a_symlink_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real/data").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")

    with pytest.raises(UnsafePath, match="link is a symlink"):
        Data(tmp_path, "link/data").scan()


def test_a_named_pipe_is_refused_by_name(data: Data) -> None:
    data.path.mkdir()
    os.mkfifo(data.path / "pipe")

    with pytest.raises(UnsafePath, match="data/pipe is a named pipe"):
        data.scan()


def test_a_socket_is_refused_by_name(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    data.path.mkdir()
    monkeypatch.chdir(data.path)  # socket paths are limited to about 100 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")

        with pytest.raises(UnsafePath, match="data/s is a socket"):
            data.scan()


@pytest.mark.parametrize("name", [".git/config", "sub/.GIT/x", ".dvtool", "x/.gitattributes"])
def test_names_that_git_or_dvtool_own_are_refused(data: Data, name: str) -> None:
    data.write({name: b"1"})

    with pytest.raises(UnsafePath, match="git or dvtool own"):
        data.scan()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_an_unreadable_folder_is_an_error_and_not_an_empty_one(data: Data) -> None:
    data.write({"sub/a": b"1"})
    (data.path / "sub").chmod(0)

    with pytest.raises(WouldLoseData, match="cannot read data/sub"):
        data.scan()


def test_ignored_files_are_not_found_but_listed(data: Data) -> None:
    data.write({"a.tmp": b"1", "a": b"2", "cache/x": b"3", "keep/b.tmp": b"4"})
    (data.top / ".dvtignore").write_text("*.tmp\ncache/\n")
    (data.path / "keep/.dvtignore").write_text("!b.tmp\n")

    found = data.scan(ignore=Ignore.for_dataset(data.top, "data"))

    assert paths_of(found.new) == {b"a", b"keep/b.tmp", b"keep/.dvtignore"}
    assert sorted(found.ignored) == [b"a.tmp", b"cache/"]


def test_what_has_a_row_is_never_ignored(data: Data) -> None:
    data.write({"cache/x": b"1"})
    section = data.add()
    (data.top / ".dvtignore").write_text("cache/\n")
    data.write({"cache/x": b"longer", "cache/new": b"2"})

    found = data.scan(section, ignore=Ignore.for_dataset(data.top, "data"))

    assert (paths_of(found.changed), len(found.new), found.gone) == ({b"cache/x"}, 0, [])


def test_ignore_rules_are_read_on_every_level_down_to_the_file(tmp_path: Path) -> None:
    data = Data(tmp_path, "sub/data")
    data.write({"a.log": b"1", "in/b.log": b"2", "in/c.txt": b"3"})
    (tmp_path / "sub/.dvtignore").write_text("/data/a.log\n")
    (data.path / "in/.dvtignore").write_text("/b.log\n.dvtignore\n")

    found = data.scan(ignore=Ignore.for_dataset(tmp_path, "sub/data"))

    assert paths_of(found.new) == {b"in/c.txt"}


def test_a_single_file_may_be_ignored(data: Data) -> None:
    data.write({"": b"1"})
    (data.top / ".dvtignore").write_text("data\n")

    found = data.scan(ignore=Ignore.for_dataset(data.top, "data"))

    assert (len(found.new), found.ignored) == (0, [b""])


def test_an_ignored_folder_is_no_empty_folder(data: Data) -> None:
    data.write({"skip/x": b"1", "half/y.tmp": b"2"})
    (data.top / ".dvtignore").write_text("skip\n*.tmp\n")

    found = data.scan(ignore=Ignore.for_dataset(data.top, "data"))

    assert {(f.path, f.mode) for f in found.new} == {(b"half", "d")}


def test_found_files_can_be_iterated_more_than_once(data: Data) -> None:
    data.write({"a": b"1", "s/b": b"2"})

    found = data.scan().new

    assert list(found) == list(found)
    assert all(isinstance(item, Found) for item in found)


@pytest.mark.usefixtures("open_descriptors")
def test_a_scan_leaves_no_descriptor_open(data: Data) -> None:
    data.write({f"d{number}/f": b"" for number in range(200)})

    assert len(data.scan().new) == 200
