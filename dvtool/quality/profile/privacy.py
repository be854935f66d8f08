"""What a profile may keep of a column's values, and the keyed hashes that stand for them.

Here live the three degrees of privacy and the one token function, in Python and in SQL. What is
computed from values that may be kept stands in the scans. `compute` and the scans call it.
"""

from __future__ import annotations

import enum
from hashlib import blake2b, md5

from dvtool.quality.kinds import Kind

NAMED = 50
"""A hashed text column with more different values than this names none of them."""


class Privacy(enum.Enum):
    """What a profile keeps of a column."""

    PUBLIC = "public"
    """Everything."""
    HASHED = "hashed"
    """Text: keyed hashes, lengths and shapes; the names of categories (few, repeated values)."""
    PRIVATE = "private"
    """Counts of rows and nulls, and lengths of text. No value, no hash of one, no shape."""


def default_privacy(kind: Kind) -> Privacy:
    """Returns what holds for a column about which nothing was declared."""
    return Privacy.HASHED if kind is Kind.TEXT else Privacy.PUBLIC


def salt_of(key: bytes) -> str:
    """Returns what is put before a text ahead of hashing: 32 hex digits that follow from the key.

    An empty key gives hashes that anyone can compute, fit for profiles that are not kept.
    """
    return blake2b(key, digest_size=16, person=b"dvtool-profile").hexdigest()


def token(text: str, salt: str) -> int:
    """Returns the 64-bit token of a text: the last 8 bytes of the md5 of salt and text.

    The engine has md5 as a function over columns, which no other keyed hash is; collisions that
    someone could construct would only make a count of different values too small.
    """
    data = (salt + text).encode("utf-8", "surrogatepass")
    return int.from_bytes(md5(data, usedforsecurity=False).digest()[8:], "little")


def token_sql(expression: str, salt: str) -> str:
    """Returns the SQL expression, of type UBIGINT, that gives the same tokens for a text column."""
    return f"(md5_number('{salt}' || {expression}) >> 64)::UBIGINT"


def token_key(value: int) -> str:
    """Returns a token as the key of a tally: `#` and 16 hex digits."""
    return f"#{value:016x}"
