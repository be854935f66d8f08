"""One DuckDB connection, bounded in memory and cut off from the network.

Here lives what every query shares: the settings, fresh names, and the scratch folder that large
tables spill to. What is read, and how, stands in the readers beside this module. Readers,
profiles and checks of `dvtool.quality` call it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvtool.core.sizes import ENGINE_MIB
from dvtool.quality.tables.headroom import available_bytes

if TYPE_CHECKING:
    import duckdb

WIDE = 120
"""Columns above which planning an expression a column takes longer than what it asks."""
SHARE = 3
"""Rows that are held may take one part in so many of the memory that is free."""
_LARGE_BYTES = 256 << 20


class Engine:
    """A context manager around one in-memory DuckDB connection.

    Everything it writes lies in one folder of its own below `scratch`, which is removed on exit.
    The session's time zone is UTC, results keep the order of the file, and no extension is ever
    fetched or loaded on the way.

    Args:
        memory_bytes: What DuckDB may hold in memory before it spills; None for as much as most
            tables need, and more for those of many columns.
        threads: Worker threads.
        scratch: Folder for spilled data; the system's folder for temporary files when None.
        available: Tells how much memory is free, or None; asked where `memory_bytes` is None and
            rows are to be held that take more than `memory_bytes` has room for.
    """

    connection: duckdb.DuckDBPyConnection
    memory_bytes: int
    """What it may take now, without rows that are held since the machine has room for them."""

    def __init__(
        self,
        *,
        memory_bytes: int | None = None,
        threads: int = 2,
        scratch: Path | None = None,
        available: Callable[[], int | None] = available_bytes,
    ) -> None:
        import duckdb

        self._folder: Path | None = None
        self._parent = scratch
        self._names = 0
        self._attached = False
        self._held_bytes = 0
        self._grows = memory_bytes is None
        self._available = available
        self.memory_bytes = max(memory_bytes or ENGINE_MIB << 20, 1 << 24)
        self.connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": f"{self.memory_bytes}B",
                "threads": str(threads),
                "temp_directory": str(self.folder / "spill"),
                "preserve_insertion_order": "true",
            }
        )
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute("SET enable_progress_bar = false")
        # The scratch file is thrown away: compressing it once more on the way out is for nothing.
        self.connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        self.connection.execute("SET wal_autocheckpoint = '1TB'")

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """Returns the engine's own scratch folder; it exists until `close`."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="dvtool-", dir=self._parent))
        return self._folder

    def make_room(self, columns: int) -> None:
        """Lets the engine take a MiB a column, unless somebody said how much it may take.

        It holds several blocks of each column while a table is written, whatever is in them.
        """
        if self._grows and columns << 20 > self.memory_bytes:
            self.memory_bytes = columns << 20
            self._limit(self._own_bytes)

    @contextmanager
    def handing_out(self) -> Iterator[None]:
        """Holds the engine to three fifths of its memory while others work on what it hands out.

        What it gives back is mostly a cache of the table, which lies on disk if it is large.
        """
        import duckdb

        try:
            with suppress(duckdb.OutOfMemoryException):  # nothing to give back
                self._limit(min(self.memory_bytes * 3 // 5, self._own_bytes))
            yield
        finally:
            self._limit(self._own_bytes)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query; empty for a statement without a result.

        Raises:
            duckdb.Error: The statement is wrong or its data cannot be read.
        """
        return self.connection.execute(sql, list(parameters)).fetchall()

    @contextmanager
    def planned_fast(self) -> Iterator[None]:
        """Lets queries over few rows and many columns be planned without looking for common parts.

        That search takes the square of the number of expressions: nine seconds for a thousand.
        """
        self.rows("SET disabled_optimizers = 'common_subexpressions'")
        try:
            yield
        finally:
            self.rows("SET disabled_optimizers = ''")

    def fresh(self, stem: str) -> str:
        """Returns a plain SQL name that this engine has not given out before."""
        self._names += 1
        return f"{stem}_{self._names}"

    def create(self, stem: str, query: str, size_bytes: int) -> str:
        """Creates a table of what a query gives, in memory, or on disk when it is large; returns its name.

        Args:
            stem: Plain word for the name.
            query: A SELECT.
            size_bytes: How large the data is as text, about.
        """
        name = self.fresh(stem)
        if size_bytes >= _LARGE_BYTES:
            if not self._attached:
                # What is thrown away soon is not worth packing: that costs more than parsing.
                self.rows("SET force_compression = 'uncompressed'")
                self.rows(f"ATTACH {literal(str(self.folder / 'large.duckdb'))} AS large")
                self._attached = True
            name = f"large.{name}"
        self.rows(f"CREATE TABLE {name} AS {query}")
        return name

    def keep(self, stem: str, query: str, size_bytes: int, *, held_bytes: int) -> str:
        """Runs a query once and keeps its rows, in their order; returns the name of the relation.

        Like a table it has a column `rowid`, from 0. Rows that are held as they came cost half of
        what a table in memory costs to write, but they cannot be spilled: what there is no room for
        becomes a table.

        Args:
            stem: As `create` takes it, and so the next two.
            query: A SELECT.
            size_bytes: How large the data is as text, about.
            held_bytes: How much memory the rows take, about.
        """
        if not self.can_hold(held_bytes):
            return self.create(stem, query, size_bytes)
        numbered = f"SELECT row_number() OVER () - 1 AS rowid, * FROM ({query})"
        name = self.fresh(stem)
        self.connection.register(name, self.connection.sql(numbered).materialize())
        self._held_bytes += held_bytes
        self._limit(self._own_bytes)
        return name

    def can_hold(self, held_bytes: int) -> bool:
        """Tells whether there is room for rows that take so much memory, besides those held.

        There is in three quarters of the engine's memory. Unless somebody said how much it may
        take, there is also in a third of what is free, so that two others may do the same.
        """
        wanted = self._held_bytes + held_bytes
        if wanted <= self.memory_bytes * 3 // 4:
            return True
        free = self._available() if self._grows else None
        return free is not None and wanted <= (free + self._held_bytes) // SHARE

    @property
    def _own_bytes(self) -> int:
        """What the engine may take besides the rows that are held: never less than a half."""
        return max(self.memory_bytes - self._held_bytes, self.memory_bytes // 2)

    def _limit(self, memory_bytes: int) -> None:
        self.rows(f"SET memory_limit = '{memory_bytes}B'")

    def close(self) -> None:
        """Closes the connection and removes the scratch folder; a second call does nothing."""
        self.connection.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def quoted(name: str) -> str:
    """Returns a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Returns text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
