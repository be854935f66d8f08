"""Sizes: as people read them, and what judging may take of memory. Pure; called from everywhere."""

from __future__ import annotations

ENGINE_MIB = 640
"""What the engine that reads tables may hold, unless told: with Python and Arrow around it, judging
10 million rows of 20 columns stays within 1 GiB."""


def human_size(size_bytes: int) -> str:
    """Returns a size for a person: `512 B`, `1.5 KiB`, `2.0 GiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size_bytes} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError
