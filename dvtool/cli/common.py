"""What all commands share: options, the way to a workspace, and how results are printed.

`Output` is the only thing that prints results: text for people, one JSON object with `--json`,
nothing with `-q`. Called by every module of `dvtool.cli.commands`.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dvtool.cli.failures import printable
from dvtool.core.digest import format_digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.quote import display

if TYPE_CHECKING:
    from dvtool.ops.workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])
PATH = click.Path(path_type=str)


class Size(click.ParamType[int]):
    """A number of bytes as people write it: `500k`, `2M`, `1G`, powers of 1024."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).strip().lower().removesuffix("ib").removesuffix("b")
        unit = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}.get(text[-1:], 1)
        number = text[:-1] if unit > 1 else text
        if not number.isascii() or not number.isdigit():
            self.fail(f"{value!r} is no size: write 500k, 2M or a number of bytes", param, ctx)
        return int(number) * unit


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would happen, do nothing.")
jobs_option = click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), help="How many transfers at once."
)
remote_option = click.option("-r", "--remote", "remote", metavar="NAME", help="Which remote.")
limit_rate_option = click.option(
    "--limit-rate", type=Size(), metavar="SIZE", help="At most so many bytes a second, as 2M."
)
force_option = click.option("--force", is_flag=True, help="Overwrite unsaved work.")


def reporting(function: F) -> F:
    """Adds `--json` and `-q`, which every command that reports something has."""
    return json_option(quiet_option(function))


def example(*lines: str) -> str:
    """Returns the epilog of a help page: examples, kept as they are."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def open_workspace(
    *,
    quiet: bool = True,
    must_be_ready: bool = True,
    limit_rate: int | None = None,
    past_ok: bool = False,
) -> Workspace:
    """Returns the workspace around the current directory; arguments as of `Workspace.open`."""
    from dvtool.ops.workspace import Workspace

    return Workspace.open(
        Path.cwd(),
        environ=dict(os.environ),
        progress=watcher(quiet=quiet),
        must_be_ready=must_be_ready,
        limit_rate=limit_rate,
        past_ok=past_ok,
    )


def watcher(*, quiet: bool) -> Progress:
    """Returns what shows progress: bars on a terminal, only notes elsewhere, nothing when quiet."""
    if quiet:
        return SILENT
    from dvtool.cli.progress import Bars

    return Bars()


def in_repository(workspace: Workspace, typed: Iterable[str]) -> list[str]:
    """Returns typed paths relative to the top of the work tree."""
    from dvtool.ops.selection import repo_path

    return [repo_path(workspace.top, Path.cwd(), path) for path in typed]


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
