"""Real versions of public data: incidents that were put right later, and good days after good days.

They are not shipped with the project: skipped, visibly, where `shared/data` does not stand beside the
checkout. The whole benchmark is `benchmarks/gates/replay.py`; this is the cheap part of it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dvtool.quality.findings import Severity
from dvtool.quality.history.judging import History
from dvtool.quality.history.version import Version
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="real data are not beside this checkout"),
]


@pytest.fixture
def judged():
    """Returns a function from earlier files and a candidate to whether it fails, and its columns."""
    with Engine(threads=1) as engine:

        def version(path):
            table = open_table(engine, path, name=path.name)
            failed = any(one.severity is Severity.FAIL for one in table.findings)
            return Version(path.name, profile_table(engine, table)), failed

        def judge(past, candidate):
            try:
                one, failed = version(candidate)
            except Unreadable:
                return True, ()
            answer = History([version(path)[0] for path in past]).judge(one)
            found = any(one.severity is Severity.FAIL for one in answer.findings)
            return failed or found, answer.columns

        yield judge


@pytest.mark.parametrize(
    ("incident", "column"),
    [
        ("dpc_20200314_category_variant", "denominazione_regione"),
        ("dpc_20200423_column_misaligned", "casi_testati"),
        ("oa_regions_20250131_header_only", ""),
    ],
)
def test_a_real_bad_version_fails_and_its_repair_does_not(judged, incident, column):
    folder = DATA / "incidents" / incident
    past = sorted((folder / "history").glob("*.csv"))

    bad, blamed = judged(past, folder / "bad.csv")
    fixed, _ = judged(past, folder / "fixed.csv")

    assert (bad, fixed) == (True, False)
    assert column in (*blamed[:2], "")


def test_a_zero_that_a_repair_put_right_is_not_told_from_a_day_without_cases(judged):
    folder = DATA / "incidents" / "dpc_20200728_zero_fill"
    past = sorted((folder / "history").glob("*.csv"))

    assert json.loads((folder / "incident.json").read_text())["kind"] == "zero_fill"
    assert not judged(past, folder / "bad.csv")[0]  # as docs/limits.md says


def test_days_of_a_health_register_pass_and_shuffled_codes_do_not(judged, tmp_path):
    files = sorted((DATA / "series" / "italy_province_daily" / "batches").glob("*.csv"))
    header, *rows = files[20].read_text("utf-8").splitlines()
    at = header.split(",").index("codice_regione")
    codes = [row.split(",")[at] for row in rows]
    turned = codes[40:] + codes[:40]
    spoilt = tmp_path / "spoilt.csv"
    lines = [
        ",".join([*row.split(",")[:at], code, *row.split(",")[at + 1 :]])
        for row, code in zip(rows, turned, strict=True)
    ]
    spoilt.write_text("\n".join([header, *lines]) + "\n", "utf-8")

    good, _ = judged(files[8:20], files[20])
    bad, blamed = judged(files[8:20], spoilt)

    assert (good, bad) == (False, True)
    assert blamed[0] == "codice_regione"
