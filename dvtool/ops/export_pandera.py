"""`export pandera`: the checks of one table as Python source of a pandera schema.

Finds the checks of a table; the text is `dvtool.quality.checks.pandera_export`. Called by the CLI.
"""

from __future__ import annotations

import os
from pathlib import Path

from dvtool.core.paths import CHECKS_SUFFIX
from dvtool.errors import UsageError, WouldLoseData
from dvtool.ops import subjects
from dvtool.ops.selection import select
from dvtool.ops.subjects import ChecksText
from dvtool.ops.versions import sidecars_in
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.pandera_export import PanderaSource, pandera_source
from dvtool.quality.checks.parsing import parse_checks, table_for
from dvtool.worktree.sidecarfile import write_sidecar


def export_for_dataset(workspace: Workspace, path: str) -> PanderaSource:
    """Returns the schema of a data set of one file, or of a file in one, by the checks on disk.

    Args:
        workspace: Where.
        path: Relative to the top.

    Raises:
        UnknownRevision: No data set is there.
        UsageError: It has no checks, or is a folder of several tables.
        InvalidText: The checks break their format.
    """
    one = select(sidecars_in(workspace, None), [path])[0]
    checks = subjects.checks_at(workspace, one.dataset, None)
    return _exported(checks, path, os.fsdecode(one.inside), one.dataset + CHECKS_SUFFIX)


def export_for_file(path: Path, name: str) -> PanderaSource:
    """Returns the schema of a file that no repository tracks, by the checks beside it.

    Raises:
        UsageError: There are none.
        InvalidText: They break their format.
    """
    checks = subjects.checks_beside(Path(os.path.abspath(path)), name)
    return _exported(checks, name, "", name + CHECKS_SUFFIX)


def write_schema(target: Path, text: str, *, force: bool) -> None:
    """Writes a schema, in one step.

    Raises:
        WouldLoseData: A file of that name is there and is not to be replaced.
    """
    if target.exists() and not force:
        raise WouldLoseData(f"{target} is there already", hint="--force replaces it")
    write_sidecar(target.parent, target.name, text.encode())


def _exported(checks: ChecksText | None, name: str, inside: str, place: str) -> PanderaSource:
    if checks is None:
        raise UsageError(
            f"{name} has no checks: no {place}", hint=f"dvtool suggest {name} writes a draft"
        )
    parsed = parse_checks(checks.text, source=checks.path)
    spec = table_for(parsed, inside)
    if spec is None:
        tables = ", ".join(one.path for one in parsed.tables if one.path)
        raise UsageError(
            f"{checks.path} has no checks of {name} alone",
            hint=f"name a file that one of its tables is: {tables}" if tables else "",
        )
    return pandera_source(spec, name=name, source=checks.path)
