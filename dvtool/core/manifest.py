"""Manifests: the sorted lines that name a directory's files, inline or cut into shards.

One line a file: `digest size mode path`. The same lines stand indented in a sidecar and bare in a
shard. A shard ends where the next path's xxh3-64 is a multiple of 512, at the latest after 8,192
lines, so that one changed file touches one shard. Spec: docs/format.md#manifest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import xxhash

from dvtool.core.digest import NO_DIGEST, Digest, digest_of, format_digest
from dvtool.core.paths import check_path, find_clash
from dvtool.core.quote import FORBIDDEN, display, quote, unquote
from dvtool.core.tree import EMPTY_DIRECTORY, Entry
from dvtool.errors import InvalidText

SHARD_DIVISOR = 512
SHARD_MAX_ENTRIES = 8_192
SHARD_MAX_BYTES = SHARD_MAX_ENTRIES * 20_000
"""No valid shard is larger: 8,192 lines of a path of 4,096 bytes, every byte quoted."""
MAX_SIZE = 2**63 - 1

_LINE = re.compile(
    rb"(?:sha256:([0-9a-f]{64}) (0|[1-9][0-9]{0,18}) ([fxl])|- 0 d) (.+)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Shard:
    """A reference to one shard: the blob that holds its lines.

    Attributes:
        digest: sha256 of the shard's text.
        size: Length of that text in bytes.
        first: The first path in it; the last is below the next shard's first.
    """

    digest: Digest
    size: int
    first: bytes


def encode_lines(entries: Iterable[Entry], *, indent: bytes = b"") -> bytes:
    """Returns one line an entry, each ended by a newline; entries must be sorted by path."""
    must_quote = FORBIDDEN.search
    lines = []
    for path, digest, size, mode in entries:
        name = path
        if not path.isascii() or must_quote(path) or path[0] == 32 or path[-1] == 32:
            name = quote(path)
        if mode == EMPTY_DIRECTORY:
            lines.append(b"%s- 0 d %s\n" % (indent, name))
        else:
            lines.append(
                b"%ssha256:%s %d %s %s\n"
                % (indent, digest.hex().encode(), size, mode.encode(), name)
            )
    return b"".join(lines)


def decode_lines(lines: Sequence[bytes], *, first_line: int = 1) -> list[Entry]:
    """Returns the entries that `lines` spell, without newlines and indentation.

    Args:
        lines: One entry each.
        first_line: The number of the first one in its file, for error messages.

    Raises:
        InvalidText: A line is not spelt the one valid way, or they are not strictly ascending.
        UnsafePath: A path could leave its place or names what git or dvtool own.
    """
    entries = []
    match = _LINE.fullmatch
    fromhex = bytes.fromhex
    previous = b""
    for number, line in enumerate(lines, first_line):
        found = match(line)
        if found is None:
            raise InvalidText(f"expected 'digest size mode path', found {line[:200]!r}", line=number)
        digest, size, mode, name = found.groups()
        try:
            path = unquote(name)
            check_path(path)
        except InvalidText as error:
            error.line = number
            raise
        if path <= previous:
            raise InvalidText(
                f"{display(path)} is not sorted after {display(previous)} (twice, or wrong order)",
                line=number,
            )
        previous = path
        if digest is None:
            entries.append(Entry(path, NO_DIGEST, 0, EMPTY_DIRECTORY))
            continue
        length = int(size)
        if length > MAX_SIZE:
            raise InvalidText(f"size {length} is above {MAX_SIZE}", line=number)
        entries.append(Entry(path, Digest(fromhex(digest.decode())), length, mode.decode()))
    return entries


def check_no_clash(entries: Iterable[Entry]) -> None:
    """Checks that all entries can stand side by side on every file system.

    Raises:
        InvalidText: Two paths clash by case, Unicode form, or as file and folder.
    """
    clash = find_clash(entry.path for entry in entries)
    if clash:
        raise InvalidText(
            f"{display(clash[0])} and {display(clash[1])} cannot stand side by side"
            " (case, Unicode form, or file and folder)",
            hint="if a merge made this, dvtool resolve finishes it; else rename one of the two",
        )


def cut_shards(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Yields the entries of each shard; entries must be sorted. Nothing for no entries."""
    shard: list[Entry] = []
    hash_path = xxhash.xxh3_64_intdigest
    for entry in entries:
        if shard and (
            len(shard) == SHARD_MAX_ENTRIES or hash_path(entry.path) % SHARD_DIVISOR == 0
        ):
            yield shard
            shard = []
        shard.append(entry)
    if shard:
        yield shard


def encode_shards(entries: Iterable[Entry]) -> Iterator[tuple[Shard, bytes]]:
    """Yields each shard's reference and text; entries must be sorted."""
    for part in cut_shards(entries):
        text = encode_lines(part)
        yield Shard(digest_of(text), len(text), part[0].path), text


def decode_shard(text: bytes, shard: Shard, *, before: bytes | None) -> list[Entry]:
    """Returns the entries of one shard.

    Args:
        text: The shard's bytes, already checked against its digest.
        shard: What the sidecar says of it.
        before: The next shard's first path, None for the last shard.

    Raises:
        InvalidText: The text breaks the format, or is not what the sidecar says.
    """
    where = f"shard {format_digest(shard.digest)}"
    if not text.endswith(b"\n"):
        raise InvalidText("the last line has no newline", source=where)
    try:
        entries = decode_lines(text[:-1].split(b"\n"))
    except InvalidText as error:
        raise error.located(where) from None
    if entries[0].path != shard.first or (before is not None and entries[-1].path >= before):
        raise InvalidText("the shard's paths are not in the range the sidecar gives it", source=where)
    if sum(1 for _ in cut_shards(entries)) != 1:
        raise InvalidText("the shard is not cut where the format cuts", source=where)
    return entries
