"""Columns of Arrow as numpy: the same values as pyarrow's own way, and no pandas on the way."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dvtool.quality.tables.arrow import array_of, numbers_of


@pytest.mark.parametrize("values", [[1, 2, 3], [1, None, 3], [None, None], []])
@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.int32()])
def test_values_are_those_that_pyarrow_gives(values: list[int | None], kind: pa.DataType) -> None:
    whole = pa.array(values, kind)
    for array in (whole, whole.slice(1)):
        found = numbers_of(array, null=np.nan)
        assert np.array_equal(found, array.to_numpy(zero_copy_only=False), equal_nan=True)


def test_what_is_missing_can_be_a_number_of_the_same_type() -> None:
    found = numbers_of(pa.array([7, None], pa.uint64()))
    assert (found.dtype, found.tolist()) == (np.uint64, [7, 0])


def test_an_array_comes_back_as_the_column_that_pyarrow_makes() -> None:
    values = np.arange(20, dtype=np.int64)[3:9]
    assert array_of(values) == pa.array(values)


def test_a_small_table_is_judged_without_pandas_and_scipy(tmp_path: Path) -> None:
    script = (
        "import sys; from dvtool.cli.entry import run; code = run(['check', 'a.csv']);"
        "print(code, sorted({'pandas', 'scipy'} & set(sys.modules)))"
    )
    (tmp_path / "a.csv").write_text("id,name,x,day\n1,one,1.5,2020-01-01\n2,two,,2020-01-02\n")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 []"
