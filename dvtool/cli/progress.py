"""Progress on a terminal: one bar a phase with bytes, rate and time left.

Elsewhere (CI logs, pipes) only notes are printed. Everything goes to stderr. Used by
`dvtool.cli.opening` when a command is not quiet.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm


class Bars:
    """Draws the phases of one command; safe to call from several threads."""

    def __init__(self) -> None:
        """Starts with no bar; the first phase with a total draws one."""
        self._bar: tqdm[None] | None = None
        self._counts_bytes = True
        self._lock = threading.Lock()

    def start(
        self, label: str, *, total_bytes: int | None = None, total_items: int | None = None
    ) -> None:
        """Ends the bar before, if any, and draws the next one."""
        if not sys.stderr.isatty():
            return
        from tqdm import tqdm

        with self._lock:
            self._close()
            self._counts_bytes = total_bytes is not None or total_items is None
            self._bar = tqdm(
                desc=label,
                total=total_bytes if self._counts_bytes else total_items,
                unit="B" if self._counts_bytes else "",
                unit_scale=True,
                unit_divisor=1024,
                leave=False,
                file=sys.stderr,
            )

    def advance(self, *, size_bytes: int = 0, items: int = 0) -> None:
        """Moves the bar."""
        with self._lock:
            if self._bar is not None:
                self._bar.update(size_bytes if self._counts_bytes else items)

    def note(self, text: str) -> None:
        """Prints a line above the bar."""
        with self._lock:
            if self._bar is not None:
                self._bar.clear()
            print(text, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
