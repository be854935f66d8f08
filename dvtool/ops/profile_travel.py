"""Profiles on their way: a push takes those along that are known, `profile` asks for single ones.

Here is what lies at a remote below `profiles/`, and what is not sent. A profile there is a service:
no version depends on it, and whatever goes wrong with one is told and never fails a push. Called by
`push` and `profile`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Final

from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.errors import DvtoolError, InvalidText, ObjectMissing
from dvtool.git.sidecars import sidecar_paths
from dvtool.ops.profiler import folder_of, pasts_of, portraits_of, unions_of
from dvtool.ops.subjects import checks_at
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.profile.encode import decode
from dvtool.quality.profile.privacy import Privacy
from dvtool.store.profiles import MOST_PACKED_BYTES, packed, unpacked
from dvtool.store.remote.backend import Backend
from dvtool.store.remote.parallel import parallel
from dvtool.store.remote.remote import JOBS, Remote
from dvtool.store.remote.snapshot import Snapshot

MOST_SENT: Final = 1_000
"""Profiles that one push takes along; the others wait for the next."""

_OBJECT = re.compile(r"profiles/([0-9a-f]{64})/[0-9a-f]{64}\.json\.zst")


def object_name(name: str) -> str:
    """Returns what a profile is called at a remote: erasing a file finds them by its digest."""
    return f"profiles/{name}.json.zst"


def send_profiles(
    workspace: Workspace, remote: Remote, snapshot: Snapshot, *, pushed: Iterable[Digest] = ()
) -> int:
    """Uploads the profiles that this clone knows of files that the remote has.

    A profile made before one of its columns was declared private stays here.

    Args:
        workspace: Where.
        remote: Where to.
        snapshot: What the remote had.
        pushed: Files that it has since.

    Returns:
        How many were sent; none when anything goes wrong, which is noted and fails nothing.
    """
    folder = folder_of(workspace)
    known = set(folder.digests())
    there = known - (snapshot.missing(known) - set(pushed))
    names = [
        name
        for digest in sorted(there)
        for name in folder.names_of(digest)
        if object_name(name) not in snapshot.listed
    ]
    if not names:
        return 0
    try:
        private = private_columns(workspace)
        texts = ((name, folder.get(name)) for name in names[:MOST_SENT])
        fit = [(name, text) for name, text in texts if text and may_leave(text, private)]
        sent = parallel(partial(_send, remote.backend), fit, jobs=JOBS)
    except DvtoolError as error:
        workspace.progress.note(f"profiles were not sent to {remote.url}: {error}")
        return 0
    return sum(sent)


def erase_profiles(
    workspace: Workspace, remote: Remote, snapshot: Snapshot, digests: Iterable[Digest]
) -> int:
    """Deletes all profiles of some files, here and at a remote, as erasing their bytes demands.

    Args:
        workspace: Where.
        remote: The remote.
        snapshot: What lies there.
        digests: Of the files.

    Returns:
        How many were deleted at the remote.

    Raises:
        RemoteFailed: The remote does not let us.
    """
    folder = folder_of(workspace)
    wanted = {digest.hex() for digest in digests}
    names = [
        name
        for name in snapshot.listed
        if (found := _OBJECT.fullmatch(name)) is not None and found[1] in wanted
    ]
    for digest in wanted:
        for kept in (folder, portraits_of(workspace)):
            kept.forget(Digest(bytes.fromhex(digest)))
    for learnt in (pasts_of(workspace), unions_of(workspace)):
        learnt.trim(most_bytes=0)  # any of it may be of these files, among others
    parallel(remote.backend.delete, names, jobs=JOBS)
    return len(names)


def may_leave(text: bytes, private: frozenset[str]) -> bool:
    """Tells whether a profile keeps nothing of columns with these names, and has a key."""
    try:
        profile = decode(text)
    except InvalidText:
        return False
    return bool(profile.key_id) and all(
        one.privacy is Privacy.PRIVATE for one in profile.columns if one.name in private
    )


def private_columns(workspace: Workspace) -> frozenset[str]:
    """Returns the names of all columns that checks of the work tree call private.

    Raises:
        InvalidText: A checks file breaks its format, so that it is not known.
    """
    found: set[str] = set()
    for path in sidecar_paths(workspace.git):
        checks = checks_at(workspace, path.removesuffix(SIDECAR_SUFFIX), None)
        if checks is not None:
            for table in parse_checks(checks.text, source=checks.path).tables:
                found |= table.private
    return frozenset(found)


class Bringer:
    """Reads single profiles from a remote; after the first failure it asks no more."""

    def __init__(self, workspace: Workspace, remote_name: str = "") -> None:
        """Takes the workspace and a remote, empty for the default one; nothing is sent yet."""
        self._workspace = workspace
        self._remote_name = remote_name or None
        self._remote: Remote | None = None
        self._is_off = False

    def bring(self, name: str) -> bytes | None:
        """Returns a profile's text, proven to be one; None when the remote has none.

        What the figures are worth is what the remote is worth: they cannot be proven without the
        data.
        """
        if self._is_off:
            return None
        try:
            if self._remote is None:
                self._remote = self._workspace.remote(self._remote_name)
            data = self._remote.backend.read(object_name(name), size_limit=MOST_PACKED_BYTES)
            text = unpacked(data)
            decode(text)
        except ObjectMissing:
            return None
        except InvalidText as error:
            self._workspace.progress.note(f"{object_name(name)} at the remote: {error}")
            return None
        except DvtoolError as error:
            self._is_off = True
            self._workspace.progress.note(f"no profiles from a remote: {error}")
            return None
        return text


def _send(backend: Backend, one: tuple[str, bytes]) -> bool:
    name, text = one
    return backend.create(object_name(name), packed(text))
