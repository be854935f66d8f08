"""`dvtool gc`."""

from __future__ import annotations

import re

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


class Size(click.ParamType[int]):
    """A size such as `20G`, in bytes."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kmgt]?)(?:i?b)?", str(value).lower())
        if match is None:
            self.fail(f"expected a size such as 20G, found {value!r}", param, ctx)
        return int(float(match[1]) * _UNITS[match[2]])


@click.command(
    "gc", epilog=example("dvtool gc --local", "dvtool gc --remote", "dvtool gc --remote --delete")
)
@click.option("--local", "local", is_flag=True, help="Drop from this machine what a remote has.")
@click.option("--remote", "at_remote", is_flag=True, help="Delete at the remote what none needs.")
@click.option("--delete", is_flag=True, help="Do it; without this nothing is written or deleted.")
@click.option("--limit", type=Size(), metavar="SIZE", help="Keep the store under SIZE, no more.")
@click.option(
    "--proof",
    type=click.Choice(["checksum", "listing"]),
    default="checksum",
    show_default=True,
    help="How --local is sure that a remote has something.",
)
@click.option(
    "--grace-days",
    type=click.FloatRange(min=0),
    default=14.0,
    show_default=True,
    help="How long --remote keeps what it has condemned.",
)
@click.option(
    "--live-share",
    type=click.IntRange(0, 100),
    default=50,
    show_default=True,
    metavar="PERCENT",
    help="Rewrite packs of which less is alive.",
)
@click.option("--keep-roots", is_flag=True, help="Do not judge this repository's history.")
@click.option("-r", "--remote-name", "name", metavar="NAME", help="Which remote.")
@reporting
def command(
    local: bool,
    at_remote: bool,
    delete: bool,
    limit: int | None,
    proof: str,
    grace_days: float,
    live_share: int,
    keep_roots: bool,
    name: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Remove what nobody needs.

    Says what it would do; --delete does it. --local drops blobs that no
    sidecar in use needs and that are proven at the remote. --remote works in
    two steps: what no root reaches is condemned, and deleted by a later run,
    after the grace period.
    """
    if local == at_remote:
        raise click.UsageError("one of --local and --remote")
    output = Output(as_json=as_json, quiet=quiet)
    workspace = open_workspace(quiet=quiet or as_json)
    if local:
        from dvtool.ops.localgc import gc_local

        here = gc_local(
            workspace,
            delete=delete,
            limit_bytes=limit,
            proof="listing" if proof == "listing" else "checksum",
        )
        output.data(here)
        did = "would drop" if here.is_dry_run else "dropped"
        output.text(
            f"{did} {count(here.dropped, 'object')}, {human_size(here.dropped_bytes)}"
            f" of {human_size(here.store_bytes)}"
        )
        return
    from dvtool.ops.gc import gc_remote

    there = gc_remote(
        workspace,
        remote_name=name,
        delete=delete,
        keep_roots=keep_roots,
        grace_s=grace_days * 86400,
        live_share=live_share / 100,
    )
    output.data(there)
    would = "would be " if there.is_dry_run else ""
    output.text(
        f"{count(there.alive, 'object')} alive; {count(there.retired, 'root')} {would}retired"
    )
    output.text(
        f"{count(there.dead_packs, 'pack')} {would}condemned and"
        f" {count(there.thin_packs, 'pack')} rewritten, to free {human_size(there.condemned_bytes)}"
    )
    if there.merged_indexes:
        indexes = count(there.merged_indexes, "small index", "small indexes")
        output.text(
            f"{indexes} {would}merged; {there.written_indexes} {would}written in place of old ones"
        )
    output.text(
        f"{count(there.deleted, 'object')} {would}deleted, {human_size(there.deleted_bytes)};"
        f" {there.waiting} still wait for the grace period to end"
    )
