"""`import`: track here what another repository or a URL has, and remember where it is from.

Bytes come first, into the store, proven; then the sidecar, the ignore line and git's index; then
the files. Whoever dies in between finds a sidecar whose bytes are there. Called by the CLI and the
API.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dvtool.core.origin import Origin, origin_of, uri_of, without_credentials
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.quote import display
from dvtool.core.sidecar import encode_sidecar
from dvtool.errors import UsageError, WouldLoseData
from dvtool.git.sidecars import sidecar_paths
from dvtool.git.staging import tracked_files
from dvtool.ops.addable import check_new, check_side_by_side
from dvtool.ops.checkout import bring_to
from dvtool.ops.imports.arriving import Receiver, arrive, sidecar_of
from dvtool.ops.selection import Places, Selected, datasets_of
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought.

    Attributes:
        dataset: Where it stands now, relative to the top.
        origin: Where it came from, as the sidecar says it.
        files: How many.
        size_bytes: All of them together.
        fetched: How many blobs the store did not have.
        fetched_bytes: Their size.
        left_out: What of the address was not written down, since it may be a secret.
        is_local: Whether the address means something on this machine only.
    """

    dataset: str
    origin: Origin
    files: int
    size_bytes: int
    fetched: int
    fetched_bytes: int
    left_out: tuple[str, ...] = ()
    is_local: bool = False


def repository_origin(repository: str, path: str, rev: str) -> tuple[Origin, tuple[str, ...]]:
    """Returns an origin for a data set of a repository, and what of its address was left out.

    A folder on this machine becomes a `file://` URL. Credentials in a URL are left out, also for
    the import itself: git has its own ways to know them.

    Raises:
        UsageError: The path or the revision is empty.
    """
    path = os.path.normpath(path).strip("/") if path.strip("/") else ""
    if not path or path == "." or path.startswith(".."):
        raise UsageError(
            "which data set of the repository?", hint=f"dvtool list {repository} shows them"
        )
    if not rev:
        raise UsageError("an empty revision", hint="--rev takes a branch, a tag or a commit")
    expanded = os.path.expanduser(repository)
    if os.path.isdir(expanded):
        return Origin(Path(expanded).absolute().resolve().as_uri(), path, rev), ()
    address, left_out = without_credentials(repository)
    return Origin(address, path, rev), left_out


def url_origin(url: str) -> Origin:
    """Returns an origin for one file at a URL, which may still hold credentials.

    Raises:
        UsageError: It is not the URL of a file.
    """
    from dvtool.ops.imports.url import check_url

    check_url(url)
    return Origin(uri_of(url))


def import_data(
    workspace: Workspace, asked: Origin, target: str, *, jobs: int | None = None
) -> ImportReport:
    """Tracks what an origin has at `target`, and writes its files.

    Args:
        workspace: Where.
        asked: From where; a URL may hold credentials, which are used and not written down.
        target: Relative to the top; nothing may stand there.
        jobs: How many downloads at once.

    Raises:
        WouldLoseData: Something stands there already; nothing was downloaded.
        UsageError: No data set can stand there.
        NoRepository, UnknownRevision, ObjectMissing, RemoteFailed: There is nothing to be had.
    """
    _check_free(workspace, target)
    receiver = Receiver(workspace.store, workspace.environ, workspace.progress, jobs)
    came = arrive(receiver, asked)
    assert came is not None, "only known bytes are left away"
    sidecar = sidecar_of(workspace.store, came)
    _check_free(workspace, target)
    bring_to(workspace, [(Selected(target), encode_sidecar(sidecar))])
    origin = origin_of(sidecar, source=target + SIDECAR_SUFFIX)
    assert origin is not None
    return ImportReport(
        target,
        origin,
        len(came.tree),
        came.tree.size_bytes,
        came.fetched,
        came.fetched_bytes,
        left_out=() if asked.is_repository else without_credentials(asked.address)[1],
        is_local=urlsplit(origin.address).scheme in ("file", "local", "memory"),
    )


def name_of_url(url: str) -> str:
    """Returns what the file at a URL is called.

    Raises:
        UsageError: It has no name.
    """
    name = os.path.basename(unquote(urlsplit(url).path) or urlsplit(url).netloc)
    if not name or name in (".", ".."):
        raise UsageError("the URL ends in no file name", hint="-o OUT gives one")
    return name


def _check_free(workspace: Workspace, target: str) -> None:
    known = datasets_of(sidecar_paths(workspace.git))
    shown = display(os.fsencode(target)) or "."
    if target in known:
        raise UsageError(
            f"{shown} is a data set already",
            hint=f"dvtool update {shown} brings a newer version; -o OUT imports elsewhere",
        )
    check_new(known, target)
    Places({*known, target}).check(target)
    check_side_by_side(known, [target])
    if os.path.lexists(workspace.abspath(target)):
        raise WouldLoseData(f"something stands at {shown} already", hint="-o OUT writes elsewhere")
    if tracked_files(workspace.git, [target]):
        raise WouldLoseData(f"git tracks {shown} itself", hint="-o OUT writes elsewhere")
