"""Blame: which columns a version's odd figures point at, the likeliest first.

Here scores become an order of columns. A relation that broke points at two columns, a doubled key at
the rows; what one column explains is not held against another. What is not here: scores (`scores`)
and sentences (`wording`). Called by `judging`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dvtool.quality.findings import Finding
from dvtool.quality.history.pairs import RELATIONS
from dvtool.quality.history.scores import Score
from dvtool.quality.history.sheet import COPIES

SUSPECT: Final = 0.5
"""A column whose oddest figure reaches this share of the alarm level may be named after the others."""
LEAST_SUSPECT: Final = 2.5
MOST_SUSPECTS: Final = 3
_FOLLOWS: Final = frozenset({"repeats", "repeats-ratio", "distinct"})
"""What moves in every column when rows are lost or doubled."""
_FOLLOWING: Final = 0.25
_ALIKE: Final = 0.8
"""Two columns of one broken relation with about equal evidence: nobody can tell which one moved."""


def ranked(scores: Sequence[Score]) -> tuple[list[str], list[str]]:
    """Returns the columns that alarm, the likeliest to blame first, and the suspects after them.

    Args:
        scores: Of one version, all of them.
    """
    alarms = [one for one in scores if one.is_alarm]
    own = _own(alarms)
    broken = _relations(alarms)
    weak = _relations([one for one in scores if one.score > LEAST_SUSPECT and not one.is_alarm])
    found: list[str] = []
    alike: list[str] = []
    while True:
        weights = {
            column: 2 * own.get(column, 0.0) + _incident(column, broken, weak)
            for column in own.keys() | {name for pair in broken for name in pair}
            if column not in found
        }
        best = max(weights, key=lambda name: (weights[name], name), default=None)
        if best is None:
            break
        found.append(best)
        alike += [
            one
            for pair in broken
            for one in pair
            if best in pair and one != best and weights[one] >= _ALIKE * weights[best]
        ]
        # Its relations are explained; what else they would point at is innocent.
        broken = {pair: score for pair, score in broken.items() if best not in pair}
    suspects = [*(one for one in alike if one not in found), *_suspects(scores, found)]
    return found, list(dict.fromkeys(suspects))[:MOST_SUSPECTS]


def owned(score: Score, columns: Sequence[str]) -> Score:
    """Returns a score with a relation told of the column that is blamed for it."""
    metric = score.metric
    if metric.name not in RELATIONS:
        return score
    owner = next((one for one in columns if one in (metric.column, metric.about)), metric.column)
    if owner == metric.column:
        return score
    return score._replace(metric=metric._replace(column=metric.about, about=metric.column))


def blamed(finding: Finding) -> tuple[str, ...]:
    """Returns the columns that a finding is about."""
    renamed = finding.code.endswith("column-renamed")
    names = (finding.figures.get("was", "") if renamed else "", finding.column)
    return tuple(str(one) for one in names if one)


def _own(scores: Sequence[Score]) -> dict[str, float]:
    doubled = any(
        one.metric.name == COPIES or (not one.metric.column and one.metric.name != "rows-kept")
        for one in scores
    )
    own: dict[str, float] = {}
    for one in scores:
        metric = one.metric
        if not metric.column or metric.name in RELATIONS:
            continue
        follows = doubled and metric.name in _FOLLOWS
        weight = one.score * (_FOLLOWING if follows else 1.0)
        own[metric.column] = max(own.get(metric.column, 0.0), weight)
    return own


def _relations(scores: Sequence[Score]) -> dict[tuple[str, str], float]:
    """Returns the oddest figure of each pair of columns, whichever way round."""
    found: dict[tuple[str, str], float] = {}
    for one in scores:
        if one.metric.name in RELATIONS:
            low, high = sorted((one.metric.column, one.metric.about))
            found[low, high] = max(found.get((low, high), 0.0), one.score)
    return found


def _incident(
    column: str, broken: dict[tuple[str, str], float], weak: dict[tuple[str, str], float]
) -> float:
    strong = [score for pair, score in broken.items() if column in pair]
    faint = [score for pair, score in weak.items() if column in pair]
    if not strong:
        return 0.0
    return max(strong) + 0.1 * sum(strong) + 0.05 * sum(faint)


def _suspects(scores: Sequence[Score], found: Sequence[str]) -> list[str]:
    """Returns columns that do not alarm but are odd: where to look first when rows are gone."""
    odd = [
        one
        for one in scores
        if not one.is_alarm and one.score >= max(SUSPECT * one.level, LEAST_SUSPECT)
    ]
    own = {name: score for name, score in _own(odd).items() if name not in found}
    return sorted(own, key=lambda name: -own[name])
