"""Judging within a budget of time: verdicts that are known at once, others while time lasts.

What must be judged is judged in a process of its own, so that an engine in the middle of a large
table can be stopped; what it finished is kept. Called by the pre-commit hook.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dvtool.errors import DvtoolError, ObjectMissing, Undecided
from dvtool.ops.check import Wanted, staged_verdict
from dvtool.ops.hooks.problems import Problem, problem_of
from dvtool.ops.staged import Staged
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Judgement, from_json

JUDGE_STAGED = "judge-staged"
"""The internal hook that judges data sets one by one and prints a line of JSON for each."""
_END_S = 2.0


@dataclass(slots=True)
class Within:
    """What could be judged in time.

    Attributes:
        judgements: In the order asked for, as far as they go.
        deferred: Data sets for which the time was too short.
        problems: Checks that cannot be read, and their like.
        notes: Data sets that cannot be judged here.
    """

    judgements: list[Judgement] = field(default_factory=list)
    deferred: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge_within(
    workspace: Workspace,
    staged: Staged,
    datasets: Sequence[str],
    wanted: Wanted,
    *,
    budget_s: float,
) -> Within:
    """Judges data sets as they are staged, smallest first, for at most `budget_s` seconds."""
    found = Within()
    unknown = []
    for name in datasets:
        try:
            known = staged_verdict(workspace, staged, name, wanted)
        except ObjectMissing as error:
            found.notes.append(_not_here(name, error))
        except DvtoolError as error:
            found.problems.append(problem_of(error))
        else:
            if known is None:
                unknown.append(name)
            else:
                found.judgements.append(known)
    if unknown and budget_s:
        answers = dict(_answers(workspace, unknown, budget_s))
        for name in unknown:
            _take(found, name, answers.get(name))
    else:
        found.deferred += unknown
    return found


def _take(found: Within, name: str, answer: dict[str, object] | None) -> None:
    if answer is None:
        found.deferred.append(name)
    elif "judgement" in answer:
        judgement = answer["judgement"]
        assert isinstance(judgement, dict)
        judged = from_json(judgement, source=name)
        found.judgements.append(replace(judged, remembered=False))
    elif answer.get("error") == ObjectMissing.slug:
        found.notes.append(f"{name} was not judged: {answer['message']} ({answer['hint']})")
    else:
        found.problems.append(Problem(str(answer["message"]), str(answer["hint"])))


def _not_here(name: str, error: DvtoolError) -> str:
    return f"{name} was not judged: {error} ({error.hint})"


def _answers(
    workspace: Workspace, datasets: Sequence[str], budget_s: float
) -> Iterator[tuple[str, dict[str, object]]]:
    """Yields the other process's answers until it ends or the time is over."""
    import tempfile  # not for verdicts that are known

    deadline = time.monotonic() + budget_s
    command = [sys.executable, "-P", "-m", "dvtool", "hook", JUDGE_STAGED, "--", *datasets]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command,
            cwd=workspace.top,
            env=dict(workspace.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as judge,
    ):
        assert judge.stdout is not None
        rest = b""
        try:
            while (left_s := deadline - time.monotonic()) > 0:
                if not select.select([judge.stdout], [], [], left_s)[0]:
                    break
                block = os.read(judge.stdout.fileno(), 1 << 16)
                if not block:
                    _check_ended_well(judge)
                    break
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    answer = json.loads(line)
                    yield answer["dataset"], answer
        finally:
            if not _end(judge):  # the last words of one that was stopped are no news
                said.seek(0)
                sys.stderr.write(os.fsdecode(said.read()))


def _check_ended_well(judge: subprocess.Popen[bytes]) -> None:
    code = judge.wait(_END_S)
    if code:
        raise Undecided(f"judging what is staged ended with {code}", hint="dvtool check --staged")


def _end(judge: subprocess.Popen[bytes]) -> bool:
    """Ends the process if it still runs, and returns whether it did.

    As a person would with Ctrl-C, so that it takes its scratch files away.
    """
    if judge.poll() is not None:
        return False
    judge.send_signal(signal.SIGINT)
    try:
        judge.wait(_END_S)
    except subprocess.TimeoutExpired:
        judge.kill()
    return True
