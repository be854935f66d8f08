"""What a judgement of one table or one data set comes to: values, as they are cached and reported.

How they come about is `dvtool.quality.judging`; how they look is `dvtool.report`. Light to import,
so that a verdict already known costs no engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dvtool.errors import InvalidText
from dvtool.quality.findings import (
    Evidence,
    Example,
    Finding,
    Outcome,
    Place,
    Severity,
    Verdict,
    verdict,
)

if TYPE_CHECKING:
    from dvtool.quality.profile.model import Profile

FORMAT_VERSION = 1
UNOPENED: Final = "unopened"
"""Code of the finding that a file could not be opened; never remembered."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a table was compared with.

    Attributes:
        name: A file, or a commit's first 12 digits.
        why: How it was chosen, in words.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class JudgedTable:
    """One table and what was found in it.

    Attributes:
        name: As the user knows it.
        findings: Worst first, then in the order of the file.
        rows: Rows that were read, 0 when it could not be read at all.
        columns: Their number.
        reading: How it was read, in words: `csv, ',', utf-8`.
        baseline: What it was compared with, None for nothing.
        reference: The second baseline that its checks pin, None for none.
        would_decide_more: Evidence that nobody gave yet, in words; never part of the verdict.
        drift: Effects by column, for people who ask for figures; JSON values only.
        is_table: False for a file that holds none, by its name.
        profile: Its profile, where one was computed or known; never part of the JSON, since it is
            kept under an address of its own.
        valid_until: When a clock will change the answer; None when none does.
    """

    name: str
    findings: tuple[Finding, ...] = ()
    rows: int = 0
    columns: int = 0
    reading: str = ""
    baseline: Baseline | None = None
    would_decide_more: tuple[str, ...] = ()
    drift: tuple[Mapping[str, Any], ...] = ()
    is_table: bool = True
    reference: Baseline | None = None
    profile: Profile | None = field(default=None, compare=False, repr=False)
    valid_until: dt.datetime | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst answer its findings give."""
        return verdict(self.findings) if self.is_table else Verdict.NOT_JUDGED


@dataclass(frozen=True, slots=True)
class Judgement:
    """One data set, or one file outside of any, and all its tables.

    Attributes:
        name: Path relative to the top of the work tree, or as typed.
        version: What was judged: `work tree`, `staged`, a commit's first 12 digits, or empty.
        tables: In the order of their names; a data set without a table has none.
        remembered: Taken from an earlier judgement of the same inputs.
        inputs: Digests of everything it depended on, by what it is.
    """

    name: str
    version: str
    tables: tuple[JudgedTable, ...]
    remembered: bool = False
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The worst answer of its tables; not judged when it has none."""
        return worst(table.verdict for table in self.tables)


_RANK = (Verdict.FAIL, Verdict.UNDECIDED, Verdict.WARN, Verdict.PASS)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Returns the worst of several verdicts; not judged when there is none to speak of."""
    found = set(verdicts)
    return next((one for one in _RANK if one in found), Verdict.NOT_JUDGED)


def sorted_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Returns findings in the order in which people should read them: what matters first."""
    rank = {Verdict.FAIL: 0, Verdict.UNDECIDED: 1, Verdict.WARN: 2, Verdict.PASS: 3}
    return tuple(sorted(findings, key=lambda one: (rank[verdict([one])], one.place.line)))


# -- JSON ------------------------------------------------------------------------------------------


def to_json(judgement: Judgement) -> dict[str, Any]:
    """Returns a judgement as JSON values; `from_json` gives it back."""
    return {
        "format": FORMAT_VERSION,
        "name": judgement.name,
        "version": judgement.version,
        "verdict": judgement.verdict.value,
        "inputs": dict(judgement.inputs),
        "tables": [_table_json(table) for table in judgement.tables],
    }


def from_json(value: Mapping[str, Any], *, source: str = "") -> Judgement:
    """Returns the judgement that `to_json` wrote, marked as remembered.

    Raises:
        InvalidText: It is something else.
    """
    try:
        if value["format"] != FORMAT_VERSION:
            raise InvalidText(f"judgement of format {value['format']!r}", source=source)
        tables = tuple(_table(one) for one in value["tables"])
        return Judgement(
            value["name"], value["version"], tables, remembered=True, inputs=value["inputs"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidText(f"not a judgement: {error!r}", source=source) from error


def _table_json(table: JudgedTable) -> dict[str, Any]:
    return {
        "name": table.name,
        "verdict": table.verdict.value,
        "is_table": table.is_table,
        "rows": table.rows,
        "columns": table.columns,
        "reading": table.reading,
        "baseline": _baseline_json(table.baseline),
        "reference": _baseline_json(table.reference),
        "would_decide_more": list(table.would_decide_more),
        "findings": [finding_json(one) for one in table.findings],
        "drift": [dict(one) for one in table.drift],
        "valid_until": table.valid_until and table.valid_until.isoformat(),
    }


def _baseline_json(one: Baseline | None) -> dict[str, str] | None:
    return None if one is None else {"name": one.name, "why": one.why}


def finding_json(one: Finding) -> dict[str, Any]:
    """Returns a finding as JSON values, as `to_json` writes it."""
    return {
        "code": one.code,
        "verdict": verdict([one]).value,
        "message": one.message,
        "column": one.column,
        "evidence": one.evidence.value,
        "severity": one.severity.value,
        "outcome": one.outcome.value,
        "place": _place_json(one.place),
        "rule": one.rule and _place_json(one.rule),
        "examples": [
            {"place": _place_json(example.place), "value": example.value}
            for example in one.examples
        ],
        "figures": one.figures,
        "hint": one.hint,
        "waived": one.waived,
    }


def _place_json(place: Place) -> dict[str, Any]:
    return {"path": place.path, "line": place.line, "row": place.row}


def _table(value: Mapping[str, Any]) -> JudgedTable:
    until = value["valid_until"]
    return JudgedTable(
        name=value["name"],
        findings=tuple(_finding(one) for one in value["findings"]),
        rows=value["rows"],
        columns=value["columns"],
        reading=value["reading"],
        baseline=Baseline(**value["baseline"]) if value["baseline"] else None,
        reference=Baseline(**value["reference"]) if value["reference"] else None,
        would_decide_more=tuple(value["would_decide_more"]),
        drift=tuple(value["drift"]),
        is_table=value["is_table"],
        valid_until=dt.datetime.fromisoformat(until) if until else None,
    )


def _finding(value: Mapping[str, Any]) -> Finding:
    return Finding(
        code=value["code"],
        message=value["message"],
        place=Place(**value["place"]),
        evidence=Evidence(value["evidence"]),
        column=value["column"],
        severity=Severity(value["severity"]),
        outcome=Outcome(value["outcome"]),
        rule=Place(**value["rule"]) if value["rule"] else None,
        examples=tuple(Example(Place(**one["place"]), one["value"]) for one in value["examples"]),
        figures=value["figures"],
        hint=value["hint"],
        waived=value["waived"],
    )
