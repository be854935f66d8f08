"""The judge: a version against the versions before it, from stored profiles alone.

Here breaks and scores become findings. What is not here: where versions come from (`dvtool.ops`), and
the figures behind the answer (`memory`, `scores`, `levels`). Called by `dvtool.ops.history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import erfc, sqrt
from typing import Any, Final

from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.history.levels import WARM, alarm_level, within_budget
from dvtool.quality.history.memory import Memory
from dvtool.quality.history.pairs import RELATIONS
from dvtool.quality.history.portrait import Portrait, portrait_of
from dvtool.quality.history.scores import Expectations, Score
from dvtool.quality.history.structure import breaks
from dvtool.quality.history.version import BUDGET, LEAST_VERSIONS, Version
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
        level: The score that would be an alarm, None where none can be told.
    """

    findings: tuple[Finding, ...]
    score: float
    versions: int
    level: float | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are blamed, the likeliest first."""
        return tuple(dict.fromkeys(one.column for one in self.findings if one.column))


class History:
    """A past, remembered once and asked about any number of versions.

    Args:
        past: Accepted versions, oldest first.
        spec: How to judge.
    """

    def __init__(self, past: Sequence[Version], spec: HistorySpec | None = None) -> None:
        self.spec = spec or HistorySpec()
        filled = [one for one in past if one.profile.rows][-MOST_VERSIONS:]
        self._past = since_resets(filled)
        self._memory: Memory | None = None
        self._expectations: Expectations | None = None
        self.level: float | None = None
        if len(self._past) >= max(self.spec.min_versions, 3):
            self._memory = Memory(self._past)
            self._expectations = Expectations(self._memory.sheet)
            self.level = alarm_level(self._expectations.past, self.spec.false_alarms)

    @property
    def versions(self) -> int:
        """Versions that are remembered."""
        return len(self._past)

    @property
    def is_proven(self) -> bool:
        """Whether the past is long enough, and alarms in it are no more than the budget explains."""
        if self._expectations is None or self.level is None or self.versions < PROVEN_VERSIONS:
            return False
        scores = self._expectations.past[WARM:].max(axis=1)
        alarms = int((scores > self.level).sum())
        return within_budget(alarms, len(scores), self.spec.false_alarms)

    def judge(self, one: Version, *, name: str = "") -> Answer:
        """Returns what is odd about a version.

        Args:
            one: The version.
            name: The file as the user knows it; the version's own name when empty.
        """
        place = name or one.name
        portrait = _portrait(one)
        found = breaks(self._past, portrait, name=place)
        broken = any(finding.severity is Severity.FAIL for finding in found)
        if self._memory is None or self._expectations is None or self.level is None:
            return Answer(tuple(found), 100.0 if broken else 0.0, self.versions, None)
        scores = self._expectations.score(self._memory.measure(portrait))
        scores.sort(key=lambda score: -score.score)
        alarms = [score for score in scores if score.score > self.level]
        found += self._alarms(alarms, portrait, place)
        top = scores[0].score / self.level if scores else 0.0
        return Answer(tuple(found), top + (100.0 if broken else 0.0), self.versions, self.level)

    def _alarms(self, alarms: list[Score], portrait: Portrait, place: str) -> list[Finding]:
        """Returns one finding a column: its oddest figure, the number of others, the likely fault."""
        grouped: dict[str, list[Score]] = {}
        for score in alarms:
            grouped.setdefault(score.metric.column, []).append(score)
        order = sorted(grouped.items(), key=lambda item: -_weight(item[1], alarms))
        return [
            self._finding(column, scores, portrait, place)
            for column, scores in order[:MOST_FINDINGS]
        ]

    def _finding(self, column: str, scores: list[Score], portrait: Portrait, place: str) -> Finding:
        first = scores[0]
        words = sentence(first, portrait.columns.get(column), self.versions)
        fault = likely(first.metric)
        figures: dict[str, Any] = {
            "metric": first.metric.name,
            "score": round(first.score, 2),
            "level": round(self.level or 0.0, 2),
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


def judge(
    past: Sequence[Version], candidate: Version, spec: HistorySpec | None = None
) -> tuple[Finding, ...]:
    """Returns what history says about one version; see `History` for several."""
    return History(past, spec).judge(candidate).findings


def _weight(scores: list[Score], alarms: list[Score]) -> float:
    """Returns how much a column is to blame.

    A relation that broke blames both of its columns; the one with more broken relations is the one
    that moved.
    """
    column = scores[0].metric.column
    own = [one.score for one in scores if one.metric.name not in RELATIONS]
    shared = [
        one.score
        for one in alarms
        if one.metric.name in RELATIONS and column in (one.metric.column, one.metric.about)
    ]
    return 2 * max(own, default=0.0) + max(shared, default=0.0) + 0.05 * sum(shared)


def since_resets(past: Sequence[Version]) -> list[Portrait]:
    """Returns portraits of a past, without the columns whose history started anew later."""
    starts = [at for at, one in enumerate(past) if "*" in one.resets]
    kept = list(past[starts[-1] :] if starts else past)
    found = []
    gone: set[str] = set()
    for one in reversed(kept):
        portrait = _portrait(one)
        if gone:
            columns = {name: c for name, c in portrait.columns.items() if name not in gone}
            portrait = replace(portrait, columns=columns, is_whole="" not in gone)
        found.append(portrait)
        gone |= one.resets
    return found[::-1]


def _portrait(one: Version) -> Portrait:
    return portrait_of(one.name, one.profile)
