"""Makes the tables that are judged: 20 columns, the same rows for the same seed, as CSV or Parquet.

    python judging_table.py ROWS SEED FILE...

Five columns each of whole numbers, of decimals and of categories or texts with few values, two
moments, three texts with many. Run by `judging.py` with the Python that has DuckDB.
"""

from __future__ import annotations

import sys
from pathlib import Path

WORDS = (
    *("late", "order", "was", "fine", "and", "the", "box", "came", "open", "again", "please"),
    *("call", "me", "back", "about", "refund", "size", "too", "small", "thanks", "great", "not"),
)
FIRST = ("Asha", "Ben", "Chen", "Dana", "Eli", "Fatima", "Goran", "Hana", "Ivo", "Jo", "Kim", "Lea")
LAST = ("Rao", "Smith", "Wei", "Novak", "Cohen", "Ali", "Horvat", "Sato", "Marin", "Park", "Berg")
STATES = ("KA", "MH", "TN", "KL", "AP", "TS", "GJ", "RJ", "UP", "WB", "PB", "HR")
PLANS = ("free", "basic", "plus", "team")
CHANNELS = ("web", "shop", "app", "phone", "mail")


def picked(words: tuple[str, ...], number: str) -> str:
    """Returns SQL for one of some words, chosen by an SQL number."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"([{listed}])[1 + ({number} % {len(words)})::INT]"


def table_sql(rows: int, seed: int) -> str:
    """Returns the SELECT of a table; about 1 row in 100 lacks `age`, 1 in 50 lacks `temperature`."""

    def draw(salt: int) -> str:
        return f"hash(i * 64 + {salt} + {seed} * 1000003)"

    def share(salt: int) -> str:
        return f"(({draw(salt)} >> 11)::DOUBLE / 9007199254740992)"

    def normal(salt: int) -> str:
        angle = f"cos(2 * pi() * {share(salt + 1)})"
        return f"sqrt(-2 * ln(1 - {share(salt)})) * {angle}"

    comment = " || ' ' || ".join(picked(WORDS, f"({draw(40)} >> {5 * n})") for n in range(9))
    columns = {
        "id": "i + 1",
        "user_id": f"{draw(1)} % 100000",
        "age": f"CASE WHEN {draw(2)} % 100 > 0 THEN (18 + {share(3)} * 70)::INT END",
        "quantity": f"1 + {draw(4)} % 12",
        "views": f"(exp({normal(5)} + 4))::INT",
        "amount": f"round(exp({normal(7)} + 3), 2)",
        "latitude": f"round(8 + {share(9)} * 27, 6)",
        "score": share(10),
        "temperature": f"CASE WHEN {draw(11)} % 50 > 0 THEN round(27 + 4 * {normal(12)}, 1) END",
        "ratio": f"round({share(14)} * {share(15)}, 4)",
        "signup": f"DATE '2020-01-01' + ({share(16)} * 1800)::INT",
        "seen_at": f"TIMESTAMP '2025-01-01' + INTERVAL 1 SECOND * ({share(17)} * 31000000)::INT",
        "state": picked(STATES, f"least({draw(18)} % 12, {draw(19)} % 12)"),
        "plan": picked(PLANS, draw(20)),
        "channel": picked(CHANNELS, f"least({draw(21)} % 5, {draw(22)} % 5)"),
        "active": f"{draw(23)} % 3 > 0",
        "code": f"printf('%s-%04d', {picked(('A', 'B', 'C'), draw(24))}, ({draw(25)} % 5000)::INT)",
        "email": f"printf('user%d@example%d.test', ({draw(26)} % {max(rows // 2, 1)})::BIGINT, "
        f"({draw(27)} % 9)::INT)",
        "name": f"{picked(FIRST, draw(28))} || ' ' || {picked(LAST, draw(29))}",
        "comment": comment,
    }
    whole = ("id", "user_id", "age", "quantity", "views")
    listed = ", ".join(
        f"({sql}){'::BIGINT' if name in whole else ''} AS {name}" for name, sql in columns.items()
    )
    return f"SELECT {listed} FROM range({rows}) AS source(i)"


def main(argv: list[str]) -> None:
    """Writes one table to each of the files, by the ending of its name."""
    import duckdb

    rows, seed, *paths = argv
    with duckdb.connect(config={"threads": "2", "memory_limit": "2GB"}) as connection:
        for path in map(Path, paths):
            form = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet"
            connection.execute(
                f"COPY ({table_sql(int(rows), int(seed))}) TO '{path}' ({form})"  # our own paths
            )


if __name__ == "__main__":
    main(sys.argv[1:])
