"""`dvtool ci` where the data are in an S3 bucket: what it reads there, and what it misses there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.cihost import CHECKS, Host, people


@pytest.fixture
def bucket(s3_bucket: tuple[str, str]) -> Iterator[Any]:
    """The bucket as somebody else's program sees it."""
    import boto3

    endpoint, name = s3_bucket
    yield boto3.resource("s3", endpoint_url=endpoint).Bucket(name)


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str], s3_bucket: tuple[str, str]) -> Host:
    """A host whose main has two data sets, one of them with checks; the branch is `feature`."""
    endpoint, name = s3_bucket
    made = Host(tmp_path, capfd, f"s3://{name}/data", "--endpoint-url", endpoint)
    made.change({"people.csv": people(), "people.csv.checks.yaml": CHECKS, "other.csv": people(50)})
    made.publish()
    made.switch("feature", start="main")
    return made


def packs(bucket: Any) -> set[str]:
    return {one.key for one in bucket.objects.all() if one.key.endswith(".pack")}


def test_bad_data_may_not_be_merged_and_mended_data_may(host: Host) -> None:
    host.change({"people.csv": people(seed=2, n4="-7")})
    host.publish()
    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out
    assert "people.csv:6 age: 1 of 200 values below 0 [min] (people.csv.checks.yaml:3)" in found

    host.change({"people.csv": people(seed=3)})
    host.publish()
    again = host.clone("feature", name="again").run("ci", "--base", "origin/main", "--json").json

    assert [(one["name"], one["verdict"]) for one in again["judgements"]] == [
        ("people.csv", "pass")
    ]
    # The version at the merge base and the new one; the other data set stays in the bucket.
    size = len(people().encode()) + len(people(seed=3).encode())
    assert again["fetched"] == {"needed": 2, "fetched": 2, "fetched_bytes": size}


def test_a_commit_whose_objects_the_bucket_lost_is_named(host: Host, bucket: Any) -> None:
    before = packs(bucket)
    lost = host.change({"people.csv": people(seed=2)})
    host.publish()
    for key in packs(bucket) - before:
        bucket.Object(key).delete()

    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out

    assert f"people.csv.dvt nobody else can restore commit {lost[:12]}: not at the remote" in found
    assert "undecided people.csv could not be judged: " in found


def test_a_service_without_credentials_is_told_so(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    found = host.clone("feature").run("ci", "--base", "origin/main", code=8)

    assert "Unable to locate credentials" in found.err
    assert "hint: check the credentials" in found.err
