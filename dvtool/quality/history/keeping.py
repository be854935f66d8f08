"""Remembered pasts as bytes: written once, read by every judgement of the next version.

Here a `History` is pickled, and read back by a reader that makes nothing but this package's own
values and arrays. What is not here: where the bytes lie and what they are found by (`dvtool.ops`).
"""

from __future__ import annotations

import io
import pickle
import sys
from typing import Final

from dvtool.quality.history.judging import History

MEANING: Final = 1
"""Raised whenever what is remembered, or what is made of it, changes."""
_OURS: Final = (
    "dvtool.quality.history.",
    "dvtool.quality.findings",
    "dvtool.quality.kinds",
    "dvtool.quality.profile.moments",
    "dvtool.quality.profile.privacy",
)
_ARRAYS: Final = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy.core.numeric", "_frombuffer"),
    }
)
_PLAIN: Final = frozenset({"set", "frozenset", "bytearray"})


def remembered(history: History) -> bytes:
    """Returns a remembered past as bytes."""
    return pickle.dumps(history, protocol=5)


def recalled(data: bytes) -> History | None:
    """Returns the past that `remembered` was given; None for bytes that are no such past."""
    try:
        found = _Reader(io.BytesIO(data)).load()
    except Exception:  # noqa: BLE001 damaged pickles raise anything; a past can be made again
        return None
    return found if isinstance(found, History) else None


class _Reader(pickle.Unpickler):
    """Makes values of this package and arrays; refuses every other name."""

    def find_class(self, module_name: str, global_name: str) -> object:
        """Returns a class by its name.

        Raises:
            pickle.UnpicklingError: It is none that a past holds.
        """
        if (module_name, global_name) in _ARRAYS:
            return super().find_class(module_name, global_name)
        if module_name == "builtins" and global_name in _PLAIN:
            return super().find_class(module_name, global_name)
        if "." not in global_name and module_name.startswith(_OURS):
            found = super().find_class(module_name, global_name)
            if isinstance(found, type) and sys.modules[found.__module__].__name__ == module_name:
                return found
        raise pickle.UnpicklingError(f"a past holds no {module_name}.{global_name}")
