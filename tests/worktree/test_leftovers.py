"""Temporary files of a dvtool that was killed are found; those at work, and other people's, are not."""

import os
import subprocess
import sys
from pathlib import Path

from dvtool.worktree.leftovers import leftovers


def a_dead_process() -> int:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


def test_only_files_of_processes_that_ended_are_left_over(tmp_path: Path) -> None:
    (tmp_path / "data/inner").mkdir(parents=True)
    dead, alive = (f".dvt-tmp-{one:x}-0a1b2c3d" for one in (a_dead_process(), os.getpid()))
    for path in (
        f"data/inner/{dead}-7",
        f"data/{alive}-7",
        f"{dead}",
        f"{alive}",
        "data/.dvt-tmp-mine",
    ):
        (tmp_path / path).write_text("x")

    assert sorted(leftovers(tmp_path, ["data", "gone/elsewhere"])) == [dead, f"data/inner/{dead}-7"]


def test_a_data_set_of_one_file_has_them_beside_it(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a.csv").write_text("x")
    dead = f".dvt-tmp-{a_dead_process():x}-0a1b2c3d-0"
    (tmp_path / "raw" / dead).write_text("x")

    assert list(leftovers(tmp_path, ["raw/a.csv"])) == [f"raw/{dead}"]
