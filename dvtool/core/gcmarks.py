"""What garbage collection and erasure write below `gc/` of a remote: three small texts.

A *mark* condemns packs and indexes, a *retirement* takes roots out of force, an *erasure* says
which blobs were removed on purpose, and why. Each is named by the sha256 of its text and never
changed. What follows from them is decided in `dvtool.store.remote.gc`. Spec: docs/format.md#gc.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, pairwise
from typing import Final, TypeVar

from dvtool.core.digest import Digest, format_digest, parse_digest
from dvtool.errors import CorruptObject, UsageError

GC_BYTES_MAX: Final = 16 * 2**20
NAMES_MAX: Final = 100_000
"""A text names at most so many objects; more of them take several texts."""
GC_NAME: Final = re.compile(r"gc/([0-9a-f]{64})\.(mark|retired|erased)")
CLOCK_NAME: Final = re.compile(r"gc/[0-9a-f]{32}\.clock")
_STORED: Final = r"(?:packs/([0-9a-f]{2})/\1[0-9a-f]{62}\.pack|index/[0-9a-f]{64}\.idx)"
_ROOT: Final = r"roots/[0-9a-f]{1,64}/[0-9a-f]{64}\.root"
_MARK: Final = re.compile(r"dvtool-mark: 1\n((?:condemned: \S+\n)+)")
_RETIRED: Final = re.compile(r"dvtool-retired: 1\n((?:root: \S+\n)+)")
_ERASED: Final = re.compile(
    r"dvtool-erased: 1\nreason: ([^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?)\n"
    r"((?:digest: sha256:[0-9a-f]{64}\n)+)"
)
_REASON_MAX: Final = 1000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Mark:
    """Packs and indexes that nothing new may lean on, and that are deleted after the grace period.

    Attributes:
        condemned: Object names, ascending, at least one.
    """

    condemned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retirement:
    """Roots that hold nothing any more.

    Attributes:
        roots: Object names, ascending, at least one.
    """

    roots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """Blobs that were removed on purpose.

    Attributes:
        reason: One line for whoever misses them.
        digests: Ascending, at least one.
    """

    reason: str
    digests: tuple[Digest, ...]


Note = Mark | Retirement | Erasure


@dataclass(frozen=True, slots=True)
class Notes:
    """All notes of a remote, joined.

    Attributes:
        marks: By object name.
        retirements: By object name.
        condemned: What any mark names.
        retired: Roots that any retirement names.
        erased: Why, by digest.
    """

    marks: Mapping[str, Mark]
    retirements: Mapping[str, Retirement]
    condemned: frozenset[str]
    retired: frozenset[str]
    erased: Mapping[Digest, str]


def join_notes(notes: Mapping[str, Note]) -> Notes:
    """Returns what `notes`, by object name, say together."""
    marks = {name: note for name, note in notes.items() if isinstance(note, Mark)}
    retirements = {name: note for name, note in notes.items() if isinstance(note, Retirement)}
    erased: dict[Digest, str] = {}
    for _, note in sorted(notes.items()):
        if isinstance(note, Erasure):
            erased.update(dict.fromkeys(note.digests, note.reason))
    condemned = frozenset(chain.from_iterable(mark.condemned for mark in marks.values()))
    retired = frozenset(chain.from_iterable(note.roots for note in retirements.values()))
    return Notes(marks, retirements, condemned, retired, erased)


NO_NOTES: Final = Notes({}, {}, frozenset(), frozenset(), {})
_SUFFIXES: Final = {Mark: "mark", Retirement: "retired", Erasure: "erased"}


def encode_note(note: Note) -> bytes:
    """Returns the one text of a mark, a retirement or an erasure.

    Raises:
        ValueError: A field is not what its class says of it.
        UsageError: The reason of an erasure is not one printable line of at most 1,000 characters.
    """
    if isinstance(note, Mark):
        lines = ["dvtool-mark: 1", *(f"condemned: {name}" for name in note.condemned)]
    elif isinstance(note, Retirement):
        lines = ["dvtool-retired: 1", *(f"root: {name}" for name in note.roots)]
    else:
        digests = [f"digest: {format_digest(digest)}" for digest in note.digests]
        lines = ["dvtool-erased: 1", f"reason: {note.reason}", *digests]
        if not _is_reason(note.reason):
            raise UsageError("a reason is one line of 1 to 1,000 printable characters")
    text = "\n".join(lines).encode() + b"\n"
    try:
        if parse_note(note_name(note, text), text) == note:
            return text
    except CorruptObject as error:
        raise ValueError(f"not a {_SUFFIXES[type(note)]} note: {error}") from error
    raise ValueError(f"not a {_SUFFIXES[type(note)]} note")


def note_name(note: Note, text: bytes) -> str:
    """Returns the object name of a note with this text."""
    return f"gc/{sha256(text).hexdigest()}.{_SUFFIXES[type(note)]}"


def parse_note(name: str, text: bytes) -> Note:
    """Returns the note that `text` spells; its kind stands in its object name.

    Raises:
        CorruptObject: It is not the one valid spelling of a note of that kind.
    """
    match = GC_NAME.fullmatch(name)
    if match is None:
        raise CorruptObject(f"no name of a gc note: {name[:80]!r}")
    try:
        spelt = text.decode()
    except UnicodeDecodeError as error:
        raise CorruptObject("a gc note is not UTF-8") from error
    if match[2] == "mark":
        return Mark(_names(_fields(_MARK, spelt)[0], _STORED))
    if match[2] == "retired":
        return Retirement(_names(_fields(_RETIRED, spelt)[0], _ROOT))
    reason, lines = _fields(_ERASED, spelt)
    if not _is_reason(reason):
        raise CorruptObject("reason of an erasure is not one printable line")
    return Erasure(reason, _ascending(lines, parse_digest))


def _is_reason(text: str) -> bool:
    return 0 < len(text) <= _REASON_MAX and text.isprintable() and text == text.strip()


def _fields(form: re.Pattern[str], text: str) -> tuple[str, ...]:
    match = form.fullmatch(text)
    if match is None:
        raise CorruptObject(f"not a gc note, or one of a newer format: {text[:80]!r}")
    return match.groups()


def _names(lines: str, form: str) -> tuple[str, ...]:
    def checked(name: str) -> str:
        if re.fullmatch(form, name) is None:
            raise CorruptObject(f"a gc note names no object of a remote: {name[:100]!r}")
        return name

    return _ascending(lines, checked)


def _ascending(lines: str, parse: Callable[[str], _T]) -> tuple[_T, ...]:
    values = [line.split(": ", 1)[1] for line in lines.splitlines()]
    if not all(before < after for before, after in pairwise(values)):
        raise CorruptObject("lines of a gc note are not sorted, or one stands twice")
    return tuple(parse(value) for value in values)


def batches(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Returns `names` ascending, each once, in pieces that fit into one note; none for none."""
    ordered = sorted(set(names))
    return [tuple(ordered[i : i + NAMES_MAX]) for i in range(0, len(ordered), NAMES_MAX)]
