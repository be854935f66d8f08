"""How results are printed: text for people, one JSON object with `--json`, nothing with `-q`.

`Output` is the only thing that prints results. Called by every module of `dvtool.cli.commands`.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from dvtool.cli.failures import printable
from dvtool.core.digest import format_digest
from dvtool.core.quote import display


class Output:
    """Prints results to stdout, in the form the person asked for."""

    def __init__(
        self, *, as_json: bool = False, quiet: bool = False, remembers: bool = False
    ) -> None:
        """Takes the two options; `--json` wins over `-q`.

        Args:
            as_json: Print the result as one object and nothing else.
            quiet: Print nothing.
            remembers: Whether `said` will be asked for.
        """
        self.as_json = as_json
        self.quiet = quiet
        self._said: list[str] | None = [] if remembers else None

    @property
    def said(self) -> str:
        """All that was printed, where it is remembered."""
        return "".join(self._said or ())

    def text(self, line: str = "") -> None:
        """Prints one line for a person."""
        if not self.as_json and not self.quiet:
            self._print(printable(line))
            self._print("\n")

    def data(self, value: object) -> None:
        """Prints the whole result as one JSON object, when asked for."""
        if self.as_json:
            import json

            for piece in json.JSONEncoder(indent=1, ensure_ascii=False).iterencode(plain(value)):
                self._print(piece)
            self._print("\n")

    def _print(self, piece: str) -> None:
        if self._said is not None:
            self._said.append(piece)
        sys.stdout.write(piece)


def plain(value: object) -> object:
    """Returns `value` as JSON can carry it: dataclasses as objects, digests and paths as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: _field(field.name, getattr(value, field.name)) for field in fields}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        # A stat key is packed numbers that mean nothing outside of this work tree.
        facts = {name: item for name, item in value._asdict().items() if name != "stat"}
        return {name: _field(name, item) for name, item in facts.items()}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return display(value) if value else ""
    if isinstance(value, Path):
        return printable(str(value))
    if isinstance(value, str):
        return printable(value)
    return value


def _field(name: str, value: object) -> object:
    if name == "digest" and isinstance(value, bytes):
        from dvtool.core.digest import Digest

        return format_digest(Digest(value))
    return plain(value)


def count(number: int, singular: str, plural: str = "") -> str:
    """Returns `1 file`, `2 files`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
