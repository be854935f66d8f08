"""Which paths are safe: the rules for untrusted names out of sidecars and manifests.

A path is raw bytes with `/` between components, relative to its data set, or for a data set
relative to the top of the work tree. These functions only look at names; that no component is a
link is checked where files are written, by descriptor (`dvtool.worktree`). Spec:
docs/format.md#paths.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from dvtool.core.quote import display
from dvtool.errors import UnsafePath

SIDECAR_SUFFIX = ".dvt"
CHECKS_SUFFIX = ".checks.yaml"
ALLOW_SUFFIX = ".allow.yaml"
RESERVED = frozenset({".git", ".dvtool", ".gitattributes"})
MAX_PATH_BYTES = 4096
MAX_COMPONENT_BYTES = 255

# NTFS gives every long name a short one: GIT~1 opens `.git`, GITATT~1 `.gitattributes`.
_SHORT_NAME = re.compile(r"(?:git|gitatt|dvtool)~[0-9]+")
# HFS+ ignores these code points when it compares names, so `.g<U+200C>it` opens `.git` there.
_HFS_IGNORED = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)
# What a path must have to be unsafe: an empty component, one that starts like a reserved name or
# like `.` and `..`, a character that NTFS reads in its own way, a NUL, an ignored code point.
_SUSPECT = re.compile(
    rb"(?:\A|/)(?:/|\Z|\.(?:[./ dDgG]|\Z))|[\\:~\0]"
    rb"|\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf"
)
PLAIN_PATH = (
    rb"[A-Za-z0-9_\-+=,@()][A-Za-z0-9_\-+=,@() .]*"
    rb"(?:/[A-Za-z0-9_\-+=,@()][A-Za-z0-9_\-+=,@() .]*)*(?<! )"
)
"""Pattern of nearly every path: safe and spelt plain, if no longer than MAX_COMPONENT_BYTES.

ASCII without a character that means something to some file system (so no `~`, `:`, backslash);
no component is empty or starts with a dot or a space.
"""


def check_path(path: bytes) -> None:
    """Checks that `path` stays below its root and names nothing that git or dvtool own.

    Raises:
        UnsafePath: It is absolute, has an empty, `.` or `..` component, a component that some file
            system takes for `.git`, `.dvtool` or `.gitattributes`, a NUL, or is too long.
    """
    if len(path) <= MAX_COMPONENT_BYTES and not _SUSPECT.search(path):
        return
    if not path or len(path) > MAX_PATH_BYTES:
        raise UnsafePath(f"path of {len(path)} bytes, allowed are 1 to {MAX_PATH_BYTES}")
    for component in path.split(b"/"):
        _check_component(component, path)


def _check_component(component: bytes, path: bytes) -> None:
    if component in (b"", b".", b".."):
        raise UnsafePath(f"path leaves its place or is not normalised: {display(path)}")
    if b"\0" in component:
        raise UnsafePath(f"path holds a NUL byte: {display(path)}")
    if len(component) > MAX_COMPONENT_BYTES:
        raise UnsafePath(f"path component longer than {MAX_COMPONENT_BYTES} bytes: {display(path)}")
    # NTFS reads a backslash as a separator, cuts at a colon and drops trailing dots and spaces.
    for piece in component.split(b"\\"):
        name = piece.decode("utf-8", "surrogateescape").translate(_HFS_IGNORED)
        name = name.split(":", 1)[0].rstrip(" ").casefold()
        if name in (".", ".."):
            raise UnsafePath(f"path leaves its place on some file system: {display(path)}")
        stem = name.rstrip(". ")
        if stem in RESERVED or _SHORT_NAME.fullmatch(stem):
            raise UnsafePath(f"path names something that git or dvtool own: {display(path)}")


def fold(path: bytes) -> bytes:
    """Returns the form in which two paths are equal on a careless file system.

    Careless: ignores case and the Unicode form (macOS, Windows). Bytes that are not UTF-8 stay.
    """
    if path.isascii():
        return path.lower()
    text = path.decode("utf-8", "surrogateescape")
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
    return folded.encode("utf-8", "surrogateescape")


class Neighbours:
    """Paths that can stand side by side on every file system, admitted one by one.

    Two paths clash when they are equal after folding, when folders on their way differ only by
    folding, or when one is a file and the other needs it to be a folder.
    """

    __slots__ = ("_files", "_folders")

    def __init__(self) -> None:
        self._files: dict[bytes, bytes] = {}
        self._folders: dict[bytes, bytes] = {}

    def admit(self, path: bytes) -> bytes | None:
        """Takes `path` in, or returns the path, file or folder, that it clashes with."""
        folded = fold(path)
        other = self._files.get(folded) or self._folders.get(folded)
        if other is not None:
            return other
        new: dict[bytes, bytes] = {}
        folder, slash, _ = path.rpartition(b"/")
        while slash:
            folded_folder = fold(folder)
            if (other := self._files.get(folded_folder)) is not None:
                return other
            known = self._folders.get(folded_folder)
            if known == folder:
                break
            if known is not None:
                return known
            new[folded_folder] = folder
            folder, slash, _ = folder.rpartition(b"/")
        self._files[folded] = path
        self._folders.update(new)
        return None


def find_clash(paths: Iterable[bytes]) -> tuple[bytes, bytes] | None:
    """Returns two paths that cannot stand side by side (see `Neighbours`), or None.

    The first of the two may name a folder.

    Args:
        paths: Distinct paths of files, in any order.
    """
    paths = list(paths)
    if not _has_clash(paths):
        return None
    admitted = Neighbours()
    for path in paths:
        if (other := admitted.admit(path)) is not None:
            return other, path
    raise AssertionError("a clash was found that has no paths")


def _has_clash(paths: list[bytes]) -> bool:
    """Tells whether any two clash; needs memory only for paths that folding changes."""
    changed: dict[bytes, bytes] = {}  # folded -> path, where the two differ
    for path in paths:
        folded = path.lower() if path.isascii() else fold(path)
        if folded != path and changed.setdefault(folded, path) != path:
            return True
    folders: set[bytes] = set()
    folded_folders: dict[bytes, bytes] = {}
    for path in paths:
        folder, slash, _ = path.rpartition(b"/")
        while slash and folder not in folders:
            folders.add(folder)
            if folded_folders.setdefault(fold(folder), folder) != folder:
                return True
            folder, slash, _ = folder.rpartition(b"/")
    # A path that folding changes is in no folded set, so all `paths` may be looked up as they are.
    return not (
        changed.keys().isdisjoint(paths)
        and folded_folders.keys().isdisjoint(paths)
        and folded_folders.keys().isdisjoint(changed)
    )
