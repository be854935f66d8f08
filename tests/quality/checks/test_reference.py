"""The documents that are made from the vocabulary are up to date and true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dvtool.errors import InvalidText
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.reference import MARKDOWN, SCHEMA, json_schema, with_tables
from dvtool.quality.checks.text import parse_tree
from dvtool.quality.checks.vocabulary import SCOPES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_committed_json_schema_is_the_one_the_vocabulary_makes():
    assert (DOCS / SCHEMA).read_text("utf-8") == json_schema()


def test_the_committed_reference_has_the_tables_that_the_vocabulary_makes():
    page = (DOCS / MARKDOWN).read_text("utf-8")

    assert page == with_tables(page)


def test_every_key_stands_in_the_schema_of_its_scope():
    table = json.loads(json_schema())["$defs"]["table"]
    column = table["properties"]["columns"]["additionalProperties"]

    assert table["additionalProperties"] is False
    assert list(column["properties"]) == [word.key for word in SCOPES[1].words]


def test_every_yaml_example_of_the_page_is_a_checks_file():
    page = (DOCS / MARKDOWN).read_text("utf-8")
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)

    assert len(blocks) >= 2
    for block in blocks:
        parse_checks(block)


def documents() -> list[str]:
    """Returns a checks file for every example of a table's and of a column's key."""
    table, column = SCOPES[0], SCOPES[1]
    # Some keys check nothing by themselves, and a file without any check is refused as a whole.
    more = "\nlabel: id\ncolumns: {id: {nulls: 0}}"
    at_top = [
        word.example + more.replace("\nlabel: id" * (word.key == "label"), "")
        for word in table.words
        if word.key not in ("columns", "union")
    ]
    at_top.append("tables: {'*.csv': {union: true, key: [id]}}")
    return at_top + [f"columns: {{a: {{{word.example}}}}}" for word in column.words]


def refused_by(text: str) -> tuple[bool, bool]:
    """Returns whether the parser refuses a checks file, and whether editors mark it."""
    from ruamel.yaml import YAML

    try:
        parse_checks(text)
        by_parser = False
    except InvalidText:
        by_parser = True
    loaded = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))
    by_schema = not Draft202012Validator(json.loads(json_schema())).is_valid(loaded)
    return by_parser, by_schema


@pytest.mark.parametrize("text", documents())
def test_parser_and_editors_agree_on_examples_and_on_typing_errors(text: str):
    key = re.match(r"(?:columns: \{a: \{|tables: \{'\*\.csv': \{)?(\w+):", text)[1]
    misspelt = text.replace(f"{key}:", f"{key}z:", 1)

    assert refused_by(text) == (False, False)
    assert refused_by(misspelt) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "columns: {a: {type: integer}}",
        "columns: {a: {nulls: often}}",
        "columns: {a: {unique: 3}}",
        "columns: {a: {in: AB}}",
        "rows: {min: many}",
        "rows: 5",
        "key: {id: 1}",
        "rules: [{max_share: 0}]",
        "severity: {a: loud}",
        "ignore: [{finding: a.nulls, until: soon, reason: x}]",
        "history: {min_versions: few}",
        "schema_change: maybe",
        "{union: true, key: [id]}",
        "tables: {a.csv: {union: true, key: [id]}}",
        "[]",
    ],
)
def test_parser_and_editors_agree_on_values_that_make_no_sense(text: str):
    assert refused_by(text) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "label: age",
        "tables: {}",
        "tables: {a.csv: {}}",
        "tables: {../a.csv: {rows: {min: 1}}}",
        "columns: {a: {nulls: 0.5}}",
        "columns: {a: {private: true, public: true}}",
        "columns: {a: {private: true, shares: {x: '<= 5%'}}}",
        "columns: {a: {type: text, mean: 1..2}}",
        "columns: {a: {quantiles: {2: 1..3}}}",
        "schema: foo.txt",
        "drift: {}",
        "rows: {}",
        "time: {}",
        "splits: {train: a.csv}",
        "{rows: {min: 1}, history: {}}",
        "{rows: {min: 1}, concept: 0.1}",
        "{rows: {min: 1}, read: {delimitr: ';'}}",
        "{rows: {min: 1}, read: {header: maybe}}",
        "{rows: {min: 1}, read: {format: exe}}",
    ],
)
def test_parser_and_editors_agree_on_keys_that_make_no_sense_together(text: str):
    assert refused_by(text) == (True, True)


FIELDS = [
    {"format": "csv", "delimiter": ";"}, {"format": "exe"}, {"formt": "csv"}, {"header": "yes"},
    {"skip": -1}, {"nulls": "NA"}, {"nulls": ["NA"]}, {"types": {"a": "int"}},
    {"types": {"a": "integer"}}, {"dates": {"a": 1}}, {"delimiter": "ab"}, {"quote": ""},
    {"encoding": ""}, {"decimal": ";"}, {"psi": 0.25}, {"psi": 0}, {"psy": 0.25},
    {"min": 1}, {"min": 1.5}, {"change": "1..5"}, {"change": "-10%..+50%"}, {"change": ["-10%", 5]},
    {"column": "a"}, {"column": "a", "fresh": "2d"}, {"column": "", "fresh": "2d"},
    {"fresh": "2d"}, {"train": "a"}, {"train": "a", "test": "b"}, {"train": "a", "test": " "},
    {"false_alarms": 0.5}, {"false_alarms": "1%"}, {"false_alarms": 0}, {"min_versions": 2},
    {"a": 1}, {"a": None}, {"a": {"type": "int"}}, {"a": {"tpye": "int"}}, {"a": {"min": "soon"}},
    {"a": "1..2"}, {"a": "20%..40%"}, {"0.5": "1..2"}, {"1.5": "1..2"}, {"50%": "1..2"},
    {"a": "warn"}, {"a": "loud"}, {"sql": "a > 1"}, [{"sql": "a > 1"}], [{"sql": ""}],
    [{"sql": "a", "max_share": 2}], [{"sql": "a", "max_share": "2%"}], [{"name": "x"}],
    [{"finding": "a", "until": "2027-01-01", "reason": "x"}],
    [{"finding": "a", "until": "soon", "reason": "x"}], [{"finding": "a", "until": "2027-01-01"}],
]  # fmt: skip
PLAIN = [
    None, True, False, 0, 1, 5, -1, 31, 2020, 0.5, -0.5, 1.5, 0.01, 0.3, 1000.0, "", " ", "x", "a",
    "0", "5", "-5", "+5", "-0", ".5", "0.5", "1e3", "1%", "50%", "150%", "-10%", "100%", "1 %",
    "1..5", "1%..5%", "-10%..+50%", "1..5%", "0.5..1.5", "<= 1%", ">= 3", "< 0.5", "> -1", "<= 101%",
    "<=", "..", "=> 3", "often", "2d", "0d", "12 h", "12 hours", "1w", "2026-01-31", "2026-13-01",
    "2026-01-31T10:00:00", "2026-01-31 25:00", "2026-01-31 10:00Z", "20260131", "2026-W01-1",
    "int", "text", "integer", "warn", "loud", "allow", "increasing", "users.csv:id", ":id",
    "users.csv:", "foo.txt", "schemas.py:Train", "schemas.py:", "schema.yaml", "a.py:b c",
    "(?=a)", "(?<!a)b", "[a-z]+", "x" * 1001, "a\nb",
    [], [1], [1, 2], ["a", "a"], [1, 1.0], [True, 1], ["-10%", "+50%"], ["1%", 2], [1, 2, 3], ["a"],
    ["a", None], ["a", ""], [[1]], ["0.5", "1.5"], {},
]  # fmt: skip
ONLY_THE_PARSER_KNOWS = (
    "is above",
    "is no date",
    "no pattern",
    "are not of one kind",
    "found '1e3'",
)
"""What no JSON Schema can say, by the parser's words: which end is larger, the calendar, RE2, powers."""


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.name)
def test_editors_mark_a_value_exactly_where_the_parser_refuses_it(scope):
    wrong = []
    for word in scope.words:
        editor = Draft202012Validator(dict(word.grammar.schema))
        for value in [*PLAIN, *FIELDS]:
            said = ""
            try:
                word.grammar.read(parse_tree(json.dumps(value)))
            except InvalidText as error:
                said = error.message
            is_known_gap = any(one in said for one in ONLY_THE_PARSER_KNOWS)
            if editor.is_valid(value) is bool(said) and not is_known_gap:
                wrong.append((word.key, value, said or "accepted"))

    assert wrong == []


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "x\\"])
def test_a_pattern_that_is_none_anywhere_is_refused(pattern: str):
    with pytest.raises(InvalidText, match="no pattern"):
        parse_checks(f"columns: {{a: {{matches: '{pattern}'}}}}")


def test_a_character_that_stands_for_damage_can_be_named():
    assert (
        parse_checks("columns: {'caf\ufffd': {nulls: 0}}").tables[0].columns[0].name == "caf\ufffd"
    )
