"""What `dvtool hook` does for git's hooks and for the pre-commit program, and what they print.

Nothing here imports click, which takes longer than a hook that has nothing to say. Called by
`dvtool.cli.entry` for command lines as git writes them, else by the command `hook`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from dvtool.cli.entry import EXIT_INTERRUPTED, is_interrupt
from dvtool.cli.failures import printable
from dvtool.cli.opening import check_folder, open_workspace
from dvtool.cli.output import count
from dvtool.errors import DvtoolError, NoRepository, UsageError

if TYPE_CHECKING:
    from dvtool.ops.check import Wanted
    from dvtool.ops.hooks.after import AfterReport
    from dvtool.ops.hooks.problems import HookReport
    from dvtool.ops.workspace import Workspace

EXIT_NO = 1
COMMIT_ROUND = "git commit --no-verify goes round the gate of this machine, not round the one in CI"
PUSH_ROUND = "DVTOOL_SKIP_PUSH=1 git push goes round the gate of this machine, not the one in CI"


def run_hook(name: str, arguments: tuple[str, ...]) -> int:
    """Runs a hook and returns its exit code.

    Raises:
        UsageError: There is none of that name.
        NoRepository: The current folder is gone.
    """
    check_folder()
    action = _ACTIONS.get(name)
    if action is None:
        raise UsageError(f"no hook called {name}", hint=f"there are: {', '.join(_ACTIONS)}")
    return action(arguments)


def _commit(large_files: bool) -> Callable[[tuple[str, ...]], int]:
    def run(_: tuple[str, ...]) -> int:
        from dvtool.ops.hooks.commit import before_commit

        workspace = open_workspace(quiet=False)
        return _say(before_commit(workspace, _wanted(), large_files=large_files), COMMIT_ROUND)

    return run


def _large_files(_: tuple[str, ...]) -> int:
    from dvtool.ops.hooks.commit import only_large_files

    return _say(only_large_files(open_workspace(must_be_ready=False)), COMMIT_ROUND)


def _judge_staged(arguments: tuple[str, ...]) -> int:
    from dvtool.ops.hooks.judge_staged import answers

    try:
        for answer in answers(open_workspace(), arguments, _wanted()):
            print(json.dumps(answer), flush=True)
    except (KeyboardInterrupt, RuntimeError) as error:
        if not is_interrupt(error):
            raise
        return EXIT_INTERRUPTED  # the time is over; whoever started this says so
    return 0


def _pre_push(arguments: tuple[str, ...]) -> int:
    from dvtool.git.pushing import pushed_refs

    workspace = open_workspace(quiet=False, must_be_ready=False)
    refs = pushed_refs(workspace.git, os.fsdecode(sys.stdin.buffer.read()).split("\n"))
    return _push(workspace, refs, arguments[0] if arguments else "")


def _push_all(_: tuple[str, ...]) -> int:
    from dvtool.ops.hooks.push import all_refs

    if os.environ.get("DVTOOL_SKIP_PUSH") == "1":
        return 0
    workspace = open_workspace(quiet=False)
    return _push(workspace, all_refs(workspace), os.environ.get("PRE_COMMIT_REMOTE_NAME", ""))


def _push(workspace: Workspace, refs: list, git_remote: str) -> int:  # type: ignore[type-arg]
    from dvtool.ops.hooks.push import before_push, outside

    try:
        if not workspace.is_ready:
            return _say(outside(workspace, refs), PUSH_ROUND)
        return _say(before_push(workspace, refs, git_remote, _wanted()), PUSH_ROUND)
    except DvtoolError as error:
        error.hint = f"{error.hint}\nhint: {PUSH_ROUND}" if error.hint else PUSH_ROUND
        raise


def _post_checkout(arguments: tuple[str, ...]) -> int:
    from dvtool.ops.hooks.after import after_checkout

    if len(arguments) != 3:
        raise UsageError("post-checkout takes three arguments", hint="git calls this")
    before, after, kind = arguments
    return 0 if kind == "0" else _after(lambda workspace: after_checkout(workspace, before, after))


def _post_merge(_: tuple[str, ...]) -> int:
    from dvtool.ops.hooks.after import after_merge

    return _after(after_merge)


def _pre_commit_checkout(_: tuple[str, ...]) -> int:
    """The pre-commit program says in variables what git says in arguments."""
    given = os.environ.get
    if given("_PRE_COMMIT_SKIP_POST_CHECKOUT"):
        return 0
    if (kind := given("PRE_COMMIT_CHECKOUT_TYPE")) is None:
        return _post_merge(())
    return _post_checkout((given("PRE_COMMIT_FROM_REF", ""), given("PRE_COMMIT_TO_REF", ""), kind))


def _after(action: Callable[[Workspace], AfterReport]) -> int:
    """Brings data in line; the checkout or merge has happened, so nothing here makes it fail."""
    try:
        workspace = open_workspace(quiet=False)
    except NoRepository:
        return 0
    report = action(workspace)
    written = sum(one.written for one in report.done)
    removed = sum(one.removed for one in report.done)
    done = [f"{count(written, 'file')} of data written"] * bool(written)
    done += [f"{count(removed, 'file')} of data removed"] * bool(removed)
    if done:
        _line(f"dvtool: {', '.join(done)}")
    for dataset, why in report.left:
        _line(f"dvtool: {dataset} was left as it is: {why}")
    if report.hint:
        _line(f"hint: {report.hint}")
    return 0


def _wanted() -> Wanted:
    from dvtool.ops.check import Wanted

    return Wanted(now=dt.datetime.now(dt.UTC))


def _say(report: HookReport, way_round: str) -> int:
    """Prints what a hook found, all of it to stderr, where git shows it; returns the exit code."""
    for note in report.notes:
        _line(f"dvtool: {note}")
    if report.judgements and report.problems:
        from dvtool.report.terminal import lines

        for line in lines(report.judgements):
            _line(line)
    for problem in report.problems:
        _line(f"error: {problem.what}")
        if problem.hint:
            _line(f"hint: {problem.hint}")
    if report.problems:
        _line(f"hint: {way_round}")
    return EXIT_NO if report.problems else 0


def _line(text: str) -> None:
    print(printable(text), file=sys.stderr)


_ACTIONS: dict[str, Callable[[tuple[str, ...]], int]] = {
    "pre-commit": _commit(large_files=True),
    "pre-merge-commit": _commit(large_files=True),
    "pre-push": _pre_push,
    "post-checkout": _post_checkout,
    "post-merge": _post_merge,
    "check": _commit(large_files=False),
    "large-files": _large_files,
    "push": _push_all,
    "checkout": _pre_commit_checkout,
    "judge-staged": _judge_staged,
}
