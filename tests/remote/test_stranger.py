"""The documentation is enough: a script that knows nothing else gets every byte back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dvtool.store.remote import layout
from dvtool.store.remote.fsspec_backend import open_backend
from dvtool.store.remote.layout import encode_format
from tests.remote.chunkparts import CHUNKED, GOLDEN, named, noise
from tests.remote.parts import MIB, fill, remote_at, text_blobs

SCRIPT = Path(__file__).with_name("stranger.py")


def rebuilt(remote: Path, target: Path, *options: str) -> dict[bytes, bytes]:
    target.mkdir()
    # -I: without this folder, and so without dvtool, on the path.
    subprocess.run([sys.executable, "-I", SCRIPT, remote, target, *options], check=True)
    return {bytes.fromhex(path.name): path.read_bytes() for path in target.iterdir()}


@pytest.mark.parametrize("options", [(), ("--scan",)], ids=["by its indexes", "by its packs"])
def test_a_remote_in_chunks_is_rebuilt(tmp_path: Path, options: tuple[str, ...]) -> None:
    backend = open_backend((tmp_path / "remote").as_uri())
    backend.create(layout.FORMAT_NAME, encode_format(CHUNKED))
    data = noise(2 * MIB)
    contents = {**named(data, data[:MIB] + b"!" + data[MIB:], bytes(MIB), b""), **text_blobs(9)}
    remote = remote_at(backend, tmp_path / "cache")
    remote.push_blobs(remote.snapshot(), fill(tmp_path / "store", contents), list(contents))

    found = rebuilt(tmp_path / "remote", tmp_path / "target", *options)

    assert {digest: found.get(digest) for digest in contents} == contents


def test_a_remote_of_fixed_parts_is_rebuilt(tmp_path: Path) -> None:
    large = b"".join(b"%07d,fixed,parts\n" % (n // 30_000) for n in range(150_000))[:3_000_000]
    contents = named(b"hello\n", b"", b"x,y\n1,2\n", large)

    found = rebuilt(GOLDEN, tmp_path / "target")

    assert {digest: found.get(digest) for digest in contents} == contents


def test_the_script_is_short_and_imports_nothing_of_ours() -> None:
    text = SCRIPT.read_text()

    assert len(text.splitlines()) <= 60
    assert "dvtool." not in text.replace("dvtool.json", "")
    assert "import dvtool" not in text
