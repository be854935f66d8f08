"""One table judged: structure, checks, what changed since the baseline, drift; in that order.

The parts stand in `tables`, `checks`, `drift` and `splits`; here they are put together, and values
of private columns are kept out of what comes back. Bytes and versions are the caller's business:
`dvtool.ops.check`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from dvtool.errors import DvtoolError, ExtraMissing
from dvtool.quality.causes import with_causes
from dvtool.quality.changes import changes
from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.policy import apply_policy
from dvtool.quality.checks.timing import fresh_until
from dvtool.quality.filled import filled, findings_of
from dvtool.quality.findings import Evidence, Example, Finding, Outcome, Place, Severity
from dvtool.quality.folding import MISPLACED, without_repeats
from dvtool.quality.given import Given, not_run
from dvtool.quality.judged import UNOPENED, JudgedTable, sorted_findings
from dvtool.quality.outward import by_schema, by_splits, opener
from dvtool.quality.profile.model import Profile
from dvtool.quality.profiling import profiled
from dvtool.quality.ragged import with_departures
from dvtool.quality.retyping import with_faults
from dvtool.quality.shifted import with_shift
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Members, Source
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.structure import times
from dvtool.quality.tables.table import Table, Unreadable
from dvtool.quality.tables.union import open_union
from dvtool.quality.tables.union_findings import located


class Opened(NamedTuple):
    """What an engine holds once a table was judged.

    Attributes:
        engine: It.
        table: What was judged; None where it could not be read.
        before: Its baseline, where that was read.
        profiles: New profiles of the files of a table of several, by their marks.
    """

    engine: Engine
    table: Table | None
    before: Table | None
    profiles: Mapping[str, Profile] = MappingProxyType({})


def judge_table(engine: Engine, given: Given) -> JudgedTable:
    """Returns everything found in one table; see `judge_opened`."""
    return judge_opened(engine, given)[0]


def judge_opened(engine: Engine, given: Given) -> tuple[JudgedTable, Opened]:
    """Returns everything found in one table, and what was opened for it.

    A file that is no table at all is an answer, too: its findings say why. One that cannot be
    opened, or needs a package that is not installed, is undecided. Never raises for what the data
    hold.
    """
    spec = given.spec or TableSpec()
    try:
        table = open_table(engine, given.path, name=given.name, options=spec.read)
    except (Unreadable, ExtraMissing, OSError) as error:
        findings = _finished(_unopened(error, given), given, spec)
        unread = JudgedTable(given.name, findings, baseline=given.baseline)
        return unread, Opened(engine, None, None)
    found = list(table.findings)
    more: list[str] = []
    if given.spec is not None:
        table_of = opener(engine, given)
        broken = evaluate(
            engine,
            table,
            spec,
            source=given.source,
            limit=given.examples,
            now=given.now,
            table_of=table_of,
        )
        found += with_causes(engine, table, spec, broken, source=given.source, table_of=table_of)
        found += by_schema(engine, given, spec, table)
        found += by_splits(engine, given, spec)
    else:
        more.append(f"checks of your own (dvtool suggest {given.name} writes a draft)")
    profile = given.profile
    new: Mapping[str, Profile] = {}
    if profile is None and given.profiling is not None:
        profile, new = profiled(engine, given, table)
    compared = _compared(engine, given, spec, table, profile)
    found += compared.findings
    if given.same_as:
        found.append(_earlier_data(given))
    if compared.before is None:
        found += findings_of(engine, table, filled(engine, None, table))
    found = with_departures(engine, compared.before, table, found)
    found = with_shift(engine, compared.before, table, spec.schema_change, found)
    if given.reference is not None:
        from dvtool.quality.referencing import judge_reference

        pinned = (given.reference, given.reference_path)
        found += judge_reference(engine, table, spec, *pinned, source=given.source)
    judged = JudgedTable(
        name=given.name,
        findings=_finished(located(engine, table, _without_echo(found)), given, spec),
        rows=table.rows,
        columns=len(table.columns),
        reading=_reading(table),
        baseline=given.baseline,
        reference=given.reference,
        would_decide_more=(*more, *compared.would_decide_more),
        drift=compared.drift,
        profile=profile,
        valid_until=fresh_until(engine, table, spec),
    )
    return judged, Opened(engine, table, compared.before, new)


def _unopened(error: Unreadable | ExtraMissing | OSError, given: Given) -> tuple[Finding, ...]:
    if isinstance(error, Unreadable):
        return tuple(error.findings)
    code, why, hint = UNOPENED, "", ""
    if isinstance(error, ExtraMissing):
        code, why, hint = "extra-missing", error.message.removeprefix(f"{given.name}: "), error.hint
    else:
        why = f"cannot be opened: {error.strerror or error}"
    found = Finding(
        code,
        f"could not run: {why}",
        Place(given.name),
        Evidence.STRUCTURE,
        outcome=Outcome.UNDECIDED,
        hint=hint,
    )
    return (found,)


def _earlier_data(given: Given) -> Finding:
    return Finding(
        "earlier-data",
        f"byte for byte the same as {given.same_as}, from before the version before",
        Place(given.name),
        Evidence.STRUCTURE,
        severity=Severity.WARN,
        hint="was an old export delivered again? A git revert of what it replaces says that it is meant",
    )


class _Compared(NamedTuple):
    """What the baseline tells, as `JudgedTable` takes it; and the baseline, where its rows are here."""

    findings: Sequence[Finding] = ()
    drift: tuple[dict[str, Any], ...] = ()
    would_decide_more: tuple[str, ...] = ()
    before: Table | None = None


def _compared(
    engine: Engine, given: Given, spec: TableSpec, table: Table, profile: Profile | None
) -> _Compared:
    if given.baseline is None:
        return _Compared(
            would_decide_more=(
                given.no_baseline or "an earlier version to compare with (--baseline)",
            ),
        )
    if given.is_unchanged:
        return _Compared()
    if given.baseline_path is None:
        if given.baseline_profile is None or profile is None:
            unknown = f"the bytes of {given.baseline.name}, which are not here, nor is its profile"
            return _Compared(would_decide_more=(unknown,))
        from dvtool.quality.by_profile import compare_by_profile

        found, drift, unknown = compare_by_profile(engine, given, spec, table, profile)
        return _Compared(found, drift, (unknown,))
    try:
        name = given.baseline.name
        before = _opened_before(engine, given.baseline_path, table, name=name, options=spec.read)
    except (Unreadable, ExtraMissing, OSError) as error:
        # Nothing can be said against a baseline that is broken itself.
        why = _unopened(error, given)[0].message
        readable = f"a baseline that is a table: {name} is none ({why})"
        return _Compared(would_decide_more=(readable,))
    from dvtool.quality.union_news import drift_of  # scipy takes longer than judging a small table

    changed = changes(engine, given, spec, before, table)
    found = with_faults(engine, before, table, changed, private=spec.private)
    by_rows = filled(engine, before, table)
    faults = {one.column: one.fault for one in by_rows}
    drifted, figures = drift_of(engine, before, table, spec, source=given.source, known=faults)
    told = {one.column for one in drifted if one.outcome is Outcome.VIOLATED}
    found += findings_of(engine, table, [one for one in by_rows if one.column not in told])
    found += drifted
    return _Compared(found, tuple(figures), before=before)


def _opened_before(
    engine: Engine, source: Source, table: Table, *, name: str, options: ReadOptions | None
) -> Table:
    """Returns a baseline; files that the judged table has, too, are not read once more."""
    if not isinstance(source, Members):
        return open_table(engine, source, name=name, options=options, contents=False)
    known = {one.mark: one for one in table.members}
    return open_union(engine, source, name=name, options=options, contents=False, known=known)


# -- what leaves -----------------------------------------------------------------------------------


def _without_echo(findings: list[Finding]) -> list[Finding]:
    """Returns findings where rows lost by a cut are told by the cut.

    A number of rows that the checks ask for stays a finding of its own: somebody asked.
    """
    cut = next((one for one in findings if one.code == "truncated"), None)
    lost = next((one for one in findings if one.code == "rows-lost"), None)
    if cut is None or lost is None:
        return findings
    told = replace(
        cut, message=f"{cut.message}; {lost.message}", figures={**cut.figures, **lost.figures}
    )
    return [told if one is cut else one for one in findings if one is not lost]


def _finished(
    findings: list[Finding] | tuple[Finding, ...], given: Given, spec: TableSpec
) -> tuple[Finding, ...]:
    hidden = spec.private | _holding_private(findings, spec.private)
    shown = [_masked(one) if one.column in hidden else one for one in findings]
    try:
        shown = without_repeats(apply_policy(shown, spec, given.now.date(), source=given.source))
    except DvtoolError as error:
        shown.append(not_run("policy", f"could not run: {error}", given, Place(given.source)))
    return sorted_findings(shown)


def _holding_private(findings: Sequence[Finding], private: frozenset[str]) -> frozenset[str]:
    """Returns columns in which values of private ones stand, as shifted or swapped rows put them."""
    moved = [set(one.figures["columns"]) for one in findings if one.code in MISPLACED]
    return frozenset[str]().union(*(one for one in moved if one & private))


_UNSAFE_MESSAGES = (Evidence.STRUCTURE,)


def _masked(finding: Finding) -> Finding:
    """Returns a finding without any value of its column: where, how often, and nothing else."""
    examples = tuple(Example(one.place, None) for one in finding.examples)
    figures = {
        key: value
        for key, value in finding.figures.items()
        if isinstance(value, int | float) and key in _COUNTS
    }
    message = finding.message
    if finding.evidence in _UNSAFE_MESSAGES:
        message = f"{finding.code.replace('-', ' ')}; the column is private, so no value is shown"
    return replace(finding, examples=examples, figures=figures, message=message)


_COUNTS: Final = frozenset({"rows", "share", "count", "of", "groups", "found", "allowed"})


def _reading(table: Table) -> str:
    options = table.options
    parts = (
        [f"{times(len(table.members), 'file')} of {options.format}"]
        if table.members
        else [options.format]
    )
    if options.format == "csv":
        parts.append(
            {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}.get(
                options.delimiter, repr(options.delimiter)
            )
        )
        if options.encoding.lower() not in ("utf-8", "utf8"):
            parts.append(options.encoding)
    if options.compression:
        parts.append(options.compression)
    return " ".join(parts)
