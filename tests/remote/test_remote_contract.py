"""What single kinds of store keep beyond the contract, which is tests/servers/test_store_contract."""

from __future__ import annotations

from pathlib import Path


def test_every_page_of_a_long_listing_is_read(s3_backend) -> None:
    from moto.s3.models import s3_backends

    backend = s3_backend("long")
    bucket = backend.url.removeprefix("s3://").partition("/")[0]
    server = s3_backends["123456789012"]["aws"]  # the server's own memory: 2,001 PUTs take long
    for number in range(2001):
        server.put_object(bucket, f"long/index/{number:04}", b"")

    assert len(backend.list()) == 2001


def test_prefixes_in_one_bucket_do_not_see_each_other(s3_backend) -> None:
    one, other, whole = s3_backend("team/data"), s3_backend("team/data2"), s3_backend("")
    one.create("a", b"1")
    other.create("b", b"2")

    assert set(one.list()) == {"a"}
    assert set(other.list()) == {"b"}
    assert set(whole.list()) == {"team/data/a", "team/data2/b"}


def test_a_file_remote_shows_no_unfinished_objects(tmp_path: Path) -> None:
    from dvtool.store.remote.file_backend import FileBackend

    backend = FileBackend(tmp_path / "r")
    backend.create("packs/ab/x.pack", b"whole")
    (tmp_path / "r/packs/ab/.dvtool-0123").write_bytes(b"tor")

    assert set(backend.list()) == {"packs/ab/x.pack"}
    assert [p.name for p in (tmp_path / "r/packs/ab").glob("[!.]*")] == ["x.pack"]


def test_memory_remotes_of_one_name_are_one() -> None:
    from dvtool.store.remote.fsspec_backend import open_backend

    open_backend("memory://shared-by-name").create("a", b"1")

    assert open_backend("memory://shared-by-name").read("a", size_limit=9) == b"1"
    assert open_backend("memory://another").list() == {}
