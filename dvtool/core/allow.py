"""Allowances: failures of a data set that were accepted by review, as `<path>.allow.yaml` lists them.

Here is what an entry is; its text is `dvtool.core.allowtext`, what it does to a verdict
`dvtool.quality.checks.policy`, writing one `dvtool.ops.allow`. Spec: docs/format.md#allow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from dvtool.core.digest import Digest

EVERYTHING: Final = "all"
"""Stands for every finding of the version; no code is called so."""

Kind = Literal["exception", "new-normal"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """One accepted failure.

    Attributes:
        data: Digest of the accepted bytes: of the file, or of a directory as a whole.
        finding: What is accepted, `column.code` or `code`; `EVERYTHING` for all.
        kind: `exception` for this once, `new-normal` when later versions will be like it.
        reason: Why, one line.
        by: Who wrote the line, as git knows them; a review decides what it is worth.
        when: The day it was written.
        until: Last day on which an exception holds, None for no end.
        table: Path inside a directory, empty for a data set that is one file, or for all of it.
    """

    data: Digest
    finding: str
    kind: Kind
    reason: str
    by: str
    when: dt.date
    until: dt.date | None = None
    table: str = ""

    @property
    def column(self) -> str:
        """The column that the finding is about; empty when it is about no single one."""
        return self.finding.rpartition(".")[0]

    def covers(self, data: Collection[Digest], table: str) -> bool:
        """Tells whether it is about a table.

        Args:
            data: Digests of the table's file and of the version that it stands in.
            table: Its path inside the data set, empty for a data set that is one file.
        """
        return self.data in data and self.table in ("", table)
