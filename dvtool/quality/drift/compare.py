"""Comparing a column, or all columns of a table, with a baseline.

Here it is chosen which effects are computed for which kind of column, which of them decide, and
how the level of the intervals is shared among many. What is not here: formulas (`effects`,
`intervals`) and words (`wording`). Called by whoever judges a version against another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dvtool.quality.drift.decisions import ColumnDrift, Decision, Effect
from dvtool.quality.drift.distributions import Distribution
from dvtool.quality.drift.methods import CATEGORICAL, METHODS, NUMERIC, thresholds_of
from dvtool.quality.drift.resampling import Blocks
from dvtool.quality.drift.sides import Sides

LEVEL: Final = 0.05
"""Probability that any interval of a table misses, so that something is called drift wrongly."""
COVARIATE: Final = "covariate"
PRIOR: Final = "prior-probability"

_DECIDING: Final = {NUMERIC: ("wasserstein", "tails"), CATEGORICAL: ("js_distance_base2",)}
_SHOWN: Final = {NUMERIC: ("psi",), CATEGORICAL: ("cramers_v",)}
_ALTERNATIVE: Final = {
    "wasserstein": ("psi",),
    "wasserstein_iqr": ("wasserstein",),
    "ks": ("wasserstein",),
    "tails": ("wasserstein",),
    "js_distance_base2": ("cramers_v",),
    "cramers_v": ("js_distance_base2",),
    "tvd": ("js_distance_base2",),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One column of a table, in two versions.

    Args:
        reference: The baseline's distribution.
        current: The new version's, of the same type.
        thresholds: By method, as in checks files; empty for the defaults of the kind.
        blocks: Where rows belong together; None for independent rows.
        role: `covariate`, or `prior-probability` for the label or prediction.
    """

    reference: Distribution
    current: Distribution
    thresholds: Mapping[str, float] = field(default_factory=dict)
    blocks: Blocks | None = None
    role: str = COVARIATE


def compare_column(
    reference: Distribution,
    current: Distribution,
    *,
    column: str = "",
    thresholds: Mapping[str, float] | None = None,
    alternatives: bool = True,
    blocks: Blocks | None = None,
    level: float = LEVEL,
    role: str = COVARIATE,
) -> ColumnDrift:
    """Returns the effects of one column with their intervals.

    Numbers are judged by the normed Wasserstein distance and by their tails, with PSI beside
    them; categories, and numbers with at most 20 distinct values, by the Jensen-Shannon distance
    with Cramér's V beside it; such numbers also by how far they lie beyond the baseline's range.
    Where thresholds are given, those methods decide instead; PSI on numbers brings both tails along,
    which it is blind to.

    Args:
        reference: The baseline's distribution.
        current: The new version's, of the same type.
        column: Its name.
        thresholds: By method or by another tool's name for it.
        alternatives: Whether to add the effect that is only shown.
        blocks: Where rows belong together.
        level: Probability that any deciding interval misses; shared among them.
        role: `covariate` or `prior-probability`.

    Raises:
        UsageError: A threshold is no number above zero, or its method is unknown.
        TypeError: One side is numeric and the other categorical.
    """
    comparison = Comparison(reference, current, thresholds or {}, blocks, role)
    return compare_table({column: comparison}, alternatives=alternatives, level=level)[0]


def compare_table(
    columns: Mapping[str, Comparison], *, alternatives: bool = True, level: float = LEVEL
) -> tuple[ColumnDrift, ...]:
    """Returns the effects of all columns, in their order, at one level for the whole table.

    Holm's step-down rule on the level of the intervals: with K deciding effects each interval
    misses with probability level / K; those that fail are set aside and the level is shared among
    the rest, until no further one fails.

    Args:
        columns: By name; may be empty.
        alternatives: Whether to add the effects that are only shown.
        level: Probability that any deciding interval misses.

    Raises:
        UsageError: A threshold is no number above zero, or its method is unknown.
        TypeError: A column is numeric on one side and categorical on the other.
    """
    sides = {name: Sides(one.reference, one.current, one.blocks) for name, one in columns.items()}
    wanted = {
        (name, method): threshold
        for name, one in columns.items()
        for method, threshold in _deciding(sides[name], one.thresholds).items()
    }
    settled: dict[tuple[str, str], Effect] = {}
    share = level
    while len(settled) < len(wanted):
        share = level / (len(wanted) - len(settled))
        found = {
            key: sides[key[0]].effect(key[1], threshold, share)
            for key, threshold in wanted.items()
            if key not in settled
        }
        failed = {key: one for key, one in found.items() if one.decision is Decision.FAIL}
        settled |= failed or found
    drifts = []
    for name, one in columns.items():
        decided = [settled[key] for key in wanted if key[0] == name]
        shown = _alternatives(sides[name].kind, decided) if alternatives else ()
        extra = [
            sides[name].effect(method, METHODS[method].threshold, share).advisory()
            for method in shown
        ]
        rows = one.reference.n, one.current.n
        nulls = one.reference.nulls, one.current.nulls
        drifts.append(ColumnDrift(name, (*decided, *extra), rows, nulls, one.role))
    return tuple(drifts)


def _deciding(sides: Sides, thresholds: Mapping[str, float]) -> dict[str, float]:
    given, kind = thresholds_of(thresholds), sides.kind
    if not given:
        methods = _DECIDING[kind]
        if kind == CATEGORICAL and sides.has_range:
            methods = (*methods, "far_tails")
        return {method: METHODS[method].threshold for method in methods}
    if kind == NUMERIC and "psi" in given and "tails" not in given:
        given["tails"] = METHODS["tails"].threshold
    if sides.has_range and "psi" in given and "far_tails" not in given:
        given["far_tails"] = METHODS["far_tails"].threshold
    return given


def _alternatives(kind: str, decided: list[Effect]) -> tuple[str, ...]:
    """Returns the one method that looks at the column in another way than the first."""
    taken = {effect.method for effect in decided}
    first = decided[0].method
    choice = _ALTERNATIVE.get(first) or (
        ("wasserstein",) if kind == NUMERIC else ("js_distance_base2",)
    )
    return tuple(method for method in (*choice, *_SHOWN[kind]) if method not in taken)[:1]
