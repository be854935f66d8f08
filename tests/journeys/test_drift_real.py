"""What `drift` prints of real tables is what scipy finds in the values that the csv module reads."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from tests.journeys.harness import Repo

TABLES = Path(__file__).parents[3] / "shared" / "data" / "tables"
FILES = ["auto-mpg.csv", "penguins.csv", "seattle-weather.csv", "titanic_all.csv"]
NULLS = {"", "NA", "NaN", "null", "?"}
CHECKED = {"wasserstein", "ks", "js_distance_base2", "cramers_v", "tvd"}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not TABLES.is_dir(), reason="the real tables are not beside this checkout"),
]


def figure(method: str, before: list[str], after: list[str]) -> float:
    if method in ("wasserstein", "ks"):
        a, b = (np.array(one, float) for one in (before, after))
        if method == "ks":
            return float(stats.ks_2samp(a, b, method="asymp").statistic)
        return float(stats.wasserstein_distance(a, b) / a.std())
    levels = sorted({*before, *after})
    table = np.array([[one.count(level) for level in levels] for one in (before, after)])
    # Levels of which fewer than 5 rows are expected on the smaller side are taken together.
    rare = table.sum(axis=0) * min(map(len, (before, after))) / table.sum() < 5
    if rare.sum() > 1:
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    shares = table / table.sum(axis=1, keepdims=True)
    if method == "js_distance_base2":
        return float(distance.jensenshannon(*shares, base=2))
    if method == "tvd":
        return float(np.abs(shares[0] - shares[1]).sum() / 2)
    return float(stats.contingency.association(table, method="cramer"))


@pytest.mark.parametrize("name", FILES)
def test_drift_of_two_parts_of_a_real_table_has_the_figures_of_scipy(tmp_path, capfd, name):
    with (TABLES / name).open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    random.Random(7).shuffle(rows)
    parts = {"old": rows[: len(rows) // 2], "new": rows[len(rows) // 2 :]}
    for part, own in parts.items():
        with (tmp_path / f"{part}.csv").open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([header, *own])

    told = Repo(tmp_path, capfd).run("drift", "new.csv", "--baseline", "old.csv", "--json").json

    compared = set()
    for column in told["tables"][0]["columns"]:
        at = header.index(column["column"])
        before, after = (
            [row[at] for row in parts[part] if row[at] not in NULLS] for part in ("old", "new")
        )
        for effect in column["effects"]:
            if effect["method"] in CHECKED and effect["value"] is not None:
                expected = figure(effect["method"], before, after)
                assert effect["value"] == pytest.approx(expected, rel=1e-9, abs=1e-9), (
                    column["column"],
                    effect["method"],
                )
                compared.add(effect["method"])
    assert {"wasserstein"} < compared or "js_distance_base2" in compared
