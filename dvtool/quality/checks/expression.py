"""Rules in SQL: proof that a text is one harmless expression over the columns of a row.

DuckDB itself parses it; its tree may hold only kinds of nodes that are named here, so that no
subquery, aggregate, window, table function or file is ever reached. `evaluate` calls it before the
expression runs, and may call it without data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dvtool.errors import InvalidText
from dvtool.quality.checks.grammar import did_you_mean
from dvtool.quality.tables.engine import Engine

MAX_CHARACTERS = 4000

_CLASSES = frozenset(
    {"COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "OPERATOR", "BETWEEN", "CASE", "CAST",
     "FUNCTION", "TYPE", "LAMBDA", "LAMBDA_REF", "COLLATE"}
)  # fmt: skip
_UNFIT = frozenset({"getenv", "getvariable", "current_setting", "error", "write_log"})
"""Functions that DuckDB calls consistent, but whose answer, or effect, is not the row's alone."""


_MACROS = frozenset(
    {"nullif", "fmod", "fdiv", "list_sum", "list_avg", "list_min", "list_max", "list_count",
     "list_first", "list_last", "list_bool_and", "list_bool_or", "array_to_string"}
)  # fmt: skip
"""DuckDB's own macros that are expressions over their arguments."""


def check_expression(engine: Engine, sql: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the columns that an expression uses, in order of first use, spelt as in the table.

    Args:
        engine: Parses it; nothing is evaluated.
        sql: One boolean expression.
        columns: Names that it may use.

    Raises:
        InvalidText: It is none, or does more than compare the values of one row.
    """
    if len(sql) > MAX_CHARACTERS:
        raise InvalidText(f"a rule is at most {MAX_CHARACTERS} characters")
    tree = _tree(engine, f"SELECT ({sql}\n) FROM rows_of_the_table")
    if len(tree.get("statements", ())) != 1:
        raise InvalidText("a rule is one expression")
    select = tree["statements"][0]["node"]
    plain = _tree(engine, "SELECT (true\n) FROM rows_of_the_table")["statements"][0]["node"]
    expressions = select.pop("select_list", [])
    plain.pop("select_list")
    if len(expressions) != 1 or _without_places(select) != _without_places(plain):
        raise InvalidText("a rule is one expression, without FROM, WHERE or a second column")
    used: dict[str, None] = {}
    calls: dict[str, None] = {}
    _walk(expressions[0], columns, frozenset(), used, calls)
    _check_calls(engine, tuple(calls))
    return tuple(used)


def _tree(engine: Engine, statement: str) -> dict[str, Any]:
    text = engine.rows("SELECT json_serialize_sql(?)", [statement])[0][0]
    tree: dict[str, Any] = json.loads(text)
    if tree.get("error"):
        raise InvalidText(f"not an SQL expression: {str(tree.get('error_message'))[:160]}")
    return tree


def _without_places(node: object) -> object:
    if isinstance(node, dict):
        return {
            key: _without_places(value)
            for key, value in node.items()
            if not key.startswith("query_location")
        }
    return [_without_places(one) for one in node] if isinstance(node, list) else node


def _walk(
    node: object,
    columns: tuple[str, ...],
    bound: frozenset[str],
    used: dict[str, None],
    calls: dict[str, None],
) -> None:
    if isinstance(node, list):
        for one in node:
            _walk(one, columns, bound, used, calls)
        return
    if not isinstance(node, dict):
        return
    inner = bound
    if "class" in node:
        _check_node(node, calls)
        if node["class"] == "LAMBDA":
            inner = bound | set(_names(node.get("lhs")))
        if node["class"] == "COLUMN_REF":
            _use(node, columns, bound, used)
            return
    for key, value in node.items():
        if key != "lhs" or node.get("class") != "LAMBDA":
            _walk(value, columns, inner, used, calls)


def _check_node(node: dict[str, Any], calls: dict[str, None]) -> None:
    kind = str(node["class"])
    if kind not in _CLASSES:
        raise InvalidText(f"a rule looks at one row: no {kind.lower().replace('_', ' ')}")
    if kind != "FUNCTION":
        return
    name = str(node.get("function_name", "")).lower()
    if node.get("filter") or node.get("distinct") or _orders(node):
        raise InvalidText(f"a rule looks at one row: no aggregate {name}")
    if node.get("schema") or node.get("catalog"):
        raise InvalidText(f"a rule may not call {name} of another schema")
    calls[name] = None


def _check_calls(engine: Engine, names: tuple[str, ...]) -> None:
    """Refuses what is no scalar function, and what answers differently from run to run."""
    for name in names:
        found = engine.rows(
            "SELECT DISTINCT function_type, stability, parameter_types FROM duckdb_functions() "
            "WHERE function_name = ?",
            [name],
        )
        if not found:
            raise InvalidText(f"no function {name}")
        if name in _MACROS:
            continue
        others = [kind for kind, _, _ in found if kind != "scalar"]
        if others:
            raise InvalidText(f"a rule looks at one row: no {others[0]} function {name}")
        if name in _UNFIT or not all(_is_steady(*one) for _, *one in found):
            raise InvalidText(f"a rule may not call {name}: its answer is not the row's alone")


def _is_steady(stability: str, parameters: Sequence[str]) -> bool:
    """Tells whether one form of a function gives the same answer in any run.

    duckdb 2.0.1 calls forms that take a moment with a time zone steady within a query only, as
    they depend on the zone that is set; the engine always sets UTC.
    """
    if stability == "CONSISTENT_WITHIN_QUERY":
        return any("TIME ZONE" in kind or "TIMESTAMPTZ" in kind for kind in parameters)
    return stability == "CONSISTENT"


def _orders(node: dict[str, Any]) -> bool:
    orders = node.get("order_bys")
    return bool(isinstance(orders, dict) and orders.get("orders"))


def _names(node: object) -> list[str]:
    if isinstance(node, dict) and node.get("class") == "COLUMN_REF":
        return [str(one) for one in node["column_names"]]
    if isinstance(node, dict):
        return [name for value in node.values() for name in _names(value)]
    return [name for one in node for name in _names(one)] if isinstance(node, list) else []


def _use(
    node: dict[str, Any], columns: tuple[str, ...], bound: frozenset[str], used: dict[str, None]
) -> None:
    first = str(node["column_names"][0])
    if first in bound:
        return
    same = [name for name in columns if name.lower() == first.lower()]
    if not same:
        hint = did_you_mean(first, list(columns)[:20]) if columns else ""
        raise InvalidText(f"no column {first}", hint=hint)
    used.setdefault(first if first in same else same[0])
