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
        if word.key != "columns"
    ]
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
    key = re.match(r"(?:columns: \{a: \{)?(\w+):", text)[1]
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
        "[]",
    ],
)
def test_parser_and_editors_agree_on_values_that_make_no_sense(text: str):
    assert refused_by(text) == (True, True)


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "x\\"])
def test_a_pattern_that_is_none_anywhere_is_refused(pattern: str):
    with pytest.raises(InvalidText, match="no pattern"):
        parse_checks(f"columns: {{a: {{matches: '{pattern}'}}}}")


def test_a_character_that_stands_for_damage_can_be_named():
    assert (
        parse_checks("columns: {'caf\ufffd': {nulls: 0}}").tables[0].columns[0].name == "caf\ufffd"
    )
