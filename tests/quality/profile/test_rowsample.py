"""The sample of rows: its laws, what it leaves out, and how it tells versions apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.errors import InvalidText
from dvtool.quality.profile.merge import merge
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.profile.rowsample import MOST_ROWS, RowScan, checked_sample, share_sampled

ROWS = st.lists(st.tuples(st.integers(0, 5), st.floats(-2, 2, width=16)), max_size=40)


def sample(rows, step=7):
    scan = RowScan(["a", "b"], [False, True], "salt")
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        scan.add([np.array([row[at] for row in part], float) + 0.0 for at in (0, 1)])
    return scan.finish()


@given(ROWS, ROWS, st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_the_sample_of_both_parts_is_the_sample_of_the_whole(first, second, step):
    whole = sample([*first, *second], step)

    assert sample(first).merge(sample(second)).data == whole.data
    assert sample(second).merge(sample(first)).data == whole.data


@given(ROWS, st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_does_not_show(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert sample(shuffled).data == sample(rows).data


def test_large_samples_merge_exactly_and_keep_their_bounds():
    rng = np.random.default_rng(3)
    rows = [(float(one), float(one % 7)) for one in rng.integers(0, 9_000, 12_000)]
    whole = sample(rows, 5_000)

    merged = sample(rows[:4_000], 999).merge(sample(rows[4_000:], 12_000))

    assert merged.data == whole.data
    assert len(whole.hashes) == MOST_ROWS
    assert whole.cells.shape == (2, MOST_ROWS)
    different = len({row[0] for row in rows})
    assert MOST_ROWS / share_sampled(whole.hashes) == pytest.approx(different, rel=0.1)


def test_rows_are_told_apart_without_their_dates():
    today = sample([(1.0, 10.0), (2.0, 10.0)])
    tomorrow = sample([(1.0, 11.0), (2.0, 11.0)])

    assert not set(today.hashes) & set(tomorrow.hashes)
    assert today.undated.tolist() == tomorrow.undated.tolist()


def test_private_columns_leave_no_trace_in_the_sample(profile_csv):
    lines = [f"{n},{n * n % 17}" for n in range(50)]
    others = [f"{n},{n * n % 13}" for n in range(50)]
    first, second = (
        profile_csv("id,secret\n" + "\n".join(one) + "\n", privacy={"secret": Privacy.PRIVATE})
        for one in (lines, others)
    )

    assert first.sample is not None
    assert first.sample == second.sample
    assert first.sample.head[0] == 1


def test_whole_numbers_and_the_same_with_a_point_are_the_same_rows(profile_csv):
    whole = profile_csv("n,t\n1,a\n2,b\n")
    points = profile_csv("n,t\n1.0,a\n2.0,b\n")

    assert whole.sample == points.sample
    assert dict(whole.columns[0].forms.counts) == {"9": 2}
    assert dict(points.columns[0].forms.counts) == {"9.9": 2}


def test_forms_and_readings_add_up_in_a_merge(profile_csv):
    a = profile_csv("n,t\n1,a\n-2,b\n")
    b = profile_csv("n;t\n7;a\n")

    both = merge(a, b)

    assert dict(both.columns[0].forms.counts) == {"9": 2, "-9": 1}
    assert both.readings == ("csv , utf-8", "csv ; utf-8")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"",
        lambda data: data[:4] + b"\xff\xff\xff\xff" + data[8:],
        lambda data: data[:16] + data[24:32] + data[16:24] + data[32:],
    ],
)
def test_damaged_samples_are_refused(change):
    data = sample([(1.0, 2.0), (3.0, 4.0)]).data
    assert checked_sample(data).data == data

    with pytest.raises(InvalidText):
        checked_sample(change(data))
