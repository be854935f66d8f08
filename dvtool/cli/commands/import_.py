"""`dvtool import`."""

from __future__ import annotations

import os

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import example, jobs_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.quote import display
from dvtool.core.sizes import human_size
from dvtool.errors import UsageError


@click.command(
    "import",
    epilog=example(
        "dvtool import https://host/team/data.git data/train.csv --rev v1.2",
        "dvtool import s3://bucket/prices.parquet -o raw/prices.parquet",
    ),
)
@click.argument("source", metavar="REPOSITORY|URL")
@click.argument("path", required=False)
@click.option("--rev", metavar="REV", help="Which version of a repository; HEAD by default.")
@click.option("-o", "--out", metavar="OUT", help="Where to put it: a new path, or a folder.")
@jobs_option
@reporting
def command(
    source: str,
    path: str | None,
    rev: str | None,
    out: str | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Track data of another repository or a URL.

    With PATH: a data set of a repository, or a part of one. Without: one file
    at any URL that fsspec reads. The sidecar remembers where it came from, and
    dvtool update brings what is new there. Credentials are never written down.
    """
    from dvtool.ops.imports.importing import (
        import_data,
        name_of_url,
        repository_origin,
        url_origin,
    )

    workspace = open_workspace(quiet=quiet or as_json)
    left_out: tuple[str, ...] = ()
    if path is None:
        if rev is not None:
            raise UsageError("--rev is for repositories", hint=f"dvtool import {source} PATH")
        if os.path.isdir(source):
            raise UsageError("which data set of it?", hint=f"dvtool list {source} shows them")
        origin, name = url_origin(source), name_of_url(source)
    else:
        origin, left_out = repository_origin(source, path, rev or "HEAD")
        name = os.path.basename(origin.path)
    target = _place(out, name)
    report = import_data(workspace, origin, in_repository(workspace, [target])[0], jobs=jobs)
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    size = human_size(report.size_bytes)
    shown = display(os.fsencode(report.dataset))
    output.text(f"imported {shown}: {count(report.files, 'file')}, {size}")
    output.text(f"  from {report.origin}")
    for one in (*left_out, *report.left_out):
        output.text(f"  not written into the sidecar: {one}")
    if report.is_local:
        output.text("  that is a place on this machine: others cannot update from it")
    output.text("  next: git commit; dvtool update looks for what is new")


def _place(out: str | None, name: str) -> str:
    """Returns where to put it, as cp would: into an existing folder, else under the name given."""
    if out is None:
        return name
    return os.path.join(out, name) if out.endswith("/") or os.path.isdir(out) else out
