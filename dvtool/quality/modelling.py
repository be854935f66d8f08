"""Experimental drift that a small model sees: concept drift, and the classifier two-sample test.

Here columns of tables become what the models take, and their answers become findings; the models
stand in `drift.concept` and `drift.two_sample` and need the extra `ml`. Only what the checks ask
for is run. Called by `drifting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dvtool.errors import ExtraMissing
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.drift.decisions import Decision, Effect
from dvtool.quality.findings import Evidence, Finding, Outcome, Place
from dvtool.quality.kinds import Kind
from dvtool.quality.measuring import value_of
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import ROW, Column, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Columns: TypeAlias = Mapping[str, NDArray[Any]]

MOST_ROWS: Final = 20_000
"""Rows of a side that are looked at, spread evenly over the file."""
WHOLE_TABLE: Final = "(all columns)"


def model_drift(
    engine: Engine, before: Table, table: Table, spec: TableSpec, *, source: str
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Returns findings of the models that the checks ask for, and their figures."""
    findings: list[Finding] = []
    figures: list[dict[str, Any]] = []
    for word, run in (("concept", _concept), ("two_sample", _two_sample)):
        if getattr(spec, word) is None:
            continue
        rule, place = spec.at(word, source), Place(table.name)
        try:
            found, shown = run(_columns(engine, before, table), spec, rule, place)
        except ExtraMissing as error:
            why = f"could not run (experimental): {error.message}"
            found, shown = [_undecided(_CODES[word], why, rule, place, error.hint)], []
        findings += found
        figures += shown
    return findings, figures


_CODES: Final = {"concept": "performance-change", "two_sample": "classifier-auc"}


def _columns(engine: Engine, before: Table, table: Table) -> tuple[Columns, Columns]:
    """Returns the columns of both versions that have the same name and kind."""
    kinds = {one.name: one.kind for one in before.columns}
    known = [
        one
        for one in table.columns
        if kinds.get(one.name) is one.kind and one.kind not in (Kind.LIST, Kind.OTHER)
    ]
    return _arrays(engine, before, known), _arrays(engine, table, known)


def _arrays(engine: Engine, table: Table, columns: list[Column]) -> Columns:
    import numpy as np

    step = -(-table.rows // MOST_ROWS) or 1
    listed = ", ".join(f"{value_of(one)} AS c{place}" for place, one in enumerate(columns))
    if not listed:
        return {}
    found = engine.connection.execute(
        f"SELECT {listed} FROM {table.source} WHERE ({ROW} - 1) % {step} = 0 ORDER BY {ROW}"
    ).fetchnumpy()
    arrays: dict[str, Any] = {}
    for place, one in enumerate(columns):
        values = found[f"c{place}"]
        if one.kind in (Kind.TEXT, Kind.BOOL):
            lacking = np.ma.getmaskarray(values)
            arrays[one.name] = np.asarray(
                [None if gone else str(v) for v, gone in zip(values, lacking, strict=True)],
                dtype=object,
            )
        else:
            arrays[one.name] = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
    return arrays


def _left_out(spec: TableSpec) -> set[str]:
    return {*spec.key, spec.group, spec.time.column if spec.time else ""} - {""}


def _concept(
    sides: tuple[Columns, Columns], spec: TableSpec, rule: Place, place: Place
) -> tuple[list[Finding], list[dict[str, Any]]]:
    from dvtool.quality.drift.concept import performance_change

    code, before, after = _CODES["concept"], *sides
    if spec.label not in before:
        why = f"could not run (experimental): {spec.label} is not of one kind on both sides"
        return [_undecided(code, why, rule, place)], []
    assert spec.concept is not None
    found = performance_change(
        before, after, spec.label, exclude=_left_out(spec), threshold=spec.concept
    )
    effect, common = found.effect, found.reweighted
    if found.is_concept_drift:
        told = f"; concept drift: {common.value:+.0%} also among rows with the features of before"
    else:
        told = "; not called concept drift: other features may explain it"
    message = (
        f"performance change (experimental): {found.loss} of a small model of the baseline {_ends(effect, '+.0%')}, "
        f"allowed {spec.concept:+.0%}"
    )
    shown = _figures(spec.label, "concept", [effect, common], _rows(sides))
    shown["is_concept_drift"] = found.is_concept_drift
    more = told if effect.decision is Decision.FAIL else ""
    return _finding(code, message + more, effect, rule, place), [shown]


def _two_sample(
    sides: tuple[Columns, Columns], spec: TableSpec, rule: Place, place: Place
) -> tuple[list[Finding], list[dict[str, Any]]]:
    from dvtool.quality.drift.two_sample import classifier_two_sample

    assert spec.two_sample is not None
    before, after = sides
    found = classifier_two_sample(before, after, exclude=_left_out(spec), threshold=spec.two_sample)
    named = ", ".join(f"{name} ({value:.2f})" for name, value in found.separating)
    message = (
        f"a small model (experimental) tells the versions apart: AUC {_ends(found.effect, '.3f')}, "
        f"allowed {spec.two_sample:g}" + (f"; by {named}" if named else "")
    )
    shown = _figures(WHOLE_TABLE, "covariate", [found.effect], _rows(sides))
    return _finding(_CODES["two_sample"], message, found.effect, rule, place), [shown]


def _rows(sides: tuple[Columns, Columns]) -> list[int]:
    return [next((len(one) for one in side.values()), 0) for side in sides]


def _ends(effect: Effect, shape: str) -> str:
    low, high = format(effect.low, shape), format(effect.high, shape)
    return (
        f"{format(effect.value, shape)} ({100 * (1 - effect.level):.4g} % interval {low} to {high})"
    )


def _finding(code: str, message: str, effect: Effect, rule: Place, place: Place) -> list[Finding]:
    if effect.decision is Decision.PASS:
        return []
    if effect.decision is Decision.UNDECIDED:
        why = f"{effect.reason} (experimental)" if effect.reason else message
        return [_undecided(code, f"undecided: {why}", rule, place)]
    hint = "look at the columns and at the source of the label"
    figures = {"effects": [effect.figures()]}
    return [Finding(code, message, place, Evidence.DRIFT, rule=rule, figures=figures, hint=hint)]


def _undecided(code: str, why: str, rule: Place, place: Place, hint: str = "") -> Finding:
    return Finding(
        code, why, place, Evidence.DRIFT, outcome=Outcome.UNDECIDED, rule=rule, hint=hint
    )


def _figures(column: str, role: str, effects: list[Effect], rows: list[int]) -> dict[str, Any]:
    return {
        "column": column,
        "role": role,
        "decision": effects[0].decision.value,
        "rows": rows,
        "nulls": [0, 0],
        "effects": [one.figures() for one in effects],
    }
