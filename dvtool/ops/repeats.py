"""Which files of a version are those of an earlier one again, with another version in between.

An old export that is delivered once more has the digest of the version that it was. The version just
before, and rows that come again in another way, are `dvtool.quality.changes` and `history`. Called
by `check`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import dropwhile, islice
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest
from dvtool.errors import ObjectMissing
from dvtool.ops.history import MOST_FILES, MOST_VERSIONS
from dvtool.ops.subjects import FileBytes, Subject, digest_now, stored_files
from dvtool.ops.uniting import united
from dvtool.ops.workspace import Workspace
from dvtool.quality.tables.members import size_of

if TYPE_CHECKING:
    from dvtool.ops.baselines import BaselineVersion


def with_repeats(
    workspace: Workspace, subject: Subject, versions: Iterable[BaselineVersion]
) -> Subject:
    """Returns a subject with the earlier versions that its files are byte for byte.

    Args:
        workspace: Where.
        subject: What is judged, with its baseline.
        versions: Those before it, and itself where it is committed, newest first.
    """
    if subject.file_count > MOST_FILES or not subject.baseline_files:
        return subject
    known: dict[str, list[tuple[str, Digest, int]]] = {}
    for version in islice(versions, MOST_VERSIONS):
        with suppress(ObjectMissing):  # its list of files is not here
            tree = workspace.tree(version.sidecar)
            files = stored_files(workspace.store, subject.name, tree)
            for path, file in united(files, subject.checks).items():
                size = sum(tree[os.fsencode(one)].size for one in file.members or [path])
                assert file.digest is not None
                known.setdefault(path, []).append((version.baseline.name, file.digest, size))
    found = {}
    for path, file in subject.files.items():
        before = subject.baseline_files.get(path)
        past = known.get(path, [])
        if path in subject.settled or before is None or len(past) < 2:
            continue
        now = _digest(file, {size for _, _, size in past})
        if now is None or before.file.digest == now:
            continue
        others = dropwhile(lambda one, now=now: one[1] == now, past)  # type: ignore[misc]
        name = next((one for one, digest, _ in others if digest == now), "")
        if name:
            found[path] = name
    if not found:
        return subject
    inputs = subject.inputs and {**subject.inputs, "repeats": str(sorted(found.items()))}
    return replace(subject, repeats=found, inputs=inputs)


def _digest(file: FileBytes, sizes: set[int]) -> Digest | None:
    """Returns the digest of a file, None where no version has its size, which costs no reading."""
    if file.digest is not None:
        return file.digest
    with suppress(OSError), file.open() as source:
        return digest_now(file) if size_of(source) in sizes else None
    return None
