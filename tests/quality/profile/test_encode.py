"""The canonical bytes of profiles: stable, strict, bounded; and the address of a profile."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dvtool.errors import InvalidText
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.distinct import DistinctScan, checked_distinct
from dvtool.quality.profile.encode import MOST_BYTES, decode, encode, profile_address
from dvtool.quality.profile.merge import empty
from dvtool.quality.profile.quantiles import RANK_ERROR, QuantileScan, checked_quantiles
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

PENGUINS = Path(__file__).parents[3] / "dvtool" / "ops" / "penguins.csv"
GOLDEN = Path(__file__).parent / "golden" / "penguins.json"


def penguins(threads: int) -> bytes:
    with Engine(threads=threads) as engine:
        table = open_table(engine, PENGUINS, name="penguins.csv")
        return encode(profile_table(engine, table, label="species", key=b"golden"))


def test_the_penguins_have_their_golden_profile():
    assert penguins(2) == GOLDEN.read_bytes()


def test_the_number_of_threads_does_not_show():
    assert penguins(1) == penguins(4)


def test_exact_fields_of_a_large_table_do_not_depend_on_threads(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(8)
    n = 250_000
    columns = {
        "x": rng.normal(size=n),
        "c": rng.integers(0, 90, n),
        "t": [f"row-{one}" for one in rng.permutation(n)],
    }
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=20_000)
    found = []
    for threads in (1, 3):
        with Engine(threads=threads, scratch=tmp_path) as engine:
            plain = json.loads(encode(profile_table(engine, open_table(engine, path), key=b"k")))
        for column in plain["columns"]:
            if column["numbers"]:
                column["numbers"]["quantiles"] = None  # KLL tosses coins
        found.append(plain)

    assert found[0] == found[1]


def test_only_of_an_own_text_the_form_is_not_asked_and_its_values_are():
    golden = GOLDEN.read_bytes()
    spaced = json.dumps(json.loads(golden)).encode()

    assert encode(decode(spaced, is_own=True)) == golden
    with pytest.raises(InvalidText, match="canonical form"):
        decode(spaced)
    with pytest.raises(InvalidText, match="a count"):
        decode(golden.replace(b'"nulls":0', b'"nulls":-1', 1), is_own=True)


def test_decode_gives_back_what_was_encoded(profile_rows):
    rng = np.random.default_rng(9)
    profile = profile_rows(
        {"x": rng.normal(size=3_000), "t": [str(one) for one in rng.integers(0, 2_000, 3_000)]}
    )

    assert decode(encode(profile)) == profile


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + " ",
        lambda text: text.replace('"rows":0', '"rows":-1'),
        lambda text: text.replace('"rows":0', '"rows":0.0'),
        lambda text: text.replace('"rows":0', '"rows":true'),
        lambda text: text.replace('"rows":0', '"rows":NaN'),
        lambda text: text.replace('"kind":"int"', '"kind":"integer"'),
        lambda text: text.replace('"label":""', '"label":null'),
        lambda text: text.replace('"label":""', '"label":"","more":1'),
        lambda text: text.replace('"version":2', '"version":1'),
        lambda text: text.replace('"quantiles":null', '"quantiles":"AAAA"'),
        lambda text: text.replace('"quantiles":null', '"quantiles":"' + "A" * 64 + '"'),
        lambda text: text.replace('"distinct":null', '"distinct":"' + "/" * 64 + '"'),
        lambda text: text.replace('"distinct":null', '"distinct":7'),
        lambda text: text.replace('"counts":[]', '"counts":[[1]]'),
        lambda text: text.replace('"counts":[]', '"counts":[[[],1]]'),
        lambda text: "[" * 100_000,
        lambda text: "7",
        lambda text: "",
        lambda text: "\ufeff" + text,
    ],
)
def test_any_other_text_is_refused(change):
    text = encode(empty([("n", Kind.INT)])).decode()
    changed = change(text)
    assert changed != text

    with pytest.raises(InvalidText):
        decode(changed.encode())


@given(st.binary(max_size=60))
def test_no_bytes_make_decode_fail_otherwise(data):
    with pytest.raises(InvalidText):
        decode(data)


@given(st.integers(0), st.integers(0, 255))
@example(69, 69)  # a digit becomes an exponent: a number beyond every float
def test_a_changed_byte_is_refused_or_another_profile(position, byte):
    data = bytearray(GOLDEN.read_bytes())
    data[position % len(data)] = byte

    try:
        found = decode(bytes(data))
    except InvalidText:
        return
    assert encode(found) == bytes(data)


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.integers(0, 23) | st.integers(0), st.integers(0, 255), st.integers(0, 3))
def test_a_damaged_sketch_is_refused_or_answers(numbers, position, byte, cut):
    values = np.random.default_rng(7).normal(size=3_000)
    if numbers:
        scan = QuantileScan()
        scan.add(values)
    else:
        scan = DistinctScan()
        scan.add(values)
    sound = scan.finish()
    data = bytearray(sound.data)
    data[position % len(data)] = byte
    data = data[: len(data) - cut]

    try:
        found = (checked_quantiles if numbers else checked_distinct)(bytes(data))
    except InvalidText:
        return
    found.merge(sound)
    assert found.quantile(0.5) < 1e300 if numbers else found.estimate > 0


@pytest.mark.parametrize("n", [2, 400, 1_001, 70_000])
def test_every_sketch_that_is_made_can_be_read(n):
    values = np.random.default_rng(n).normal(size=n)
    quantiles, distinct = QuantileScan(), DistinctScan()
    quantiles.add(values)
    distinct.add(values)
    first, second = quantiles.finish(), distinct.finish()

    assert checked_quantiles(first.data) == first
    merged = checked_quantiles(first.merge(first).data)
    assert merged.rank(0.0) == pytest.approx(first.rank(0.0), abs=2 * RANK_ERROR)
    assert checked_distinct(second.merge(second).data) == second


def test_what_is_too_large_is_not_read():
    with pytest.raises(InvalidText, match="allowed 67108864"):
        decode(b" " * (MOST_BYTES + 1))


def test_the_address_follows_from_every_input():
    base = profile_address("d", {"format": "csv"}, {"label": "y"})

    assert base == profile_address("d", {"format": "csv"}, {"label": "y"})
    assert base == "5541c4ea34deeeb507ec95b2feb025e1b2e5585b239cbee93cc049f60c504fb0"
    others = {
        profile_address("e", {"format": "csv"}, {"label": "y"}),
        profile_address("d", {"format": "csv", "skip": 1}, {"label": "y"}),
        profile_address("d", {"format": "csv"}, {}),
    }
    assert base not in others
    assert len(others) == 3
