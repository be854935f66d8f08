"""What is left when a writer dies, when there are several, and when the disk says no."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from dvtool.core.pack import scan_pack
from dvtool.errors import StorageFull, StoreFailed
from dvtool.store.local import LocalStore
from tests.store.blobs import blob, files, name, put, put_large, run, start

WRITE_ALL = """
store = LocalStore.open(root)
with store.writer(pack_bytes=20_000) as writer:
    for number in range(60):
        writer.add_small(name(blob(number)), blob(number))
        if number % 20 == 5:
            put_large(writer, blob(1000 + number, 5000))
        if number == 45:
            writer.flush()
            print("flushed", flush=True)
"""
DIE_AT_STEP = """
steps = 0
def count(event, args):
    global steps
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "os.truncate"):
        if isinstance(args[0], int) or str(root) in os.fsdecode(args[0]):
            steps += 1
            if steps == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
"""
BEFORE_FLUSH = {name(blob(i)) for i in range(46)}
ALL = {name(blob(i)) for i in range(60)} | {name(blob(1000 + i, 5000)) for i in (5, 25, 45)}


def check_readable(root: Path, *, at_least: set[bytes]) -> None:
    """Everything that is there is sound, and only `tmp` holds anything half-done."""
    store = LocalStore.open(root)
    found = dict(store.verify())
    assert all(error is None for error in found.values())
    assert found.keys() >= at_least
    assert store.present() == found.keys()
    for pack in root.glob("packs/*.pack"):
        list(scan_pack(pack.read_bytes()))
    assert {Path(one).suffix for one in files(root, besides=["tmp", "large", "lock"])} <= {
        ".pack",
        ".idx",
    }


def test_a_writer_killed_at_any_step_leaves_a_readable_store_that_the_next_run_completes(tmp_path):
    step, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        step += 1
        root = tmp_path / f"{step}"
        code, said = run(DIE_AT_STEP + WRITE_ALL, root, step)
        check_readable(root, at_least=BEFORE_FLUSH if "flushed" in said else set())
        if step % 5 == 0:
            assert run(WRITE_ALL, root)[0] == 0
            check_readable(root, at_least=ALL)

    assert code == 0, said
    assert step > 20


def test_a_writer_killed_at_random_moments_leaves_a_readable_store(tmp_path):
    code = """
for number in range(100_000):
    if number % 500 == 0:
        print(number, flush=True)
        store = LocalStore.open(root)
    with store.writer(pack_bytes=100_000) as writer:
        for i in range(20):
            writer.add_small(name(blob(20 * number + i)), blob(20 * number + i))
    print(number, flush=True)
"""
    moments = random.Random(20240229)
    for attempt in range(5):
        root = tmp_path / str(attempt)
        with start(code, root) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(moments.randrange(1, 40))]
            process.kill()
            process.communicate()
        done = max(int(line) for line in lines)
        check_readable(root, at_least={name(blob(i)) for i in range(20 * done)})


class InterruptAtLine:
    """Raises KeyboardInterrupt before the n-th line that the writing modules execute."""

    def __init__(self, moment: int) -> None:
        self.left = moment

    def __call__(self, frame: FrameType, event: str, argument: object) -> InterruptAtLine | None:
        if not frame.f_code.co_filename.endswith(("writer.py", "packwriting.py")):
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def test_an_interrupt_at_any_line_of_the_writer_leaves_a_readable_store(tmp_path):
    blobs = {name(blob(i, 10)): blob(i, 10) for i in range(3)}
    blobs |= {name(data): data for data in (bytes([i]) * 2_500_000 for i in range(4))}
    moment, is_interrupted = 0, True
    tracer = sys.gettrace()
    while is_interrupted:
        moment += 1
        store = LocalStore.open(tmp_path / str(moment))
        interrupt = InterruptAtLine(moment)
        is_interrupted = False
        sys.settrace(interrupt)
        try:
            with store.writer(pack_bytes=7_500_000) as writer:
                for digest, data in blobs.items():
                    writer.add_small(digest, data)
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            sys.settrace(tracer)
        again = LocalStore.open(store.root)
        assert all(error is None for _, error in again.verify())
        shutil.rmtree(store.root, ignore_errors=True)

    assert moment > 100
    assert not list(tmp_path.iterdir())


def test_two_processes_may_add_the_same_and_different_blobs_at_once(tmp_path):
    code = """
first = int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
with LocalStore.open(root).writer(pack_bytes=30_000) as writer:
    for number in range(first, first + 200):
        writer.add_small(name(blob(number)), blob(number))
        if number % 10 == 0:
            put_large(writer, blob(1000 + number))
"""
    processes = [start(code, tmp_path, first) for first in (0, 100)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert process.communicate() == ("", "")

    expected = {name(blob(i)) for i in range(300)} | {
        name(blob(1000 + i)) for i in range(0, 300, 10)
    }
    check_readable(tmp_path, at_least=expected)


def test_a_reader_beside_a_writer_never_sees_half_a_pack(tmp_path):
    code = """
for number in range(200):
    put(LocalStore.open(root), blob(2 * number), blob(2 * number + 1))
"""
    store = LocalStore.open(tmp_path)
    with start(code, tmp_path) as process:
        while process.poll() is None:
            present = store.present()
            assert len(present) % 2 == 0
            assert all(name(data) == one for one, data in store.read_many(present))

    assert process.returncode == 0
    assert len(store.present()) == 400


# The third buffer is the first that finds no space: 2,000 blobs fill it while adding, 1,100 do not,
# and it is written at the end.
@pytest.mark.parametrize("count", [1100, 2000])
def test_a_file_size_limit_is_a_full_disk_and_what_was_complete_stays(tmp_path, count):
    code = """
from dvtool.errors import StorageFull
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))
try:
    with LocalStore.open(root).writer() as writer:
        for number in range(int(sys.argv[2])):
            writer.add_small(name(blob(number, 10_000)), blob(number, 10_000))
except StorageFull as error:
    print(error)
"""
    ended, said = run(code, tmp_path, count)

    assert ended == 0, said
    assert "no space to store data" in said
    check_readable(tmp_path, at_least={name(blob(i, 10_000)) for i in range(800)})
    assert files(tmp_path / "tmp") == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    root = tmp_path / "disk"
    root.mkdir()
    mount(["-t", "tmpfs", "-o", "size=3m", "none", str(root)])
    yield root
    subprocess.run(["umount", "--lazy", root], check=False, capture_output=True)


@pytest.fixture
def make_read_only() -> Iterator[Callable[[Path], None]]:
    """Makes a directory read-only, for the superuser too."""
    mounted = []

    def make(root: Path) -> None:
        if os.geteuid() != 0:
            for path in [root, *root.rglob("*")]:
                path.chmod(path.stat().st_mode & 0o555)
            return
        mount(["--bind", str(root), str(root)])
        mounted.append(root)
        mount(["-o", "remount,bind,ro", str(root)])

    yield make
    for root in mounted:
        subprocess.run(["umount", "--lazy", root], check=False, capture_output=True)


def mount(arguments: list[str]) -> None:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a file system here: {done.stderr.strip()}")


def test_a_full_disk_keeps_what_was_complete_and_goes_on_when_there_is_space(small_disk):
    store = LocalStore.open(small_disk / "store")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_000_000))
    numbers = range(250)

    with pytest.raises(StorageFull) as caught, store.writer(pack_bytes=500_000) as writer:
        for number in numbers:
            writer.add_small(name(blob(number, 10_000)), blob(number, 10_000))
    assert caught.value.exit_code == 9
    kept = store.present()
    check_readable(store.root, at_least={name(blob(i, 10_000)) for i in range(100)})
    ballast.unlink()
    with store.writer() as writer:
        added = sum(writer.add_small(name(blob(i, 10_000)), blob(i, 10_000)) for i in range(220))

    assert added == 220 - len(kept)
    check_readable(store.root, at_least={name(blob(i, 10_000)) for i in range(220)})


def test_a_full_disk_is_told_again_by_a_writer_whose_error_was_swallowed(small_disk):
    store = LocalStore.open(small_disk / "store")

    with pytest.raises(StorageFull), store.writer(pack_bytes=10_000_000) as writer:
        for number in range(600):
            try:
                writer.add_small(name(blob(number, 10_000)), blob(number, 10_000))
            except StorageFull:
                continue

    check_readable(store.root, at_least=set())


def test_a_read_only_store_is_read_and_refuses_to_be_written(tmp_path, make_read_only):
    store = LocalStore.open(tmp_path / "store")
    put(store, blob(1))
    with store.writer() as writer:
        large = put_large(writer, blob(2))
    make_read_only(store.root)
    store = LocalStore.open(store.root)

    assert store.present() == {name(blob(1)), large}
    assert store.read(name(blob(1))) == blob(1)
    assert all(error is None for _, error in store.verify())
    with pytest.raises(StoreFailed, match="store"), store.writer() as writer:
        writer.add_small(name(blob(3)), blob(3))
    with pytest.raises(StoreFailed), store.writer() as writer:
        writer.temp_file()


def test_a_read_only_store_without_an_index_is_read_all_the_same(tmp_path, make_read_only):
    store = LocalStore.open(tmp_path / "store")
    digests = put(store, blob(1), blob(2))
    for index in store.root.glob("packs/*.idx"):
        index.unlink()
    make_read_only(store.root)

    store = LocalStore.open(store.root)

    assert store.present() == set(digests)
    assert store.read(digests[1]) == blob(2)


def test_a_store_whose_place_is_taken_by_a_file_is_an_error_of_ours(tmp_path):
    (tmp_path / "store").write_text("not a directory")
    store = LocalStore.open(tmp_path / "store")

    with pytest.raises(StoreFailed):
        put(store, blob(1))
    with pytest.raises(StoreFailed):
        store.present()
