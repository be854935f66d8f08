"""Verdict records on their way: sent to a remote on request, and read back to be shown.

They lie below `verdicts/` of a remote, created once, advisory: nobody signed them, no gate obeys
them, no version depends on them. Called by `check --record`, `ci --record`, `log --verdicts` and
`purge`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Final

from dvtool.core.digest import Digest
from dvtool.errors import CorruptObject, InvalidText, ObjectMissing
from dvtool.ops.judge_once import record_of_subject
from dvtool.ops.profile_travel import private_columns
from dvtool.ops.records import (
    MAX_RECORD_BYTES,
    Record,
    Records,
    encode_record,
    parse_record,
    without_messages,
)
from dvtool.ops.subjects import Subject
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Judgement
from dvtool.store.remote.backend import Backend
from dvtool.store.remote.parallel import parallel
from dvtool.store.remote.remote import JOBS, Remote

MOST_READ: Final = 1_000
"""Records that are read from a remote at once."""
_OBJECT = re.compile(r"verdicts/([0-9a-f]{64})/([0-9a-f]{64})\.json")


def object_name(record: Record) -> str:
    """Returns what a record is called at a remote."""
    return f"verdicts/{record.data.hex()}/{record.name}.json"


class Recorder:
    """Watches judging and keeps a record of each version that was judged, to be sent afterwards."""

    def __init__(
        self, now: dt.datetime, before: Callable[[Subject, Judgement], None] = lambda _, __: None
    ) -> None:
        """Takes the time of the records, and whoever watched so far, who goes on being told."""
        self._now = now
        self._before = before
        self.records: list[Record] = []
        self.without_version: list[str] = []

    def see(self, subject: Subject, judged: Judgement) -> None:
        """Notes one judgement; of data that were not added, or outside of data sets, the name only."""
        self._before(subject, judged)
        record = record_of_subject(subject, judged, self._now)
        if record is None:
            self.without_version.append(subject.name)
        else:
            self.records.append(record)


def send_records(workspace: Workspace, remote_name: str | None, records: Iterable[Record]) -> int:
    """Uploads records; one that is there already is left as it is.

    Words about columns that today's checks call private are left out.

    Returns:
        How many were new to the remote.

    Raises:
        UsageError, RemoteFailed, RemoteUntrusted: From the remote.
    """
    private = private_columns(workspace)
    masked = [without_messages(one, private) for one in records]
    if not masked:
        return 0
    remote = workspace.remote(remote_name)
    return sum(parallel(partial(_send, remote.backend), masked, jobs=JOBS))


def fetch_records(
    workspace: Workspace, remote_name: str | None, dataset: str, versions: Collection[Digest]
) -> list[Record]:
    """Returns what a remote has of some versions of a data set; anyone may have written it.

    Raises:
        UsageError, RemoteFailed, RemoteUntrusted: From the remote.
    """
    remote = workspace.remote(remote_name)
    names = [name for name, _ in _listed(remote.backend.list(), versions)]
    if len(names) > MOST_READ:
        workspace.progress.note(f"{len(names)} records at {remote.url}, {MOST_READ} are read")
    found = parallel(partial(_read, workspace, remote), names[:MOST_READ], jobs=JOBS)
    return [one for one in found if one is not None and one.dataset == dataset]


def erase_records(
    workspace: Workspace, remote: Remote, listed: Collection[str], digests: Collection[Digest]
) -> int:
    """Deletes the records about some data, here and at a remote; returns how many were there.

    Raises:
        RemoteFailed: The remote does not let us.
    """
    Records(workspace.records_dir).forget(digests)
    names = [name for name, _ in _listed(listed, digests)]
    parallel(remote.backend.delete, names, jobs=JOBS)
    return len(names)


def _listed(listed: Collection[str], versions: Collection[Digest]) -> list[tuple[str, str]]:
    wanted = {one.hex() for one in versions}
    matches = ((name, _OBJECT.fullmatch(name)) for name in sorted(listed))
    return [(name, match[2]) for name, match in matches if match and match[1] in wanted]


def _send(backend: Backend, record: Record) -> bool:
    return backend.create(object_name(record), encode_record(record))


def _read(workspace: Workspace, remote: Remote, name: str) -> Record | None:
    """Returns a record that is what its name says, else None with a note."""
    try:
        text = remote.backend.read(name, size_limit=MAX_RECORD_BYTES)
        record = parse_record(text, source=name)
    except ObjectMissing:
        return None
    except (InvalidText, CorruptObject) as error:
        workspace.progress.note(f"{remote.url}: {error}")
        return None
    if object_name(record) != name:
        workspace.progress.note(f"{remote.url}: {name} is not what its name says")
        return None
    return record
