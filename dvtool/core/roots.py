"""Roots: what a push made reachable, and so what garbage collection may never drop.

A root is one small text object, named by the sha256 of its text: repository, ref, commit, and the
*segments* whose union is the set of every digest reachable from that commit. A segment is a blob
of sorted digests. Segments are kept few as log-structured merge trees do it: a push adds one with
what is new and merges neighbours of similar size, so cost follows the change. Spec:
docs/format.md#roots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from dvtool.core.digest import DIGEST_BYTES, Digest, format_digest, parse_digest
from dvtool.errors import CorruptObject, InvalidText

SEGMENT_MAGIC: Final = b"DVTSEGM1"
Scope = Literal["full", "partial"]
_LINE = re.compile(r"(repository|ref|commit|scope|segment): (\S.*)")
_HEX = re.compile(r"[0-9a-f]+")


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
        ref: The ref that was pushed, or `HEAD`.
        commit: Hex object name, 40 or 64 digits.
        scope: `full` when the whole history of `commit` is covered; `partial` pushes protect
            their blobs but prove nothing about the commit.
        segments: Largest first.
    """

    repository: str
    ref: str
    commit: str
    scope: Scope
    segments: tuple[Segment, ...]


def encode_root(root: Root) -> bytes:
    """Returns the one text of `root`."""
    lines = [
        "dvtool-root: 1",
        f"repository: {root.repository}",
        f"ref: {root.ref}",
        f"commit: {root.commit}",
        f"scope: {root.scope}",
        *(f"segment: {format_digest(s.digest)} {s.count}" for s in root.segments),
    ]
    return "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n"


def parse_root(text: bytes) -> Root:
    """Returns the root that `text` spells.

    Raises:
        CorruptObject: It is not the one valid spelling of a root of this format.
    """
    try:
        root = _parse_root(text.decode("utf-8", "surrogateescape").splitlines())
    except (InvalidText, ValueError, KeyError) as error:
        raise CorruptObject(f"root object does not parse: {error}") from error
    if encode_root(root) != text:
        raise CorruptObject("root object is not spelt the one valid way")
    return root


def _parse_root(lines: list[str]) -> Root:
    if lines[:1] != ["dvtool-root: 1"]:
        raise ValueError("expected dvtool-root: 1")
    values: dict[str, str] = {}
    segments = []
    for line in lines[1:]:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"unknown line {line[:80]!r}")
        if match[1] == "segment":
            digest, _, count = match[2].partition(" ")
            segments.append(Segment(parse_digest(digest), int(count)))
        else:
            values[match[1]] = match[2]
    if values["scope"] not in ("full", "partial"):
        raise ValueError("scope is full or partial")
    scope: Scope = "full" if values["scope"] == "full" else "partial"
    if not _HEX.fullmatch(values["commit"]) or not _HEX.fullmatch(values["repository"]):
        raise ValueError("commit and repository are hex")
    return Root(values["repository"], values["ref"], values["commit"], scope, tuple(segments))


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
    if any(a >= b for a, b in zip(digests, digests[1:], strict=False)):
        raise CorruptObject("segment of digests is not sorted")
    return digests


def segments_to_merge(counts: list[int], new: int) -> int:
    """Returns how many of the last segments a push should merge with its `new` digests.

    Keeps each segment at least twice as large as the next, so n digests stand in at most
    log2(n) segments and each digest is rewritten at most log2(n) times.

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
