"""Text of a checks file to its specs, and the table of a path.

Everything is refused that is not in the vocabulary, with file, line and the nearest known word.
Reading files is the caller's business (`dvtool.ops.check`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from dvtool.errors import InvalidText
from dvtool.quality.checks.grammar import did_you_mean
from dvtool.quality.checks.model import ChecksFile, TableSpec
from dvtool.quality.checks.records import read_record
from dvtool.quality.checks.text import Node, parse_tree
from dvtool.quality.checks.vocabulary import TABLE

TABLES = "tables"


def parse_checks(text: str, *, source: str = "") -> ChecksFile:
    """Returns what the text of a checks file says.

    Args:
        text: YAML; line ends of any kind.
        source: The file, as the user knows it; stands in errors.

    Raises:
        InvalidText: Not YAML, an unknown key, a value that breaks its grammar, or no check at
            all. Exit code 4, with file and line.
    """
    try:
        return replace(_parse(parse_tree(text)), source=source)
    except InvalidText as error:
        raise error.located(source) from None


def _parse(root: Node) -> ChecksFile:
    if root.kind != "mapping":
        raise root.refuse("expected keys such as columns: and rows:")
    keys = {key.written: (key, value) for key, value in root.pairs}
    if TABLES not in keys:
        _check_top(root)
        return ChecksFile((_table(root, ""),), line=root.line)
    for name, (key, _) in keys.items():
        if name != TABLES:
            hint = f"write {name} under the table it is about"
            raise key.refuse(f"{name} stands beside tables", hint=hint)
    key, entries = keys[TABLES]
    if not entries.pairs:
        raise key.refuse("tables: expected paths or globs, each with its checks")
    tables = tuple(_table(value, _pattern(name)) for name, value in entries.pairs)
    return ChecksFile(tables, line=root.line, lines={TABLES: key.line})


def _check_top(root: Node) -> None:
    for key, _ in root.pairs:
        known = [*(word.key for word in TABLE.words), TABLES]
        if key.written not in known:
            hint = did_you_mean(key.written, known)
            raise key.refuse(f"unknown key {key.written[:60]}", hint=hint)


def _table(node: Node, path: str) -> TableSpec:
    spec: TableSpec = read_record(TABLE, node, path=path)
    if not any(word.checks and word.key in spec.lines for word in TABLE.words):
        where = f" for {path}" if path else ""
        raise node.refuse(f"no check at all{where}", hint="dvtool suggest PATH writes a first one")
    if spec.union and not is_glob(path):
        key = next(key for key, _ in node.pairs if key.written == "union")
        what = f"{path} is one file" if path else "these are the checks of one file"
        hint = "union: true stands under tables:, below a glob such as 'days/*.csv'"
        raise key.refuse(f"{what}, so nothing is united", hint=hint)
    return spec


def _pattern(key: Node) -> str:
    path = key.written
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or "" in parts or "\\" in path:
        raise key.refuse(f"{path[:60]} is no path or glob inside the data set")
    return path


def table_for(checks: ChecksFile, path: str) -> TableSpec | None:
    """Returns the checks of a file, None when the checks file has none for it.

    Args:
        checks: Of a single file, which match every path, or of a directory.
        path: Relative to the directory, with `/`.

    Raises:
        InvalidText: Two globs match equally well, so that which one is meant is not known.
    """
    if checks.is_single:
        return checks.tables[0]
    for one in checks.tables:
        if one.union and one.path == path:
            return one  # the table of several files, which is called as its glob
    matching = [one for one in checks.tables if matches_path(one.path, path)]
    if not matching:
        return None
    matching.sort(key=lambda one: _rank(one.path), reverse=True)
    best = matching[0]
    if len(matching) > 1 and _rank(matching[1].path) == _rank(best.path):
        second = matching[1]
        raise InvalidText(
            f"{path} is matched by {best.path} and by {second.path} equally well",
            source=checks.source,
            line=max(best.line, second.line),
            hint=f"an entry {path} of its own decides",
        )
    return best


def is_glob(pattern: str) -> bool:
    """Tells whether a path of `tables:` can match several files."""
    return "*" in pattern or "?" in pattern


def unions_in(checks: ChecksFile, paths: Iterable[str]) -> dict[str, list[str]]:
    """Returns the files of each table of several, by the glob that such a table is called by.

    Args:
        checks: Of a directory.
        paths: All files of it.

    Raises:
        InvalidText: As `table_for`.
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        spec = table_for(checks, path)
        if spec is not None and spec.union:
            found.setdefault(spec.path, []).append(path)
    return {glob: sorted(members) for glob, members in found.items()}


def matches_path(pattern: str, path: str) -> bool:
    """Tells whether a glob matches: `*` and `?` within a name, `**` across directories."""
    return _compiled(pattern).fullmatch(path) is not None


def _rank(pattern: str) -> tuple[bool, int, int]:
    """More specific is larger: no wildcard at all, more plain characters, fewer `**`."""
    wild = sum(pattern.count(sign) for sign in "*?")
    return wild == 0, len(pattern) - wild, -pattern.count("**")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_translate(pattern))


def _translate(pattern: str) -> str:
    translated = ""
    for piece in re.split(r"(\*\*/|\*\*|\*|\?)", pattern):
        wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        translated += wild.get(piece, re.escape(piece))
    return translated
