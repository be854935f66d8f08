"""Runs dvtool until its n-th step, where a signal meets it: `doomed.py SIGNAL STEP WORD...`

A step is a call by which the process reaches the file system or another process, as Python's
audit hooks (PEP 578) see it. Unlike a moment on the clock it comes on a fast machine as on a slow
one. Step 0 never comes: the process ends as it would, and prints its number of steps last.
"""

from __future__ import annotations

import os
import signal
import sys

CALLS = (
    "open",
    "os.chmod",
    "os.link",
    "os.listdir",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.scandir",
    "os.truncate",
    "os.utime",
    "fcntl.flock",
    "subprocess.Popen",
)
CODE = (".py", ".pyc", ".so")


class Fate:
    """Counts steps and sends the signal at the chosen one."""

    def __init__(self, signal_number: int, step: int) -> None:
        self.steps = 0
        self._signal = signal_number
        self._step = step

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in CALLS or (event == "open" and str(arguments[0]).endswith(CODE)):
            return
        self.steps += 1
        if self.steps == self._step:
            os.kill(os.getpid(), self._signal)


def main() -> int:
    from dvtool.cli.entry import run

    # A run in the background may have been told to ignore Ctrl-C; whom it meets here listens.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal_number, step, *words = sys.argv[1:]
    fate = Fate(int(signal_number), int(step))
    sys.addaudithook(fate)
    code = run(words)
    if not fate._step:
        print(fate.steps, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
