"""Sidecars: the small committed text beside a data set that says which bytes a version holds.

`parse_sidecar` and `encode_sidecar` are inverse: every valid text has exactly one value and every
value exactly one text. Flat `key: value` lines in fixed order, then for a directory one literal
block. Valid YAML, but parsed strictly by line. Spec: docs/format.md#sidecar.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from dvtool.core.digest import Digest, format_digest, parse_digest
from dvtool.core.manifest import (
    SHARD_MAX_BYTES,
    Shard,
    check_no_clash,
    decode_lines,
    decode_shard,
    encode_lines,
    encode_shards,
)
from dvtool.core.paths import check_path
from dvtool.core.quote import quote, unquote
from dvtool.core.tree import EXECUTABLE, FILE, THE_FILE, Entry, Tree
from dvtool.errors import InvalidText

FORMAT_VERSION = 1
_T = TypeVar("_T")
Kind = Literal["file", "directory"]
Layout = Literal["inline", "sharded"]

_KEY_LINE = re.compile(rb"([a-z][a-z0-9-]{0,63}): (\S(?:.{0,4000}\S)?)")
# Values that are a plain YAML scalar in every YAML: no indicator first, no ": " or " #" inside.
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9/+._][A-Za-z0-9 /+.,:;@=_%&?~()-]*")
_QUOTED_VALUE = re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"')
_SHARD_LINE = re.compile(rb"  (sha256:[0-9a-f]{64}) ([1-9][0-9]{0,9}) (.+)")
_KNOWN = frozenset(
    {"dvt", "kind", "digest", "size", "mode", "layout", "files", "shards", "tree"}
)

ReadBlob = Callable[[Digest, int], bytes]
"""Reads a whole small blob: its digest, and the size it must have."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What one sidecar says.

    Attributes:
        kind: `file` or `directory`.
        layout: `inline` or `sharded`; a file is always `inline`.
        entries: All entries, sorted, when inline; for a file the one whose path is empty.
        shards: References to the shards, in order, when sharded.
        extra: Keys this version does not know, sorted, kept as they are.
    """

    kind: Kind
    layout: Layout = "inline"
    entries: tuple[Entry, ...] = ()
    shards: tuple[Shard, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()

    def tree(self, read_blob: ReadBlob) -> Tree:
        """Returns the whole tree, reading shards where there are any.

        Raises:
            InvalidText: A shard breaks the format, or paths of two shards clash.
            ObjectMissing, CorruptObject: From `read_blob`.
        """
        if self.layout == "inline":
            return Tree(self.entries)
        entries: list[Entry] = []
        for index, shard in enumerate(self.shards):
            following = self.shards[index + 1].first if index + 1 < len(self.shards) else None
            entries += decode_shard(read_blob(shard.digest, shard.size), shard, before=following)
        check_no_clash(entries)
        return Tree(entries)

    def with_tree(self, tree: Tree) -> tuple[Sidecar, dict[Digest, bytes]]:
        """Returns this sidecar with another tree, kind, layout and unknown keys kept.

        Returns:
            The new sidecar, and the shards it needs, by digest; none when inline.
        """
        if self.layout == "inline":
            return replace(self, entries=tuple(tree.entries)), {}
        cut = list(encode_shards(tree.entries))
        return (
            replace(self, shards=tuple(shard for shard, _ in cut)),
            {shard.digest: text for shard, text in cut},
        )


def file_sidecar(entry: Entry) -> Sidecar:
    """Returns the sidecar of a data set that is one file."""
    return Sidecar("file", entries=(entry._replace(path=THE_FILE),))


def encode_sidecar(sidecar: Sidecar) -> bytes:
    """Returns the one valid text of `sidecar`."""
    head = [f"dvt: {FORMAT_VERSION}", f"kind: {sidecar.kind}"]
    body = b""
    if sidecar.kind == "file":
        entry = sidecar.entries[0]
        head += [f"digest: {format_digest(entry.digest)}", f"size: {entry.size}", f"mode: {entry.mode}"]
        head += [f"{key}: {value}" for key, value in sidecar.extra]
    else:
        head.append(f"layout: {sidecar.layout}")
        head += [f"{key}: {value}" for key, value in sidecar.extra]
        if sidecar.layout == "inline":
            head.append("files: |")
            body = encode_lines(sidecar.entries, indent=b"  ")
        else:
            head.append("shards: |")
            body = b"".join(
                b"  %s %d %s\n" % (format_digest(s.digest).encode(), s.size, quote(s.first))
                for s in sidecar.shards
            )
    return "\n".join(head).encode() + b"\n" + body


def parse_sidecar(text: bytes, *, source: str = "sidecar") -> Sidecar:
    """Returns the value of a sidecar's text.

    Args:
        text: The committed bytes.
        source: Its path, for error messages.

    Raises:
        InvalidText: The text is not the one valid encoding of anything; exit 4.
        UnsafePath: A path in it could leave its place.
    """
    try:
        return _Parser(text).sidecar()
    except InvalidText as error:
        raise error.located(source) from None


class _Parser:
    """Reads one sidecar from the top, a line at a time."""

    def __init__(self, text: bytes) -> None:
        if text[:7] in (b"<<<<<<<", b"|||||||") or b"\n<<<<<<< " in text:
            raise InvalidText("merge conflict markers in a sidecar", hint="dvtool resolve")
        if not text.endswith(b"\n"):
            raise InvalidText("the last line has no newline")
        self.lines = text[:-1].split(b"\n")
        self.at = 0

    def sidecar(self) -> Sidecar:
        version = self.expect("dvt", "1")
        if version != str(FORMAT_VERSION):
            raise InvalidText(
                f"sidecar format {version}, this dvtool reads {FORMAT_VERSION}",
                line=1,
                hint="pip install --upgrade dvtool",
            )
        kind = self.expect("kind", "file or directory")
        if kind == "file":
            return self.file()
        if kind == "directory":
            return self.directory()
        raise InvalidText(f"kind is file or directory, found {kind}", line=2)

    def file(self) -> Sidecar:
        digest = self.value_of("digest", parse_digest)
        size = self.value_of("size", _parse_size)
        mode = self.value_of("mode", _parse_file_mode)
        extra = self.extra()
        if self.at != len(self.lines):
            raise InvalidText("a line that does not belong here", line=self.at + 1)
        return Sidecar("file", entries=(Entry(THE_FILE, digest, size, mode),), extra=extra)

    def directory(self) -> Sidecar:
        layout = self.expect("layout", "inline or sharded")
        extra = self.extra()
        block = {"inline": b"files: |", "sharded": b"shards: |"}.get(layout)
        if block is None:
            raise InvalidText(f"layout is inline or sharded, found {layout}", line=3)
        if self.at >= len(self.lines) or self.lines[self.at] != block:
            raise InvalidText(f"expected '{block.decode()}'", line=self.at + 1)
        self.at += 1
        rest = self.lines[self.at :]
        for offset, line in enumerate(rest):
            if line[:2] != b"  ":
                raise InvalidText("expected a line indented by two spaces", line=self.at + offset + 1)
        if layout == "sharded":
            return Sidecar("directory", "sharded", shards=self.shards(rest), extra=extra)
        entries = decode_lines([line[2:] for line in rest], first_line=self.at + 1)
        check_no_clash(entries)
        return Sidecar("directory", entries=tuple(entries), extra=extra)

    def shards(self, lines: list[bytes]) -> tuple[Shard, ...]:
        shards: list[Shard] = []
        for number, line in enumerate(lines, self.at + 1):
            match = _SHARD_LINE.fullmatch(line)
            if match is None or int(match[2]) > SHARD_MAX_BYTES:
                raise InvalidText(f"expected 'digest size path', found {line[:200]!r}", line=number)
            try:
                first = unquote(match[3])
                check_path(first)
            except InvalidText as error:
                error.line = number
                raise
            if shards and first <= shards[-1].first:
                raise InvalidText("shards are not sorted by their first path", line=number)
            shards.append(Shard(parse_digest(match[1].decode()), int(match[2]), first))
        return tuple(shards)

    def pair(self) -> tuple[str, str] | None:
        """Returns key and value of the current line, None when it is no such line."""
        if self.at >= len(self.lines):
            return None
        match = _KEY_LINE.fullmatch(self.lines[self.at])
        if match is None or not match[2].isascii():
            return None
        return match[1].decode(), match[2].decode()

    def expect(self, key: str, what: str) -> str:
        found = self.pair()
        if found is None or found[0] != key:
            raise InvalidText(f"expected '{key}: {what}'", line=self.at + 1)
        self.at += 1
        return found[1]

    def value_of(self, key: str, parse: Callable[[str], _T]) -> _T:
        try:
            return parse(self.expect(key, "…"))
        except InvalidText as error:
            error.line = error.line or self.at
            raise

    def extra(self) -> tuple[tuple[str, str], ...]:
        kept: list[tuple[str, str]] = []
        while (found := self.pair()) and found[0] not in _KNOWN:
            key, value = found
            plain = _PLAIN_VALUE.fullmatch(value) and ": " not in value and not value.endswith(":")
            if not plain and not _QUOTED_VALUE.fullmatch(value):
                raise InvalidText(f"value of {key} must be plain or double-quoted", line=self.at + 1)
            if kept and key <= kept[-1][0]:
                raise InvalidText(f"key {key} is twice or not in order", line=self.at + 1)
            kept.append((key, value))
            self.at += 1
        return tuple(kept)


def _parse_size(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) >= 2**63:
        raise InvalidText(f"size is a whole number of bytes, found {text}")
    return int(text)


def _parse_file_mode(text: str) -> str:
    if text not in (FILE, EXECUTABLE):
        raise InvalidText(f"mode of a file is f or x, found {text}")
    return text
