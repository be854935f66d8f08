"""Files whose names differ in numbers only: a file a day, the parts of one export.

A guess by names, for a draft that a person reads; whether they have the same columns, whoever opens
them sees. Called by `suggest`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from dvtool.quality.checks.parsing import matches_path

FEWEST: Final = 3
"""Files that are worth one entry: two with numbers may well be two tables."""
_NUMBERS: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+")
_RUN: Final = re.compile(r"\*(?:[-_.:T]?\*)+")


def alike_names(paths: Iterable[str], every: Iterable[str]) -> dict[str, list[str]]:
    """Returns groups of files by the glob that matches them and no other file.

    Args:
        paths: Files that may belong together, relative to their data set.
        every: All files of the data set.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if "*" not in path and "?" not in path:
            groups[_RUN.sub("*", _NUMBERS.sub("*", path))].append(path)
    others = list(every)
    return {
        glob: sorted(found)
        for glob, found in groups.items()
        if len(found) >= FEWEST and sum(matches_path(glob, path) for path in others) == len(found)
    }
