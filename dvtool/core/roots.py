"""Roots: what a push made reachable, and so what garbage collection may never drop.

A root is one small text object, named by the sha256 of its text: repository, ref, commit, and the
*segments* whose union is the set of every digest reachable from that commit. A segment is a blob
of sorted digests. Segments are kept few as log-structured merge trees do it: a push adds one with
what is new and merges neighbours of similar size, so cost follows the change. Spec:
docs/format.md#roots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import Final, Literal

from dvtool.core.digest import DIGEST_BYTES, Digest, format_digest, parse_digest
from dvtool.errors import CorruptObject

SEGMENT_MAGIC: Final = b"DVTSEGM1"
Scope = Literal["full", "partial"]
# No control characters in a ref, so no line can be forged. Spaces may stand inside it: what was
# pushed may be a revision as somebody typed it, such as `main@{1 week ago}`.
_TEXT = re.compile(
    rb"dvtool-root: 1\n"
    rb"repository: ([0-9a-f]{32})\n"
    rb"ref: ([^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?)\n"
    rb"commit: ([0-9a-f]{40}|[0-9a-f]{64})\n"
    rb"scope: (full|partial)\n"
    rb"((?:segment: sha256:[0-9a-f]{64} [1-9][0-9]{0,18}\n)*)"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A reference to a segment: its blob's digest and how many digests it holds."""

    digest: Digest
    count: int


@dataclass(frozen=True, slots=True)
class Root:
    """What one push made reachable.

    Attributes:
        repository: Random id of the repository, 32 hex digits, kept in `.dvtool`.
        ref: The ref that was pushed, or the revision as typed; no control characters, no space at
            an end; bytes that are not UTF-8 as surrogates.
        commit: Hex object name, 40 or 64 digits.
        scope: `full` when the whole history of `commit` is covered; `partial` pushes protect
            their blobs but prove nothing about the commit.
        segments: Largest first, those of one size by digest; each once.
    """

    repository: str
    ref: str
    commit: str
    scope: Scope
    segments: tuple[Segment, ...]


def encode_root(root: Root) -> bytes:
    """Returns the one text of `root`.

    Raises:
        ValueError: A field is not what `Root` says of it, such as a ref with a newline.
    """
    lines = [
        "dvtool-root: 1",
        f"repository: {root.repository}",
        f"ref: {root.ref}",
        f"commit: {root.commit}",
        f"scope: {root.scope}",
        *(f"segment: {format_digest(s.digest)} {s.count}" for s in root.segments),
    ]
    text = "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n"
    if _TEXT.fullmatch(text) is None or not _is_sorted(root.segments):
        raise ValueError(f"not a root: {root!r}")
    return text


def parse_root(text: bytes) -> Root:
    """Returns the root that `text` spells.

    Raises:
        CorruptObject: It is not the one valid spelling of a root of this format.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise CorruptObject(f"not a root, or one of a newer format: {text[:80]!r}")
    repository, ref, commit, scope, lines = match.groups()
    segments = []
    for line in lines.decode().splitlines():
        _, digest, count = line.split(" ")
        segments.append(Segment(parse_digest(digest), int(count)))
    if not _is_sorted(segments):
        raise CorruptObject("segments of a root are not sorted, or one stands twice")
    return Root(
        repository.decode(),
        ref.decode("utf-8", "surrogateescape"),
        commit.decode(),
        "full" if scope == b"full" else "partial",
        tuple(segments),
    )


def _is_sorted(segments: Sequence[Segment]) -> bool:
    order = [(-segment.count, segment.digest) for segment in segments]
    return all(map(lt, order, islice(order, 1, None)))


def encode_segment(digests: Iterable[Digest]) -> bytes:
    """Returns the blob of a segment: magic, then the distinct digests in ascending order."""
    return SEGMENT_MAGIC + b"".join(sorted(set(digests)))


def decode_segment(data: bytes) -> list[Digest]:
    """Returns the digests of a segment's blob.

    Raises:
        CorruptObject: It is not a segment, or not sorted.
    """
    if data[:8] != SEGMENT_MAGIC or len(data) % DIGEST_BYTES != 8:
        raise CorruptObject("not a segment of digests")
    digests = [Digest(data[i : i + DIGEST_BYTES]) for i in range(8, len(data), DIGEST_BYTES)]
    if not all(map(lt, digests, islice(digests, 1, None))):
        raise CorruptObject("segment of digests is not sorted")
    return digests


def segments_to_merge(counts: list[int], new: int) -> int:
    """Returns how many of the last segments a push should merge with its `new` digests.

    Keeps each segment at least twice as large as the next, so n digests stand in at most
    log2(n) + 1 segments. A segment that is merged becomes more than half as large again, so each
    digest is rewritten at most log(n) / log(1.5) times.

    Args:
        counts: Sizes of the segments the root before had, largest first.
        new: How many digests are new.
    """
    total = new
    merged = 0
    for count in reversed(counts):
        if count >= 2 * total:
            break
        total += count
        merged += 1
    return merged
