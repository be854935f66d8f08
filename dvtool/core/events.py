"""Events: how long work tells whoever watches that it moves on.

The library never prints; it calls a `Progress`. The CLI draws bars with one, `--json` and tests
use `SILENT`. Safe to call from several threads.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of one operation; a phase follows another."""

    def start(
        self, label: str, *, total_bytes: int | None = None, total_items: int | None = None
    ) -> None:
        """A phase begins; totals are None when they are not known."""

    def advance(self, *, size_bytes: int = 0, items: int = 0) -> None:
        """So much more of the phase is done."""

    def note(self, text: str) -> None:
        """Something a person should know while it goes on, such as waiting for a lock."""


class _Silent:
    def start(
        self, label: str, *, total_bytes: int | None = None, total_items: int | None = None
    ) -> None:
        pass

    def advance(self, *, size_bytes: int = 0, items: int = 0) -> None:
        pass

    def note(self, text: str) -> None:
        pass


SILENT: Progress = _Silent()
