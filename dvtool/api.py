"""The Python API: what `import dvtool` gives.

Thin and typed over the verbs of `dvtool.ops`: nothing here prints, asks, or keeps state but
repositories that were opened. `open`, `local_path` and `read_table` take addresses
(`dvt://REV@PATH`); `Repository` gives the rest. Stable names are those of `__all__`.
"""

from __future__ import annotations

import datetime as dt
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from dvtool.core.address import Address, parse_address
from dvtool.core.digest import format_digest
from dvtool.errors import ExtraMissing, UnknownRevision, UsageError
from dvtool.ops.blobreader import BlobReader
from dvtool.ops.versionfiles import REPOSITORIES, Node, VersionFiles

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

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

__all__ = ["DataSet", "Diff", "Repository", "local_path", "open", "read_table"]

As = Literal["pandas", "arrow", "polars"]


def open(
    address: str, mode: str = "rb", *, encoding: str = "utf-8", newline: str | None = None
) -> IO[Any]:
    """Opens one file of a version for reading.

    Args:
        address: `dvt://REV@PATH`, `dvt://REPO:REV@PATH`, or `dvt://PATH` for what the work tree's
            sidecars say.
        mode: `rb`, or `r` for text.
        encoding: For text.
        newline: For text, as in the built-in `open`.

    Raises:
        UnknownRevision: No such revision, or no file there.
        ObjectMissing, CorruptObject, RemoteFailed: The bytes cannot be had.
        UsageError: Another mode: versions do not change.
    """
    if mode not in ("r", "rb", "rt"):
        raise UsageError(f"versions are only read, not opened with mode {mode!r}")
    versions, node = _file(address)
    assert node.entry is not None
    raw = io.BufferedReader(_Raw(versions.reader(node.entry), node.entry.size), 1 << 16)
    return raw if mode == "rb" else io.TextIOWrapper(raw, encoding, newline=newline)


def local_path(address: str) -> Path:
    """Returns a read-only path of one file of a version, fetched into the store first.

    For readers that take nothing but paths. Never write to it.

    Raises:
        UnknownRevision: No such revision, or no file there.
        ObjectMissing, CorruptObject, RemoteFailed: The bytes cannot be had.
    """
    versions, node = _file(address)
    return versions.local_path(node)


def read_table(address: str, *, as_: As = "pandas", columns: Sequence[str] | None = None) -> Any:
    """Reads a table of a version in the way it is judged: kinds are fixed once, for all rows.

    Args:
        address: As for `open`: a file of any format that `check` reads.
        as_: `pandas` (Arrow-backed types), `arrow` or `polars`.
        columns: Only these, in this order; all by default.

    Returns:
        A `pandas.DataFrame`, `pyarrow.Table` or `polars.DataFrame`.

    Raises:
        UnknownRevision: No such revision, file or column.
        InvalidText: The file holds no table; the message says why.
        ExtraMissing: polars is not installed.
    """
    found = _arrow(local_path(address), address, columns)
    if as_ == "arrow":
        return found
    if as_ == "pandas":
        return _pandas(found)
    if as_ == "polars":
        return _polars(found)
    raise UsageError(f"no kind of table {as_!r}", hint="pandas, arrow or polars")


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


class _Raw(io.RawIOBase):
    """The reader of one blob as a raw stream."""

    def __init__(self, reader: BlobReader, size: int) -> None:
        self._reader = reader
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._reader.read(self._at, self._at + len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def readall(self) -> bytes:
        data = self._reader.read(self._at, self._size)
        self._at += len(data)
        return data


def _file(address: str) -> tuple[VersionFiles, Node]:
    found = parse_address(address)
    versions = REPOSITORIES.at(found, dict(os.environ))
    _, node = versions.node(found.rev, found.path)
    if node.is_folder:
        raise UnknownRevision(f"{address} is a folder", hint="name a file in it")
    return versions, node


def _dataset(name: str, nodes: Sequence[Node]) -> DataSet:
    files = {one.path: one.entry for one in nodes if one.entry is not None}
    return DataSet(
        name,
        tuple(sorted(files)),
        sum(one.size for one in files.values()),
        {path: format_digest(one.digest) for path, one in sorted(files.items())},
    )


def _arrow(path: Path, address: str, columns: Sequence[str] | None) -> pa.Table:
    from dvtool.errors import InvalidText
    from dvtool.quality.tables.engine import Engine, quoted
    from dvtool.quality.tables.opening import open_table
    from dvtool.quality.tables.table import Unreadable

    with Engine() as engine:
        try:
            table = open_table(engine, path, name=address)
        except Unreadable as error:
            why = error.findings[0].message if error.findings else str(error)
            raise InvalidText(f"no table: {why}", source=address) from error
        known = [one.name for one in table.columns]
        wanted = known if columns is None else list(columns)
        for name in wanted:
            if name not in known:
                raise UnknownRevision(f"no column {name!r} in {address}: {', '.join(known[:20])}")
        names = ", ".join(quoted(name) for name in wanted)
        return engine.connection.sql(
            f"SELECT {names} FROM {table.source}"  # noqa: S608
        ).to_arrow_table()


def _pandas(table: pa.Table) -> pd.DataFrame:
    import pandas as pd

    return table.to_pandas(types_mapper=pd.ArrowDtype)


def _polars(table: pa.Table) -> pl.DataFrame:
    try:
        import polars
    except ImportError:
        raise ExtraMissing("polars is not installed", hint="pip install polars") from None
    found = polars.from_arrow(table)
    assert isinstance(found, polars.DataFrame)
    return found
