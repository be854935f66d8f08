"""Fills a remote with what many pushes left there; run by the interpreter that dvtool runs under.

    PYTHON benchmarks/gcfill.py REPOSITORY RECORDS

Goes through dvtool's own classes, push after push of 10,000 records with a root each, so that all
is as real pushes leave it: packs, indexes, segments, roots. Of four pushes the first two belong to
another repository, which keeps them; the third is of a commit that is gone, and so dead; of the
fourth, gone as well, the other repository keeps a quarter. Called by `case_gc`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

RECORD_BYTES = 64
RECORDS_PER_PUSH = 10_000
STRANGER = hashlib.sha256(b"another repository").hexdigest()[:32]


def fill(repository: Path, records: int) -> None:
    """Pushes records to the default remote of a repository that has pushed before."""
    from dvtool.core.digest import digest_of
    from dvtool.core.roots import Root
    from dvtool.ops.workspace import Workspace
    from dvtool.store.remote.push import push_bytes

    workspace = Workspace.open(repository, environ=os.environ)
    remote = workspace.remote()
    snapshot = remote.snapshot(leaning=True)
    for number in range(-(-records // RECORDS_PER_PUSH)):
        count = min(RECORDS_PER_PUSH, records - number * RECORDS_PER_PUSH)
        data = hashlib.shake_128(b"push %d" % number).digest(count * RECORD_BYTES)
        blobs = [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]
        push_bytes(remote, snapshot, blobs)
        digests = [digest_of(blob) for blob in blobs]
        commit = hashlib.sha256(b"commit %d" % number).hexdigest()[:40]
        mine = Root(workspace.settings.repository, "gone", commit, "full", ())
        theirs = Root(STRANGER, "main", commit, "full", ())
        if number % 4 >= 2:
            remote.write_root(snapshot, mine, new_digests=digests)
        kept = {0: digests, 1: digests, 2: [], 3: digests[::4]}[number % 4]
        if kept:
            remote.write_root(snapshot, theirs, new_digests=kept)
    remote.close()


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
