"""What the compared tools do, one task a process; run in each tool's own environment.

    python judging_tasks.py TASK FILE [BASELINE]

A task reads the file as that tool's users do, asks `judging_questions`, and ends with an error when an
answer is not the expected one: a tool that is fast because it did not look has failed. dvtool's
own `check` is not here, it is run as its users run it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from judging_questions import QUESTIONS

MOMENTS = ["signup", "seen_at"]


def expect(condition: bool, words: str) -> None:
    """Ends the program when a tool's answer is not the one that the data deserve."""
    if not condition:
        sys.exit(f"error: {words}")


def pandas_frame(path: str) -> Any:
    """Returns the table as pandas reads it; moments of a CSV are parsed, as its users do."""
    import pandas as pd

    if path.endswith(".parquet"):
        frame = pd.read_parquet(path)
        frame["signup"] = pd.to_datetime(frame["signup"])  # dates come as Python objects
        return frame
    return pd.read_csv(path, parse_dates=MOMENTS)


def floor_summarize(path: str) -> None:
    """DuckDB's SUMMARIZE: the floor of a profile."""
    import duckdb

    with duckdb.connect(config={"threads": "2"}) as connection:
        found = connection.execute(f"SUMMARIZE FROM '{path}'").fetchall()
    expect(len(found) == 20, f"{len(found)} columns summarised")


def floor_questions(path: str) -> None:
    """The questions as one hand-written DuckDB query: the floor of checks."""
    import duckdb

    asked = []
    for one in QUESTIONS:
        asked.append(f"count(*) FILTER ({one.column} IS NULL) <= {one.null_share} * count(*)")
        if one.low is not None:
            asked.append(f"min({one.column}) >= {one.low}")
        if one.high is not None:
            asked.append(f"max({one.column}) <= {one.high}")
        if one.domain:
            listed = ", ".join(f"'{value}'" for value in one.domain)
            asked.append(f"bool_and({one.column} IN ({listed}))")
        if one.pattern:
            asked.append(f"bool_and(regexp_full_match({one.column}, '{one.pattern}'))")
        if one.unique:
            asked.append(f"count(DISTINCT {one.column}) = count({one.column})")
    with duckdb.connect(config={"threads": "2"}) as connection:
        (answers,) = connection.execute(f"SELECT {', '.join(asked)} FROM '{path}'").fetchall()
    expect(all(answers), f"answers {answers}")


def floor_pandas(path: str) -> None:
    """Reading into pandas and nothing else: the floor of everything that works on pandas."""
    expect(len(pandas_frame(path)) > 0, "no rows")


def dvtool_profile(path: str) -> None:
    """dvtool's profile as `dvtool profile` makes it, with a key as a repository has one."""
    from dvtool.quality.profile.compute import profile_table
    from dvtool.quality.tables.engine import Engine
    from dvtool.quality.tables.opening import open_table

    with Engine() as engine:
        table = open_table(engine, Path(path), contents=False)
        found = profile_table(engine, table, key=b"benchmark")
    expect(len(found.columns) == 20 and found.rows > 0, "not profiled")


def dvtool_both(path: str) -> None:
    """dvtool's check with the profile made on the way, as in a repository: one reading of the table."""
    from dvtool.ops.check import Wanted, check_files

    (judged,) = check_files([(Path(path), path)], Wanted(profiles=True))
    profile = judged.tables[0].profile
    expect(judged.verdict.value == "pass", "not passed")
    expect(profile is not None and len(profile.columns) == 20, "not profiled")


def pandera_check(path: str) -> None:
    """pandera on pandas, lazily, as dvtool's own checks collect all failures."""
    import pandera.pandas as pa

    frame = pandas_frame(path)
    dtypes = {"float": float, "date": "datetime64", "bool": bool, "int": int, "text": None}
    columns = {}
    for one in QUESTIONS:
        checks = []
        if one.low is not None:
            checks.append(pa.Check.ge(one.low))
        if one.high is not None:
            checks.append(pa.Check.le(one.high))
        if one.domain:
            checks.append(pa.Check.isin(one.domain))
        if one.pattern:
            checks.append(pa.Check.str_matches(f"(?:{one.pattern})$"))
        nullable = one.null_share > 0
        dtype = float if nullable else dtypes[one.kind]  # a gap makes pandas's integers floats
        if dtype == "datetime64":
            dtype = frame[one.column].dtype  # its unit depends on the reader
        if nullable:
            share = one.null_share
            checks.append(
                pa.Check(lambda s, share=share: s.isna().mean() <= share, ignore_na=False)
            )
        columns[one.column] = pa.Column(dtype, checks, nullable=nullable, unique=one.unique)
    pa.DataFrameSchema(columns).validate(frame, lazy=True)


def gx_check(path: str) -> None:
    """Great Expectations 1.x on pandas, in an ephemeral context, with the shortest result format."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    frame = pandas_frame(path)
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("source").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    types = {
        "int": ["int64", "float64"],
        "float": ["float64"],
        "bool": ["bool"],
        "date": ["datetime64[ns]", "datetime64[us]", "datetime64[s]"],
    }
    asked: list[Any] = []
    for one in QUESTIONS:
        name = {"column": one.column}
        if one.kind != "text":  # GX 1.24 has no name for the texts of pandas 3
            asked.append(gxe.ExpectColumnValuesToBeInTypeList(**name, type_list=types[one.kind]))
        asked.append(gxe.ExpectColumnValuesToNotBeNull(**name, mostly=1 - one.null_share))
        if one.low is not None or one.high is not None:
            bounds = {"min_value": one.low, "max_value": one.high}
            asked.append(gxe.ExpectColumnValuesToBeBetween(**name, **bounds))
        if one.domain:
            asked.append(gxe.ExpectColumnValuesToBeInSet(**name, value_set=list(one.domain)))
        if one.pattern:
            asked.append(gxe.ExpectColumnValuesToMatchRegex(**name, regex=f"^(?:{one.pattern})$"))
        if one.unique:
            asked.append(gxe.ExpectColumnValuesToBeUnique(**name))
    suite = gx.ExpectationSuite(name="questions", expectations=asked)
    result = batch.validate(suite, result_format="BOOLEAN_ONLY")
    failed = [one.expectation_config.type for one in result.results if not one.success]
    expect(bool(result.success), f"failed: {failed}")


def _evidently_dataset(path: str) -> Any:
    from evidently import DataDefinition, Dataset

    frame = pandas_frame(path)
    numbers = [one.column for one in QUESTIONS if one.kind in ("int", "float")]
    definition = DataDefinition(
        numerical_columns=[*numbers, "views", "ratio"],
        categorical_columns=["state", "plan", "channel", "active", "code", "name"],
        text_columns=["email", "comment"],
        datetime_columns=MOMENTS,
    )
    return Dataset.from_pandas(frame, data_definition=definition)


def evidently_check(path: str) -> None:
    """Evidently's metrics with tests for the questions that it has; no unique, no types."""
    from evidently import Report
    from evidently.descriptors import RegExp
    from evidently.metrics import (
        CategoryCount,
        MaxValue,
        MinValue,
        MissingValueCount,
        OutListValueCount,
    )
    from evidently.tests import eq, gte, lte

    data = _evidently_dataset(path)
    rows = len(data.as_dataframe())
    asked: list[Any] = []
    for one in QUESTIONS:
        asked.append(MissingValueCount(column=one.column, share_tests=[lte(one.null_share)]))
        if one.low is not None:
            asked.append(MinValue(column=one.column, tests=[gte(one.low)]))
        if one.high is not None:
            asked.append(MaxValue(column=one.column, tests=[lte(one.high)]))
        if one.domain:
            asked.append(
                OutListValueCount(column=one.column, values=list(one.domain), tests=[eq(0)])
            )
        if one.pattern:
            alias = f"{one.column} matches"
            data.add_descriptor(RegExp(one.column, reg_exp=one.pattern, alias=alias))
            asked.append(CategoryCount(column=alias, category=True, tests=[eq(rows)]))
    found = Report(asked).run(data, None)
    tests = found.dict()["tests"]
    failed = [one["name"] for one in tests if str(one["status"]).rpartition(".")[2] != "SUCCESS"]
    expect(len(tests) > 0 and not failed, f"failed: {failed} of {len(tests)}")


def evidently_summary(path: str) -> None:
    """Evidently's own profile."""
    from evidently import Report
    from evidently.presets import DataSummaryPreset

    found = Report([DataSummaryPreset()]).run(_evidently_dataset(path), None)
    expect(bool(found.dict()["metrics"]), "no metrics")


def evidently_drift(path: str, baseline: str) -> None:
    """Evidently's drift preset with its defaults, without the free texts (they train a model)."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    current, reference = _evidently_dataset(path), _evidently_dataset(baseline)
    columns = [one.column for one in QUESTIONS if one.kind in ("int", "float")]
    columns += ["views", "ratio", "state", "plan", "channel", "active", "code", "name"]
    found = Report([DataDriftPreset(columns=columns)]).run(current, reference)
    expect(bool(found.dict()["metrics"]), "no metrics")


def ydata_profile(path: str) -> None:
    """ydata-profiling with `minimal=True`, which its documentation advises for large tables."""
    from ydata_profiling import ProfileReport

    frame = pandas_frame(path)
    report = ProfileReport(frame, minimal=True, progress_bar=False)
    found = report.get_description()
    expect(len(found.variables) == 20, "not profiled")


TASKS: dict[str, Callable[..., None]] = {
    "floor-summarize": floor_summarize,
    "floor-questions": floor_questions,
    "floor-pandas": floor_pandas,
    "dvtool-profile": dvtool_profile,
    "dvtool-both": dvtool_both,
    "pandera-check": pandera_check,
    "gx-check": gx_check,
    "evidently-check": evidently_check,
    "evidently-summary": evidently_summary,
    "evidently-drift": evidently_drift,
    "ydata-profile": ydata_profile,
}


if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
