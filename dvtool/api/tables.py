"""A table of a version by its address, read in the way it is judged.

Reading is `dvtool.quality.tables`; here a version's checks say how, and the result takes the form
that was asked for. Called by `repository` and by whoever imports dvtool.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from dvtool.api.files import file_at
from dvtool.core.address import parse_address
from dvtool.errors import ExtraMissing, InvalidText, UnknownRevision, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from dvtool.ops.versionfiles import Node
    from dvtool.ops.workspace import Workspace
    from dvtool.quality.tables.options import ReadOptions

As = Literal["pandas", "arrow", "polars"]


def read_table(address: str, *, as_: As = "pandas", columns: Sequence[str] | None = None) -> Any:
    """Reads a table of a version in the way it is judged.

    The version's own checks say how (`read:`); kinds are fixed once, for all rows.

    Args:
        address: As for `open`: a file of any format that `check` reads.
        as_: `pandas` (Arrow-backed types), `arrow` or `polars`.
        columns: Only these, in this order; all by default.

    Returns:
        A `pandas.DataFrame`, `pyarrow.Table` or `polars.DataFrame`.

    Raises:
        UnknownRevision: No such revision, file or column.
        InvalidText: The file holds no table, or the checks break their format; the message says
            why.
        ExtraMissing: polars is not installed.
    """
    if as_ not in _FORMS:
        raise UsageError(f"no kind of table {as_!r}", hint=", ".join(_FORMS))
    versions, node = file_at(address)
    rev = parse_address(address).rev
    options = _options(versions.workspace, node, versions.commit_of(rev) if rev else None)
    return _FORMS[as_](_arrow(versions.local_path(node), address, options, columns))


def _options(workspace: Workspace, node: Node, commit: str | None) -> ReadOptions | None:
    from dvtool.ops.profiler import spec_for
    from dvtool.ops.subjects import checks_at
    from dvtool.quality.checks.parsing import parse_checks

    checks = checks_at(workspace, node.dataset, commit)
    if checks is None:
        return None
    inside = node.path[len(node.dataset) + 1 :]
    spec = spec_for([parse_checks(checks.text, source=checks.path)], inside)
    return None if spec is None else spec.read


def _arrow(
    path: Path, address: str, options: ReadOptions | None, columns: Sequence[str] | None
) -> pa.Table:
    from dvtool.quality.tables.engine import Engine, quoted
    from dvtool.quality.tables.opening import open_table
    from dvtool.quality.tables.table import Unreadable

    with Engine() as engine:
        try:
            table = open_table(engine, path, name=address, options=options)
        except Unreadable as error:
            why = error.findings[0].message if error.findings else str(error)
            raise InvalidText(f"no table: {why}", source=address) from error
        known = [one.name for one in table.columns]
        wanted = known if columns is None else list(columns)
        for name in wanted:
            if name not in known:
                raise UnknownRevision(f"no column {name!r} in {address}: {', '.join(known[:20])}")
        names = ", ".join(quoted(name) for name in wanted)
        return engine.connection.sql(
            f"SELECT {names} FROM {table.source}"  # noqa: S608
        ).to_arrow_table()


def _itself(table: pa.Table) -> pa.Table:
    return table


def _pandas(table: pa.Table) -> pd.DataFrame:
    import pandas as pd

    return table.to_pandas(types_mapper=pd.ArrowDtype)


def _polars(table: pa.Table) -> pl.DataFrame:
    try:
        import polars
    except ImportError:
        raise ExtraMissing("polars is not installed", hint="pip install polars") from None
    found = polars.from_arrow(table)
    assert isinstance(found, polars.DataFrame)
    return found


_FORMS: Final = {"pandas": _pandas, "arrow": _itself, "polars": _polars}
