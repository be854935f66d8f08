"""What a file's name says: the endings of table formats and of compressions.

Nothing is opened and nothing else imported here, so that a name can be asked about at any time.
Called by `opening`, and by the operations that tell tables from other files.
"""

from __future__ import annotations

_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".psv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".geojson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".arrows": "arrow",
    ".ipc": "arrow",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_COMPRESSIONS = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".bz2": "bz2", ".xz": "xz"}
TEXTUAL = frozenset({"csv", "json", "jsonl"})


def is_table(name: str) -> bool:
    """Tells by a name's endings whether `open_table` would try to read it without being told how."""
    found, compression = endings(name)
    return bool(found) and (not compression or found in TEXTUAL)


def endings(name: str) -> tuple[str, str]:
    """Returns format and compression by a name's endings, each empty when they say nothing."""
    stem = name.lower()
    compression = ""
    for ending, kind in _COMPRESSIONS.items():
        if stem.endswith(ending):
            stem, compression = stem.removesuffix(ending), kind
            break
    for ending, kind in _FORMATS.items():
        if stem.endswith(ending):
            return kind, compression
    return "", compression
