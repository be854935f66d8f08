"""A wide table is asked in parts, and answers as its columns alone would."""

from __future__ import annotations

from dvtool.quality.profile.forms import forms_of
from dvtool.quality.tables.parts import in_parts

ROWS = 40
KINDS = {
    "price": [f"{'-' * (row % 4 == 0)}{row}.5" for row in range(ROWS)],
    "city": ["Pune", "pune", "Agra ", "Agra"] * 10,
    "amount": [f"{row + 1},{row % 10}00" for row in range(ROWS)],
    "gap": ["NA" if row % 3 else f"{row}" for row in range(ROWS)],
}


def text_of(names: list[str]) -> str:
    rows = [[KINDS[name.rstrip("0123456789")][row] for name in names] for row in range(ROWS)]
    return "\n".join(";".join(cells) for cells in [names, *rows]) + "\n"


def findings_of(table):
    return {
        (one.code, one.column.rstrip("0123456789"), one.message, str(one.examples))
        for one in table.findings
        if one.column
    }


def test_a_wide_table_says_of_each_column_what_a_narrow_one_does(read, engine):
    wide_names = [f"{name}{place}" for place in range(50) for name in KINDS]

    wide, narrow = read(text_of(wide_names)), read(text_of(list(KINDS)))

    assert {"category-variants", "ambiguous-numbers"} <= {one.code for one in narrow.findings}
    assert findings_of(wide) == findings_of(narrow)
    assert len(wide.findings) == 50 * len(narrow.findings)
    told = forms_of(engine, wide, ["price0", "gap0", "price49"])
    assert told["price0"].counts == told["price49"].counts == {"9.9": 30, "-9.9": 10}
    assert told["gap0"].counts == forms_of(engine, narrow, ["gap"])["gap"].counts == {"9": 14}


def test_a_narrow_table_is_asked_as_it_is(engine):
    assert list(in_parts(engine, "t", ["a", "b"], str, is_wide=False)) == [(["a", "b"], "t")]
    assert list(in_parts(engine, "t", [], str, is_wide=False)) == []


def test_a_wide_one_is_copied_a_few_columns_at_a_time_and_nothing_stays(engine):
    listed = ", ".join(f"{place} AS c{place}" for place in range(130))
    engine.rows(f"CREATE TABLE t AS SELECT 7 AS row, {listed}")

    seen = []
    for some, part in in_parts(engine, "t", range(130), "c{}".format, also=["row"], is_wide=True):
        seen += engine.rows(f"SELECT row, {', '.join(f'c{one}' for one in some)} FROM {part}")[0]

    assert sorted(seen) == sorted([*range(130), 7, 7, 7])  # the row number once a part
    assert engine.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'part%'") == [
        (0,)
    ]
