"""Which paths are safe: the rules for untrusted names out of sidecars and manifests.

A path is raw bytes with `/` between components, relative to its data set, or for a data set
relative to the top of the work tree. These functions only look at names; that no component is a
link is checked where files are written, by descriptor (`dvtool.worktree`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from dvtool.core.quote import display
from dvtool.errors import UnsafePath

SIDECAR_SUFFIX = ".dvt"
RESERVED = frozenset({".git", "git~1", ".dvtool", ".gitattributes"})
MAX_PATH_BYTES = 4096
MAX_COMPONENT_BYTES = 255

# HFS+ ignores these code points when it compares names, so `.g<U+200C>it` opens `.git` there.
_HFS_IGNORED = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)
# The quick test of nearly every path: plain ASCII, no component that starts with a dot or with
# "git~", no empty one, none of the characters that mean something to some file system.
_PLAIN = re.compile(rb"(?!git~)[A-Za-z0-9_\-+=,@() ][A-Za-z0-9_\-+=,@() .]*"
                    rb"(?:/(?!git~)[A-Za-z0-9_\-+=,@() ][A-Za-z0-9_\-+=,@() .]*)*", re.IGNORECASE)


def check_path(path: bytes) -> None:
    """Checks that `path` stays below its root and names nothing that git or dvtool own.

    Raises:
        UnsafePath: It is absolute, has an empty, `.` or `..` component, a component that some file
            system takes for `.git`, `.dvtool` or `.gitattributes`, a NUL, or is too long.
    """
    if len(path) < MAX_COMPONENT_BYTES and _PLAIN.fullmatch(path):
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
        stem = name.split(":", 1)[0].rstrip(". ").casefold()
        if stem in RESERVED or (piece == b".." and piece != component):
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


def find_clash(paths: Iterable[bytes]) -> tuple[bytes, bytes] | None:
    """Returns the first two paths that cannot stand side by side, or None.

    Two paths clash when they are equal after folding, when folders on their way differ only by
    folding, or when one is a file and the other needs it to be a folder.

    Args:
        paths: Distinct paths of files, in any order.
    """
    seen: dict[bytes, bytes] = {}
    folders: dict[bytes, bytes] = {}
    checked: set[bytes] = set()
    for path in paths:
        folded = path.lower() if path.isascii() else fold(path)
        if (other := seen.setdefault(folded, path)) is not path:
            return other, path
        folder, slash, _ = path.rpartition(b"/")
        while slash and folder not in checked:
            checked.add(folder)
            if (other := folders.setdefault(fold(folder), folder)) != folder:
                return other, path
            folder, slash, _ = folder.rpartition(b"/")
    for folded, folder in folders.items():
        if folded in seen:
            return seen[folded], folder
    return None
