"""Manifests: the sorted lines that name a directory's files, inline or cut into shards.

One line a file: `digest size mode path`. The same lines stand indented in a sidecar and bare in a
shard. A shard ends where the next path's xxh3-64 is a multiple of 512, at the latest after 8,192
lines, so that one changed file touches one shard. Spec: docs/format.md#manifest.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import lt

import xxhash

from dvtool.core.digest import NO_DIGEST, Digest, digest_of, format_digest
from dvtool.core.paths import MAX_COMPONENT_BYTES, PLAIN_PATH, check_path, find_clash
from dvtool.core.quote import FORBIDDEN, display, quote, unquote
from dvtool.core.tree import EMPTY_DIRECTORY, MODES, Entry
from dvtool.errors import InvalidText

SHARD_DIVISOR = 512
SHARD_MAX_ENTRIES = 8_192
SHARD_MAX_BYTES = 64 * 2**20
"""What one record of a pack holds. Only thousands of paths of thousands of bytes each would be more."""
MAX_SIZE = 2**63 - 1

_LINE = re.compile(rb"(?:sha256:([0-9a-f]{64}) (0|[1-9][0-9]{0,18}) ([fxl])|- 0 d) (.+)", re.DOTALL)
# As _LINE without empty directories and sizes near 2**63, many at a time.
_USUAL = rb"sha256:([0-9a-f]{64}) (0|[1-9][0-9]{0,17}) ([fxl]) ([^\n]+)\n"
_CHUNK_BYTES = 64 * 1024
_LETTERS = {mode.encode(): mode for mode in MODES}
_is_plain = re.compile(PLAIN_PATH).fullmatch
_new_entry = partial(tuple.__new__, Entry)


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


def decode_block(text: bytes, *, indent: bytes = b"", first_line: int = 1) -> list[Entry]:
    """Returns the entries that a block of lines spells.

    Args:
        text: Lines that each start with `indent` and end with a newline; may be empty.
        indent: Empty in a shard, two spaces in a sidecar.
        first_line: The number of the first line in its file, for error messages.

    Raises:
        InvalidText: A line is not spelt the one valid way, or they are not strictly ascending.
        UnsafePath: A path could leave its place or names what git or dvtool own.
    """
    entries: list[Entry] = []
    start = 0
    while start < len(text):
        end = text.rfind(b"\n", start, start + _CHUNK_BYTES) + 1 or text.find(b"\n", start) + 1
        part = text[start:end] if end else text[start:]
        # Each chunk goes the fast way if it can, else the one that names the line at fault.
        fresh = _decode_usual(part, indent)
        if fresh is None:
            fresh = decode_lines(_unindent(part, indent, first_line), first_line=first_line)
        if entries and fresh and fresh[0].path <= entries[-1].path:
            raise _not_sorted(entries[-1].path, fresh[0].path, first_line)
        entries += fresh
        first_line += len(fresh)
        start += len(part)
    return entries


def _decode_usual(text: bytes, indent: bytes) -> list[Entry] | None:
    """Returns the entries of whole lines, None if any of them is wrong or needs a closer look.

    Does a line in 1.2 microseconds, a third of what `decode_lines` takes: the regular expression
    only matches lines that are right, and lines without gaps between them are all lines.
    """
    rows = re.findall(indent + _USUAL, text)
    if not rows:
        return None
    digests, sizes, modes, names = zip(*rows, strict=True)
    fixed = len(indent) + len("sha256: ") + 64 + len(" f \n")
    if fixed * len(rows) + sum(map(len, sizes)) + sum(map(len, names)) != len(text):
        return None
    paths = list(names)
    try:
        for at, name in enumerate(names):
            if len(name) > MAX_COMPONENT_BYTES or not _is_plain(name):
                paths[at] = unquote(name)
                check_path(paths[at])
    except InvalidText:
        return None  # the other way finds it again, with its line
    if not all(map(lt, paths, islice(paths, 1, None))):
        return None
    letters = map(_LETTERS.__getitem__, modes)
    columns = zip(paths, map(unhexlify, digests), map(int, sizes), letters, strict=True)
    return list(map(_new_entry, columns))


def _unindent(text: bytes, indent: bytes, first_line: int) -> list[bytes]:
    if not text.endswith(b"\n"):
        raise InvalidText("the last line has no newline", line=first_line + text.count(b"\n"))
    lines = text[:-1].split(b"\n")
    for number, line in enumerate(lines, first_line):
        if not line.startswith(indent):
            raise InvalidText(f"expected a line indented by {len(indent)} spaces", line=number)
    return [line[len(indent) :] for line in lines]


def _not_sorted(previous: bytes, path: bytes, line: int) -> InvalidText:
    what = f"{display(path)} is not sorted after {display(previous)} (twice, or wrong order)"
    return InvalidText(what, line=line)


def decode_lines(lines: Iterable[bytes], *, first_line: int = 1) -> list[Entry]:
    """Returns the entries of single lines, without newline and indentation; see `decode_block`."""
    entries: list[Entry] = []
    previous = b""
    for number, line in enumerate(lines, first_line):
        try:
            entry = _decode_line(line)
        except InvalidText as error:
            error.line = number
            raise
        if entry.path <= previous:
            raise _not_sorted(previous, entry.path, number)
        previous = entry.path
        entries.append(entry)
    return entries


def _decode_line(line: bytes) -> Entry:
    found = _LINE.fullmatch(line)
    if found is None:
        raise InvalidText(f"expected 'digest size mode path', found {line[:200]!r}")
    digest, size, mode, name = found.groups()
    path = unquote(name)
    check_path(path)
    if digest is None:
        return Entry(path, NO_DIGEST, 0, EMPTY_DIRECTORY)
    if int(size) > MAX_SIZE:
        raise InvalidText(f"size {int(size)} is above {MAX_SIZE}")
    return Entry(path, Digest(unhexlify(digest)), int(size), mode.decode())


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
    for entry in entries:
        if shard and _is_cut(entry.path, len(shard)):
            yield shard
            shard = []
        shard.append(entry)
    if shard:
        yield shard


def _is_cut(path: bytes, before: int) -> bool:
    """Tells whether `path` starts a shard after a shard that has `before` entries so far."""
    return before == SHARD_MAX_ENTRIES or _starts_shard(path)


def _starts_shard(path: bytes) -> bool:
    return xxhash.xxh3_64_intdigest(path) % SHARD_DIVISOR == 0


def encode_shards(entries: Iterable[Entry]) -> Iterator[tuple[Shard, bytes]]:
    """Yields each shard's reference and text; entries must be sorted.

    Raises:
        InvalidText: The paths are so long that a shard would exceed SHARD_MAX_BYTES.
    """
    for part in cut_shards(entries):
        text = encode_lines(part)
        if len(text) > SHARD_MAX_BYTES:
            raise InvalidText(
                f"the list of files from {display(part[0].path)} on has {len(text)} bytes,"
                f" a shard at most {SHARD_MAX_BYTES}",
                hint="shorter paths, or several data sets",
            )
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
    if len(text) != shard.size:
        raise InvalidText(f"the sidecar says {shard.size} bytes, found {len(text)}", source=where)
    try:
        entries = decode_block(text)
    except InvalidText as error:
        raise error.located(where) from None
    if not entries:
        raise InvalidText("a shard holds at least one line", source=where)
    first, last = entries[0].path, entries[-1].path
    if first != shard.first or (before is not None and last >= before):
        raise InvalidText(
            "the shard's paths are not in the range the sidecar gives it", source=where
        )
    if (
        len(entries) > SHARD_MAX_ENTRIES
        or any(_starts_shard(entry.path) for entry in islice(entries, 1, None))
        or (before is not None and not _is_cut(before, len(entries)))
    ):
        raise InvalidText("the shard is not cut where the format cuts", source=where)
    return entries
