"""The console script: the shortest way to `--version`, and the one place that ends the process.

Every error of the tree becomes a line on stderr, a hint and an exit code here; anything else is a
bug and says so. Called by the `dvtool` script and `python -m dvtool`; commands live in
`dvtool.cli.commands`, each loaded only when it runs.
"""

from __future__ import annotations

import gc
import os
import sys

from dvtool import __version__

TYPE_CHECKING = False  # as in `typing`, which `--version` does without
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dvtool.ops.answers import Question

EXIT_BUG = 3
EXIT_INTERRUPTED = 130
EXIT_CLOSED_PIPE = 141


def main(argv: Sequence[str] | None = None) -> None:
    """Runs dvtool with the process's arguments and exits with a documented code."""
    # Start-up makes thousands of objects that stay. Looking among them for garbage every 700 objects
    # takes a fifth of a short command's time.
    gc.set_threshold(50_000, 20, 20)
    args = list(sys.argv[1:] if argv is None else argv)
    if args == ["--version"]:
        # click alone would double the start-up of the command that scripts call most.
        print(f"dvtool {__version__}")
        sys.exit(0)
    sys.exit(run(args))


def run(args: list[str]) -> int:
    """Returns the exit code of one command line; prints errors, never a traceback for a user's mistake."""
    try:
        code = _answer(args)
        # Here, not at the interpreter's end, where a reader that went away could only be ignored.
        sys.stdout.flush()
    except BrokenPipeError:
        # Give the interpreter a place to flush its last words to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_CLOSED_PIPE
    except KeyboardInterrupt:
        return _interrupted()
    return code


def _answer(args: list[str]) -> int:
    """Says again what still holds, before click and all that a command needs are imported."""
    from dvtool.ops import answers

    if args[:1] == ["hook"]:
        from dvtool.git.quick import is_settled

        if is_settled(args):
            return 0
    question = answers.asked(args, os.environ)
    known = answers.standing(question) if question is not None else None
    if known is None:
        is_kept = question is not None and answers.begin(question)
        return _run(args, question if is_kept else None)
    output, code = known
    sys.stdout.write(output)
    return code


def _run(args: list[str], question: Question | None) -> int:
    from dvtool.cli.failures import report_bug, report_error, report_usage
    from dvtool.errors import DvtoolError

    as_json = "--json" in args
    try:
        if _is_hook(args):
            from dvtool.cli.hooking import run_hook

            return run_hook(args[1], tuple(args[2:]))
        import click

        from dvtool.cli.app import app

        try:
            if "_DVTOOL_COMPLETE" in os.environ:
                app.main(args=args, prog_name="dvtool")  # a shell asks for completions
            # Not app.main: that takes a closed pipe for an ordinary failure and exits with 1.
            with app.make_context("dvtool", list(args), obj=question) as context:
                result = app.invoke(context)
        except click.exceptions.Exit as stop:
            return stop.exit_code
        except click.Abort:
            return _interrupted()
        except click.ClickException as error:
            return report_usage(error, as_json=as_json)
    except DvtoolError as error:
        return report_error(error, as_json=as_json)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  the one door behind which all bugs end
        if is_interrupt(error):
            return _interrupted()
        return report_bug(error, as_json=as_json)
    return result if isinstance(result, int) else 0


def _is_hook(args: list[str]) -> bool:
    """Tells whether git calls: each time with the same words, in which click would find nothing."""
    return len(args) > 1 and args[0] == "hook" and not any(one.startswith("-") for one in args)


def is_interrupt(error: BaseException) -> bool:
    """Tells whether somebody pressed Ctrl-C: DuckDB makes an error of its own of that."""
    return isinstance(error, KeyboardInterrupt) or str(error) in (
        "Query interrupted",
        "INTERRUPT Error: Interrupted!",
    )


def _interrupted() -> int:
    print("interrupted; running the same command again goes on where it stopped", file=sys.stderr)
    return EXIT_INTERRUPTED
