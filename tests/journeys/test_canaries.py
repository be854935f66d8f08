"""Values of private columns are planted as canaries, and looked for wherever dvtool leaves words.

A version goes the whole way of a bad one: judged, drawn, compared, stopped by hooks, accepted,
recorded, pushed, judged in CI. Only the store, the remote's packs and the data themselves may know.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dvtool.cli.entry import run
from tests.journeys.harness import Repo

ROWS = 60
TEXT = "Zq9Canary"
NUMBER = 918_273_645_546_000
DAY = "1871-04-0"
SPOILT = "Zq9Canary-spoilt"

CHECKS = """\
columns:
  id: {type: int, unique: true}
  name: {type: text, private: true, matches: 'Zq9Canary[0-9]+', unique: true, drift: {js: 0.01}}
  account: {type: int, private: true, max: 918273645549999, mean: 0..1, drift: {psi: 0.01}}
  born: {type: date, private: true, max: '1880-01-01'}
  size: {type: float, max: 3}
key: [id]
schema: schemas.py:People
rules: [{sql: "name <> 'x' and account < 918273645549999"}]
"""
SCHEMAS = """\
import pandera.pandas as pa

def explode(values):
    raise ValueError(f"cannot stand {values.iloc[0]}")

People = pa.DataFrameSchema({"name": pa.Column(str, pa.Check(explode))})
"""


def people(*, spoilt: bool) -> str:
    rows = []
    for n in range(ROWS):
        name = f"{SPOILT}{n}" if spoilt and n % 7 == 0 else f"{TEXT}{n}"
        account = NUMBER + n + (90_000_000 if spoilt and n % 5 == 0 else 0)
        rows.append(f"{n},{name},{account},{DAY}{n % 9 + 1},{n % 4 + 2 * spoilt}")
    return "\n".join(["id,name,account,born,size", *rows, ""])


PLANTED = [
    *(f"{TEXT}{n}" for n in range(ROWS)),
    SPOILT,
    *(str(NUMBER + n) for n in range(ROWS)),
    *(str(NUMBER + n + 90_000_000) for n in range(0, ROWS, 5)),
    *(f"{DAY}{n + 1}" for n in range(9)),
]


def told(text: str) -> list[str]:
    """Returns the canaries in a text; digits apart, as people write large numbers, count too."""
    plain = text.replace(",", "")
    return [one for one in PLANTED if one in text or one in plain]


@pytest.fixture
def say(gated: Repo, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Calls dvtool whatever comes of it, and checks all it says."""

    def call(*args: str) -> str:
        capfd.readouterr()
        before = Path.cwd()
        os.chdir(gated.path)
        try:
            run(list(args))
        finally:
            os.chdir(before)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert told(out + err) == [], f"dvtool {' '.join(args)}\n{out}\n{err}"
        return out + err

    return call


def test_no_word_of_dvtool_holds_a_private_value(gated: Repo, say: Callable[..., str]) -> None:
    gated.write("schemas.py", SCHEMAS)
    gated.write("people.csv.checks.yaml", CHECKS)
    gated.write("people.csv", people(spoilt=False))
    gated.run("add", "people.csv")
    gated.git("add", "-A")
    gated.git("commit", "-q", "--no-verify", "-m", "good")
    gated.git("push", "-q", "--no-verify", "origin", "main")
    gated.run("push")
    gated.git("switch", "-q", "-c", "work")
    gated.write("people.csv", people(spoilt=True))

    assert "name" in say("check", "-v")
    say("check", "--json")
    say("check", "--report", "out", "--format", "html=a.html", "--format", "markdown=a.md")
    say("check", *("--format", "junit=a.xml"), *("--format", "sarif=a.sarif"))
    say("check", *("--format", "gitlab=a.gl.json"), *("--format", "github=a.txt"))
    say("check", "--format", "jsonlines=a.jsonl")
    say("drift", "people.csv")
    say("profile", "people.csv")
    say("profile", "people.csv", "--json")
    say("profile", "people.csv", "--report", "profiled")
    gated.run("add", "people.csv")
    stopped = gated.try_git("commit", "-m", "bad")
    assert stopped.code == 1
    assert told(stopped.out + stopped.err) == []
    allowed = say("allow", "people.csv", "--exception", "--reason", "as it came")
    assert "people.csv" in allowed
    gated.git("add", "-A")
    gated.git("commit", "-q", "--no-verify", "-m", "allowed")
    changed = say("diff", "main", "HEAD", "--rows", "50", "--", "people.csv")
    assert "changed cells" in changed
    say("diff", "main", "HEAD", "--rows", "50", "--json", "--", "people.csv")
    say("diff", "main", "HEAD", "--rows", "50", "--md", "--", "people.csv")
    say("diff", "main", "HEAD", "--rows", "50", "--html", "--", "people.csv")
    say("diff", "main", "HEAD", "--stat", "--", "people.csv")
    say("log", "--verdicts", "people.csv")
    say("check", "--since", "main", "people.csv")
    say("push")
    say("ci", "--base", "main", "--record", "--report", "ci-out")
    say("status")
    say("doctor")

    for place in (gated.path, gated.path.parent / "repo-remote"):
        for file in place.rglob("*"):
            if file.is_file() and not is_data(file.relative_to(place)):
                assert told(file.read_bytes().decode("utf-8", "replace")) == [], file


def is_data(path: Path) -> bool:
    """Tells whether a file is the data, in a place that is for data."""
    return (
        path.name == "people.csv"
        or "packs" in path.parts
        or path.parts[:3] == (".git", "dvtool", "store")
        or path.parts[:2] == (".git", "objects")
    )


def test_a_bug_in_the_middle_of_judging_shows_no_value(gated: Repo, tmp_path: Path) -> None:
    gated.write("people.csv.checks.yaml", CHECKS.replace("schema: schemas.py:People\n", ""))
    gated.write("people.csv", people(spoilt=True))
    script = (
        "import dvtool.quality.judging as judging;"
        "judging.judge_table.__globals__['evaluate'] = lambda *a, **k: [].pop();"
        "from dvtool.cli.entry import run; import sys; sys.exit(run(['check', 'people.csv']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=gated.path, capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert told(done.stdout + done.stderr) == []
