import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from dvtool.core.digest import NO_DIGEST, digest_of, fingerprint_of
from dvtool.core.tree import Entry
from dvtool.errors import CorruptObject, StorageFull, UnsafePath, WouldLoseData
from dvtool.worktree import exchange
from dvtool.worktree.filestat import NO_STAT, StatKey, key_of
from dvtool.worktree.hashing import BLOCK_BYTES
from dvtool.worktree.materialise import Materialiser

from .conftest import Data

CONTENT = b"content\n"


def entry(path: bytes, content: bytes = CONTENT, mode: str = "f") -> Entry:
    return Entry(path, digest_of(content), len(content), mode)


def folder(path: bytes) -> Entry:
    return Entry(path, NO_DIGEST, 0, "d")


def key(path: Path) -> StatKey:
    return key_of(path.lstat())


@pytest.fixture
def files(data: Data) -> Materialiser:
    return Materialiser(data.top, "data")


def listing(top: Path) -> set[str]:
    return {str(path.relative_to(top)) for path in top.rglob("*")}


def test_a_file_appears_with_its_folders_and_its_row(data: Data, files: Materialiser) -> None:
    with files:
        row = files.write(entry(b"a/b/c"), CONTENT, expected=None)

    assert (data.path / "a/b/c").read_bytes() == CONTENT
    assert row.stat == key(data.path / "a/b/c")
    assert (row.path, row.mode, row.digest) == (b"a/b/c", "f", digest_of(CONTENT))
    assert row.fingerprint == fingerprint_of(CONTENT)
    assert listing(data.top) == {"data", "data/a", "data/a/b", "data/a/b/c"}


def test_what_was_written_is_unchanged_for_the_next_scan(data: Data, files: Materialiser) -> None:
    with files:
        files.write(entry(b"f"), CONTENT, expected=None)
        files.write(entry(b"s/l", b"../f", "l"), b"../f", expected=None)
        files.write(folder(b"e"), b"", expected=None)

    assert data.scan(data.add()).unchanged == 3


def test_a_single_file_is_written_at_the_data_set_itself(tmp_path: Path) -> None:
    with Materialiser(tmp_path, "deep/model.bin") as files:
        files.write(entry(b""), CONTENT, expected=None)

    assert (tmp_path / "deep/model.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("name", [b"a\nb", b"\xff.bin", b"-rf", b"trail ", "ü".encode()])
def test_odd_names_are_written_as_they_are(data: Data, files: Materialiser, name: bytes) -> None:
    with files:
        files.write(entry(b"sub/" + name), CONTENT, expected=None)

    assert os.listdir(os.fsencode(data.path / "sub")) == [name]


def test_modes_follow_the_umask(data: Data, files: Materialiser) -> None:
    before = os.umask(0o027)
    try:
        with files:
            files.write(entry(b"f"), CONTENT, expected=None)
            files.write(entry(b"x", mode="x"), CONTENT, expected=None)
    finally:
        os.umask(before)

    assert (data.path / "f").stat().st_mode & 0o777 == 0o640
    assert (data.path / "x").stat().st_mode & 0o777 == 0o750


def test_the_executable_bit_changes_without_writing_the_file(
    data: Data, files: Materialiser
) -> None:
    with files:
        plain = files.write(entry(b"f"), CONTENT, expected=None)
        inode = (data.path / "f").stat().st_ino
        row = files.change_mode(plain, "x")

        assert (data.path / "f").stat().st_mode & 0o111 == 0o111 & ~_umask()
        assert (row.mode, row.stat) == ("x", key(data.path / "f"))
        assert files.change_mode(row, "f").mode == "f"

    assert (data.path / "f").stat().st_mode & 0o111 == 0
    assert (data.path / "f").stat().st_ino == inode


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def test_an_expected_file_is_replaced(data: Data, files: Materialiser) -> None:
    data.write({"a": b"old"})

    with files:
        row = files.write(entry(b"a"), CONTENT, expected=key(data.path / "a"))

    assert (data.path / "a").read_bytes() == CONTENT
    assert row.stat == key(data.path / "a")
    assert listing(data.path) == {"a"}


def test_an_unexpected_file_is_left_alone(data: Data, files: Materialiser) -> None:
    data.write({"a": b"precious"})

    with files, pytest.raises(WouldLoseData, match="data/a exists already"):
        files.write(entry(b"a"), CONTENT, expected=None)

    assert (data.path / "a").read_bytes() == b"precious"
    assert listing(data.path) == {"a"}


def test_a_file_that_changed_since_the_plan_is_left_alone(data: Data, files: Materialiser) -> None:
    data.write({"a": b"old"})
    planned = key(data.path / "a")
    data.write({"a": b"new work"})

    with files:
        with pytest.raises(WouldLoseData, match="data/a changed since"):
            files.write(entry(b"a"), CONTENT, expected=planned)
        with pytest.raises(WouldLoseData, match="data/a changed since"):
            files.remove(b"a", expected=planned)

    assert (data.path / "a").read_bytes() == b"new work"
    assert listing(data.path) == {"a"}


def test_a_file_that_vanished_since_the_plan_is_an_error(data: Data, files: Materialiser) -> None:
    data.write({"a": b"old"})
    planned = key(data.path / "a")
    (data.path / "a").unlink()

    with files, pytest.raises(WouldLoseData, match="data/a vanished"):
        files.write(entry(b"a"), CONTENT, expected=planned)

    assert listing(data.path) == set()


def test_no_version_of_a_busy_writer_is_lost(data: Data) -> None:
    # A writer replaces the file again and again, keeping each version it displaces; we replace it
    # too, with what we last looked at as the expectation. Every version of the writer must end up
    # displaced by us knowingly, by the writer itself, or in place.
    data.write({"a": b"start"})
    target, spare = data.path / "a", data.path / "spare"
    stop = Event()
    written: list[bytes] = []
    displaced: list[bytes] = []

    def keep_writing() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            spare.unlink(missing_ok=True)
            # Each of another size: within one tick of the clock nothing else would tell them apart.
            spare.write_bytes(b"v" * (10 + number))
            written.append(spare.read_bytes())
            exchange._rename(directory, b"spare", b"a", exchange._EXCHANGE)
            displaced.append(spare.read_bytes())

    directory = os.open(data.path, os.O_RDONLY)
    writer = Thread(target=keep_writing)
    writer.start()
    replaced: list[bytes] = []
    try:
        with Materialiser(data.top, "data") as files:
            for _ in range(400):
                with open(target, "rb") as looked:
                    content, seen = looked.read(), key_of(os.fstat(looked.fileno()))
                try:
                    files.write(entry(b"a", b"ours"), b"ours", expected=seen)
                except WouldLoseData:
                    continue
                replaced.append(content)
    finally:
        stop.set()
        writer.join()
        os.close(directory)

    kept = [path.read_bytes() for path in data.path.glob("a.kept-*")]
    assert {*written} <= {*replaced, *displaced, *kept, target.read_bytes()}
    assert not list(data.path.glob(".dvt-tmp-*"))


def test_a_removed_file_takes_its_empty_folders_along(data: Data, files: Materialiser) -> None:
    data.write({"a/b/c": b"1", "a/keep": b"2", "x/y/z": b"3"})

    with files:
        files.remove(b"a/b/c", expected=key(data.path / "a/b/c"))
        files.remove(b"x/y/z", expected=key(data.path / "x/y/z"))
        files.remove(b"no/such", expected=key(data.path / "a/keep"))

    assert listing(data.path) == {"a", "a/keep"}


def test_removing_everything_removes_the_data_set_but_not_its_parent(tmp_path: Path) -> None:
    data = Data(tmp_path, "parent/data")
    data.write({"a": b"1"})

    with Materialiser(tmp_path, "parent/data") as files:
        files.remove(b"a", expected=key(data.path / "a"))

    assert listing(tmp_path) == {"parent"}


def test_a_kept_folder_stays_when_nothing_is_left_in_it(data: Data, files: Materialiser) -> None:
    data.write({"a": b"1"})

    with files:
        files.keep_folder()
        files.remove(b"a", expected=key(data.path / "a"))

    assert listing(data.top) == {"data"}


def test_a_folder_that_empties_may_be_an_empty_folder_of_the_version(
    data: Data, files: Materialiser
) -> None:
    data.write({"a/b": b"1"})

    with files:
        files.remove(b"a/b", expected=key(data.path / "a/b"))
        row = files.write(folder(b"a"), b"", expected=None)

    assert (row.mode, row.stat) == ("d", NO_STAT)
    assert listing(data.path) == {"a"}


def test_a_folder_makes_place_for_a_file(data: Data, files: Materialiser) -> None:
    data.write({"a/b/c": b"1", "a/d": b"2"})

    with files:
        files.remove(b"a/b/c", expected=key(data.path / "a/b/c"))
        files.remove(b"a/d", expected=key(data.path / "a/d"))
        files.write(entry(b"a"), CONTENT, expected=None)

    assert (data.path / "a").read_bytes() == CONTENT


def test_a_folder_with_somebodys_file_does_not_make_place(data: Data, files: Materialiser) -> None:
    data.write({"a/b": b"1", "a/mine": b"2"})

    with files, pytest.raises(WouldLoseData):
        files.remove(b"a/b", expected=key(data.path / "a/b"))
        files.write(entry(b"a"), CONTENT, expected=None)

    assert listing(data.path) == {"a", "a/mine"}


def test_a_file_makes_place_for_a_folder(data: Data, files: Materialiser) -> None:
    data.write({"a": b"1", "e": b"2"})

    with files:
        files.remove(b"a", expected=key(data.path / "a"))
        files.write(entry(b"a/b"), CONTENT, expected=None)
        files.write(folder(b"e"), b"", expected=key(data.path / "e"))

    assert listing(data.path) == {"a", "a/b", "e"}
    assert (data.path / "e").is_dir()


def test_an_empty_folder_makes_place_for_a_file(data: Data, files: Materialiser) -> None:
    (data.path / "e").mkdir(parents=True)

    with files:
        files.write(entry(b"e"), CONTENT, expected=NO_STAT)

    assert (data.path / "e").read_bytes() == CONTENT


def test_a_file_where_a_folder_is_needed_is_left_alone(data: Data, files: Materialiser) -> None:
    data.write({"a": b"precious"})

    with files, pytest.raises(WouldLoseData, match="data/a is a file"):
        files.write(entry(b"a/b"), CONTENT, expected=None)

    assert (data.path / "a").read_bytes() == b"precious"


def test_a_committed_link_in_the_place_of_the_data_set_is_not_followed(
    tmp_path: Path,
) -> None:
    (tmp_path / "home/.ssh").mkdir(parents=True)
    (tmp_path / "top").mkdir()
    (tmp_path / "top/data").symlink_to(tmp_path / "home/.ssh")

    with (
        Materialiser(tmp_path / "top", "data") as files,
        pytest.raises(UnsafePath, match="data is a symlink"),
    ):
        files.write(entry(b"authorized_keys"), CONTENT, expected=None)

    assert listing(tmp_path / "home") == {".ssh"}


def test_a_link_below_the_data_set_is_not_followed(data: Data, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    data.path.mkdir()
    (data.path / "sub").symlink_to(tmp_path / "outside")

    with Materialiser(data.top, "data") as files:
        for step in (
            lambda: files.write(entry(b"sub/a"), CONTENT, expected=None),
            lambda: files.write(folder(b"sub/e"), b"", expected=None),
            lambda: files.remove(b"sub/a", expected=NO_STAT),
        ):
            with pytest.raises(UnsafePath, match="data/sub is a symlink"):
                step()

    assert listing(tmp_path / "outside") == set()


def test_a_link_swapped_in_while_writing_leads_nowhere(data: Data, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()

    with Materialiser(data.top, "data") as files:
        files.write(entry(b"sub/a"), CONTENT, expected=None)
        (data.path / "sub").rename(tmp_path / "moved")
        (data.path / "sub").symlink_to(tmp_path / "outside")
        files.write(entry(b"sub/b"), CONTENT, expected=None)

    assert listing(tmp_path / "outside") == set()
    assert listing(tmp_path / "moved") == {"a", "b"}


def test_a_link_in_the_place_of_a_file_is_not_written_through(data: Data, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"key")
    data.path.mkdir()
    (data.path / "a").symlink_to(tmp_path / "secret")

    with Materialiser(data.top, "data") as files:
        with pytest.raises(WouldLoseData):
            files.write(entry(b"a"), CONTENT, expected=None)
        files.write(entry(b"a"), CONTENT, expected=key(data.path / "a"))

    assert (tmp_path / "secret").read_bytes() == b"key"
    assert (data.path / "a").read_bytes() == CONTENT
    assert not (data.path / "a").is_symlink()


@pytest.mark.parametrize(
    "path", [b"../x", b"/etc/x", b"a/../../x", b".git/hooks/x", b"a/.GIT/x", b"a//b"]
)
def test_unsafe_paths_are_refused(data: Data, files: Materialiser, path: bytes) -> None:
    with files, pytest.raises(UnsafePath):
        files.write(entry(path), CONTENT, expected=None)

    assert listing(data.top) == set()


@pytest.mark.parametrize("dataset", ["../data", "/tmp/data", ".git/data", "a/../b", ""])
def test_unsafe_data_sets_are_refused(tmp_path: Path, dataset: str) -> None:
    with pytest.raises(UnsafePath):
        Materialiser(tmp_path, dataset)


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../../x", b"a/../b"])
def test_links_that_could_leave_are_not_written(
    data: Data, files: Materialiser, target: bytes
) -> None:
    with files, pytest.raises(UnsafePath, match="could leave"):
        files.write(entry(b"s/l", target, "l"), target, expected=None)


def test_what_git_tracks_is_not_touched(data: Data) -> None:
    data.write({"a": b"git's"})

    with Materialiser(data.top, "data", git_tracked={"data/a", "data/b"}) as files:
        for step in (
            lambda: files.write(entry(b"a"), CONTENT, expected=key(data.path / "a")),
            lambda: files.write(entry(b"b"), CONTENT, expected=None),
            lambda: files.remove(b"a", expected=key(data.path / "a")),
        ):
            with pytest.raises(WouldLoseData, match="git tracks data/"):
                step()

    assert (data.path / "a").read_bytes() == b"git's"
    assert listing(data.path) == {"a"}


@pytest.mark.parametrize("with_fingerprint", [True, False])
def test_a_large_file_is_copied_and_checked(data: Data, with_fingerprint: bool) -> None:
    content = os.urandom(3 * BLOCK_BYTES + 5)
    source = data.top / "blob"
    source.write_bytes(content)
    mark = fingerprint_of(content) if with_fingerprint else None

    with Materialiser(data.top, "data") as files, source.open("rb") as blob:
        row = files.write_large(
            entry(b"big", content), blob.fileno(), expected=None, fingerprint=mark
        )

    assert (data.path / "big").read_bytes() == content
    assert row.stat == key(data.path / "big")
    assert row.fingerprint == fingerprint_of(content)


@pytest.mark.parametrize("with_fingerprint", [True, False])
def test_a_corrupt_large_blob_is_not_put_in_place(data: Data, with_fingerprint: bool) -> None:
    content = os.urandom(BLOCK_BYTES)
    data.write({"big": b"old"})
    source = data.top / "blob"
    source.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    mark = fingerprint_of(content) if with_fingerprint else None

    with (
        Materialiser(data.top, "data") as files,
        source.open("rb") as blob,
        pytest.raises(CorruptObject),
    ):
        files.write_large(
            entry(b"big", content),
            blob.fileno(),
            expected=key(data.path / "big"),
            fingerprint=mark,
        )

    assert (data.path / "big").read_bytes() == b"old"
    assert listing(data.path) == {"big"}


def test_a_sparse_blob_becomes_a_sparse_file(data: Data) -> None:
    source = data.top / "blob"
    with source.open("wb") as file:
        file.write(b"begin")
        file.truncate(64 * BLOCK_BYTES)
    content = source.read_bytes()

    with Materialiser(data.top, "data") as files, source.open("rb") as blob:
        files.write_large(entry(b"big", content), blob.fileno(), expected=None)

    assert (data.path / "big").read_bytes() == content
    assert (data.path / "big").stat().st_blocks * 512 <= 2 * BLOCK_BYTES


def test_many_folders_are_written_with_few_descriptors(data: Data) -> None:
    count = 300
    with Materialiser(data.top, "data") as files:
        for turn in range(2):
            for number in range(count):
                path = b"d%d/sub/%d" % (number, turn)
                files.write(entry(path), CONTENT, expected=None)
        assert len(os.listdir("/proc/self/fd")) < 120

    assert len(data.scan().new) == 2 * count


def test_a_full_disk_leaves_the_old_file_in_place(data: Data) -> None:
    # A file size limit is the full disk that an ordinary user can bring about.
    data.write({"a": b"old"})
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from dvtool.core.digest import digest_of\n"
        "from dvtool.core.tree import Entry\n"
        "from dvtool.worktree.filestat import key_of\n"
        "from dvtool.worktree.materialise import Materialiser\n"
        "top = Path(sys.argv[1])\n"
        "data = bytes(100_000)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "with Materialiser(top, 'data') as files:\n"
        "    files.write(Entry(b'a', digest_of(data), len(data), 'f'), data,\n"
        "                expected=key_of((top / 'data/a').stat()))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(data.top)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(exchange.__file__).parents[2])},
    )

    assert "StorageFull: cannot write data/a: File too large" in result.stderr
    assert (data.path / "a").read_bytes() == b"old"
    assert listing(data.path) == {"a"}


def test_a_killed_checkout_leaves_whole_files_and_unfinished_names_only(data: Data) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from dvtool.core.digest import digest_of\n"
        "from dvtool.core.tree import Entry\n"
        "from dvtool.worktree.materialise import Materialiser\n"
        "data = bytes(200_000)\n"
        "with Materialiser(Path(sys.argv[1]), 'data') as files:\n"
        "    for number in range(10**9):\n"
        "        files.write(Entry(b'%d' % number, digest_of(data), len(data), 'f'), data,\n"
        "                    expected=None)\n"
        "        print(number, flush=True)\n"
    )
    command = [sys.executable, "-c", program, str(data.top)]
    env = {"PYTHONPATH": str(Path(exchange.__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as checkout:
        assert checkout.stdout is not None
        for _ in range(20):
            checkout.stdout.readline()
        checkout.send_signal(signal.SIGKILL)
        checkout.stdout.read()

    found = data.scan().new
    assert len(found) >= 20
    assert {item.size for item in found} == {200_000}


def test_errors_of_a_full_disk_have_their_own_kind(data: Data) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    files = Materialiser(data.top, "data")
    with files:
        full = os.open("/dev/full", os.O_WRONLY)
        try:
            os.write(full, b"x")
        except OSError as error:
            assert isinstance(files._failed(b"a", error), StorageFull)
        finally:
            os.close(full)


@pytest.mark.usefixtures("open_descriptors")
def test_failed_writes_leave_no_descriptor_open(data: Data) -> None:
    data.write({"a": b"1"})
    with Materialiser(data.top, "data") as files:
        for _ in range(10):
            with pytest.raises(WouldLoseData):
                files.write(entry(b"a"), CONTENT, expected=None)
