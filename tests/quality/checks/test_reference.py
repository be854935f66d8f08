"""The documents that are made from the vocabulary are up to date and true."""

from __future__ import annotations

import json
import re
from pathlib import Path

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
