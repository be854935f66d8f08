"""Merging: the profile of two files together, from their profiles alone.

Here live the monoid on whole profiles and the conditions under which it is defined. The merges of
the parts stand beside their values. Data sets of many files are profiled file by file and merged
here, in any order and grouping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from dvtool.errors import UsageError
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.days import Days
from dvtool.quality.profile.forms import has_forms
from dvtool.quality.profile.model import (
    MOST_CLASSES,
    ClassProfile,
    ColumnProfile,
    Conditional,
    Profile,
)
from dvtool.quality.profile.numbers import Numbers
from dvtool.quality.profile.patterns import Patterns
from dvtool.quality.profile.privacy import Privacy, default_privacy
from dvtool.quality.profile.rowsample import RowScan
from dvtool.quality.profile.tally import Tally
from dvtool.quality.profile.texts import Texts

_COUNTED = (Kind.INT, Kind.FLOAT, Kind.BOOL, Kind.DATE, Kind.DATETIME, Kind.TIME)


def empty(
    columns: Sequence[tuple[str, Kind]],
    *,
    privacy: Mapping[str, Privacy] | None = None,
    label: str = "",
    key_id: str = "",
) -> Profile:
    """Returns the profile of a table without rows: the neutral element of `merge`.

    Args:
        columns: Names and kinds, in order.
        privacy: Declared for some columns.
        label: As in `profile_table`.
        key_id: As in the profiles it will be merged with.
    """
    declared = privacy or {}
    made = tuple(
        empty_column(name, kind, declared.get(name, default_privacy(kind)))
        for name, kind in columns
    )
    told = any(one.name == label and one.privacy is not Privacy.PRIVATE for one in made)
    width = sum(one.is_sampled for one in made)
    sample = RowScan([""] * width, [False] * width, "").finish() if width else None
    return Profile(
        columns=made, label=label, classes={} if told else None, key_id=key_id, sample=sample
    )


def empty_column(name: str, kind: Kind, privacy: Privacy) -> ColumnProfile:
    """Returns the profile of a column without rows, with the parts that its kind has."""
    public = privacy is Privacy.PUBLIC
    numbers = Numbers() if kind is Kind.LIST or (public and kind in _COUNTED) else None
    texts = None
    if kind is Kind.TEXT:
        kept = privacy is not Privacy.PRIVATE
        texts = Texts(Numbers(), Patterns(), Tally()) if kept else Texts()
    days = Days() if public and kind.is_moment else None
    forms = Tally() if public and has_forms(kind) else None
    return ColumnProfile(name, kind, privacy, numbers=numbers, texts=texts, days=days, forms=forms)


def merge(a: Profile, b: Profile) -> Profile:
    """Returns the profile of the rows of both tables.

    Commutative and associative with `empty` as neutral element, on every field that
    docs/profiles.md marks exact; sketched fields stay within their stated errors.

    Raises:
        UsageError: The tables differ in columns, kinds, privacy or label, or their tokens were
            made with different keys, so that no profile of both exists.
    """
    _check_alike(a, b)
    return Profile(
        a.rows + b.rows,
        a.size_bytes + b.size_bytes,
        tuple(_columns(x, y) for x, y in zip(a.columns, b.columns, strict=True)),
        a.label,
        _classes(a.classes, b.classes),
        a.key_id,
        None if a.sample is None or b.sample is None else a.sample.merge(b.sample),
        tuple(sorted({*a.readings, *b.readings})),
        a.version,
    )


def together(profiles: Sequence[Profile]) -> Profile | None:
    """Returns the profile of the rows of several tables.

    None for no table, and where they differ in what `merge` wants alike.
    """
    if not profiles:
        return None
    try:
        return reduce(merge, profiles)
    except UsageError:
        return None


def _check_alike(a: Profile, b: Profile) -> None:
    if a.version != b.version:
        raise UsageError(f"profiles of versions {a.version} and {b.version} do not merge")
    if a.label != b.label:
        raise UsageError(f"profiles with labels {a.label!r} and {b.label!r} do not merge")
    if a.key_id != b.key_id:
        raise UsageError("profiles made with different keys do not merge")
    if len(a.columns) != len(b.columns):
        raise UsageError(f"profiles of {len(a.columns)} and {len(b.columns)} columns do not merge")
    for x, y in zip(a.columns, b.columns, strict=True):
        if x.name != y.name:
            raise UsageError(f"profiles with columns {x.name!r} and {y.name!r} do not merge")
        if x.kind is not y.kind:
            raise UsageError(
                f"column {x.name!r}: profiles of kinds {x.kind.value} and {y.kind.value} do not merge"
            )
        if x.privacy is not y.privacy:
            raise UsageError(
                f"column {x.name!r}: {x.privacy.value} and {y.privacy.value} profiles do not merge"
            )


def _columns(a: ColumnProfile, b: ColumnProfile) -> ColumnProfile:
    return ColumnProfile(
        a.name,
        a.kind,
        a.privacy,
        a.rows + b.rows,
        a.nulls + b.nulls,
        a.unparsed + b.unparsed,
        None if a.numbers is None or b.numbers is None else a.numbers.merge(b.numbers),
        None if a.texts is None or b.texts is None else a.texts.merge(b.texts),
        None if a.days is None or b.days is None else a.days.merge(b.days),
        None if a.forms is None or b.forms is None else a.forms.merge(b.forms),
    )


def _classes(
    a: Mapping[str, ClassProfile] | None, b: Mapping[str, ClassProfile] | None
) -> Mapping[str, ClassProfile] | None:
    if a is None or b is None:
        return None
    names = sorted({*a, *b})
    if len(names) > MOST_CLASSES:
        return None
    return {name: _class(a.get(name), b.get(name)) for name in names}


def _class(a: ClassProfile | None, b: ClassProfile | None) -> ClassProfile:
    if a is None or b is None:
        found = a or b
        assert found is not None
        return found
    columns = {
        name: a.columns.get(name, Conditional()).merge(b.columns.get(name, Conditional()))
        for name in sorted({*a.columns, *b.columns})
    }
    return ClassProfile(a.rows + b.rows, columns)
