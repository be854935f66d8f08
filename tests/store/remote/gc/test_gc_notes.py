"""Notes: one valid text each, as docs/format.md shows it; and backends can delete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.core.gcmarks import (
    Erasure,
    Mark,
    Note,
    Retirement,
    encode_note,
    join_notes,
    note_name,
    parse_note,
)
from dvtool.errors import CorruptObject, UsageError
from dvtool.store.remote.file_backend import FileBackend
from dvtool.store.remote.memory import MemoryBackend
from dvtool.store.remote.retry import Retrying

PAGE = (Path(__file__).parents[4] / "docs/format.md").read_text()
HEX = "4b825dc642cb6eb9a060e54bf8d69288fbee49044b825dc642cb6eb9a060e54b"
FOO = Digest(bytes.fromhex("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"))
NOTES: dict[str, Note] = {
    "mark": Mark((f"index/{HEX}.idx", f"packs/4b/{HEX}.pack")),
    "retired": Retirement((f"roots/00112233445566778899aabbccddeeff/{HEX}.root",)),
    "erased": Erasure("consent withdrawn, ticket 512", (FOO,)),
}


def example(kind: str) -> bytes:
    found = re.search(rf"<!-- example: {kind} -->\n```\n(.*?)```\n", PAGE, re.DOTALL)
    assert found is not None
    return found[1].encode()


@pytest.mark.parametrize("kind", NOTES)
def test_a_note_is_spelt_as_the_page_shows(kind: str) -> None:
    assert encode_note(NOTES[kind]) == example(kind)


@pytest.mark.parametrize("kind", NOTES)
def test_a_note_is_read_back(kind: str) -> None:
    assert parse_note(f"gc/{HEX}.{kind}", example(kind)) == NOTES[kind]


@pytest.mark.parametrize("kind", NOTES)
def test_every_other_spelling_is_refused(kind: str) -> None:
    text = example(kind)
    *lines, last = text.splitlines(keepends=True)
    for other in (
        text[:-1],
        text + b"\n",
        text.replace(b"\n", b"\r\n"),
        text.replace(b": 1\n", b": 2\n"),
        b"".join([*lines, last, last]),
        text.replace(b"sha256:", b"md5:").replace(b"packs/4b", b"packs/4c").replace(b".root", b""),
        b"\xff" + text,
        b"",
    ):
        with pytest.raises(CorruptObject):
            parse_note(f"gc/{HEX}.{kind}", other)


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "x" * 1001, "tab\tinside", " edge"])
def test_a_reason_is_one_printable_line(reason: str) -> None:
    with pytest.raises(UsageError):
        encode_note(Erasure(reason, (FOO,)))


def test_notes_are_named_by_their_text() -> None:
    import hashlib

    for kind, note in NOTES.items():
        expected = f"gc/{hashlib.sha256(example(kind)).hexdigest()}.{kind}"
        assert note_name(note, encode_note(note)) == expected


def test_joined_notes_say_everything() -> None:
    joined = join_notes({f"gc/{n}": note for n, note in enumerate(NOTES.values())})

    assert joined.condemned == {f"index/{HEX}.idx", f"packs/4b/{HEX}.pack"}
    assert len(joined.retired) == 1
    assert joined.erased == {FOO: "consent withdrawn, ticket 512"}


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_deleting_takes_one_object_away_and_twice_is_no_error(kind: str, tmp_path: Path) -> None:
    inner = MemoryBackend() if kind == "memory" else FileBackend(tmp_path / "remote")
    backend = Retrying(inner, delays_s=())
    backend.create("packs/ab/one.pack", b"1")
    backend.create("packs/ab/two.pack", b"2")

    backend.delete("packs/ab/one.pack")
    backend.delete("packs/ab/one.pack")
    backend.delete("packs/cd/never.pack")

    assert set(backend.list()) == {"packs/ab/two.pack"}
    assert backend.create("packs/ab/one.pack", b"again")
