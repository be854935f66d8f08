"""Reading and writing settings with `git config`: `.dvtool`, and `dvtool.*` of the clone.

What keys mean and which of them a commit may set is `dvtool.core.config`; here are only the
processes: at most two to read everything, one to write. Called by `dvtool.ops`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from enum import Enum
from typing import Final

from dvtool.core.config import (
    CLONE_KEYS,
    COMMITTED_KEYS,
    CONFIG_FILE,
    LIST_KEYS,
    Settings,
    combine,
    is_known,
)
from dvtool.core.remoteconfig import REMOTE_KEY, check_remote_name
from dvtool.errors import GitFailed, InvalidText, UnknownRevision, UnsafePath, UsageError
from dvtool.git.plumbing import Git

__all__ = [
    "Settings",
    "read_settings",
    "remove_remote",
    "set_committed",
    "set_for_clone",
    "unset_committed",
    "unset_for_clone",
]

MAX_CONFIG_BYTES: Final = 1 << 20
_BAD_LINE = re.compile(r"bad config line (\d+)|bad config variable '.*' in .* at line (\d+)")
_NONE_FOUND: Final = (0, 1)
_NOTHING_TO_UNSET: Final = (0, 5)


class _Scope(Enum):
    """Where a setting is written: with the next commit for everyone, or for this clone alone."""

    COMMITTED = "committed"
    CLONE = "clone"


_WHERE: Final = {_Scope.COMMITTED: ("--file", CONFIG_FILE), _Scope.CLONE: ("--local",)}


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
    clone = git.run("config", "-z", "--get-regexp", r"^dvtool\.", ok=_NONE_FOUND)
    return combine(
        _without_prefix(committed),
        _without_prefix(clone),
        environ=environ,
        options=options,
        source=source,
    )


def _without_prefix(listed: bytes) -> list[tuple[str, str]]:
    return [(key.removeprefix("dvtool."), value) for key, value in _pairs(listed)]


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
    """Sets a key in `.dvtool`, whose other lines and comments stay; two processes.

    Args:
        git: The repository.
        key: As in `dvtool.core.config`, such as `remote` or `remote.origin.url`.
        value: Its value; of list keys, one value.
        append: Add a value to a list key instead of replacing all of them.

    Raises:
        InvalidText: The file would break a rule, such as holding a secret; nothing is written.
        UsageError: There is no such key.
    """
    _set(git, _Scope.COMMITTED, key, value, append=append)


def set_for_clone(git: Git, key: str, value: str, *, append: bool = False) -> None:
    """Sets a key in the clone's own git configuration, the place for secrets; two processes.

    Raises:
        UsageError: There is no such key, or the value is of the wrong kind; nothing is written.
    """
    _set(git, _Scope.CLONE, key, value, append=append)


def unset_committed(git: Git, key: str) -> None:
    """Takes all values of a key out of `.dvtool`; fine when there are none."""
    _check_key(key, _Scope.COMMITTED)
    if _is_there(git):
        _unset(git, _Scope.COMMITTED, key)


def unset_for_clone(git: Git, key: str) -> None:
    """Takes all values of a key out of the clone's git configuration; fine when there are none."""
    _check_key(key, _Scope.CLONE)
    _unset(git, _Scope.CLONE, key)


def _set(git: Git, scope: _Scope, key: str, value: str, *, append: bool) -> None:
    _check_key(key, scope, append=append)
    before = [pair for pair in _read_pairs(git, scope) if append or pair[0] != key]
    _check_pairs([*before, (key, value)], scope)
    git.run(
        "config", *_WHERE[scope], "--add" if append else "--replace-all", _full(key, scope), value
    )


def _unset(git: Git, scope: _Scope, key: str) -> None:
    git.run("config", *_WHERE[scope], "--unset-all", _full(key, scope), ok=_NOTHING_TO_UNSET)


def remove_remote(git: Git, name: str) -> None:
    """Takes a remote out of `.dvtool` and the clone's configuration, its approval included.

    Raises:
        UsageError: `name` cannot be a remote's name.
    """
    check_remote_name(name)
    for scope in _Scope:
        if scope is _Scope.CLONE or _is_there(git):
            _remove_section(git, scope, f"remote.{name}")


def _remove_section(git: Git, scope: _Scope, section: str) -> None:
    try:
        git.run("config", *_WHERE[scope], "--remove-section", _full(section, scope))
    except GitFailed as error:
        if "no such section" not in error.message:
            raise


def _full(key: str, scope: _Scope) -> str:
    return key if scope is _Scope.COMMITTED and "." in key else f"dvtool.{key}"


def _check_key(key: str, scope: _Scope, *, append: bool = False) -> None:
    known = COMMITTED_KEYS if scope is _Scope.COMMITTED else CLONE_KEYS
    match = REMOTE_KEY.fullmatch(key)
    if match:
        check_remote_name(match[1])
    if not is_known(key, known) or (match and match[2] == "trusted"):
        place = CONFIG_FILE if scope is _Scope.COMMITTED else "this clone's configuration"
        raise UsageError(
            f"no setting called {key[:80]!r} in {place}", hint=f"known: {', '.join(sorted(known))}"
        )
    if append and key not in LIST_KEYS and not (match and match[2] == "option"):
        raise UsageError(f"{key} holds one value, not a list")


def _read_pairs(git: Git, scope: _Scope) -> list[tuple[str, str]]:
    if scope is _Scope.COMMITTED:
        return _without_prefix(_read_committed(git, None, CONFIG_FILE))
    local = git.run("config", "--local", "-z", "--get-regexp", r"^dvtool\.", ok=_NONE_FOUND)
    return _without_prefix(local)


def _check_pairs(pairs: list[tuple[str, str]], scope: _Scope) -> None:
    """Checks what a file would hold; options of a remote only where its URL is known too."""
    if any("\0" in value for _, value in pairs):
        raise UsageError("a setting cannot hold a NUL byte")
    if scope is _Scope.COMMITTED:
        combine(pairs)
        return
    urls = {key.rpartition(".")[0] for key, _ in pairs if key.endswith(".url")}
    combine(
        clone=[
            (key, value)
            for key, value in pairs
            if not REMOTE_KEY.fullmatch(key) or key.rpartition(".")[0] in urls
        ]
    )
