"""Compressed bytes to plain bytes, in the engine's scratch folder.

Only text formats are unpacked here; Parquet and Arrow compress inside. Archives of several files
are refused with a word. `textfile` calls it.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path

from dvtool.quality.findings import Finding
from dvtool.quality.tables.structure import structural, unreadable

_CHUNK_BYTES = 1 << 16
_HEAD_BYTES = 16
_MARKS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_FOREIGN = (
    (b"PAR1", "a Parquet file", "name it .parquet"),
    (b"ARROW1", "an Arrow file", "name it .arrow"),
    (b"PK\x03\x04", "a zip archive or an Office document", "unpack it, or name a workbook .xlsx"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.xls)", "save it as .xlsx"),
    (b"SQLite format 3", "an SQLite database", "export the table to CSV or Parquet"),
    (b"%PDF-", "a PDF document", ""),
    (b"\x89PNG", "a PNG image", ""),
    (b"\xff\xd8\xff", "a JPEG image", ""),
    (b"\x93NUMPY", "a NumPy array", "save the table as Parquet"),
    (b"\x89HDF", "an HDF5 file", "save the table as Parquet"),
)


def unpack(path: Path, target: Path, name: str, compression: str) -> tuple[Path, list[Finding]]:
    """Returns a file with the plain bytes, and what was wrong with the packing.

    The file itself is returned when it is not compressed; its first bytes decide, so that a wrong
    ending does no harm. Of a file cut off inside, the part that could be had is returned.

    Args:
        path: The file as it is.
        target: Where to write plain bytes if need be.
        name: What the user calls it.
        compression: What its name or the options say; empty for nothing.

    Raises:
        Unreadable: Another kind of file, or not one byte could be unpacked.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for mark, kind, hint in _FOREIGN:
        if head.startswith(mark):
            raise unreadable("not-a-table", f"this is {kind}, not text", name, hint=hint)
    found = packed_as(head)
    if not found and compression:
        raise unreadable("unreadable", f"the bytes are not {compression}", name)
    if not found:
        return path, []
    findings = []
    written = 0
    with target.open("wb") as sink:
        try:
            for chunk in _chunks(path, found):
                written += sink.write(chunk)
        except EOFError:
            message = f"the {found} data ends in the middle, {written:,} bytes could be unpacked"
            findings.append(structural("truncated", message, name, bytes=written))
        except (OSError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise unreadable("unreadable", f"damaged {found} data: {error}", name) from error
    if findings and not written:
        raise unreadable("truncated", findings[0].message, name, bytes=0)
    return target, findings


def packed_as(head: bytes) -> str:
    """Returns what packed a file that begins like this; empty for nothing."""
    return next((kind for mark, kind in _MARKS if head.startswith(mark)), "")


def refuse_packed(path: Path, name: str, kind: str) -> None:
    """Refuses a packed file of a format that compresses inside.

    Raises:
        Unreadable: The file begins like packed data.
    """
    with path.open("rb") as file:
        found = packed_as(file.read(_HEAD_BYTES))
    if found:
        message = f"this is packed as {found}; {kind} is read unpacked only, it compresses inside"
        raise unreadable("not-a-table", message, name, hint="unpack the file")


def _chunks(path: Path, compression: str) -> Iterator[bytes]:
    """Yields plain bytes; EOFError after the last ones of a file that is cut off."""
    if compression == "zstd":
        yield from _zstd_chunks(path)
        return
    with path.open("rb") as file:
        plain: gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
        if compression == "gzip":
            plain = gzip.GzipFile(fileobj=file)
        else:
            plain = (bz2.BZ2File if compression == "bz2" else lzma.LZMAFile)(file)
        with plain:
            # read1 hands out what is there before it meets a missing end, read does not
            while chunk := plain.read1(_CHUNK_BYTES):
                yield chunk


def _zstd_chunks(path: Path) -> Iterator[bytes]:
    import zstandard

    frame = zstandard.ZstdDecompressor().decompressobj()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            while chunk:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                try:
                    yield frame.decompress(chunk)
                except zstandard.ZstdError as error:
                    raise ValueError(str(error)) from error
                chunk = frame.unused_data if frame.eof else b""
    if not frame.eof:
        raise EOFError("the last frame has no end")
