"""`dvtool debug` and its verbs."""

from __future__ import annotations

from pathlib import Path

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, remote_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size


@click.group("debug", epilog=example("dvtool debug index"))
def command() -> None:
    """Look under the hood."""


@command.command(
    "index", epilog=example("dvtool debug index", "dvtool debug index --parquet rows.parquet")
)
@remote_option
@click.option(
    "--parquet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every row to this file.",
)
@click.option("--live", is_flag=True, help="Read the roots too: how much of it is alive?")
@reporting
def index(remote: str | None, parquet: Path | None, live: bool, as_json: bool, quiet: bool) -> None:
    """Show what the indexes of a remote hold.

    The file has a row for each record of each index, and one for each large
    blob: digest, kind, pack, offset, length, size, codec,
    index_file, sound, condemned, chunks. Any program that reads Parquet can ask it questions.
    """
    from dvtool.ops.debug import debug_index

    output = Output(as_json=as_json, quiet=quiet)
    found = debug_index(
        open_workspace(quiet=quiet or as_json), remote_name=remote, parquet=parquet, live=live
    )
    output.data(found)
    counts = found.counts
    indexes = count(counts.indexes, "index", "indexes")
    output.text(f"{found.url}: {indexes}, {human_size(counts.index_bytes)}")
    output.text(f"{count(counts.packs, 'pack')}, {human_size(counts.pack_bytes)}")
    output.text(
        f"{count(counts.records, 'record')}, {counts.chunks} of them chunks of"
        f" {count(counts.large_blobs, 'large blob')}; {count(counts.rows - counts.records, 'copy', 'copies')}"
    )
    if counts.condemned or counts.damaged:
        output.text(f"{counts.condemned} condemned, {counts.damaged} damaged")
    if counts.live_bytes is not None:
        share = "" if counts.live_share is None else f", {counts.live_share:.1%} of the packs"
        output.text(f"{human_size(counts.live_bytes)} alive{share}")
    if found.exported is not None:
        output.text(f"{count(found.exported, 'row')} written to {parquet}")
