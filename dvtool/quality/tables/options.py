"""How a file is read: the one description that makes two readings give the same table.

Sniffing proposes these values (`sniffing`, `kinding`), the readers follow them. What is not here:
looking at a file, and YAML, which the callers turn into a mapping first. The readers, `suggest` and
the checks files use it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from dvtool.errors import InvalidText
from dvtool.quality.kinds import Kind

FORMATS = ("csv", "jsonl", "json", "parquet", "arrow", "xlsx")
COMPRESSIONS = ("", "gzip", "zstd", "bz2", "xz")
DECIMALS = (".", ",")
THOUSANDS = ("", ",", ".", " ", "'", "_")
NULLS = (
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "NaN",
    "nan",
    "-NaN",
    "-nan",
    "NULL",
    "null",
    "None",
)
"""Texts that mean "missing" in CSV and worksheets unless `nulls` says otherwise; exact spelling."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    r"""Everything that decides what a file's bytes mean as a table.

    Args:
        format: One of `FORMATS`.
        delimiter: Between fields of a CSV file, one character.
        quote: Around fields, one character; empty when nothing is quoted.
        escape: Before a quote inside a quoted field; equal to `quote` when it is doubled.
        encoding: Python's name of the text encoding.
        header: Whether the first record names the columns.
        skip: Physical lines (CSV) or rows (worksheet) before the header, or before the data.
        decimal: `.` or `,`.
        thousands: Between groups of three digits; empty when there is none.
        nulls: Texts that mean "missing".
        types: Columns whose kind is fixed: (column name, value of a `Kind`).
        dates: Columns of dates not written year first: (column name, strptime format).
        sheet: Of a workbook; empty means the first.
        compression: One of `COMPRESSIONS`, empty for none.
        stated: Names of the options that were chosen, where the rest is to be found out; empty where
            all of them are meant.
    """

    format: str = "csv"
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    encoding: str = "utf-8"
    header: bool = True
    skip: int = 0
    decimal: str = "."
    thousands: str = ""
    nulls: tuple[str, ...] = NULLS
    types: tuple[tuple[str, str], ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    sheet: str = ""
    compression: str = ""
    stated: frozenset[str] = frozenset()

    @property
    def told(self) -> frozenset[str]:
        """Names of the options that someone chose, and nothing that is sniffed replaces."""
        return self.stated or NAMES

    def to_mapping(self) -> dict[str, Any]:
        """Returns plain values for `read:`: what was stated, or else `format` and what is no default."""
        told: dict[str, Any] = {} if self.stated else {"format": self.format}
        for one in fields(self):
            value = getattr(self, one.name)
            is_meant = one.name in self.stated if self.stated else value != one.default
            if one.name in _NEVER_TOLD or not is_meant:
                continue
            if one.name in _MAPPINGS:
                told[one.name] = dict(value)
            else:
                told[one.name] = list(value) if isinstance(value, tuple) else value
        return told

    @classmethod
    def from_mapping(cls, told: Mapping[str, Any]) -> ReadOptions:
        """Returns the options that a `read:` mapping describes.

        With `format`, what it leaves out has its default; without, it is found out.

        Raises:
            InvalidText: An unknown key, or a value that its key does not allow.
        """
        values: dict[str, Any] = {}
        for key, value in told.items():
            if key not in NAMES:
                near = difflib.get_close_matches(str(key), NAMES, 1)
                meant = f", did you mean {near[0]}" if near else ""
                raise InvalidText(f"read: unknown key {str(key)!r}{meant}")
            values[key] = _checked(key, value)
        stated = frozenset() if "format" in values else frozenset(values)
        return cls(**values, stated=stated)


NAMES: Final = frozenset(one.name for one in fields(ReadOptions)) - {"stated"}
"""Keys of `read:`."""
_NEVER_TOLD = ("format", "stated")
_MAPPINGS = ("types", "dates")
_CHOICES = {
    "format": FORMATS,
    "compression": COMPRESSIONS,
    "decimal": DECIMALS,
    "thousands": THOUSANDS,
}
_KINDS = tuple(kind.value for kind in Kind)


def _checked(key: str, value: Any) -> Any:  # noqa: ANN401 - checked below
    if key == "header":
        return _expect(key, value, isinstance(value, bool), "true or false")
    if key == "skip":
        good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return _expect(key, value, good, "a number from 0")
    if key == "nulls":
        good = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        return tuple(_expect(key, value, good, "a list of texts"))
    if key in _MAPPINGS:
        good = isinstance(value, Mapping) and all(
            isinstance(name, str) and isinstance(one, str) for name, one in value.items()
        )
        _expect(key, value, good, "a mapping from column names to texts")
        if key == "types":
            for one in value.values():
                _expect(key, one, one in _KINDS, " | ".join(_KINDS))
        return tuple(value.items())
    _expect(key, value, isinstance(value, str), "a text")
    if key == "encoding":
        return _expect(key, value, _is_encoding(value), "a text encoding that Python knows")
    if key in _CHOICES:
        allowed = _CHOICES[key]
        return _expect(key, value, value in allowed, " | ".join(one or "''" for one in allowed))
    if key in {"delimiter", "quote", "escape"}:
        least = 1 if key == "delimiter" else 0
        good = least <= len(value) <= 1 and value not in "\r\n\0" + ("" if least else "\t")
        return _expect(key, value, good or (key != "delimiter" and value == ""), "one character")
    return value


def _is_encoding(name: str) -> bool:
    try:
        # `rot13` and the like are codecs, but no text encodings
        return isinstance(b"a".decode(name, "replace"), str)
    except (LookupError, ValueError):
        return False


def _expect(key: str, value: Any, good: bool, allowed: str) -> Any:  # noqa: ANN401
    if not good:
        raise InvalidText(f"read: {key} is {value!r}, allowed is {allowed}")
    return value
