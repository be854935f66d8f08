"""What a checks file says, as frozen values.

Every spec knows the line of each of its keys; lines take no part in equality, so that what `dump`
writes reads back equal. Making these from text is `parsing`; the words and their grammar are
`vocabulary`; everyone who judges reads them.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from dvtool.quality.checks.bounds import Bound, Number
from dvtool.quality.findings import Place, Severity
from dvtool.quality.history.version import BUDGET, LEAST_VERSIONS
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    from dvtool.quality.tables.options import ReadOptions


@dataclass(frozen=True, slots=True)
class Spec:
    """Base of all specs: where it stands.

    Args:
        line: 1-based line on which it starts, 0 when it was not read from a file.
        lines: The line of each key, by the word in the file.
    """

    line: int = field(default=0, compare=False, kw_only=True)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, kw_only=True)

    def at(self, key: str, source: str) -> Place:
        """Returns the place of `key` in the checks file called `source`."""
        return Place(source, self.lines.get(key, self.line))


DRIFT_METHODS: Final = (
    *("psi", "js", "wasserstein", "ks", "cramers_v"),
    *("tvd", "wasserstein_iqr", "tails", "far_tails"),
)
"""What `drift:` of checks calls the methods, in the vocabulary's order."""


@dataclass(frozen=True, slots=True)
class Drift(Spec):
    """How far a distribution may move: a threshold a method; all None when only defaults hold.

    Args:
        off: `drift: false`: this column, or table, is not compared.
    """

    psi: float | None = None
    js: float | None = None
    wasserstein: float | None = None
    ks: float | None = None
    cramers_v: float | None = None
    tvd: float | None = None
    wasserstein_iqr: float | None = None
    tails: float | None = None
    far_tails: float | None = None
    off: bool = False

    def thresholds(self) -> dict[str, float]:
        """Returns the thresholds given, by method, in the vocabulary's order."""
        given = {name: getattr(self, name) for name in DRIFT_METHODS}
        return {name: limit for name, limit in given.items() if limit is not None}


@dataclass(frozen=True, slots=True)
class ColumnSpec(Spec):
    """What one column must be like. Every key is optional; `docs/checks.md` says what each means.

    Args:
        allowed: The values of `in:`, empty when not given.
        quantiles: Pairs of a probability (0 to 1) and the bound of that quantile.
        shares: Pairs of a value, as text, and the bound of its share of the values present.
        in_table: `other.csv:column`, where every value must occur; empty when not given.
    """

    name: str
    type: Kind | None = None
    optional: bool = False
    min: Number | str | None = None
    max: Number | str | None = None
    allowed: tuple[str | int | float | bool, ...] = ()
    matches: str = ""
    nulls: Bound | None = None
    unique: bool = False
    length: Bound | None = None
    distinct: Bound | None = None
    order: str = ""
    in_table: str = ""
    mean: Bound | None = None
    std: Bound | None = None
    median: Bound | None = None
    quantiles: tuple[tuple[float, Bound], ...] = ()
    shares: tuple[tuple[str, Bound], ...] = ()
    drift: Drift | None = None
    private: bool = False
    public: bool = False
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class TimeSpec(Spec):
    """The time column: `fresh_s` and `gaps_s` are seconds, None when not asked."""

    column: str
    fresh_s: int | None = None
    gaps_s: int | None = None


@dataclass(frozen=True, slots=True)
class RowsSpec(Spec):
    """How many rows: counts, and `change` in percent against the baseline."""

    min: int | None = None
    max: int | None = None
    change: Bound | None = None


@dataclass(frozen=True, slots=True)
class RuleSpec(Spec):
    """One boolean SQL expression over the columns; `max_share` (0 to 1) of rows may break it."""

    sql: str
    name: str = ""
    max_share: float = 0.0
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class SplitsSpec(Spec):
    """The parts of a data set split for learning: paths beside the checks, and what may not leak."""

    train: str = ""
    validation: str = ""
    test: str = ""
    group: str = ""
    time: str = ""

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """Name and path of each part that is given, in the order of learning."""
        named = (("train", self.train), ("validation", self.validation), ("test", self.test))
        return tuple((name, path) for name, path in named if path)


@dataclass(frozen=True, slots=True)
class HistoryRule(Spec):
    """How a table's own history judges it.

    Args:
        false_alarms: Share of good versions that may alarm.
        min_versions: Earlier versions below which only hard breaks count.
        off: `history: false`: it does not judge.
    """

    false_alarms: float = BUDGET
    min_versions: int = LEAST_VERSIONS
    off: bool = False


@dataclass(frozen=True, slots=True)
class IgnoreSpec(Spec):
    """One finding that does not count, up to and including the day `until`."""

    finding: str
    until: datetime.date
    reason: str


@dataclass(frozen=True, slots=True)
class TableSpec(Spec):
    """What one table must be like.

    Args:
        path: Path or glob under `tables:`; empty in the checks of a single file.
        union: Whether the files that a glob matches are one table together.
        severities: Of `severity:`, pairs of a column, a code or `column.code`, and its severity.
        schema: `file.py:Name` or a pandera YAML file, empty when not given.
        reference: A version or file that is a baseline besides the default one.
        history: Whether and how the table's own history judges it.
        group: Column whose values belong together when intervals are resampled.
        other_columns: What a column that the checks do not name is.
        concept: Experimental: largest growth of a model's loss, 0.1 = 10 %; None for not asked.
        two_sample: Experimental: largest AUC of a model that guesses the version of a row.
    """

    path: str = ""
    union: bool = False
    columns: tuple[ColumnSpec, ...] = ()
    key: tuple[str, ...] = ()
    label: str = ""
    time: TimeSpec | None = None
    rows: RowsSpec | None = None
    rules: tuple[RuleSpec, ...] = ()
    other_columns: str = "allow"
    schema: str = ""
    schema_change: str = ""
    splits: SplitsSpec | None = None
    reference: str = ""
    history: HistoryRule = HistoryRule()
    group: str = ""
    drift: Drift | None = None
    concept: float | None = None
    two_sample: float | None = None
    severities: tuple[tuple[str, Severity], ...] = ()
    ignore: tuple[IgnoreSpec, ...] = ()
    read: ReadOptions | None = None

    def column(self, name: str) -> ColumnSpec | None:
        """Returns the entry of a column, None when the checks do not name it."""
        return next((one for one in self.columns if one.name == name), None)

    @property
    def types(self) -> tuple[tuple[str, str], ...]:
        """The kinds that the checks declare, as `ReadOptions.types` takes them."""
        return tuple((one.name, one.type.value) for one in self.columns if one.type is not None)

    @property
    def private(self) -> frozenset[str]:
        """Names of the columns whose values appear nowhere."""
        return frozenset(one.name for one in self.columns if one.private)


@dataclass(frozen=True, slots=True)
class ChecksFile(Spec):
    """A whole checks file: one table without a path, or several with."""

    tables: tuple[TableSpec, ...]
    source: str = field(default="", compare=False)

    @property
    def is_single(self) -> bool:
        """Tells whether it is the checks of one file, not of a directory."""
        return len(self.tables) == 1 and not self.tables[0].path


def defaults_of(spec: type[Spec]) -> dict[str, Any]:
    """Returns the default of every field that has one, by field name."""
    return {one.name: one.default for one in fields(spec) if one.default is not MISSING}
