"""Specs to the text of a checks file, with comments.

What is written reads back equal (`parse_checks(dump(x)) == x`); comments are a line above what they
explain. `suggest` is the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from dvtool.quality.checks.model import ChecksFile, TableSpec
from dvtool.quality.checks.parsing import TABLES
from dvtool.quality.checks.records import write_record
from dvtool.quality.checks.text import core_value
from dvtool.quality.checks.vocabulary import TABLE

Comments = Mapping[tuple[str, ...], str]
"""What to say above a key, by its path: `("columns", "age")`; with `tables`, the table's first."""

_PLAIN = re.compile(r"-?[A-Za-z0-9_][A-Za-z0-9_.%/+-]*( [A-Za-z0-9_][A-Za-z0-9_.%/+-]*)*")
_OTHER_YAML = re.compile(r"(?i:y|n|yes|no|on|off)|[-+]?[0-9_]+")
"""Texts that YAML 1.1 reads as something else; quoted, though we read 1.2."""


def dump(checks: ChecksFile, *, comments: Comments | None = None, heading: str = "") -> str:
    """Returns the text of a checks file.

    Args:
        checks: What to write.
        comments: One line each, for keys of the top level, of `columns` and of `tables`, and for
            items of lists such as `rules`, by their number from 0.
        heading: Lines at the top, without `#`.
    """
    remarks = comments or {}
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    if checks.is_single:
        lines += _table_lines(checks.tables[0], remarks, (), "")
    else:
        lines.append(f"{TABLES}:")
        for table in checks.tables:
            lines += _remark(remarks, (table.path,), "  ")
            lines.append(f"  {_scalar(table.path)}:")
            lines += _table_lines(table, remarks, (table.path,), "    ")
    return "\n".join(lines) + "\n"


def _table_lines(
    spec: TableSpec, remarks: Comments, above: tuple[str, ...], indent: str
) -> list[str]:
    lines: list[str] = []
    for key, value in write_record(TABLE, spec).items():
        lines += _remark(remarks, (*above, key), indent)
        if key == "columns":
            lines.append(f"{indent}columns:")
            for name, inner in value.items():
                lines += _remark(remarks, (*above, key, name), indent + "  ")
                lines.append(f"{indent}  {_scalar(name)}: {_flow(inner)}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{indent}{key}:")
            for number, one in enumerate(value):
                lines += _remark(remarks, (*above, key, str(number)), indent + "  ")
                lines.append(f"{indent}  - {_flow(one)}")
        else:
            lines.append(f"{indent}{key}: {_flow(value)}")
    return lines


def _remark(remarks: Comments, path: tuple[str, ...], indent: str) -> list[str]:
    said = remarks.get(path, "")
    return [f"{indent}# {' '.join(said.split())}"] if said.strip() else []


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if (
        _PLAIN.fullmatch(text)
        and isinstance(core_value(text), str)
        and not _OTHER_YAML.fullmatch(text)
    ):
        return text
    if text.isprintable() and "\\" not in text and text.isascii():
        return "'" + text.replace("'", "''") + "'"
    # JSON's strings are YAML's double-quoted ones, but for surrogate pairs, which YAML refuses.
    return re.sub(r"[^\x20-\x7e]", _escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0].isprintable():
        return found[0]
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
