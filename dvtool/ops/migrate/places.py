"""Places: where DVC keeps bytes: caches here, remotes elsewhere. Which there are, `dvcconfig` reads.

DVC 3 keeps an object under `files/md5/ab/cdef…`, DVC 2 under `ab/cdef…`, in caches and remotes alike;
both are looked at. Only for reading. What an object holds is `dvtool.ops.migrate.objects`' business.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from dvtool.core.dvcfiles import MD5
from dvtool.errors import DvtoolError, ExtraMissing, RemoteFailed

_NEW_LAYOUT: Final = "files/md5/"
_EXTRAS: Final = {"gs": "gs", "azure": "azure"}


class Place(Protocol):
    """Somewhere that DVC keeps objects."""

    @property
    def label(self) -> str:
        """What a person calls it."""

    @property
    def is_here(self) -> bool:
        """It is a folder of this machine."""

    def find(self, name: str) -> str | None:
        """Returns where it keeps an object, None when it does not."""

    def local(self, found: str, scratch: Path) -> Path:
        """Returns an object that `find` found as a file: its own, or a copy in `scratch`."""


def object_paths(name: str) -> tuple[str, str]:
    """Returns where an object may lie in a cache or remote, the likelier place first."""
    kind, _, value = name.partition(":")
    old = f"{value[:2]}/{value[2:]}"
    return (_NEW_LAYOUT + old, old) if kind == MD5 else (old, _NEW_LAYOUT + old)


@dataclass(frozen=True, slots=True)
class Folder:
    """A cache, or a remote that is a folder."""

    root: Path
    label: str
    is_here: bool = True

    def find(self, name: str) -> str | None:
        """Returns the path of an object's file."""
        for path in object_paths(name):
            whole = os.path.join(self.root, path)
            if os.path.isfile(whole):
                return whole
        return None

    def local(self, found: str, scratch: Path) -> Path:
        """Returns that file."""
        return Path(found)


@dataclass(slots=True)
class Remote:
    """A remote that fsspec reads; it is listed once, when it is first asked."""

    protocol: str
    root: str
    label: str
    options: Mapping[str, Any]
    is_here: bool = False
    _fs: Any = None
    _listed: set[str] | None = field(default=None)

    def find(self, name: str) -> str | None:
        """Returns the address of an object.

        Raises:
            RemoteFailed: The remote cannot be listed.
            ExtraMissing: Its protocol needs a package that is not installed.
        """
        if self.protocol.startswith("http"):
            return self._look(name)
        if self._listed is None:
            self._listed = self._list()
        for path in object_paths(name):
            if path in self._listed:
                return posixpath.join(self.root, path)
        return None

    def local(self, found: str, scratch: Path) -> Path:
        """Downloads an object into `scratch`.

        Raises:
            RemoteFailed: It cannot be had.
        """
        target = scratch / os.urandom(12).hex()
        try:
            self._system().get_file(found, str(target))
        except Exception as error:
            raise _failed(self.label, error) from error
        return target

    def _look(self, name: str) -> str | None:
        for path in object_paths(name):
            whole = posixpath.join(self.root, path)
            try:
                if self._system().exists(whole):
                    return whole
            except Exception as error:
                raise _failed(self.label, error) from error
        return None

    def _list(self) -> set[str]:
        try:
            found = self._system().find(self.root)
        except FileNotFoundError:
            return set()
        except Exception as error:
            if isinstance(error, DvtoolError):
                raise
            raise _failed(self.label, error) from error
        # Some answer with the bucket in front, as asked, and some with a slash before it.
        root = self.root.strip("/") + "/"
        return {path.lstrip("/").removeprefix(root) for path in found}

    def _system(self) -> Any:  # noqa: ANN401  fsspec has no types
        if self._fs is None:
            import fsspec

            try:
                self._fs = fsspec.filesystem(self.protocol, **self.options)
            except ImportError as error:
                extra = _EXTRAS.get(self.protocol)
                hint = f"pip install 'dvtool[{extra}]'" if extra else "dvc fetch --all-commits"
                raise ExtraMissing(
                    f"{self.label} needs a package that is not installed: {error}", hint=hint
                ) from error
        return self._fs


def _failed(label: str, error: Exception) -> RemoteFailed:
    text = (str(error) or type(error).__name__).splitlines()[0]
    return RemoteFailed(
        f"{label} cannot be read: {text[:300]}",
        hint="dvc fetch --all-commits brings its objects into DVC's cache; then migrate from there",
    )


@dataclass(frozen=True, slots=True)
class Unread:
    """A remote of a kind that is not read; it has nothing, and its label says so."""

    label: str
    is_here: bool = False

    def find(self, name: str) -> str | None:
        """Returns None."""
        return None

    def local(self, found: str, scratch: Path) -> Path:
        """Is never asked, as nothing is found."""
        raise AssertionError
