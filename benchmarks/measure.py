"""Runs commands, measured or not: `Runner`, and what one measurement is, `Usage`.

Knows nothing of tools or cases. The measuring itself happens in the small program `launch`,
which says why. Every command gets the runner's environment and nothing of the caller's, and runs
in a process group of its own, so that an interrupted benchmark ends what it started and only that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Command = tuple[str, ...]
SAMPLE_MS = 50
LAUNCHER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")))


@dataclass(frozen=True, slots=True)
class Usage:
    """What one command, or several run one after the other, cost.

    Args:
        wall_s: Seconds from start to end.
        cpu_s: User and system seconds, of the command and of all its descendants.
        peak_bytes: Largest resident memory of any single process, as the kernel kept it.
        tree_bytes: Largest resident memory of the command and its descendants together, as seen
            by sampling; memory they share counts once for each. 0 when it ended too soon.
    """

    wall_s: float
    cpu_s: float
    peak_bytes: int
    tree_bytes: int

    def __add__(self, other: Usage) -> Usage:
        """Returns the usage of both, one after the other."""
        return Usage(
            self.wall_s + other.wall_s,
            self.cpu_s + other.cpu_s,
            max(self.peak_bytes, other.peak_bytes),
            max(self.tree_bytes, other.tree_bytes),
        )


class CommandFailed(Exception):
    """A command of a benchmark ended with another exit code than 0, or not in time."""

    def __init__(self, command: Command, reason: str, output: str) -> None:
        super().__init__(f"`{' '.join(command)}`: {reason}\n{output}".rstrip())


class Runner:
    """Runs commands in one fixed environment.

    Args:
        env: The whole environment of the commands.
        scratch: Where output and results of the running command go.
        timeout_s: Longest wall time of one command.
    """

    def __init__(self, env: Mapping[str, str], scratch: Path, *, timeout_s: float) -> None:
        self._env = dict(env)
        self._output = scratch / "output.txt"
        self._result = scratch / "usage.txt"
        self._timeout_s = timeout_s

    def measure(self, commands: Iterable[Command], cwd: Path) -> Usage:
        """Runs commands one after the other and returns their usage together.

        Dirty pages are written out first, so that no command pays for the one before it.

        Raises:
            CommandFailed: One of them failed; those after it did not run.
        """
        total = Usage(0.0, 0.0, 0, 0)
        os.sync()
        for command in commands:
            self._result.unlink(missing_ok=True)
            self._run((*LAUNCHER, str(self._result), str(SAMPLE_MS), *command), command, cwd)
            code, wall_ns, cpu_ns, peak, tree = map(int, self._result.read_text().split())
            if code != 0:
                raise CommandFailed(command, f"exit code {code}", self._tail())
            total += Usage(wall_ns / 1e9, cpu_ns / 1e9, peak, tree)
        return total

    def run(self, commands: Iterable[Command], cwd: Path) -> None:
        """Runs commands one after the other, unmeasured: preparation.

        Raises:
            CommandFailed: One of them failed; those after it did not run.
        """
        for command in commands:
            self._run(command, command, cwd)

    def text(self, command: Command, cwd: Path) -> str:
        """Returns what a command prints on stdout and stderr."""
        self._run(command, command, cwd)
        return self.output()

    def output(self) -> str:
        """Returns what the last command printed on stdout and stderr."""
        return self._output.read_text(errors="replace")

    def _run(self, argv: Command, shown: Command, cwd: Path) -> None:
        with open(self._output, "wb") as output:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(self._timeout_s)
            except BaseException as error:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise CommandFailed(
                        shown, f"not done after {self._timeout_s:.0f} s", self._tail()
                    ) from error
                raise
        if code != 0:
            raise CommandFailed(shown, f"exit code {code}", self._tail())

    def _tail(self, lines: int = 12) -> str:
        return "\n".join(self._output.read_text(errors="replace").splitlines()[-lines:])
