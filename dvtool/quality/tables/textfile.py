"""Text files before parsing: unpacked, decoded, surveyed, and handed to the right parser.

Here every text format passes the same gate, so that damage of bytes is found in one place. Records
and fields are the parsers' business (`csvfile`, `jsonfile`). `opening` calls it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.scanning import Survey, guess_encoding, is_binary, survey, transcode
from dvtool.quality.tables.structure import structural, times, unreadable
from dvtool.quality.tables.table import Table
from dvtool.quality.tables.unpacking import unpack

_HEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text file ready for parsing.

    Args:
        path: Plain UTF-8 bytes without a byte order mark.
        name: What the user calls the file.
        seen: The survey of `path`.
        options: With compression and encoding settled.
        told: Names of the options that the caller chose.
        findings: What was found on the way.
        contents: Whether findings about values are wanted.
    """

    path: Path
    name: str
    seen: Survey
    options: ReadOptions
    told: frozenset[str]
    findings: tuple[Finding, ...]
    contents: bool = True


def read_text(
    engine: Engine,
    path: Path,
    name: str,
    options: ReadOptions,
    *,
    told: frozenset[str],
    contents: bool,
) -> Table:
    """Returns the table of a text file.

    Raises:
        Unreadable: An empty file, another kind of file, or damage that leaves no record.
    """
    text = replace(prepare(engine, path, name, options, told=told), contents=contents)
    if text.options.format == "csv":
        from dvtool.quality.tables.csvfile import read_csv

        return read_csv(engine, text)
    from dvtool.quality.tables.jsonfile import read_json

    return read_json(engine, text)


def prepare(
    engine: Engine, path: Path, name: str, options: ReadOptions, *, told: frozenset[str]
) -> PlainText:
    """Returns the plain UTF-8 text of a file and what was found about its bytes.

    Raises:
        Unreadable: Nothing but white space, another kind of file, or damaged packing.
    """
    scratch = engine.folder / engine.fresh("text")
    plain, findings = unpack(path, scratch.with_suffix(".plain"), name, options.compression)
    with plain.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    told_encoding = "encoding" in told and options.encoding != "utf-8"
    encoding = options.encoding if told_encoding else guess_encoding(head)
    if not told_encoding and encoding == "utf-8" and is_binary(head):
        raise unreadable("not-a-table", "this is binary data, not text", name)
    seen = survey(plain)
    if not told_encoding and encoding == "utf-8" and seen.invalid.count and not seen.has_wide:
        encoding = "latin-1" if seen.has_cp1252_holes else "cp1252"
        findings.append(_foreign_encoding(seen, name, encoding))
    if encoding != "utf-8" or seen.invalid.count:
        before = seen
        target = scratch.with_suffix(".utf8")
        transcode(plain, target, encoding)
        plain, seen = target, survey(target)
        if encoding in {"utf-8", "utf-8-sig"} and before.invalid.count:
            findings.append(_invalid_bytes(before, name))
            seen.garbled.count = 0
    findings += _damage(seen, name)
    if not seen.size_bytes or (seen.size_bytes < _HEAD_BYTES and not plain.read_bytes().strip()):
        raise unreadable("empty-file", "the file has nothing but white space", name)
    kept = "utf-8" if encoding == "utf-8-sig" else encoding
    settled = replace(options, encoding=kept, compression=_packing(path, plain, options))
    return PlainText(plain, name, seen, settled, told, tuple(findings))


def _packing(path: Path, plain: Path, options: ReadOptions) -> str:
    if options.compression or plain == path:
        return options.compression
    with path.open("rb") as file:
        head = file.read(4)
    marks = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd", b"BZ": "bz2", b"\xfd7": "xz"}
    return marks.get(head[:2], "")


def _foreign_encoding(seen: Survey, name: str, encoding: str) -> Finding:
    line = seen.invalid.lines[0][0]
    return structural(
        "encoding",
        f"not UTF-8: {times(seen.invalid.count, 'byte')} beyond ASCII, read as {encoding}",
        name,
        line=line,
        examples=[(line, 0, shown) for line, shown in seen.invalid.lines],
        hint="save the file as UTF-8",
        bytes=seen.invalid.count,
        encoding=encoding,
    )


def _invalid_bytes(seen: Survey, name: str) -> Finding:
    count = seen.invalid.count
    if count == seen.cut_bytes:
        return structural("truncated", "the file ends inside a character", name, line=seen.lines)
    return structural(
        "encoding-damage",
        f"{times(count, 'byte')} not valid in UTF-8, allowed 0; read as U+FFFD",
        name,
        examples=[(line, 0, shown) for line, shown in seen.invalid.lines],
        bytes=count,
    )


def _damage(seen: Survey, name: str) -> list[Finding]:
    findings = []
    if seen.garbled.count:
        findings.append(
            structural(
                "encoding-damage",
                f"{times(seen.garbled.count, 'character')} garbled by a wrong encoding, allowed 0",
                name,
                examples=[(line, 0, shown) for line, shown in seen.garbled.lines],
                characters=seen.garbled.count,
            )
        )
    if seen.nul.count:
        findings.append(
            structural(
                "null-bytes",
                f"{times(seen.nul.count, 'zero byte')}, allowed 0",
                name,
                examples=[(line, 0, None) for line, _ in seen.nul.lines],
                bytes=seen.nul.count,
            )
        )
    return findings
