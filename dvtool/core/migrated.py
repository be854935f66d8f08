"""The map of what another tool kept: from its names of bytes to ours, in one committed text.

A commit from before a migration has no sidecars, but `.dvc` files or git-lfs pointers. The map
says what each of their names stands for, so that a sidecar can be made of them when such a commit
is read. Pure text in, values out; spec: docs/format.md#migrated. Called by `dvtool.git.migrated`
and `dvtool.ops.migrate`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from dvtool.core.digest import Digest, format_digest, parse_digest
from dvtool.core.manifest import Shard
from dvtool.core.sidecar import Sidecar, encode_sidecar, file_sidecar, parse_sidecar
from dvtool.core.tree import FILE, THE_FILE, Entry
from dvtool.errors import InvalidText

MAP_FILE: Final = ".dvtool-migrated"
MAX_MAP_BYTES: Final = 256 * 2**20
_FIRST: Final = b"migrated: 1\n"
_NAME = r"(?:md5|md5-dos2unix):[0-9a-f]{32}"
_FILE_LINE = re.compile(
    rf"({_NAME}|pointer:(?:[0-9a-f]{{40}}|[0-9a-f]{{64}})): (sha256:[0-9a-f]{{64}}) (0|[1-9][0-9]{{0,18}})"
)
_DIRECTORY_LINE = re.compile(rf"({_NAME}\.dir): \|")
_SHARDS_BEGIN: Final = b"dvt: 1\nkind: directory\nlayout: sharded\nshards: |\n"


class Bytes(NamedTuple):
    """One blob: its digest and its size in bytes."""

    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Migrated:
    """What names of another tool stand for.

    Attributes:
        files: By `md5:…`, `md5-dos2unix:…`, or `pointer:` and the git object id of a git-lfs
            pointer: the bytes.
        directories: By `md5:….dir` or `md5-dos2unix:….dir`: the shards of the list of files.
    """

    files: Mapping[str, Bytes] = field(default_factory=dict)
    directories: Mapping[str, tuple[Shard, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.files or self.directories)

    def __contains__(self, name: str) -> bool:
        return name in self.files or name in self.directories

    @property
    def has_dvc(self) -> bool:
        """It knows names of DVC's."""
        return bool(self.directories) or any(name.startswith("md5") for name in self.files)

    @property
    def has_pointers(self) -> bool:
        """It knows pointers of git-lfs."""
        return any(name.startswith("pointer:") for name in self.files)

    def joined(self, other: Migrated) -> Migrated:
        """Returns both together; where both know a name, `other` counts."""
        return Migrated({**self.files, **other.files}, {**self.directories, **other.directories})

    def sidecar(self, name: str, mode: str = FILE) -> bytes | None:
        """Returns the text of the sidecar that `name` stands for, None when it is not known."""
        if name in self.files:
            digest, size = self.files[name]
            return encode_sidecar(file_sidecar(Entry(THE_FILE, digest, size, mode)))
        if name in self.directories:
            return encode_sidecar(Sidecar("directory", "sharded", shards=self.directories[name]))
        return None


NOTHING: Final = Migrated()


def encode_map(migrated: Migrated) -> bytes:
    """Returns the one valid text of a map: names sorted, one line a file, a block a directory."""
    parts = {
        name: f"{name}: {format_digest(found.digest)} {found.size}\n".encode()
        for name, found in migrated.files.items()
    }
    for name, shards in migrated.directories.items():
        text = encode_sidecar(Sidecar("directory", "sharded", shards=shards))
        parts[name] = f"{name}: |\n".encode() + text.removeprefix(_SHARDS_BEGIN)
    return _FIRST + b"".join(parts[name] for name in sorted(parts))


def parse_map(text: bytes, *, source: str = MAP_FILE) -> Migrated:
    """Returns the value of a map's text.

    Raises:
        InvalidText: It is not spelt the one valid way.
    """
    if not text.startswith(_FIRST) or not text.endswith(b"\n"):
        raise InvalidText("expected 'migrated: 1'", source=source, line=1)
    files: dict[str, Bytes] = {}
    directories: dict[str, tuple[Shard, ...]] = {}
    lines = text.split(b"\n")[1:-1]
    at, previous = 0, ""
    while at < len(lines):
        number = at + 2
        line = lines[at].decode("ascii", "replace")
        at += 1
        if match := _FILE_LINE.fullmatch(line):
            if int(match[3]) >= 2**63:
                raise InvalidText("size is too large", source=source, line=number)
            files[match[1]] = Bytes(parse_digest(match[2]), int(match[3]))
        elif match := _DIRECTORY_LINE.fullmatch(line):
            begin = at
            while at < len(lines) and lines[at].startswith(b"  "):
                at += 1
            directories[match[1]] = _shards(lines[begin:at], source, number)
        else:
            raise InvalidText(
                f"expected 'name: digest size', found {line[:80]!r}", source=source, line=number
            )
        if match[1] <= previous:
            raise InvalidText("names are not sorted", source=source, line=number)
        previous = match[1]
    return Migrated(files, directories)


def _shards(lines: list[bytes], source: str, number: int) -> tuple[Shard, ...]:
    block = b"".join(line + b"\n" for line in lines)
    try:
        return parse_sidecar(_SHARDS_BEGIN + block, source=source).shards
    except InvalidText as error:
        # The block's own lines are counted from the head that stands before it here.
        error.line += number - _SHARDS_BEGIN.count(b"\n")
        raise
