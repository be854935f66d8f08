"""Finds out how a CSV file is written, from its beginning: delimiter, quotes, preamble, header.

A pure function of a sample of text: the same sample gives the same answer, and nothing is read
here. Types are not sniffed from a sample (`kinding` counts over the whole table). `csvfile` calls it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dvtool.quality.tables.options import NULLS
from dvtool.quality.tables.shapes import is_number, is_value

DELIMITERS = (",", "\t", ";", "|", ":")
_PREAMBLE_RECORDS = 20
_FIELD_LIMIT = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a sample: its fields and the physical lines that it takes, 1-based."""

    fields: tuple[str, ...]
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written; the fields mean what they mean in `ReadOptions`."""

    delimiter: str
    quote: str
    escape: str
    skip: int
    header: bool


def sniff(sample: str, *, preferred: str = ",") -> Dialect:
    """Returns how a sample of CSV text is written.

    Every delimiter of `DELIMITERS` is tried; the one wins under which most records have the same
    number of fields, the first of them included, and the fields look like values. A sample without
    any delimiter is one column.

    Args:
        sample: Whole lines from the beginning of a file; empty gives the defaults.
        preferred: Delimiter that the file's name suggests; it wins ties.
    """
    quote = "'" if _single_quoted(sample) else '"'
    best, best_score = (preferred, quote), 0.0
    ordered = (preferred, *(one for one in DELIMITERS if one != preferred))
    for delimiter in ordered:
        for escape in (quote, "\\") if "\\" + quote in sample else (quote,):
            score = _score(split(sample, delimiter, quote, escape))
            if score > best_score + 1e-9:
                best, best_score = (delimiter, escape), score
    delimiter, escape = best if best_score else (preferred, quote)
    records = split(sample, delimiter, quote, escape)
    skip, header = sniff_records(records)
    return Dialect(delimiter, quote, escape, skip, header)


def sniff_records(records: Sequence[Record]) -> tuple[int, bool]:
    """Returns how many lines come before the header or the data, and whether there is a header."""
    skip = _preamble(records)
    return skip, has_header([one.fields for one in records if one.first_line > skip])


def split(
    sample: str, delimiter: str, quote: str, escape: str, *, limit: int = 1000
) -> list[Record]:
    """Returns the first records of CSV text; blank lines are none."""
    csv.field_size_limit(_FIELD_LIMIT)
    reader = csv.reader(
        _lines(sample),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=escape == quote,
        escapechar=escape if escape and escape != quote else None,
    )
    records: list[Record] = []
    last = 0
    for fields in reader:
        if fields:
            records.append(Record(tuple(fields), last + 1, reader.line_num))
            if len(records) >= limit:
                break
        last = reader.line_num
    return records


def has_header(records: Sequence[Sequence[str]]) -> bool:
    """Tells whether the first record names the columns.

    It does not when some column holds values from its first field on: below a number, a date or a
    truth value come more of them. Beside a word, a run of years over other numbers, or 0, 1, 2, …
    (a wide table), are names all the same. Words above words are names.
    """
    if not records:
        return True
    first, rest = records[0], [one for one in records[1:200] if len(one) == len(records[0])]
    if not rest:
        return not all(is_value(one) for one in first)
    valued_above = 0
    for place, name in enumerate(first):
        below = [one[place] for one in rest if one[place].strip() not in NULLS]
        if not below or sum(map(is_value, below)) < 0.9 * len(below):
            continue
        if is_value(name):
            valued_above += 1
    return not valued_above or _is_series(first, rest[0])


def _is_series(names: Sequence[str], below: Sequence[str]) -> bool:
    """Tells whether the numbers among some names count on: 2019, 2020, or 0, 1, 2."""
    spots = [place for place, one in enumerate(names) if is_number(one)]
    if len(spots) in {0, len(names)} or not all(names[spot].strip().isdigit() for spot in spots):
        return False
    whole = [int(names[spot]) for spot in spots]
    if len(whole) < 2 or whole != sorted(set(whole)):
        return False
    if all(1800 <= one <= 2200 for one in whole):
        under = [below[spot].strip() for spot in spots]
        return not all(one.isdigit() and 1800 <= int(one) <= 2200 for one in under)
    return len(whole) > 2 and whole[0] in {0, 1} and all(b - a == 1 for a, b in pairwise(whole))


def _score(records: Sequence[Record]) -> float:
    widths = Counter(len(one.fields) for one in records)
    width, most = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    if width < 2:
        return 0.0
    same = [one.fields for one in records if len(one.fields) == width]
    cells = [cell for fields in same[:200] for cell in fields]
    good = sum(1 for cell in cells if is_value(cell) or cell in NULLS)
    clean = sum(1 for cell in cells if not any(mark in cell for mark in DELIMITERS[1:4]))
    starts = len(records[0].fields) == width
    return most / len(records) + 0.5 * starts + 0.3 * good / len(cells) + 0.2 * clean / len(cells)


def _preamble(records: Sequence[Record]) -> int:
    """Returns how many physical lines come before the header: titles, remarks, blank lines."""
    if not records:
        return 0
    width = Counter(len(one.fields) for one in records).most_common(1)[0][0]
    for one in records[:_PREAMBLE_RECORDS]:
        filled = sum(1 for cell in one.fields if cell.strip())
        if width < 2 or len(one.fields) == width or filled > 1:
            return one.first_line - 1
    return records[0].first_line - 1


def _single_quoted(sample: str) -> bool:
    if '"' in sample:
        return False
    lines = sample.splitlines()[:200]
    found = re.compile(r"(^|[,;\t|])'[^']*'([,;\t|]|$)")
    return bool(lines) and sum(1 for line in lines if found.search(line)) > len(lines) / 2


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def after_lines(sample: str, count: int) -> str:
    """Returns a sample without its first physical lines."""
    return "".join(_lines(sample)[count:])


def usual_width(records: Sequence[Record]) -> int:
    """Returns how many fields most records have; the larger number of two equally common ones."""
    widths = Counter(len(one.fields) for one in records)
    return max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))[0]
