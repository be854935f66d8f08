"""Text from data and file names, made safe to print: nothing in it ends a line or moves a cursor.

A name may hold a line break and, after it, what looks like a verdict. Called by every renderer.
"""

from __future__ import annotations

import unicodedata
from typing import Final


def harmless(text: str) -> str:
    """Returns a text on one line without anything that moves a cursor or turns reading around.

    Control characters, marks of direction, lone surrogates and what Unicode does not assign are
    shown by their code.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if _is_harmless(one) else _code(one) for one in text)


def _is_harmless(one: str) -> bool:
    return one.isprintable() and unicodedata.bidirectional(one) not in _TURNING


_TURNING: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def _code(one: str) -> str:
    return f"\\x{ord(one):02x}" if ord(one) < 256 else f"\\u{{{ord(one):x}}}"


def one_line(text: str) -> str:
    """Returns a line for a terminal, with names that are not UTF-8 shown by their bytes."""
    if text.isascii() and text.isprintable():
        return text
    return harmless(text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
