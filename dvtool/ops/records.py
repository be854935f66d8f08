"""Verdict records: what was once found of a version, in a form that can be kept and shown.

A record says which bytes were judged, by what, with what result; it holds no value of the data and
proves nothing to anyone. Here are the values and the folder of this clone; sending and fetching
them is `dvtool.ops.record_travel`, and remembering whole judgements is `dvtool.ops.verdicts`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from dvtool.core.digest import Digest, format_digest, parse_digest
from dvtool.errors import InvalidText
from dvtool.quality.findings import Severity, Verdict, verdict
from dvtool.quality.judged import Judgement

FORMAT_VERSION: Final = 1
MAX_RECORD_BYTES: Final = 1 << 20
MOST_FINDINGS: Final = 500
"""Findings a record lists; the verdict counts all of them."""
KEPT: Final = 5_000
_NAME = re.compile(r"([0-9a-f]{64})-([0-9a-f]{64})\.json")


@dataclass(frozen=True, slots=True)
class Found:
    """One finding of a record.

    Attributes:
        table: The file, as people know it.
        key: `column.code` or `code`.
        verdict: What it alone makes of the data set.
        message: In words; empty where they could tell a value of a private column.
        waived: Why it does not count; empty where it counts.
    """

    table: str
    key: str
    verdict: Verdict
    message: str = ""
    waived: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One judgement of one version of a data set.

    Attributes:
        dataset: Its path.
        data: Digest of the version, see `dvtool.core.sidecar.version_digest`.
        verdict: The answer.
        checks: Digest of the text of the checks file; empty when there was none.
        allow: Digest of the text of the allow file; empty when there was none.
        baselines: What it was compared with: name, why.
        findings: What counted or was waived, worst first.
        versions: Of the libraries that judged.
        time: When it was judged first, UTC, ISO 8601.
    """

    dataset: str
    data: Digest
    verdict: Verdict
    checks: str = ""
    allow: str = ""
    baselines: tuple[tuple[str, str], ...] = ()
    findings: tuple[Found, ...] = ()
    versions: Mapping[str, str] | None = None
    time: str = ""

    @property
    def name(self) -> str:
        """64 hex digits that follow from everything but the time."""
        timeless = encode_record(replace(self, time=""))
        return hashlib.sha256(timeless).hexdigest()

    @property
    def file_name(self) -> str:
        """What it is called in a folder of records."""
        return f"{self.data.hex()}-{self.name}.json"


def record_of(
    judged: Judgement,
    data: Digest,
    *,
    checks: str,
    allow: str,
    versions: Mapping[str, str],
    now: dt.datetime,
) -> Record:
    """Returns what is kept of a judgement.

    Args:
        judged: Of a whole data set; values of its private columns are in it nowhere.
        data: Digest of the version.
        checks: Text of the checks file, empty for none.
        allow: Text of the allow file, empty for none.
        versions: Of what judged.
        now: The time.
    """
    found = [
        Found(
            table.name,
            one.key,
            verdict([one]),
            one.message,
            one.hint if one.waived else "",
        )
        for table in judged.tables
        for one in table.findings
        if one.waived or one.severity is not Severity.NOTE
    ]
    baselines = {(one.baseline.name, one.baseline.why) for one in judged.tables if one.baseline}
    return Record(
        judged.name,
        data,
        judged.verdict,
        text_digest(checks),
        text_digest(allow),
        tuple(sorted(baselines)),
        tuple(found[:MOST_FINDINGS]),
        dict(versions),
        now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def text_digest(text: str) -> str:
    """Returns the digest of a text file as records name it; empty for no text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" if text else ""


def without_messages(record: Record, columns: Sequence[str] | frozenset[str]) -> Record:
    """Returns a record without the words of findings about some columns."""
    keep = [
        replace(one, message="") if one.key.rpartition(".")[0] in columns else one
        for one in record.findings
    ]
    return replace(record, findings=tuple(keep))


def encode_record(record: Record) -> bytes:
    """Returns the text of a record: JSON in ASCII, keys sorted, one line."""
    value = {
        "record": FORMAT_VERSION,
        "dataset": record.dataset,
        "data": format_digest(record.data),
        "verdict": record.verdict.value,
        "checks": record.checks,
        "allow": record.allow,
        "baselines": [{"name": name, "why": why} for name, why in record.baselines],
        "findings": [
            {
                "table": one.table,
                "finding": one.key,
                "verdict": one.verdict.value,
                "message": one.message,
                "waived": one.waived,
            }
            for one in record.findings
        ],
        "versions": dict(record.versions or {}),
        "time": record.time,
    }
    return json.dumps(value, sort_keys=True, ensure_ascii=True).encode() + b"\n"


def parse_record(text: bytes, *, source: str = "") -> Record:
    """Returns what the text of a record says; it may come from anyone.

    Raises:
        InvalidText: It is no record, or one of another version.
    """
    if len(text) > MAX_RECORD_BYTES:
        raise InvalidText(f"larger than {MAX_RECORD_BYTES} bytes", source=source)
    try:
        value = json.loads(text)
        if value["record"] != FORMAT_VERSION:
            raise InvalidText(f"record of version {value['record']!r}", source=source)
        return Record(
            dataset=_text(value["dataset"]),
            data=parse_digest(value["data"]),
            verdict=Verdict(value["verdict"]),
            checks=_text(value["checks"]),
            allow=_text(value["allow"]),
            baselines=tuple((_text(one["name"]), _text(one["why"])) for one in value["baselines"]),
            findings=tuple(map(_found, value["findings"][:MOST_FINDINGS])),
            versions={_text(name): _text(one) for name, one in value["versions"].items()},
            time=_text(value["time"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InvalidText(f"not a verdict record: {error!r}", source=source) from error


def _found(value: Mapping[str, Any]) -> Found:
    return Found(
        _text(value["table"]),
        _text(value["finding"]),
        Verdict(value["verdict"]),
        _text(value["message"]),
        _text(value["waived"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {str(value)[:60]}")
    return value


class Records:
    """The records that a clone keeps, one small file each, found by the data they are about."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder, which is made when something is put into it."""
        self._folder = folder
        self._names: dict[str, list[str]] | None = None

    def about(self, dataset: str, data: Digest) -> list[Record]:
        """Returns the records of a version, newest first; damaged ones are left out."""
        found = (self._read(name) for name in self._listed().get(data.hex(), []))
        fitting = [one for one in found if one is not None and one.dataset == dataset]
        return sorted(fitting, key=lambda one: one.time, reverse=True)

    def put(self, record: Record) -> None:
        """Keeps a record, if the same is not kept already; a full disk loses it and says nothing."""
        path = self._folder / record.file_name
        unfinished = path.with_suffix(f".tmp-{os.getpid()}")
        with contextlib.suppress(OSError):
            if path.exists():
                os.utime(path)
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(encode_record(record))
            unfinished.replace(path)
            self._names = None
            forget_oldest(self._folder, KEPT)

    def forget(self, versions: Iterable[Digest]) -> None:
        """Removes all records about some versions."""
        listed = self._listed()
        for data in versions:
            for name in listed.get(data.hex(), []):
                with contextlib.suppress(OSError):
                    (self._folder / name).unlink()
        self._names = None

    def _listed(self) -> Mapping[str, list[str]]:
        if self._names is None:
            self._names = {}
            with contextlib.suppress(OSError):
                for name in os.listdir(self._folder):
                    if match := _NAME.fullmatch(name):
                        self._names.setdefault(match[1], []).append(name)
        return self._names

    def _read(self, name: str) -> Record | None:
        try:
            return parse_record((self._folder / name).read_bytes(), source=name)
        except (OSError, InvalidText):
            return None


def forget_oldest(folder: Path, most: int) -> None:
    """Removes the oldest files of a folder once there are a tenth more than `most`.

    Raises:
        OSError: The folder cannot be read, or a file not be removed.
    """
    names = os.listdir(folder)
    if len(names) <= most + most // 10:
        return
    paths = sorted((folder / name for name in names), key=lambda one: one.stat().st_mtime)
    for path in paths[: len(paths) - most]:
        path.unlink(missing_ok=True)


def failing(records: Iterator[Record] | Sequence[Record], checks: str) -> Record | None:
    """Returns the newest record of some checks if it is a fail, None otherwise.

    Args:
        records: Newest first.
        checks: Digest of the checks, as records name it.
    """
    newest = next((one for one in records if one.checks == checks), None)
    return newest if newest is not None and newest.verdict is Verdict.FAIL else None
