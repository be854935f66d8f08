"""Golden bytes: what version 1 of each format is, to the byte.

The files beside this folder were made once, by struct and hashlib and not by the code under test.
A change that breaks these tests breaks every repository and remote that exists.
"""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from dvtool.core.chunklist import encode_chunk_list, parse_chunk_list
from dvtool.core.digest import NO_DIGEST, Digest, fingerprint_of
from dvtool.core.manifest import Shard, encode_shards
from dvtool.core.pack import (
    Packer,
    Record,
    decode_record,
    encode_end,
    encode_header,
    list_record,
    scan_pack,
)
from dvtool.core.packindex import (
    BlobRow,
    Location,
    PackRef,
    RecordRow,
    encode_index,
    parse_index,
)
from dvtool.core.roots import (
    Root,
    Segment,
    decode_segment,
    encode_root,
    encode_segment,
    parse_root,
)
from dvtool.core.sidecar import Sidecar, encode_sidecar, parse_sidecar
from dvtool.core.tree import Entry

GOLDEN = Path(__file__).parents[1] / "golden"


def _digest(hex_digits: str) -> Digest:
    return Digest(bytes.fromhex(hex_digits))


# printf 'hello\n' | sha256sum and so on
HELLO = _digest("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
NOTHING = _digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
README = _digest("2b7814d3fca2e99e56c51b6ff2aa313ea6e9da6424804240aa8ad891fdfe0900")
TABLE = _digest(sha256(b"x,y\n1,2\n").hexdigest())
HELLO_TABLE = _digest(sha256(b"hello\nx,y\n1,2\n").hexdigest())


def _hello(path: bytes, mode: str = "f") -> Entry:
    return Entry(path, HELLO, 6, mode)


SIDECARS = {
    "file": Sidecar("file", entries=(_hello(b""),)),
    "file-extra": Sidecar(
        "file",
        entries=(_hello(b"", "x"),),
        extra=(
            ("licence", "CC-BY-4.0"),
            ("origin", '"https://example.org/a#b: \\"c\\" \\\\ d"'),
            ("rows", "12"),
        ),
    ),
    "empty": Sidecar("directory"),
    "inline": Sidecar(
        "directory",
        entries=(
            _hello(b" leading"),
            _hello(b'a "quoted" \\ name'),
            Entry(b"bell\a", NOTHING, 0, "f"),
            _hello("café.csv".encode()),
            Entry(b"empty dir", NO_DIGEST, 0, "d"),
            Entry(b"latest", README, 6, "l"),
            _hello(b"line\nbreak"),
            _hello(b"not-utf8-\xff"),
            _hello(b"run.sh", "x"),
            _hello(b"sub/README"),
            Entry(b"zero.bin", NOTHING, 0, "f"),
            _hello("📦.tar".encode()),
        ),
    ),
    "sharded": Sidecar(
        "directory",
        "sharded",
        shards=(
            Shard(
                _digest("1ccd6de663f9b4e461506462b7bc78d22d6a6a6b731dac86c0787160f4da2d24"),
                173,
                b"a.txt",
            ),
            Shard(
                _digest("1937f36fd3f1d0b9a2ab68b4587306aaae26a789da2ef3b860857cb45531bfcd"),
                91,
                b"part-01676.bin",
            ),
            Shard(
                _digest("ddcdd937f71f4195cec4143743c85a6d1ab3a0809efa382fc5ddacfd6e64f1d0"),
                91,
                b"part-01794.bin",
            ),
            Shard(
                _digest("89742e4d918682cffc7dc228e74dbd0e3587dd04807d40d0559a5428cddb71ac"),
                182,
                b"part-03198.bin",
            ),
        ),
    ),
}
SHARDED_PATHS = [b"a.txt", b"part-00000.bin", b"part-01676.bin", b"part-01794.bin",
                 b"part-03198.bin", b"part-99999.bin"]  # fmt: skip


def _golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("name", SIDECARS)
def test_sidecar(name):
    assert parse_sidecar(_golden(f"{name}.sidecar")) == SIDECARS[name]
    assert encode_sidecar(SIDECARS[name]) == _golden(f"{name}.sidecar")


def test_shards():
    texts = [_golden(f"sharded-{n}.shard") for n in range(4)]
    made = list(encode_shards(_hello(path) for path in SHARDED_PATHS))
    by_digest = {Digest(sha256(text).digest()): text for text in texts}

    assert [text for _, text in made] == texts
    assert tuple(shard for shard, _ in made) == SIDECARS["sharded"].shards
    read = SIDECARS["sharded"].tree(lambda digest, size: by_digest[digest])
    assert list(read.entries) == [_hello(path) for path in SHARDED_PATHS]


def test_pack():
    data = _golden("raw.pack")
    packer = Packer(compress=False)
    records = [packer.record(digest, blob) for digest, blob in
               ((HELLO, b"hello\n"), (NOTHING, b""), (TABLE, b"x,y\n1,2\n"))]  # fmt: skip

    assert [(r.digest, r.raw, r.stored, r.codec, at) for r, at in scan_pack(data)] == [
        (HELLO, 6, 6, 0, 32),
        (NOTHING, 0, 0, 0, 102),
        (TABLE, 8, 8, 0, 166),
    ]
    built = encode_header(bytes(range(16))) + b"".join(h + b for h, b in records) + encode_end(3)
    assert built == data


def test_pack_with_zstd():
    # Other versions of zstd may write other frames; each must read this one.
    data = _golden("zstd.pack")
    blob = b"0123456789abcdef" * 64
    digest = _digest("4613a38a7f79ada3fc343ea4de1488f8828f0fe602d8cb7bdce958040b204b8b")

    ((record, offset),) = scan_pack(data)

    assert (record, offset) == (Record(digest, 1024, 33, record.check, 1), 32)
    assert decode_record(data[32:129], digest) == blob


def test_pack_index():
    data = _golden("raw.idx")
    name = sha256(_golden("raw.pack")).digest()
    ref = PackRef(name, 302)
    rows = [RecordRow(HELLO, 0, 6, 32), RecordRow(NOTHING, 0, 0, 102), RecordRow(TABLE, 0, 8, 166)]
    blob = BlobRow(HELLO_TABLE, 14, (HELLO, TABLE))

    index = parse_index(data)

    assert encode_index([ref], rows, [blob]) == data
    assert index.packs == (ref,)
    assert set(index.rows()) == set(rows)
    assert index.locate(TABLE) == Location(ref, 166, 72)
    assert index.parts_of(HELLO_TABLE) == blob


def test_pack_with_a_chunk_list_and_its_index():
    pack, index = _golden("chunks.pack"), _golden("chunks.idx")
    blob = BlobRow(HELLO_TABLE, 14, (HELLO, TABLE), (6, 14))
    rows = [RecordRow(HELLO, 0, 6, 32), RecordRow(TABLE, 0, 8, 102)]

    *chunks, (record, offset) = scan_pack(pack)
    found = decode_record(pack[offset:-64], record.digest)

    assert [(chunk.digest, at) for chunk, at in chunks] == [(HELLO, 32), (TABLE, 102)]
    assert (record.codec, offset) == (2, 174)
    assert parse_chunk_list(found) == blob
    assert encode_chunk_list(blob) == found
    assert pack[offset:-64] == b"".join(list_record(record.digest, found))
    assert list(parse_index(index).blob_rows()) == [blob]
    assert encode_index([PackRef(sha256(pack).digest(), 430)], rows, [blob]) == index


def test_root_and_segment():
    segment = _golden("two.segment")
    root = Root(
        "00112233445566778899aabbccddeeff",
        "refs/heads/main",
        "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "full",
        (Segment(_digest("b06f52be8bafdf49dfcc642adb29dc15aa46d0ed1025e14ac1614ade9d4f1c93"), 2),),
    )

    assert decode_segment(segment) == [HELLO, NOTHING]
    assert encode_segment([NOTHING, HELLO]) == segment
    assert sha256(segment).digest() == root.segments[0].digest
    assert parse_root(_golden("full.root")) == root
    assert encode_root(root) == _golden("full.root")


def test_digests_are_those_of_sha256sum():
    names = sorted(path.name for path in GOLDEN.glob("*.shard"))
    told = subprocess.run(["sha256sum", *names], cwd=GOLDEN, check=True, capture_output=True).stdout

    found = [line.split()[0].decode() for line in told.splitlines()]

    assert found == [shard.digest.hex() for shard in SIDECARS["sharded"].shards]


def test_fingerprints_are_those_of_xxh128sum():
    # xxh128sum < /dev/null
    assert fingerprint_of(b"").hex() == "99aa06d3014798d86001c324468d497f"
