"""Column names that an engine can hold: never empty, never twice, never the hidden row number.

What had to change is a finding; nothing is renamed without a word. Finding the header is not done
here (`sniffing`). All readers call it.
"""

from __future__ import annotations

from collections.abc import Sequence

from dvtool.quality.findings import Finding
from dvtool.quality.tables.structure import structural, times
from dvtool.quality.tables.table import ROW


def unique_names(
    names: Sequence[str], name: str, *, line: int = 0
) -> tuple[list[str], list[Finding]]:
    """Returns one usable name for each column, and findings about those that had to change.

    A blank name becomes `column3` by its place; a name seen before, in whatever case, becomes
    `name_2`. A blank first header over an index, as data frames write it, is only noted.

    Args:
        names: As written.
        name: The file as the user knows it.
        line: Line of the header.
    """
    taken = {ROW.casefold(), *(one.casefold() for one in names)}
    seen: set[str] = {ROW.casefold()}
    used: list[str] = []
    blank: list[int] = []
    twice: list[str] = []
    for place, written in enumerate(names, start=1):
        one = written
        if not one.strip():
            blank.append(place)
            one = _free(f"column{place}", taken)
        elif one.casefold() in seen:
            twice.append(one)
            one = _free(one, taken)
        seen.add(one.casefold())
        taken.add(one.casefold())
        used.append(one)
    findings = []
    if blank == [1] and len(names) > 1:
        message = f"the first column has no name, read as {used[0]}"
        findings.append(structural("unnamed-index", message, name, line=line, columns=blank))
    elif blank:
        message = f"{times(len(blank), 'column')} without a name, allowed 0"
        findings.append(structural("blank-headers", message, name, line=line, columns=blank))
    if twice:
        message = f"{times(len(twice), 'column name')} used twice: {', '.join(twice[:5])}"
        findings.append(structural("duplicate-headers", message, name, line=line, names=twice))
    return used, findings


def _free(stem: str, taken: set[str]) -> str:
    one, number = stem, 2
    while one.casefold() in taken:
        one, number = f"{stem}_{number}", number + 1
    return one
