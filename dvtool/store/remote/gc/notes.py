"""Reading and writing the notes below `gc/` of a remote.

A note is never changed, so each is read once and kept for ever. Here nothing is decided. Called by
`Remote.snapshot` for every command that looks at a remote, and by the rest of this package.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dvtool.core.gcmarks import (
    GC_BYTES_MAX,
    GC_NAME,
    NO_NOTES,
    Note,
    Notes,
    encode_note,
    join_notes,
    note_name,
    parse_note,
)
from dvtool.errors import CorruptObject, RemoteFailed

if TYPE_CHECKING:
    from dvtool.store.remote.backend import Listed
    from dvtool.store.remote.remote import Remote

_TRIES = 3


def read_notes(remote: Remote, listed: Mapping[str, Listed], *, strict: bool) -> Notes:
    """Returns what the notes in a listing say.

    Args:
        remote: Where they are.
        listed: The listing.
        strict: Refuse to go on when one cannot be read; else it is told and left out, for who
            only reads loses nothing by it.

    Raises:
        CorruptObject: One is damaged, or of a newer dvtool, and `strict` is set.
        RemoteFailed: The remote is unreachable or refused.
    """
    found: dict[str, Note] = {}
    for name in listed:
        if GC_NAME.fullmatch(name) is None:
            continue
        note = _read(remote, name, listed[name].size)
        if isinstance(note, str):
            what = f"{remote.url}/{name} {note}"
            if strict:
                raise CorruptObject(
                    f"{what}, so it cannot be told which packs will be deleted",
                    hint="try again; update dvtool; where it stays so, delete that object",
                )
            remote.progress.note(what)
        elif note is not None:
            found[name] = note
    return join_notes(found) if found else NO_NOTES


def _read(remote: Remote, name: str, size_bytes: int) -> Note | str | None:
    """Returns a note, what is wrong with it, or None for one that was deleted meanwhile."""
    match = GC_NAME.fullmatch(name)
    assert match is not None
    if size_bytes > GC_BYTES_MAX:
        return f"is larger than {GC_BYTES_MAX} bytes"
    data: bytes | str = ""
    for _ in range(_TRIES):
        data = remote.named(name, match[1], size_bytes)
        if isinstance(data, bytes):
            break
        if data.startswith("no object"):
            return None
    if isinstance(data, str):
        return data
    try:
        return parse_note(name, data)
    except CorruptObject as error:
        return str(error)


def write_notes(remote: Remote, notes: Iterable[Note]) -> list[str]:
    """Creates notes; returns their object names. One that is there already stays as it is.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
    """
    names = []
    for note in notes:
        text = encode_note(note)
        name = note_name(note, text)
        remote.put(name, text)
        names.append(name)
    return names


def server_now_s(remote: Remote) -> float:
    """Returns the time by the server's clock, in seconds since 1970; three requests or so.

    Raises:
        RemoteFailed: The store does not say when an object was written.
    """
    name = f"gc/{secrets.token_hex(16)}.clock"
    remote.backend.create(name, b"what time is it?\n")
    facts = remote.backend.list().get(name)
    remote.backend.delete(name)
    if facts is None or facts.modified_s <= 0:
        raise RemoteFailed(
            f"remote {remote.url} does not say when objects were written, so nothing is deleted"
        )
    return facts.modified_s
