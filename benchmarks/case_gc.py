"""Case `gc`: garbage collection of a remote that has seen a hundred pushes of small files.

`gcfill` makes the remote; here a clone of the repository collects. Only dvtool takes part: what
others call gc deletes a working copy's cache, or asks for every object by itself. The server makes
its objects older, so that the grace period is over where it has to be.
"""

from __future__ import annotations

from pathlib import Path

from bench import Bench, Entry
from case_files import commit_all
from case_startup import dvtool_python
from serverprocess import ServerProcess

FILL = str(Path(__file__).with_name("gcfill.py"))
GC = ("dvtool", "gc", "--remote")
MONTH_S = 30 * 86400
VERIFY = ("dvtool", "verify", "--remote")


def run_gc(bench: Bench) -> None:
    """Runs the case."""
    for other in (tool for tool in bench.tools if tool.name != "dvtool"):
        bench.skip("gc", other.name, "only dvtool collects at a remote that others share")
    tool = next((tool for tool in bench.tools if tool.name == "dvtool"), None)
    if tool is None:
        return
    area = bench.area("gc")
    repo, clone = area / "repo", area / "clone"
    options = bench.options

    def prepare() -> None:
        assert tool.remote is not None
        run = bench.runner.run
        repo.mkdir()
        server.create_bucket("gc")
        run((*tool.init, *tool.remote("gc", server.url)), repo)
        (repo / "data").mkdir()
        (repo / "data" / "one.txt").write_text("one\n")
        run(tool.add, repo)
        commit_all(bench, repo, "one file")
        run(tool.push, repo)
        run(((dvtool_python(bench), FILL, str(repo), str(options.gc_records)),), repo)
        run((("git", "clone", "-q", "repo", "clone"),), area)

    with ServerProcess(latency_ms=options.latency_ms) as server:
        if bench.attempt("gc", "preparation", tool.name, prepare):
            server.age(MONTH_S)
            steps = {
                "dry-run-cold": GC,  # the clone has seen nothing of the remote yet
                "dry-run": GC,
                "condemn": (*GC, "--delete"),
                "sweep": (*GC, "--delete"),
                "nothing": (*GC, "--delete"),
                "verify": VERIFY,
            }
            for step, command in steps.items():
                bench.step("gc", step, [Entry(tool.name, (command,), clone)], server=server)
                print(bench.runner.output(), flush=True)
                if step == "condemn":
                    server.age(MONTH_S)
    bench.clear(area)
