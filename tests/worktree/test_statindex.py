import hashlib
import os
from pathlib import Path

import pytest

from dvtool.core.digest import NO_DIGEST, Digest, Fingerprint
from dvtool.core.tree import Entry
from dvtool.worktree.edit import SectionEdit
from dvtool.worktree.filestat import NO_STAT, STAT, StatKey, without_racy
from dvtool.worktree.sections import NO_FINGERPRINT, IndexSection, Row
from dvtool.worktree.statindex import StatIndex

from .conftest import FAR_FUTURE, Data

GOLDEN = Path(__file__).parent / "stat-index-1.hex"


def row(path: bytes, *, size: int = 1, digit: int = 1, mode: str = "f") -> Row:
    stat = StatKey(STAT.pack(size, 10, 20, 30))
    return Row(path, stat, mode, Fingerprint(bytes([digit]) * 16), Digest(bytes([digit]) * 32))


def section_of(*rows: Row, dataset: str = "data") -> IndexSection:
    edit = SectionEdit(IndexSection(dataset), clock_ns=FAR_FUTURE)
    for one in rows:
        edit.put(one, settled=True)
    return edit.section()


def example() -> IndexSection:
    rows = [row(b"a"), row(b"sub/\xff\n", size=2**40, digit=2, mode="x"), row(b"sub/z", digit=3)]
    empty = Row(b"empty", NO_STAT, "d", Fingerprint(bytes(16)), NO_DIGEST)
    edit = SectionEdit(section_of(*rows, empty), clock_ns=FAR_FUTURE)
    edit.put(row(b"a", digit=4), settled=False)
    edit.put(row(b"hashed", digit=5), settled=False)
    return edit.section().matching(Fingerprint(b"s" * 16), complete=True)


def test_a_saved_index_comes_back_equal(tmp_path: Path) -> None:
    index = StatIndex(tmp_path / "dvtool" / "index")
    sections = [example(), section_of(row(b""), dataset="deep/f\udcff.bin"), IndexSection("none")]
    for section in sections:
        index.replace(section)
    index.save()

    loaded = StatIndex.load(index.path)

    assert loaded.datasets == ("data", "deep/f\udcff.bin", "none")
    for section in sections:
        again = loaded.section(section.dataset)
        assert again is not None
        assert list(again.rows()) == list(section.rows())
        assert dict(again.bases) == dict(section.bases)
        assert again.sidecar_fingerprint == section.sidecar_fingerprint
        assert again.complete == section.complete
    assert not loaded.is_changed


def test_the_file_is_what_the_format_says(tmp_path: Path) -> None:
    index = StatIndex(tmp_path / "index")
    index.replace(example())
    index.save()

    assert index.path.read_bytes() == bytes.fromhex(GOLDEN.read_text())


def test_a_missing_index_is_empty(tmp_path: Path) -> None:
    assert StatIndex.load(tmp_path / "no" / "index").datasets == ()


def test_no_damaged_byte_goes_unnoticed(tmp_path: Path) -> None:
    index = StatIndex(tmp_path / "index")
    index.replace(example())
    index.save()
    good = index.path.read_bytes()

    for at in range(len(good)):
        index.path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        assert StatIndex.load(index.path).datasets == (), f"byte {at}"
        index.path.write_bytes(good[:at])
        assert StatIndex.load(index.path).datasets == (), f"cut at {at}"
    index.path.write_bytes(good + b"\0")
    assert StatIndex.load(index.path).datasets == ()


def test_a_folder_in_the_place_of_the_index_is_an_empty_index(tmp_path: Path) -> None:
    assert StatIndex.load(tmp_path).datasets == ()


def test_saving_leaves_only_the_index_behind(tmp_path: Path) -> None:
    index = StatIndex(tmp_path / "index")
    index.replace(example())
    index.clock()
    index.save()

    assert os.listdir(tmp_path) == ["index"]


def test_a_removed_section_is_gone_after_saving(tmp_path: Path) -> None:
    index = StatIndex(tmp_path / "index")
    index.replace(example())
    index.remove("data")
    index.remove("never there")
    index.save()

    assert StatIndex.load(index.path).section("data") is None


def test_the_clock_is_that_of_the_file_system(tmp_path: Path) -> None:
    index = StatIndex(tmp_path / "index")
    (tmp_path / "before").touch()
    now = index.clock()
    (tmp_path / "after").touch()

    assert (
        (tmp_path / "before").stat().st_mtime_ns <= now <= (tmp_path / "after").stat().st_mtime_ns
    )


@pytest.mark.parametrize(
    ("mtime", "ctime", "is_kept"), [(9, 9, True), (10, 9, False), (9, 10, False), (99, 99, False)]
)
def test_a_key_as_young_as_the_clock_never_matches(mtime: int, ctime: int, is_kept: bool) -> None:
    key = StatKey(STAT.pack(5, mtime, ctime, 7))

    assert STAT.unpack(without_racy(key, 10)) == (5, mtime, ctime, 7 if is_kept else 0)


def test_entries_are_sorted_by_raw_bytes() -> None:
    section = section_of(row(b"b"), row(b"a/x"), row(b"a.txt"), row(b"a/b/c"), row(b"\xff"))

    assert [e.path for e in section.entries()] == [b"a.txt", b"a/b/c", b"a/x", b"b", b"\xff"]


def test_an_edit_replaces_adds_and_removes_rows_and_leaves_the_rest() -> None:
    old = section_of(*(row(b"%s/%d" % (d, n)) for d in (b"p", b"q", b"r", b"s") for n in range(9)))
    edit = SectionEdit(old, clock_ns=FAR_FUTURE)
    edit.put(row(b"q/4", digit=7), settled=True)
    edit.put(row(b"q/new", digit=8), settled=True)
    edit.put(row(b"t/new", digit=9), settled=True)
    edit.remove(b"r/0")
    edit.remove(b"r/8")
    edit.remove(b"q/0")
    edit.remove(b"no/such")
    for number in range(9):
        edit.remove(b"s/%d" % number)

    new = {r.path: r for r in edit.section().rows()}

    expected = {r.path: r for r in old.rows() if r.path[:1] != b"s"}
    for gone in (b"r/0", b"r/8", b"q/0"):
        del expected[gone]
    expected[b"q/4"] = row(b"q/4", digit=7)
    expected[b"q/new"] = row(b"q/new", digit=8)
    expected[b"t/new"] = row(b"t/new", digit=9)
    assert new == expected


def test_of_two_rows_with_one_path_the_last_counts() -> None:
    section = section_of(row(b"a", digit=1), row(b"b", digit=2), row(b"a", digit=3))

    assert {r.path: r.digest[0] for r in section.rows()} == {b"a": 3, b"b": 2}


def test_a_row_put_after_its_removal_stays() -> None:
    edit = SectionEdit(section_of(row(b"a")), clock_ns=FAR_FUTURE)
    edit.remove(b"a")
    edit.put(row(b"a", digit=2), settled=True)

    assert [r.digest[0] for r in edit.section().rows()] == [2]


def test_the_base_stays_until_a_row_is_settled() -> None:
    first = section_of(row(b"a", digit=1))
    edit = SectionEdit(first, clock_ns=FAR_FUTURE)
    edit.put(row(b"a", digit=2), settled=False)
    edit.put(row(b"new", digit=2), settled=False)
    second = edit.section()
    edit = SectionEdit(second, clock_ns=FAR_FUTURE)
    edit.put(row(b"a", digit=3), settled=False)
    third = edit.section()
    edit = SectionEdit(third, clock_ns=FAR_FUTURE)
    edit.put(row(b"a", digit=4), settled=True)
    edit.settle(b"new")
    fourth = edit.section()

    before = Entry(b"a", Digest(bytes([1]) * 32), 1, "f")
    assert dict(second.bases) == dict(third.bases) == {b"a": before, b"new": None}
    assert third.base_entries() == [before]
    assert dict(fourth.bases) == {}


def test_a_removed_row_takes_its_base_along() -> None:
    edit = SectionEdit(example(), clock_ns=FAR_FUTURE)
    edit.remove(b"a")
    edit.remove(b"hashed")

    assert dict(edit.section().bases) == {}


def test_an_empty_edit_changes_nothing() -> None:
    section = example()

    assert list(SectionEdit(section, clock_ns=0).section().rows()) == list(section.rows())


def test_digests_of_empty_folders_are_not_asked_for() -> None:
    assert {d[0] for d in example().digest_set()} == {2, 3, 4, 5}


def test_rows_of_real_files_carry_what_other_tools_say(data: Data) -> None:
    data.write({"a": b"hello\n"})
    section = data.add()

    (only,) = section.rows()
    assert only.digest == hashlib.sha256(b"hello\n").digest()
    assert only.fingerprint.hex() == "6bba86c7e069f56d5a10b435f1c8e49c"  # xxh128sum
    assert section.sidecar_fingerprint != NO_FINGERPRINT
