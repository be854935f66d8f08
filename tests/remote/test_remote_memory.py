"""Memory: a transfer of something large needs no more of it than a transfer of something small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import hashlib, os, random, resource, sys
from pathlib import Path
import xxhash
from dvtool.store.local import LocalStore
from dvtool.store.remote.fsspec_backend import open_backend
from dvtool.store.remote.remote import Remote
from dvtool.store.remote import fetch, push, verify

top, mib = Path(sys.argv[1]), int(sys.argv[2])
store = LocalStore.open(top / "store")
with store.writer() as writer:
    temp, whole, fast = writer.temp_file(), hashlib.sha256(), xxhash.xxh3_128()
    for number in range(mib):
        block = random.Random(number).randbytes(2**20)
        whole.update(block), fast.update(block), os.write(temp.fd, block)
    digest = whole.digest()
    writer.adopt(temp.path, digest, fast.digest())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
remote = Remote(open_backend((top / "remote").as_uri()), cache_dir=top / "cache")
remote.push_blobs(remote.snapshot(), store, {digest: mib * 2**20})
pushed = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
there = LocalStore.open(top / "there")
remote.fetch_blobs(remote.snapshot(), there, {digest: mib * 2**20})
fetched = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert not there.missing([digest])
print((pushed - before) // 1024, (fetched - before) // 1024)
"""


@pytest.mark.slow
def test_a_large_blob_takes_less_than_150_mb_either_way(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), "320"],
        capture_output=True,
        text=True,
        check=True,
    )

    pushed_mb, fetched_mb = map(int, done.stdout.split())
    assert pushed_mb < 150
    assert fetched_mb < 150
