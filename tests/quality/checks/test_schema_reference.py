"""Schemas by reference: loading, linting, and judging in batches."""

from __future__ import annotations

import sys

import pytest

from dvtool.errors import InvalidText
from dvtool.quality.checks import frames
from dvtool.quality.checks.pandera_loading import load_schema, load_yaml, local_sources
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.schema_reference import judge_schema
from dvtool.quality.findings import Outcome

SCHEMAS = """
from __future__ import annotations
import pandera.pandas as pa
import limits

class Train(pa.DataFrameModel):
    id: int = pa.Field(unique=True)
    age: float = pa.Field(ge=limits.LOW, nullable=True)
    state: str = pa.Field(isin=["KA", "MH"])

    @pa.check("age")
    def average(cls, values):
        return values.mean() < 1000

    @pa.dataframe_check
    def younger_than_id(cls, frame):
        return ~(frame["age"] > frame["id"] * 1000)

Broken = pa.DataFrameSchema({
    "id": pa.Column(int, pa.Check(lambda value: 1 / 0, element_wise=True)),
    "gone": pa.Column(str),
    "state": pa.Column(str, nullable=True),
}, strict=True)
Typed = pa.DataFrameSchema({"state": pa.Column(int, pa.Check.ge(0))})
Parsed = pa.DataFrameSchema({"id": pa.Column(int, parsers=pa.Parser(lambda s: s))})
other = 3
"""
KINDS = {"id": "int", "age": "int", "state": "text"}
ROWS = [["1", "5", "KA"], ["2", "", "MH"], ["2", "-3", "XX"], ["4", "5000", ""]]


@pytest.fixture
def root(tmp_path):
    (tmp_path / "schemas.py").write_text(SCHEMAS)
    (tmp_path / "limits.py").write_text("LOW = 0\n")
    (tmp_path / "raises.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "unmet.py").write_text("import nothing_of_that_name\n")
    return tmp_path


@pytest.fixture
def judge(engine, table, root):
    def run(reference, rows=ROWS, extra="", **more):
        spec = parse_checks(f"schema: {reference}\n{extra}").tables[0]
        return judge_schema(engine, table(KINDS, rows), spec, source="c.yaml", root=root, **more)

    return run


def _said(found):
    return [(one.key, one.place.line, one.message) for one in found]


def test_a_model_is_judged_with_our_messages_and_places(judge):
    assert _said(judge("schemas.py:Train")) == [
        ("id.unique", 3, "2 of 4 values are not unique, 1 different"),
        ("age.schema", 4, "1 of 3 values break greater_than_or_equal_to(0)"),
        ("age.schema", 0, "the column breaks average"),
        ("state.nulls", 5, "1 of 4 values missing, allowed 0"),
        ("state.schema", 4, "1 of 3 values break isin(['KA', 'MH'])"),
        ("schema", 5, "1 of 4 rows break younger_than_id"),
    ]


def test_batches_give_the_answer_of_the_whole(judge, monkeypatch):
    whole = judge("schemas.py:Train")
    monkeypatch.setattr("dvtool.quality.checks.schema_reference.BATCH_ROWS", 1)

    assert frames.BATCH_ROWS > 1
    assert judge("schemas.py:Train") == whole


def test_what_needs_more_memory_than_allowed_is_undecided_and_names_the_size(judge):
    found = judge("schemas.py:Train", memory_bytes=8)

    undecided = [one.message for one in found if one.outcome is Outcome.UNDECIDED]
    assert undecided[0] == (
        "could not run: average needs the whole column in memory, about 32 bytes, allowed 8 bytes"
    )
    assert "younger_than_id needs the whole table in memory" in undecided[1]
    assert ("age.schema", 4) in [(one.key, one.place.line) for one in found]


def test_an_exception_inside_a_check_is_undecided_and_the_rest_is_judged(judge):
    found = {one.key: one for one in judge("schemas.py:Broken")}

    assert found["id.schema"].outcome is Outcome.UNDECIDED
    assert found["id.schema"].message.startswith("could not run: division by zero")
    assert found["gone.missing-column"].message == "no column gone"
    assert found["other-columns"].message == "columns that the schema does not name: age"


def test_a_column_of_another_type_is_said_once(judge):
    assert _said(judge("schemas.py:Typed")) == [
        ("state.type", 0, "the column is text, the schema expects int64")
    ]


def test_parsers_change_data_and_are_undecided(judge):
    (found,) = judge("schemas.py:Parsed")

    assert found.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize("reference", ["raises.py:X", "unmet.py:X"])
def test_code_that_raises_is_undecided(judge, reference):
    (found,) = judge(reference)

    assert found.outcome is Outcome.UNDECIDED


def test_without_python_a_python_schema_is_undecided_and_nothing_runs(judge, root):
    (root / "schemas.py").write_text("open('ran', 'w')\n")

    (found,) = judge("schemas.py:Train", python=False)

    assert found.message == "could not run: schemas.py:Train is Python, which is switched off"
    assert not (root / "ran").exists()


def test_private_values_are_not_in_findings_of_a_schema(judge):
    rows = [["1", "5", "canary-1"], ["1", "6", "canary-1"]]

    found = judge("schemas.py:Train", rows, extra="columns: {state: {private: true}}")

    assert any(one.key == "state.schema" for one in found)
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    "reference", ["gone.py:X", "../schemas.py:X", "schemas.py:Trian", "schemas.py:other"]
)
def test_a_reference_that_leads_nowhere_is_invalid_text(root, reference):
    with pytest.raises(InvalidText):
        load_schema(root, reference)


def test_loading_leaves_no_trace_in_the_process_or_the_repository(root):
    path, before = list(sys.path), set(sys.modules)

    load_schema(root, "schemas.py:Train")

    assert sys.path == path
    assert not [one for one in set(sys.modules) - before if one in ("limits", "schemas")]
    assert not (root / "__pycache__").exists()


def test_the_files_behind_a_reference_are_found_without_running_them(root):
    names = [path.name for path in local_sources(root, "schemas.py:Train")]

    assert names == ["schemas.py", "limits.py"]


YAML = """\
schema_type: dataframe
columns:
  id:
    dtype: int64
    nullable: false
    checks:
      greater_than_or_equal_to: 0
"""


def test_a_pandera_file_is_judged_like_a_schema(judge, root):
    (root / "s.yaml").write_text(YAML.replace(": 0", ": 2"))

    assert _said(judge("s.yaml")) == [
        ("id.schema", 2, "1 of 4 values break greater_than_or_equal_to(2)")
    ]


@pytest.mark.parametrize(
    ("good", "typo", "line", "hint"),
    [
        ("columns:", "colums:", 2, "did you mean columns?"),
        ("nullable:", "nulable:", 5, "did you mean nullable?"),
        ("dtype:", "dtyp:", 4, "did you mean dtype?"),
        ("checks:", "check:", 6, "did you mean checks?"),
        (
            "greater_than_or_equal_to",
            "greater_then_or_equal_to",
            7,
            "did you mean greater_than_or_equal_to?",
        ),
        ("schema_type:", "shema_type:", 1, "did you mean schema_type?"),
    ],
)
def test_typos_that_pandera_passes_over_are_refused_with_their_line(good, typo, line, hint):
    with pytest.raises(InvalidText) as caught:
        load_yaml(YAML.replace(good, typo, 1), source="s.yaml")

    assert (caught.value.source, caught.value.line, caught.value.hint) == ("s.yaml", line, hint)


def test_a_word_that_only_older_yaml_takes_for_a_boolean_is_refused():
    with pytest.raises(InvalidText, match="nullable is true or false"):
        load_yaml(YAML.replace("nullable: false", "nullable: no"), source="s.yaml")
