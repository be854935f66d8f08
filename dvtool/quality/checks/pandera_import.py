"""A pandera schema as checks of our own, for `suggest --from schemas.py:Train`.

What has a word in the vocabulary is converted; everything else is named, so that nothing is lost
in silence. Loading the schema is `pandera_loading`, writing the file is `writing`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dvtool.errors import InvalidText
from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.frames import Untyped
from dvtool.quality.checks.model import ColumnSpec, RuleSpec, TableSpec
from dvtool.quality.checks.schema_reference import check_words, kind_of
from dvtool.quality.tables.engine import literal, quoted

if TYPE_CHECKING:
    import pandera.pandas as pa

_STRICT = {"greater_than": ">", "less_than": "<", "not_equal_to": "<>", "equal_to": "="}


@dataclass(frozen=True, slots=True)
class Converted:
    """A schema in our words.

    Attributes:
        spec: The checks.
        reasons: What the schema says, for each line of them: by path, as `dump` takes its comments.
        lost: What has no word in the vocabulary.
    """

    spec: TableSpec
    reasons: dict[tuple[str, ...], str]
    lost: tuple[str, ...]


def from_pandera(schema: pa.DataFrameSchema) -> Converted:
    """Returns the checks that a schema amounts to.

    Raises:
        InvalidText: The schema names no column, so there is nothing to convert.
    """
    lost: list[str] = []
    reasons: dict[tuple[str, ...], str] = {}
    rules: list[tuple[RuleSpec, str]] = []
    columns: list[ColumnSpec] = []
    for name, column in schema.columns.items():
        if column.regex:
            lost.append(f"columns matching {name}")
            continue
        columns.append(_column(str(name), column, rules, lost))
        reasons["columns", str(name)] = _words(column)
    if not columns:
        raise InvalidText("the schema names no column")
    unique = [schema.unique] if isinstance(schema.unique, str) else list(schema.unique or ())
    if len(unique) == 1:
        columns = [replace(one, unique=True) if one.name in unique else one for one in columns]
        if unique[0] not in schema.columns:
            columns.append(ColumnSpec(str(unique[0]), unique=True))
            reasons["columns", str(unique[0])] = f"unique={unique!r}"
    lost += [f"check {check_words(check)} of the whole table" for check in schema.checks]
    parsed = bool(schema.parsers) or any(one.parsers for one in schema.columns.values())
    for is_given, words in (
        (schema.index is not None, "the index"),
        (bool(schema.ordered), "the order of columns"),
        (parsed, "parsers"),
    ):
        if is_given:
            lost.append(words)
    spec = TableSpec(
        columns=tuple(columns),
        key=tuple(str(one) for one in unique) if len(unique) > 1 else (),
        rules=tuple(rule for rule, _ in rules),
        other_columns="fail" if schema.strict is True else "allow",
    )
    reasons["key",] = f"unique={unique!r}"
    reasons["other_columns",] = f"strict={schema.strict!r}"
    reasons |= {("rules", str(number)): said for number, (_, said) in enumerate(rules)}
    return Converted(spec, reasons, tuple(lost))


def _words(column: Untyped) -> str:
    """Returns what a schema says of a column, in its own words."""
    said = ["no type" if column.dtype is None else str(column.dtype)]
    said.append("nullable" if column.nullable else "not nullable")
    said += ["unique"] if column.unique else []
    said += [] if column.required else ["not required"]
    said += [check_words(check) for check in column.checks]
    text = "; ".join(said)
    return f"{text} ({column.description})" if column.description else text


def _column(
    name: str, column: Untyped, rules: list[tuple[RuleSpec, str]], lost: list[str]
) -> ColumnSpec:
    kind = kind_of(column.dtype)
    if column.dtype is not None and kind is None:
        lost.append(f"{name}: type {column.dtype}")
    spec = ColumnSpec(
        name,
        type=kind,
        optional=not column.required,
        nulls=None if column.nullable else Bound(high=0),
        unique=bool(column.unique),
    )
    for check in column.checks:
        given: dict[str, Any] = check.statistics or {}
        converted = _converted(spec, str(check.name), given)
        rule = _rule(name, str(check.name), given)
        if converted is not None:
            spec = converted
        elif rule is not None:
            rules.append((rule, f"{name}: {check_words(check)}"))
        else:
            lost.append(f"{name}: check {check_words(check)}")
    return spec


def _converted(spec: ColumnSpec, check: str, given: dict[str, Any]) -> ColumnSpec | None:
    """Returns the entry with one more key, None when no key says the same or it is taken."""
    if check == "greater_than_or_equal_to" and spec.min is None:
        low = _limit(given["min_value"])
        return None if low is None else replace(spec, min=low)
    if check == "less_than_or_equal_to" and spec.max is None:
        high = _limit(given["max_value"])
        return None if high is None else replace(spec, max=high)
    if check == "in_range" and given.get("include_min") and given.get("include_max"):
        low, high = _limit(given["min_value"]), _limit(given["max_value"])
        if low is not None and high is not None and spec.min is None and spec.max is None:
            return replace(spec, min=low, max=high)
    if check == "isin" and not spec.allowed:
        values = tuple(_plain(one) for one in given["allowed_values"])
        if values and all(isinstance(one, str | int | float | bool) for one in values):
            return replace(spec, allowed=values)
    if check == "str_matches" and not spec.matches:
        pattern = whole_pattern(str(given["pattern"]))
        return replace(spec, matches=pattern) if pattern else None
    if check == "str_length" and spec.length is None:
        return _length(spec, given)
    return None


def _length(spec: ColumnSpec, given: dict[str, Any]) -> ColumnSpec | None:
    exact = given.get("exact_value")
    low, high = (exact, exact) if exact is not None else (given["min_value"], given["max_value"])
    return None if low is None and high is None else replace(spec, length=Bound(low, high))


def _rule(name: str, check: str, given: dict[str, Any]) -> RuleSpec | None:
    """Returns a rule for a check with an open end; missing values pass it, as they do in pandera."""
    parts: list[str] = []
    if check in _STRICT:
        parts = [f"{_STRICT[check]} {_sql(next(iter(given.values())))}"]
    elif check == "in_range":
        low, high = given["min_value"], given["max_value"]
        parts = [
            f"{'>=' if given.get('include_min') else '>'} {_sql(low)}",
            f"{'<=' if given.get('include_max') else '<'} {_sql(high)}",
        ]
    elif check == "notin":
        parts = [f"<> {_sql(one)}" for one in given["forbidden_values"]]
    if not parts or any(part.endswith(" ") for part in parts):
        return None
    return RuleSpec(" AND ".join(f"{quoted(name)} {part}" for part in parts))


def whole_pattern(pattern: str) -> str:
    r"""Returns a pattern for whole values that matches what Python's `re.match` accepts.

    Empty when RE2 cannot say it.
    """
    if re.search(r"\(\?[=!<]|\(\?P=|\\[1-9]|\\Z", pattern):
        return ""
    inner = pattern.removeprefix("^")
    if inner.endswith("$") and not inner.endswith("\\$") and "|" not in inner:
        return inner[:-1]
    return f"(?:{inner})(?s:.*)"


def _limit(value: object) -> int | float | str | None:
    """Returns the end of a range as a number or an ISO date; None when it is neither."""
    plain = _plain(value)
    if isinstance(plain, bool):
        return None
    if isinstance(plain, int) or (isinstance(plain, float) and math.isfinite(plain)):
        return plain
    if hasattr(plain, "isoformat"):
        return str(plain.isoformat())
    return None


def _plain(value: Untyped) -> Untyped:
    """Returns numpy's scalars as Python's own."""
    return value.item() if hasattr(value, "item") else value


def _sql(value: object) -> str:
    plain = _plain(value)
    if isinstance(plain, bool):
        return str(plain).lower()
    if isinstance(plain, str):
        return literal(plain)
    limit = _limit(plain)
    if isinstance(limit, str):
        return f"TIMESTAMP {literal(limit.replace('T', ' '))}"
    return "" if limit is None else repr(limit)
