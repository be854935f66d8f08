"""A report as a value: what was judged, how it came out, and what a page shows beside it.

Renderers of this package take one and return text; nothing is decided, computed or read here. It is
put together by `dvtool.ops.report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dvtool.quality.findings import Finding, Verdict, verdict
from dvtool.quality.judged import Judgement, worst
from dvtool.quality.profile.model import Profile


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a report comes from. Everything may be empty where it is not known.

    Attributes:
        commit: What was judged, 40 hex digits.
        base: What it is relative to, likewise.
        branch: Name of the branch.
        command: As it was typed.
        time: UTC, ISO 8601.
        versions: Of dvtool and of the libraries that judge, by name.
    """

    commit: str = ""
    base: str = ""
    branch: str = ""
    command: str = ""
    time: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier version of a table.

    Attributes:
        name: A commit's first 12 digits, or a file.
        profile: What is known of it; None for a gap, which is never a zero.
    """

    name: str
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class TablePicture:
    """What a page shows of a table beside its findings.

    Attributes:
        profile: Of what was judged; None when nothing is known.
        baseline: Of what it was compared with; None likewise.
        past: Earlier versions, oldest first, the judged one left out.
        private: Columns of which no value may be shown, whatever profiles keep.
    """

    profile: Profile | None = None
    baseline: Profile | None = None
    past: tuple[Past, ...] = ()
    private: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that renderers tell.

    Attributes:
        title: First line, such as `Data of orders at 1f3a…`.
        judgements: One a data set or file.
        extra: Findings that belong to no data set: what cannot be restored, what was loosened.
        provenance: Where it comes from.
        pictures: By table, its name as in the judgement; tables may be missing.
        is_judged: False where tables are only shown, so that no verdict is spoken of.
    """

    title: str
    judgements: tuple[Judgement, ...]
    extra: tuple[Finding, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    pictures: Mapping[str, TablePicture] = field(default_factory=dict)
    is_judged: bool = True

    def _repr_html_(self) -> str:
        """Returns the page in a frame, for notebooks."""
        from html import escape

        from dvtool.report.html import render

        style = "width:100%;height:40em;border:1px solid #8888"
        return f'<iframe sandbox srcdoc="{escape(render(self))}" style="{style}"></iframe>'

    @property
    def verdict(self) -> Verdict:
        """The worst of all data sets and of the findings beside them."""
        if not self.is_judged:
            return Verdict.NOT_JUDGED
        answers = [one.verdict for one in self.judgements]
        return worst([*answers, verdict(self.extra)] if self.extra else answers)
