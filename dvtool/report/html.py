"""A report as one self-contained HTML page: no script, no request, opens from disk and prints.

Verdict first, then each data set: what failed with example rows, then a line a column with its
picture, its figures beside the baseline's and over time, then drift, then where all of it comes
from. What passes is folded. The page is made by Jinja2 from `templates/`, which escapes everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dvtool.quality.findings import Finding, Severity, Verdict, verdict
from dvtool.quality.judged import JudgedTable, Judgement
from dvtool.quality.profile.model import ColumnProfile
from dvtool.quality.profile.privacy import Privacy
from dvtool.report import pictures
from dvtool.report.drift_table import drift_cells
from dvtool.report.harmless import harmless
from dvtool.report.model import Report, TablePicture
from dvtool.report.profile_table import shown
from dvtool.report.told import word_of

if TYPE_CHECKING:
    import jinja2

SHOWN_EXAMPLES: Final = 20
VALUE_WIDTH: Final = 120
MOST_PICTURES: Final = 1_500
"""Beyond so many columns on a page, only those with findings are drawn."""
_WORDS: Final = {
    Verdict.PASS: "Pass",
    Verdict.WARN: "Warn",
    Verdict.UNDECIDED: "Undecided",
    Verdict.FAIL: "Fail",
    Verdict.NOT_JUDGED: "Not judged",
}
_RANK: Final = {
    "fail": 0,
    "undecided": 1,
    "warn": 2,
    "waived": 3,
    "note": 4,
    "pass": 5,
    "not-judged": 6,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a column: now and before, as people write them."""

    name: str
    now: str
    before: str

    @property
    def is_changed(self) -> bool:
        """Whether the two differ."""
        return bool(self.before) and self.now != self.before


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """One column on the page."""

    name: str
    kind: str
    word: str
    is_private: bool
    picture: pictures.Histogram | pictures.Bars | None
    figures: tuple[Figure, ...]
    lines: tuple[pictures.Line, ...]


@dataclass(frozen=True, slots=True)
class TableBlock:
    """One table on the page."""

    judged: JudgedTable
    anchor: str
    word: str
    findings: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    columns: tuple[ColumnRow, ...]
    drift: tuple[tuple[str, ...], ...]
    rows_line: pictures.Line | None
    baseline: str


def render(report: Report) -> str:
    """Returns the page."""
    blocks = [
        (judgement, [_block(judgement, table, report) for table in judgement.tables])
        for judgement in sorted(report.judgements, key=lambda one: _RANK[one.verdict.value])
    ]
    count = sum(len(table.columns) for _, tables in blocks for table in tables)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            word=report.verdict.value,
            words=_WORDS,
            blocks=blocks,
            counts=_counts(report),
            inputs=[(one, dict(one.inputs)) for one in report.judgements if one.inputs],
            draws_all=count <= MOST_PICTURES,
        )
    )


@cache
def environment() -> jinja2.Environment:
    """Returns what makes pages of the templates of this package; they escape everything."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.PackageLoader("dvtool.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    found.filters["harmless"] = harmless
    found.filters["value"] = _value
    found.filters["word"] = word_of
    found.filters["verdict"] = lambda finding: verdict([finding]).value
    found.globals["SHOWN_EXAMPLES"] = SHOWN_EXAMPLES
    return found


def _value(text: str) -> str:
    plain = harmless(text)
    return plain if len(plain) <= VALUE_WIDTH else f"{plain[: VALUE_WIDTH - 1]}…"


def _counts(report: Report) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for judgement in report.judgements:
        for table in judgement.tables:
            found[table.verdict.value] = found.get(table.verdict.value, 0) + 1
    return sorted(found.items(), key=lambda one: _RANK[one[0]])


def _block(judgement: Judgement, table: JudgedTable, report: Report) -> TableBlock:
    picture = report.pictures.get(table.name, TablePicture())
    rows = picture.profile.rows if picture.profile is not None else table.rows
    return TableBlock(
        judged=table,
        anchor=f"t-{sha256(f'{judgement.name}:{table.name}'.encode('utf-8', 'replace')).hexdigest()[:12]}",
        word=table.verdict.value,
        findings=tuple(one for one in table.findings if not _is_note(one)),
        notes=tuple(one for one in table.findings if _is_note(one)),
        columns=tuple(_column_rows(table, picture)),
        drift=tuple(drift_cells(table)),
        rows_line=pictures.rows_line(rows, picture.past) if rows else None,
        baseline="" if table.baseline is None else harmless(table.baseline.name),
    )


def _is_note(finding: Finding) -> bool:
    """Tells whether a finding is shown on request only; what was waived stays in sight."""
    return finding.severity is Severity.NOTE and not finding.waived


def _column_rows(table: JudgedTable, picture: TablePicture) -> Iterator[ColumnRow]:
    words = _words_by_column(table)
    rows = [column_row(name, words, picture) for name in column_names(picture)]
    yield from sorted(rows, key=lambda one: _RANK[one.word])


def _words_by_column(table: JudgedTable) -> Mapping[str, str]:
    """Returns the worst answer of each column that has a finding."""
    words: dict[str, str] = {}
    for finding in table.findings:
        word = word_of(finding)
        if _RANK[word] < _RANK[words.get(finding.column, "pass")]:
            words[finding.column] = word
    return words


def column_names(picture: TablePicture) -> Sequence[str]:
    """Returns the columns of both versions, today's order first."""
    sides = (picture.profile, picture.baseline)
    names = (column.name for side in sides if side is not None for column in side.columns)
    return list(dict.fromkeys(names))


def column_row(name: str, words: Mapping[str, str], picture: TablePicture) -> ColumnRow:
    """Returns one column as the page shows it, with the word it has, `pass` without one."""
    now = None if picture.profile is None else picture.profile.column(name)
    before = None if picture.baseline is None else picture.baseline.column(name)
    one = now or before
    assert one is not None
    is_private = name in picture.private or one.privacy is Privacy.PRIVATE
    kinds = dict.fromkeys(side.kind.value for side in (before, now) if side is not None)
    return ColumnRow(
        name=harmless(name),
        kind=" → ".join(kinds),
        word=words.get(name, "pass"),
        is_private=is_private,
        picture=None if is_private else pictures.distribution(now, before),
        figures=tuple(_figures(now, before, is_private=is_private)),
        lines=() if is_private else tuple(pictures.lines(name, now, picture.past)),
    )


def _figures(
    now: ColumnProfile | None, before: ColumnProfile | None, *, is_private: bool
) -> Iterator[Figure]:
    sides = [facts_of(one, is_private=is_private) for one in (now, before)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        yield Figure(name, sides[0].get(name, ""), sides[1].get(name, ""))


def facts_of(column: ColumnProfile | None, *, is_private: bool) -> dict[str, str]:
    """Returns the figures of a column as people write them, by name."""
    if column is None:
        return {}
    share = column.null_share
    facts = {"missing": "-" if share is None else f"{share:.2%}"}
    if is_private:
        return facts
    if column.distinct is not None:
        about = "~" if column.distinct_error else ""
        facts["distinct"] = f"{about}{min(column.distinct, column.present):,.0f}"
    numbers, kind = column.numbers, column.kind
    if numbers is not None and numbers.low is not None and kind.value != "bool":
        facts["min"] = shown(kind, numbers.low)
        facts["median"] = shown(kind, numbers.quantile(0.5))
        facts["mean"] = shown(kind, column.mean, is_mean=True)
        facts["max"] = shown(kind, numbers.high)
    if column.texts is not None and column.texts.lengths.low is not None:
        lengths = column.texts.lengths
        facts["length"] = f"{lengths.low} to {lengths.high}"
    return facts
