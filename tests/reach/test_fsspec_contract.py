"""The file system by fsspec's own suite, as far as a read-only one goes, and by its own rules.

Left out of the suite: `AbstractPutTests`, `AbstractPipeTests`, `AbstractCopyTests` and
`AbstractOpenTests`, whose every test writes; that writing is refused is tested here.
"""

from __future__ import annotations

import datetime as dt
import errno
import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.tests.abstract import AbstractFixtures, AbstractGetTests

from dvtool.fs import DvtFileSystem
from tests.journeys.harness import Repo


class TestGetting(AbstractGetTests, AbstractFixtures):
    """What fsspec asks of `get`, with scenarios that were added and committed."""

    @pytest.fixture
    def fs(self) -> DvtFileSystem:
        return DvtFileSystem()

    @pytest.fixture
    def fs_path(self) -> str:
        return "HEAD@s"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(part.rstrip("/") for part in parts[:-1]) + "/" + parts[-1]

    @pytest.fixture
    def committed(
        self, make_repo: Callable[..., Repo], at: Callable[[Path], None]
    ) -> Callable[..., str]:
        repo = make_repo()
        at(repo.path)

        def commit(scenario: Callable[..., str], join: Callable[..., str]) -> str:
            made = scenario(LocalFileSystem(auto_mkdir=True), join, str(repo.path / "s"))
            repo.run("add", "s")
            repo.commit()
            return "HEAD@" + Path(made).relative_to(repo.path).as_posix()

        return commit

    def test_get_directory_recursive(self, fs, fs_join, committed, local_join, local_path) -> None:
        """The suite's own makes the folder through `fs`; this one commits it, then does the same."""

        def scenario(local, join, top: str) -> str:
            local.touch(join(top, "src", "file"))
            return join(top, "src")

        source = committed(scenario, local_join)
        target = Path(local_path) / "dest"

        fs.get(source, str(target), recursive=True)
        fs.get(source, str(target), recursive=True)

        found = {path.relative_to(target).as_posix() for path in target.rglob("*")}
        assert found == {"file", "src", "src/file"}

    @pytest.fixture
    def fs_bulk_operations_scenario_0(self, committed, fs_join) -> str:
        return committed(self._bulk_operations_scenario_0, fs_join)

    @pytest.fixture
    def fs_glob_edge_cases_files(self, committed, fs_join) -> str:
        return committed(self._glob_edge_cases_files, fs_join)

    @pytest.fixture
    def fs_dir_and_file_with_same_name_prefix(self, committed, fs_join) -> str:
        return committed(self._dir_and_file_with_same_name_prefix, fs_join)

    @pytest.fixture
    def fs_10_files_with_hashed_names(self, committed, fs_join) -> str:
        return committed(self._10_files_with_hashed_names, fs_join)


@pytest.fixture
def fs() -> DvtFileSystem:
    return DvtFileSystem()


def test_the_protocol_is_registered() -> None:
    assert fsspec.get_filesystem_class("dvt") is DvtFileSystem


def test_paths_that_come_back_carry_the_revision(published: Repo, fs: DvtFileSystem) -> None:
    assert fs.ls("dvt://v1@", detail=False) == ["v1@d", "v1@t.csv"]
    assert fs.ls("v1@d", detail=False) == ["v1@d/more", "v1@d/part.parquet"]
    assert fs.find("v2@d") == ["v2@d/more/part.csv", "v2@d/part.parquet"]
    assert fs.glob("v1@d/**/*.csv") == ["v1@d/more/part.csv"]
    assert fs.glob("v1@*.csv") == ["v1@t.csv"]
    assert [place for place, _, _ in fs.walk("v1@d")] == ["v1@d", "v1@d/more"]
    assert fs.ls("", detail=False) == ["d", "t.csv"]
    assert fs.unstrip_protocol("v1@t.csv") == "dvt://v1@t.csv"


def test_info_says_what_the_commit_binds(published: Repo, fs: DvtFileSystem) -> None:
    facts = fs.info("v1@t.csv")

    sidecar = published.git("show", "v1:t.csv.dvt")
    assert facts["ETag"] in sidecar
    assert facts["ETag"].startswith("sha256:")
    assert (facts["type"], facts["name"]) == ("file", "v1@t.csv")
    assert facts["version"] == published.git("rev-parse", "v1")
    assert fs.ukey("v1@t.csv") != fs.ukey("v2@t.csv")
    assert fs.checksum("v1@t.csv") == int(facts["ETag"].removeprefix("sha256:"), 16)
    assert fs.modified("v1@t.csv") == dt.datetime(2024, 2, 29, 11, tzinfo=dt.UTC)
    assert fs.isdir("v1@d/more")
    assert fs.isfile("v1@t.csv")
    assert not fs.exists("v1@nothing")


def test_ranges_are_read_from_the_remote_and_kept_nowhere(
    published: Repo, fs: DvtFileSystem
) -> None:
    whole = fs.cat_file("v1@t.csv")

    assert whole.startswith(b"id,price,city\n0,0.5,Bonn\n")
    assert fs.cat_file("v1@t.csv", 3, 8) == b"price"
    assert fs.cat_file("v1@t.csv", -5) == whole[-5:]
    assert fs.cat_file("v1@t.csv", 5, 5) == b""
    with fs.open("v1@t.csv") as file:
        file.seek(3)
        assert file.read(5) == b"price"
        assert file.readline() == b",city\n"
        file.seek(-4, 2)
        assert file.read() == whole[-4:]
    assert published.run("status", "--json").json["datasets"]  # and the work tree is untouched
    assert not (published.path / "t.csv").exists()


def test_two_revisions_in_one_process_never_mix(published: Repo, fs: DvtFileSystem) -> None:
    for _ in range(2):
        one, two = fs.open("v1@t.csv"), fs.open("v2@t.csv")
        assert one.read(40).splitlines()[2] == b"1,1.5,Ulm"
        assert two.read(40).splitlines()[2] == b"1,2.5,Ulm"


def test_a_revision_that_moves_is_followed(published: Repo, fs: DvtFileSystem) -> None:
    published.git("branch", "moving", "v1")
    before = fs.cat_file("moving@t.csv")

    published.git("branch", "--force", "moving", "v2")

    assert fs.cat_file("moving@t.csv") != before


def test_another_repository_is_named_in_the_address(
    published: Repo, fs: DvtFileSystem, tmp_path: Path, at: Callable[[Path], None]
) -> None:
    at(tmp_path)

    assert fs.cat_file(f"{published.path}:v1@t.csv", 0, 2) == b"id"
    assert fs.cat_file(f"{published.path.as_uri()}:v2@t.csv", 0, 2) == b"id"
    cached = list(Path.home().glob(".cache/dvtool/repositories/*/.git"))
    assert len(cached) == 1


def test_what_is_not_there_is_told_as_fsspec_users_expect(
    published: Repo, fs: DvtFileSystem, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="no data at nothing"):
        fs.open("v1@nothing")
    with pytest.raises(FileNotFoundError, match="v9"):
        fs.info("v9@t.csv")
    with pytest.raises(FileNotFoundError, match="repository"):
        fs.info(f"{tmp_path}:v1@t.csv")
    with pytest.raises(IsADirectoryError):
        fs.open("v1@d")
    with pytest.raises(ValueError, match="begin at the top"):
        fs.info("v1@../t.csv")


@pytest.mark.parametrize(
    "write",
    [
        lambda fs: fs.open("v1@t.csv", "wb"),
        lambda fs: fs.pipe_file("v1@t.csv", b""),
        lambda fs: fs.rm("v1@t.csv"),
        lambda fs: fs.mkdir("v1@new"),
        lambda fs: fs.makedirs("v1@new/x"),
        lambda fs: fs.cp_file("v1@t.csv", "v1@u.csv"),
        lambda fs: fs.mv("v1@t.csv", "v1@u.csv"),
        lambda fs: fs.put_file(__file__, "v1@u.csv"),
        lambda fs: fs.touch("v1@t.csv"),
    ],
)
def test_versions_do_not_change(published: Repo, fs: DvtFileSystem, write) -> None:
    with pytest.raises(OSError, match="versions do not change") as found:
        write(fs)

    assert found.value.errno == errno.EROFS


def test_many_threads_read_at_once(published: Repo, fs: DvtFileSystem) -> None:
    found: list[bytes] = []

    def read(rev: str) -> None:
        with fs.open(f"{rev}@t.csv") as file:
            found.append(file.read())

    threads = [threading.Thread(target=read, args=(rev,)) for rev in ("v1", "v2") * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 16
    assert len(set(found)) == 2


def _read_in_child(path: str, result) -> None:
    result.put(DvtFileSystem().cat_file(path))


@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_worker_reads_after_its_parent_did(published: Repo, fs: DvtFileSystem) -> None:
    mine = fs.cat_file("v1@t.csv")
    context = multiprocessing.get_context("fork")
    result = context.Queue()

    child = context.Process(target=_read_in_child, args=("v1@t.csv", result))
    child.start()

    assert result.get(timeout=60) == mine
    child.join()


def test_async_callers_are_served(published: Repo, fs: DvtFileSystem) -> None:
    import asyncio

    from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

    wrapped = AsyncFileSystemWrapper(fs)

    assert asyncio.run(wrapped._cat_file("v1@t.csv", 0, 2)) == b"id"
