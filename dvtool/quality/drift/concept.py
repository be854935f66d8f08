"""Experimental: whether what the columns say about the label still holds in the new version.

A small model learns the label on the baseline; its out-of-fold loss there is compared with its
loss on the new version. What is not here: changes of the columns or of the label alone
(`compare`). Called where a table's checks ask for it; needs the extra `ml`.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from dvtool.errors import UsageError
from dvtool.quality.drift.decisions import Decision, Effect
from dvtool.quality.drift.distributions import FloatArray
from dvtool.quality.drift.learners import (
    Columns,
    Features,
    classifier,
    features_of,
    folds,
    regressor,
    single_threaded,
    thinned,
)
from dvtool.quality.drift.two_sample import version_scores

METHOD: Final = "performance_change"
REWEIGHTED: Final = "performance_change_reweighted"
THRESHOLD: Final = 0.1
LEAST: Final = 100
"""Fewest rows with a label on either side that allow a decision."""
MOST_CLASSES: Final = 20
_FLOOR: Final = 1e-3
_MOST_WEIGHT: Final = 10.0


@dataclass(frozen=True, slots=True)
class PerformanceChange:
    """How the loss of a model of the baseline changed.

    Args:
        effect: Relative change of the mean loss, 0.1 = 10 % more, with its interval.
        reweighted: The same with the new rows weighted to the baseline's features.
        loss: `log loss` for classes, `squared error` for numbers.
        baseline: Mean out-of-fold loss on the baseline.
        used: Columns that the model saw.
        excluded: Columns left out, with the reason.
    """

    effect: Effect
    reweighted: Effect
    loss: str
    baseline: float
    used: tuple[str, ...]
    excluded: dict[str, str]

    @property
    def is_concept_drift(self) -> bool:
        """Tells whether the change survives reweighting to the common features."""
        both = (self.effect.decision, self.reweighted.decision)
        return both == (Decision.FAIL, Decision.FAIL)


def performance_change(
    reference: Columns,
    current: Columns,
    label: str,
    *,
    exclude: Collection[str] = (),
    threshold: float = THRESHOLD,
    level: float = 0.05,
) -> PerformanceChange:
    """Returns how much worse the baseline's rules predict the new version's label.

    Loss on the baseline is out-of-fold, so that a model's knowledge of its own training rows is
    not taken for a change. A label of text, bool or at most 20 whole numbers is a class.

    Args:
        reference: Columns by name, label among them, shape (n,) each.
        current: Likewise, shape (m,).
        label: The column to predict.
        exclude: Key, time and group columns.
        threshold: Largest relative growth of the loss that is allowed.
        level: Probability that the interval misses.

    Raises:
        ExtraMissing: scikit-learn is not installed.
        UsageError: A side has no such label.
    """
    if label not in reference or label not in current:
        raise UsageError(f"no column named {label} on both sides")
    before, old_label = _labelled(thinned(reference), label)
    after, new_label = _labelled(thinned(current), label)
    seen = features_of(before, after, exclude={*exclude, label})
    classes = _classes(old_label)
    loss = "squared error" if classes is None else "log loss"
    reason = ""
    if min(len(old_label), len(new_label)) < LEAST:
        reason = f"{min(len(old_label), len(new_label))} rows with a label, at least {LEAST} needed"
    elif not seen.names:
        reason = "no column left to look at"
    if reason:
        classifier([])  # a missing package is said first
        nothing = _undecided(threshold, level, reason)
        common = _named_reweighted(nothing)
        return PerformanceChange(nothing, common, loss, math.nan, seen.names, seen.excluded)
    old_loss, new_loss = _losses(seen, old_label, new_label, classes)
    weights = _weights(seen)
    plain = _effect(old_loss, new_loss, np.ones(len(new_loss)), threshold, level)
    common = _named_reweighted(_effect(old_loss, new_loss, weights, threshold, level))
    return PerformanceChange(plain, common, loss, float(old_loss.mean()), seen.names, seen.excluded)


def _named_reweighted(effect: Effect) -> Effect:
    return replace(effect.advisory(), method=REWEIGHTED)


def _labelled(columns: Columns, label: str) -> tuple[Columns, NDArray[Any]]:
    """Returns the rows whose label is known."""
    values = np.asarray(columns[label])
    if values.dtype.kind == "f":
        known = np.isfinite(values)
    else:
        known = np.asarray([value is not None for value in values], dtype=bool)
    return {name: np.asarray(one)[known] for name, one in columns.items()}, values[known]


def _classes(label: NDArray[Any]) -> list[str] | None:
    """Returns the classes of a label; None for a number to predict."""
    numbers = label.dtype.kind in "iuf"
    distinct = np.unique(label.astype(np.float64) if numbers else label.astype(str))
    if numbers and (len(distinct) > MOST_CLASSES or bool(np.any(distinct != np.round(distinct)))):
        return None
    return [str(one) for one in distinct]


def _losses(
    seen: Features, old_label: NDArray[Any], new_label: NDArray[Any], classes: list[str] | None
) -> tuple[FloatArray, FloatArray]:
    """Returns the loss of each row: out-of-fold on the baseline, averaged over the same models."""
    old, new = _targets(old_label, classes), _targets(new_label, classes)
    old_loss, new_loss = np.empty(len(old)), np.zeros(len(new))
    parts = list(folds(len(old)))
    make = regressor if classes is None else classifier
    make(seen.categorical)  # a missing package is said first
    with single_threaded():
        for train, test in parts:
            model = make(seen.categorical).fit(seen.reference[train], old[train])
            old_loss[test] = _loss(model, seen.reference[test], old[test], classes)
            new_loss += _loss(model, seen.current, new, classes) / len(parts)
    return old_loss, new_loss


def _targets(label: NDArray[Any], classes: list[str] | None) -> FloatArray:
    if classes is None:
        return label.astype(np.float64)
    names = label.astype(np.float64).astype(str) if label.dtype.kind in "iuf" else label.astype(str)
    code = {name: float(place) for place, name in enumerate(classes)}
    return np.asarray([code.get(str(name), -1.0) for name in names])


def _loss(
    model: Any,  # noqa: ANN401 - scikit-learn has no types
    rows: FloatArray,
    target: FloatArray,
    classes: list[str] | None,
) -> FloatArray:
    if classes is None:
        return np.asarray((model.predict(rows) - target) ** 2)
    chances = np.full((len(rows), len(classes) + 1), _FLOOR)  # the last is for unknown classes
    chances[:, model.classes_.astype(int)] = model.predict_proba(rows)
    chosen = chances[np.arange(len(rows)), target.astype(int)]
    return np.asarray(-np.log(np.maximum(chosen, _FLOOR)))


def _weights(seen: Features) -> FloatArray:
    """Returns how much likelier each new row is in the baseline, capped, with mean 1."""
    chance = np.clip(version_scores(seen, list(range(len(seen.names))))[1], 1e-6, 1 - 1e-6)
    odds = (1 - chance) / chance * len(seen.current) / len(seen.reference)
    capped = np.minimum(odds, _MOST_WEIGHT)
    return np.asarray(capped / capped.mean())


def _effect(
    old: FloatArray, new: FloatArray, weights: FloatArray, threshold: float, level: float
) -> Effect:
    """Returns the relative change of the mean loss; the delta method gives its interval."""
    base, size = float(old.mean()), float(weights.sum() ** 2 / (weights**2).sum())
    found = float(np.average(new, weights=weights))
    if base <= 0:
        return _undecided(threshold, level, "the baseline's loss is zero")
    ratio = found / base
    new_error = float(np.average((new - found) ** 2, weights=weights)) / size
    old_error = float(old.var(ddof=1)) / len(old)
    width = float(special.ndtri(1 - level / 2)) * math.sqrt(new_error + ratio**2 * old_error) / base
    value = ratio - 1
    detail = {"effective_rows": size}
    effect = Effect(
        METHOD,
        value,
        value - width,
        value + width,
        threshold,
        level,
        detail=detail,
        is_experimental=True,
    )
    if size < LEAST / 2:
        return replace(effect, reason=f"only {size:.0f} effective rows have common features")
    return effect


def _undecided(threshold: float, level: float, reason: str) -> Effect:
    nan = math.nan
    return Effect(METHOD, nan, nan, nan, threshold, level, reason=reason, is_experimental=True)
