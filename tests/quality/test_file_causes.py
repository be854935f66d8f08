"""Of many files judged alike, a finding says which of them to look at."""

from __future__ import annotations

from typing import Any

import pytest

from dvtool.quality.file_causes import with_file_causes
from dvtool.quality.findings import Evidence, Finding, Outcome, Place, Severity
from dvtool.quality.judged import JudgedTable

MONTHS = [f"2024-{month:02}.csv" for month in range(1, 13)]


def mean(name: str, **more: Any) -> Finding:
    return Finding("mean", "mean 9", Place(name), Evidence.STATISTICS, "price", **more)


def months(bad: dict[str, Finding]) -> list[JudgedTable]:
    return [
        JudgedTable(name, (bad[name],) if name in bad else (), rows=100, columns=2)
        for name in MONTHS
    ]


def hints(tables: list[JudgedTable]) -> dict[str, str]:
    return {one.name: finding.hint for one in with_file_causes(tables) for finding in one.findings}


def test_the_only_bad_file_is_named_with_its_support() -> None:
    found = with_file_causes(months({"2024-07.csv": mean("2024-07.csv", hint="look")}))

    (finding,) = [one for table in found for one in table.findings]
    assert finding.hint == "look; only this one of 12 files is like this (8.33% of rows)"
    assert finding.figures["files"] == {"failing": 1, "of": 12, "support": pytest.approx(1 / 12)}


def test_some_bad_files_are_named_and_counted() -> None:
    bad = {name: mean(name) for name in MONTHS[:5]}

    assert set(hints(months(bad)).values()) == {
        "5 of 12 files are like this (41.7% of rows): 2024-01.csv, 2024-02.csv, 2024-03.csv and 2 more"
    }


def test_what_all_files_have_in_common_is_no_matter_of_one() -> None:
    bad = {name: mean(name) for name in MONTHS}

    assert set(hints(months(bad)).values()) == {
        "all 12 files are like this, so it is no matter of one file"
    }


def test_the_file_with_nearly_all_violations_is_named_in_each() -> None:
    def nulls(name: str) -> Finding:
        count = 60 if name == "2024-03.csv" else 1
        figures = {"found": count, "of": 100}
        return Finding("nulls", "", Place(name), Evidence.STATISTICS, "age", figures=figures)

    bad = {name: nulls(name) for name in MONTHS[:4]}

    assert set(hints(months(bad)).values()) == {
        "of 12 files: 95.2% of violations lie in 2024-03.csv (8.33% of rows)"
    }


def test_drift_is_one_cause_whichever_method_shows_it() -> None:
    def drift(name: str, code: str) -> Finding:
        return Finding(
            code, "", Place(name), Evidence.DRIFT, "price", figures={"effects": [{"method": code}]}
        )

    bad = {"2024-01.csv": drift("2024-01.csv", "psi"), "2024-02.csv": drift("2024-02.csv", "tails")}

    assert hints(months(bad))["2024-01.csv"].startswith("2 of 12 files are like this (16.7% of ro")


@pytest.mark.parametrize(
    "more", [{"severity": Severity.NOTE}, {"outcome": Outcome.UNDECIDED}], ids=["note", "open"]
)
def test_what_does_not_count_is_not_explained(more: dict[str, Any]) -> None:
    tables = months({"2024-07.csv": mean("2024-07.csv", **more)})

    assert with_file_causes(tables) == tables


def test_a_file_alone_has_no_others() -> None:
    tables = [JudgedTable("a.csv", (mean("a.csv"),), rows=5), JudgedTable("b.txt", is_table=False)]

    assert with_file_causes(tables) == tables
