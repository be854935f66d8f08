"""`dvtool remote` and its verbs."""

from __future__ import annotations

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, jobs_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size

local_option = click.option(
    "--local", is_flag=True, help="Only in this clone (may hold secrets), not in .dvtool."
)


@click.group("remote", epilog=example("dvtool remote add origin s3://bucket/prefix"))
def command() -> None:
    """Manage remotes.

    A remote is a place for bytes: s3://, file://, gs://, az://, ssh:// or a
    plain path. It is kept in .dvtool, committed like any file.
    """


def _write(
    name: str,
    url: str,
    endpoint_url: str | None,
    option: tuple[str, ...],
    local: bool,
    *,
    replace: bool,
) -> None:
    from dvtool.ops.remotes import add_remote

    add_remote(
        open_workspace(),
        name,
        url,
        endpoint_url=endpoint_url,
        options=option,
        local=local,
        replace=replace,
    )


def _address(function: click.decorators.FC) -> click.decorators.FC:
    for decorate in (
        local_option,
        click.option("--option", multiple=True, metavar="NAME=VALUE", help="Passed to fsspec."),
        click.option("--endpoint-url", metavar="URL", help="Address of the service."),
        click.argument("url"),
        click.argument("name"),
    ):
        function = decorate(function)
    return function


@command.command("add", epilog=example("dvtool remote add origin s3://bucket/prefix"))
@_address
def add(
    name: str, url: str, endpoint_url: str | None, option: tuple[str, ...], local: bool
) -> None:
    """Add a remote; the first one is the default."""
    _write(name, url, endpoint_url, option, local, replace=False)


@command.command("set", epilog=example("dvtool remote set origin s3://other/prefix"))
@_address
def set_(
    name: str, url: str, endpoint_url: str | None, option: tuple[str, ...], local: bool
) -> None:
    """Change a remote's address."""
    _write(name, url, endpoint_url, option, local, replace=True)


@command.command("list", epilog=example("dvtool remote list"))
@reporting
def list_(as_json: bool, quiet: bool) -> None:
    """List remotes; the default one is starred."""
    settings = open_workspace().settings
    output = Output(as_json=as_json, quiet=quiet)
    rows = [
        {
            "name": r.name,
            "url": r.url,
            "endpoint_url": r.endpoint_url,
            "default": r.name == settings.remote,
        }
        for r in settings.remotes.values()
    ]
    output.data({"remotes": rows})
    for row in rows:
        endpoint = f"  ({row['endpoint_url']})" if row["endpoint_url"] else ""
        output.text(f"{'*' if row['default'] else ' '} {row['name']}  {row['url']}{endpoint}")


@command.command("rm", epilog=example("dvtool remote rm origin"))
@click.argument("name")
def rm(name: str) -> None:
    """Remove a remote; its bytes stay where they are."""
    from dvtool.ops.remotes import delete_remote

    delete_remote(open_workspace(), name)


@command.command("default", epilog=example("dvtool remote default origin"))
@click.argument("name")
@local_option
def default(name: str, local: bool) -> None:
    """Make a remote the default one."""
    from dvtool.ops.remotes import set_default

    set_default(open_workspace(), name, local=local)


@command.command("check", epilog=example("dvtool remote check origin"))
@click.argument("name", required=False)
@click.option("--trust", is_flag=True, help="Approve an address that a commit changed.")
@reporting
def check(name: str | None, trust: bool, as_json: bool, quiet: bool) -> None:
    """Connect to a remote and say what it has."""
    from dvtool.ops.remotes import check_remote

    found = check_remote(open_workspace(), name, trust=trust)
    output = Output(as_json=as_json, quiet=quiet)
    output.data(found)
    output.text(
        f"{found.name} {found.url}: {count(found.packs, 'pack')}, {human_size(found.size_bytes)}"
    )
    for pack in found.damaged:
        output.text(f"  damaged or missing: {pack}")


@command.command("copy", epilog=example("dvtool remote copy origin backup"))
@click.argument("source")
@click.argument("target")
@jobs_option
@reporting
def copy(source: str, target: str, jobs: int | None, as_json: bool, quiet: bool) -> None:
    """Copy all that a remote holds to another one."""
    from dvtool.ops.copy import copy as copy_all

    done = copy_all(open_workspace(quiet=quiet or as_json), source, target, jobs=jobs)
    output = Output(as_json=as_json, quiet=quiet)
    output.data(done)
    output.text(
        f"copied {count(done.objects, 'object')}, {human_size(done.copied_bytes)};"
        f" {done.there_already} were there already"
    )
