"""A table's checks as Python source of a pandera schema, for use without dvtool.

What pandera can say about a DataFrame is written, what it cannot is listed. Judging never goes this
way: rows are judged in SQL (`evaluate`). Pure text, so pandera need not be here. Called by
`dvtool.ops.export_pandera`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.model import ColumnSpec, TableSpec
from dvtool.quality.kinds import Kind

_DTYPES = {
    Kind.INT: "Int64",
    Kind.FLOAT: "float64",
    Kind.BOOL: "boolean",
    Kind.TEXT: "string",
    Kind.DATETIME: "datetime64[ns]",
}
_PERCENT = '''
def percent(count, total):
    """Returns a share in percent; nothing of nothing is 0."""
    return 100 * count / total if total else 0.0


'''


@dataclass(frozen=True, slots=True)
class PanderaSource:
    """A schema as text.

    Attributes:
        text: A Python module that defines `schema`.
        lost: What of the checks pandera has no word for, by key.
    """

    text: str
    lost: tuple[str, ...]


def pandera_source(spec: TableSpec, *, name: str, source: str) -> PanderaSource:
    """Returns a pandera schema that accepts the frames whose rows the checks accept.

    Columns are coerced to nullable types, so that one missing value changes no type. Patterns
    are Python's there and RE2's here; they agree wherever both have the syntax, with ASCII
    classes.

    Args:
        spec: The checks.
        name: What the table is called.
        source: The checks file.
    """
    lost = not_exported(spec)
    lines = ["schema = pa.DataFrameSchema(", "    columns={"]
    for one in spec.columns:
        lines += _column(one)
    lines += ["    },", *_listed(list(_table_checks(spec)), "    ")]
    lines += [f"    strict={spec.other_columns == 'fail'},", ")"]
    body = "\n".join(lines) + "\n"
    imports = ["import re\n"] if "re.fullmatch(" in body else []
    imports += ["import pandas as pd"] if "pd." in body else []
    imports += ["import pandera.pandas as pa", ""]
    helper = _PERCENT if "percent(" in body else ""
    title = _docstring(name, source, lost)
    return PanderaSource(title + "\n".join(imports) + "\n" + helper + body, lost)


def _docstring(name: str, source: str, lost: tuple[str, ...]) -> str:
    said = [f"pandera schema of {name}, written by dvtool from {source}."]
    if lost:
        said += ["", "pandera has no word for these of its checks:"]
        said += [f"- {one}" for one in lost]
    plain = [re.sub(r"[\\\"\x00-\x1f\x7f]", "?", line) for line in said]
    end = '"""\n\n' if len(plain) == 1 else '\n"""\n\n'
    return '"""' + "\n".join(plain) + end


def not_exported(spec: TableSpec) -> tuple[str, ...]:
    """Returns what a pandera schema of these checks leaves out, by key."""
    lost = []
    for one in spec.columns:
        given = {
            "in_table": bool(one.in_table),
            "drift": one.drift is not None,
            "severity": one.severity is not None,
            "type": one.type is not None and one.type not in _DTYPES,
            "matches": bool(one.matches) and not _is_python(one.matches),
        }
        lost += [f"{one.name}.{key}" for key, is_given in given.items() if is_given]
    table = {
        "rules": bool(spec.rules),
        "time": spec.time is not None,
        "rows.change": spec.rows is not None and spec.rows.change is not None,
        "schema": bool(spec.schema),
        "schema_change": bool(spec.schema_change),
        "splits": spec.splits is not None,
        "reference": bool(spec.reference),
        "drift": spec.drift is not None,
        "concept": spec.concept is not None,
        "two_sample": spec.two_sample is not None,
        "severity": bool(spec.severities),
        "ignore": bool(spec.ignore),
    }
    return tuple(lost + [key for key, is_given in table.items() if is_given])


def _is_python(pattern: str) -> bool:
    try:
        re.compile(pattern, re.ASCII)
    except re.error:
        return False
    return True


# -- columns ---------------------------------------------------------------------------------------


def _column(spec: ColumnSpec) -> list[str]:
    forbids = spec.nulls is not None and spec.nulls.high == 0 and not spec.nulls.high_open
    dtype = _DTYPES.get(spec.type) if spec.type else None
    return [
        f"        {spec.name!r}: pa.Column(",
        f"            {dtype!r},",
        *_listed(list(_checks(spec)), "            "),
        f"            nullable={not forbids},",
        f"            required={not spec.optional},",
        f"            coerce={dtype is not None},",
        "        ),",
    ]


def _listed(checks: list[str], indent: str) -> list[str]:
    if not checks:
        return []
    return [f"{indent}checks=[", *(f"{indent}    {one}," for one in checks), f"{indent}],"]


def _checks(spec: ColumnSpec) -> Iterator[str]:
    is_moment = spec.type is not None and spec.type.is_moment
    for word, end in (("ge", spec.min), ("le", spec.max)):
        if end is not None:
            yield f"pa.Check.{word}({f'pd.Timestamp({end!r})' if is_moment else repr(end)})"
    if spec.allowed:
        yield f"pa.Check.isin({list(spec.allowed)!r})"
    if spec.matches and _is_python(spec.matches):
        matches = f"re.fullmatch({spec.matches!r}, text, re.ASCII) is not None"
        yield f"pa.Check(lambda text: {matches}, name='matches', element_wise=True)"
    if spec.nulls is not None and spec.nulls.high != 0:
        yield _counted("nulls", spec.nulls, "int(values.isna().sum())", "len(values)")
    if spec.length is not None:
        held = _inside(spec.length, "len(text)")
        yield f"pa.Check(lambda text: {held}, name='length', element_wise=True)"
    if spec.unique:
        yield _whole("unique", "values.dropna().is_unique")
    if spec.distinct is not None:
        total = "int(values.notna().sum())"
        yield _counted("distinct", spec.distinct, "int(values.nunique())", total)
    yield from _statistics(spec)


def _statistics(spec: ColumnSpec) -> Iterator[str]:
    figures = [("mean", spec.mean, "mean()"), ("std", spec.std, "std()")]
    figures.append(("median", spec.median, "median()"))
    figures += [(f"quantile {p:g}", bound, f"quantile({p!r})") for p, bound in spec.quantiles]
    for name, bound, call in figures:
        if bound is not None:
            figure = f"float(values.dropna().astype('float64').{call})"
            yield _whole(name, _inside(bound, figure))
    for value, bound in spec.shares:
        count = f"int((values.dropna().astype('string') == {value!r}).sum())"
        yield _counted(f"share of {value}", bound, count, "int(values.notna().sum())")


def _counted(name: str, bound: Bound, count: str, total: str) -> str:
    figure = f"percent({count}, {total})" if bound.percent else count
    return _whole(name, _inside(bound, figure))


def _whole(name: str, condition: str) -> str:
    return f"pa.Check(lambda values: {condition}, name={name!r}, ignore_na=False)"


def _inside(bound: Bound, figure: str) -> str:
    """Returns the condition that a figure lies inside a bound; NaN never does."""
    low, high = bound.low, bound.high
    left = "" if low is None else f"{low!r} {'<' if bound.low_open else '<='} "
    right = "" if high is None else f" {'<' if bound.high_open else '<='} {high!r}"
    return f"{left}{figure}{right}"


# -- the whole table -------------------------------------------------------------------------------


def _table_checks(spec: TableSpec) -> Iterator[str]:
    if spec.key:
        names = list(spec.key)
        unique = f"not frame.duplicated(subset={names!r}).any()"
        yield _of_frame("key", f"{unique} and not frame[{names!r}].isna().any(axis=None)")
    if spec.rows is not None and (spec.rows.min is not None or spec.rows.max is not None):
        yield _of_frame("rows", _inside(Bound(spec.rows.min, spec.rows.max), "len(frame)"))
    for one in spec.columns:
        if one.order:
            yield _of_frame("order", _ordered(one.name, one.order))


def _ordered(name: str, order: str) -> str:
    values = f"frame[{name!r}].dropna()"
    way = "increasing" if order.endswith("increasing") else "decreasing"
    held = f"{values}.is_monotonic_{way}"
    return f"{held} and {values}.is_unique" if order.startswith("strictly") else held


def _of_frame(name: str, condition: str) -> str:
    return f"pa.Check(lambda frame: {condition}, name={name!r}, ignore_na=False)"
