"""Rows compared: against a naive answer on random tables, and the cases that need a definition."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvtool.quality.datadiff.comparing import Asked, compare_tables
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

ROWS = st.dictionaries(
    st.integers(0, 12), st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1
)


def diff(tmp_path, old, new, **asked):
    for name, text in (("old.csv", old), ("new.csv", new)):
        tmp_path.joinpath(name).write_text(text)
    with Engine(memory_bytes=1 << 28) as engine:
        tables = [open_table(engine, tmp_path / name) for name in ("old.csv", "new.csv")]
        return compare_tables(engine, *tables, Asked(**asked))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(old=ROWS, new=ROWS)
def test_counts_equal_those_of_two_dictionaries(tmp_path, old, new):
    texts = [
        "id,name,n\n" + "".join(f"{key},{name},{n}\n" for key, (name, n) in rows.items())
        for rows in (old, new)
    ]

    found = diff(tmp_path, *texts, key=("id",))

    common = old.keys() & new.keys()
    assert found.added == len(new.keys() - old.keys())
    assert found.removed == len(old.keys() - new.keys())
    assert found.changed == sum(old[key] != new[key] for key in common)
    cells = {one.column: one.cells for one in found.columns}
    assert cells.get("name", 0) == sum(old[key][0] != new[key][0] for key in common)
    assert cells.get("n", 0) == sum(old[key][1] != new[key][1] for key in common)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    old=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2)), min_size=8),
    new=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2)), min_size=8),
)
def test_without_a_key_rows_are_multisets(tmp_path, old, new):
    texts = ["t,n\n" + "".join(f"{t},{n}\n" for t, n in rows) for rows in (old, new)]

    found = diff(tmp_path, *texts)

    # six different rows at most, so eight rows have a repeat and no key exists
    assert found.key.columns == ()
    assert found.added == (Counter(new) - Counter(old)).total()
    assert found.removed == (Counter(old) - Counter(new)).total()


def test_delimiter_and_column_order_change_nothing(tmp_path):
    found = diff(tmp_path, "id,v\n1,a\n2,b\n", "v;id\nb;2\na;1\n")

    assert found.is_same
    assert found.schema.reordered


def test_a_changed_cell_is_shown_with_its_key_and_both_values(tmp_path):
    found = diff(tmp_path, "id,v\n1,1.50\n2,2.5\n", "id,v\n1,1.50\n2,2.75\n", key=("id",))

    (row,) = found.examples
    assert row.key == (("id", "2"),)
    assert [(one.column, one.old, one.new) for one in row.cells] == [("v", "2.5", "2.75")]


def test_the_tolerance_counts_close_floats_as_equal(tmp_path):
    texts = ("id,v\n1,1.5\n2,2.5\n", "id,v\n1,1.5001\n2,2.6\n")

    assert diff(tmp_path, *texts, key=("id",)).changed == 2
    assert diff(tmp_path, *texts, key=("id",), tolerance=0.01).changed == 1


def test_repeated_keys_are_compared_in_the_order_of_the_files(tmp_path):
    found = diff(tmp_path, "k,v\na,1\na,2\nb,3\n", "k,v\na,1\na,5\na,6\nb,3\n", key=("k",))

    assert (found.added, found.removed, found.changed) == (1, 0, 1)
    assert found.key.repeated == (1, 2)


def test_a_missing_key_matches_a_missing_key(tmp_path):
    found = diff(tmp_path, "k,v\n,1\nb,2\n", "k,v\n,9\nb,2\n", key=("k",))

    assert (found.added, found.removed, found.changed) == (0, 0, 1)
    assert found.key.nulls == (1, 1)


def test_a_private_column_shows_no_value(tmp_path):
    found = diff(
        tmp_path,
        "id,mail\n1,canary-one\n2,canary-two\n",
        "id,mail\n1,canary-six\n3,canary-ten\n",
        key=("id",),
        private=frozenset({"mail"}),
    )

    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert "canary" not in repr(found)


def test_a_number_that_became_text_is_compared_as_written(tmp_path):
    found = diff(tmp_path, "id,v\n1,8\n2,9\n3,7\n", "id,v\n1,08\n2,9\n3,x\n", key=("id",))

    assert [(one.column, one.old, one.new) for one in found.schema.retyped] == [
        ("v", "int", "text")
    ]
    assert found.changed == 2


def test_two_columns_together_are_found_as_the_key(tmp_path):
    rows = [(day, place, day + place) for day in (1, 2, 3) for place in (1, 2, 3)]
    old = "day,place,v\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows)

    found = diff(tmp_path, old, old.replace("3,3,6", "3,3,7"))

    assert found.key.columns == ("day", "place")
    assert found.changed == 1


def test_a_renamed_column_is_suggested(tmp_path):
    found = diff(tmp_path, "id,price\n1,5\n2,6\n", "id,gold\n1,5\n2,6\n", key=("id",))

    assert [(one.old, one.new, one.share) for one in found.schema.renamed] == [
        ("price", "gold", 1.0)
    ]


def table(names: list[str], rows: list[tuple[object, ...]]) -> str:
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)]) + "\n"


def test_an_identifier_is_the_key_where_another_column_is_as_unique(tmp_path):
    old = table(["name", "person_id", "v"], [(f"n{i}", 1000 + i, i) for i in range(50)])
    new = table(["name", "person_id", "v"], [(f"n{i}", 1000 + i, i * 2) for i in range(60)])

    assert diff(tmp_path, old, new).key.columns == ("person_id",)


def test_an_identifier_that_was_given_anew_is_not_the_key(tmp_path):
    old = table(["id", "mail", "v"], [(i, f"m{i}@x", i % 7) for i in range(50)])
    # One row is new in front, and the ids were counted anew.
    new = table(["id", "mail", "v"], [(i + 1, f"m{i}@x", i % 7) for i in range(-1, 50)])

    found = diff(tmp_path, old, new)

    assert found.key.columns == ("mail",)
    assert (found.added, found.removed) == (1, 0)
