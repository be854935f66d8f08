"""Reading blobs back from a local pack, one or many, each proven.

Bytes come through `pread`, not through a mapping: a disk error or a pack cut short is then an
error of ours and not a SIGBUS. Used by `packshelf` and by verification; finds nothing by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

import xxhash

from dvtool.core.digest import Digest, digest_of, format_digest
from dvtool.core.pack import RAW, RECORD, Record, decode_body, parse_record_head
from dvtool.core.packindex import RecordRow
from dvtool.errors import CorruptObject
from dvtool.store.durable import store_error

Raw = bytes | memoryview

SPAN_BYTES: Final = 4 * 2**20
"""How much is read at a time. Everything yielded from one span keeps that span alive."""
GAP_BYTES: Final = 32 * 1024
"""Unwanted bytes that are read rather than skipped: copying them costs less than a system call."""

_xxh3_64 = xxhash.xxh3_64_intdigest


class Damage(NamedTuple):
    """A record that cannot be trusted, and why."""

    digest: Digest
    reason: str


def read_head(path: Path, offset: int) -> Record:
    """Returns the head of the record at `offset`.

    Raises:
        FileNotFoundError: The pack has gone.
        CorruptObject: There is no record head at that place.
        StoreFailed: The pack cannot be read.
    """
    return parse_record_head(_pread(path, RECORD.size, offset))


def read_record(path: Path, row: RecordRow) -> bytes:
    """Returns the raw bytes of one record, proven by its xxh3.

    Raises:
        FileNotFoundError: The pack has gone.
        CorruptObject: Cut off, altered, or another blob than the index says.
        StoreFailed: The pack cannot be read.
    """
    data = _pread(path, RECORD.size + row.stored, row.offset)
    head = parse_record_head(data)
    if head.digest != row.digest or len(data) != RECORD.size + head.stored:
        raise CorruptObject(f"object {format_digest(row.digest)} is not where the index says")
    return decode_body(head, memoryview(data)[RECORD.size :])


def read_rows(path: Path, rows: Iterable[RecordRow]) -> Iterator[tuple[Digest, Raw] | Damage]:
    """Yields what each row names, in the order of the pack, proven by xxh3, or its damage.

    Reads in long spans, so that many blobs cost few system calls.

    Raises:
        FileNotFoundError: The pack has gone.
        StoreFailed: The pack cannot be read.
    """
    fd = _open(path)
    try:
        for run in _runs(sorted(rows, key=itemgetter(3))):
            start = run[0].offset
            length = run[-1].offset + RECORD.size + run[-1].stored - start
            try:
                span = memoryview(os.pread(fd, length, start))
            except OSError:
                # One bad sector must not take the rest of the pack with it.
                yield from _one_by_one(path, run)
                continue
            yield from _split(span, start, run)
    finally:
        os.close(fd)


def prove(found: tuple[Digest, Raw] | Damage) -> Damage | None:
    """Returns the damage of what `read_rows` yielded, by sha256, None when it is sound."""
    if isinstance(found, Damage):
        return found
    digest, data = found
    actual = digest_of(data)
    if actual == digest:
        return None
    return Damage(digest, f"does not match its name (found {format_digest(actual)})")


def _split(
    span: memoryview, start: int, run: list[RecordRow]
) -> Iterator[tuple[Digest, Raw] | Damage]:
    unpack_from = RECORD.unpack_from
    head_bytes = RECORD.size
    for digest, _, stored, offset in run:
        at = offset - start
        end = at + head_bytes + stored
        if end > len(span):
            yield Damage(digest, "its pack is cut off")
            continue
        name, raw, stored_here, check, codec = unpack_from(span, at)
        body = span[at + head_bytes : end]
        if name != digest or stored_here != stored:
            yield Damage(digest, "is not where the index says")
        elif codec != RAW:
            yield _decoded(Record(digest, raw, stored, check, codec), body)
        elif raw != stored or _xxh3_64(body) != check:
            yield Damage(digest, "was altered")
        else:
            yield digest, body


def _decoded(head: Record, body: memoryview) -> tuple[Digest, Raw] | Damage:
    try:
        parse_record_head(RECORD.pack(*head))
        return head.digest, decode_body(head, body)
    except CorruptObject:
        return Damage(head.digest, "was altered")


def _one_by_one(path: Path, run: list[RecordRow]) -> Iterator[tuple[Digest, Raw] | Damage]:
    for row in run:
        fd = _open(path)
        try:
            span = memoryview(os.pread(fd, RECORD.size + row.stored, row.offset))
        except OSError as error:
            yield Damage(row.digest, f"cannot be read: {error.strerror}")
            continue
        finally:
            os.close(fd)
        yield from _split(span, row.offset, [row])


def _runs(rows: list[RecordRow]) -> Iterator[list[RecordRow]]:
    """Groups rows, sorted by offset, into spans worth one read each."""
    run: list[RecordRow] = []
    start = end = 0
    for row in rows:
        _, _, stored, offset = row
        if run and (offset - end > GAP_BYTES or offset - start >= SPAN_BYTES):
            yield run
            run = []
        if not run:
            start = offset
        run.append(row)
        end = offset + RECORD.size + stored
    if run:
        yield run


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise store_error(error, path) from error


def _pread(path: Path, length: int, offset: int) -> bytes:
    fd = _open(path)
    try:
        return os.pread(fd, length, offset)
    except OSError as error:
        raise store_error(error, path) from error
    finally:
        os.close(fd)
