"""A repository and one version of it: data sets, statistics, judgements, and the verbs.

Thin and typed over `dvtool.ops`: nothing here prints, asks, or keeps state but repositories that
were opened. Single files are `files`, tables `tables`. Called by whoever imports dvtool.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dvtool.api.files import local_path, open
from dvtool.api.tables import read_table
from dvtool.core.address import Address
from dvtool.core.digest import format_digest
from dvtool.errors import UnknownRevision
from dvtool.ops.versionfiles import REPOSITORIES, Node

if TYPE_CHECKING:
    from dvtool.ops.checkout_write import CheckoutReport
    from dvtool.ops.compare import DatasetDiff
    from dvtool.ops.fetch import FetchReport
    from dvtool.ops.imports.importing import ImportReport
    from dvtool.ops.imports.updating import News
    from dvtool.ops.listing import VersionLine
    from dvtool.ops.push import PushReport
    from dvtool.ops.status import StatusReport
    from dvtool.quality.profile.model import Profile
    from dvtool.report.diff_model import DiffReport
    from dvtool.report.model import Report


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set of a version.

    Attributes:
        path: Relative to the repository's top.
        files: Paths of its files, relative to the top.
        size_bytes: All of them together.
        digests: `sha256:…` by path.
    """

    path: str
    files: tuple[str, ...]
    size_bytes: int
    digests: dict[str, str]


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed between two versions, data set by data set.

    Attributes:
        changes: File by file.
        report: The same with statistics, rows and lines, as far as they were asked for.
    """

    changes: tuple[DatasetDiff, ...]
    report: DiffReport

    def __bool__(self) -> bool:
        """Whether anything did."""
        return bool(self.changes)

    def _repr_html_(self) -> str:
        """Returns the page of `dvtool diff --html` in a frame, for notebooks."""
        return self.report._repr_html_()


class Repository:
    """A repository and one version of it.

    Example:
        >>> import dvtool
        >>> repository = dvtool.Repository(".", rev="HEAD")  # doctest: +SKIP
    """

    def __init__(self, place: str | os.PathLike[str] = ".", rev: str = "") -> None:
        """Opens a repository.

        Args:
            place: A folder in it, or a git URL, which is cloned once into the user's cache.
            rev: Any revision; empty for what the work tree's sidecars say.

        Raises:
            NoRepository: There is none.
            UnknownRevision: It has no such revision.
        """
        self.rev = rev
        self._files = REPOSITORIES.at(Address(os.fspath(place), "", ""), dict(os.environ))
        if rev:
            self._files.tree(rev)

    @property
    def commit(self) -> str:
        """The commit that the revision means now; empty for the work tree's versions."""
        return self._files.tree(self.rev).commit

    @property
    def time(self) -> dt.datetime:
        """When it was committed, UTC."""
        return self._files.tree(self.rev).time

    def datasets(self) -> tuple[DataSet, ...]:
        """Returns every data set of the version, sorted by path."""
        by_name: dict[str, list[Node]] = {}
        for node in self._files.tree(self.rev).nodes.values():
            if node.dataset:
                by_name.setdefault(node.dataset, []).append(node)
        return tuple(_dataset(name, by_name[name]) for name in sorted(by_name))

    def dataset(self, path: str) -> DataSet:
        """Returns one data set.

        Raises:
            UnknownRevision: There is none of that path.
        """
        for one in self.datasets():
            if one.path == path:
                return one
        raise UnknownRevision(f"no data set {path} in {self.rev or 'the work tree'}")

    def versions(self, path: str) -> tuple[VersionLine, ...]:
        """Returns the versions of a data set on the history of the revision, newest first."""
        from dvtool.ops.listing import log

        return tuple(log(self._files.workspace, path, self.rev or "HEAD"))

    def profile(self, path: str) -> Profile:
        """Returns what is known of a table: the data need not be here if the profile is.

        Raises:
            UnknownRevision: There is no such data set, or it holds no table or several.
        """
        from dvtool.ops.profile import profile_datasets

        found = profile_datasets(self._files.workspace, [path], rev=self.rev)
        profiles = [one.profile for each in found for one in each.files if one.profile is not None]
        if len(profiles) != 1:
            raise UnknownRevision(f"{path} holds {len(profiles)} tables", hint="name one file")
        return profiles[0]

    def diff(
        self, since: str, *paths: str, rows: int | None = None, statistics: bool = False
    ) -> Diff:
        """Returns what changed from another revision to this version.

        Args:
            since: The revision before.
            paths: Only these data sets, or parts of them.
            rows: Compare rows of tables and lines of small texts, and keep so many examples of
                each kind.
            statistics: Compare the statistics of tables, from profiles where they are known.
        """
        from dvtool.ops.compare import diff
        from dvtool.ops.datadiff import RowsWanted
        from dvtool.ops.diffreport import Depth, diff_report

        workspace, now = self._files.workspace, self.rev or None
        found = diff(workspace, since, now, paths)
        depth = Depth(None if rows is None else RowsWanted(rows), statistics)
        return Diff(tuple(found), diff_report(workspace, found, since, now, depth))

    def check(self, *paths: str, baseline: str = "", python: bool = False) -> Report:
        """Judges data sets of the version and returns the report, which notebooks show.

        Args:
            paths: Which; all by default.
            baseline: A revision to compare with; the latest accepted version by default.
            python: Whether schemas written in Python may run.
        """
        from dvtool.ops.album import Album
        from dvtool.ops.check import Wanted, check_datasets
        from dvtool.ops.report import provenance_of, report_of, title_of

        workspace, now = self._files.workspace, dt.datetime.now(dt.UTC)
        album = Album(workspace)
        wanted = Wanted(baseline=baseline, python=python, now=now, watch=album.see)
        judged = check_datasets(workspace, list(paths), wanted, rev=self.rev, everything=True)
        where = provenance_of(workspace, time=now.isoformat(timespec="seconds"), commit=self.commit)
        return report_of(title_of(judged), judged, where, pictures=album.pictures())

    # -- verbs -----------------------------------------------------------------------------------

    def status(self, *paths: str) -> StatusReport:
        """Returns what differs from the sidecars."""
        from dvtool.ops.status import status

        return status(self._files.workspace, paths)

    def push(self) -> PushReport:
        """Uploads what the commits of the revision need."""
        from dvtool.ops.push import push

        return push(self._files.workspace, rev=self.rev or None)

    def fetch(self, *paths: str) -> FetchReport:
        """Downloads the version's bytes into the store."""
        from dvtool.ops.fetch import fetch

        return fetch(self._files.workspace, paths=paths, rev=self.rev or None)

    def checkout(self, *paths: str) -> list[CheckoutReport]:
        """Writes the version's files from the store; never over unsaved work."""
        from dvtool.ops.checkout import checkout

        return checkout(self._files.workspace, paths, rev=self.rev or None)

    def import_data(
        self, repository: str, path: str, *, rev: str = "HEAD", to: str = ""
    ) -> ImportReport:
        """Tracks a data set of another repository here, as `dvtool import` does.

        Args:
            repository: A folder, or a git URL.
            path: A data set of it, or a part of one.
            rev: Which version.
            to: Where to put it, relative to the top; by default under its own name at the top.

        Raises:
            WouldLoseData: Something stands there already.
            NoRepository, UnknownRevision, ObjectMissing: There is nothing to be had.
        """
        from dvtool.ops.imports.importing import import_data, repository_origin

        origin, _ = repository_origin(repository, path, rev)
        target = to or os.path.basename(origin.path)
        return import_data(self._files.workspace, origin, target)

    def import_url(self, url: str, *, to: str = "") -> ImportReport:
        """Tracks the file at a URL here, as `dvtool import` does; no credential is written down.

        Raises:
            WouldLoseData: Something stands there already.
            ObjectMissing, RemoteFailed: There is nothing to be had.
        """
        from dvtool.ops.imports.importing import import_data, name_of_url, url_origin

        return import_data(self._files.workspace, url_origin(url), to or name_of_url(url))

    def news(self, *paths: str, rev: str | None = None, python: bool = False) -> tuple[News, ...]:
        """Asks where data sets were imported from for something newer; the files stay as they are.

        Args:
            paths: Imported data sets; all of them by default.
            rev: Another revision to follow.
            python: Whether schemas written in Python may run when the new bytes are judged.
        """
        from dvtool.ops.check import Wanted
        from dvtool.ops.imports.updating import look

        wanted = Wanted(python=python, now=dt.datetime.now(dt.UTC))
        return tuple(look(self._files.workspace, paths, wanted=wanted, rev=rev))

    def take(self, *news: News, force: bool = False) -> list[CheckoutReport]:
        """Replaces data sets by what `news` found; never over unsaved work.

        Args:
            news: Those to take; what they were judged is the caller's to look at.
            force: Also over what was changed and committed here since the import.
        """
        from dvtool.ops.imports.updating import take

        return take(self._files.workspace, news, force=force)

    def open(self, path: str, mode: str = "rb", **options: Any) -> IO[Any]:
        """Opens one file of the version, as `dvtool.open` does."""
        return open(str(self._address(path)), mode, **options)

    def local_path(self, path: str) -> Path:
        """Returns a read-only path of one file of the version."""
        return local_path(str(self._address(path)))

    def read_table(self, path: str, **options: Any) -> Any:
        """Reads a table of the version, as `dvtool.read_table` does."""
        return read_table(str(self._address(path)), **options)

    def _address(self, path: str) -> Address:
        return Address(str(self._files.workspace.top), self.rev, path)


def _dataset(name: str, nodes: Sequence[Node]) -> DataSet:
    files = {one.path: one.entry for one in nodes if one.entry is not None}
    return DataSet(
        name,
        tuple(sorted(files)),
        sum(one.size for one in files.values()),
        {path: format_digest(one.digest) for path, one in sorted(files.items())},
    )
