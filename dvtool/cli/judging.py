"""What `check` and `ci` share: options of judging in one order and one wording, and their exits.

What each of them judges is its own. Also called by `allow`, `drift` and the hooks, which judge with
the defaults.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dvtool.cli.options import remote_option
from dvtool.core.sizes import ENGINE_MIB

if TYPE_CHECKING:
    from dvtool.ops.check import Wanted
    from dvtool.quality.findings import Verdict

F = TypeVar("F", bound=Callable[..., Any])
EXIT_NO = 1
EXIT_UNDECIDED = 11
EXAMPLES = 5
_MIB = 1 << 20


def judging_options(function: F) -> F:
    """Adds `--python`, `--examples`, `--memory-mib`, `--record`, `--remote` and `-v`."""
    options = (
        click.option(
            "--python/--no-python",
            default=None,
            help="Run schemas written in Python. Default: yes; ci: not where credentials are in reach.",
        ),
        click.option(
            "--examples",
            type=click.IntRange(0, 1000),
            default=EXAMPLES,
            show_default=True,
            help="Rows to show.",
        ),
        click.option(
            "--memory-mib",
            type=click.IntRange(64),
            help=f"For the engine. Default: {ENGINE_MIB}, 1 a column of wider tables, and a third of "
            "what is free for a large CSV.",
        ),
        click.option("--record", is_flag=True, help="Send records of the verdicts to a remote."),
        remote_option,
        click.option("-v", "--verbose", is_flag=True, help="Show notes and every finding."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def wanted_option(
    *,
    baseline: str = "",
    python: bool = True,
    examples: int = EXAMPLES,
    memory_mib: int | None = None,
) -> Wanted:
    """Returns how to judge, as the options say, now."""
    from dvtool.ops.check import Wanted

    return Wanted(
        baseline=baseline,
        python=python,
        examples=examples,
        now=dt.datetime.now(dt.UTC),
        memory_bytes=None if memory_mib is None else memory_mib * _MIB,
    )


def exit_code(verdicts: Collection[Verdict]) -> int:
    """Returns how a command ends that such verdicts stop: 1, 11 where only undecided ones do, or 0."""
    from dvtool.quality.findings import Verdict

    if set(verdicts) - {Verdict.UNDECIDED}:
        return EXIT_NO
    return EXIT_UNDECIDED if verdicts else 0
