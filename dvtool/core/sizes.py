"""Sizes as people read them. Pure; called by everything that shows one."""

from __future__ import annotations


def human_size(size_bytes: int) -> str:
    """Returns a size for a person: `512 B`, `1.5 KiB`, `2.0 GiB`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size_bytes} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError
