"""One table judged: structure, checks, what changed since the baseline, drift; in that order.

The parts stand in `tables`, `checks`, `drift` and `splits`; here they are put together, and values
of private columns are kept out of what comes back. Bytes and versions are the caller's business:
`dvtool.ops.check`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from dvtool.errors import DvtoolError
from dvtool.quality.causes import with_causes
from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.policy import apply_policy
from dvtool.quality.checks.shape import judge_rows_change
from dvtool.quality.checks.wholerules import TableOf
from dvtool.quality.drift_causes import with_drift_causes
from dvtool.quality.findings import Evidence, Example, Finding, Outcome, Place, Severity
from dvtool.quality.judged import Baseline, JudgedTable, sorted_findings
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.model import Profile
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.splits import judge_splits
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.table import Table, Unreadable

LOST_ROWS: Final = 0.5
"""Share of the baseline's rows whose loss is worth a warning without any check."""


@dataclass(frozen=True, slots=True)
class Profiling:
    """What a profile needs besides the table.

    Attributes:
        privacy: Of the columns that declare it.
        label: The column whose classes are summarised, empty for none.
        key: Of tokens.
    """

    privacy: Mapping[str, Privacy] = field(default_factory=dict)
    label: str = ""
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Given:
    """What is judged, and by what.

    Attributes:
        name: The file as the user knows it.
        path: Where its bytes are.
        spec: Its checks, None for none.
        source: The checks file, for `rule`.
        baseline: What it is compared with.
        baseline_path: Where the baseline's bytes are, None when they are not here.
        reference: The second baseline that its checks name, None for none.
        reference_path: Where its bytes are, None when they are not here.
        parts: Files of the split, by part, when the checks have `splits:`.
        root: Folder that `schema:` is looked up in.
        python: Whether code may run.
        now: For waivers and freshness.
        examples: Offending rows a finding, at most.
        profiling: How to profile the table while it is open, None for no profile.
    """

    name: str
    path: Path
    spec: TableSpec | None = None
    source: str = ""
    baseline: Baseline | None = None
    baseline_path: Path | None = None
    reference: Baseline | None = None
    reference_path: Path | None = None
    parts: Mapping[str, Path] = field(default_factory=dict)
    root: Path | None = None
    python: bool = True
    now: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    examples: int = 5
    profiling: Profiling | None = None


def judge_table(engine: Engine, given: Given) -> JudgedTable:
    """Returns everything found in one table.

    A file that is no table at all is an answer, too: its findings say why. Never raises for what
    the data hold.

    Raises:
        ExtraMissing: The format needs a package that is not installed.
        OSError: The file cannot be opened.
    """
    spec = given.spec or TableSpec()
    try:
        table = open_table(engine, given.path, name=given.name, options=spec.read)
    except Unreadable as error:
        findings = _finished(error.findings, given, spec)
        return JudgedTable(given.name, findings, baseline=given.baseline)
    found = list(table.findings)
    more: list[str] = []
    if given.spec is not None:
        broken = evaluate(
            engine,
            table,
            spec,
            source=given.source,
            limit=given.examples,
            now=given.now,
            table_of=_opener(engine, given),
        )
        found += with_causes(engine, table, spec, broken, source=given.source)
        found += _schema(engine, given, spec, table)
        found += _splits(engine, given, spec)
    else:
        more.append(f"checks of your own (dvtool suggest {given.name} writes a draft)")
    before = _baseline(engine, given)
    drift: tuple[dict[str, Any], ...] = ()
    if before is not None:
        from dvtool.quality import drifting  # scipy takes longer than judging a small table

        found += _changes(engine, given, spec, before, table)
        measured, effects = drifting.compare(engine, before, table, spec, source=given.source)
        found += with_drift_causes(engine, before, table, spec, measured)
        drift = tuple(effects)
    elif given.baseline is None:
        more.append("an earlier version to compare with (--baseline)")
    if given.reference is not None:
        from dvtool.quality.referencing import judge_reference

        pinned = (given.reference, given.reference_path)
        found += judge_reference(engine, table, spec, *pinned, source=given.source)
    return JudgedTable(
        name=given.name,
        findings=_finished(found, given, spec),
        rows=table.rows,
        columns=len(table.columns),
        reading=_reading(table),
        baseline=given.baseline,
        reference=given.reference,
        would_decide_more=tuple(more),
        drift=drift,
        profile=_profile(engine, given, table),
    )


def _profile(engine: Engine, given: Given, table: Table) -> Profile | None:
    how = given.profiling
    if how is None:
        return None
    return profile_table(
        engine,
        table,
        privacy=how.privacy,
        label=how.label,
        key=how.key,
        size_bytes=given.path.stat().st_size,
    )


def _baseline(engine: Engine, given: Given) -> Table | None:
    if given.baseline_path is None or given.baseline is None:
        return None
    spec = given.spec or TableSpec()
    try:
        return open_table(engine, given.baseline_path, name=given.baseline.name, options=spec.read)
    except Unreadable:
        return None  # nothing can be said against a baseline that is broken itself


def _changes(
    engine: Engine, given: Given, spec: TableSpec, before: Table, table: Table
) -> Iterator[Finding]:
    place = Place(given.name)
    policy = spec.schema_change or "fail"
    for one in compare_schema(before.columns, table.columns, policy=policy, name=given.name):
        yield _weighed(engine, table, one) if not spec.schema_change else one
    assert given.baseline_path is not None
    if _digest(given.path) == _digest(given.baseline_path):
        yield Finding(
            "same-data",
            f"byte for byte the same as {before.name}",
            place,
            Evidence.STRUCTURE,
            severity=Severity.WARN,
        )
    elif _same_rows(engine, before, table):
        yield Finding(
            "same-rows",
            f"the same {table.rows:,} rows as {before.name}, written in another way",
            place,
            Evidence.STRUCTURE,
            severity=Severity.NOTE,
        )
    lost = before.rows - table.rows
    asked = spec.rows is not None and spec.rows.change is not None
    if asked:
        yield from judge_rows_change(
            spec, table, before.rows, source=given.source, baseline=before.name
        )
    elif before.rows and lost > LOST_ROWS * before.rows:
        yield Finding(
            "rows-lost",
            f"{table.rows:,} rows, {lost:,} ({lost / before.rows:.0%}) fewer than {before.name}",
            place,
            Evidence.STRUCTURE,
            severity=Severity.WARN,
            figures={"rows": table.rows, "before": before.rows},
        )


def _weighed(engine: Engine, table: Table, finding: Finding) -> Finding:
    """Returns a finding about a type, milder where whole numbers were met by real decimals.

    `42` that became `42.0` is another writer; a first `12.5` among prices is what prices do.
    """
    if (finding.figures.get("was"), finding.figures.get("now")) != ("int", "float"):
        return finding
    name = quoted(finding.column)
    (count,), *_ = engine.rows(
        f"SELECT count(*) FROM {table.source} WHERE isfinite({name}) AND {name} <> floor({name})"
    )
    if not count:
        return finding
    message = f"{finding.message}: {count:,} of {table.rows:,} values have decimals"
    return replace(finding, severity=Severity.WARN, message=message)


def _opener(engine: Engine, given: Given) -> TableOf | None:
    """Returns what opens a table beside the judged one; None where nothing is beside it."""
    root = given.root
    if root is None:
        return None

    def opened(path: str) -> Table:
        beside = root / Path(given.name).parent / path
        return open_table(engine, beside if beside.is_file() else root / path, name=path)

    return opened


def _schema(engine: Engine, given: Given, spec: TableSpec, table: Table) -> list[Finding]:
    """Judges by the pandera schema that the checks refer to; undecided where its code is not."""
    if not spec.schema:
        return []
    rule = spec.at("schema", given.source)
    if given.root is None:
        why = "could not run: the schema's code is only looked up in the work tree"
        return [replace(_not_run("schema", why, given, rule), evidence=Evidence.SCHEMA)]
    from dvtool.quality.checks.schema_reference import judge_schema

    return judge_schema(
        engine,
        table,
        spec,
        source=given.source,
        root=given.root,
        python=given.python,
        limit=given.examples,
    )


def _splits(engine: Engine, given: Given, spec: TableSpec) -> list[Finding]:
    if spec.splits is None:
        return []
    parts: dict[str, Table] = {}
    rule = spec.splits.at("splits", given.source)
    for name, path in given.parts.items():
        try:
            parts[name] = open_table(engine, path, name=path.name, options=spec.read)
        except (Unreadable, OSError) as error:
            why = f"could not run: {name} cannot be read: {error}"
            return [_not_run("splits", why, given, rule)]
    missing = [path for name, path in spec.splits.parts if name not in parts]
    found = judge_splits(engine, parts, spec, source=given.source, limit=given.examples)
    if missing:
        why = f"could not run: {missing[0]} is not here"
        found.append(_not_run("splits", why, given, rule))
    return found


def _not_run(code: str, why: str, given: Given, rule: Place) -> Finding:
    return Finding(
        code, why, Place(given.name), Evidence.SPLITS, outcome=Outcome.UNDECIDED, rule=rule
    )


# -- what leaves -----------------------------------------------------------------------------------


def _finished(
    findings: list[Finding] | tuple[Finding, ...], given: Given, spec: TableSpec
) -> tuple[Finding, ...]:
    shown = [_masked(one) if one.column in spec.private else one for one in findings]
    try:
        shown = list(apply_policy(shown, spec, given.now.date(), source=given.source))
    except DvtoolError as error:
        shown.append(_not_run("policy", f"could not run: {error}", given, Place(given.source)))
    return sorted_findings(shown)


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


# -- facts -----------------------------------------------------------------------------------------


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _same_rows(engine: Engine, before: Table, table: Table) -> bool:
    names = [one.name for one in table.columns]
    if before.rows != table.rows or sorted(names) != sorted(one.name for one in before.columns):
        return False
    types = {one.name: one.type for one in before.columns}
    if any(types[one.name] != one.type for one in table.columns):
        return False
    listed = ", ".join(quoted(name) for name in names)
    # Sums of hashes are cheap, and different sums prove a difference.
    sums = [engine.rows(f"SELECT sum(hash({listed})) FROM {one.source}") for one in (before, table)]
    if sums[0] != sums[1]:
        return False
    (differing,), *_ = engine.rows(
        f"SELECT count(*) FROM (SELECT {listed} FROM {table.source} EXCEPT ALL "
        f"SELECT {listed} FROM {before.source})"
    )
    return bool(differing == 0)


def _reading(table: Table) -> str:
    options = table.options
    parts = [options.format]
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
