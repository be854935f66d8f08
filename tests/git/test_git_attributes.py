from __future__ import annotations

import os

import pytest

from dvtool.errors import UnsafePath
from dvtool.git.attributes import (
    ensure_attributes,
    ignore,
    ignore_line,
    install_drivers,
    unignore,
    with_lines,
    without_lines,
)
from dvtool.git.staging import unignored

NAMES = [
    "data",
    "with space",
    "trailing  ",
    "#hash",
    "!bang",
    "st*r",
    "quest?on",
    "[class]",
    "back\\slash",
    "back\\",
    "new\nline",
    "return\r",
    "mid\rdle",
    "tab\t",
    "-dash",
    "ünï",
    os.fsdecode(b"raw\xff"),
    "\ufeffbom",
    'quo"te',
    " leading",
    "**",
    "\n",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_ignore_line_means_exactly_its_name(repo, name):
    ignore(repo.api, [name])

    near = [f"x{name}", f"{name}x", f"{name}.dvt", f"sub/{name}", name.replace("\n", "x") + "y"]
    changed = {name.swapcase(), name.replace("*", "x"), name.replace("?", "x"), "c", "starr"} - {
        name
    }

    others = [path for path in [*near, *sorted(changed)] if path.strip("/")]
    assert unignored(repo.api, [name, f"{name}/below", *others]) == others


def test_ignore_lines_stand_beside_their_data_sets(repo):
    repo.write("deep/er/keep", "")

    changed = ignore(repo.api, ["a", "b", "deep/er/c"])

    assert changed == [".gitignore", "deep/er/.gitignore"]
    assert (repo.path / ".gitignore").read_bytes() == b"/a\n/b\n"
    assert (repo.path / "deep/er/.gitignore").read_bytes() == b"/c\n"


def test_ignoring_twice_changes_nothing(repo):
    ignore(repo.api, ["a"])

    assert ignore(repo.api, ["a"]) == []
    assert (repo.path / ".gitignore").read_bytes() == b"/a\n"


def test_unignoring_takes_out_its_line_only_and_an_empty_file_altogether(repo):
    repo.write(".gitignore", "# mine\r\n/a\r\n/ab\r\n")
    ignore(repo.api, ["b"])

    assert unignore(repo.api, ["a", "b", "never"]) == [".gitignore"]
    assert (repo.path / ".gitignore").read_bytes() == b"# mine\r\n/ab\r\n"
    assert unignore(repo.api, ["ab"]) == [".gitignore"]
    repo.write(".gitignore", "/only\n")
    assert unignore(repo.api, ["only"]) == [".gitignore"]
    assert not (repo.path / ".gitignore").exists()


def test_a_missing_last_newline_is_no_obstacle():
    assert with_lines(b"mine", [b"/a"]) == b"mine\n/a\n"
    assert with_lines(b"", [b"/a", b"/a"]) == b"/a\n"
    assert with_lines(b"x\r\n", [b"/a"]) == b"x\r\n/a\r\n"
    assert with_lines(b"\xef\xbb\xbf/a\n", [b"/a"]) == b"\xef\xbb\xbf/a\n"
    assert without_lines(b"/a\n/b", [b"/b"]) == b"/a\n"


def test_other_bytes_of_the_file_stay():
    text = b"\xff\x00 raw\x0b\x0c\x85\n\n  # x\n"

    assert with_lines(text, [b"/a"]) == text + b"/a\n"
    assert without_lines(text + b"/a\n", [b"/a"]) == text


def test_attributes_are_added_once_and_the_rest_stays(repo):
    repo.write(".gitattributes", "*.png binary")

    assert ensure_attributes(repo.api) == ".gitattributes"
    assert ensure_attributes(repo.api) is None
    assert (repo.path / ".gitattributes").read_text() == (
        "*.png binary\n*.dvt text eol=lf diff=dvtool merge=dvtool\n.gitignore merge=union\n"
    )
    checked = repo("check-attr", "merge", "diff", "eol", "--", "sub/a.dvt", "sub/.gitignore")
    assert b"sub/a.dvt: merge: dvtool" in checked
    assert b"sub/.gitignore: merge: union" in checked


def test_both_sides_ignore_lines_survive_a_merge(repo):
    ensure_attributes(repo.api)
    ignore(repo.api, ["base"])
    repo.commit()
    repo("checkout", "-qb", "side")
    ignore(repo.api, ["theirs"])
    repo.commit()
    repo("checkout", "-q", "main")
    ignore(repo.api, ["ours"])
    repo.commit()

    repo("merge", "-q", "-m", "both", "side")

    assert sorted((repo.path / ".gitignore").read_text().split()) == ["/base", "/ours", "/theirs"]


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes"])
def test_a_link_is_never_written_through(repo, hermetic, name):
    (hermetic / "private").write_text("mine\n")
    (repo.path / name).symlink_to(hermetic / "private")

    with pytest.raises(UnsafePath, match=name):
        ignore(repo.api, ["a"]) if name == ".gitignore" else ensure_attributes(repo.api)
    assert (hermetic / "private").read_text() == "mine\n"


def test_a_files_mode_stays(repo):
    repo.write(".gitignore", "x\n").chmod(0o600)

    ignore(repo.api, ["a"])

    assert (repo.path / ".gitignore").stat().st_mode & 0o777 == 0o600


def test_the_golden_ignore_lines():
    assert ignore_line(b"data") == b"/data"
    assert ignore_line(b"a*b?c[d]\\e  ") == b"/a\\*b\\?c\\[d]\\\\e\\ \\ "
    assert ignore_line(b"a\nb") == b"/a[^\x01-\x09\x0b-\xff]b"
    assert ignore_line(b"a\r") == b"/a[\r]"


def test_drivers_are_installed_once(repo, git_processes):
    git = repo.api
    first = install_drivers(git)

    with git_processes() as started:
        second = install_drivers(git)

    assert len(first) == 4
    assert (second, started.count) == ([], 1)
    assert repo("config", "merge.dvtool.driver") == b"dvtool merge-driver %O %A %B %P\n"
    assert repo("config", "diff.dvtool.textconv") == b"dvtool textconv\n"
