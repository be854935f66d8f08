"""`dvtool suggest`."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dvtool.cli.opening import in_repository, open_workspace, watcher
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output, count
from dvtool.errors import NoRepository, UnknownRevision, UsageError

if TYPE_CHECKING:
    from dvtool.ops.suggest import Suggested


@click.command(
    "suggest",
    epilog=example(
        "dvtool suggest data/train.csv --history",
        "dvtool suggest new.csv --batches 'batches/*.csv' --print",
        "dvtool suggest --from schemas.py:Train data/train.csv",
    ),
)
@click.argument("path", type=PATH)
@click.option("--history", is_flag=True, help="Learn from earlier versions as well.")
@click.option("--batches", metavar="GLOB", default="", help="Files that are earlier versions.")
@click.option("--from", "schema", metavar="FILE:NAME", default="", help="Convert a pandera schema.")
@click.option("--print", "only_print", is_flag=True, help="Print the text, write nothing.")
@click.option("--force", is_flag=True, help="Replace a checks file that is there.")
@reporting
def command(
    path: str,
    history: bool,
    batches: str,
    schema: str,
    only_print: bool,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a draft of checks for a table.

    From one version: types, missing values, keys, lists of values. With
    --history or --batches also bounds that all those versions keep. Each line
    says why. The file is yours to edit; nothing overwrites it.
    """
    from dvtool.ops.suggest import write

    if schema:
        found, target = _convert(path, schema, extend=not force, quiet=quiet or as_json)
    else:
        found, target = _suggest(
            path,
            batches,
            history=history,
            extend=not (force or only_print),
            quiet=quiet or as_json,
        )
    if not only_print:
        write(target, found, force=force)
    output = Output(as_json=as_json, quiet=quiet)
    output.data({**_facts(found), "written": not only_print})
    if only_print:
        for line in found.text.splitlines():
            output.text(line)
        return
    versions = max(found.versions.values(), default=1)
    source = schema or count(versions, "version")
    output.text(f"wrote {target}: {count(len(found.tables), 'table')}, from {source}")
    if found.lost:
        output.text(f"left out, for there is no word for it: {', '.join(found.lost)}")
    if found.gaps:
        output.text(
            f"{count(found.gaps, 'version')} not here said nothing (dvtool fetch --all-commits)"
        )
    output.text(f"next: read it, dvtool check {path}, git add {target}")


def _suggest(
    path: str, batches: str, *, history: bool, extend: bool, quiet: bool
) -> tuple[Suggested, Path]:
    from dvtool.ops.suggest import selected, suggest_for_dataset, suggest_for_file

    past = [Path(one) for one in sorted(glob.glob(batches, recursive=True))] if batches else []
    if batches and not past:
        raise UsageError(f"no file matches {batches}")
    if not past:
        try:
            workspace = open_workspace(quiet=quiet)
            one, sidecar = selected(workspace, in_repository(workspace, [path])[0])
        except (NoRepository, UnknownRevision):
            if history:
                raise
        else:
            found = suggest_for_dataset(workspace, one, sidecar, history=history, extend=extend)
            return found, Path(os.path.relpath(workspace.abspath(found.checks)))
    found = suggest_for_file(Path(path), path, past, progress=watcher(quiet=quiet))
    return found, Path(found.checks)


def _convert(path: str, schema: str, *, extend: bool, quiet: bool) -> tuple[Suggested, Path]:
    """Returns a schema as checks, and where they belong: never inside of a tracked directory."""
    from dvtool.ops.selection import repo_path
    from dvtool.ops.suggest import selected
    from dvtool.ops.suggest_schema import convert_for_dataset, suggest_from_schema

    try:
        workspace = open_workspace(quiet=quiet)
        one, sidecar = selected(workspace, in_repository(workspace, [path])[0])
    except (NoRepository, UnknownRevision):
        found = suggest_from_schema(schema, path, root=Path.cwd())
        return found, Path(found.checks)
    file, colon, name = schema.rpartition(":") if ".py:" in schema else (schema, "", "")
    reference = repo_path(workspace.top, Path.cwd(), file) + colon + name
    found = convert_for_dataset(workspace, one, sidecar, reference, extend=extend)
    return found, Path(os.path.relpath(workspace.abspath(found.checks)))


def _facts(found: Suggested) -> dict[str, object]:
    return {
        "checks": found.checks,
        "text": found.text,
        "tables": found.tables,
        "versions": found.versions,
        "gaps": found.gaps,
        "lost": found.lost,
    }
