"""Days: which days of the calendar a column of dates or times touches, as runs.

Here lives the value with its merge, exact as long as the runs are few. What is not here: the scan
of the values themselves (`numbers`). Column summaries hold it; freshness and gap checks read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

MOST_RUNS = 10_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Days:
    """A set of days, as days since 1970-01-01.

    Args:
        runs: (first day, last day) of each run of consecutive days, rising, not touching.
        complete: False when there were more than 10,000 runs, which are then not kept.
    """

    runs: tuple[tuple[int, int], ...] = ()
    complete: bool = True

    @property
    def count(self) -> int | None:
        """Returns how many different days there are, None when that is not known."""
        return sum(last - first + 1 for first, last in self.runs) if self.complete else None

    def gaps(self) -> list[tuple[int, int]]:
        """Returns (last day before, missing days) of every gap, in calendar order."""
        return [
            (before[1], after[0] - before[1] - 1)
            for before, after in zip(self.runs, self.runs[1:], strict=False)
        ]

    def merge(self, other: Days) -> Days:
        """Returns the union; not complete when a side is not."""
        if not (self.complete and other.complete):
            return Days((), False)
        return joined(sorted((*self.runs, *other.runs)))


def joined(runs: Iterable[tuple[int, int]]) -> Days:
    """Returns the days of runs that rise by their first day and may touch or overlap."""
    found: list[tuple[int, int]] = []
    for first, last in runs:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return Days(tuple(found)) if len(found) <= MOST_RUNS else Days((), False)


def day_text(day: int) -> str:
    """Returns a day since 1970-01-01 as `2026-01-31`; outside the years 1 to 9999 the number."""
    try:
        return (_EPOCH + timedelta(days=day)).isoformat()
    except OverflowError:
        return str(day)
