"""Remembered pasts and versions as bytes: written once, read by every judgement of the next version.

Here a `History`, and the portrait of each version that the next one is learnt from, are pickled, and
read back by readers that make nothing but this package's own values and arrays. What is not here:
where the bytes lie and what they are found by (`dvtool.ops`), and a portrait's parts (`packing`).
"""

from __future__ import annotations

import io
import pickle
import sys
from typing import Final

from dvtool.quality.history.judging import History
from dvtool.quality.history.packing import packed, unpacked
from dvtool.quality.history.portrait import Portrait

MEANING: Final = 6
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


def kept_portrait(portrait: Portrait) -> bytes:
    """Returns a version's portrait as bytes, without the version's name."""
    return pickle.dumps(packed(portrait), protocol=5)


def known_portrait(data: bytes, name: str) -> Portrait | None:
    """Returns the portrait that `kept_portrait` was given, as that of a version of this name.

    None for bytes that are no such portrait.
    """
    try:
        return unpacked(name, _ArrayReader(io.BytesIO(data)).load())
    except Exception:  # noqa: BLE001 damaged pickles raise anything; a portrait can be made again
        return None


class _ArrayReader(pickle.Unpickler):
    """Makes plain values and arrays; refuses every other name."""

    def find_class(self, module_name: str, global_name: str) -> object:
        """Returns a class by its name.

        Raises:
            pickle.UnpicklingError: It is none that an array is made with.
        """
        if (module_name, global_name) in _ARRAYS:
            return super().find_class(module_name, global_name)
        if module_name == "builtins" and global_name in _PLAIN:
            return super().find_class(module_name, global_name)
        raise pickle.UnpicklingError(f"a past holds no {module_name}.{global_name}")


class _Reader(_ArrayReader):
    """Makes values of this package as well."""

    def find_class(self, module_name: str, global_name: str) -> object:
        """Returns a class by its name.

        Raises:
            pickle.UnpicklingError: It is none that a past holds.
        """
        if "." not in global_name and module_name.startswith(_OURS):
            found = pickle.Unpickler.find_class(self, module_name, global_name)
            if isinstance(found, type) and sys.modules[found.__module__].__name__ == module_name:
                return found
        return super().find_class(module_name, global_name)
