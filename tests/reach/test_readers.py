"""The libraries that people read with, each at two revisions in one process, from an S3 remote."""

from __future__ import annotations

from pathlib import Path

import pytest

import dvtool
from tests.journeys.harness import Repo

SUMS = {"v1": 100 * 99 / 2 + 50, "v2": 2 * 120 * 119 / 2 + 60}
"""Of prices, by revision, by arithmetic."""
both = pytest.mark.parametrize("revs", [("v1", "v2"), ("v2", "v1", "v2")], ids="-".join)


@both
def test_pandas_reads_csv_and_parquet(published: Repo, revs: tuple[str, ...]) -> None:
    import pandas as pd

    for rev in revs:
        assert pd.read_csv(f"dvt://{rev}@t.csv")["price"].sum() == SUMS[rev]
        assert pd.read_parquet(f"dvt://{rev}@d/part.parquet")["price"].sum() == SUMS[rev]


@both
def test_pyarrow_datasets_read(published: Repo, revs: tuple[str, ...]) -> None:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds
    from pyarrow.fs import FSSpecHandler, PyFileSystem

    from dvtool.fs import DvtFileSystem

    system = PyFileSystem(FSSpecHandler(DvtFileSystem()))
    for rev in revs:
        for path, kind in ((f"{rev}@t.csv", "csv"), (f"{rev}@d/part.parquet", "parquet")):
            found = ds.dataset(path, format=kind, filesystem=system).to_table()
            assert pc.sum(found["price"]).as_py() == SUMS[rev]


@both
def test_duckdb_reads(published: Repo, revs: tuple[str, ...]) -> None:
    import duckdb
    import fsspec

    connection = duckdb.connect()
    connection.register_filesystem(fsspec.filesystem("dvt"))
    for rev in revs:
        for query in (f"'dvt://{rev}@t.csv'", f"'dvt://{rev}@d/*.parquet'"):
            ((total,),) = connection.sql(f"SELECT sum(price) FROM {query}").fetchall()
            assert total == SUMS[rev]


@both
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_dask_reads(published: Repo, revs: tuple[str, ...]) -> None:
    dd = pytest.importorskip("dask.dataframe")

    for rev in revs:
        assert dd.read_csv(f"dvt://{rev}@t.csv")["price"].sum().compute() == SUMS[rev]
        found = dd.read_parquet(f"dvt://{rev}@d/part.parquet")
        assert found["price"].sum().compute() == SUMS[rev]


@both
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_hugging_face_datasets_read(
    published: Repo, revs: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    datasets = pytest.importorskip("datasets")
    for rev in revs:
        for kind, path in (("csv", "t.csv"), ("parquet", "d/part.parquet")):
            found = datasets.load_dataset(
                kind, data_files=f"dvt://{rev}@{path}", cache_dir=str(tmp_path / "hf")
            )
            assert sum(found["train"]["price"]) == SUMS[rev]


@both
def test_filecache_keeps_revisions_apart(
    published: Repo, revs: tuple[str, ...], tmp_path: Path
) -> None:
    import fsspec
    import pandas as pd

    for rev in revs:
        with fsspec.open(
            f"filecache::dvt://{rev}@t.csv", filecache={"cache_storage": str(tmp_path / "kept")}
        ) as file:
            assert pd.read_csv(file)["price"].sum() == SUMS[rev]


@both
def test_polars_reads_a_local_path(published: Repo, revs: tuple[str, ...]) -> None:
    pl = pytest.importorskip("polars")

    for rev in revs:
        assert pl.read_csv(dvtool.open(f"dvt://{rev}@t.csv"))["price"].sum() == SUMS[rev]
        path = dvtool.local_path(f"dvt://{rev}@d/part.parquet")
        assert pl.scan_parquet(path).collect()["price"].sum() == SUMS[rev]


@both
def test_pyarrow_parquet_reads_an_open_file(published: Repo, revs: tuple[str, ...]) -> None:
    import pyarrow.parquet as pq

    for rev in revs:
        with dvtool.open(f"dvt://{rev}@d/part.parquet") as file:
            assert sum(pq.read_table(file)["price"].to_pylist()) == SUMS[rev]
