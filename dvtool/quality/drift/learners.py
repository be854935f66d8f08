"""The small models behind the experimental methods, and the columns they may see.

Here scikit-learn is loaded, tables become matrices, and columns that would give the answer away
are left out. What is not here: what the models' errors mean (`two_sample`, `concept`), the only
callers. Needs the extra `ml`.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dvtool.errors import ExtraMissing
from dvtool.quality.drift.distributions import FloatArray

Columns: TypeAlias = Mapping[str, ArrayLike]
FOLDS: Final = 5
SEED: Final = 20_261_123
NEAR_UNIQUE: Final = 0.9
"""Distinct values for each row with a value from which a text or integer column counts as a key."""
MOST_LEVELS: Final = 200
"""Most categories that a model sees; all others are one more."""
MOST_ROWS: Final = 20_000
"""Most rows of either side that a model sees, spread evenly over the file."""
_EVIDENT: Final = 20
"""Fewest distinct values for which a sorted column counts as a running number."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a model sees of two versions.

    Args:
        names: Columns used, in order.
        categorical: Which of them are codes of categories.
        reference: Shape (n, len(names)); NaN for a null.
        current: Shape (m, len(names)).
        excluded: Columns left out, with the reason.
    """

    names: tuple[str, ...]
    categorical: tuple[bool, ...]
    reference: FloatArray
    current: FloatArray
    excluded: dict[str, str]


def sklearn_module(name: str) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Returns a module of scikit-learn.

    Raises:
        ExtraMissing: It is not installed.
    """
    try:
        return importlib.import_module(f"sklearn.{name}")
    except ImportError as error:
        raise ExtraMissing(
            "this method needs the package scikit-learn", hint="pip install 'dvtool[ml]'"
        ) from error


def features_of(reference: Columns, current: Columns, *, exclude: Collection[str] = ()) -> Features:
    """Returns the matrices of both versions, without columns that identify rows or time.

    Left out with a reason: columns named in `exclude`, columns missing on a side, constant ones,
    those that only rise or only fall, and text or integers that are nearly unique.

    Args:
        reference: Columns by name, each of shape (n,); numbers, or text with None for a null.
        current: Likewise, shape (m,).
        exclude: Names of key, time and group columns, and of the label where it is predicted.
    """
    excluded: dict[str, str] = {}
    names, categorical, before, after = [], [], [], []
    for name in [*reference, *(name for name in current if name not in reference)]:
        if name in exclude:
            excluded[name] = "named as key, time, group or label"
            continue
        if name not in reference or name not in current:
            excluded[name] = "only on one side"
            continue
        a, b = np.asarray(reference[name]), np.asarray(current[name])
        reason = _reason(a) or _reason(b)
        if not reason and _is_number(a) != _is_number(b):
            reason = "another type on either side"
        if reason:
            excluded[name] = reason
            continue
        numbers = _is_number(a)
        coded = (a.astype(np.float64), b.astype(np.float64)) if numbers else _codes(a, b)
        if len(np.unique(np.concatenate(coded))) < 2:
            excluded[name] = "constant"
            continue
        names.append(name)
        categorical.append(not numbers)
        before.append(coded[0])
        after.append(coded[1])
    shape = (len(np.asarray(next(iter(reference.values()), []))), 0)
    return Features(
        tuple(names),
        tuple(categorical),
        np.column_stack(before) if before else np.empty(shape),
        np.column_stack(after) if after else np.empty(shape),
        excluded,
    )


def classifier(categorical: Collection[bool]) -> Any:  # noqa: ANN401
    """Returns an unfitted small classifier with a fixed seed.

    Raises:
        ExtraMissing: scikit-learn is not installed.
    """
    ensemble = sklearn_module("ensemble")
    return ensemble.HistGradientBoostingClassifier(**_settings(categorical))


def regressor(categorical: Collection[bool]) -> Any:  # noqa: ANN401
    """Returns an unfitted small regressor with a fixed seed.

    Raises:
        ExtraMissing: scikit-learn is not installed.
    """
    ensemble = sklearn_module("ensemble")
    return ensemble.HistGradientBoostingRegressor(**_settings(categorical))


def single_threaded() -> AbstractContextManager[Any]:
    """Returns a context in which models use one thread; for tables this small it is faster."""
    limits: AbstractContextManager[Any] = importlib.import_module(
        "threadpoolctl"
    ).threadpool_limits(limits=1)
    return limits


def folds(rows: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yields training and test rows of each of `FOLDS` random folds; every row is tested once."""
    order = np.random.default_rng(SEED).permutation(rows)
    for place in range(FOLDS):
        held_out = order[place::FOLDS]
        kept = np.ones(rows, dtype=bool)
        kept[held_out] = False
        yield np.flatnonzero(kept), held_out


def thinned(columns: Columns) -> Columns:
    """Returns at most `MOST_ROWS` rows, evenly spaced and in order."""
    thin = {}
    for name, values in columns.items():
        array = np.asarray(values)
        if len(array) > MOST_ROWS:
            array = array[np.linspace(0, len(array) - 1, MOST_ROWS).astype(np.intp)]
        thin[name] = array
    return thin


def _settings(categorical: Collection[bool]) -> dict[str, Any]:
    return {
        "max_iter": 40,
        "max_leaf_nodes": 8,
        "min_samples_leaf": 20,
        "learning_rate": 0.1,
        "early_stopping": False,
        "categorical_features": list(categorical) or None,
        "random_state": SEED,
    }


def _is_number(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "biuf"


def _reason(values: NDArray[Any]) -> str:
    """Returns why a column would identify rows, empty when it does not."""
    if _is_number(values):
        kept = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
        whole = bool(np.all(kept == np.round(kept)))
        steps = np.diff(kept)
    else:
        kept = np.asarray([str(value) for value in values if value is not None], dtype=str)
        whole, steps = True, np.zeros(1)
        if len(kept) > 1:
            steps = np.where(kept[1:] > kept[:-1], 1.0, np.where(kept[1:] < kept[:-1], -1.0, 0.0))
    distinct = len(np.unique(kept))
    if distinct >= _EVIDENT and (bool(np.all(steps >= 0)) or bool(np.all(steps <= 0))):
        return "only rises or only falls"
    if whole and distinct >= _EVIDENT and distinct >= NEAR_UNIQUE * len(kept):
        return "nearly unique"
    return ""


def _codes(before: NDArray[Any], after: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Returns codes of the commonest categories; one more for the rest, NaN for a null."""
    texts = [None if value is None else str(value) for value in (*before, *after)]
    names, counts = np.unique([text for text in texts if text is not None], return_counts=True)
    common = names[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]
    code = {str(name): float(place) for place, name in enumerate(common)}
    coded = np.asarray(
        [np.nan if text is None else code.get(text, float(MOST_LEVELS)) for text in texts]
    )
    return coded[: len(before)], coded[len(before) :]
