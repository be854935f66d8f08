"""What is new in a table of several files: whose rows are compared with the baseline for drift.

Files that are as they were cannot have drifted, and would hide those that did. Called by `judging`.
"""

from __future__ import annotations

from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Table
from dvtool.quality.tables.union import named, narrowed


def news(engine: Engine, before: Table, table: Table) -> tuple[Table, Table, str]:
    """Returns which rows of a baseline and of a table are compared, and what they are in words.

    Files that were changed are compared with what they were. As soon as one is new, all that is new
    or changed is compared with the whole baseline. The words are empty where everything is compared.

    Args:
        engine: Holds both.
        before: The baseline.
        table: What is judged.
    """
    was = {one.inside: one.mark for one in before.members}
    now = {one.inside: one.mark for one in table.members}
    same = frozenset(inside for inside, mark in now.items() if was.get(inside) == mark)
    if not same:
        return before, table, ""
    added = now.keys() - was.keys()
    fresh = narrowed(engine, table, now.keys() - same)
    names = [one.table.name for one in fresh.members]
    told = f"told from what is new or changed, {named(names, len(now))}"
    if added:
        return before, fresh, f"{told}, against all of the baseline"
    stale = narrowed(engine, before, frozenset(was.keys() - same))
    return stale, fresh, f"{told}, against what was there before"
