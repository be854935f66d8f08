"""The judge: a version against the versions before it, from stored profiles alone.

Here breaks and scores become findings. What is not here: where versions come from (`dvtool.ops`), and
the figures behind the answer (`memory`, `scores`, `levels`). Called by `dvtool.ops.history`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import erfc, sqrt
from typing import Any, Final

from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.history.blame import blamed, owned, ranked
from dvtool.quality.history.levels import WARM, within_budget
from dvtool.quality.history.memory import Memory
from dvtool.quality.history.outline import outline_of
from dvtool.quality.history.portrait import Portrait
from dvtool.quality.history.scores import Expectations, Score
from dvtool.quality.history.structure import breaks
from dvtool.quality.history.version import BUDGET, LEAST_VERSIONS, Past, Version
from dvtool.quality.history.wording import likely, sentence

PROVEN_VERSIONS: Final = 10
"""With fewer, a past cannot show that its own alarms are within the budget."""
MOST_VERSIONS: Final = 60
MOST_FINDINGS: Final = 8


@dataclass(frozen=True, slots=True)
class HistorySpec:
    """How to judge by history.

    Args:
        false_alarms: Share of good versions that may alarm.
        min_versions: Versions below which only hard breaks count.
        severity: What an alarm does to the verdict.
    """

    false_alarms: float = BUDGET
    min_versions: int = LEAST_VERSIONS
    severity: Severity = Severity.FAIL


@dataclass(frozen=True, slots=True)
class Answer:
    """What history says about a version.

    Args:
        findings: Breaks first, then alarms, the oddest first.
        score: The oddest figure as a share of the alarm level: above 1 is an alarm.
        versions: Earlier versions that were looked at.
        suspects: Columns that are odd, but do not alarm by themselves.
        is_decided: Whether there were enough versions for more than hard breaks.
    """

    findings: tuple[Finding, ...]
    score: float
    versions: int
    suspects: tuple[str, ...] = ()
    is_decided: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are blamed, the likeliest first; a renamed one by both of its names."""
        failed = [one for one in self.findings if one.severity is Severity.FAIL]
        named = [name for one in failed for name in blamed(one)]
        return tuple(dict.fromkeys([*named, *self.suspects]))


class History:
    """A past, remembered once and asked about any number of versions.

    Args:
        past: Accepted versions, oldest first.
        spec: How to judge.

    Attributes:
        versions: Those that are remembered.
    """

    def __init__(self, past: Past, spec: HistorySpec | None = None) -> None:
        self.spec = spec or HistorySpec()
        filled = [one for one in past if one.portrait.rows][-MOST_VERSIONS:]
        remembered = since_resets(filled)
        self.versions = len(remembered)
        self._outline = outline_of(remembered) if remembered else None
        self._memory: Memory | None = None
        self._expectations: Expectations | None = None
        if self.versions >= max(self.spec.min_versions, 3):
            self._memory = Memory(remembered)
            self._expectations = Expectations(self._memory.sheet, self.spec.false_alarms)

    @property
    def is_decided(self) -> bool:
        """Whether there are enough versions for more than hard breaks."""
        return self._expectations is not None

    @property
    def is_proven(self) -> bool:
        """Whether the past is long enough, and alarms in it are no more than the budget explains."""
        if self._expectations is None or self.versions < PROVEN_VERSIONS:
            return False
        return within_budget(
            self._expectations.alarms, self.versions - WARM, self.spec.false_alarms
        )

    def judge(self, one: Version, *, name: str = "") -> Answer:
        """Returns what is odd about a version.

        Args:
            one: The version.
            name: The file as the user knows it; the version's own name when empty.
        """
        place = name or one.name
        portrait = one.portrait
        found = breaks(self._outline, portrait, name=place) if self._outline is not None else []
        broken = any(finding.severity is Severity.FAIL for finding in found)
        if self._memory is None or self._expectations is None:
            return Answer(tuple(found), 100.0 if broken else 0.0, self.versions, is_decided=False)
        scores = self._expectations.score(self._memory.measure(portrait))
        scores.sort(key=lambda score: -score.score)
        alarms, suspects = self._alarms(scores, portrait, place)
        top = max((score.score / score.level for score in scores), default=0.0)
        oddest = top + (100.0 if broken else 0.0)
        return Answer((*found, *alarms), oddest, self.versions, tuple(suspects))

    def _alarms(
        self, scores: list[Score], portrait: Portrait, place: str
    ) -> tuple[list[Finding], list[str]]:
        """Returns one finding a column, the likeliest to blame first, and what else is odd.

        Each tells its oddest figure, the number of others and the likely fault.
        """
        columns, suspects = ranked(scores)
        grouped: dict[str, list[Score]] = {}
        for score in scores:
            if score.is_alarm:
                own = owned(score, columns)
                grouped.setdefault(own.metric.column, []).append(own)
        order = [one for one in columns if one in grouped]
        if "" in grouped:
            # What is about all rows comes first where it is the oddest.
            is_first = not order or grouped[""][0].score >= grouped[order[0]][0].score
            order = ["", *order] if is_first else [*order, ""]
        found = [
            self._finding(column, grouped[column], portrait, place)
            for column in order[:MOST_FINDINGS]
        ]
        if found and suspects:
            hint = "; ".join(filter(None, (found[0].hint, f"odd besides: {', '.join(suspects)}")))
            found[0] = replace(found[0], hint=hint)
        return found, suspects if found else []

    def _finding(self, column: str, scores: list[Score], portrait: Portrait, place: str) -> Finding:
        first = scores[0]
        assert self._memory is not None
        edge = self._memory.edge(first.metric)
        words = sentence(first, portrait.columns.get(column), self.versions, edge)
        fault = likely(first.metric)
        figures: dict[str, Any] = {
            "metric": first.metric.name,
            "score": round(first.score, 2),
            "level": round(first.level, 2),
            "p": erfc(first.score / sqrt(2)),
            "versions": self.versions,
            "predictor": first.predictor,
            "others": len(scores) - 1,
        }
        return Finding(
            "unlike-history",
            words,
            Place(place),
            Evidence.HISTORY,
            column=column,
            severity=self.spec.severity,
            figures=figures,
            hint=f"likely: {fault}" if fault else "",
        )


def judge(past: Past, candidate: Version, spec: HistorySpec | None = None) -> tuple[Finding, ...]:
    """Returns what history says about one version; see `History` for several."""
    return History(past, spec).judge(candidate).findings


def since_resets(past: Past) -> list[Portrait]:
    """Returns portraits of a past, without the columns whose history started anew later."""
    starts = [at for at, one in enumerate(past) if "*" in one.resets]
    kept = list(past[starts[-1] :] if starts else past)
    found = []
    gone: set[str] = set()
    for one in reversed(kept):
        portrait = one.portrait
        if gone:
            columns = {name: c for name, c in portrait.columns.items() if name not in gone}
            portrait = replace(portrait, columns=columns, is_whole="" not in gone)
        found.append(portrait)
        gone |= one.resets
    return found[::-1]
