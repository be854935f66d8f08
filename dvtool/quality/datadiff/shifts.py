"""How far the distribution of each column moved, told from two profiles alone.

One figure for every kind, between 0 and 1: the share of values that at least must have changed for
the one distribution to become the other. It is a description, not a test: nothing is decided, and
there is no interval (`dvtool.quality.drift` has both, and needs the data). Called by `ops.diffreport`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.model import ColumnProfile, Profile

_POINTS: Final = 200
_NAMED: Final = frozenset({Kind.TEXT, Kind.BOOL})


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one column moved.

    Attributes:
        column: Its name.
        moved: The share, 0 to 1; None where the profiles cannot tell.
        missing: Change of the share of missing values, -1 to 1; None without rows.
    """

    column: str
    moved: float | None
    missing: float | None

    @property
    def weight(self) -> float:
        """What sorts columns: how much of the column is other than before."""
        return max(self.moved or 0.0, abs(self.missing or 0.0))


def shifts(before: Profile, now: Profile) -> tuple[Shift, ...]:
    """Returns the shift of each column that both profiles have, the largest first."""
    found = []
    is_same_key = before.key_id == now.key_id
    for one in now.columns:
        earlier = before.column(one.name)
        if earlier is not None:
            is_known = is_same_key or one.kind is not Kind.TEXT
            share = moved(earlier, one) if is_known else None
            found.append(Shift(one.name, share, _missing(earlier, one)))
    return tuple(sorted(found, key=lambda one: -one.weight))


def moved(before: ColumnProfile, now: ColumnProfile) -> float | None:
    """Returns the least share of values that must differ; None where it is not known.

    Numbers and moments: the largest distance of the two distribution functions. Texts and bools:
    half the sum of the differences of shares; of columns with many values only the frequent ones
    are known, and the rest counts as one. Sketches are off by their rank error.
    """
    alike = before.kind is now.kind or (before.kind.is_number and now.kind.is_number)
    if not alike or not before.present or not now.present:
        return None
    if now.kind in _NAMED:
        # Texts are kept as such or as tokens, by their privacy: one is not the other.
        return _named(before, now) if before.privacy is now.privacy else None
    points = {
        value
        for side in (before, now)
        for step in range(_POINTS + 1)
        if (value := side.quantile(step / _POINTS)) is not None
    }
    if not points:
        return None
    return max(abs((before.cdf(one) or 0.0) - (now.cdf(one) or 0.0)) for one in points)


def _named(before: ColumnProfile, now: ColumnProfile) -> float | None:
    sides = [_shares(before), _shares(now)]
    if not all(sides):
        return None
    names = {*sides[0], *sides[1]}
    if not (before.distinct_error or now.distinct_error):
        return sum(abs(sides[0].get(one, 0.0) - sides[1].get(one, 0.0)) for one in names) / 2
    # What is frequent on one side only may be just below the limit on the other.
    known = [name for name in names if all(name in side for side in sides)]
    rest = [1 - sum(side[name] for name in known) for side in sides]
    return (sum(abs(sides[0][one] - sides[1][one]) for one in known) + abs(rest[0] - rest[1])) / 2


def _shares(column: ColumnProfile) -> dict[str, float]:
    if column.kind is Kind.BOOL:
        share = column.true_share
        return {} if share is None else {"true": share, "false": 1 - share}
    # By token: what a version names depends on how often it stands there.
    return {} if column.tally is None else {str(k): v for k, v in column.tally.shares().items()}


def _missing(before: ColumnProfile, now: ColumnProfile) -> float | None:
    if before.null_share is None or now.null_share is None:
        return None
    return now.null_share - before.null_share
