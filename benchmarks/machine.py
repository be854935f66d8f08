"""What the run ran on: processor, memory, kernel, file system, versions. For the report's head."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from measure import CommandFailed, Runner
from tools import VERSION_COMMANDS


def describe(scratch: Path) -> dict[str, str]:
    """Returns what a reader must know to judge the numbers, by name; never paths or host names."""
    return {
        "CPU": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": _file_system(scratch),
        "Python": platform.python_version(),
        "load average at start": f"{os.getloadavg()[0]:.2f}",
    }


def versions(runner: Runner, programs: Mapping[str, Path], cwd: Path) -> dict[str, str]:
    """Returns the first line each program says about its version; programs absent are absent."""
    found = {}
    for name in programs:
        try:
            found[name] = runner.text(VERSION_COMMANDS[name], cwd).strip().splitlines()[0]
        except (CommandFailed, IndexError) as error:
            found[name] = f"unknown ({type(error).__name__})"
    return found


def free_memory_bytes() -> int:
    """Returns the memory that can be had without pressing others out."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(path: Path) -> str:
    """Returns the type of the file system that a path is on."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, found, *_ = line.split()
        if path.resolve().is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, found
    return kind
