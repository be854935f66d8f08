"""Computing: the profile of a table, in one streamed pass and bounded memory.

Here lives what asks the engine for columns and feeds the scans; the scans know no engine. What is
not here: reading files (`dvtool.quality.tables`) and merging (`merge`). The judge, `diff --stat`
and `dvtool profile` call it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.days import Days, joined
from dvtool.quality.profile.forms import forms_of, has_forms
from dvtool.quality.profile.labels import class_profiles
from dvtool.quality.profile.merge import empty_column
from dvtool.quality.profile.model import ColumnProfile, Profile
from dvtool.quality.profile.numbers import NumberScan
from dvtool.quality.profile.privacy import Privacy, default_privacy, salt_of, token, token_sql
from dvtool.quality.profile.rowsample import RowScan
from dvtool.quality.profile.tally import Tally
from dvtool.quality.profile.textscan import TextScan
from dvtool.quality.tables.arrow import array_of, numbers_of
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.table import Column, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_LOOK_AHEAD = 1 << 16
_BATCH_ROWS = 1 << 17
_BATCH_BYTES = 1 << 25
_VECTOR = 2048
_MANY = 900
"""With more different texts than this at the start, the engine is asked for tokens as well."""
_DAY_US = 86_400_000_000
_INFINITE = -(1 << 63)
_WIDE = ("UBIGINT", "HUGEINT", "UHUGEINT")


def profile_table(
    engine: Engine,
    table: Table,
    *,
    privacy: Mapping[str, Privacy] | None = None,
    label: str = "",
    key: bytes = b"",
    size_bytes: int = 0,
) -> Profile:
    """Returns the profile of a table.

    Args:
        engine: Holds the table's views.
        table: Any table; one without rows gives the neutral element of `merge`.
        privacy: Declared for some columns; the others follow `default_privacy`.
        label: The column whose classes are summarised, empty for none. A label that the table
            does not have counts as none.
        key: Secret of the repository, for tokens. Profiles that leave the process need one:
            without it, anyone can hash a guess and compare.
        size_bytes: Of the file, told on.
    """
    declared = privacy or {}
    salt = salt_of(key)
    scans: list[_Scan] = []
    for column in table.columns:
        kept = declared.get(column.name, default_privacy(column.kind))
        # Merging makes tokens of public texts without knowing the key.
        scans.append(_scan(column, kept, salt_of(b"") if kept is Privacy.PUBLIC else salt))
    sampled = [scan for scan in scans if scan.is_sampled]
    rows = RowScan(
        [one.column.name for one in sampled], [one.column.kind.is_moment for one in sampled], salt
    )
    with engine.handing_out():
        _stream(engine, table, scans, rows)
    unparsed = _unparsed(engine, table)
    forms = forms_of(engine, table, [one.column.name for one in scans if one.has_forms])
    columns = tuple(
        scan.finish(table.rows, unparsed.get(name, 0), forms.get(name, Tally()))
        for scan in scans
        for name in (scan.column.name,)
    )
    return Profile(
        table.rows,
        size_bytes,
        columns,
        label if table_has(table, label) else "",
        class_profiles(engine, table, columns, label, salt) if table_has(table, label) else None,
        salt_of(salt.encode())[:8] if key else "",
        rows.finish() if sampled else None,
        (_reading(table),) if table.rows else (),
    )


def _reading(table: Table) -> str:
    """Returns format, delimiter and encoding of a file: what a change of tells another writer."""
    options = table.options
    if options.format != "csv":
        return options.format
    return f"csv {options.delimiter} {options.encoding.lower()}"


def table_has(table: Table, name: str) -> bool:
    """Tells whether a table has a column of this name."""
    return any(column.name == name for column in table.columns)


@dataclass(slots=True)
class _Scan:
    """One column on its way: which expression is asked for, and what takes the values."""

    column: Column
    privacy: Privacy
    salt: str
    sql: str
    numbers: NumberScan | None = None
    texts: TextScan | None = None
    days: list[tuple[int, int]] | None = None
    many: bool = False
    nulls: int = 0

    @property
    def is_sampled(self) -> bool:
        """Tells whether rows may be told by this column as well; see docs/profiles.md."""
        if self.column.kind is Kind.TEXT:
            return self.privacy is not Privacy.PRIVATE
        return self.numbers is not None and self.column.kind is not Kind.LIST

    def row_values(self, array: pa.Array[Any], tokens: pa.Array[Any] | None) -> NDArray[Any]:
        """Returns what stands for the column in a row: a float, NaN for no value, or a token."""
        import numpy as np

        if self.texts is None:
            values: NDArray[Any] = numbers_of(array, null=np.nan).astype(np.float64) + 0.0
            values[np.isnan(values)] = np.nan  # all NaN are one, bit by bit
            return values
        if tokens is not None:
            return numbers_of(tokens)
        coded = array.dictionary_encode()
        each = [token(one, self.salt) for one in coded.dictionary.to_pylist()]
        places = numbers_of(coded.indices, null=len(each))
        every: NDArray[Any] = np.array([*each, 0], np.uint64)
        picked: NDArray[Any] = every[places]
        return picked

    def add(self, array: pa.Array[Any], tokens: pa.Array[Any] | None) -> None:
        """Takes the column's part of a batch."""
        self.nulls += array.null_count
        if self.numbers is None and self.texts is None:
            return
        if array.null_count:
            array = array.drop_null()
            tokens = None if tokens is None else tokens.drop_null()
        if self.texts is not None:
            self.texts.add(array, None if tokens is None else numbers_of(tokens))
        elif self.numbers is not None:
            values = numbers_of(array)
            if self.column.kind.is_moment:
                values = self._finite(values)
            self.numbers.add(values)

    @property
    def has_forms(self) -> bool:
        """Tells whether it may be told how values are written."""
        return self.privacy is Privacy.PUBLIC and has_forms(self.column.kind)

    def finish(self, rows: int, unparsed: int, forms: Tally) -> ColumnProfile:
        """Returns the column's profile."""
        days = None
        if self.days is not None:
            days = joined(sorted(self.days))
        found = empty_column(self.column.name, self.column.kind, self.privacy)
        return replace(
            found,
            rows=rows,
            nulls=self.nulls,
            unparsed=unparsed,
            numbers=found.numbers if self.numbers is None else self.numbers.finish(),
            texts=found.texts if self.texts is None else self.texts.finish(),
            days=days,
            forms=forms if self.has_forms else None,
        )

    def _finite(self, values: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        keep = values != _INFINITE
        if not keep.all():
            assert self.numbers is not None
            self.numbers.add(np.full(int((~keep).sum()), np.inf))
            values = values[keep]
        days = values if self.column.kind is Kind.DATE else values // _DAY_US
        assert self.days is not None
        unique = sorted(array_of(days).unique().to_pylist())
        # Runs per batch stay few for any real calendar; beyond that `Days` gives up by itself.
        found: Days = joined((day, day) for day in unique)
        self.days = list(joined(sorted([*self.days, *found.runs])).runs)
        return values


def _scan(column: Column, privacy: Privacy, salt: str) -> _Scan:
    name = quoted(column.name)
    public = privacy is Privacy.PUBLIC
    if column.kind is Kind.TEXT:
        return _Scan(column, privacy, salt, f"{name}::VARCHAR", texts=TextScan(privacy, salt))
    if column.kind is Kind.LIST:
        return _Scan(column, privacy, salt, f"len({name})::BIGINT", numbers=NumberScan())
    sql = _number_sql(column, name) if public else ""
    if not sql:
        return _Scan(column, privacy, salt, f"CASE WHEN {name} IS NOT NULL THEN true END")
    days: list[tuple[int, int]] | None = [] if column.kind.is_moment else None
    return _Scan(column, privacy, salt, sql, numbers=NumberScan(), days=days)


def _number_sql(column: Column, name: str) -> str:
    if column.kind is Kind.INT:
        return f"{name}::{'DOUBLE' if column.type in _WIDE else 'BIGINT'}"
    if column.kind is Kind.FLOAT:
        return f"{name}::DOUBLE"
    if column.kind is Kind.BOOL:
        return f"{name}::BIGINT"
    if column.kind is Kind.TIME:
        return f"epoch_us({name}::TIME)"
    if column.kind is Kind.DATE:
        found = f"({name} - DATE '1970-01-01')::BIGINT"
        return (
            f"CASE WHEN isfinite({name}) THEN {found} WHEN {name} IS NOT NULL THEN {_INFINITE} END"
        )
    if column.kind is Kind.DATETIME:
        moment = name if column.type.endswith("TIME ZONE") else f"{name}::TIMESTAMP"
        found = f"epoch_us({moment})"
        return f"CASE WHEN isfinite({moment}) THEN {found} WHEN {name} IS NOT NULL THEN {_INFINITE} END"
    return ""


def _stream(engine: Engine, table: Table, scans: Sequence[_Scan], rows: RowScan) -> None:
    if not scans or not table.rows:
        return
    batch_rows = _look_ahead(engine, table, scans)
    wanted: list[str] = []
    for number, scan in enumerate(scans):
        wanted.append(f"{scan.sql} AS v{number}")
        if scan.many:
            wanted.append(f"{token_sql(scan.sql, scan.salt)} AS t{number}")
    relation = engine.connection.sql(f"SELECT {', '.join(wanted)} FROM {table.source}")
    for batch in _even(relation.to_arrow_reader(batch_rows), batch_rows):
        told = []
        for number, scan in enumerate(scans):
            tokens = batch.column(f"t{number}") if scan.many else None
            array = batch.column(f"v{number}")
            if scan.is_sampled:
                told.append(scan.row_values(array, tokens))
            scan.add(array, tokens)
        rows.add(told)


def _even(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Yields the same rows in batches of one size, the last one shorter.

    What the engine gives depends on its threads and on row groups of the file; sums of floats,
    samples and error bounds depend on batches.
    """
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if count < rows:
            continue
        whole = held[0] if len(held) == 1 else pa.concat_batches(held)
        full = count // rows * rows
        for start in range(0, full, rows):
            yield whole.slice(start, rows)
        held, count = [whole.slice(full)], count - full
    if count:
        yield held[0] if len(held) == 1 else pa.concat_batches(held)


def _look_ahead(engine: Engine, table: Table, scans: Sequence[_Scan]) -> int:
    """Marks text columns with many values and returns how many rows a batch should have."""
    texts = [scan for scan in scans if scan.texts is not None]
    if not texts:
        return _BATCH_ROWS
    asked = ", ".join(
        f"approx_count_distinct({scan.sql}), coalesce(avg(strlen({scan.sql})), 0)" for scan in texts
    )
    start = f"(SELECT * FROM {table.source} LIMIT {_LOOK_AHEAD})"
    found = engine.rows(f"SELECT {asked} FROM {start}")[0]
    for scan, distinct in zip(texts, found[::2], strict=True):
        scan.many = scan.privacy is not Privacy.PRIVATE and distinct > _MANY
    row_bytes = 8 * len(scans) + sum(found[1::2])
    rows = int(_BATCH_BYTES / row_bytes) // _VECTOR * _VECTOR
    return max(_VECTOR, min(rows, _BATCH_ROWS))


def _unparsed(engine: Engine, table: Table) -> dict[str, int]:
    """Returns, for columns read from text, the rows whose text is no value and no known null."""
    typed = [one.name for one in table.columns if one.kind not in (Kind.TEXT, Kind.OTHER)]
    if table.options.format not in ("csv", "xlsx") or not typed or not table.rows:
        return {}
    if table.unparsed is not None and "" in table.options.nulls:
        return {name: table.unparsed.get(name, 0) for name in typed}
    nulls = ", ".join(literal(text) for text in ("", *table.options.nulls))
    said = ", ".join(f"count(*) FILTER ({quoted(one)} NOT IN ({nulls}))" for one in typed)
    held = ", ".join(f"count({quoted(one)})" for one in typed)
    first = engine.rows(f"SELECT {said} FROM {table.raw}")[0]
    second = engine.rows(f"SELECT {held} FROM {table.source}")[0]
    return {name: max(a - b, 0) for name, a, b in zip(typed, first, second, strict=True)}
