"""What an answer of `check` and `status` was made from: every file and folder of it, for marks.

git's part is asked again instead (`dvtool.git.questions`); here is the rest: sidecars, data and what
lies beside them, dvtool's own folders, the libraries that judge. Too much is harmless, something
forgotten is an answer that should have changed. Called by the CLI after a command.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from dvtool.core.config import CONFIG_FILE
from dvtool.core.migrated import MAP_FILE
from dvtool.core.paths import ALLOW_SUFFIX, CHECKS_SUFFIX, SIDECAR_SUFFIX
from dvtool.git.replacing import MESSAGE_FILE
from dvtool.ops import answers
from dvtool.ops.answers import Question
from dvtool.ops.judge_once import reads_other_tables, runs_code
from dvtool.ops.selection import datasets_of
from dvtool.ops.subjects import MISNAMED_SUFFIX, Subject
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Judgement
from dvtool.worktree import marks
from dvtool.worktree.ignore import IGNORE_FILE

MOST_PATHS: Final = 5_000
"""Answers that more files and folders went into are not kept: looking at them is the command."""
_SUFFIXES: Final = (SIDECAR_SUFFIX, CHECKS_SUFFIX, MISNAMED_SUFFIX, ALLOW_SUFFIX)


class Witness:
    """Sees what `check` judges, and keeps what it said if that can stand.

    Attributes:
        workspace: Where; None as long as nobody told, and outside of a repository.
    """

    def __init__(self, question: Question, now: dt.datetime, *, revs: Sequence[str] = ()) -> None:
        """Takes what was asked, by what time it is judged, and the revisions that a person named.

        They must not have been read before.
        """
        self.workspace: Workspace | None = None
        self._question = question
        self._now = now
        self._named = revs
        self._judged: list[tuple[Subject, Judgement]] = []
        for rev in revs:
            question.depend(rev)

    def see(self, subject: Subject, judgement: Judgement) -> None:
        """Notes what was judged, and how that came out."""
        self._judged.append((subject, judgement))

    def keep(self, output: str, code: int, *, on_disk: bool, everything_seen: bool) -> None:
        """Keeps the answer, if all of it came from remembered verdicts and depends on nothing else.

        Args:
            output: What was printed.
            code: The exit code.
            on_disk: Whether the work tree was judged, not what is staged or committed.
            everything_seen: Whether all data sets were looked at for changes, judged or not.
        """
        workspace = self.workspace
        if workspace is None or not all(_can_stand(*one) for one in self._judged):
            return
        names = [subject.name for subject, _ in self._judged]
        if everything_seen and on_disk:
            names = _all_of(self._question)
        paths = _paths(workspace, names, on_disk=on_disk)
        if paths is None:
            return
        # A file of that name would have been meant instead.
        paths += (os.path.join(os.getcwd(), rev) for rev in self._named)
        for subject, _ in self._judged:
            paths += _reached(workspace, subject)
            for word, one in subject.references.items():
                self._question.depend(word, one.commit)
        tables = (table for _, one in self._judged for table in one.tables)
        limits = [one.valid_until for one in tables if one.valid_until is not None]
        # Exceptions and waivers run out with a day; who has none pays one ordinary check a day.
        tomorrow = self._now.astimezone(dt.UTC).date() + dt.timedelta(days=1)
        until = min([dt.datetime.combine(tomorrow, dt.time(), dt.UTC), *limits])
        answers.keep(self._question, paths, output=output, code=code, until=until.timestamp())


def keep_status(
    question: Question,
    workspace: Workspace,
    datasets: Sequence[str] | None,
    output: str,
    code: int,
) -> None:
    """Keeps what `status` said without a remote and without a warning.

    Args:
        question: What was asked.
        workspace: Where.
        datasets: What was looked at; None for all data sets.
        output: What was printed.
        code: The exit code.
    """
    if not workspace.is_ready:
        return  # from before a migration: other files speak for the sidecars
    paths = _paths(workspace, _all_of(question) if datasets is None else datasets)
    if paths is not None:
        index = os.path.join(question.git_dir, "index")  # which paths git itself tracks
        answers.keep(question, [*paths, index], output=output, code=code)


def _all_of(question: Question) -> list[str]:
    """Returns the data sets of the work tree, as git listed their sidecars."""
    return datasets_of(os.fsdecode(path) for path in question.told[0].split(b"\0")[:-1])


def _can_stand(subject: Subject, judgement: Judgement) -> bool:
    """Tells whether a judgement was made of nothing but what `_paths` and git know."""
    # Of code nobody knows what it reads; where no root is, it does not run.
    has_code = subject.checks is not None and subject.root is not None and runs_code(subject.checks)
    return bool(judgement.remembered and subject.inputs) and not has_code


def _paths(
    workspace: Workspace, datasets: Sequence[str], *, on_disk: bool = True
) -> list[str] | None:
    """Returns what an answer about data sets is made from; None when it is too much."""
    found = [*_beside(workspace), *_of_program()]
    folders = {workspace.private_dir, workspace.shared_dir, workspace.store.root}
    for folder in sorted(map(str, folders)):
        inside = _own_folders(folder)
        if inside is None:
            return None
        found += inside
    for dataset in datasets:
        inside = _of_dataset(workspace, dataset) if on_disk else []
        if inside is None:
            return None
        # Of any version, the checks of today tell what is private.
        path = str(workspace.abspath(dataset))
        found += [path + suffix for suffix in _SUFFIXES]
        found += inside
        found += _folders_above(workspace, dataset)
    found = list(dict.fromkeys(found))
    return found if len(found) <= MOST_PATHS else None


def _of_dataset(workspace: Workspace, dataset: str) -> list[str] | None:
    """Returns what a data set is on disk; None when it is too much."""
    inside = marks.below(str(workspace.abspath(dataset)), most=MOST_PATHS)
    return inside and [*inside, *_ignore_files(str(workspace.top), dataset)]


def _reached(workspace: Workspace, subject: Subject) -> Iterator[str]:
    """Yields where checks looked for other tables, and what tells whether one is a data set."""
    if subject.checks is None or not reads_other_tables(subject.checks):
        return
    from dvtool.ops.reach import reached_places

    for place in reached_places(subject, subject.checks):
        yield from (str(place), f"{place}{SIDECAR_SUFFIX}")
        yield from _ignore_files(str(workspace.top), os.path.relpath(place, workspace.top))


def _folders_above(workspace: Workspace, path: str) -> Iterator[str]:
    """Yields the folders between the top and a path, of which it counts only which ones they are."""
    folder = os.path.dirname(path)
    while folder:
        yield f"{workspace.top}/{folder}{marks.ONLY_WHICH}"
        folder = os.path.dirname(folder)


def _beside(workspace: Workspace) -> Iterator[str]:
    layout = workspace.git.layout
    yield str(workspace.top / CONFIG_FILE)
    yield str(workspace.top / MAP_FILE)
    yield str(layout.git_dir / "rebase-merge" / "amend")  # HEAD is being mended, and no baseline
    yield str(layout.git_dir / MESSAGE_FILE)  # a revert on its way takes a version back
    yield str(layout.common_dir / "shallow")
    yield str(layout.common_dir / "info" / "grafts")


def _of_program() -> Iterator[str]:
    """Yields the folders that libraries are installed in."""
    for folder in sys.path:
        if os.path.isdir(folder or "."):
            yield os.path.abspath(folder)


def _own_folders(folder: str) -> list[str] | None:
    """Returns dvtool's folders; files in them are never changed in place, only put there."""
    found = [folder]
    for name, folders, _ in os.walk(folder):
        if os.path.basename(name) == os.path.basename(answers.FOLDER):
            folders.clear()
            continue
        found.append(name)
        if len(found) > MOST_PATHS:
            return None
    return found


def _ignore_files(top: str, dataset: str) -> Iterator[str]:
    folder = os.path.dirname(dataset)
    while True:
        yield os.path.join(top, folder, IGNORE_FILE)
        if not folder:
            return
        folder = os.path.dirname(folder)
