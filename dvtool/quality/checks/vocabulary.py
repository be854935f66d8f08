"""The vocabulary: every key that a checks file may hold, in one table.

A key that is not here is an error. Parser, writer, JSON Schema and `docs/checks.md` are made from
this table, so that they cannot disagree; what a key does to rows is `evaluate` and its
neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dvtool.errors import InvalidText
from dvtool.quality.checks import editing
from dvtool.quality.checks import grammar as g
from dvtool.quality.checks.grammar import Grammar, Value, bound, choice, expected, mapping_of
from dvtool.quality.checks.model import (
    ColumnSpec,
    Drift,
    HistoryRule,
    IgnoreSpec,
    RowsSpec,
    RuleSpec,
    SplitsSpec,
    TableSpec,
    TimeSpec,
)
from dvtool.quality.checks.records import (
    Scope,
    Word,
    named,
    record,
    records,
    unless_false,
    unless_true,
)
from dvtool.quality.checks.text import Node
from dvtool.quality.drift.methods import code_of
from dvtool.quality.findings import Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.options import COMPRESSIONS, DECIMALS, FORMATS, THOUSANDS, ReadOptions

TYPES: Final = tuple(kind.value for kind in Kind if kind is not Kind.OTHER)
ORDERS: Final = ("increasing", "strictly-increasing", "decreasing", "strictly-decreasing")
SEVERITY: Final = choice("note", "warn", "fail", make=Severity)
THREE_WAYS: Final = choice("allow", "warn", "fail")


def _both_ends(low: str, high: str) -> Callable[[Node, dict[str, Any]], None]:
    def inspect(node: Node, values: dict[str, Any]) -> None:
        least, most = values.get(low), values.get(high)
        if least is None or most is None:
            return
        if isinstance(least, str) != isinstance(most, str):
            raise node.refuse(f"{low} and {high} are not of one kind")
        if least > most:
            raise node.refuse(f"{low} {least} is above {high} {most}")

    return inspect


def _inspect_column(node: Node, values: dict[str, Any]) -> None:
    _both_ends("min", "max")(node, values)
    if values.get("private") and values.get("public"):
        raise node.refuse("a column is private or public, not both")
    if values.get("private") and values.get("shares"):
        raise node.refuse("shares of a private column would name its values")
    if values.get("type") is Kind.TEXT and any(
        word in values for word in ("mean", "std", "median", "quantiles")
    ):
        raise node.refuse("text has no mean, std, median or quantiles")


def _inspect_splits(node: Node, values: dict[str, Any]) -> None:
    if sum(part in values for part in ("train", "validation", "test")) < 2:
        raise node.refuse("splits needs two of train, validation and test")


def _inspect_rows(node: Node, values: dict[str, Any]) -> None:
    _both_ends("min", "max")(node, values)
    if not values:
        raise node.refuse("rows needs min, max or change")


def _inspect_history(node: Node, values: dict[str, Any]) -> None:
    if not values:
        raise node.refuse("history needs false_alarms, min_versions or both", hint="history: false")


def _inspect_drift(node: Node, values: dict[str, Any]) -> None:
    if not values:
        raise node.refuse("drift needs a method and its threshold", hint="drift: {psi: 0.25}")


def _inspect_table(node: Node, values: dict[str, Any]) -> None:
    if "concept" in values and not values.get("label"):
        raise node.refuse("concept needs a label to predict", hint="label: churned")


DRIFT: Final = Scope(
    "drift",
    Drift,
    tuple(
        Word(
            key,
            g.THRESHOLD,
            f"Largest {says} from the baseline.",
            f"{key}: {example}",
            code_of(key),
        )
        for key, says, example in (
            ("psi", "population stability index", 0.25),
            ("js", "Jensen-Shannon distance, base 2,", 0.1),
            ("wasserstein", "Wasserstein distance, normed,", 0.1),
            ("ks", "Kolmogorov-Smirnov distance", 0.1),
            ("cramers_v", "Cramér's V", 0.1),
            ("tvd", "share of values in other categories (total variation distance)", 0.1),
            (
                "wasserstein_iqr",
                "Wasserstein distance over the baseline's interquartile range,",
                0.1,
            ),
            (
                "tails",
                "share of values beyond its outermost thousandths, above the usual one,",
                0.01,
            ),
            ("far_tails", "mean distance beyond its range, in standard deviations,", 0.1),
        )
    ),
    _inspect_drift,
    {"minProperties": 1},
)
DRIFT_GRAMMAR: Final = unless_false(record(DRIFT), Drift(off=True))


def _in_table(node: Node) -> str:
    path, _, column = str(node.value).rpartition(":")
    if not isinstance(node.value, str) or not path.strip() or not column.strip():
        raise expected(node, "a file and its column, such as users.csv:id")
    return node.value


def _schema_reference(node: Node) -> str:
    value = node.value if isinstance(node.value, str) else ""
    path, _, name = value.rpartition(":")
    if value.endswith((".yaml", ".yml")):
        return value
    if not path.endswith(".py") or not name.isidentifier():
        raise expected(node, "schemas.py:Name or a pandera file such as schema.yaml")
    return value


IN_TABLE: Final = Grammar(
    "a file and its column: `users.csv:id`",
    {"type": "string", "pattern": r"\S[^:]*(?::[^:]*)*:[^:]*[^:\s]"},
    _in_table,
)
SCHEMA: Final = Grammar(
    "`schemas.py:Name`, or a pandera YAML file",
    {"type": "string", "pattern": r"\.ya?ml$|\.py:[^\s:.-]+$"},
    _schema_reference,
)

COLUMN: Final = Scope(
    "column",
    ColumnSpec,
    (
        Word("type", choice(*TYPES, make=Kind), "What the values are; a value that is not counts as a violation, and is not judged further.", "type: int", "type"),
        Word("optional", g.FLAG, "The column may be absent; without it, absence is a violation.", "optional: true", "missing-column"),
        Word("min", g.LIMIT, "Smallest value allowed, itself included.", "min: 0", "min"),
        Word("max", g.LIMIT, "Largest value allowed, itself included.", "max: 120", "max"),
        Word("in", g.VALUES, "The only values allowed; on a list column, of its items.", "in: [KA, MH, TN]", "in", field="allowed"),
        Word("matches", g.REGEX, "Pattern that the whole value matches, in RE2's syntax (no look-around, no back-references).", "matches: '.+@.+'", "matches"),
        Word("nulls", bound(plain="max", percent="may", least=0), "How many values may be missing. NaN is missing; a value of the wrong type is not.", "nulls: '<= 1%'", "nulls"),
        Word("unique", g.FLAG, "No value occurs twice; missing values are not compared.", "unique: true", "unique"),
        Word("length", bound(plain="exact", least=0), "Characters of a text, or items of a list.", "length: 1..80", "length"),
        Word("distinct", bound(plain="exact", percent="may", least=0), "How many different values there are, missing ones not counted; percent is of the values present.", "distinct: '<= 50'", "distinct"),
        Word("order", choice(*ORDERS), "How values follow each other in file order, missing ones skipped.", "order: increasing", "order"),
        Word("in_table", IN_TABLE, "Another table and its column, where every value occurs; looked for beside the table, at the top of its data set, and below the top of the repository.", "in_table: users.csv:id", "in-table"),
        Word("mean", bound(), "Arithmetic mean of the values present.", "mean: 30..45", "mean"),
        Word("std", bound(least=0), "Sample standard deviation (n - 1).", "std: '<= 12.5'", "std"),
        Word("median", bound(), "Median; between the two middle values, their mean.", "median: 30..40", "median"),
        Word("quantiles", mapping_of(g.probability, bound(), "probabilities, each with a bound", keys={"pattern": editing.PROBABILITY}), "Quantiles, linear between neighbours.", "quantiles: {0.05: 18..21}", "quantiles"),
        Word("shares", mapping_of(g.written, bound(percent="must", least=0), "values, each with a bound in percent"), "Shares of single values among the values present.", "shares: {KA: 20%..40%}", "shares"),
        Word("drift", DRIFT_GRAMMAR, "How far the distribution may move from the baseline; `false` for not compared.", "drift: {psi: 0.25}", "drift"),
        Word("private", g.FLAG, "No value of it is shown anywhere: counts only.", "private: true"),
        Word("public", g.FLAG, "Its values may be kept in profiles.", "public: true"),
        Word("severity", SEVERITY, "What a violation of any key of this column does to the verdict.", "severity: warn"),
    ),
    _inspect_column,
    {
        "allOf": [
            editing.not_both("private", "public"),
            editing.not_with("private", True, ["shares"]),
            editing.not_with("type", "text", ["mean", "std", "median", "quantiles"]),
        ]
    },
)  # fmt: skip

TIME: Final = Scope(
    "time",
    TimeSpec,
    (
        Word("column", g.NAME, "The column of dates or times.", "column: seen_at", required=True),
        Word("fresh", g.DURATION, "Age that the newest row may have.", "fresh: 2d", "fresh", field="fresh_s"),
        Word("gaps", g.DURATION, "Longest time between neighbours when sorted.", "gaps: 1d", "gaps", field="gaps_s"),
    ),
)  # fmt: skip

ROWS: Final = Scope(
    "rows",
    RowsSpec,
    (
        Word("min", g.COUNT, "Fewest rows allowed.", "min: 1000", "rows"),
        Word("max", g.COUNT, "Most rows allowed.", "max: 1000000", "rows"),
        Word("change", bound(percent="must", least=-100), "Change of the number of rows against the baseline.", "change: [-10%, +50%]", "rows-change"),
    ),
    _inspect_rows,
    {"minProperties": 1},
)  # fmt: skip

RULE: Final = Scope(
    "rule",
    RuleSpec,
    (
        Word("sql", g.TEXT, "One boolean expression over the columns of a row; no subquery, no aggregate. A row for which it is NULL passes.", "sql: 'end_at >= start_at'", "rule", required=True),
        Word("name", g.TEXT, "What messages call it instead of the expression.", "name: ends after it starts"),
        Word("max_share", g.SHARE, "Share of rows that may break it.", "max_share: 0.1%"),
        Word("severity", SEVERITY, "What a violation does to the verdict.", "severity: warn"),
    ),
)  # fmt: skip

SPLITS: Final = Scope(
    "splits",
    SplitsSpec,
    (
        Word("train", g.TEXT, "The part that is learned from.", "train: train.csv", "overlap"),
        Word("validation", g.TEXT, "The part that choices are made with.", "validation: valid.csv", "overlap"),
        Word("test", g.TEXT, "The part that is only measured on.", "test: test.csv", "overlap"),
        Word("group", g.NAME, "Column whose values stay in one part.", "group: user_id", "group-overlap"),
        Word("time", g.NAME, "Column by which each part lies after the one before.", "time: seen_at", "time-order"),
    ),
    _inspect_splits,
    editing.any_of(["train", "validation"], ["train", "test"], ["validation", "test"]),
)  # fmt: skip

IGNORE: Final = Scope(
    "ignore",
    IgnoreSpec,
    (
        Word("finding", g.TEXT, "The finding that does not count: `column.code` or `code`.", "finding: age.nulls", required=True),
        Word("until", g.DATE, "Last day on which it does not count; later it counts again.", "until: 2027-01-01", required=True),
        Word("reason", g.TEXT, "Why, for the reader of the report.", "reason: known gap in May", required=True),
    ),
)  # fmt: skip


def _read_options(node: Node) -> Value:
    if node.kind != "mapping" or not node.pairs:
        raise expected(node, "the options of reading")
    try:
        return ReadOptions.from_mapping(plain(node))
    except InvalidText as error:
        raise node.refuse(error.message.removeprefix("read: "), hint=error.hint) from None


def plain(node: Node) -> Value:
    """Returns a node as scalars, lists and mappings with text keys."""
    if node.kind == "mapping":
        return {key.written: plain(value) for key, value in node.pairs}
    if node.kind == "list":
        return [plain(one) for one in node.items]
    return node.value


READ: Final = Grammar(
    "[options of reading](reading-tables.md#read), as `suggest` writes them",
    {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "format": {"enum": list(FORMATS)},
            "compression": {"enum": list(COMPRESSIONS)},
            "decimal": {"enum": list(DECIMALS)},
            "thousands": {"enum": list(THOUSANDS)},
            "header": {"type": "boolean"},
            "skip": {"type": "integer", "minimum": 0},
            "nulls": {"type": "array", "items": {"type": "string"}},
            "types": {
                "type": "object",
                "additionalProperties": {"enum": [kind.value for kind in Kind]},
            },
            "dates": {"type": "object", "additionalProperties": {"type": "string"}},
            "delimiter": {"type": "string", "pattern": r"^[^\r\n\u0000]$"},
            "quote": {"type": "string", "pattern": r"^[^\r\n\t\u0000]?$"},
            "escape": {"type": "string", "pattern": r"^[^\r\n\t\u0000]?$"},
            "encoding": {"type": "string", "minLength": 1},
            "sheet": {"type": "string"},
        },
    },
    _read_options,
    lambda options: dict(options.to_mapping()),
)

HISTORY: Final = Scope(
    "history",
    HistoryRule,
    (
        Word("false_alarms", g.BUDGET, "Share of good versions that may alarm; the default is 1 %.", "false_alarms: 1%"),
        Word("min_versions", g.PAST, "Earlier versions below which only hard breaks count; the default is 5.", "min_versions: 10"),
    ),
    _inspect_history,
    {"minProperties": 1},
)  # fmt: skip
HISTORY_GRAMMAR: Final = unless_true(
    unless_false(record(HISTORY), HistoryRule(off=True)), HistoryRule()
)

TABLE: Final = Scope(
    "table",
    TableSpec,
    (
        Word("union", g.FLAG, "Under `tables`, for a glob: the files that it matches are one table together, instead of one table each.", "union: true"),
        Word("columns", named(COLUMN, "name"), "One entry a column.", "columns: {age: {type: int}}", checks=True),
        Word("key", g.NAMES, "Columns that name a row together: never missing, never twice.", "key: [id]", "key", checks=True),
        Word("label", g.NAME, "The column to predict; its drift is called prior probability.", "label: churned"),
        Word("time", record(TIME), "The column of time: drift is then judged in blocks of it.", "time: {column: seen_at, fresh: 2d, gaps: 1d}", checks=True),
        Word("rows", record(ROWS), "How many rows.", "rows: {min: 1000, change: [-10%, +50%]}", checks=True),
        Word("rules", records(RULE), "Expressions that hold in every row.", "rules: [{sql: 'a <= b', max_share: 0}]", checks=True),
        Word("other_columns", THREE_WAYS, "What a column is that `columns` does not name.", "other_columns: warn", "other-columns", checks=True),
        Word("schema", SCHEMA, "Further checks in pandera, in a file of the repository.", "schema: schemas.py:Train", "schema", checks=True),
        Word("schema_change", THREE_WAYS, "What a change of columns against the baseline is.", "schema_change: fail", "schema-change", checks=True),
        Word("splits", record(SPLITS), "The parts of the data, and what may not leak between them.", "splits: {train: train.csv, test: test.csv, group: user_id}", checks=True),
        Word("reference", g.TEXT, "A version or file that is a baseline besides the default one.", "reference: v1.0"),
        Word("history", HISTORY_GRAMMAR, "How the table's own history judges it; `false` for not at all.", "history: {false_alarms: 2%, min_versions: 10}"),
        Word("group", g.NAME, "Column whose rows are resampled together.", "group: user_id"),
        Word("drift", DRIFT_GRAMMAR, "Thresholds for columns that have none, but for those that name rows or moments (the key, the group, dates, unique values); `false` for no comparison.", "drift: {psi: 0.25}", checks=True),
        Word("concept", g.THRESHOLD, "Experimental, extra `ml`: largest growth of the loss with which a small model of the baseline predicts `label`, 0.1 = 10 %.", "concept: 0.1", "performance-change", checks=True),
        Word("two_sample", g.THRESHOLD, "Experimental, extra `ml`: largest AUC of a small model that tells the two versions apart; 0.5 = it cannot.", "two_sample: 0.6", "classifier-auc", checks=True),
        Word("severity", mapping_of(g.written, SEVERITY, "columns, codes or `column.code`, each with a severity"), "What violations do to the verdict.", "severity: {state: warn}", field="severities"),
        Word("ignore", records(IGNORE), "Findings that do not count for a while.", "ignore: [{finding: age.nulls, until: 2027-01-01, reason: known gap}]"),
        Word("read", READ, "How the file is read.", "read: {format: csv, delimiter: ';'}"),
    ),
    _inspect_table,
    {"dependentRequired": {"concept": ["label"]}},
)  # fmt: skip

SCOPES: Final = (TABLE, COLUMN, DRIFT, TIME, ROWS, RULE, SPLITS, HISTORY, IGNORE)
"""Every scope, in the order of the reference."""
CODES: Final = frozenset(word.code for scope in SCOPES for word in scope.words if word.code)
"""Codes of findings that this vocabulary leads to."""
