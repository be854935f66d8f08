"""Laws of `merge`: a commutative monoid, and the profile of the whole from those of its parts."""

from __future__ import annotations

import datetime as dt
import math
import tempfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvtool.errors import UsageError
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.encode import encode
from dvtool.quality.profile.merge import empty, merge
from dvtool.quality.profile.model import Conditional, Profile
from dvtool.quality.profile.moments import Moments, moments_of
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.profile.quantiles import RANK_ERROR
from dvtool.quality.profile.tally import MOST, Key, Tally, trimmed
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("x", pa.float64()),
        ("b", pa.bool_()),
        ("t", pa.string()),
        ("p", pa.string()),
        ("h", pa.string()),
        ("d", pa.date32()),
        ("l", pa.list_(pa.int64())),
        ("y", pa.string()),
    ]
)
PRIVACY = {"p": Privacy.PUBLIC, "h": Privacy.PRIVATE, "y": Privacy.PUBLIC}
KEY = b"a key"

texts = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
record = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(2**40), 2**40),
        "x": st.none() | st.floats(-1e6, 1e6) | st.just(math.inf) | st.just(math.nan),
        "b": st.none() | st.booleans(),
        "t": st.none() | st.sampled_from(["red", "green", "blue"]),
        "p": texts,
        "h": texts,
        "d": st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)),
        "l": st.none() | st.lists(st.integers(0, 3), max_size=3),
        "y": st.none() | st.sampled_from(["yes", "no"]),
    }
)
part = st.lists(record, max_size=8)
slowly = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module", autouse=True)
def one_engine() -> Iterator[None]:
    """Keeps one engine for all examples: starting one costs more than profiling a few rows."""
    with tempfile.TemporaryDirectory() as folder, Engine(scratch=Path(folder)) as engine:
        shared["engine"] = engine
        yield


shared: dict[str, Engine] = {}


def profile_of(table: pa.Table) -> Profile:
    import pyarrow.parquet as pq

    engine = shared["engine"]
    path = engine.folder / f"{engine.fresh('part')}.parquet"
    pq.write_table(table, path)
    opened = open_table(engine, path)
    return profile_table(engine, opened, privacy=PRIVACY, label="y", key=KEY)


def profile_of_records(rows: list[dict[str, Any]]) -> Profile:
    return profile_of(pa.Table.from_pylist(rows, SCHEMA))


def alike(a: Any, b: Any, *, skip: frozenset[str] = frozenset()) -> bool:
    """Tells whether two values are equal, floats to 1e-9 of their scale."""
    if isinstance(a, Moments | Conditional) and isinstance(b, Moments | Conditional):
        return _alike_moments(a, b)
    if is_dataclass(a):
        return type(a) is type(b) and all(
            one.name in skip or alike(getattr(a, one.name), getattr(b, one.name), skip=skip)
            for one in fields(a)
        )
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key], skip=skip) for key in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(alike(x, y, skip=skip) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _alike_moments(a: Any, b: Any) -> bool:
    if a.n != b.n or getattr(a, "nulls", 0) != getattr(b, "nulls", 0):
        return False
    if not a.n:
        return True
    scale = max(math.sqrt(max(a.m2, b.m2) / a.n), abs(a.mean), abs(b.mean), 1e-300)
    powers = {"mean": 1, "m2": 2, "m3": 3, "m4": 4}
    return all(
        abs(getattr(a, name) - getattr(b, name)) <= 1e-9 * a.n * scale**power
        for name, power in powers.items()
        if hasattr(a, name)
    )


@slowly
@given(part, part)
def test_the_merge_of_two_parts_is_the_profile_of_both(first, second):
    merged = merge(profile_of_records(first), profile_of_records(second))
    whole = profile_of_records(first + second)

    # Names of categories are told when one part repeats them; that is privacy, not a figure.
    assert alike(merged, whole, skip=frozenset({"names"}))


@slowly
@given(part, part, part)
def test_merge_is_associative_and_commutative(first, second, third):
    a, b, c = (profile_of_records(one) for one in (first, second, third))

    assert alike(merge(a, b), merge(b, a))
    assert alike(merge(merge(a, b), c), merge(a, merge(b, c)))


@slowly
@given(part)
def test_the_empty_profile_changes_nothing(rows):
    profile = profile_of_records(rows)
    columns = [(one.name, one.kind) for one in profile.columns]
    nothing = empty(columns, privacy=PRIVACY, label="y", key_id=profile.key_id)

    assert encode(merge(profile, nothing)) == encode(profile)
    assert encode(merge(nothing, profile)) == encode(profile)
    assert encode(profile_of_records([])) == encode(nothing)


def big(seed: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "x": np.where(rng.random(rows) < 0.05, 7.0, rng.normal(size=rows)),
            "t": [f"user-{one}" for one in rng.integers(0, 5_000, rows)],
            "p": [f"item-{one}" for one in rng.geometric(0.01, rows)],
            "y": ["yes"] * rows,
        }
    )


def test_sketched_fields_of_a_merge_keep_the_errors_they_state():
    parts = [big(1, 30_000), big(2, 500), big(3, 60_000)]
    whole = pa.concat_tables(parts)
    a, b, c = (profile_of(one) for one in parts)

    for merged in (merge(merge(a, b), c), merge(c, merge(b, a))):
        direct = profile_of(whole)
        for name in ("x", "t", "p"):
            found, expected = merged.column(name), direct.column(name)
            values = whole[name].to_pylist()
            assert found.distinct == pytest.approx(len(set(values)), rel=found.distinct_error)
            sketch, other = found.distinct_sketch, expected.distinct_sketch
            assert (sketch and sketch.data) == (other and other.data)
            if name == "x" or found.tally.is_exact:
                counts = {key: values.count(key) for key, _ in found.tally.top(3)}
                for key, count in counts.items():
                    assert found.tally.counts[key] <= count
                    assert count <= found.tally.counts[key] + found.tally.missed
        ordered = np.sort(whole["x"].to_numpy())
        for share in (0.1, 0.5, 0.9):
            value = merged.column("x").quantile(share)
            low = np.searchsorted(ordered, value, "left") / len(ordered)
            high = np.searchsorted(ordered, value, "right") / len(ordered)
            assert low - 2 * RANK_ERROR <= share <= high + 2 * RANK_ERROR


def test_few_values_in_each_part_may_be_many_together():
    names = [str(number) for number in range(1_600)]
    table = pa.table({"n": list(range(1_600)), "t": names, "p": names, "y": ["a"] * 1_600})
    halves = [profile_of(table.slice(0, 800)), profile_of(table.slice(800))]
    assert all(one.column("n").numbers.quantiles is None for one in halves)

    merged, direct = merge(*halves), profile_of(table)

    for name in ("n", "t", "p"):
        assert merged.column(name).distinct_sketch == direct.column(name).distinct_sketch
        assert merged.column(name).distinct == 1_600
    assert merged.column("n").quantile(0.5) == pytest.approx(800, abs=1_600 * RANK_ERROR + 1)
    assert merged.column("n").mean == 799.5


@given(st.lists(st.floats(-1e6, 1e6), max_size=30), st.integers(0, 30))
def test_moments_of_parts_merge_to_the_moments_of_the_whole(values, cut):
    array = np.array(values)

    merged = moments_of(array[:cut]).merge(moments_of(array[cut:]))

    assert _alike_moments(merged, moments_of(array))


@given(
    st.lists(st.lists(st.integers(0, 30), max_size=80), min_size=2, max_size=4), st.integers(1, 9)
)
def test_a_tally_bounds_every_count_whatever_was_left_out(parts, most):
    def tally(values: list[int]) -> Tally:
        counts: dict[Key, int] = {one: values.count(one) for one in set(values)}
        return trimmed(counts, 0, len(values), most)

    merged = Tally()
    for values in parts:
        merged = merged.merge(tally(values))

    everything = [one for values in parts for one in values]
    assert merged.total == len(everything)
    for value in range(31):
        listed = merged.counts.get(value, 0)
        assert listed <= everything.count(value) <= listed + merged.missed


def test_a_tally_that_overflows_says_so_and_still_bounds():
    merged = Tally(dict.fromkeys(range(MOST), 2), 0, 2 * MOST).merge(Tally({-1: 1}, 0, 1))

    assert not merged.is_exact
    assert len(merged.counts) == MOST
    assert merged.missed == 1


def test_profiles_that_do_not_fit_together_are_refused():
    base = empty([("a", Kind.INT)], key_id="k")
    for other, said in (
        (empty([("a", Kind.FLOAT)], key_id="k"), "kinds int and float"),
        (empty([("b", Kind.INT)], key_id="k"), "columns 'a' and 'b'"),
        (empty([], key_id="k"), "1 and 0 columns"),
        (empty([("a", Kind.INT)], key_id="z"), "different keys"),
        (empty([("a", Kind.INT)], key_id="k", label="a"), "labels"),
        (empty([("a", Kind.INT)], key_id="k", privacy={"a": Privacy.PRIVATE}), "private"),
        (replace(base, version=0), "versions 2 and 0"),
    ):
        with pytest.raises(UsageError, match=said):
            merge(base, other)
