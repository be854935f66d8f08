"""Rebuilds every blob of a remote's folder with nothing but what docs/format.md says.

python stranger.py REMOTE TARGET [--scan]   writes TARGET/<sha256>; --scan does without indexes
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

import zstandard


def record(pack, offset):
    digest, raw, stored, _, codec = struct.unpack_from("<32sQQQQ", pack, offset)
    data = pack[offset + 64 : offset + 64 + stored]
    return digest, raw, codec, zstandard.decompress(data) if codec == 1 else data


def from_index(data):
    packs, records, blobs, _, flags = struct.unpack_from("<IIIIQ", data, 8)
    at = 32 + 1024
    names = [data[at + 40 * n :][:32].hex() for n in range(packs)]
    at += 40 * packs
    where = [struct.unpack_from("<32sIIQ", data, at + 48 * n) for n in range(records)]
    at += 48 * records
    width = 40 if flags else 32
    table, large = at + 48 * blobs, {}
    for n in range(blobs):
        digest, _, first, count = struct.unpack_from("<32sQII", data, at + 48 * n)
        rows = range(table + first * width, table + (first + count) * width, width)
        large[digest] = [data[row : row + 32] for row in rows]
    return {digest: (names[pack], offset) for digest, pack, _, offset in where}, large


def from_pack(name, pack):
    places, large, offset = {}, {}, 32
    while (found := record(pack, offset))[2] != 255:
        digest, _, codec, data = found
        if codec == 2:
            large[data[8:40]] = [data[at : at + 32] for at in range(48, len(data), 40)]
        else:
            places[digest] = (name, offset)
        offset += 64 + struct.unpack_from("<Q", pack, offset + 40)[0]
    return places, large


remote, target = map(Path, sys.argv[1:3])
assert set(json.loads((remote / "dvtool.json").read_text())["features"]) <= {"chunks"}
packs = {path.stem: path.read_bytes() for path in remote.glob("packs/*/*.pack")}
tables = [from_pack(*one) for one in packs.items()] if "--scan" in sys.argv else [
    from_index(path.read_bytes()) for path in remote.glob("index/*.idx")]  # fmt: skip
places = {digest: place for table, _ in tables for digest, place in table.items()}
blobs = {digest: [digest] for digest in places}
blobs |= {digest: parts for _, large in tables for digest, parts in large.items()}
for digest, parts in blobs.items():
    found = b"".join(record(packs[places[part][0]], places[part][1])[3] for part in parts)
    assert hashlib.sha256(found).digest() == digest
    (target / digest.hex()).write_bytes(found)
