"""Cloning: a repository somewhere else becomes one here.

Only transports that carry data are allowed; `ext::` and other helpers that run programs are not,
whatever the user's configuration says. The data sets themselves are `dvtool.ops`'s business, which
is the caller, for `clone` and `get`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dvtool.errors import UsageError, WouldLoseData
from dvtool.git.plumbing import Git
from dvtool.git.process import failure, git_environment, hide_credentials, run_git

TRANSPORTS = ("file", "git", "http", "https", "ssh")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HELPER = re.compile(r"[A-Za-z0-9+.-]*::")


def check_clone_url(url: str) -> None:
    """Checks that git will take `url` for a place, not for an option or a program.

    Allowed are paths, `host:path`, and URLs whose transport is in `TRANSPORTS`.

    Raises:
        UsageError: Anything else; the message repeats no password.
    """
    shown = hide_credentials(url)
    if not url or "\0" in url or "\n" in url:
        raise UsageError(f"not the address of a repository: {shown!r}")
    if url.startswith("-"):
        raise UsageError(
            f"an address does not begin with a dash: {shown}", hint="a path can begin with ./"
        )
    if _HELPER.match(url):
        raise UsageError(
            f"transport helpers (::) are not allowed: {shown}",
            hint=f"allowed are a path, host:path and {', '.join(t + '://' for t in TRANSPORTS)}",
        )
    scheme = _SCHEME.fullmatch(url)
    if scheme and scheme[1].lower() not in TRANSPORTS:
        raise UsageError(
            f"transport {scheme[1]}:// is not allowed: {shown}",
            hint=f"allowed are a path, host:path and {', '.join(t + '://' for t in TRANSPORTS)}",
        )
    if scheme and scheme[2].startswith("-"):
        raise UsageError(f"a host does not begin with a dash: {shown}")


def clone_repository(
    url: str,
    directory: Path,
    *,
    branch: str | None = None,
    bare: bool = False,
    blobless: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Git:
    """Clones `url` into `directory` and returns the new repository; submodules are left alone.

    Args:
        url: See `check_clone_url`; a relative path is relative to the process's own folder.
        directory: Must not exist, or be empty.
        branch: Branch or tag to check out instead of the remote's own choice.
        bare: No work tree.
        blobless: Leave file contents with the server until they are asked for (where it can).
        environ: The environment to hand on to git; None hands on the process's own. Variables that
            speak of a surrounding repository are dropped.

    Raises:
        UsageError: The address is not allowed.
        WouldLoseData: `directory` is not empty.
        GitFailed: git could not clone; its own words, without credentials.
    """
    check_clone_url(url)
    env = git_environment(os.environ if environ is None else environ, foreign=True)
    # Stronger than any protocol.*.allow in a configuration file, and it also binds redirections.
    permitted = env.get("GIT_ALLOW_PROTOCOL", ":".join(TRANSPORTS)).split(":")
    env["GIT_ALLOW_PROTOCOL"] = ":".join(name for name in permitted if name in TRANSPORTS)
    args = ["-c", "protocol.ext.allow=never", "clone", "--quiet", "--no-recurse-submodules"]
    args += ["--bare"] if bare else []
    args += ["--filter=blob:none"] if blobless else []
    args += [f"--branch={branch}"] if branch is not None else []
    here = Path.cwd()
    target = Path(os.path.abspath(directory))
    done = run_git(["git", *args, "--", url, str(target)], cwd=here, env=env)
    if done.returncode:
        if b"already exists and is not an empty directory" in done.stderr:
            raise WouldLoseData(f"folder is not empty: {target}", hint="choose another folder")
        error = failure(["clone"], done.returncode, done.stderr, here)
        error.hint = error.hint or f"is that the address? git ls-remote {hide_credentials(url)}"
        raise error
    return Git.at(target, environ=environ, foreign=True, bare_ok=bare)
