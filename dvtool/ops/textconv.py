"""`textconv`: what `git diff` shows instead of a sidecar's text.

Pure in the file git hands over and the shards in the store: one line a file, `path size digest`,
so that plain `git diff` shows which files changed. Called once a file, so it starts little.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dvtool.core.digest import format_digest
from dvtool.core.quote import display
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.core.tree import Entry
from dvtool.errors import InvalidText, ObjectMissing
from dvtool.store.local import LocalStore


def textconv(file: Path, store: LocalStore | None) -> Iterator[str]:
    """Yields the lines that stand for a sidecar; its own text when it does not parse.

    Without its shards a sharded sidecar is shown as its shard lines.
    """
    text = file.read_bytes()
    try:
        sidecar = parse_sidecar(text)
    except InvalidText:
        yield text.decode("utf-8", "backslashreplace")
        return
    yield f"{sidecar.kind}\n"
    try:
        if sidecar.shards and store is None:
            raise ObjectMissing("no store")
        tree = sidecar.tree(lambda digest, size: store.read(digest) if store else b"")
    except ObjectMissing:
        yield from _shard_lines(sidecar)
        return
    for entry in tree.entries:
        yield _line(entry)


def _line(entry: Entry) -> str:
    name = display(entry.path) if entry.path else "(the file)"
    return f"{name}  {entry.size} bytes  {entry.mode}  {format_digest(entry.digest)[:19]}\n"


def _shard_lines(sidecar: Sidecar) -> Iterator[str]:
    for shard in sidecar.shards:
        yield f"from {display(shard.first)}  {format_digest(shard.digest)}\n"
