"""git-lfs pointers: the few lines that git holds in place of a large file.

Read leniently, as git-lfs reads them: its earliest versions and editors on other systems wrote other
spellings. Whether the bytes are there is not asked here. Called by `dvtool.ops.migrate.lfs`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from dvtool.core.digest import Digest

MAX_POINTER_BYTES: Final = 1024
"""git-lfs takes nothing that is larger for a pointer."""
_FIRST = re.compile(
    rb"version (?:https://git-lfs\.github\.com/spec/v1|https://hawser\.github\.com/spec/v1"
    rb"|http://git-media\.io/v/2)"
)
_LINE = re.compile(rb"([a-z0-9.-]+) (.+)")
_OID = re.compile(rb"(?:sha256:)?([0-9a-f]{64})")
_SIZE = re.compile(rb"0|[1-9][0-9]{0,18}")


class Pointer(NamedTuple):
    """What a pointer says.

    Attributes:
        digest: The sha256 of the bytes.
        size: Of the bytes.
        problem: Why it stands for other bytes than these; empty normally.
    """

    digest: Digest
    size: int
    problem: str = ""


def parse_pointer(text: bytes) -> Pointer | None:
    """Returns what a file in git says as a pointer, None when it is none."""
    if len(text) >= MAX_POINTER_BYTES:
        return None
    lines = text.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    if not _FIRST.fullmatch(lines[0]):
        return None
    pairs = [_LINE.fullmatch(line) for line in lines[1:]]
    values = {match[1]: match[2] for match in pairs if match}
    oid, size = _OID.fullmatch(values.get(b"oid", b"")), values.get(b"size", b"")
    if oid is None or not _SIZE.fullmatch(size) or int(size) >= 2**63 or None in pairs:
        return None
    is_changed = any(key.startswith(b"ext-") for key in values)
    problem = "an extension of git-lfs changes its bytes" if is_changed else ""
    return Pointer(Digest(bytes.fromhex(oid[1].decode())), int(size), problem)
