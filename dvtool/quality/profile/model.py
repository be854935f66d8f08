"""Profiles as values: what is known of a table and of each of its columns.

Here live the frozen values and what can be asked of them. What is not here: computing them
(`compute`), merging (`merge`), bytes (`encode`), the meaning of every field and its error
(docs/profiles.md). Checks, drift, history and reports read profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.days import Days
from dvtool.quality.profile.distinct import ERROR as DISTINCT_ERROR
from dvtool.quality.profile.distinct import Distinct
from dvtool.quality.profile.numbers import Numbers
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.profile.rowsample import RowSample
from dvtool.quality.profile.tally import Tally, ranked
from dvtool.quality.profile.texts import Texts

VERSION = 2
MOST_CLASSES = 100
"""Summaries by label are left out when the label has more different values than this."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What is known of one column.

    Args:
        name: As in the table.
        kind: What the values are.
        privacy: What was allowed to be kept.
        rows: Rows of the table.
        nulls: Rows without a value.
        unparsed: Of these, rows where the file says something that is no value of this kind.
        numbers: Of INT, FLOAT, BOOL (0 and 1), DATE (days since 1970-01-01), DATETIME
            (microseconds since then, UTC), TIME (microseconds since midnight), LIST (lengths).
            None for other kinds, and unless public (but for lengths).
        texts: Of TEXT, None for other kinds.
        days: Of public DATE and DATETIME, None otherwise.
        forms: How values of public columns other than texts are written in a CSV file, empty for
            other files; None for other columns.
    """

    name: str
    kind: Kind
    privacy: Privacy
    rows: int = 0
    nulls: int = 0
    unparsed: int = 0
    numbers: Numbers | None = None
    texts: Texts | None = None
    days: Days | None = None
    forms: Tally | None = None

    @property
    def present(self) -> int:
        """Returns the rows with a value."""
        return self.rows - self.nulls

    @property
    def null_share(self) -> float | None:
        """Returns the share of rows without a value, None when there is no row."""
        return self.nulls / self.rows if self.rows else None

    @property
    def is_sampled(self) -> bool:
        """Tells whether the sample of rows has this column: public values, or tokens of texts."""
        if self.kind is Kind.TEXT:
            return self.privacy is not Privacy.PRIVATE
        return self.numbers is not None and self.kind is not Kind.LIST

    @property
    def tally(self) -> Tally | None:
        """Returns the counts of values or tokens, None where they may not be kept."""
        if self.texts is not None:
            return self.texts.tally
        return None if self.numbers is None else self.numbers.tally

    @property
    def distinct(self) -> float | None:
        """Returns the number of different values, None where it may not be known.

        Exact when `distinct_error` is 0.
        """
        if self.texts is not None:
            return self.texts.distinct_count
        return None if self.numbers is None else self.numbers.distinct_count

    @property
    def distinct_error(self) -> float:
        """Returns the relative error of `distinct` at 99.7 % confidence, 0 when exact."""
        tally = self.tally
        return 0.0 if tally is None or tally.is_exact else DISTINCT_ERROR

    @property
    def distinct_sketch(self) -> Distinct | None:
        """Returns the sketch that overlaps between versions can be asked of, None when exact."""
        if self.texts is not None:
            return self.texts.distinct
        return None if self.numbers is None else self.numbers.distinct

    @property
    def mean(self) -> float | None:
        """Returns the mean of the finite values (lengths for LIST), None when there is none."""
        if self.numbers is None or not self.numbers.moments.n:
            return None
        return self.numbers.moments.mean

    @property
    def std(self) -> float | None:
        """Returns the sample standard deviation, None below two finite values."""
        return None if self.numbers is None else self.numbers.moments.std

    @property
    def true_share(self) -> float | None:
        """Returns the share of true among the values of a BOOL column, None when there is none."""
        return self.mean if self.kind is Kind.BOOL else None

    def quantile(self, share: float) -> float | None:
        """Returns a quantile of the numbers; its rank is off by at most `numbers.rank_error`."""
        return None if self.numbers is None else self.numbers.quantile(share)

    def cdf(self, value: float) -> float | None:
        """Returns the share of numbers at or below a value, within `numbers.rank_error`."""
        return None if self.numbers is None else self.numbers.cdf(value)

    def shares(self) -> dict[str, float]:
        """Returns each listed category's share of the values, largest first.

        Complete when the tally is exact. Texts that may not be told stand as tokens.
        """
        if self.texts is not None:
            return self.texts.shares()
        if self.numbers is None or not self.numbers.tally.total:
            return {}
        total = self.numbers.tally.total
        return {str(key): n / total for key, n in ranked(self.numbers.tally.counts.items())}


@dataclass(frozen=True, slots=True)
class Conditional:
    """One column within one class of the label: rows without a value, and two moments.

    Args:
        nulls: Rows of the class without a value in the column.
        n: Finite numbers among them; 0 for a column that is not numeric.
        mean: Of these, 0 when there is none.
        m2: Sum of squared distances from the mean.
    """

    nulls: int = 0
    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @property
    def variance(self) -> float | None:
        """Returns the sample variance, None below two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else None

    def merge(self, other: Conditional) -> Conditional:
        """Returns the summary of both."""
        n = self.n + other.n
        if not n:
            return Conditional(self.nulls + other.nulls)
        delta = other.mean - self.mean
        mean = self.n / n * self.mean + other.n / n * other.mean
        m2 = self.m2 + other.m2 + delta * delta * (self.n * other.n / n)
        return Conditional(self.nulls + other.nulls, n, mean, m2)


@dataclass(frozen=True, slots=True)
class ClassProfile:
    """The rows that share one value of the label.

    Args:
        rows: How many.
        columns: By name: every column but the label itself and private ones.
    """

    rows: int = 0
    columns: Mapping[str, Conditional] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a table.

    Args:
        rows: Rows.
        size_bytes: Of the files behind it, 0 when not known.
        columns: In the order of the table.
        label: Name of the label column, empty when there is none.
        classes: By the label's text, or its token where the column is hashed text; None when
            there is no label, when it is private, or when it has more than 100 values. Rows
            without a label are in no class.
        key_id: Tells keys of tokens apart without telling the key; empty for no key.
        sample: Of the rows; None when no column may be in it.
        readings: How the files behind it were read, sorted: `csv , utf-8`.
        version: Of the profile's meaning and format.
    """

    rows: int = 0
    size_bytes: int = 0
    columns: tuple[ColumnProfile, ...] = ()
    label: str = ""
    classes: Mapping[str, ClassProfile] | None = None
    key_id: str = ""
    sample: RowSample | None = None
    readings: tuple[str, ...] = ()
    version: int = VERSION

    @property
    def sampled(self) -> tuple[ColumnProfile, ...]:
        """Returns the columns that the sample of rows has, in its order."""
        return tuple(one for one in self.columns if one.is_sampled)

    def column(self, name: str) -> ColumnProfile | None:
        """Returns a column by name, None when there is none."""
        return next((one for one in self.columns if one.name == name), None)

    def named_classes(self) -> dict[str, ClassProfile]:
        """Returns the classes by name, or by token where the name may not be told.

        Empty when there are none.
        """
        column = self.column(self.label)
        names = column.texts.names if column is not None and column.texts is not None else {}
        return {names.get(key, key): one for key, one in (self.classes or {}).items()}
