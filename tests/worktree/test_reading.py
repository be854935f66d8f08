import hashlib
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from dvtool.core.digest import NO_DIGEST
from dvtool.errors import ChangedWhileReading, UnsafePath, WouldLoseData
from dvtool.worktree.filestat import NO_STAT, key_of
from dvtool.worktree.hashing import BLOCK_BYTES
from dvtool.worktree.reading import SMALL_FILE_BYTES, Reader
from dvtool.worktree.scan import Found

from .conftest import Data

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def found_in(data: Data, path: bytes) -> Found:
    return next(item for item in data.scan().new if item.path == path)


def test_a_small_file_is_read_with_both_hashes(data: Data) -> None:
    data.write({"sub/a": b"hello\n"})

    with Reader(data.top, "data") as reader:
        row, content = reader.read(found_in(data, b"sub/a"))

    assert content == b"hello\n"
    assert (row.path, row.mode) == (b"sub/a", "f")
    assert row.digest.hex() == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert row.fingerprint.hex() == "6bba86c7e069f56d5a10b435f1c8e49c"
    assert row.stat == key_of((data.path / "sub/a").stat())


def test_an_empty_file_has_the_digest_of_nothing(data: Data) -> None:
    data.write({"": b""})

    with Reader(data.top, "data") as reader:
        row, content = reader.read(found_in(data, b""))

    assert (content, row.digest.hex()) == (b"", EMPTY_SHA256)


def test_a_symlink_is_its_target(data: Data) -> None:
    data.write({"a": b"1"})
    (data.path / "link").symlink_to("a")

    with Reader(data.top, "data") as reader:
        row, content = reader.read(found_in(data, b"link"))

    assert (content, row.mode, row.digest) == (b"a", "l", hashlib.sha256(b"a").digest())
    assert row.entry().size == 1


def test_an_empty_folder_has_no_bytes(data: Data) -> None:
    (data.path / "e").mkdir(parents=True)

    with Reader(data.top, "data") as reader:
        row, content = reader.read(found_in(data, b"e"))

    assert (content, row.stat, row.digest, row.mode) == (b"", NO_STAT, NO_DIGEST, "d")


@pytest.mark.parametrize("size", [SMALL_FILE_BYTES, 3 * BLOCK_BYTES, 9 * BLOCK_BYTES + 17])
def test_a_large_file_is_copied_in_the_pass_that_hashes_it(data: Data, size: int) -> None:
    content = os.urandom(size)
    data.write({"big": content})
    copy = os.open(data.top / "copy", os.O_CREAT | os.O_RDWR)

    with Reader(data.top, "data") as reader:
        row, _ = reader.read_large(found_in(data, b"big"), copy_to=copy)
    os.close(copy)

    assert row.digest == hashlib.sha256(content).digest()
    assert (data.top / "copy").read_bytes() == content


def test_a_sparse_file_stays_sparse_in_its_copy(data: Data) -> None:
    data.path.mkdir()
    with open(data.path / "holes", "wb") as file:
        file.seek(8 * BLOCK_BYTES)
        file.write(b"end of the middle")
        file.truncate(32 * BLOCK_BYTES)
    copy = os.open(data.top / "copy", os.O_CREAT | os.O_RDWR)

    with Reader(data.top, "data") as reader:
        row, _ = reader.read_large(found_in(data, b"holes"), copy_to=copy)
    os.close(copy)

    content = (data.top / "copy").read_bytes()
    assert content == (data.path / "holes").read_bytes()
    assert row.digest == hashlib.sha256(content).digest()
    assert (data.top / "copy").stat().st_blocks * 512 <= 2 * BLOCK_BYTES


def test_a_large_file_that_changes_while_it_is_read_is_an_error(data: Data) -> None:
    data.write({"big": bytes(2 * BLOCK_BYTES)})
    os.utime(data.path / "big", (1, 1))
    item = found_in(data, b"big")
    drain, into = os.pipe()  # the reader blocks while the pipe is full, so this is no race

    def edit() -> None:
        assert os.read(drain, 1) == b"\0"
        with open(data.path / "big", "r+b") as file:
            file.write(b"edited")
        while os.read(drain, BLOCK_BYTES):
            pass

    writer = Thread(target=edit)
    writer.start()
    with (
        Reader(data.top, "data") as reader,
        pytest.raises(ChangedWhileReading, match="data/big changed while it was read"),
    ):
        try:
            reader.read_large(item, copy_to=into)
        finally:
            os.close(into)
            writer.join()
            os.close(drain)


def test_a_file_that_gives_more_bytes_than_its_size_is_an_error() -> None:
    # A file of the kernel says that it has no bytes and then has some, as one that grows would.
    path = Path(f"/proc/{os.getpid()}/status")
    item = Found(b"status", "f", key_of(path.stat()))

    with Reader(Path("/proc"), str(os.getpid())) as reader, pytest.raises(ChangedWhileReading):
        reader.read(item)


def test_what_is_read_beside_a_busy_writer_is_named_by_its_bytes(data: Data) -> None:
    data.write({"busy": b"0" * 5000})
    program = (
        "import sys\n"
        "while True:\n"
        "    for digit in '0123456789':\n"
        "        with open(sys.argv[1], 'w') as file:\n"
        "            file.write(digit * 5000)\n"
        "            file.flush()\n"
        "            print(digit, flush=True)\n"
    )
    command = [sys.executable, "-c", program, str(data.path / "busy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        errors = 0
        try:
            for _ in range(300):
                writer.stdout.readline()
                try:
                    with Reader(data.top, "data") as reader:
                        row, content = reader.read(found_in(data, b"busy"))
                except ChangedWhileReading:
                    errors += 1
                    continue
                assert row.digest == hashlib.sha256(content).digest()
                assert row.entry().size == len(content)
        finally:
            writer.kill()


def test_a_file_that_changed_after_the_scan_is_read_as_it_is_now(data: Data) -> None:
    data.write({"a": b"old"})
    item = found_in(data, b"a")
    data.write({"a": b"newer"})
    (data.path / "a").chmod(0o755)

    with Reader(data.top, "data") as reader:
        row, content = reader.read(item)

    assert (content, row.mode, row.entry().size) == (b"newer", "x", 5)


def test_a_small_file_that_became_large_is_an_error(data: Data) -> None:
    data.write({"a": b"old"})
    item = found_in(data, b"a")
    os.truncate(data.path / "a", SMALL_FILE_BYTES)

    with Reader(data.top, "data") as reader, pytest.raises(ChangedWhileReading):
        reader.read(item)


@pytest.mark.parametrize("read", [Reader.read, Reader.read_large])
def test_a_file_that_vanished_is_an_error(data: Data, read: object) -> None:
    data.write({"a": b"old"})
    item = found_in(data, b"a")
    (data.path / "a").unlink()

    with Reader(data.top, "data") as reader, pytest.raises(ChangedWhileReading, match="data/a"):
        read(reader, item)  # type: ignore[operator]


def test_a_file_that_became_a_symlink_is_not_followed(data: Data, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"key")
    data.write({"a": b"old"})
    item = found_in(data, b"a")
    (data.path / "a").unlink()
    (data.path / "a").symlink_to(tmp_path / "secret")

    with Reader(data.top, "data") as reader, pytest.raises(ChangedWhileReading):
        reader.read(item)


def test_a_folder_that_became_a_symlink_is_not_followed(data: Data, tmp_path: Path) -> None:
    data.write({"sub/a": b"old"})
    item = found_in(data, b"sub/a")
    (data.path / "sub").rename(tmp_path / "moved")
    (data.path / "sub").symlink_to(tmp_path / "moved")

    with (
        Reader(data.top, "data") as reader,
        pytest.raises(UnsafePath, match="data/sub is a symlink"),
    ):
        reader.read(item)


def test_a_pipe_in_the_place_of_a_file_does_not_block(data: Data) -> None:
    data.write({"a": b""})
    item = found_in(data, b"a")
    (data.path / "a").unlink()
    os.mkfifo(data.path / "a")

    with Reader(data.top, "data") as reader, pytest.raises(ChangedWhileReading):
        reader.read(item)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file_is_named(data: Data) -> None:
    data.write({"a": b"1"})
    (data.path / "a").chmod(0)

    with (
        Reader(data.top, "data") as reader,
        pytest.raises(WouldLoseData, match="cannot read data/a"),
    ):
        reader.read(found_in(data, b"a"))
