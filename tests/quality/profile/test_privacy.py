"""What profiles keep of values, by planted strings; and the hashes that stand for values."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.distinct import DistinctScan, theta_hash
from dvtool.quality.profile.encode import encode
from dvtool.quality.profile.merge import merge
from dvtool.quality.profile.patterns import is_number, shape
from dvtool.quality.profile.privacy import Privacy, salt_of, token, token_sql
from dvtool.quality.tables.opening import open_table

CANARY = "Xq7Canary"


def test_text_with_many_values_leaves_no_trace_of_them(profile_rows):
    texts = [f"{CANARY}{number}" for number in range(4_000)]

    data = encode(profile_rows({"t": texts}, key=b"k"))

    assert CANARY.encode() not in data


def test_text_that_is_never_repeated_is_not_named_however_few(profile_rows):
    profile = profile_rows({"t": [f"{CANARY}1", f"{CANARY}2", "red", "red"]}, key=b"k")

    assert CANARY.encode() not in encode(profile)
    assert profile.column("t").shares()["red"] == 0.5


def test_categories_are_named_up_to_fifty(profile_rows):
    for most, named in ((50, True), (51, False)):
        texts = [f"{CANARY}{number}" for number in range(most)] * 3

        data = encode(profile_rows({"t": texts}, key=b"k"))

        assert (CANARY.encode() in data) is named


def test_a_public_column_names_its_values(profile_rows):
    rng = np.random.default_rng(2)
    few = [f"{CANARY}{number}" for number in range(100)]
    many = [f"{CANARY}{number}" if rng.random() < 0.1 else "often" for number in range(40_000)]

    for texts in (few, many):
        profile = profile_rows({"t": texts}, privacy={"t": Privacy.PUBLIC})
        top = profile.column("t").tally.top(1)[0][0]
        assert top in ("often", f"{CANARY}0")


@pytest.mark.parametrize("rows", [4, 3_000])
def test_private_columns_show_no_value_of_any_kind(engine, tmp_path, rows):
    import pyarrow.parquet as pq

    secret = 918_273_645
    table = pa.table(
        {
            "text": [CANARY] * rows,
            "many": [f"{CANARY}{number}" for number in range(rows)],
            "number": [secret] * rows,
            "float": [secret + 0.5] * rows,
            "date": pa.array([secret % 20_000] * rows, pa.date32()),
            "label": [CANARY] * rows,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    opened = open_table(engine, tmp_path / "a.parquet")
    private = {column.name: Privacy.PRIVATE for column in opened.columns}

    profile = profile_table(engine, opened, privacy=private, label="label", key=b"k")

    data = encode(profile)
    for planted in (CANARY, str(secret), str(secret % 20_000), shape(CANARY)):
        assert f'"{planted}' not in data.decode()
        assert planted not in data.decode() or planted == shape(CANARY)
    assert f"{token(CANARY, salt_of(b'k')):016x}".encode() not in data
    assert profile.classes is None
    assert profile.column("text").texts.lengths.high == len(CANARY)
    assert [one.distinct for one in profile.columns] == [None] * 6
    assert encode(merge(profile, profile)).count(CANARY.encode()) == 0


def test_classes_of_a_hashed_label_have_names_only_where_its_values_may_be_told(profile_rows):
    labels = ["yes", "yes", "no", "no", f"{CANARY}1"]

    profile = profile_rows({"y": labels, "x": range(5)}, label="y", key=b"k")

    assert CANARY.encode() not in encode(profile)
    classes = profile.named_classes()
    assert classes.keys() > {"yes", "no"}
    assert [one.rows for one in classes.values() if one.rows == 1] == [1]


def test_a_label_with_more_than_a_hundred_values_has_no_classes(profile_rows):
    labels = [f"{CANARY}{number}" for number in range(101)] * 2

    profile = profile_rows({"y": labels, "x": range(202)}, label="y", key=b"k")

    assert profile.classes is None


def test_overlap_of_two_columns_is_found_from_their_sketches(profile_rows):
    first = profile_rows({"t": [f"user-{one}" for one in range(20_000)]}, key=b"k")
    second = profile_rows({"t": [f"user-{one}" for one in range(10_000, 30_000)]}, key=b"k")

    sketch = first.column("t").distinct_sketch
    low, middle, high = sketch.jaccard(second.column("t").distinct_sketch)

    assert low <= 1 / 3 <= high
    assert abs(middle - 1 / 3) < 0.05


def test_reading_profiles_loads_no_heavy_library():
    code = (
        "import sys, dvtool.quality.profile.encode, dvtool.quality.profile.compute\n"
        "heavy = {'numpy', 'pyarrow', 'duckdb', 'datasketches', 'pandas'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_other_keys_give_other_tokens_and_the_same_counts(profile_rows):
    texts = [f"{CANARY}{number}" for number in range(60)]

    one, other = (profile_rows({"t": texts}, key=key) for key in (b"1", b"2"))

    assert one.key_id != other.key_id
    assert not one.column("t").tally.counts.keys() & other.column("t").tally.counts.keys()
    assert one.column("t").distinct == other.column("t").distinct == 60


def test_the_key_is_not_in_the_profile(profile_rows):
    data = encode(profile_rows({"t": ["a"]}, key=b"secret-key"))

    assert b"secret-key" not in data
    assert salt_of(b"secret-key").encode() not in data


def test_tokens_are_the_same_in_python_and_in_the_engine(engine):
    texts = ["", "a", "Grüße", "x" * 300, "'"]
    salt = salt_of(b"k")
    expected = [
        int.from_bytes(hashlib.md5((salt + one).encode()).digest()[8:], "little") for one in texts
    ]

    assert [token(one, salt) for one in texts] == expected
    found = engine.rows(f"SELECT {token_sql('t', salt)} FROM (SELECT unnest(?) AS t)", [texts])
    assert [one for (one,) in found] == expected


def test_the_sketch_fed_by_array_is_the_sketch_fed_one_by_one():
    from datasketches import update_theta_sketch

    values = np.random.default_rng(4).integers(-(2**62), 2**62, 30_000)
    plain = update_theta_sketch(11, 1.0, 9001)
    for one in values.tolist():
        plain.update(one)
    plain.trim()
    scan = DistinctScan()
    for part in np.array_split(values[::-1], 7):
        scan.add(part)

    assert scan.finish().data == plain.compact(True).serialize()
    few = update_theta_sketch(11, 1.0, 9001)
    for one in values[:50].tolist():
        few.update(one)
    assert sorted(few.compact(True)) == sorted(theta_hash(values[:50].view(np.uint64)).tolist())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("KA-12", "A-99"),
        ("Smith, J.", "Aa, A."),
        ("2026-01-31", "9999-99-99"),
        ("a  b\tc", "a a a"),
        ("Grüße", "Aa"),
        ("東京42", "a99"),
        ("☃☃", "?"),
        ("9" * 40, "9" * 32 + "…"),
    ],
)
def test_a_shape_keeps_digits_and_punctuation_and_forgets_letters(text, expected):
    assert shape(text) == expected


def test_numbers_in_text_are_recognised():
    assert all(map(is_number, ["1", "-1.5", " 2,5 ", ".5", "1e9", "+3."]))
    assert not any(map(is_number, ["", ".", "1a", "1.2.3", "e5", "٣", "nan"]))


def test_profiles_are_json_that_any_reader_takes(profile_rows):
    assert json.loads(encode(profile_rows({"t": ["a"]})))["columns"][0]["name"] == "t"
