"""What a commit is about to change: the index against HEAD, as a hook sees it.

git itself reads the index, whatever its version and wherever a partial commit keeps it
(`GIT_INDEX_FILE`). What a push is about to send is `dvtool.git.pushing`. Called by `dvtool.ops`
for hooks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dvtool.git.ancestry import check_oid
from dvtool.git.contents import EMPTY_TREES
from dvtool.git.plumbing import Git

_RAW = ("-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=all")


class StagedChange(NamedTuple):
    """One path that differs from a commit.

    Attributes:
        path: Relative to the top.
        oid: Object id of what is staged, empty when the path is removed.
        before: Object id of what the commit has, empty when it has none.
    """

    path: str
    oid: str
    before: str


def staged_changes(git: Git, commit: str | None) -> list[StagedChange]:
    """Returns what is staged and differs from a commit; everything when that is None.

    One process. Submodules are left out, paths that a merge left undecided too.
    """
    against = commit or EMPTY_TREES[git.layout.object_format]
    fields = git.run("diff-index", "--cached", *_RAW, against, "--").split(b"\0")
    return list(_changes(fields))


def _changes(fields: list[bytes]) -> Iterator[StagedChange]:
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        before_mode, mode, before, oid, state = meta.removeprefix(b":").split(b" ")
        if state != b"U":
            yield StagedChange(
                os.fsdecode(path),
                oid.decode() if int(mode) else "",
                before.decode() if int(before_mode) else "",
            )


def merge_parents(git: Git, environ: Mapping[str, str]) -> list[str]:
    """Returns the commits that an unfinished merge brings in; no process.

    git writes MERGE_HEAD only when a merge stops; the hook of one that does not finds the commits
    in variables that are named by them.
    """
    named = [name.removeprefix("GITHEAD_") for name in environ if name.startswith("GITHEAD_")]
    try:
        text = (git.layout.git_dir / "MERGE_HEAD").read_text("ascii")
    except (OSError, UnicodeDecodeError):
        text = ""
    return [check_oid(oid) for oid in dict.fromkeys([*text.split(), *named])]


def blob_sizes(git: Git, oids: Iterable[str]) -> dict[str, int]:
    """Returns the sizes in bytes of git blobs; one process, none for no blobs."""
    asked = list(dict.fromkeys(oids))
    if not asked:
        return {}
    lines = "".join(f"{oid}\n" for oid in asked).encode()
    answers = git.run("cat-file", "--batch-check=%(objectsize)", stdin=lines).split(b"\n")
    return {
        oid: int(answer) for oid, answer in zip(asked, answers, strict=False) if answer.isdigit()
    }


def operation_under_way(git: Git) -> str:
    """Returns `rebase` or `bisect` while one is unfinished, else an empty text; no process."""
    folder = git.layout.git_dir
    if (folder / "rebase-merge").exists() or (folder / "rebase-apply").exists():
        return "rebase"
    return "bisect" if (folder / "BISECT_LOG").exists() else ""
