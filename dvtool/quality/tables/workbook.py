"""Reads one sheet of an Excel workbook, through openpyxl, as if it had been saved as CSV.

The sheet is written out as text once and then read by the CSV reader, so that types and findings
mean the same for both. Older `.xls` files are refused (`unpacking`). `opening` calls it.
"""

from __future__ import annotations

import csv
import datetime
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dvtool.errors import ExtraMissing
from dvtool.quality.tables.csvfile import read_csv
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import NAMES, ReadOptions
from dvtool.quality.tables.scanning import survey
from dvtool.quality.tables.sniffing import sniff_records, split
from dvtool.quality.tables.structure import structural, times, unreadable
from dvtool.quality.tables.table import Table
from dvtool.quality.tables.textfile import PlainText

_HEAD_ROWS = 200
_ZIP_MARK = b"PK\x03\x04"


def read_workbook(
    engine: Engine, path: Path, name: str, options: ReadOptions, *, told: frozenset[str]
) -> Table:
    """Returns the table of one sheet; the first one when the options name none.

    Empty rows are left out, empty columns at the right end too. Row numbers of findings count data
    rows, their lines count rows of the sheet only where no row was left out.

    Raises:
        Unreadable: Not a workbook, no such sheet, or an empty one.
        ExtraMissing: openpyxl is not installed.
    """
    target = engine.folder / engine.fresh("sheet")
    sheet, others = _write_sheet(path, target, name, options.sheet)
    seen = survey(target)
    if not seen.size_bytes:
        raise unreadable("empty-file", f"sheet {sheet!r} has no value", name)
    findings = []
    if others and not options.sheet:
        message = f"sheet {sheet!r} read, {times(others, 'other sheet')} not"
        findings.append(structural("other-sheets", message, name, sheets=others + 1))
    settled = replace(options, delimiter=",", quote='"', escape='"', sheet=sheet)
    if told.isdisjoint({"skip", "header"}):
        skip, header = sniff_records(split(_head(target), ",", '"', '"'))
        settled = replace(settled, skip=skip, header=header)
    text = PlainText(target, name, seen, settled, NAMES, tuple(findings))
    return replace(read_csv(engine, text), places=LineMap())


def _head(target: Path) -> str:
    with target.open(encoding="utf-8", newline="") as lines:
        return "".join(line for _, line in zip(range(_HEAD_ROWS), lines, strict=False))


def _write_sheet(path: Path, target: Path, name: str, wanted: str) -> tuple[str, int]:
    """Writes a sheet as CSV; returns its name and how many other sheets there are."""
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError as error:
        raise ExtraMissing(
            f"{name}: reading .xlsx needs openpyxl", hint="pip install 'dvtool[xlsx]'"
        ) from error

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that do not touch the values
            with path.open("rb") as file:
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
                sheets = [one.title for one in book.worksheets]
                if wanted and wanted not in sheets:
                    message = f"no sheet {wanted!r}, there are: {', '.join(sheets)}"
                    raise unreadable("not-a-table", message, name)
                sheet = wanted or (sheets[0] if sheets else "")
                if not sheet:
                    raise unreadable("not-a-table", "the workbook has no sheet of cells", name)
                _write_rows(book[sheet].iter_rows(values_only=True), target)
                book.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        if _has_no_directory(path):
            message = "the workbook ends in the middle: the directory of its parts is missing"
            raise unreadable("truncated", message, name) from error
        raise unreadable("unreadable", f"not a readable workbook: {error}", name) from error
    return sheet, len(sheets) - 1


def _has_no_directory(path: Path) -> bool:
    """Tells whether a file begins like a zip archive and does not end like one."""
    with path.open("rb") as file:
        begins = file.read(len(_ZIP_MARK)) == _ZIP_MARK
    return begins and not zipfile.is_zipfile(path)


def _write_rows(rows: Iterator[tuple[Any, ...]], target: Path) -> None:
    spooled = target.with_suffix(".wide")
    width = 0
    with spooled.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        for row in rows:
            texts = [_text(one) for one in row]
            used = max((place for place, one in enumerate(texts, start=1) if one), default=0)
            if used:
                width = max(width, used)
                writer.writerow(texts[:used])
    with (
        spooled.open(encoding="utf-8", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as sink,
    ):
        writer = csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
        for texts in csv.reader(source):
            writer.writerow(texts + [""] * (width - len(texts)))
    spooled.unlink()


def _text(value: object) -> str:
    """Returns a cell as CSV would hold it: empty for nothing, ISO dates, whole floats as integers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
