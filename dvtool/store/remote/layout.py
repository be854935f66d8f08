"""The layout of a remote: what its objects are called, and the file that says which format it is.

Pure text and bytes; nothing here touches a network. Names found in a listing are untrusted: only
those that match exactly are looked at, so a stranger's files beside ours do no harm. Spec:
docs/format.md#remote.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Final

from dvtool.core.chunking import ALGORITHM, ChunkRule
from dvtool.core.pack import MAX_RECORD_BYTES
from dvtool.errors import RemoteFailed

FORMAT_NAME: Final = "dvtool.json"
FORMAT_BYTES_MAX: Final = 64 * 2**10
PART_BYTES: Final = 16 * 2**20
CHUNKED_FROM_BYTES: Final = 2 * 2**20
PACK_BYTES: Final = 64 * 2**20
INDEX_BYTES_MAX: Final = 2**30
ROOT_BYTES_MAX: Final = 64 * 2**10

_CHUNKS: Final = "chunks"

PACK: Final = re.compile(r"packs/([0-9a-f]{2})/(\1[0-9a-f]{62})\.pack")
INDEX: Final = re.compile(r"index/([0-9a-f]{64})\.idx")
ROOT: Final = re.compile(r"roots/([0-9a-f]{1,64})/([0-9a-f]{64})\.root")


def pack_name(digest: bytes) -> str:
    """Returns the object name of the pack with this sha256."""
    text = digest.hex()
    return f"packs/{text[:2]}/{text}.pack"


def index_name(digest: bytes) -> str:
    """Returns the object name of the index with this sha256."""
    return f"index/{digest.hex()}.idx"


def root_name(repository: str, digest: bytes) -> str:
    """Returns the object name of a repository's root whose text has this sha256."""
    return f"roots/{repository}/{digest.hex()}.root"


@dataclass(frozen=True, slots=True)
class RemoteFormat:
    """What `dvtool.json` says; written once, by the first push.

    Attributes:
        part_bytes: Larger blobs are cut: into parts of this size, unless there is a rule.
        pack_bytes: A pack is closed when it reaches this size.
        chunks: How larger blobs are cut by their content; None where they are not.
    """

    part_bytes: int = PART_BYTES
    pack_bytes: int = PACK_BYTES
    chunks: ChunkRule | None = None


NEW_REMOTE: Final = RemoteFormat(part_bytes=CHUNKED_FROM_BYTES, chunks=ChunkRule())
"""What the first push to a new remote writes."""


def encode_format(value: RemoteFormat) -> bytes:
    """Returns the one text of `value`."""
    document: dict[str, object] = {
        "format": 1,
        "features": [],
        "parts": {"bytes": value.part_bytes},
        "pack_bytes": value.pack_bytes,
    }
    if value.chunks is not None:
        document["features"] = [_CHUNKS]
        document[_CHUNKS] = {"algorithm": ALGORITHM, **asdict(value.chunks)}
    return json.dumps(document, indent=1).encode() + b"\n"


def parse_format(text: bytes, *, url: str) -> RemoteFormat:
    """Returns what `dvtool.json` says.

    Raises:
        RemoteFailed: It is not ours, or a newer dvtool wrote it with features unknown here.
    """
    try:
        document = json.loads(text)
        number, features = document["format"], document["features"]
        part_bytes, pack_bytes = document["parts"]["bytes"], document["pack_bytes"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RemoteFailed(
            f"remote {url}: {FORMAT_NAME} is not that of a dvtool remote",
            hint="check the address; a remote needs a place of its own",
        ) from error
    if number != 1 or features not in ([], [_CHUNKS]):
        what = f"format {number!s:.20}, features {features!s:.80}"
        raise _too_new(url, f"{what}; this dvtool knows format 1 and the feature {_CHUNKS}")
    if not (
        isinstance(part_bytes, int)
        and isinstance(pack_bytes, int)
        and 0 < part_bytes <= MAX_RECORD_BYTES
        and 0 < pack_bytes <= 2**32
    ):
        raise _out_of_range(url)
    rule = _chunk_rule(document.get(_CHUNKS), url=url) if features else None
    return RemoteFormat(part_bytes, pack_bytes, rule)


def _chunk_rule(value: object, *, url: str) -> ChunkRule:
    """Returns the rule that `value` spells out.

    Raises:
        RemoteFailed: It is cut by another algorithm, or by numbers that cannot be.
    """
    if not isinstance(value, dict):
        raise _out_of_range(url)
    algorithm = value.get("algorithm")
    if algorithm != ALGORITHM:
        raise _too_new(url, f"chunks by {algorithm!s:.40}; this dvtool knows {ALGORITHM}")
    names = [field.name for field in fields(ChunkRule)]
    rule = ChunkRule(*(value.get(name) for name in names))  # type: ignore[arg-type]
    if not rule.is_valid:
        raise _out_of_range(url)
    return rule


def _too_new(url: str, what: str) -> RemoteFailed:
    return RemoteFailed(
        f"remote {url}: {FORMAT_NAME} asks for {what}", hint="pip install --upgrade dvtool"
    )


def _out_of_range(url: str) -> RemoteFailed:
    return RemoteFailed(f"remote {url}: {FORMAT_NAME} has sizes out of range")
