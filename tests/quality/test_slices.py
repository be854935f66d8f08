"""The slice that explains a failing figure is found when there is one, and only then."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from dvtool.quality.checks.bounds import parse_bound
from dvtool.quality.choosing import choose, explain_files
from dvtool.quality.explaining import (
    explain,
    explain_moment,
    explain_quantiles,
    explain_repeats,
    explain_shares,
)
from dvtool.quality.slice_parts import parts_of_files
from dvtool.quality.slice_space import Space
from dvtool.quality.slices import (
    Slice,
    Spread,
    luck_of_counts,
    luck_of_mean,
    luck_of_violations,
)
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Table

ROWS = 4000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


@pytest.fixture
def people(engine: Engine, tmp_path: Path) -> Callable[..., Table]:
    """Makes a table of ages, 40 rows a day and three states; `bad(row, state)` leaves gaps."""

    def make(bad: Callable[[int, str], bool], *, seed: int = 1) -> Table:
        draw = random.Random(seed)
        lines = ["id,day,state,age"]
        for row in range(ROWS):
            day = dt.date(2024, 1, 1) + dt.timedelta(days=row // 40)
            state = draw.choice(["KA", "MH", "TN"])
            age = "" if bad(row, state) else str(draw.randrange(18, 90))
            lines.append(f"{row},{day},{state},{age}")
        path = tmp_path / "people.csv"
        path.write_text("\n".join(lines) + "\n")
        return open_table(engine, path)

    return make


def test_a_run_of_bad_days_is_found_to_the_day(engine: Engine, people) -> None:
    table = people(lambda row, _: 1200 <= row < 1320)

    found = explain(Space(engine, table, time="day"), "age IS NULL")

    assert found == Slice("time", "day", "2024-01-31", "2024-02-02", 120, 0.03, 1.0, True)
    assert found.words() == "all violations lie in day 2024-01-31 to 2024-02-02 (3% of rows)"


def test_without_a_time_column_the_run_of_rows_is_named(engine: Engine, people) -> None:
    table = people(lambda row, _: row >= 3800)

    found = explain(Space(engine, table), "age IS NULL")

    assert found is not None
    assert found.where() == "rows 3,801 to 4,000"
    assert found.support == 0.05


def test_a_bad_category_is_found(engine: Engine, people) -> None:
    table = people(lambda row, state: state == "TN" and row % 7 == 0)

    found = explain(Space(engine, table, time="day"), "age IS NULL")

    assert found is not None
    assert (found.kind, found.column, found.value, found.share) == ("category", "state", "'TN'", 1)


def test_what_most_violations_have_in_common_is_said_with_their_share(
    engine: Engine, people
) -> None:
    table = people(lambda row, _: 1200 <= row < 1320 or row in (5, 3000))

    found = explain(Space(engine, table, time="day"), "age IS NULL")

    assert found is not None
    assert not found.is_enough
    assert found.share == pytest.approx(120 / 122)
    assert found.words().startswith("98.4% of violations lie in day 2024-01-31")


def test_an_allowed_share_may_remain(engine: Engine, people) -> None:
    table = people(lambda row, _: 1200 <= row < 1320 or row % 400 == 0)

    found = explain(Space(engine, table, time="day"), "age IS NULL", allowed=parse_bound("<= 1%"))

    assert found is not None
    assert found.is_enough
    assert 0.9 <= (found.share or 0) < 1


@pytest.mark.parametrize("seed", range(10))
def test_violations_spread_evenly_have_no_slice(engine: Engine, people, seed: int) -> None:
    draw = random.Random(100 + seed)
    table = people(lambda _row, _state: draw.random() < 0.03, seed=seed)

    found = explain(Space(engine, table, time="day"), "age IS NULL")

    assert isinstance(found, Spread)
    assert found.words().startswith("spread evenly: none of ")


def test_of_what_is_neither_in_a_part_nor_even_the_part_with_most_is_named(
    engine: Engine, people
) -> None:
    table = people(lambda row, state: row % (10 if state == "TN" else 40) == 0)

    found = explain(Space(engine, table, time="day"), "age IS NULL")

    assert isinstance(found, Slice)
    assert (found.where(), found.is_enough) == ("state = 'TN'", False)
    assert found.words() == (
        "64.9% of violations lie in state = 'TN' (32.8% of rows), the others all over the table"
    )


@pytest.mark.parametrize("bad", [set(), {17}, {17, 900}])
def test_no_or_few_violations_explain_nothing(engine: Engine, people, bad: set[int]) -> None:
    table = people(lambda row, _: row in bad)

    assert explain(Space(engine, table, time="day"), "age IS NULL") is None


def test_a_private_column_is_never_the_answer(engine: Engine, people) -> None:
    table = people(lambda row, state: state == "TN" and row % 7 == 0)

    found = explain(Space(engine, table, private=frozenset({"state"})), "age IS NULL")

    assert not isinstance(found, Slice)


def test_a_private_time_is_never_the_answer(engine: Engine, people) -> None:
    table = people(lambda row, _: 1200 <= row < 1320)

    found = explain(Space(engine, table, time="day", private=frozenset({"day"})), "age IS NULL")

    assert found is not None
    assert found.kind == "rows"


def test_a_column_does_not_explain_itself(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)

    assert isinstance(explain(Space(engine, table), "state = 'TN'", column="state"), Spread)


def test_an_empty_table_has_no_slice(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    table = open_table(engine, path)

    assert explain(Space(engine, table), "a IS NULL") is None
    assert mean_of(Space(engine, table), "0.0", ">= 1") is None


def mean_of(space: Space, value: str, bound: str, key: str = "mean") -> Slice | Spread | None:
    return explain_moment(space, value, key, parse_bound(bound), column="age", shown=True)


def test_the_days_that_move_a_mean_are_found(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)
    value = "CASE WHEN id BETWEEN 2000 AND 2079 THEN age * 100 ELSE age END"

    found = mean_of(Space(engine, table, time="day"), value, "50..57")

    assert isinstance(found, Slice)
    assert found.where() == "day 2024-02-20 to 2024-02-21"
    assert found.words() == (
        "without day 2024-02-20 to 2024-02-21 (2% of rows) it would be 53.79 and pass"
    )


def test_the_days_that_widen_a_column_are_found(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)
    value = "CASE WHEN id BETWEEN 2000 AND 2039 THEN age + (id % 2) * 800 - 400 ELSE age END"

    found = mean_of(Space(engine, table, time="day"), value, "<= 25", "std")

    assert isinstance(found, Slice)
    assert (found.where(), found.support) == ("day 2024-02-20", 0.01)
    assert found.without == pytest.approx(20.655783701249444)


@pytest.mark.parametrize("key", ["mean", "std"])
def test_a_figure_that_has_moved_everywhere_is_spread_over_the_table(
    engine: Engine, people, key: str
) -> None:
    table = people(lambda _row, _state: False)

    found = mean_of(Space(engine, table, time="day"), "age * 2", "<= 25", key)

    assert isinstance(found, Spread)
    assert found.words() == (
        f"spread over the whole table: it fails without any of {found.parts:,} parts, too"
    )


def test_a_figure_just_beyond_its_bound_is_not_blamed_on_a_part(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)

    found = mean_of(Space(engine, table, time="day"), "age", "<= 53.55")

    assert isinstance(found, Spread)
    assert found.enough > 1
    assert found.words().startswith("spread evenly, and just beyond the bound: it would pass")


def test_all_days_that_are_wrong_are_named_though_fewer_would_do(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)
    value = "CASE WHEN id BETWEEN 480 AND 1919 THEN age + 500 ELSE age END"

    found = mean_of(Space(engine, table, time="day"), value, "<= 200")

    assert isinstance(found, Slice)
    assert found.where() == "day 2024-01-13 to 2024-02-17"
    assert found.without == pytest.approx(53.7, abs=0.5)


def test_large_numbers_do_not_drown_a_mean(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)
    value = "1e12 + CASE WHEN id < 40 THEN 1000 ELSE age END"

    found = mean_of(Space(engine, table, time="day"), value, "<= 1000000000057")

    assert isinstance(found, Slice)
    assert found.where() == "day 2024-01-01"


def test_the_days_that_move_a_median_are_found(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)
    value = "CASE WHEN id BETWEEN 2000 AND 2399 THEN 99 ELSE age END"
    wanted = [(0.5, parse_bound("50..56")), (0.95, parse_bound("<= 88"))]

    found = explain_quantiles(Space(engine, table, time="day"), value, wanted, column="age")
    moved = explain_quantiles(Space(engine, table, time="day"), "age + 9", wanted, column="age")

    assert isinstance(found, Slice)
    assert found.kind == "time"
    assert dt.date(2024, 2, 20) <= dt.date.fromisoformat(found.value) <= dt.date(2024, 2, 22)
    assert isinstance(moved, Spread)


@pytest.mark.parametrize(("p", "bound"), [(0.5, "<= 3"), (0.5, ">= 3"), (0.25, "2..2"), (1, "< 6")])
def test_a_quantile_within_its_bound_by_numpy_is_not_explained(
    engine: Engine, tmp_path: Path, p: float, bound: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("v\n" + "".join(f"{one}\n" for one in (1, 2, 3, 4, 5) * 20))
    space = Space(engine, open_table(engine, path))

    assert explain_quantiles(space, '"v"', [(p, parse_bound(bound))], column="v") is None


def test_a_shift_between_categories_is_placed(engine: Engine, people) -> None:
    table = people(lambda _row, _state: False)
    state = "CASE WHEN id BETWEEN 400 AND 599 THEN 'KA' ELSE state END"
    wanted = {"'KA'": parse_bound("<= 35%")}

    found = explain_shares(Space(engine, table, time="day"), state, wanted, column="state")

    assert isinstance(found, Slice)
    first, last = dt.date.fromisoformat(found.value), dt.date.fromisoformat(found.last)
    assert dt.date(2024, 1, 11) <= first <= last <= dt.date(2024, 1, 15)


def test_rows_that_came_twice_are_placed_where_they_came_again(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    numbers = [*range(1900), *range(300, 400)]
    path.write_text("id\n" + "".join(f"{one}\n" for one in numbers))

    found = explain_repeats(Space(engine, open_table(engine, path)), ["id"])

    assert found is not None
    assert found.words() == "all violations lie in rows 1,901 to 2,000 (5% of rows)"


def test_names_of_columns_never_stand_in_the_way(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{'AB'[n % 2]},{n % 5},{'' if n < 100 else 1}" for n in range(2000)]
    path.write_text("\n".join(['"__part 0","__GIVEN 0","___v"', *rows]) + "\n")
    space = Space(engine, open_table(engine, path))

    found = explain(space, '"___v" IS NULL', column="___v")

    assert found is not None
    assert found.words() == "all violations lie in rows 1 to 100 (5% of rows)"


def test_of_a_table_that_is_seen_at_a_glance_nothing_is_said(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,x\n2,y\n3,x\n" * 6)

    assert mean_of(Space(engine, open_table(engine, path)), "a", ">= 5") is None


def test_two_categories_that_are_bad_together_are_named(engine: Engine, tmp_path: Path) -> None:
    draw = random.Random(3)
    path = tmp_path / "t.csv"
    lines = ["shop,age"]
    for _ in range(4000):
        shop = draw.choice("ABCDEFGH")
        lines.append(f"{shop},{draw.randrange(18, 90) * (3 if shop in 'CF' else 1)}")
    path.write_text("\n".join(lines) + "\n")
    space = Space(engine, open_table(engine, path))

    found = mean_of(space, "age", "50..57")

    assert isinstance(found, Slice)
    assert found.where() == "shop = 'C' or 'F'"
    assert found.words().startswith("without shop = 'C' or 'F' (24.")
    assert found.without == pytest.approx(53.5, abs=1)


def test_two_weeks_apart_that_hold_all_violations_are_named(engine: Engine, people) -> None:
    table = people(lambda row, _: 400 <= row < 680 or 2400 <= row < 2680)

    found = explain(Space(engine, table, time="day"), "age IS NULL")

    assert found is not None
    assert found.words() == (
        "all violations lie in day 2024-01-11 to 2024-01-17 or 2024-03-01 to 2024-03-07 (14% of rows)"
    )


def test_runs_of_rows_apart_are_named_without_a_time(engine: Engine, people) -> None:
    table = people(lambda row, _: row < 200 or 3000 <= row < 3400)

    found = explain(Space(engine, table), "age IS NULL")

    assert found is not None
    assert found.words() == "all violations lie in rows 1 to 200 or 3,001 to 3,400 (15% of rows)"


def test_a_long_run_of_days_is_found_whole(engine: Engine, people) -> None:
    table = people(lambda row, _: 480 <= row < 2080)

    found = explain(Space(engine, table, time="day"), "age IS NULL")

    assert isinstance(found, Slice)
    assert found.where() == "day 2024-01-13 to 2024-02-21"


def test_the_file_that_is_to_blame_is_named(engine: Engine) -> None:
    files = {f"{number:02}.csv": (100, 0) for number in range(30)} | {"07.csv": (100, 20)}

    found = explain_files(files)

    assert found is not None
    assert found.words() == "all violations lie in 07.csv (3.33% of rows)"
    evenly = explain_files(dict.fromkeys(files, (100, 1)))
    assert evenly is not None
    assert evenly.words() == "spread evenly: none of 30 parts of the table stands out"


@pytest.mark.parametrize(("n", "support", "inside"), [(20, 0.05, 6), (100, 0.3, 60), (9, 0.5, 9)])
def test_the_bound_on_violations_is_above_the_binomial_tail(
    n: int, support: float, inside: int
) -> None:
    bound = luck(luck_of_violations, (1000 * support, inside), (1000, n))

    assert stats.binom.sf(inside - 1, n, support) <= bound <= 1


def test_the_bound_on_means_is_above_the_t_like_tail() -> None:
    draw = random.Random(4)
    part, rest = ([draw.gauss(mu, 2) for _ in range(n)] for mu, n in ((0.6, 60), (0, 900)))
    both = part + rest
    sums = [(len(one), len(one), sum(one), sum(x * x for x in one)) for one in (part, both)]

    bound = luck(luck_of_mean, *sums)

    assert stats.ttest_ind(part, rest).pvalue <= bound <= 1


def test_the_bound_on_counts_is_above_the_g_test() -> None:
    part, rest = (40, 5, 5), (300, 310, 290)
    both = tuple(a + b for a, b in zip(part, rest, strict=True))
    expected = [sum(part) * one / sum(both) for one in both]

    bound = luck(luck_of_counts, (50, *part), (sum(both), *both))

    assert stats.power_divergence(part, expected, lambda_=0).pvalue <= bound < 0.01


def test_of_parts_of_one_size_the_one_that_holds_more_is_chosen() -> None:
    parts = parts_of_files({"a": (10, 9), "b": (10, 30), "c": (10, 30), "d": (70, 1)})

    found = choose(parts, lambda sums: sums[:, 1] < 45, luck_of_violations, counted=True)

    assert isinstance(found, Slice)
    assert (found.value, found.share) == ("b", 30 / 70)


def luck(bound, part: tuple[float, ...], whole: tuple[float, ...]) -> float:
    return math.exp(bound(np.asarray([part], dtype=float), np.asarray(whole, dtype=float))[0])
