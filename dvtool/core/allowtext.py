"""The text of allow files: one line an entry, one valid text for each list of entries, untrusted.

`parse_allow` and `encode_allow` are inverse, as for sidecars. What an entry is stands in
`dvtool.core.allow`. Called by whoever has the bytes of an allow file. Spec: docs/format.md#allow.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Final, cast, get_args

from dvtool.core.allow import Allowance, Kind
from dvtool.core.digest import Digest, format_digest, parse_digest
from dvtool.errors import InvalidText

FORMAT_VERSION: Final = 1
MAX_ALLOW_BYTES: Final = 1 << 20
TEXT_MAX: Final = 1000
"""Characters of a reason or a name, at most."""
_KEYS: Final = ("finding", "kind", "reason", "until", "by", "when", "table", "data")
_NEEDED: Final = ("finding", "kind", "reason", "by", "when", "data")
_QUOTED: Final = ("finding", "reason", "by", "table")
_HEAD: Final = f"allow: {FORMAT_VERSION}\nentries:\n"
_PAIR = re.compile(r'([a-z][a-z0-9-]{0,63}): (?:"((?:[^"\\]|\\["\\])*)"|([^\s",{}]+))(, |$)')
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LINE = re.compile(r"- \{(.+)\}")
# Control characters, line breaks of any kind, and what turns the order of letters on a screen.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def encode_allow(entries: Sequence[Allowance]) -> bytes:
    """Returns the one valid text of at least one entry.

    Raises:
        InvalidText: An entry holds what cannot be written, or two are about the same.
    """
    text = _HEAD + "".join(f"- {{{_pairs(one)}}}\n" for one in entries)
    parse_allow(text.encode("utf-8", "surrogatepass"))
    return text.encode()


def parse_allow(text: bytes, *, source: str = "") -> tuple[Allowance, ...]:
    """Returns the entries of an allow file, in its order.

    Args:
        text: The committed bytes.
        source: Its path, for error messages.

    Raises:
        InvalidText: Any text but the one that `encode_allow` writes; with file and line.
    """
    try:
        return _parse(text)
    except InvalidText as error:
        raise error.located(source) from None


def _pairs(one: Allowance) -> str:
    values = {
        "finding": one.finding,
        "kind": one.kind,
        "reason": one.reason,
        "until": one.until.isoformat() if one.until is not None else "",
        "by": one.by,
        "when": one.when.isoformat(),
        "table": one.table,
        "data": format_digest(one.data),
    }
    return ", ".join(
        f"{key}: {_quoted(value) if key in _QUOTED else value}"
        for key, value in values.items()
        if value
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _parse(raw: bytes) -> tuple[Allowance, ...]:
    if len(raw) > MAX_ALLOW_BYTES:
        raise InvalidText(f"larger than {MAX_ALLOW_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        at = raw[: error.start].count(b"\n") + 1
        raise InvalidText("not UTF-8", line=at) from error
    if not text.startswith(f"allow: {FORMAT_VERSION}\n"):
        found = text.partition("\n")[0][:60]
        raise InvalidText(f"expected 'allow: {FORMAT_VERSION}', found {found!r}", line=1)
    if not text.startswith(_HEAD):
        raise InvalidText("expected 'entries:'", line=2)
    lines = text[len(_HEAD) :].split("\n")
    if lines.pop():
        raise InvalidText("the last line has no end", line=len(lines) + 3)
    if not lines:
        raise InvalidText("no entry", line=2, hint="remove the file when nothing is allowed")
    entries: dict[tuple[Digest, str, str], tuple[Allowance, int]] = {}
    for number, line in enumerate(lines, 3):
        try:
            entry = _entry(line)
        except InvalidText as error:
            raise InvalidText(error.message, line=number, hint=error.hint) from None
        about = (entry.data, entry.table, entry.finding)
        if about in entries:
            first = entries[about][1]
            raise InvalidText(
                f"{entry.finding} of the same data stands twice, first on line {first}",
                line=number,
                hint="keep one of the two",
            )
        entries[about] = (entry, number)
    return tuple(entry for entry, _ in entries.values())


def _entry(line: str) -> Allowance:
    match = _LINE.fullmatch(line)
    if match is None:
        raise InvalidText(
            f"expected an entry '- {{finding: …}}', found {line[:60]!r}",
            hint="dvtool allow writes entries",
        )
    values: dict[str, str] = {}
    for key, value in _read_pairs(match[1]):
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(_KEYS)}"
            raise InvalidText(f"unknown key {key}", hint=hint)
        if key in values:
            raise InvalidText(f"{key} stands twice")
        values[key] = value
    missing = next((key for key in _NEEDED if key not in values), None)
    if missing is not None:
        raise InvalidText(f"an entry needs {missing}")
    if list(values) != [key for key in _KEYS if key in values]:
        raise InvalidText(
            f"keys are not in order: {', '.join(key for key in _KEYS if key in values)}"
        )
    return _checked(values)


def _read_pairs(text: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or (pair[4] and pair.end() == len(text)):
            raise InvalidText(f"expected 'key: value', found {text[at : at + 60]!r}")
        key, quoted, plain = pair[1], pair[2], pair[3]
        if key in _KEYS and (quoted is not None) != (key in _QUOTED):
            how = "in double quotes" if key in _QUOTED else "without quotes"
            raise InvalidText(f"{key} is written {how}")
        found.append((key, plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)))
        at = pair.end()
    return found


def _checked(values: dict[str, str]) -> Allowance:
    for key in _QUOTED:
        value = values.get(key)
        if value is not None and (not value.strip() or value != value.strip()):
            raise InvalidText(f"{key} is empty, or has a space at an end")
        if value is not None and (len(value) > TEXT_MAX or _UNSEEN.search(value)):
            raise InvalidText(
                f"{key} is longer than {TEXT_MAX} characters, or holds invisible ones"
            )
    kind = values["kind"]
    if kind not in get_args(Kind):
        raise InvalidText(f"kind is exception or new-normal, found {kind[:60]!r}")
    if kind == "new-normal" and "until" in values:
        raise InvalidText("a new normal has no until", hint="an exception may end on a day")
    return Allowance(
        data=parse_digest(values["data"]),
        finding=values["finding"],
        kind=cast("Kind", kind),
        reason=values["reason"],
        by=values["by"],
        when=_day(values["when"], "when"),
        until=_day(values["until"], "until") if "until" in values else None,
        table=values.get("table", ""),
    )


def _day(text: str, key: str) -> dt.date:
    if _DAY.fullmatch(text):
        with suppress(ValueError):
            return dt.date.fromisoformat(text)
    raise InvalidText(f"{key} is a day such as 2026-12-31, found {text[:60]!r}")
