"""`demo`: the main job from end to end, in a scratch folder, on a small real data set.

Makes a git repository, tracks two versions of the Palmer penguins (Gorman, Williams and Fraser
2014; Horst, Hill and Gorman 2020, CC0), pushes them to a `file://` remote, clones elsewhere and
pulls the older version by commit. Every step is the operation its command line would run, and the
bytes are compared at the end. Called by the CLI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from dvtool.errors import CorruptObject, WouldLoseData
from dvtool.git.creating import create_repository
from dvtool.git.plumbing import Git
from dvtool.ops.add import add
from dvtool.ops.init import clone, init
from dvtool.ops.listing import log
from dvtool.ops.pull import pull
from dvtool.ops.push import push
from dvtool.ops.remotes import add_remote
from dvtool.ops.workspace import Workspace

_SOURCE = "penguins.csv"
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Demo",
    "GIT_AUTHOR_EMAIL": "demo@example.org",
    "GIT_COMMITTER_NAME": "Demo",
    "GIT_COMMITTER_EMAIL": "demo@example.org",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the command a person would type, and what came of it."""

    command: str
    result: str


def demo(directory: Path, *, environ: Mapping[str, str]) -> Iterator[Step]:
    """Runs the demo in `directory`, which must not exist, and yields each step when it is done.

    Raises:
        WouldLoseData: `directory` exists.
        CorruptObject: The bytes that came back are not those that went in; never seen.
    """
    if directory.exists():
        raise WouldLoseData(
            f"something stands at {directory} already", hint="dvtool demo NEW-FOLDER"
        )
    environ = {**environ, **_IDENTITY}
    home = directory / "team"
    home.mkdir(parents=True)
    data = home / "data" / _SOURCE
    text = files("dvtool.ops").joinpath(_SOURCE).read_bytes()
    lines = text.splitlines(keepends=True)
    create_repository(home, environ=environ)
    yield Step("git init team && cd team && dvtool init", _initialised(home, environ))
    remote = directory / "remote"
    add_remote(_open(home, environ), "origin", remote.resolve().as_uri())
    yield Step(f"dvtool remote add origin {remote.as_posix()}", "the bytes will go there")
    for number, part in enumerate((lines[:201], lines), 1):
        data.parent.mkdir(exist_ok=True)
        data.write_bytes(b"".join(part))
        report = add(_open(home, environ), ["data"])[0]
        done = f"{report.new} new, {report.changed} changed: {len(part) - 1} penguins"
        yield Step("dvtool add data", done)
        yield Step(f'git commit -m "version {number}"', _commit(home, environ, number))
    pushed = push(_open(home, environ))
    yield Step("dvtool push", f"{pushed.uploaded} objects, {pushed.uploaded_bytes} bytes")
    elsewhere = directory / "elsewhere"
    fresh = clone(str(home), elsewhere, environ=environ)
    # A path is cloned with its git objects only; the bytes come from the remote.
    got = pull(fresh)
    yield Step("dvtool clone team elsewhere", f"{got.written} file written")
    got = pull(Workspace(fresh.git, environ), paths=["data"], rev="HEAD~1")
    _compare(elsewhere / "data" / _SOURCE, b"".join(lines[:201]))
    yield Step("dvtool pull --rev HEAD~1 data", "version 1 is back, byte for byte")
    versions = [f"{v.commit[:12]} {v.files} file {v.change}" for v in log(fresh, "data")]
    yield Step("dvtool log data", "; ".join(versions))


def _open(folder: Path, environ: Mapping[str, str]) -> Workspace:
    return Workspace.open(folder, environ=environ)


def _initialised(folder: Path, environ: Mapping[str, str]) -> str:
    return f"wrote {' and '.join(init(folder, environ=environ).written)}"


def _commit(folder: Path, environ: Mapping[str, str], number: int) -> str:
    git = Git.at(folder, environ=environ, foreign=True)
    git.run("commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", f"version {number}")
    return git.run("log", "-1", "--format=%h %s").decode().strip()


def _compare(path: Path, expected: bytes) -> None:
    found = path.read_bytes()
    if sha256(found).digest() != sha256(expected).digest():
        raise CorruptObject(f"{path} is not what was added")
