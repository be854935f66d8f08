"""A judgement on one screen: lines of text, verdict first, then what was found, worst first.

Nothing is decided here, and nothing is printed: the CLI does that. Called by `dvtool.cli`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dvtool.quality.findings import Finding, Outcome, Place, Severity, Verdict, verdict
from dvtool.quality.judged import JudgedTable, Judgement
from dvtool.report.harmless import one_line

SHOWN_FINDINGS = 12
SHOWN_EXAMPLES = 3
VALUE_WIDTH = 40


def lines(judgements: Sequence[Judgement], *, verbose: bool = False) -> Iterator[str]:
    """Returns a report; tables that pass take one line, notes are shown on request.

    Args:
        judgements: In the order to show them.
        verbose: Show notes, every finding, and what would decide more for each table.
    """
    return map(one_line, _lines(judgements, verbose=verbose))


def _lines(judgements: Sequence[Judgement], *, verbose: bool) -> Iterator[str]:
    for judgement in judgements:
        if not any(table.is_table for table in judgement.tables):
            yield f"{judgement.name}: not-judged, no file in it is a table"
        for table in judgement.tables:
            yield from _table(table, judgement, verbose=verbose)
    if sum(len(one.tables) for one in judgements) != 1:
        yield summary(judgements)


def summary(judgements: Sequence[Judgement]) -> str:
    """Returns the counts of all tables on one line."""
    counts = Counter(table.verdict for one in judgements for table in one.tables)
    total = sum(counts.values())
    if not total:
        return "no table to judge"
    parts = [f"{counts[one]} {one.value}" for one in Verdict if counts[one]]
    return f"{total} table{'s' * (total != 1)}: {', '.join(parts)}"


def _table(table: JudgedTable, judgement: Judgement, *, verbose: bool) -> Iterator[str]:
    if not table.is_table:
        if verbose:
            yield f"{table.name}: not-judged, not a table by its name"
        return
    facts = [_count(table.rows, "row"), _count(table.columns, "column"), table.reading]
    if judgement.version:
        facts.append(judgement.version)
    if judgement.remembered:
        facts.append("as judged before")
    yield f"{table.name}: {table.verdict.value} ({', '.join(one for one in facts if one)})"
    if table.baseline is not None:
        yield f"  compared with {table.baseline.name}, {table.baseline.why}"
    if table.reference is not None:
        yield f"  and with {table.reference.name}, {table.reference.why}"
    shown = [one for one in table.findings if verbose or _is_shown(one)]
    limit = len(shown) if verbose else SHOWN_FINDINGS
    for finding in shown[:limit]:
        yield from _finding_lines(finding)
    if len(shown) > limit:
        yield f"  and {len(shown) - limit} more findings (-v shows them)"
    notes = sum(not _is_shown(one) for one in table.findings)
    if notes and not verbose:
        yield f"  {notes} note{'s' * (notes != 1)} (-v shows {'them' if notes != 1 else 'it'})"
    if table.would_decide_more:
        yield f"  would decide more: {'; '.join(table.would_decide_more)}"


def _is_shown(finding: Finding) -> bool:
    """Tells whether a finding is shown without being asked for: what counts, or would have."""
    return finding.waived or finding.severity is not Severity.NOTE


def finding_lines(finding: Finding) -> Iterator[str]:
    """Returns one finding: what and where, examples, and the next step."""
    return map(one_line, _finding_lines(finding))


def _finding_lines(finding: Finding) -> Iterator[str]:
    rule = f" ({finding.rule})" if finding.rule and finding.rule != finding.place else ""
    column = f" {finding.column}:" if finding.column else ""
    yield f"  {_word(finding):9} {finding.place}{column} {finding.message} [{finding.code}]{rule}"
    values = [one for one in finding.examples if one.value is not None][:SHOWN_EXAMPLES]
    if values:
        yield "            " + ", ".join(
            f"{_where(one.place, finding.place.path)}{_short(one.value)}" for one in values
        )
    if finding.hint:
        yield f"            {'' if finding.waived else 'hint: '}{finding.hint}"


def _word(finding: Finding) -> str:
    if finding.severity is Severity.NOTE:
        return "waived" if finding.waived else "note"
    if finding.outcome is Outcome.UNDECIDED:
        return "undecided"
    return verdict([finding]).value


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _where(place: Place, home: str) -> str:
    """Returns the place of an example: with its file where that is not the finding's own."""
    if place.path != home:
        return f"{place}: " if place.line or not place.row else f"{place} row {place.row}: "
    if place.line:
        return f"line {place.line}: "
    return f"row {place.row}: " if place.row else ""


def _short(value: str | None) -> str:
    text = repr(value)
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 2]}…'"
