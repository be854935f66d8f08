"""Options and words that commands have in common, so that each means the same everywhere.

Called by every module of `dvtool.cli.commands`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class NamedPath(click.Path):
    """A path that names something; the empty text would mean the folder that one stands in."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Returns the path as it was typed."""
        if not os.fspath(value):
            self.fail("an empty path names nothing; . is the folder you are in", param, ctx)
        return super().convert(value, param, ctx)


PATH = NamedPath(path_type=str)


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
