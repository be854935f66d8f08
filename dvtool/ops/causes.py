"""Causes that only rows tell, looked for once history has alarmed and no baseline was compared.

Profiles know no order of rows and no cell, so the latest version is opened beside the judged one: it
costs what a baseline costs, and only after an alarm. Called by `dvtool.ops.history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from dvtool.errors import ExtraMissing, ObjectMissing
from dvtool.ops.profiler import Spec
from dvtool.ops.subjects import FileBytes
from dvtool.quality.filled import filled, findings_of
from dvtool.quality.findings import Finding
from dvtool.quality.shifted import with_shift
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable


def causes_beside(
    file: FileBytes, latest: FileBytes, spec: Spec, findings: Sequence[Finding], policy: str
) -> list[Finding]:
    """Returns findings about filled values and shifted columns that are not among those given.

    Nothing of private columns, and nothing where either file cannot be read.

    Args:
        file: What was judged.
        latest: The version before it.
        spec: How both are read, and which columns are private.
        findings: All that was found so far.
        policy: `schema_change:` of the checks, empty for the default.
    """
    said = {(one.code, one.column) for one in findings}
    broken = suppress(Unreadable, ObjectMissing, ExtraMissing, OSError)
    with broken, Engine() as engine, file.open() as path, latest.open() as before:
        table = open_table(engine, path, name=file.name, options=spec.read)
        earlier = open_table(engine, before, name=latest.name, options=spec.read)
        fills = findings_of(engine, table, filled(engine, earlier, table))
        shift = with_shift(engine, earlier, table, policy, findings)[:1]
        return [
            one
            for one in (*fills, *(one for one in shift if one.code == "columns-shifted"))
            if (one.code, one.column) not in said and one.column not in spec.private
        ]
    return []
