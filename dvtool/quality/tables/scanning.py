"""One pass over the bytes of a text file: encoding, line ends, damage.

What this pass finds out needs no parser and runs at the speed of C; splitting into records and
fields comes later (`csvfile`, `jsonfile`). Nothing here decides what a value means. `textfile`
calls it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

CHUNK_BYTES = 1 << 22
_KEPT = 5
_TEXTUAL = bytes(one for one in range(256) if one >= 32 or one in b"\t\n\v\f\r\x1a\x1b")
_DAMAGED_BYTES = 20
_BINARY_SHARE = 0.05
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_INVALID = re.compile("[\udc80-\udcff]")
_VALID = re.compile("[^\x00-\x7f\udc80-\udcff]")
# UTF-8 read as cp1252 or latin-1 and written again: an accented capital A before a symbol
_GARBLED = re.compile(
    "\ufffd|[\u00c2\u00c3][\u0080-\u009f\u00a1-\u00bf\u0192\u201a-\u201e\u2020-\u2026\u2030\u2039\u203a]"
    "|\u00e2(?:\u20ac|\u0080)[\u0080-\u00bf\u2122\u0153\u201c\u201d\u02dc\u00a6\u201a]"
)
_CP1252_HOLES = frozenset(b"\x81\x8d\x8f\x90\x9d")


@dataclass(slots=True)
class Marks:
    """How often something occurs in a file, and on which lines first."""

    count: int = 0
    lines: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, text: str) -> None:
        """Counts one occurrence; the first few are kept with line and text."""
        self.count += 1
        if len(self.lines) < _KEPT:
            self.lines.append((line, text))


@dataclass(slots=True)
class Survey:
    """What one pass over a file read as UTF-8 found.

    `lf`, `crlf` and `cr` count line ends; `lines` counts physical lines, an unfinished last one
    included.
    """

    size_bytes: int = 0
    lf: int = 0
    crlf: int = 0
    cr: int = 0
    ends_line: bool = True
    invalid: Marks = field(default_factory=Marks)
    garbled: Marks = field(default_factory=Marks)
    nul: Marks = field(default_factory=Marks)
    cut_bytes: int = 0
    """Bytes at the very end that begin a character and do not finish it; among `invalid`, too."""
    has_wide: bool = False
    """Whether valid characters beyond ASCII occur."""
    has_quote: bool = False
    has_cp1252_holes: bool = False

    @property
    def lines(self) -> int:
        """Returns the number of physical lines."""
        return self.lf + self.crlf + self.cr + (not self.ends_line)

    @property
    def newline_kinds(self) -> int:
        """Returns how many different line ends occur."""
        return sum(1 for count in (self.lf, self.crlf, self.cr) if count)


def guess_encoding(head: bytes) -> str:
    """Returns the encoding that the first bytes of a file announce; `utf-8` when they say nothing.

    A byte order mark decides; without one, zero bytes in every second place mean UTF-16.
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    sample = head[: len(head) & ~1]
    if len(sample) >= 4:
        even, odd = sample[::2].count(0), sample[1::2].count(0)
        half = len(sample) // 2
        if odd > 0.4 * half and even < 0.1 * half:
            return "utf-16-le"
        if even > 0.4 * half and odd < 0.1 * half:
            return "utf-16-be"
    return "utf-8"


def is_binary(head: bytes) -> bool:
    """Tells whether the first bytes of a file are no text in any encoding of single bytes or UTF-8.

    Text has hardly any control characters, and damaged text has few; of random bytes an eighth are.
    """
    odd = len(head.translate(None, _TEXTUAL))
    return odd > _DAMAGED_BYTES and odd > _BINARY_SHARE * len(head)


def survey(path: Path) -> Survey:
    """Returns what one pass over a file found, read as UTF-8; memory does not grow with the file."""
    seen = Survey()
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    after_cr = pending = False
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            before = seen.lf + seen.crlf + seen.cr
            if after_cr and chunk[:1] == b"\n":
                seen.cr, seen.crlf, seen.lf = seen.cr - 1, seen.crlf + 1, seen.lf - 1
            # Asking first: a search is ten times as fast as counting what is not there.
            returns = chunk.count(b"\r") if b"\r" in chunk else 0
            pairs = chunk.count(b"\r\n") if returns else 0
            seen.crlf += pairs
            seen.lf += chunk.count(b"\n") - pairs
            seen.cr += returns - pairs
            after_cr = chunk.endswith(b"\r")
            seen.size_bytes += len(chunk)
            seen.ends_line = chunk.endswith((b"\n", b"\r"))
            seen.has_quote = seen.has_quote or b'"' in chunk
            if b"\0" in chunk:
                _mark_nul(seen, chunk, before)
            if pending or not chunk.isascii():
                text = decoder.decode(chunk)
                pending = bool(decoder.getstate()[0])
                _mark_text(seen, text, before)
    seen.cut_bytes = len(decoder.getstate()[0])
    _mark_text(seen, decoder.decode(b"", True), seen.lf + seen.crlf + seen.cr)
    return seen


def _mark_nul(seen: Survey, chunk: bytes, before: int) -> None:
    for match in re.finditer(b"\0+", chunk):
        line = before + _line_ends(chunk[: match.start()].decode("latin-1")) + 1
        seen.nul.add(line, "\\0")
        if len(seen.nul.lines) >= _KEPT:
            break
    seen.nul.count = max(seen.nul.count, chunk.count(b"\0"))


def _mark_text(seen: Survey, text: str, before: int) -> None:
    seen.has_wide = seen.has_wide or _VALID.search(text) is not None
    for pattern, marks in ((_INVALID, seen.invalid), (_GARBLED, seen.garbled)):
        for match in pattern.finditer(text):
            if len(marks.lines) < _KEPT:
                line = before + _line_ends(text[: match.start()]) + 1
                marks.add(line, _shown(text, match.start(), match.end()))
            else:
                marks.count += 1
            if pattern is _INVALID and ord(match.group()) - 0xDC00 in _CP1252_HOLES:
                seen.has_cp1252_holes = True


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _shown(text: str, start: int, end: int) -> str:
    r"""Returns the damaged characters alone, invalid bytes as `\xff`: no value of any column."""
    return text[start:end].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def transcode(path: Path, target: Path, encoding: str) -> int:
    """Writes a file as UTF-8 without a byte order mark; returns how often nothing was decodable.

    What cannot be decoded becomes U+FFFD, which the caller must report.
    """
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    replaced = 0
    with path.open("rb") as source, target.open("wb") as sink:
        while chunk := source.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            replaced += text.count("\ufffd")
            sink.write(text.encode("utf-8", "replace"))
        text = decoder.decode(b"", True)
        replaced += text.count("\ufffd")
        sink.write(text.encode("utf-8", "replace"))
    return replaced


def normalise_newlines(path: Path, target: Path) -> None:
    r"""Writes a file with every `\r\n` and lone `\r` as `\n`, also inside quoted fields."""
    held = b""
    with path.open("rb") as source, target.open("wb") as sink:
        while chunk := source.read(CHUNK_BYTES):
            chunk = held + chunk
            held = b"\r" if chunk.endswith(b"\r") else b""
            body = chunk[: len(chunk) - len(held)]
            sink.write(body.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        sink.write(b"\n" if held else b"")
