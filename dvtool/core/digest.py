"""Digests: how bytes are named.

A digest is the 32 raw bytes of a sha256; in text it is written `sha256:` and 64 hex digits.
xxh3-128 *fingerprints* are the fast lane for "did this change": 16 raw bytes, never an identity,
because two inputs with one fingerprint can be written by hand. Hashing of files lives in
`dvtool.worktree` and `dvtool.store`; here are only the names and the two functions over bytes.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NewType

import xxhash

from dvtool.errors import InvalidText

Digest = NewType("Digest", bytes)
"""32 raw bytes of a sha256: the identity of a blob."""

Fingerprint = NewType("Fingerprint", bytes)
"""16 raw bytes of an xxh3-128: answers "has this changed", never "is this the same"."""

DIGEST_BYTES = 32
FINGERPRINT_BYTES = 16
NO_DIGEST = Digest(b"")
"""Stands where nothing has bytes: an empty directory."""

_TEXT = re.compile(r"sha256:([0-9a-f]{64})")


def digest_of(data: bytes | memoryview) -> Digest:
    """Returns the sha256 of `data`; empty input has a digest like any other."""
    return Digest(sha256(data).digest())


def fingerprint_of(data: bytes | memoryview) -> Fingerprint:
    """Returns the xxh3-128 of `data`, big-endian as `xxh128sum` prints it."""
    return Fingerprint(xxhash.xxh3_128_digest(data))


def format_digest(digest: Digest) -> str:
    """Returns `sha256:…`, or `-` for NO_DIGEST."""
    return f"sha256:{digest.hex()}" if digest else "-"


def short_digest(digest: Digest) -> str:
    """Returns the first 12 hex digits with the algorithm, for messages only."""
    return f"sha256:{digest.hex()[:12]}…"


def parse_digest(text: str) -> Digest:
    """Returns the digest written as `sha256:` and 64 lower-case hex digits.

    Raises:
        InvalidText: Any other text, another algorithm or upper-case digits included.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise InvalidText(f"expected sha256: and 64 hex digits, found {text[:80]!r}")
    return Digest(bytes.fromhex(match[1]))
