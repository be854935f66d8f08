"""Typing errors: new texts that are one keystroke away from a frequent one of the baseline.

Asked only of columns whose own values lie further apart than that, so that codes that differ by a digit
are not taken for slips. What is not here: other spellings of a whole column (`text_faults`, which calls
this).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dvtool.quality.drift.distributions import CategoricalDistribution
from dvtool.quality.drift.faults import Fault

MOST_VALUES: Final = 5_000
"""Different values of a column up to which the question is asked, and new ones likewise."""
_SHORTEST: Final = 4
_LEAST: Final = 3
"""New texts that must be slips before anything is said."""
_MOST: Final = 0.8
_NEIGHBOURS: Final = 0.1
"""Share of the baseline's values that may be one keystroke from each other."""


def typing_errors(
    reference: CategoricalDistribution,
    current: CategoricalDistribution,
    gained: Mapping[str, float],
) -> Fault | None:
    """Returns that new texts are slips of known ones; None where they are not, or nobody could tell.

    A slip leaves a character out, takes another one, or has two in the other order.

    Args:
        reference: The baseline's counts.
        current: The new version's.
        gained: Texts that the baseline has not, with their shares.
    """
    known = [name for name, count in reference.counts.items() if count and len(name) >= _SHORTEST]
    new = [name for name in gained if len(name) >= _SHORTEST - 1]
    if len(new) < _LEAST or not known or max(len(known), len(new)) > MOST_VALUES:
        return None
    index = _Index(known)
    near = sum(index.origin(name) is not None for name in known)
    if near > _NEIGHBOURS * len(known):
        return None
    slips = {name: origin for name in new if (origin := index.origin(name)) is not None}
    share = sum(gained[name] for name in slips)
    # Slips differ from each other; one that occurs again and again is another spelling.
    if len(slips) < _LEAST or share < _MOST * sum(gained.values()):
        return None
    if max(gained[name] for name in slips) > share / 2:
        return None
    name = max(slips, key=lambda one: gained[one])
    words = f"typing errors: {len(slips):,} new values such as {name!r} for {slips[name]!r}"
    told = f", {share:.1%} of the rows"
    discreet = f"typing errors: {len(slips):,} new values one keystroke from known ones"
    return Fault("typing-errors", words + told, discreet + told, share)


class _Index:
    """Known texts by what is left of them without one character, so that near ones meet."""

    def __init__(self, known: list[str]) -> None:
        self._known = set(known)
        self._by_rest: dict[str, list[str]] = {}
        for name in known:
            for rest in _without_one(name):
                self._by_rest.setdefault(rest, []).append(name)

    def origin(self, text: str) -> str | None:
        """Returns another known text that is one keystroke away, None where there is none."""
        for one in self._by_rest.get(text, ()):  # a character was left out
            if one != text:
                return one
        for rest in _without_one(text):
            for one in self._by_rest.get(rest, ()):
                if one != text and len(one) == len(text) and _is_one_keystroke(one, text):
                    return one
        return None


def _without_one(text: str) -> Iterator[str]:
    yield from {text[:at] + text[at + 1 :] for at in range(len(text))}


def _is_one_keystroke(one: str, other: str) -> bool:
    """Tells whether texts of one length differ in one character, or in two that changed places."""
    places = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) == 1:
        return True
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    first, second = places
    return one[first] == other[second] and one[second] == other[first]
