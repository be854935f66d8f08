"""Reports to render: one of ordinary data, one in which every text is hostile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dvtool.quality.findings import Evidence, Example, Finding, Outcome, Place, Severity
from dvtool.quality.judged import Baseline, JudgedTable, Judgement
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.model import Profile
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.report.model import Past, Provenance, Report, TablePicture
from tests.report.browsing import started

HERE = Path(__file__).parent
PROVENANCE = Provenance(
    commit="1f3a" * 10,
    base="9b2c" * 10,
    branch="new-crawl",
    command="dvtool check --report out",
    time="2026-01-31T12:00:00Z",
    versions={"dvtool": "0.1.0", "duckdb": "2.0.1"},
)
FAILING = Finding(
    "nulls",
    "2 of 9 values missing, allowed 0",
    Place("data/a.csv", 3, 2),
    Evidence.SCHEMA,
    column="age",
    rule=Place("data/a.csv.checks.yaml", 4),
    examples=(Example(Place("data/a.csv", 3, 2), None), Example(Place("data/a.csv", 7, 6), "x")),
    hint="ask the source",
)
OPEN = Finding(
    "psi",
    "PSI 0.3 (95 % interval 0.1 to 0.5), allowed 0.25",
    Place("data/a.csv"),
    Evidence.DRIFT,
    column="city",
    outcome=Outcome.UNDECIDED,
    rule=Place("data/a.csv.checks.yaml", 6),
)
WARNING = Finding(
    "rows-lost",
    "10 rows, 90 fewer than data/a.csv@abc",
    Place("data/a.csv"),
    Evidence.STRUCTURE,
    severity=Severity.WARN,
)
NOTE = Finding(
    "constant-column",
    "one value only in 10 rows",
    Place("data/a.csv"),
    Evidence.STRUCTURE,
    column="unit",
    severity=Severity.NOTE,
)
DRIFT = {
    "column": "age",
    "role": "covariate",
    "decision": "fail",
    "rows": [9, 9],
    "nulls": [0, 2],
    "effects": [
        {
            "method": "wasserstein",
            "value": 0.5,
            "low": 0.4,
            "high": 0.6,
            "allowed": 0.1,
            "decision": "fail",
            "decides": True,
        }
    ],
}
NASTY = (
    "]]>",
    "::error::x",
    "%0A::set-output name=a::b",
    "|cell|",
    "```",
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "\u202egnp.exe",
    "\x00\x07\x1b[2J\r\n",
    "\ud800",
    "\ufffe",
    "@everyone #1",
    "![x](http://127.0.0.1:9/x)",
    "{{ 7 * 7 }}{% raw %}",
)


def judged(*findings: Finding, name: str = "data/a.csv", **facts: object) -> Judgement:
    given = {"rows": 9, "columns": 4, "reading": "csv comma", **facts}
    table = JudgedTable(name, tuple(findings), **given)  # type: ignore[arg-type]
    return Judgement("data", "staged", (table,), inputs={"data": "sha256:abc"})


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A real browser, one for the tests of a file."""
    driver = started(tmp_path_factory.mktemp("browser"))
    yield driver
    driver.quit()


@pytest.fixture
def report() -> Report:
    """One data set with a finding of each kind, one without any, and one finding beside them."""
    one = judged(
        FAILING, OPEN, WARNING, NOTE, baseline=Baseline("data@abc", "the latest"), drift=(DRIFT,)
    )
    lost = Finding("not-restorable", "2 blobs are nowhere", Place("data.dvt"), Evidence.STRUCTURE)
    clean = Judgement("other.csv", "staged", (JudgedTable("other.csv", rows=5, columns=1),))
    return Report("new crawl", (one, clean), (lost,), PROVENANCE)


@pytest.fixture
def nasty() -> Report:
    """Every text that data or file names can bring is hostile to some format."""
    text = " ".join(NASTY)
    finding = Finding(
        "in",
        f"{text} is not allowed",
        Place(f"data/{text}.csv", 2, 1),
        Evidence.SCHEMA,
        column=text,
        rule=Place(f"data/{text}.checks.yaml", 3),
        examples=(Example(Place(f"data/{text}.csv", 2, 1), text),),
        hint=text,
    )
    one = judged(finding, name=f"data/{text}.csv", baseline=Baseline(text, text))
    return Report(text, (one,), (finding,), PROVENANCE)


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[object]:
    """Returns a function from CSV text to its profile, with private columns named."""
    with Engine(scratch=tmp_path) as engine:

        def make(text: str, *private: str) -> Profile:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
            path.write_text(text, encoding="utf-8")
            table = open_table(engine, path)
            return profile_table(engine, table, privacy=dict.fromkeys(private, Privacy.PRIVATE))

        yield make


def csv_of(rows: int, shift: int = 0, city: str = "Ulm") -> str:
    """Returns a table of ages, cities and secrets."""
    lines = ["age,city,secret,seen"]
    lines += [
        f"{20 + shift + n % 50},{('Bonn', city)[n % 3 > 1]},canary-{n % 4},2024-01-{n % 28 + 1:02}"
        for n in range(rows)
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def pictured(report: Report, profile) -> Report:
    """The first report with profiles of its failing table, now, before and in the past."""
    past = (
        Past("0a0a0a0a0a0a", profile(csv_of(80), "secret")),
        Past("0b0b0b0b0b0b", None),
        Past("0c0c0c0c0c0c", profile(csv_of(95), "secret")),
    )
    picture = TablePicture(
        profile(csv_of(100, 30, "Köln"), "secret"),
        profile(csv_of(100), "secret"),
        past,
        frozenset({"secret"}),
    )
    return Report(
        report.title, report.judgements, report.extra, PROVENANCE, {"data/a.csv": picture}
    )
