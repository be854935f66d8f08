"""What one table is judged by: its bytes, checks and baselines, as whoever calls `judging` found them.

Values only. Called by `judging` and its parts, and by the operations that fill them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from dvtool.quality.checks.model import TableSpec
from dvtool.quality.findings import Evidence, Finding, Outcome, Place
from dvtool.quality.judged import Baseline
from dvtool.quality.profile.model import Profile
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.tables.members import Source
from dvtool.quality.tables.options import ReadOptions


@dataclass(frozen=True, slots=True)
class Profiling:
    """What a profile needs besides the table.

    Attributes:
        privacy: Of the columns that declare it.
        label: The column whose classes are summarised, empty for none.
        key: Of tokens.
    """

    privacy: Mapping[str, Privacy] = field(default_factory=dict)
    label: str = ""
    key: bytes = b""


class Other(NamedTuple):
    """Another table of the same version: where its bytes are, and how its checks read it."""

    path: Source
    read: ReadOptions | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What is judged, and by what.

    Attributes:
        name: The file as the user knows it.
        path: Where its bytes are.
        spec: Its checks, None for none.
        source: The checks file, for `rule`.
        baseline: What it is compared with.
        baseline_path: Where the baseline's bytes are, None when they are not here.
        baseline_profile: Its profile, where the bytes are not here; None when it is not known.
        profile: The table's own profile, where it is known already.
        is_unchanged: Whether the file is byte for byte the baseline's, so that nothing is compared.
        no_baseline: What was named as one and is none, in words; empty when nothing was.
        same_as: The version before the baseline that the file is byte for byte, empty for none.
        reference: The second baseline that its checks name, None for none.
        reference_path: Where its bytes are, None when they are not here.
        parts: Files of the split, by part, when the checks have `splits:`.
        others: Tables of the same data set that `in_table:` names, as it names them.
        root: Folder that `schema:` is looked up in.
        python: Whether code may run.
        now: For waivers and freshness.
        examples: Offending rows a finding, at most.
        profiling: How to profile the table while it is open, None for no profile.
        known: Profiles of the files of a table of several, by their marks, as far as they are kept.
    """

    name: str
    path: Source
    spec: TableSpec | None = None
    source: str = ""
    baseline: Baseline | None = None
    baseline_path: Source | None = None
    baseline_profile: Profile | None = None
    profile: Profile | None = None
    is_unchanged: bool = False
    no_baseline: str = ""
    same_as: str = ""
    reference: Baseline | None = None
    reference_path: Source | None = None
    parts: Mapping[str, Source] = field(default_factory=dict)
    others: Mapping[str, Other] = field(default_factory=dict)
    root: Path | None = None
    python: bool = True
    now: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    examples: int = 5
    profiling: Profiling | None = None
    known: Mapping[str, Profile] = field(default_factory=dict)


def not_run(code: str, why: str, given: Given, rule: Place) -> Finding:
    """Returns the finding that something could not be decided about a table."""
    return Finding(
        code, why, Place(given.name), Evidence.SPLITS, outcome=Outcome.UNDECIDED, rule=rule
    )
