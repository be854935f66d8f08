"""Putting a finished file in its place without ever losing what stands there.

Here live the two renames of Linux that an ordinary rename lacks: one that refuses to replace, one
that swaps. With them a file that changed after it was looked at survives; where a file system
does not offer them, a look just before the rename is the next best. Called by `materialise` only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from typing import Final

from dvtool.core.quote import display
from dvtool.errors import WouldLoseData
from dvtool.worktree.filestat import NO_STAT, StatKey, is_same_file, key_of

_NO_REPLACE: Final = 1
_EXCHANGE: Final = 2
_NOT_OFFERED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})

# Python has no os.renameat2; glibc has it since 2.28, and without it the fall-back serves.
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
if _renameat2 is not None:
    _renameat2.argtypes = (
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_uint,
    )


def put_new(folder: int, unfinished: bytes, name: bytes) -> None:
    """Renames `unfinished` to `name`, which must be free.

    Raises:
        FileExistsError: Something stands there; nothing has changed.
    """
    if _renameat2 is not None and not _renameat2(folder, unfinished, folder, name, _NO_REPLACE):
        return
    if _rename(folder, unfinished, name, _NO_REPLACE):
        return
    os.link(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    os.unlink(unfinished, dir_fd=folder)


def put_over(folder: int, unfinished: bytes, name: bytes, expected: StatKey, shown: str) -> None:
    """Puts `unfinished` in the place of `name`, which must still be the expected file.

    Raises:
        WouldLoseData: It is not; it stands there as it was.
    """
    check_expected(folder, name, expected, shown)
    own = key_of(os.stat(unfinished, dir_fd=folder, follow_symlinks=False))
    try:
        is_swapped = _rename(folder, unfinished, name, _EXCHANGE)
    except FileNotFoundError:
        raise _changed(shown) from None
    if not is_swapped:
        os.rename(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    if not _is_still(folder, unfinished, expected):
        _rename(folder, unfinished, name, _EXCHANGE)
        if not _is_still(folder, unfinished, own):
            raise _rescued(folder, unfinished, name, shown)  # it changed between the two swaps
        raise _changed(shown)
    os.unlink(unfinished, dir_fd=folder)


def take_away(folder: int, name: bytes, unfinished: bytes, expected: StatKey, shown: str) -> None:
    """Removes `name`, which must still be the expected file; nothing if it is gone already.

    Args:
        unfinished: A free temporary name in the same folder.

    Raises:
        WouldLoseData: It is another file; it stands there as it was.
    """
    try:
        check_expected(folder, name, expected, shown)
        if not _rename(folder, name, unfinished, _NO_REPLACE):
            os.unlink(name, dir_fd=folder)
            return
    except FileNotFoundError:
        return
    if not _is_still(folder, unfinished, expected):
        try:
            _rename(folder, unfinished, name, _NO_REPLACE)
        except FileExistsError:
            raise _rescued(folder, unfinished, name, shown) from None
        raise _changed(shown)
    os.unlink(unfinished, dir_fd=folder)


def check_expected(folder: int, name: bytes, expected: StatKey, shown: str) -> None:
    """Checks that `name` is the file that the plan was made for.

    Raises:
        WouldLoseData: It is not.
        FileNotFoundError: There is none.
    """
    result = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if expected == NO_STAT:
        is_expected = stat.S_ISDIR(result.st_mode)
    else:
        is_expected = key_of(result) == expected and not stat.S_ISDIR(result.st_mode)
    if not is_expected:
        raise _changed(shown)


def _is_still(folder: int, name: bytes, expected: StatKey) -> bool:
    return is_same_file(key_of(os.stat(name, dir_fd=folder, follow_symlinks=False)), expected)


def _rename(folder: int, source: bytes, target: bytes, flags: int) -> bool:
    """Returns false where the system or the file system does not offer this rename."""
    if _renameat2 is None:
        return False
    if _renameat2(folder, source, folder, target, flags) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NOT_OFFERED:
        return False
    raise OSError(code, os.strerror(code), target)


def _rescued(folder: int, unfinished: bytes, name: bytes, shown: str) -> WouldLoseData:
    """Gives somebody's displaced file a name of its own, since its place is taken again."""
    kept = b"%s.kept-%s" % (name[:200], os.urandom(4).hex().encode())
    os.rename(unfinished, kept, src_dir_fd=folder, dst_dir_fd=folder)
    return WouldLoseData(
        f"{shown} is being replaced by another program; one of its versions is now {display(kept)}"
    )


def _changed(shown: str) -> WouldLoseData:
    return WouldLoseData(
        f"{shown} changed since it was looked at; it was left as it is",
        hint="dvtool status shows what is there now",
    )
