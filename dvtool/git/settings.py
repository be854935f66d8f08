"""Reading and writing settings with `git config`: `.dvtool`, and `dvtool.*` of the clone.

What keys mean and which of them a commit may set is `dvtool.core.config`; here are only the
processes: at most two to read everything, one to write. Called by `dvtool.ops`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from typing import Final

from dvtool.core.config import (
    CLONE_KEYS,
    COMMITTED_KEYS,
    CONFIG_FILE,
    LIST_KEYS,
    REMOTE_NAME,
    Settings,
    combine,
)
from dvtool.errors import GitFailed, InvalidText, UnknownRevision, UnsafePath, UsageError
from dvtool.git.plumbing import Git

MAX_CONFIG_BYTES: Final = 1 << 20
_BAD_LINE = re.compile(r"bad config line (\d+)|bad config variable '.*' in .* at line (\d+)")
_REMOTE_KEY = re.compile(r"remote\.([^.]+)\.(url|endpoint-url|option)")
_KEEP: Final = (0, 1)
# "nothing to unset" and "no section to remove".
_NOTHING_THERE: Final = (0, 5, 128)


def read_settings(
    git: Git,
    *,
    rev: str | None = None,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Settings:
    """Returns the settings of a repository; two processes, one where there is no `.dvtool`.

    Args:
        git: The repository.
        rev: Read `.dvtool` of this commit (an object id) instead of the one on disk.
        environ: Where `DVTOOL_*` may be found; the process's own environment is not read.
        options: What the command line sets, by key.

    Raises:
        InvalidText: `.dvtool` breaks its format, or holds what no commit may set.
        UsageError: Another source holds a value of the wrong kind.
    """
    source = CONFIG_FILE if rev is None else f"{rev}:{CONFIG_FILE}"
    committed = _read_committed(git, rev, source)
    clone = git.run("config", "-z", "--get-regexp", r"^dvtool\.", ok=_KEEP)
    return combine(
        _pairs(committed), _pairs(clone), environ=environ, options=options, source=source
    )


def has_config(git: Git) -> bool:
    """Tells whether there is a `.dvtool` on disk; no process."""
    return _is_there(git)


def _read_committed(git: Git, rev: str | None, source: str) -> bytes:
    # A committed file that includes others could pull in, and name in an error, any file here.
    command = ("config", "-z", "--no-includes", "--list")
    try:
        if rev is None:
            return git.run(*command, "--file", CONFIG_FILE) if _is_there(git) else b""
        return git.run(*command, f"--blob={rev}:{CONFIG_FILE}")
    except (GitFailed, UnknownRevision) as error:
        if rev is not None and "unable to resolve config blob" in error.message:
            return b""
        match = _BAD_LINE.search(error.message)
        if match is None:
            raise
        raise InvalidText(
            "not in git-config syntax", source=source, line=int(match[1] or match[2])
        ) from None


def _is_there(git: Git) -> bool:
    try:
        found = os.lstat(git.top / CONFIG_FILE)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePath("expected an ordinary file, found a link or a folder", source=CONFIG_FILE)
    if found.st_size > MAX_CONFIG_BYTES:
        raise InvalidText(f"larger than {MAX_CONFIG_BYTES} bytes", source=CONFIG_FILE)
    return True


def _pairs(listed: bytes) -> list[tuple[str, str]]:
    pairs = []
    for item in os.fsdecode(listed).split("\0")[:-1]:
        key, newline, value = item.partition("\n")
        # A key alone on its line means true in git's syntax.
        pairs.append((key, value if newline else "true"))
    return pairs


def set_committed(git: Git, key: str, value: str, *, append: bool = False) -> None:
    """Sets a key in `.dvtool`, whose other lines and comments stay; one process, and one to check.

    Args:
        git: The repository.
        key: As in `dvtool.core.config`, such as `remote.origin.url`.
        value: Its value; of list keys, one value.
        append: Add a value to a list key instead of replacing all of them.

    Raises:
        InvalidText: The value breaks a rule for committed settings; nothing is written.
        UsageError: There is no such key.
    """
    name = _full_key(key, COMMITTED_KEYS, append=append)
    before = _pairs(_read_committed(git, None, CONFIG_FILE))
    kept = before if append else [pair for pair in before if pair[0] != name]
    if (
        not key.startswith("remote.")
        or key.endswith(".url")
        or any(k == _url_key(key) for k, _ in kept)
    ):
        combine([*kept, (name, value)])
    else:
        raise UsageError(
            f"remote has no URL yet: {_url_key(key)}", hint="dvtool remote add NAME URL"
        )
    _write(git, ("--file", CONFIG_FILE), name, value, append=append)


def _url_key(key: str) -> str:
    return key.rpartition(".")[0] + ".url"


def set_for_clone(git: Git, key: str, value: str, *, append: bool = False) -> None:
    """Sets a key in the clone's own git configuration; the place for secrets. Two processes.

    Raises:
        UsageError: There is no such key, or the value is of the wrong kind; nothing is written.
    """
    _full_key(key, CLONE_KEYS, append=append)
    if not key.startswith("remote."):
        combine(clone=[(key, value)])
    _write(git, ("--local",), f"dvtool.{key}", value, append=append)


def unset_committed(git: Git, key: str) -> None:
    """Takes all values of a key out of `.dvtool`; fine when there are none."""
    if _is_there(git):
        git.run(
            "config",
            "--file",
            CONFIG_FILE,
            "--unset-all",
            _full_key(key, COMMITTED_KEYS),
            ok=(0, 5),
        )


def unset_for_clone(git: Git, key: str) -> None:
    """Takes all values of a key out of the clone's git configuration; fine when there are none."""
    _full_key(key, CLONE_KEYS)
    git.run("config", "--local", "--unset-all", f"dvtool.{key}", ok=(0, 5))


def remove_remote(git: Git, name: str) -> None:
    """Takes a remote out of `.dvtool` and the clone's configuration, its approval included.

    Raises:
        UsageError: `name` cannot be a remote's name.
    """
    if not REMOTE_NAME.fullmatch(name):
        raise UsageError(f"not a remote's name: {name!r}")
    if _is_there(git):
        _remove_section(git, ("--file", CONFIG_FILE), f"remote.{name}")
    _remove_section(git, ("--local",), f"dvtool.remote.{name}")


def _remove_section(git: Git, where: tuple[str, ...], section: str) -> None:
    try:
        git.run("config", *where, "--remove-section", section)
    except GitFailed as error:
        if "no such section" not in error.message.lower():
            raise


def _full_key(key: str, known: frozenset[str], *, append: bool = False) -> str:
    """Returns the key as it stands in `.dvtool`, after checking that there is such a key."""
    match = _REMOTE_KEY.fullmatch(key)
    if match and not REMOTE_NAME.fullmatch(match[1]):
        raise UsageError(f"a remote's name is letters, digits, - and _: {match[1]!r}")
    if not match and key not in known:
        raise UsageError(
            f"no setting called {key!r} here", hint=f"known: {', '.join(sorted(known))}"
        )
    if append and (match[2] if match else key) not in LIST_KEYS:
        raise UsageError(f"{key} holds one value, not a list")
    return key if "." in key else f"dvtool.{key}"


def _write(git: Git, where: tuple[str, ...], name: str, value: str, *, append: bool) -> None:
    if "\0" in value:
        raise UsageError(f"the value of {name} holds a NUL byte")
    git.run("config", *where, "--add" if append else "--replace-all", name, value)
