"""The lines dvtool keeps in `.gitattributes` and `.gitignore`, and the drivers in git's config.

The text of both files is the user's; lines are only added at the end or taken out, and all else
stays byte for byte. The pure functions come first; each has a partner that touches the disk.
Called by `dvtool.ops` for `init`, `add`, `rm` and `mv`.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dvtool.core.quote import display
from dvtool.errors import UnsafePath
from dvtool.git.plumbing import Git
from dvtool.store.durable import write_error

ATTRIBUTE_LINES: Final = (
    b"*.dvt text eol=lf diff=dvtool merge=dvtool",
    # Two branches that each add a data set both append a line here; both lines are wanted.
    b".gitignore merge=union",
)
DRIVERS: Final = {
    "merge.dvtool.name": "dvtool three-way merge of sidecars",
    "merge.dvtool.driver": "dvtool merge-driver %O %A %B %P",
    "diff.dvtool.textconv": "dvtool textconv",
    "diff.dvtool.cachetextconv": "true",
}
_SPECIAL: Final = frozenset(b"*?[\\")
# No line can hold a newline, and `?` would ignore other files too: a class with every byte but it.
_NEWLINE_CLASS: Final = b"[^\x01-\x09\x0b-\xff]"
_MAX_FILE_BYTES: Final = 16 * 2**20


def ignore_line(name: bytes) -> bytes:
    """Returns the `.gitignore` line that means exactly `name` in the same folder.

    Anchored by its slash, so that nothing below is meant, and so that `!` and `#` are plain.
    """
    line = b"/"
    for byte in name:
        if byte in _SPECIAL:
            line += b"\\" + bytes([byte])
        elif byte == 0x0A:
            line += _NEWLINE_CLASS
        else:
            line += bytes([byte])
    # git cuts off plain spaces at the end of a line, and one carriage return.
    if line.endswith(b" "):
        stripped = line.rstrip(b" ")
        line = stripped + b"\\ " * (len(line) - len(stripped))
    elif line.endswith(b"\r"):
        line = line[:-1] + b"[\r]"
    return line


def with_lines(text: bytes, lines: Sequence[bytes]) -> bytes:
    """Returns `text` with those of `lines` at its end that it did not have; itself if it had all."""
    present = _lines_of(text)
    missing = [line for line in dict.fromkeys(lines) if line not in present]
    if not missing:
        return text
    ending = b"\r\n" if b"\r\n" in text else b"\n"
    if text and not text.endswith(b"\n"):
        text += ending
    return text + b"".join(line + ending for line in missing)


def without_lines(text: bytes, lines: Sequence[bytes]) -> bytes:
    """Returns `text` without the lines that equal one of `lines`."""
    dropped = set(lines)
    kept = [line for line in text.splitlines(keepends=True) if line.rstrip(b"\r\n") not in dropped]
    return b"".join(kept)


def _lines_of(text: bytes) -> set[bytes]:
    return {line.removesuffix(b"\r") for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n")}


def ensure_attributes(git: Git) -> str | None:
    """Writes dvtool's lines into the top `.gitattributes`; returns its path if that changed it."""
    return _rewrite(git.top, ".gitattributes", add=ATTRIBUTE_LINES)


def ignore(git: Git, paths: Sequence[str]) -> list[str]:
    """Has git ignore data sets, by a line in the `.gitignore` beside each; no process.

    Args:
        git: The repository.
        paths: Data sets, relative to the top; their folders exist.

    Returns:
        The `.gitignore` files that changed, relative to the top, for staging.

    Raises:
        UnsafePath: A `.gitignore` is a link or a folder.
    """
    lines = _by_ignore_file(paths)
    return [path for path, found in lines.items() if _rewrite(git.top, path, add=found)]


def unignore(git: Git, paths: Sequence[str]) -> list[str]:
    """Takes the lines of data sets out again; empties are removed. As `ignore` otherwise."""
    lines = _by_ignore_file(paths)
    return [path for path, found in lines.items() if _rewrite(git.top, path, drop=found)]


def _by_ignore_file(paths: Sequence[str]) -> dict[str, list[bytes]]:
    lines: dict[str, list[bytes]] = {}
    for path in paths:
        folder, slash, name = path.rpartition("/")
        lines.setdefault(f"{folder}{slash}.gitignore", []).append(ignore_line(os.fsencode(name)))
    return lines


def _rewrite(
    top: Path, path: str, *, add: Sequence[bytes] = (), drop: Sequence[bytes] = ()
) -> str | None:
    """Changes one file's lines, whole or not at all; returns its path if anything changed."""
    target = os.path.join(top, path)
    before, mode = read_lines_file(target, path)
    after = with_lines(without_lines(before, drop) if drop else before, add)
    if after == before:
        return None
    if not after:
        os.unlink(target)
        return path
    write_lines_file(target, path, after, mode)
    return path


def read_lines_file(target: str, path: str) -> tuple[bytes, int]:
    """Returns bytes and mode of a file of the user's; nothing when there is none."""
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return b"", 0o666
    # git itself does not follow a link here, since 2.32.
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_FILE_BYTES:
        raise UnsafePath("expected an ordinary file of lines, found something else", source=path)
    with open(os.open(target, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read(), stat.S_IMODE(found.st_mode)


def write_lines_file(target: str, path: str, text: bytes, mode: int) -> None:
    """Replaces a file of the user's, whole or not at all.

    Raises:
        WouldLoseData, StorageFull: It cannot be written.
    """
    temporary = os.path.join(
        os.path.dirname(target), f".dvt-tmp-{os.getpid()}-{os.path.basename(target)}"
    )
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(fd, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise write_error(error, display(os.fsencode(path))) from error


def install_drivers(git: Git) -> list[str]:
    """Tells this clone's git to call dvtool for sidecars; returns the keys that changed.

    One process when all is in place, one more for each key that is not.
    """
    listed = git.run("config", "-z", "--get-regexp", r"^(merge|diff)\.dvtool\.", ok=(0, 1))
    found = dict(
        item.split("\n", 1) for item in os.fsdecode(listed).split("\0")[:-1] if "\n" in item
    )
    changed = [key for key, value in DRIVERS.items() if found.get(key) != value]
    for key in changed:
        git.run("config", "--local", "--replace-all", key, DRIVERS[key])
    return changed
