"""Statistics of two versions of a table as rows of cells: one column a row, what moved most first.

Figures of both sides stand in one cell, `before -> now`, once where they are the same. Values of
private columns are not there. Called by the renderers of differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dvtool.quality.profile.privacy import Privacy
from dvtool.report.diff_model import FilePart
from dvtool.report.harmless import harmless
from dvtool.report.html import column_names, facts_of

FIGURES: Final = ("missing", "distinct", "min", "median", "mean", "max", "length")
HEAD: Final = ("column", "kind", "moved", *FIGURES)


@dataclass(frozen=True, slots=True)
class StatRow:
    """One column: its name, its cells below `HEAD`, and whether anything in them differs."""

    column: str
    cells: tuple[str, ...]
    is_other: bool


def stat_rows(part: FilePart) -> Iterator[StatRow]:
    """Yields a row a column; nothing when no profile is known."""
    picture = part.picture
    if picture is None or (picture.profile is None and picture.baseline is None):
        return
    rank = {one.column: number for number, one in enumerate(part.shifts)}
    known = {one.column: one for one in part.shifts}
    names = sorted(column_names(picture), key=lambda name: rank.get(name, -1))
    for name in names:
        before = None if picture.baseline is None else picture.baseline.column(name)
        now = None if picture.profile is None else picture.profile.column(name)
        one = now or before
        assert one is not None
        hidden = name in picture.private or one.privacy is Privacy.PRIVATE
        facts = [facts_of(side, is_private=hidden) for side in (before, now)]
        shift = known.get(name)
        moved = "" if shift is None or shift.moved is None else f"{shift.moved:.1%}"
        kind = _pair(before.kind.value if before else "", now.kind.value if now else "")
        if picture.baseline is not None and picture.profile is not None:
            kind = kind if before is not None else f"{kind} (added)"
            kind = kind if now is not None else f"{kind} (removed)"
        cells = [_pair(facts[0].get(figure, ""), facts[1].get(figure, "")) for figure in FIGURES]
        is_other = facts[0] != facts[1] or moved not in ("", "0.0%")
        yield StatRow(name, (harmless(name), kind, moved, *cells), is_other)


def _pair(before: str, now: str) -> str:
    if before and now and before != now:
        return f"{before} -> {now}"
    return now or before
