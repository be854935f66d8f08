"""Runs one command and measures it; a program of its own, started by `measure`.

Why not in the harness: the kernel hands a process's peak memory down over fork and exec, so a
command started by a large parent looks large. This one runs under `python -I -S` and is about as
small as a Python process can be, which makes some 9 MiB the smallest peak that can be told.

    python -I -S launch.py RESULT_FILE SAMPLE_MS COMMAND...

Writes one line of integers to RESULT_FILE: exit code (negative: signal), wall ns, CPU ns, peak
bytes of the largest process, sampled peak bytes of all processes together (0: too short to see).
"""

import os
import signal
import sys
import time

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree_bytes(pid: int) -> int:
    """Returns the resident memory of a process and its descendants; pages they share count twice."""
    total = 0
    pending = [pid]
    while pending:
        pid = pending.pop()
        try:
            with open(f"/proc/{pid}/statm") as file:
                total += int(file.read().split()[1]) * PAGE_BYTES
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    pending += map(int, file.read().split())
        except OSError:  # it has ended meanwhile, or this system has no /proc
            continue
    return total


def main() -> None:
    """Runs the command given on the command line."""
    result_file, sample_ms, *command = sys.argv[1:]
    tree_peak = 0
    pid = 0

    def sample(signum: int, frame: object) -> None:
        nonlocal tree_peak
        if pid:
            tree_peak = max(tree_peak, tree_bytes(pid))

    signal.signal(signal.SIGALRM, sample)
    started_ns = time.monotonic_ns()
    pid = os.posix_spawnp(command[0], command, os.environ)
    # A timer, not a thread: it does not wake the machine between samples, and is not inherited.
    signal.setitimer(signal.ITIMER_REAL, int(sample_ms) / 1000, int(sample_ms) / 1000)
    # wait4 tells of the command and of every descendant that was waited for: CPU time summed,
    # peak memory of the largest. A daemon that outlives its parents is not in it.
    _, status, usage = os.wait4(pid, 0)
    wall_ns = time.monotonic_ns() - started_ns
    signal.setitimer(signal.ITIMER_REAL, 0)
    cpu_ns = int((usage.ru_utime + usage.ru_stime) * 1e9)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    code = os.waitstatus_to_exitcode(status)
    with open(result_file, "w") as file:
        file.write(f"{code} {wall_ns} {cpu_ns} {peak} {tree_peak}\n")


if __name__ == "__main__":
    main()
