"""The album of a report: for each judged table its profile, the baseline's, and those of the past.

It watches judging and gathers afterwards: what was judged and what it was compared with is profiled
where it is not known yet; earlier versions only show what is known of them. Called by the CLI
through `report`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from dvtool.core.events import SILENT, Progress
from dvtool.errors import DvtoolError, InvalidText, ObjectMissing
from dvtool.ops.baselines import accepted
from dvtool.ops.profiler import FileProfile, Profiled, Profiler, Spec, checks_of, spec_for
from dvtool.ops.subjects import FileBytes, Subject, stored_files
from dvtool.ops.uniting import united
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import JudgedTable, Judgement
from dvtool.quality.profile.model import Profile
from dvtool.report.model import Past, TablePicture

MOST_PAST: Final = 30
"""Earlier versions shown."""
MOST_TABLES: Final = 100
"""Tables shown with pictures, those that did not pass first."""


@dataclass(slots=True)
class Album:
    """Gathers what a report shows of tables.

    Attributes:
        workspace: Where profiles are kept and versions are; None for files outside of one.
        progress: Whom to tell.
        past_from: Remote that is asked for profiles of earlier versions that are not here, empty
            for the default one; None for no network.
    """

    workspace: Workspace | None = None
    progress: Progress = SILENT
    past_from: str | None = None
    _seen: dict[str, tuple[Subject, Judgement]] = field(default_factory=dict)

    def see(self, subject: Subject, judgement: Judgement) -> None:
        """Notes what was judged; of two judgements of one data set the later one counts."""
        self._seen[subject.name] = (subject, judgement)

    def pictures(self) -> dict[str, TablePicture]:
        """Returns a picture by the name of each table; a table that cannot be read has none."""
        profiler = (
            Profiler.of(self.workspace, remote=self.past_from)
            if self.workspace is not None
            else Profiler(None, b"", self.progress)
        )
        wanted = sorted(self._tables(), key=lambda one: one[3])[:MOST_TABLES]
        found = {}
        past: dict[str, list[tuple[str, Mapping[str, FileBytes]]]] = {}
        for subject, path, name, _ in wanted:
            if subject.name not in past:
                past[subject.name] = list(self._past(subject))
            with suppress(InvalidText):  # of today's checks: what is private cannot be known
                found[name] = _picture(profiler, subject, path, past[subject.name])
        profiler.finish()
        return found

    def _tables(self) -> Iterator[tuple[Subject, str, str, bool]]:
        """Yields subject, path inside, name, and whether it passed, of each table that was read."""
        for subject, judgement in self._seen.values():
            read = {one.name: one for one in judgement.tables if one.is_table and one.columns}
            for path, file in subject.files.items():
                if file.name in read:
                    passed = read[file.name].verdict.value == "pass"
                    yield subject, path, file.name, passed

    def _past(self, subject: Subject) -> Iterator[tuple[str, Mapping[str, FileBytes]]]:
        """Yields name and files of earlier versions, oldest first."""
        if self.workspace is None or not subject.version:
            return
        commit = subject.version if _is_commit(subject.version) else None
        versions = accepted(self.workspace, subject.name, commit)[:MOST_PAST]
        for version in reversed(versions):
            try:
                tree = self.workspace.tree(version.sidecar)
            except ObjectMissing:
                continue  # its list of files is not here: nothing is known of it
            files = stored_files(self.workspace.store, subject.name, tree)
            yield version.commit[:12], united(files, subject.checks)


def of_profiles(found: Sequence[Profiled]) -> tuple[list[Judgement], dict[str, TablePicture]]:
    """Returns tables that nobody judged, and their pictures, from profiles alone.

    Args:
        found: Versions; of several of one data set, newest first, the first is shown and the
            others are its past.
    """
    by_name: dict[str, list[Profiled]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one)
    shown, pictures = [], {}
    for name, (newest, *older) in by_name.items():
        tables = []
        for file in newest.files:
            if file.profile is None:
                continue
            columns = len(file.profile.columns)
            tables.append(JudgedTable(file.name, rows=file.profile.rows, columns=columns))
            pictures[file.name] = TablePicture(
                file.profile, None, tuple(_past_of(file, older)), newest.private
            )
        shown.append(Judgement(name, newest.version, tuple(tables)))
    return shown, pictures


def _past_of(file: FileProfile, older: Sequence[Profiled]) -> Iterator[Past]:
    for version in reversed(older):
        same = (one.profile for one in version.files if one.name == file.name)
        yield Past(version.version, next(same, None))


def _picture(
    profiler: Profiler,
    subject: Subject,
    path: str,
    versions: list[tuple[str, Mapping[str, FileBytes]]],
) -> TablePicture:
    spec = spec_for(checks_of(subject), path) or Spec()
    file = subject.files[path]
    past = []
    for name, files in versions:
        earlier = files.get(path)
        # The judged version itself may be committed already.
        if earlier is not None and (earlier.digest is None or earlier.digest != file.digest):
            past.append(Past(name, profiler.known(earlier, spec)))
    compared = subject.baseline_files.get(path)
    return TablePicture(
        profile=_profile(profiler, file, spec),
        baseline=_profile(profiler, compared.file if compared is not None else None, spec),
        past=tuple(past),
        private=spec.private,
    )


def _profile(profiler: Profiler, file: FileBytes | None, spec: Spec) -> Profile | None:
    """Returns a profile; None where there is no file, or it cannot be read: the page does without."""
    if file is None:
        return None
    try:
        return profiler.file(file, spec).profile
    except (DvtoolError, OSError):
        return None


def _is_commit(version: str) -> bool:
    return len(version) == 12 and all(one in "0123456789abcdef" for one in version)
