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

from dvtool.core.digest import Digest, digest_of, format_digest, parse_digest
from dvtool.core.manifest import (
    SHARD_MAX_BYTES,
    Shard,
    check_no_clash,
    decode_block,
    decode_shard,
    encode_lines,
    encode_shards,
)
from dvtool.core.paths import check_path
from dvtool.core.quote import quote, unquote
from dvtool.core.tree import EXECUTABLE, FILE, THE_FILE, Entry, Tree
from dvtool.errors import InvalidText

FORMAT_VERSION = 1
MAX_SIDECAR_BYTES = 256 * 2**20
"""No sidecar is larger; whoever meets one that is does not read it."""
_T = TypeVar("_T")
Kind = Literal["file", "directory"]
Layout = Literal["inline", "sharded"]

_KEY_LINE = re.compile(rb"([a-z][a-z0-9-]{0,63}): (\S(?:.{0,4000}\S)?)")
# Values that every YAML reads alike: a word or path (no indicator, no ": " or " #" in it), a whole
# number, or a double-quoted string with no escapes but two. Plain dates and floats are left out:
# YAML readers fail on some of them.
_EXTRA_VALUE = re.compile(
    r"(?!.*:(?: |$))[A-Za-z/][A-Za-z0-9 /+.,:;@=_%&?~()-]*|0|[1-9][0-9]{0,18}"
    r'|"(?:[ !#-\[\]-~]|\\["\\])*"'
)
_SHARD_LINE = re.compile(rb"  (sha256:[0-9a-f]{64}) ([1-9][0-9]{0,9}) (.+)")
_KNOWN = frozenset({"dvt", "kind", "digest", "size", "mode", "layout", "files", "shards", "tree"})

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
        head += [
            f"digest: {format_digest(entry.digest)}",
            f"size: {entry.size}",
            f"mode: {entry.mode}",
        ]
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


def version_digest(sidecar: Sidecar) -> Digest:
    """Returns the digest of a version's data, the same for every layout of its sidecar.

    Of a data set that is one file it is the file's; of a directory the sha256 of the shard lines
    that a sharded sidecar has, or would have.
    """
    if sidecar.kind == "file":
        return sidecar.entries[0].digest
    shards = sidecar.shards or tuple(shard for shard, _ in encode_shards(sidecar.entries))
    lines = (
        b"%s %d %s\n" % (format_digest(s.digest).encode(), s.size, quote(s.first)) for s in shards
    )
    return digest_of(b"dvtool-directory\n" + b"".join(lines))


class _Parser:
    """Reads one sidecar from the top: the head a line at a time, then the block."""

    def __init__(self, text: bytes) -> None:
        if text[:7] in (b"<<<<<<<", b"|||||||") or b"\n<<<<<<< " in text:
            raise InvalidText("merge conflict markers in a sidecar", hint="dvtool resolve")
        if not text.endswith(b"\n"):
            raise InvalidText("the last line has no newline")
        self.text = text
        self.start = 0  # of the current line
        self.number = 1  # of the current line

    def sidecar(self) -> Sidecar:
        version = self.expect("dvt", "1")
        if version != str(FORMAT_VERSION):
            raise InvalidText(
                f"sidecar format {version!r}, this dvtool reads {FORMAT_VERSION}",
                line=1,
                hint="pip install --upgrade dvtool",
            )
        kind = self.expect("kind", "file or directory")
        if kind == "file":
            return self.file()
        if kind == "directory":
            return self.directory()
        raise InvalidText(f"kind is file or directory, found {kind!r}", line=2)

    def file(self) -> Sidecar:
        digest = self.value_of("digest", "sha256:…", parse_digest)
        size = self.value_of("size", "bytes", _parse_size)
        mode = self.value_of("mode", "f or x", _parse_file_mode)
        extra = self.extra()
        if self.start != len(self.text):
            raise InvalidText("a line that does not belong here", line=self.number)
        return Sidecar("file", entries=(Entry(THE_FILE, digest, size, mode),), extra=extra)

    def directory(self) -> Sidecar:
        layout = self.expect("layout", "inline or sharded")
        extra = self.extra()
        block = {"inline": b"files: |", "sharded": b"shards: |"}.get(layout)
        if block is None:
            raise InvalidText(f"layout is inline or sharded, found {layout!r}", line=3)
        if self.line() != block:
            raise InvalidText(f"expected '{block.decode()}'", line=self.number)
        self.advance()
        rest = self.text[self.start :]
        if layout == "sharded":
            return Sidecar("directory", "sharded", shards=self.shards(rest), extra=extra)
        entries = decode_block(rest, indent=b"  ", first_line=self.number)
        check_no_clash(entries)
        return Sidecar("directory", entries=tuple(entries), extra=extra)

    def shards(self, text: bytes) -> tuple[Shard, ...]:
        shards: list[Shard] = []
        for number, line in enumerate(text.split(b"\n")[:-1], self.number):
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

    def line(self) -> bytes:
        """Returns the current line without its newline; empty at the end of the text."""
        return self.text[self.start : self.text.find(b"\n", self.start)]

    def advance(self) -> None:
        self.start = self.text.find(b"\n", self.start) + 1
        self.number += 1

    def pair(self) -> tuple[str, str] | None:
        """Returns key and value of the current line, None when it is no such line."""
        match = _KEY_LINE.fullmatch(self.line()) if self.start < len(self.text) else None
        if match is None or not match[2].isascii():
            return None
        return match[1].decode(), match[2].decode()

    def expect(self, key: str, what: str) -> str:
        found = self.pair()
        if found is None or found[0] != key:
            raise InvalidText(f"expected '{key}: {what}'", line=self.number)
        self.advance()
        return found[1]

    def value_of(self, key: str, what: str, parse: Callable[[str], _T]) -> _T:
        line = self.number
        try:
            return parse(self.expect(key, what))
        except InvalidText as error:
            error.line = line
            raise

    def extra(self) -> tuple[tuple[str, str], ...]:
        kept: list[tuple[str, str]] = []
        while (found := self.pair()) and found[0] not in _KNOWN:
            key, value = found
            if not _EXTRA_VALUE.fullmatch(value):
                raise InvalidText(
                    f"value of {key} must be plain or double-quoted", line=self.number
                )
            if kept and key <= kept[-1][0]:
                raise InvalidText(f"key {key} is twice or not in order", line=self.number)
            kept.append((key, value))
            self.advance()
        return tuple(kept)


def _parse_size(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) >= 2**63:
        raise InvalidText(f"size is a whole number of bytes, found {text!r}")
    return int(text)


def _parse_file_mode(text: str) -> str:
    if text not in (FILE, EXECUTABLE):
        raise InvalidText(f"mode of a file is f or x, found {text!r}")
    return text
