"""Hostile input: parsers answer with a value or one of our errors, and allocate within reason."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.core.chunklist import parse_chunk_list
from dvtool.core.digest import Digest, parse_digest
from dvtool.core.dvcfiles import members_of, outputs_of
from dvtool.core.manifest import Shard, decode_block, decode_shard
from dvtool.core.migrated import parse_map
from dvtool.core.pack import decode_record, parse_record_head, scan_pack
from dvtool.core.packindex import parse_index
from dvtool.core.pointers import parse_pointer
from dvtool.core.quote import unquote
from dvtool.core.roots import decode_segment, parse_root
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import DvtoolError

GOLDEN = Path(__file__).parents[1] / "golden"
ANY = Digest(b"d" * 32)
PARSERS = {
    "sidecar": parse_sidecar,
    "lines": decode_block,
    "shard": lambda data: decode_shard(data, Shard(ANY, len(data), b"a.txt"), before=None),
    "pack": lambda data: list(scan_pack(data)),
    "record": lambda data: decode_record(data, ANY),
    "record head": parse_record_head,
    "index": parse_index,
    "chunk list": parse_chunk_list,
    "root": parse_root,
    "segment": decode_segment,
    "map": parse_map,
    "lfs pointer": parse_pointer,
    "dvc file": lambda data: outputs_of("x.dvc", data),
    "dvc lock": lambda data: outputs_of("dvc.lock", data),
    "dvc list": lambda data: members_of("md5:x.dir", data),
    "path": unquote,
    "digest": lambda data: parse_digest(data.decode("utf-8", "surrogateescape")),
}
SEEDS = [path.read_bytes() for path in sorted(GOLDEN.iterdir())]
TOKENS = [
    b"\n",
    b"  ",
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"sha256:",
    b"- 0 d ",
    b"files: |\n",
    b"DVTPACK1",
    b"outs:\n- path: x\n  md5: ",
    b"&a [*a]",
    b'[{"relpath": "../x", "md5": ',
]
ALLOCATION_LIMIT_BYTES = 8 * 2**20


@st.composite
def mutated(draw):
    """A golden file after a few cuts, copies, flips and insertions."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        middle = draw(
            st.one_of(
                st.just(b""), st.just(data[at:end] * 2), st.sampled_from(TOKENS),
                st.binary(max_size=8), st.integers(0, 2**64 - 1).map(lambda n: n.to_bytes(8, "little")),
            )
        )  # fmt: skip
        keep = draw(st.booleans())
        data = data[:at] + middle + data[at if keep else min(end, at + len(middle)) :]
    return data


@pytest.mark.parametrize("parser", PARSERS)
@settings(deadline=None, max_examples=150)
@given(st.one_of(mutated(), st.binary(max_size=300)))
def test_any_bytes_give_a_value_or_one_of_our_errors(parser, data):
    tracemalloc.start()
    try:
        PARSERS[parser](data)
    except DvtoolError as error:
        str(error).encode()  # printable everywhere
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < ALLOCATION_LIMIT_BYTES
