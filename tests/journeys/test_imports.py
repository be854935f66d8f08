"""Data of other repositories and of URLs tracked here, kept up to date, and never at a cost to work."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

BIG = bytes(range(256)) * 5000  # 1.28 MB: a file of its own in the store


@pytest.fixture
def origin(make_repo: Callable[..., Repo], tmp_path: Path) -> Repo:
    """A repository with a remote of its own; one of its data sets has small and large files."""
    repo = make_repo("origin")
    repo.write("data/t.csv", "id,v\n1,a\n2,b\n")
    repo.write("data/sub/big.bin", BIG)
    repo.write("one.csv", "id,v\n1,a\n")
    repo.run("add", "data", "one.csv")
    repo.commit("v1")
    repo.git("tag", "v1")
    repo.run("push")
    return repo


def revised(origin: Repo) -> str:
    origin.write("data/t.csv", "id,v\n1,a\n2,c\n3,d\n")
    origin.run("add", "data")
    commit = origin.commit("v2")
    origin.run("push")
    return commit


def keys(repo: Repo, path: str) -> dict[str, str]:
    lines = repo.read(path).decode().splitlines()
    return dict(line.split(": ", 1) for line in lines if line.startswith("origin"))


def test_a_data_set_of_another_repository_is_tracked_here_with_its_origin(repo, origin):
    commit = origin.git("rev-parse", "HEAD")

    done = repo.run("import", str(origin.path), "data", "--rev", "v1", "-o", "their", "--json").json

    assert repo.snapshot("their") == origin.snapshot("data")
    assert (done["files"], done["size_bytes"]) == (2, len(BIG) + 13)
    told = keys(repo, "their.dvt")
    assert told["origin"] == f'"{origin.path.as_uri()}"'
    assert told["origin-commit"] == f'"{commit}"'
    assert (told["origin-path"], told["origin-rev"]) == ('"data"', '"v1"')
    assert repo.git("diff", "--cached", "--name-only").splitlines() == [".gitignore", "their.dvt"]
    assert repo.run("status", "--json").json["datasets"][0]["paths"] == []


def test_one_file_of_a_directory_is_imported_as_a_file(repo, origin):
    repo.run("import", str(origin.path), "data/t.csv", "-o", "raw/")

    assert repo.read("raw/t.csv") == b"id,v\n1,a\n2,b\n"
    digest = hashlib.sha256(b"id,v\n1,a\n2,b\n").hexdigest()
    assert f"kind: file\ndigest: sha256:{digest}\n".encode() in repo.read("raw/t.csv.dvt")
    assert keys(repo, "raw/t.csv.dvt")["origin-digest"] == f'"sha256:{digest}"'


def test_a_repository_behind_a_url_gives_its_data_from_its_remote(repo, origin, tmp_path):
    host = tmp_path / "host.git"
    origin.git("clone", "--quiet", "--bare", str(origin.path), str(host))

    repo.run("import", f"file://{host}", "data/sub")

    assert repo.snapshot("sub") == {"big.bin": BIG}


def test_what_one_clone_imported_another_pulls_without_the_origin(repo, origin, tmp_path):
    repo.run("import", str(origin.path), "data")
    repo.commit("imported")
    repo.run("push")
    origin.path.rename(tmp_path / "gone")

    clone = repo.clone("clone")
    clone.run("pull")

    assert clone.read("data/sub/big.bin") == BIG


def test_damaged_bytes_of_the_other_store_are_not_taken(repo, origin):
    (large,) = (origin.path / ".git/dvtool/store/large").rglob("*.*")
    large.chmod(0o600)
    large.write_bytes(BIG[:-1] + b"!")

    failed = repo.run("import", str(origin.path), "data", code=7)

    assert "does not match its name" in failed.err
    assert not (repo.path / "data").exists()
    assert not (repo.path / "data.dvt").exists()


OCCUPIED = [
    ("mine.csv", 9, "something stands at mine.csv already"),
    ("known.csv", 2, "known.csv is a data set already"),
    ("known/in", 2, "lies inside the data set known"),
    ("Known", 4, "cannot stand side by side"),
    ("../out", 2, "outside the work tree"),
    (".git/x", 4, ".git"),
    ("by-git", 9, "git tracks by-git itself"),
]


def test_nothing_is_imported_over_what_stands_there(repo, origin):
    for path in ("mine.csv", "known.csv", "known/a.csv", "by-git"):
        repo.write(path, "1\n")
    repo.run("add", "known", "known.csv")
    repo.git("add", "by-git")
    (repo.path / "by-git").unlink()
    before = repo.git("status", "--porcelain")

    for place, code, said in OCCUPIED:
        failed = repo.run("import", str(origin.path), "one.csv", "-o", place, code=code)
        assert said in failed.err

    assert repo.read("mine.csv") == b"1\n"
    assert repo.snapshot("known") == {"a.csv": b"1\n"}
    assert repo.git("status", "--porcelain") == before


MISTAKEN = [
    (("nope", "data"), 5, "no folder nope"),
    (("ext::sh", "data"), 2, "transport helpers"),
    (("{origin}", "nope"), 5, "has no data set at nope"),
    (("{origin}", "data/nope"), 5, "no data/nope in HEAD"),
    (("{origin}", "data", "--rev", "v9"), 5, "unknown revision: v9"),
    (("{origin}",), 2, "which data set of it?"),
    (("{origin}", "/"), 2, "which data set of the repository?"),
    (("nope",), 2, "not a URL"),
    (("dvt://v1@data",), 2, "names a repository"),
    (("simplecache::file:///etc/passwd",), 2, "chained"),
    (("reference://x/y",), 2, "no place that data are imported from"),
    (("s3://bucket/folder/",), 2, "a folder"),
    (("nosuch://x/y",), 2, "nosuch"),
]


def test_a_mistaken_source_is_told_and_leaves_nothing(repo, origin):
    for words, code, said in MISTAKEN:
        given = [word.format(origin=origin.path) for word in words]
        assert said in repo.run("import", *given, code=code).err

    assert repo.git("status", "--porcelain") == ""


def test_the_data_sets_of_another_repository_are_listed_with_sizes(repo, origin):
    listed = repo.run("list", str(origin.path), "--rev", "v1", "--json").json["datasets"]

    assert [(one["dataset"], one["files"], one["size_bytes"]) for one in listed] == [
        ("data", 2, len(BIG) + 13),
        ("one.csv", 1, 9),
    ]
    assert "f           13 t.csv" in repo.run("list", str(origin.path), "--files", "data").out
    assert "1.2 MiB" in repo.run("list", origin.path.as_uri(), "data/sub").out


def test_paths_of_this_repository_are_still_listed_as_paths(repo):
    repo.write("data/a.csv", "1\n")
    repo.run("add", "data")

    assert repo.run("list", "data").out == "data  1 file  2 B\n"
    assert repo.run("list", ".").out == "data  1 file  2 B\n"


# -- update ----------------------------------------------------------------------------------------


@pytest.fixture
def importer(repo: Repo, origin: Repo) -> Repo:
    repo.run("import", str(origin.path), "data")
    repo.commit("imported")
    return repo


def test_an_unchanged_origin_changes_nothing(importer, origin):
    before = importer.snapshot(".git/dvtool/store")
    origin.write("other.csv", "1\n")
    origin.run("add", "other.csv")
    origin.commit("something else")

    done = importer.run("update")

    assert "data: unchanged" in done.out
    assert importer.git("status", "--porcelain") == ""
    assert importer.snapshot(".git/dvtool/store") == before


def test_what_is_new_is_shown_and_judged_before_it_is_taken(importer, origin):
    commit = revised(origin)

    shown = importer.run("update", code=1)
    assert "1 added, 0 removed, 1 changed, 1 the same" in shown.out
    assert "data/t.csv: pass" in shown.out
    assert "--yes" in shown.out
    assert importer.read("data/t.csv") == b"id,v\n1,a\n2,b\n"
    assert importer.git("status", "--porcelain") == ""

    taken = importer.run("update", "--yes", "--json").json["datasets"][0]
    assert taken["taken"] is True
    assert importer.read("data/t.csv") == b"id,v\n1,a\n2,c\n3,d\n"
    assert keys(importer, "data.dvt")["origin-commit"] == f'"{commit}"'
    assert importer.git("status", "--porcelain") == "M  data.dvt"
    assert "unchanged" in importer.run("update").out


def test_another_revision_is_followed_from_then_on(importer, origin):
    revised(origin)
    importer.run("update", "--yes")

    importer.run("update", "--rev", "v1", "--yes", "data")

    assert importer.read("data/t.csv") == b"id,v\n1,a\n2,b\n"
    assert keys(importer, "data.dvt")["origin-rev"] == '"v1"'
    assert "unchanged" in importer.run("update").out


def test_unsaved_work_stands_in_the_way(importer, origin):
    revised(origin)
    importer.write("data/t.csv", "my,own\n")
    sidecar = importer.read("data.dvt")

    failed = importer.run("update", "--yes", "--force", code=9)

    assert "work that is in no version: data/t.csv" in failed.err
    assert importer.read("data/t.csv") == b"my,own\n"
    assert importer.read("data.dvt") == sidecar


def test_what_was_changed_and_added_here_is_replaced_only_by_force_and_once_committed(
    importer, origin
):
    revised(origin)
    importer.write("data/t.csv", "id,v\n1,mine\n")
    importer.run("add", "data")

    assert "changed here" in importer.run("update", "--yes", code=9).err
    assert "not committed" in importer.run("update", "--yes", "--force", code=9).err
    importer.commit("mine")
    importer.run("update", "--yes", "--force")

    assert importer.read("data/t.csv") == b"id,v\n1,a\n2,c\n3,d\n"
    importer.run("checkout", "--rev", "HEAD", "data", "--force")
    assert importer.read("data/t.csv") == b"id,v\n1,mine\n"


def test_data_that_fail_are_not_taken_unless_forced(importer, origin):
    importer.write("data.checks.yaml", "tables:\n  t.csv:\n    columns:\n      v: {in: [a, b]}\n")
    importer.commit("checks")
    revised(origin)

    refused = importer.run("update", "--yes", code=1)
    assert "not replaced: data fails" in refused.out
    assert importer.read("data/t.csv") == b"id,v\n1,a\n2,b\n"

    importer.run("update", "--yes", "--force")
    assert importer.read("data/t.csv") == b"id,v\n1,a\n2,c\n3,d\n"


def test_only_imported_data_sets_are_updated(importer, origin):
    importer.write("own.csv", "1\n")
    importer.run("add", "own.csv")

    assert "own.csv was not imported" in importer.run("update", "own.csv", code=2).err
    assert "part of a data set" in importer.run("update", "data/t.csv", code=2).err
    assert "own.csv" not in importer.run("update").out


def test_an_origin_that_is_gone_is_told(importer, origin, tmp_path):
    origin.path.rename(tmp_path / "elsewhere")

    assert "no folder" in importer.run("update", code=5).err
    assert importer.git("status", "--porcelain") == ""


def test_an_update_on_one_branch_merges_with_work_on_another(importer, origin):
    importer.git("switch", "--quiet", "-c", "mine")
    importer.write("data/mine.csv", "1\n")
    importer.run("add", "data")
    importer.commit("a file of mine")
    importer.git("switch", "--quiet", "main")
    importer.run("checkout")
    commit = revised(origin)
    importer.run("update", "--yes")
    importer.commit("updated")

    importer.git("merge", "--quiet", "-m", "both", "mine")
    importer.run("checkout")

    assert importer.snapshot("data").keys() == {"mine.csv", "t.csv", "sub/big.bin"}
    assert importer.read("data/t.csv") == b"id,v\n1,a\n2,c\n3,d\n"
    assert keys(importer, "data.dvt")["origin-commit"] == f'"{commit}"'


# -- URLs ------------------------------------------------------------------------------------------


class _Quiet(SimpleHTTPRequestHandler):
    requests: list[str]

    def do_GET(self) -> None:
        self.path = self.path.partition("?")[0]
        self.requests.append(f"GET {self.path}")
        super().do_GET()

    def do_HEAD(self) -> None:
        self.path = self.path.partition("?")[0]
        super().do_HEAD()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """A web server without ETags or ranges: its address, its folder, what was asked for."""
    folder = tmp_path / "web"
    folder.mkdir()
    handler = type("_Handler", (_Quiet,), {"requests": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", folder, handler.requests
        server.shutdown()
        thread.join()


def test_a_file_of_a_web_server_is_compared_by_its_bytes(repo, web):
    address, folder, _ = web
    (folder / "a b.csv").write_bytes(b"id\n1\n")

    repo.run("import", f"{address}/a%20b.csv?token=very-secret-value&v=2")
    assert repo.read("a b.csv") == b"id\n1\n"
    assert keys(repo, "a b.csv.dvt") == {
        "origin": f'"{address}/a%20b.csv?v=2"',
        "origin-digest": f'"sha256:{hashlib.sha256(b"id" + bytes([10]) + b"1" + bytes([10])).hexdigest()}"',
    }
    assert "unchanged" in repo.run("update").out

    (folder / "a b.csv").write_bytes(b"id\n1\n2\n")
    repo.run("update", "--yes")
    assert repo.read("a b.csv") == b"id\n1\n2\n"
    assert "very-secret-value" not in repo.git("log", "-p", "--all") + repo.git("diff", "--cached")


def test_a_large_file_of_a_web_server_arrives_whole(repo, web):
    address, folder, _ = web
    (folder / "big.bin").write_bytes(BIG * 10)

    repo.run("import", f"{address}/big.bin")

    assert repo.read("big.bin") == BIG * 10


def test_what_a_web_server_does_not_have_is_told(repo, web):
    address, _, _ = web

    assert "nothing at" in repo.run("import", f"{address}/no.csv", code=6).err
    assert "error:" in repo.run("import", "http://127.0.0.1:1/a.csv", code=8).err
    assert "no file name" in repo.run("import", f"{address}/?v=1", code=2).err


def test_an_etag_saves_the_download(repo, s3_bucket, monkeypatch):
    import boto3

    endpoint, bucket = s3_bucket
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    client = boto3.client("s3", endpoint_url=endpoint)
    client.put_object(Bucket=bucket, Key="in/é 1%.csv", Body=b"id\n1\n")
    url = f"s3://{bucket}/in/é 1%.csv"

    repo.run("import", url, "-o", "t.csv")
    told = keys(repo, "t.csv.dvt")
    assert told["origin"] == f'"s3://{bucket}/in/%C3%A9 1%25.csv"'
    assert (
        told["origin-etag"]
        == f'"{hashlib.md5(b"id" + bytes([10]) + b"1" + bytes([10])).hexdigest()}"'
    )
    store = repo.snapshot(".git/dvtool/store")
    assert "unchanged" in repo.run("update").out
    assert repo.snapshot(".git/dvtool/store") == store

    client.put_object(Bucket=bucket, Key="in/é 1%.csv", Body=b"id\n1\n2\n")
    client.close()
    assert "t.csv: 1 -> 2 rows" in repo.run("update", code=1).out
    repo.run("update", "--yes")
    assert repo.read("t.csv") == b"id\n1\n2\n"
