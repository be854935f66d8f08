"""Checks that reach out of the judged table: a schema in other files, other tables, parts of a split.

Where those files lie is settled here; what they are compared for is `checks` and `splits`. Called by
`judging`; that they are inputs of a remembered verdict is `dvtool.ops.reach`.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Container
from dataclasses import replace
from functools import cache
from pathlib import Path

from dvtool.core.paths import CHECKS_SUFFIX
from dvtool.errors import ExtraMissing
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.wholerules import TableOf
from dvtool.quality.findings import Evidence, Finding
from dvtool.quality.given import Given, not_run
from dvtool.quality.splits import judge_splits
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Table, Unreadable


def file_beside(root: Path, name: str, path: str) -> Path:
    """Returns where a path that checks name lies: beside the judged file, else below the root.

    Args:
        root: Top folder.
        name: The judged file, relative to the root.
        path: As the checks say; there may be no such file.
    """
    beside, below = places_of(root, name, path)
    return beside if beside.is_file() else below


def places_of(root: Path, name: str, path: str) -> tuple[Path, Path]:
    """Returns where a path that checks name is looked for; arguments are those of `file_beside`."""
    return root / Path(name).parent / path, root / path


def table_within(path: str, other: str, files: Container[str]) -> str | None:
    """Returns which file of the same data set a path that checks name means, None for none.

    Args:
        path: The judged file inside the data set; empty for the single file of one.
        other: As the checks say: beside the judged file, else from the top of the data set.
        files: Of the data set.
    """
    if not path:
        return None
    near = posixpath.join(posixpath.dirname(path), other)
    return next((one for one in map(posixpath.normpath, (near, other)) if one in files), None)


def opener(engine: Engine, given: Given) -> TableOf | None:
    """Returns what opens another table, each once; None where there is none in reach."""
    root = given.root
    if root is None and not given.others:
        return None

    @cache
    def opened(path: str) -> Table:
        if path in given.others:
            other = given.others[path]
            return open_table(engine, other.path, name=path, options=other.read)
        if root is None:
            raise FileNotFoundError(path)
        return open_table(engine, file_beside(root, given.name, path), name=path)

    return opened


def by_schema(engine: Engine, given: Given, spec: TableSpec, table: Table) -> list[Finding]:
    """Judges by the pandera schema that the checks refer to; undecided where its code is not."""
    if not spec.schema:
        return []
    rule = spec.at("schema", given.source)
    if given.root is None:
        why = "could not run: the schema's code is only looked up in the work tree"
        return [replace(not_run("schema", why, given, rule), evidence=Evidence.SCHEMA)]
    from dvtool.quality.checks.schema_reference import judge_schema

    return judge_schema(
        engine,
        table,
        spec,
        source=given.source,
        root=given.root,
        python=given.python,
        limit=given.examples,
    )


def _called(path: str, source: str, *, inside: bool) -> str:
    """Returns what the user calls a part of a split, whose path is relative to data set or checks."""
    base = source.removesuffix(CHECKS_SUFFIX) if inside else os.path.dirname(source)
    return f"{base}/{path}" if base else path


def by_splits(engine: Engine, given: Given, spec: TableSpec) -> list[Finding]:
    """Judges the parts of a split against each other; undecided where one is not here."""
    if spec.splits is None:
        return []
    parts: dict[str, Table] = {}
    rule = spec.splits.at("splits", given.source)
    for name, path in given.parts.items():
        try:
            called = _called(dict(spec.splits.parts)[name], given.source, inside=bool(spec.path))
            parts[name] = open_table(engine, path, name=called, options=spec.read)
        except (Unreadable, ExtraMissing, OSError) as error:
            why = f"could not run: {name} cannot be read: {error}"
            return [not_run("splits", why, given, rule)]
    missing = [path for name, path in spec.splits.parts if name not in parts]
    found = judge_splits(engine, parts, spec, source=given.source, limit=given.examples)
    if missing:
        why = f"could not run: {missing[0]} is not here"
        found.append(not_run("splits", why, given, rule))
    return found
