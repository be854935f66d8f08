"""`suggest --from`: the checks that a pandera schema amounts to, for a file or a table of a data set.

What each part of a schema becomes is `dvtool.quality.checks.pandera_import`; where the text goes is
settled as for `suggest`. Called by the CLI.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from dvtool.core.paths import CHECKS_SUFFIX
from dvtool.errors import DvtoolError, InvalidText, UsageError, WouldLoseData
from dvtool.ops import subjects
from dvtool.ops.selection import Selected
from dvtool.ops.suggest import Suggested, whole_text
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.parsing import parse_checks


def suggest_from_schema(reference: str, path: str, *, root: Path) -> Suggested:
    """Returns the checks that a pandera schema amounts to; what has no word here is said on top.

    Args:
        reference: `schemas.py:Train`, or a pandera YAML file, below `root`.
        path: The file that the checks are for.
        root: Folder of the reference. Its code is run.

    Raises:
        InvalidText: The schema cannot be loaded, or names no column.
    """
    return _converted(reference, path + CHECKS_SUFFIX, "", "", root=root)


def convert_for_dataset(
    workspace: Workspace, one: Selected, sidecar: object, reference: str, *, extend: bool = True
) -> Suggested:
    """Returns the checks that a pandera schema amounts to, for a data set or one table of it.

    Args:
        workspace: Where.
        one: What was named.
        sidecar: Of its version in the work tree.
        reference: As `suggest_from_schema` takes it, below the top of the work tree.
        extend: Add to the checks file that is there; else convert into a whole one.

    Raises:
        UsageError: It is a directory, and no table of it was named.
        WouldLoseData: The table has checks already.
        InvalidText: The schema cannot be loaded, or names no column.
    """
    from dvtool.core.sidecar import Sidecar

    assert isinstance(sidecar, Sidecar)
    table = os.fsdecode(one.inside)
    if sidecar.kind == "directory" and not table:
        raise UsageError(
            f"{one} is a directory, a schema is for one table", hint=f"name a table, as {one}/FILE"
        )
    checks = one.dataset + CHECKS_SUFFIX
    written = subjects.checks_at(workspace, one.dataset, None) if extend and table else None
    before = written.text if written else ""
    return _converted(reference, checks, table, before, root=workspace.top)


def _converted(reference: str, checks: str, table: str, before: str, *, root: Path) -> Suggested:
    from dvtool.quality.checks.pandera_import import from_pandera
    from dvtool.quality.checks.pandera_loading import load_schema

    if before.strip() and any(one.path == table for one in parse_checks(before).tables):
        raise WouldLoseData(
            f"{checks} has checks for {table} already", hint="remove them first, or edit them"
        )
    try:
        found = from_pandera(load_schema(root, reference))
    except DvtoolError:
        raise
    except (Exception, SystemExit) as error:
        why = (str(error).strip() or "no message").splitlines()[0][:160]
        raise InvalidText(
            f"{reference} cannot be loaded: {type(error).__name__}: {why}",
            hint=f"python {reference.rpartition(':')[0]} shows where",
        ) from error
    said = f"Converted by dvtool from {reference}; above each line is what it says there."
    if found.lost:
        said += " There is no word for:\n" + "\n".join(f"  {one}" for one in found.lost)
    spec = replace(found.spec, path=table)
    reasons = found.reasons
    if table:
        reasons = {(table, *key): why for key, why in reasons.items()} | {(table,): said}
    heading = "" if table else said
    text = whole_text(checks, before, [spec], reasons, heading)
    return Suggested(checks, text, (table,), {table: 1}, lost=found.lost)
