"""Every figure of a profile against plain Python on real tables, read by the csv module.

Numbers, moments and quantiles are held against pandas, numpy and scipy in `test_values`.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import re
import statistics
from collections import Counter
from pathlib import Path
from unicodedata import category

import pytest

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.tables.opening import open_table

DATA = Path(__file__).parents[4] / "shared" / "data"
FILES = [
    *sorted((DATA / "tables").glob("*.csv")),
    *(min(one.glob("batches/*.csv")) for one in sorted((DATA / "series").glob("*"))),
]
BLANK = " \t\n\r\f\v"
EPOCH = dt.date(1970, 1, 1)

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FILES, reason="the real tables are not beside this checkout"),
]


def look(text: str) -> str:
    """Returns a text's shape, by regular expressions; letters are those of any script."""
    cased = (
        "A" if one.isupper() else "a" if one.isalpha() or category(one)[0] == "M" else one
        for one in text
    )
    found = re.sub(r"[^\x20-\x7e\t\n\r\f\v]", "?", "".join(cased))
    found = re.sub(r"A+", "A", found)
    found = re.sub(r"a+", "a", found)
    found = re.sub(r"[0-9]", "9", found)
    found = re.sub(r"[ \t\n\r\f\v]+", " ", found)
    found = re.sub(r"\?+", "?", found)
    return found if len(found) <= 32 else found[:32] + "…"


def text_figures(column, values: list[str]) -> None:
    texts, lengths = column.texts, [len(one) for one in values]
    counts = Counter(values)
    if texts.tally.is_exact:
        assert column.distinct == len(counts)
        assert sorted(texts.tally.counts.values()) == sorted(counts.values())
    else:
        assert column.distinct == pytest.approx(len(counts), rel=column.distinct_error)
    assert (texts.lengths.low, texts.lengths.high) == (min(lengths), max(lengths))
    assert texts.lengths.moments.mean == pytest.approx(statistics.fmean(lengths), rel=1e-9)
    if len(lengths) > 1:
        std = statistics.stdev(lengths)
        assert texts.lengths.moments.std == pytest.approx(std, rel=1e-9, abs=1e-9)
    assert texts.lengths.quantile(0.5) == statistics.median_low(lengths)
    patterns, together = texts.patterns, "".join(values)
    digits, letters = (len(re.findall(one, together)) for one in ("[0-9]", "[A-Za-z]"))
    beyond = sum(not one.isascii() for one in together)
    assert (*patterns.classes[:2], patterns.classes[-1]) == (digits, letters, beyond)
    assert sum(patterns.classes) == len(together)
    assert patterns.blank == sum(not one.strip(BLANK) for one in values)
    padded = sum(one != one.strip(BLANK) and bool(one.strip(BLANK)) for one in values)
    assert patterns.padded == padded
    assert patterns.error == 0
    assert patterns.shapes.counts == pytest.approx(Counter(map(look, values)))
    for count, cased in ((patterns.upper, str.isupper), (patterns.lower, str.islower)):
        assert count == sum(map(cased, values))


def day_figures(column, values: list[str]) -> None:
    days = sorted({(dt.date.fromisoformat(one[:10]) - EPOCH).days for one in values})
    gaps = [(a, b - a - 1) for a, b in itertools.pairwise(days) if b > a + 1]
    assert column.days.count == len(days)
    assert column.days.gaps() == gaps
    if column.kind is Kind.DATE:
        assert (column.numbers.low, column.numbers.high) == (days[0], days[-1])


def sign_figures(column, values: list[str]) -> None:
    numbers = [float(one) for one in values]
    found = column.numbers
    assert (found.low, found.high) == (min(numbers), max(numbers))
    assert found.zeros == numbers.count(0.0)
    assert found.negatives == sum(one < 0 for one in numbers)
    assert found.wholes == sum(one.is_integer() for one in numbers)
    assert found.not_finite == 0
    if found.tally.is_exact:
        assert found.tally.counts == Counter(numbers)
    else:
        error = column.distinct_error
        assert column.distinct == pytest.approx(len(set(numbers)), rel=error)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_every_column_of_a_real_table_has_the_figures_that_plain_python_finds(engine, path):
    table = open_table(engine, path)
    profile = profile_table(engine, table)
    with path.open(encoding=table.options.encoding, newline="") as lines:
        header, *rows = csv.reader(lines, delimiter=table.options.delimiter)

    assert [one.name for one in profile.columns] == header
    assert profile.rows == len(rows)
    compared = 0
    for column, cells in zip(profile.columns, zip(*rows, strict=True), strict=True):
        values = [one for one in cells if one not in table.options.nulls]
        assert column.nulls - column.unparsed == len(cells) - len(values)
        if not values or column.unparsed or column.privacy is Privacy.PRIVATE:
            continue
        if column.kind is Kind.TEXT:
            text_figures(column, values)
        elif column.days is not None and not table.options.dates:
            day_figures(column, values)
        elif column.kind.is_number:
            sign_figures(column, values)
        else:
            continue
        compared += 1
    assert compared >= len(header) / 2
