"""A data set on disk, and the few steps that every test of this package takes with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dvtool.core.digest import Fingerprint, fingerprint_of
from dvtool.core.tree import Tree
from dvtool.worktree.edit import SectionEdit
from dvtool.worktree.filestat import file_system_clock
from dvtool.worktree.ignore import NOTHING_IGNORED, Ignore
from dvtool.worktree.reading import Reader
from dvtool.worktree.scan import Scan, scan
from dvtool.worktree.sections import IndexSection
from dvtool.worktree.status import DatasetStatus, compare

SIDECAR = fingerprint_of(b"the sidecar's text")
FAR_FUTURE = 2**62
"""A clock after which nothing is racy."""


@dataclass
class Data:
    """A work tree with one data set called `data`."""

    top: Path
    name: str = "data"

    @property
    def path(self) -> Path:
        return self.top / self.name

    def tick(self) -> None:
        """Returns once the file system's clock has moved, a few ms later at most."""
        start = file_system_clock(self.top)
        while file_system_clock(self.top) == start:
            pass

    def write(self, files: Mapping[str, bytes]) -> None:
        self.tick()
        for name, data in files.items():
            target = self.path / name if name else self.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def scan(self, section: IndexSection | None = None, **options: object) -> Scan:
        return scan(self.top, self.name, section, **options)  # type: ignore[arg-type]

    def add(
        self, section: IndexSection | None = None, *, clock_ns: int = FAR_FUTURE
    ) -> IndexSection:
        """Reads everything new or changed, as the verb does, and returns the settled section."""
        found = self.scan(section, reread=section.bases if section else ())
        edit = SectionEdit(section or IndexSection(self.name), clock_ns=clock_ns)
        with Reader(self.top, self.name) as reader:
            for item in [*found.new, *found.changed]:
                edit.put(reader.hash(item), settled=True)
        for path in found.gone:
            edit.remove(path)
        self.tick()
        return edit.section().settled(SIDECAR)

    def status(
        self,
        section: IndexSection | None,
        tree: Tree | None = None,
        *,
        sidecar: Fingerprint = SIDECAR,
        clock_ns: int = FAR_FUTURE,
        ignore: Ignore = NOTHING_IGNORED,
    ) -> DatasetStatus:
        def parse() -> Tree:
            assert tree is not None, "the sidecar was parsed without need"
            return tree

        return compare(
            self.top,
            self.name,
            section,
            sidecar_fingerprint=sidecar,
            tree=parse,
            clock=lambda: clock_ns,
            ignore=ignore,
        )


def states(status: DatasetStatus) -> dict[bytes, str]:
    return {path.path: path.state for path in status.paths}


def paths_of(items: object) -> set[bytes]:
    return {item.path for item in items}  # type: ignore[attr-defined]


@pytest.fixture
def data(tmp_path: Path) -> Data:
    top = tmp_path / "top"
    top.mkdir()
    return Data(top)


@pytest.fixture
def open_descriptors() -> Iterator[None]:
    """Fails a test that leaves a descriptor open."""
    before = set(os.listdir("/proc/self/fd"))
    yield
    assert set(os.listdir("/proc/self/fd")) <= before
