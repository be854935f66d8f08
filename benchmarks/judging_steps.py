"""What is measured, tool by tool: the table of the benchmark, and where each tool lives.

`judging.py` runs it; the tasks themselves are in `judging_tasks.py`. Everything that could make the
comparison unfair is here or there, so that it can be argued with.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ENV_DIR = Path(__file__).with_name(".env")
OWN = "dvtool"
"""Steps of this environment run in the Python that dvtool is installed in."""

PACKAGES = {
    "pandera": ("pandera[pandas]", "pyarrow"),
    "gx": ("great-expectations", "pyarrow"),
    # Both import names that pandas 3 no longer has, or refuse it.
    "evidently": ("evidently", "pyarrow", "pandas<3"),
    "ydata": ("ydata-profiling", "pyarrow", "setuptools<81"),
}
DISTRIBUTIONS = {
    OWN: ("dvtool", "duckdb", "pyarrow", "numpy", "datasketches"),
    "pandera": ("pandera", "pandas"),
    "gx": ("great_expectations", "pandas"),
    "evidently": ("evidently", "pandas"),
    "ydata": ("ydata-profiling", "pandas"),
}

QUIET = {
    "GX_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "YDATA_PROFILING_NO_ANALYTICS": "True",
    "PYTHONWARNINGS": "ignore",
    "MPLBACKEND": "agg",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One tool doing one thing.

    Attributes:
        name: As in the results: what is done.
        tool: Who does it.
        env: Whose Python runs it.
        task: The task of `judging_tasks.py`; empty for dvtool's own command line.
        two: Whether it takes a baseline as well.
        most_rows: Tables with more rows are left out, with the reason in `why`.
        why: Reason for `most_rows`.
    """

    name: str
    tool: str
    env: str
    task: str = ""
    two: bool = False
    most_rows: int = 1 << 62
    why: str = ""


STEPS = (
    Step("profile", "floor: SUMMARIZE", OWN, "floor-summarize"),
    Step("profile", "dvtool", OWN, "dvtool-profile"),
    Step("profile", "evidently", "evidently", "evidently-summary"),
    Step("profile", "ydata-profiling", "ydata", "ydata-profile"),
    Step("check", "floor: DuckDB query", OWN, "floor-questions"),
    Step("check", "dvtool", OWN),
    Step("check", "floor: read into pandas", "pandera", "floor-pandas"),
    Step("check", "pandera", "pandera", "pandera-check"),
    Step("check", "great-expectations", "gx", "gx-check"),
    Step("check", "evidently", "evidently", "evidently-check"),
    Step("both", "floor: SUMMARIZE", OWN, "floor-summarize"),
    Step("both", "dvtool", OWN, "dvtool-both"),
    Step("drift", "dvtool", OWN, two=True),
    Step("drift", "evidently", "evidently", "evidently-drift", two=True),
)


def python_of(env: str, own: Path, places: Path | None) -> Path | None:
    """Returns the Python of an environment, None where it is not installed.

    Args:
        env: A key of `PACKAGES`, or `OWN`.
        own: The Python that dvtool is installed in.
        places: Folder with environments made elsewhere, named `qenv-NAME`; None for `.env`.
    """
    if env == OWN:
        return own
    folder = places / f"qenv-{env}" if places else ENV_DIR / f"judging-{env}"
    found = folder / "bin" / "python"
    return found if found.exists() else None


def install() -> dict[str, str]:
    """Makes an environment for every compared tool; returns why some could not be had."""
    failed = {}
    for env, packages in PACKAGES.items():
        folder = ENV_DIR / f"judging-{env}"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "pip"), "install", "--quiet", *packages]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            failed[env] = done.stderr.strip().splitlines()[-1]
    return failed


def versions(env: str, python: Path) -> str:
    """Returns what is installed in an environment, in words."""
    code = (
        "import importlib.metadata as m, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, m.version(name))\n"
        "    except m.PackageNotFoundError: pass\n"
    )
    command = [str(python), "-c", code, *DISTRIBUTIONS[env]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return ", ".join(done.stdout.strip().splitlines()) or "unknown"
