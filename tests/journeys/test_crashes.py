"""What goes wrong on real machines: sudden death, full disks, crowds, closed pipes, slips of the hand.

Nothing of it may lose data, leave something half-written in place, or end in a traceback.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

DVTOOL = (sys.executable, "-m", "dvtool")
DOOMED = (sys.executable, str(Path(__file__).with_name("doomed.py")))
TIMEOUT_S = 60


def start(repo: Repo, *words: str, **options: object) -> subprocess.Popen[bytes]:
    """Starts a real dvtool of its own, which can be killed."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([*DVTOOL, *words], cwd=repo.path, **pipes)  # type: ignore[call-overload]


def finish(process: subprocess.Popen[bytes], code: int = 0) -> tuple[str, str]:
    """Waits for a dvtool to end with an exit code; returns what it printed."""
    out, err = (text.decode() for text in process.communicate(timeout=TIMEOUT_S))
    assert "Traceback" not in err
    assert process.returncode == code, err
    return out, err


def steps(repo: Repo, *words: str) -> int:
    """Returns how many steps a dvtool takes, counted in a copy of the repository."""
    copy = repo.path.parent / "rehearsal"
    shutil.copytree(repo.path, copy, symlinks=True)
    # The copies are other files to the stat index; once looked at, they are known as the first were.
    subprocess.run([*DVTOOL, "status", "-q"], cwd=copy, check=False, timeout=TIMEOUT_S)
    process = subprocess.run(
        [*DOOMED, "0", "0", *words], cwd=copy, capture_output=True, check=True, timeout=TIMEOUT_S
    )
    shutil.rmtree(copy)
    return int(process.stderr.split()[-1])


def meet(repo: Repo, what: signal.Signals, step: int, *words: str) -> tuple[int, str]:
    """Runs a dvtool that a signal meets at a step; returns its exit code and its stderr."""
    process = subprocess.run(
        [*DOOMED, str(int(what)), str(step), *words],
        cwd=repo.path,
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    return process.returncode, process.stderr.decode()


def some_steps(moments: random.Random, last: int, count: int) -> list[int]:
    """Returns steps spread over a whole run, the late ones as likely as the early ones."""
    return moments.sample(range(1, last + 1), min(count, last))


def made(name: str, size: int) -> bytes:
    """Returns bytes that follow from a name, hard to compress and different for each."""
    return hashlib.shake_128(name.encode()).digest(size)


@pytest.fixture
def moments(request: pytest.FixtureRequest) -> random.Random:
    """Random steps that can be had again: DVTOOL_TEST_SEED=… repeats a failed drill."""
    seed = int(SEED or random.SystemRandom().randrange(2**32))
    print(f"DVTOOL_TEST_SEED={seed}")
    return random.Random(seed)


# Read before the hermetic environment of a test hides it.
SEED = os.environ.get("DVTOOL_TEST_SEED", "")


@pytest.fixture
def big(repo: Repo) -> dict[str, bytes]:
    """Files small and large, not added yet; how they must be whenever they are there at all."""
    files = {f"small/{n:03}.bin": made(f"s{n}", 2000 + n) for n in range(300)}
    files |= {f"large/{n}.bin": made(f"l{n}", 3_000_000) for n in range(6)}
    for path, data in files.items():
        repo.write(f"data/{path}", data)
    return files


# -- sudden death ------------------------------------------------------------------------------


@pytest.mark.slow
def test_add_survives_being_killed_at_any_moment(
    repo: Repo, big: dict[str, bytes], moments: random.Random
) -> None:
    died = 0
    for step in some_steps(moments, steps(repo, "add", "data"), 12):
        shutil.rmtree(repo.path / ".git/dvtool", ignore_errors=True)
        # What an earlier run had written would spare this one steps, and the last might never come.
        repo.git("reset", "--quiet", "--hard")
        repo.git("clean", "-dffxq", "--exclude=/data")
        code, _ = meet(repo, signal.SIGKILL, step, "add", "data")

        assert code in (-signal.SIGKILL, 0)  # the very last step need not come every time
        died += code == -signal.SIGKILL
        assert repo.snapshot("data") == big
        assert "0 problems" in repo.run("verify").out
        repo.run("status")

    assert died >= 10
    repo.run("add", "data")
    repo.commit("data")
    assert repo.run("status", "-q").code == 0
    restore_elsewhere(repo, big)


def restore_elsewhere(repo: Repo, files: dict[str, bytes]) -> None:
    """Proves that the store alone has every byte."""
    (repo.path / "data").rename(repo.path.parent / "aside")
    repo.run("checkout")
    assert repo.snapshot("data") == files


@pytest.mark.slow
def test_checkout_survives_being_killed_at_any_moment(
    repo: Repo, big: dict[str, bytes], moments: random.Random
) -> None:
    repo.run("add", "data")
    repo.commit("one")
    for number in range(0, 300, 2):
        repo.write(f"data/small/{number:03}.bin", "short\n")
    (repo.path / "data/large/0.bin").unlink()
    repo.run("add", "data")
    repo.commit("two")
    second = repo.snapshot("data")
    repo.git("checkout", "-q", "main~1")

    for turn, step in enumerate(some_steps(moments, steps(repo, "checkout"), 12)):
        repo.git("checkout", "-q", "main~1" if turn % 2 == 0 else "main")
        meet(repo, signal.SIGKILL, step, "checkout")

        # Every file is as one version or the other has it, and none is torn.
        for path, data in without_temporaries(repo.snapshot("data")).items():
            assert data in (big.get(path), second.get(path)), path
        repo.run("checkout")
        assert without_temporaries(repo.snapshot("data")) == (big if turn % 2 == 0 else second)
        assert repo.run("status", "-q").code == 0

    assert "0 problems" in repo.run("verify").out
    left = [path for path in repo.snapshot("data") if "/.dvt-tmp-" in f"/{path}"]
    examined = repo.run("doctor", code=int(bool(left)))
    assert (f"{len(left)} temporary file" in examined.out) == bool(left)


def without_temporaries(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if "/.dvt-tmp-" not in f"/{path}"}


@pytest.mark.slow
def test_rm_and_mv_survive_being_killed_at_any_moment(repo: Repo, moments: random.Random) -> None:
    files = {f"{n:03}.txt": f"{n}\n".encode() for n in range(400)}
    for path, data in files.items():
        repo.write(f"data/{path}", data)
    repo.run("add", "data")
    before = repo.commit("data")

    removing, moving = ("rm", "data"), ("mv", "data", "moved")
    drill = [
        (words, step)
        for words in (removing, moving)
        for step in some_steps(moments, steps(repo, *words), 8)
    ]
    died = 0
    for words, step in drill:
        code, err = meet(repo, signal.SIGKILL, step, *words)
        # What an earlier run left may spare a later one its last steps; then it just ends.
        assert code in (-signal.SIGKILL, 0), err
        died += code == -signal.SIGKILL
        repo.run("status")
        repo.git("reset", "-q", "--hard", before)
        if (repo.path / "moved").exists() and not (repo.path / "data").exists():
            (repo.path / "moved").rename(repo.path / "data")
        (repo.path / "moved.dvt").unlink(missing_ok=True)
        repo.run("checkout")
        assert without_temporaries(repo.snapshot("data")) == files
    assert died >= len(drill) - 2


# -- full disks, stores that cannot be written -------------------------------------------------


def limited(size_bytes: int) -> Callable[[], None]:
    """Returns what makes a new process unable to write files beyond a size."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))

    return limit


def test_add_with_no_room_says_so_and_goes_on_later(repo: Repo, big: dict[str, bytes]) -> None:
    process = start(repo, "add", "data", preexec_fn=limited(200_000))

    _, err = finish(process, code=9)
    assert "no space" in err or "File too large" in err
    assert "hint: free some space" in err
    assert not (repo.path / "data.dvt").exists()
    assert repo.snapshot("data") == big
    repo.run("verify")
    repo.run("add", "data")
    restore_elsewhere(repo, big)


def test_checkout_with_no_room_leaves_no_half_file(repo: Repo, big: dict[str, bytes]) -> None:
    repo.run("add", "data")
    repo.commit("data")
    (repo.path / "data").rename(repo.path.parent / "aside")

    _, err = finish(start(repo, "checkout", preexec_fn=limited(200_000)), code=9)

    assert "hint: free some space" in err
    for path, data in repo.snapshot("data").items():
        assert data == big[path]
    repo.run("checkout")
    assert repo.snapshot("data") == big


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB, of the kind a real disk is when it fills up."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_store_on_a_full_disk_loses_nothing(
    repo: Repo, big: dict[str, bytes], small_disk: Path
) -> None:
    repo.write("first/a.bin", made("first", 1_500_000))
    repo.git("config", "dvtool.store.path", str(small_disk / "store"))
    repo.run("add", "first")
    repo.commit("first")

    assert "hint: free some space" in repo.run("add", "data", code=9).err

    assert not (repo.path / "data.dvt").exists()
    assert repo.snapshot("data") == big
    assert repo.run("status", "-q").code == 0
    assert "0 problems" in repo.run("verify").out
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    repo.run("add", "data")
    restore_elsewhere(repo, big)


def test_a_disk_that_is_full_to_the_brim_loses_nothing(repo: Repo, small_disk: Path) -> None:
    subprocess.run(["cp", "-a", str(repo.path), str(small_disk / "repo")], check=True)
    full = repo.at(small_disk / "repo")
    full.write("data/a.csv", "1\n")
    full.write("data/b.csv", "2\n")
    full.run("add", "data")
    full.commit("data")
    full.write("data/a.csv", "11\n")
    (full.path / "data/b.csv").unlink()
    with contextlib.suppress(OSError), open(small_disk / "fill", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))

    full.run("status", "-q", code=1)
    for words in (["add", "data"], ["checkout"], ["checkout", "--force"]):
        assert "hint: free some space" in full.run(*words, code=9).err
    full.run("config", "jobs", "4", code=5)
    assert full.snapshot("data")["a.csv"] == b"11\n"
    (small_disk / "fill").unlink()
    full.run("checkout")
    full.run("add", "data")

    assert full.snapshot("data") == {"a.csv": b"11\n", "b.csv": b"2\n"}
    assert "0 problems" in full.run("verify").out


def test_a_repository_that_cannot_be_written_can_be_read(repo: Repo, small_disk: Path) -> None:
    subprocess.run(["cp", "-a", str(repo.path), str(small_disk / "repo")], check=True)
    sealed = repo.at(small_disk / "repo")
    sealed.write("data/a.csv", "1\n")
    sealed.write("data/b.csv", "2\n")
    sealed.run("add", "data")
    sealed.commit("data")
    sealed.write("data/a.csv", "3\n")
    os.utime(sealed.path / "data/b.csv")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    paths = sealed.run("status", "--json").json["datasets"][0]["paths"]
    assert [(path["path"], path["state"]) for path in paths] == [("a.csv", "modified")]
    for words in (
        ["list", "--files"],
        ["diff"],
        ["log", "data"],
        ["verify"],
        ["init"],
        ["resolve"],
    ):
        sealed.run(*words)
    for words in (["add", "data"], ["checkout"], ["rm", "--force", "data"], ["mv", "data", "x"]):
        assert "Read-only file system" in sealed.run(*words, code=9).err
    assert "Read-only file system" in sealed.run("config", "jobs", "4", code=5).err


@pytest.fixture
def read_only_store(repo: Repo) -> Iterator[Path]:
    """The store of a repository with one data set, bound read-only into its place."""
    repo.write("data/a.csv", "1\n")
    repo.run("add", "data")
    repo.commit("data")
    store = repo.path / ".git/dvtool/store"
    if os.geteuid() != 0:
        for folder in [store, *store.rglob("*")]:
            folder.chmod(folder.stat().st_mode & ~0o222)
        yield store
        for folder in [store, *store.rglob("*")]:
            folder.chmod(folder.stat().st_mode | stat.S_IWUSR)
        return
    for words in (["--bind", store, store], ["-o", "remount,ro,bind", store]):
        if subprocess.run(["mount", *words], capture_output=True, check=False).returncode:
            pytest.skip("root may write everywhere, and mounting is not allowed here")
    yield store
    subprocess.run(["umount", "--lazy", str(store)], check=True)


def test_a_read_only_store_is_good_for_reading(repo: Repo, read_only_store: Path) -> None:
    (repo.path / "data/a.csv").unlink()
    repo.run("checkout")
    assert repo.read("data/a.csv") == b"1\n"
    assert repo.run("status", "-q").code == 0
    repo.run("verify")

    repo.write("data/b.csv", "2\n")
    result = repo.run("add", "data", code=9)

    assert str(read_only_store) in result.err
    assert "hint: " in result.err
    assert repo.read("data/b.csv") == b"2\n"


# -- crowds --------------------------------------------------------------------------------------


def test_two_adds_of_different_data_sets_at_once_both_count(repo: Repo) -> None:
    for name in ("one", "two", "three"):
        for number in range(50):
            repo.write(f"{name}/{number}.txt", f"{name} {number}\n")

    running = [start(repo, "add", name) for name in ("one", "two", "three")]
    for process in running:
        finish(process)

    repo.commit("all")
    assert repo.run("status").out == "3 data sets, all clean\n"
    assert repo.git("ls-files", "*.dvt").split() == ["one.dvt", "three.dvt", "two.dvt"]
    assert repo.read(".gitignore").split() == [b"/one", b"/two", b"/three"] or set(
        repo.read(".gitignore").split()
    ) == {b"/one", b"/two", b"/three"}


def test_two_adds_of_the_same_data_set_at_once_agree(repo: Repo, big: dict[str, bytes]) -> None:
    running = [start(repo, "add", "data") for _ in range(3)]
    for process in running:
        finish(process)

    assert repo.run("status", "-q").code == 0
    assert "0 problems" in repo.run("verify").out
    restore_elsewhere(repo, big)


def test_who_waits_for_another_dvtool_says_for_whom(repo: Repo) -> None:
    repo.write("data/a.csv", "1\n")
    repo.write("more/a.csv", "1\n")
    repo.run("add", "more")
    repo.commit("more")
    # Who is told nothing would otherwise wait for ten minutes.
    repo.run("config", "--local", "lock.timeout", "20")
    for words in (["add", "data"], ["rm", "more"], ["mv", "data", "moved"], ["checkout"]):
        with holding_the_lock(repo) as owner:
            process = start(repo, *words)
            assert process.stderr is not None
            said = process.stderr.readline().decode()
        finish(process)
        assert f"waiting for another dvtool (pid {owner}" in said


def test_who_waits_too_long_is_told_who_holds_the_lock(repo: Repo) -> None:
    repo.write("data/a.csv", "1\n")
    repo.run("config", "--local", "lock.timeout", "0.1")

    with holding_the_lock(repo) as owner:
        result = repo.run("add", "data", code=10)

    assert f"pid {owner}" in result.err
    assert not (repo.path / "data.dvt").exists()
    repo.run("add", "data")


@contextlib.contextmanager
def holding_the_lock(repo: Repo) -> Iterator[int]:
    """Another process that has the work tree's lock."""
    program = (
        "import sys; from pathlib import Path; from dvtool.store.locks import FileLock\n"
        "with FileLock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    lock = repo.path / ".git/dvtool/lock"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        try:
            yield owner.pid
        finally:
            owner.communicate()


# -- pipes and Ctrl-C ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "--files"],
        ["status", "--json"],
        ["doctor"],
        ["--help"],
        ["add", "--help"],
        ["list", "nope", "--json"],
        ["log", "data"],
        ["diff"],
    ],
)
def test_a_reader_that_goes_away_is_no_accident(repo: Repo, words: list[str]) -> None:
    for number in range(30):
        repo.write(f"data/{number}.csv", f"{number}\n")
    repo.run("add", "data")
    repo.commit("data")
    repo.write("data/1.csv", "changed\n")
    repo.run("add", "data")
    reading, writing = os.pipe()
    os.close(reading)

    process = start(repo, *words, stdout=writing)
    os.close(writing)

    _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 141, err
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


@pytest.mark.slow
def test_ctrl_c_ends_at_once_with_130_and_one_line(
    repo: Repo, big: dict[str, bytes], moments: random.Random
) -> None:
    interrupted = 0
    for step in some_steps(moments, steps(repo, "add", "data"), 12):
        shutil.rmtree(repo.path / ".git/dvtool", ignore_errors=True)

        code, err = meet(repo, signal.SIGINT, step, "add", "data")

        assert "Traceback" not in err
        assert code in (130, 0), err
        if code == 130:
            interrupted += 1
            assert "goes on where it stopped" in err
        assert "0 problems" in repo.run("verify").out

    repo.run("add", "data")
    restore_elsewhere(repo, big)
    assert interrupted


# -- --json --------------------------------------------------------------------------------------

REPORTING = [
    ["add", "data"],
    ["add", "data", "--dry-run"],
    ["status"],
    ["status", "--remote"],
    ["checkout"],
    ["checkout", "--dry-run"],
    ["list"],
    ["list", "--files"],
    ["list", "--rev", "HEAD"],
    ["diff"],
    ["diff", "HEAD~1", "HEAD"],
    ["diff", "HEAD~1", "--", "data"],
    ["log", "data"],
    ["remote", "list"],
    ["remote", "check"],
    ["push"],
    ["push", "--dry-run"],
    ["fetch"],
    ["pull"],
    ["verify"],
    ["verify", "--remote"],
    ["doctor"],
    ["config"],
    ["config", "remote"],
    ["resolve"],
    ["init"],
    ["mv", "data", "moved"],
    ["rm", "data", "--keep"],
    ["get", ".", "data", "-o", "../copy"],
]
FAILING = [
    (["add", "nope"], 2, "usage"),
    (["add"], 2, "usage"),
    (["add", "--nonsense", "data"], 2, "usage"),
    (["status", "nope"], 5, "unknown-revision"),
    (["checkout", "--rev", "nope"], 5, "unknown-revision"),
    (["log", "nope"], 5, "unknown-revision"),
    (["list", "../.."], 2, "usage"),
    (["rm", "nope"], 2, "usage"),
    (["mv", "nope", "x"], 2, "usage"),
    (["resolve", "data"], 2, "usage"),
    (["push", "-r", "nope"], 2, "usage"),
    (["get", "../nowhere", "data", "-o", "x"], 5, "git-failed"),
    (["add", ".git"], 4, "unsafe-path"),
    (["diff", "a", "b", "c", "--", "data"], 2, "usage"),
    (["nonsense"], 2, "usage"),
]


@pytest.fixture
def odd(repo: Repo) -> Repo:
    """Two commits, a change, and a name that is not UTF-8."""
    repo.write("data/a.csv", "1\n")
    (repo.path / "data" / os.fsdecode(b"b\xff\n.csv")).write_bytes(b"2\n")
    repo.run("add", "data")
    repo.commit("one")
    repo.write("data/a.csv", "22\n")
    repo.run("add", "data")
    repo.commit("two")
    repo.write("data/c.csv", "3\n")
    return repo


@pytest.mark.parametrize("words", REPORTING, ids=" ".join)
def test_json_is_one_object(odd: Repo, words: list[str]) -> None:
    at = 2 if words[0] == "remote" else 1
    process = start(odd, *words[:at], "--json", *words[at:])

    out, _ = process.communicate(timeout=TIMEOUT_S)

    assert process.returncode in (0, 1, 6)
    assert isinstance(json.loads(out.decode()), dict)


@pytest.mark.parametrize(("words", "code", "slug"), FAILING, ids=str)
def test_json_is_one_object_when_something_is_wrong(
    odd: Repo, words: list[str], code: int, slug: str
) -> None:
    facts = odd.run(*words[:1], "--json", *words[1:], code=code).json

    assert (facts["error"], facts["exit_code"]) == (slug, code)
    assert facts["message"]


def test_status_in_json_tells_states_and_nothing_private(odd: Repo) -> None:
    (dataset,) = odd.run("status", "--json").json["datasets"]

    assert dataset["paths"] == [{"path": "c.csv", "state": "new", "sidecar": None, "base": None}]


# -- slips of the hand ---------------------------------------------------------------------------

SILLY = [
    ("add nope", 2),
    ("add data/nope", 2),
    ("add data/a.csv/b", 2),
    ("add /", 2),
    ("add ..", 2),
    ("add .", 2),
    ("add /etc/passwd", 2),
    ("add .git", 4),
    ("add .git/config", 4),
    ("add .dvtool", 4),
    ("add .gitattributes", 4),
    ("add .gitignore", 2),
    ("add other.dvt", 2),
    ("add link", 4),
    ("add pipe", 4),
    ("add --into nope data/a.csv", 5),
    ("add --into data nope.csv", 2),
    ("add --into data plain data", 2),
    ("add --into file plain", 2),
    ("checkout nope", 5),
    ("checkout data/nope", 5),
    ("checkout .git", 4),
    ("checkout --rev nope", 5),
    ("checkout --rev HEAD nope", 5),
    ("status nope", 5),
    ("list nope", 5),
    ("log nope", 5),
    ("log .", 5),
    ("diff nope", 5),
    ("diff HEAD nope HEAD", 5),
    ("rm nope", 2),
    ("rm data/a.csv", 2),
    ("rm .git", 4),
    ("rm .", 2),
    ("mv nope x", 2),
    ("mv data data", 2),
    ("mv data data/inner", 2),
    ("mv data plain", 9),
    ("mv data .git/x", 4),
    ("mv data ../x", 2),
    ("mv data link/x", 4),
    ("resolve data", 2),
    ("remote add origin file:///x", 2),
    ("remote set nope file:///x", 2),
    ("remote rm nope", 2),
    ("remote default nope", 2),
    ("remote add .. file:///x", 2),
    ("remote add o gopher://x", 4),
    ("config nonsense 3", 2),
    ("config jobs many", 4),
    ("config --local jobs many", 2),
    ("config format 7", 4),
    ("get nowhere data -o x", 5),
    ("get . nope -o x", 5),
    ("get . data -o plain", 9),
    ("clone nowhere", 5),
    ("clone . plain", 9),
    ("statsu", 2),
    ("-C nowhere status", 2),
]


@pytest.fixture
def lived_in(repo: Repo) -> Repo:
    repo.write("data/a.csv", "1\n")
    repo.write("file", "1\n")
    repo.write("plain", "git's\n")
    repo.write("other.dvt", "not ours, not valid\n")
    repo.run("add", "data", "file")
    (repo.path / "link").symlink_to("..")
    repo.git("add", "data.dvt", "file.dvt", "plain", "link", ".gitignore")
    repo.git("commit", "-q", "-m", "lived in")
    repo.path.joinpath("other.dvt").unlink()
    os.mkfifo(repo.path / "pipe")
    return repo


@pytest.mark.parametrize(("line", "code"), SILLY)
def test_a_slip_of_the_hand_is_told_and_changes_nothing(
    lived_in: Repo, line: str, code: int
) -> None:
    before = (lived_in.git("status", "--porcelain"), lived_in.snapshot("data"))

    result = lived_in.run(*line.split(), code=code)

    assert result.err.startswith("error: ")
    says_what_to_do = re.search(r"^hint: ", result.err, re.MULTILINE)
    assert says_what_to_do or "expected" in result.err or "letters" in result.err
    assert (lived_in.git("status", "--porcelain"), lived_in.snapshot("data")) == before
    assert lived_in.run("status", "-q").code == 0


def test_adding_twice_in_one_breath_is_adding_once(lived_in: Repo) -> None:
    lived_in.write("data/b.csv", "2\n")

    result = lived_in.run("add", "data", "data/", "./data", "data.dvt", "data/b.csv")

    assert result.out.count("added") == 1
    assert result.out.startswith("added data: 1 new, 0 changed, 0 removed, 1 file as before")


def test_adding_what_is_gone_from_disk_never_records_nothing(lived_in: Repo) -> None:
    (lived_in.path / "data").rename(lived_in.path.parent / "unmounted")
    (lived_in.path / "file").unlink()

    for name in ("data", "file"):
        assert "dvtool checkout brings it back" in lived_in.run("add", name, code=2).err
    assert lived_in.git("diff", "HEAD", "--name-only") == ""
    lived_in.run("checkout")
    assert lived_in.run("status", "-q").code == 0


def test_rm_of_one_data_set_does_not_touch_the_others(lived_in: Repo) -> None:
    clone = lived_in.clone("clone")

    clone.run("rm", "data")

    assert not (clone.path / "file").exists()
    assert clone.git("status", "--porcelain").split() == ["M", ".gitignore", "D", "data.dvt"]


def test_rm_keeps_a_version_that_no_commit_has(lived_in: Repo) -> None:
    lived_in.write("fresh/a.csv", "only here\n")
    lived_in.run("add", "fresh")

    assert "not committed" in lived_in.run("rm", "fresh", code=9).err
    assert lived_in.read("fresh/a.csv") == b"only here\n"
    lived_in.run("rm", "--force", "fresh")
    assert not (lived_in.path / "fresh").exists()


def test_a_file_whose_only_copy_is_on_disk_is_not_taken_away(lived_in: Repo) -> None:
    """Somebody deleted the store: what was added is in the work tree alone now."""
    subprocess.run(["rm", "-rf", str(lived_in.path / ".git/dvtool/store")], check=True)
    lived_in.git("checkout", "-q", "--orphan", "empty")
    lived_in.git("rm", "-q", "--cached", "data.dvt")
    (lived_in.path / "data.dvt").unlink()

    lived_in.run("checkout")

    assert lived_in.read("data/a.csv") == b"1\n"


def test_a_sidecar_that_git_forgot_can_still_be_removed(lived_in: Repo) -> None:
    lived_in.git("rm", "-q", "--cached", "data.dvt", ".gitignore")

    lived_in.run("rm", "--force", "data")

    assert not (lived_in.path / "data.dvt").exists()
