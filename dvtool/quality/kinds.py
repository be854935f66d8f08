"""The kinds of columns that judgement tells apart.

A kind is fixed once for a whole table, before anything is read in batches. What engine type a kind
has is the readers' business (`dvtool.quality.tables`).
"""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What the values of a column are; the value is the word used in files and messages."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    LIST = "list"
    """Values of varying length; judged by their lengths and, one level down, by their items."""
    OTHER = "other"
    """Whatever no statistic is defined for: blobs, maps, unions. Only nulls are counted."""

    @property
    def is_number(self) -> bool:
        """Tells whether order and arithmetic make sense."""
        return self in (Kind.INT, Kind.FLOAT)

    @property
    def is_moment(self) -> bool:
        """Tells whether the values are points on the calendar."""
        return self in (Kind.DATE, Kind.DATETIME)
