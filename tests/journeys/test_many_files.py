"""A folder of monthly files of which one is bad: the report names that file and says how much it is."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.journeys.harness import Repo

CHECKS = """tables:
  'm*.{kind}':
    columns:
      price: {{mean: 45..55, nulls: '<= 2%', drift: {{wasserstein: 0.5}}}}
      shop: {{in: [A, B, C]}}
"""
ALONE = "only this one of 12 files is like this (8.33% of rows)"


def write_months(folder: Path, kind: str, *, bad: int = 0, shift: int = 0) -> None:
    """Writes twelve files of 120 rows; prices of the bad one are a hundredfold, and shops unknown."""
    folder.mkdir(exist_ok=True)
    for month in range(1, 13):
        is_bad = month == bad
        prices = [30 + (n * 37 + month + shift) % 41 for n in range(120)]
        columns = {
            "id": [f"{month}-{shift}-{n}" for n in range(120)],
            "shop": ["?" if is_bad and n % 4 == 0 else "ABC"[n % 3] for n in range(120)],
            "price": [
                None if is_bad and n % 5 == 0 else one * (100 if is_bad else 1)
                for n, one in enumerate(prices)
            ],
        }
        table, path = pa.table(columns), folder / f"m{month:02}.{kind}"
        if kind == "csv":
            pyarrow.csv.write_csv(table, path)
        else:
            pyarrow.parquet.write_table(table, path)


def findings(found: object) -> dict[tuple[str, str], str]:
    """Returns the hint of each finding, by table and code."""
    (subject,) = found  # type: ignore[misc]
    return {
        (table["name"], one["code"]): one["hint"]
        for table in subject["tables"]
        for one in table["findings"]
    }


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_bad_file_of_a_folder_is_named_without_any_history(repo: Repo, kind: str) -> None:
    write_months(repo.path / "sales", kind, bad=7)
    repo.write("sales.checks.yaml", CHECKS.format(kind=kind))

    found = findings(repo.run("check", "sales", "--json", code=1).json["judgements"])

    assert set(found) == {(f"sales/m07.{kind}", code) for code in ("mean", "nulls", "in")}
    assert all(hint.endswith(ALONE) for hint in found.values())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_file_that_drifted_is_named_beside_its_earlier_version(repo: Repo, kind: str) -> None:
    write_months(repo.path / "sales", kind)
    repo.write("sales.checks.yaml", CHECKS.format(kind=kind))
    repo.run("add", "sales")
    repo.run("profile", "sales")
    repo.commit()
    write_months(repo.path / "sales", kind, bad=7, shift=1)

    found = findings(repo.run("check", "sales", "--json", code=1).json["judgements"])

    drift = found[f"sales/m07.{kind}", "wasserstein"]
    assert drift.endswith(ALONE)
    assert "spread over the whole table: it fails without any of " in drift
    assert {name for name, _ in found} == {f"sales/m07.{kind}"}
