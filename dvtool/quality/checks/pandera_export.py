"""A table's checks as a pandera schema, for use inside somebody's own Python.

What pandera can say about a DataFrame is exported, what it cannot is listed by `not_exported`.
Judging never goes this way: rows are judged in SQL (`evaluate`). pandas and pandera are imported
here; callers stand behind a named door.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.frames import Untyped
from dvtool.quality.checks.model import ColumnSpec, TableSpec
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa

_DTYPES = {
    Kind.INT: "Int64",
    Kind.FLOAT: "float64",
    Kind.BOOL: "boolean",
    Kind.TEXT: "string",
    Kind.DATETIME: "datetime64[ns]",
}


def to_pandera(spec: TableSpec) -> pa.DataFrameSchema:
    """Returns a pandera schema that accepts the frames whose rows the checks accept.

    Columns are coerced to nullable types, so that one missing value changes no type. Patterns
    are Python's there and RE2's here; they agree wherever both have the syntax, with ASCII
    classes.
    """
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        columns={one.name: _column(one) for one in spec.columns},
        checks=list(_table_checks(spec)),
        strict=spec.other_columns == "fail",
    )


def not_exported(spec: TableSpec) -> tuple[str, ...]:
    """Returns what a pandera schema of these checks leaves out, by key."""
    lost = [
        f"{one.name}.{key}"
        for one in spec.columns
        for key, value in (("in_table", one.in_table), ("drift", one.drift))
        if value
    ]
    lost += [
        f"{one.name}.type"
        for one in spec.columns
        if one.type is not None and one.type not in _DTYPES
    ]
    rows_change = spec.rows is not None and spec.rows.change is not None
    table = {
        "rules": bool(spec.rules),
        "time": spec.time is not None,
        "rows.change": rows_change,
        "schema": bool(spec.schema),
        "splits": spec.splits is not None,
        "drift": spec.drift is not None,
    }
    return tuple(lost + [key for key, is_given in table.items() if is_given])


def _column(spec: ColumnSpec) -> Untyped:
    import pandera.pandas as pa

    forbids = spec.nulls is not None and spec.nulls.high == 0 and not spec.nulls.high_open
    dtype = _DTYPES.get(spec.type) if spec.type else None
    return pa.Column(
        dtype,
        checks=list(_checks(spec)),
        nullable=not forbids,
        required=not spec.optional,
        coerce=dtype is not None,
    )


def _checks(spec: ColumnSpec) -> Iterator[Any]:
    import pandas as pd
    import pandera.pandas as pa

    is_moment = spec.type is not None and spec.type.is_moment
    if spec.min is not None:
        yield pa.Check.ge(pd.Timestamp(spec.min) if is_moment else spec.min)
    if spec.max is not None:
        yield pa.Check.le(pd.Timestamp(spec.max) if is_moment else spec.max)
    if spec.allowed:
        yield pa.Check.isin(list(spec.allowed))
    if spec.matches:
        yield _pattern(spec.matches)
    if spec.nulls is not None and spec.nulls.high != 0:
        yield _whole("nulls", spec.nulls, lambda values: (int(values.isna().sum()), len(values)))
    if spec.length is not None:
        yield _lengths(spec.length)
    if spec.unique:
        yield pa.Check(lambda values: values.dropna().is_unique, name="unique", ignore_na=False)
    if spec.distinct is not None:
        count = lambda values: (int(values.nunique()), int(values.notna().sum()))  # noqa: E731
        yield _whole("distinct", spec.distinct, count)
    yield from _statistics(spec)


def _statistics(spec: ColumnSpec) -> Iterator[Any]:
    named: list[tuple[str, Bound | None, Any]] = [
        ("mean", spec.mean, lambda values: values.mean()),
        ("std", spec.std, lambda values: values.std()),
        ("median", spec.median, lambda values: values.median()),
    ]
    named += [
        (f"quantile {p:g}", bound, lambda values, p=p: values.quantile(p))
        for p, bound in spec.quantiles
    ]
    for name, bound, figure in named:
        if bound is not None:
            yield _figure(name, bound, figure)
    for value, bound in spec.shares:
        yield _share(value, bound)


def _figure(name: str, bound: Bound, figure: Untyped) -> Untyped:
    import pandera.pandas as pa

    def holds(values: pd.Series[Any]) -> bool:
        return bound.holds(float(figure(values.dropna().astype("float64"))))

    return pa.Check(holds, name=name, ignore_na=False)


def _whole(name: str, bound: Bound, count: Untyped) -> Untyped:
    import pandera.pandas as pa

    return pa.Check(lambda values: bound.holds_count(*count(values)), name=name, ignore_na=False)


def _share(value: str, bound: Bound) -> Untyped:
    def count(values: pd.Series[Any]) -> tuple[int, int]:
        present = values.dropna().astype("string")
        return int((present == value).sum()), len(present)

    return _whole(f"share of {value}", bound, count)


def _lengths(bound: Bound) -> Untyped:
    import pandera.pandas as pa

    return pa.Check(lambda text: bound.holds(len(text)), name="length", element_wise=True)


def _pattern(pattern: str) -> Untyped:
    import pandera.pandas as pa

    # pandas asks RE2 or Python's re, by the type of the column; here it is always the same one.
    compiled = re.compile(pattern, re.ASCII)
    return pa.Check(
        lambda text: compiled.fullmatch(text) is not None, name="matches", element_wise=True
    )


def _table_checks(spec: TableSpec) -> Iterator[Any]:
    import pandera.pandas as pa

    if spec.key:
        names = list(spec.key)
        yield pa.Check(
            lambda frame: (
                not frame.duplicated(subset=names).any() and not frame[names].isna().any(axis=None)
            ),
            name="key",
            ignore_na=False,
        )
    if spec.rows is not None:
        least = spec.rows.min or 0
        most = spec.rows.max
        yield pa.Check(
            lambda frame: least <= len(frame) and (most is None or len(frame) <= most),
            name="rows",
            ignore_na=False,
        )
    for one in spec.columns:
        if one.order:
            yield _order(one.name, one.order)


def _order(name: str, order: str) -> Untyped:
    import pandera.pandas as pa

    def holds(frame: pd.DataFrame) -> bool:
        values = frame[name].dropna()
        is_sorted = (
            values.is_monotonic_increasing
            if order.endswith("increasing")
            else values.is_monotonic_decreasing
        )
        return bool(is_sorted) and (not order.startswith("strictly") or values.is_unique)

    return pa.Check(holds, name="order", ignore_na=False)
