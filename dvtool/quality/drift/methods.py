"""Names, thresholds and kinds of the drift methods.

Light on purpose: checks files are validated against it without numpy. What is not here: the
formulas (`effects`). Asked by the checks' parser, by `compare` and by `wording`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dvtool.errors import UsageError

NUMERIC: Final = "numeric"
CATEGORICAL: Final = "categorical"


@dataclass(frozen=True, slots=True)
class Method:
    """One way to say how far two versions of a column lie apart.

    Args:
        name: As in checks files and reports.
        title: In words.
        kinds: Kinds of columns it is defined for: `numeric`, `categorical`.
        threshold: Default limit, in the method's own unit.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    threshold: float


_BOTH = (NUMERIC, CATEGORICAL)
METHODS: Final[Mapping[str, Method]] = {
    method.name: method
    for method in (
        Method("wasserstein", "normed Wasserstein distance", (NUMERIC,), 0.1),
        Method("wasserstein_iqr", "Wasserstein distance over IQR", (NUMERIC,), 0.1),
        Method("psi", "population stability index", _BOTH, 0.25),
        Method("ks", "Kolmogorov-Smirnov distance", (NUMERIC,), 0.1),
        Method("tails", "excess share beyond the baseline's 0.1 % and 99.9 %", (NUMERIC,), 0.01),
        Method("far_tails", "distance beyond the baseline's range over its std", (NUMERIC,), 0.1),
        Method("js_distance_base2", "Jensen-Shannon distance", (CATEGORICAL,), 0.1),
        Method("cramers_v", "Cramér's V", (CATEGORICAL,), 0.1),
        Method("tvd", "total variation distance", (CATEGORICAL,), 0.1),
    )
}
"""Every method, by name."""
ALIASES: Final[Mapping[str, str]] = {
    "js": "js_distance_base2",
    "population_stability_index": "psi",
    "normalized_wasserstein_distance": "wasserstein",
    "jensenshannon": "js_distance_base2",
    "TVD": "tvd",
}
"""The short name in checks, and names of Evidently and Azure ML for the same figures."""
_SCALE: Final = {"jensenshannon": 1 / math.sqrt(math.log(2))}
_BESIDE_PSI: Final = ("tails", "far_tails")
PSI_MODERATE: Final = 0.1
PSI_MAJOR: Final = 0.25


def thresholds_of(given: Mapping[str, float]) -> dict[str, float]:
    """Returns thresholds by our names; one under another tool's name is brought to our scale.

    `jensenshannon` of Evidently is in natural logarithms, ours in base 2.

    Raises:
        UsageError: A name is unknown, a threshold is not a number above zero, or two names mean
            the same method.
    """
    found: dict[str, float] = {}
    for given_name, threshold in given.items():
        name = ALIASES.get(given_name, given_name)
        if name not in METHODS:
            raise UsageError(
                f"no drift method named {given_name}", hint=f"known are {', '.join(METHODS)}"
            )
        if not 0 < threshold < math.inf:
            raise UsageError(f"drift threshold of {given_name} is {threshold}, must be above 0")
        if name in found:
            raise UsageError(f"two drift thresholds for {name}")
        found[name] = threshold * _SCALE.get(given_name, 1.0)
    return found


def applicable(given: Mapping[str, float], *, is_numeric: bool) -> dict[str, float]:
    """Returns the thresholds of methods that mean something for a column, by the names given.

    Numbers have all, also as categories; what has no order has no distance.
    """
    return {
        name: limit
        for name, limit in given.items()
        if is_numeric or CATEGORICAL in METHODS[ALIASES.get(name, name)].kinds
    }


def with_tails(given: Mapping[str, float]) -> dict[str, float]:
    """Returns thresholds by our names with those that PSI brings along, which is blind to tails."""
    if "psi" not in given:
        return dict(given)
    return {**{name: METHODS[name].threshold for name in _BESIDE_PSI}, **given}


def code_of(name: str) -> str:
    """Returns the code of a finding by a method, by any name of it."""
    return ALIASES.get(name, name).replace("_", "-")


def psi_band(value: float) -> str:
    """Returns the band of a PSI as the field names it: `none`, `moderate` or `major`."""
    if value < PSI_MODERATE:
        return "none"
    return "moderate" if value <= PSI_MAJOR else "major"
