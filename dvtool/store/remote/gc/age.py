"""Ages: how long what is condemned stays, and how old a push may become.

Here are only the numbers and a stopwatch; what is deleted when is decided in `sweep`. Called by
`dvtool.ops.push` and `dvtool.ops.gc`, and by the rest of this package.
"""

from __future__ import annotations

import time
from typing import Final

from dvtool.errors import RemoteTemporary

GRACE_S: Final = 14 * 24 * 3600
"""How long what is condemned stays, unless a collection is told otherwise."""


class PushClock:
    """Measures how old a push is, also through suspension; what people set clocks to is no matter.

    Attributes:
        limit_s: Half the grace period.
    """

    def __init__(self, *, limit_s: float = GRACE_S / 2) -> None:
        """Starts now."""
        self.limit_s = limit_s
        self._started_s = time.clock_gettime(time.CLOCK_BOOTTIME)

    def check(self) -> None:
        """Raises when the push is too old to write roots.

        Raises:
            RemoteTemporary: What it saw at its start may be about to be deleted.
        """
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - self._started_s
        if age_s > self.limit_s:
            raise RemoteTemporary(
                f"this push began {age_s / 86400:.1f} days ago, too long to rely on what it saw",
                hint="run it again; what arrived is kept",
            )
