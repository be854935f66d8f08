"""Text of pieces that must not grow beyond what its reader takes: what does not fit is counted.

Called by the renderers of Markdown, which comments and summaries of forges limit in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

_ROOM: Final = 200
"""Bytes kept for the last line."""


def bounded(pieces: Iterable[str], limit_bytes: int, rest: Callable[[Sequence[str]], str]) -> str:
    """Returns as many pieces as fit, from the first on, at most `limit_bytes` long in UTF-8.

    Args:
        pieces: Each is taken whole or not at all.
        limit_bytes: At least 1,000.
        rest: Says in at most 200 bytes what the pieces hold that were left out.
    """
    left, waiting = limit_bytes - _ROOM, list(pieces)
    taken: list[str] = []
    for number, piece in enumerate(waiting):
        size = len(piece.encode("utf-8", "replace"))
        if size > left:
            return "".join([*taken, rest(waiting[number:])])
        taken.append(piece)
        left -= size
    return "".join(taken)
