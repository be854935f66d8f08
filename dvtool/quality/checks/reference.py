"""The vocabulary for readers and editors: `docs/checks.md` and `docs/checks.schema.json`.

Both are made from the one table in `vocabulary` and compared with the committed files by a test.
`python -m dvtool.quality.checks.reference DOCS` writes them; nothing else calls this.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from dvtool.quality.checks.editing import any_of
from dvtool.quality.checks.records import Scope, Word, schema_of
from dvtool.quality.checks.vocabulary import SCOPES, TABLE

START: Final = "<!-- made from dvtool.quality.checks.vocabulary; do not edit below -->"
MARKDOWN: Final = "checks.md"
SCHEMA: Final = "checks.schema.json"

INSIDE: Final = r"^(?!\.\.(?:/|$))(?:[^/\\\\]+(?:/(?!\.\.(?:/|$))[^/\\\\]+)*)$"
"""Of a path or glob under `tables:`, as `parsing` takes them."""

_TITLES = {
    "table": ("A table", "The keys at the top of a checks file, or below a path of `tables`."),
    "column": ("A column", "The keys of an entry of `columns`."),
    "drift": ("Drift", "The keys of `drift`; a method that is not named is not judged here."),
    "time": ("Time", "The keys of `time`."),
    "rows": ("Rows", "The keys of `rows`."),
    "rule": ("Rules", "The keys of an entry of `rules`."),
    "splits": ("Splits", "The keys of `splits`; paths are relative to the checks file."),
    "history": ("History", "The keys of `history`; [what it does](quality-methods.md#history)."),
    "ignore": ("Ignored findings", "The keys of an entry of `ignore`."),
}


def json_schema() -> str:
    """Returns the JSON Schema of checks files, for editors; ends in a line break."""
    asks = any_of(*([word.key] for word in TABLE.words if word.checks))
    table = schema_of(TABLE) | asks
    alone = {"$ref": "#/$defs/table", "properties": {"union": {"const": False}}}
    tables = {
        "type": "object",
        "patternProperties": {"^[^*?]*$": alone},
        "additionalProperties": {"$ref": "#/$defs/table"},
        "propertyNames": {"pattern": INSIDE},
    }
    whole: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dvtool checks",
        "description": "Expectations of a table, <path>.checks.yaml",
        "$defs": {"table": table},
        "anyOf": [
            alone,
            {
                "type": "object",
                "properties": {"tables": {**tables, "minProperties": 1}},
                "required": ["tables"],
                "additionalProperties": False,
            },
        ],
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def tables_of_keys() -> str:
    """Returns the generated part of the reference: one table of keys a scope."""
    return "\n".join(_section(scope) for scope in SCOPES)


def with_tables(page: str) -> str:
    """Returns a page with its generated part made anew."""
    return page.partition(START)[0] + START + "\n\n" + tables_of_keys()


def _section(scope: Scope) -> str:
    title, says = _TITLES[scope.name]
    lines = [f"## {title}", "", says, "", "| key | value | meaning | example | finding |"]
    lines.append("|---|---|---|---|---|")
    lines += [_row(word) for word in scope.words]
    return "\n".join(lines) + "\n"


def _row(word: Word) -> str:
    required = " (required)" if word.required else ""
    cells = (
        f"`{word.key}`{required}",
        word.grammar.says,
        word.says,
        f"`{word.example}`",
        f"`{word.code}`" if word.code else "",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write(docs: Path) -> None:
    """Writes both files; the hand-written part of the page stays."""
    page = docs / MARKDOWN
    page.write_text(with_tables(page.read_text("utf-8")), "utf-8")
    (docs / SCHEMA).write_text(json_schema(), "utf-8")


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]))
