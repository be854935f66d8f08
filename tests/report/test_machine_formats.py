"""What machines read: valid by the schemas that services use, and safe whatever the data say."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from dvtool.errors import UsageError
from dvtool.ops.report import FORMATS, rendered
from dvtool.quality.findings import Finding
from dvtool.report import github, gitlab, jsonlines, junit, markdown, sarif
from dvtool.report.harmless import harmless
from dvtool.report.model import Report
from dvtool.report.told import told
from tests.report.conftest import FAILING, HERE, NASTY, judged

XSD = HERE / "schemas" / "junit-10.xsd"
MULTITOOL = HERE / "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"


def many(report: Report, count: int) -> Report:
    found = [replace(FAILING, column=f"c{number}") for number in range(count)]
    return replace(report, judgements=(judged(*found),), extra=())


def test_findings_point_at_the_rule_else_at_the_sidecar(report: Report) -> None:
    places = [(one.title, one.path, one.line) for one in told(report)]

    assert places == [
        ("not-restorable", "data.dvt", 1),
        ("age.nulls", "data/a.csv.checks.yaml", 4),
        ("city.psi", "data/a.csv.checks.yaml", 6),
        ("rows-lost", "data.dvt", 1),
        ("unit.constant-column", "data.dvt", 1),
    ]


def test_a_file_outside_of_git_is_pointed_at_itself(report: Report) -> None:
    plain = replace(judged(replace(FAILING, rule=None)), version="")

    (one,) = told(replace(report, judgements=(plain,), extra=()))

    assert (one.path, one.line) == ("data/a.csv", 3)


def test_a_fingerprint_lasts_while_figures_change(report: Report) -> None:
    later = replace(FAILING, message="7 of 9 values missing, allowed 0")

    before, after = (next(told(Report("", (judged(one),)))) for one in (FAILING, later))

    assert before.fingerprint == after.fingerprint
    assert before.text != after.text


def test_junit_counts_and_words(report: Report) -> None:
    root = ET.fromstring(junit.render(report))

    suites = {one.get("name"): one for one in root}
    assert set(suites) == {"data.dvt", "data/a.csv", "other.csv"}
    table = suites["data/a.csv"]
    assert [table.get(name) for name in ("tests", "failures", "skipped")] == ["4", "1", "1"]
    (failure,) = table.iter("failure")
    assert failure.get("message") == "data/a.csv:3 age: 2 of 9 values missing, allowed 0"
    assert failure.text == (
        "data/a.csv:3 age: 2 of 9 values missing, allowed 0\n"
        "rule: data/a.csv.checks.yaml:4\ndata/a.csv:7: x\nhint: ask the source"
    )
    assert [one.get("name") for one in suites["other.csv"].iter("testcase")] == ["verdict"]


@pytest.mark.skipif(not XSD.exists(), reason="no JUnit schema here: run tests/report/install")
@pytest.mark.parametrize("which", ["report", "nasty"])
def test_junit_is_valid_by_the_schema_of_jenkins(
    which: str, request: pytest.FixtureRequest
) -> None:
    import xmlschema

    xmlschema.XMLSchema(str(XSD)).validate(junit.render(request.getfixturevalue(which)))


@pytest.mark.skipif(not MULTITOOL.exists(), reason="no SARIF validator: run tests/report/install")
@pytest.mark.parametrize("which", ["report", "nasty"])
def test_sarif_is_valid_by_microsofts_validator(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target = tmp_path / "found.sarif"
    target.write_text(sarif.render(request.getfixturevalue(which)), encoding="utf-8")

    done = subprocess.run(
        [MULTITOOL, "validate", target, "--output", tmp_path / "out.sarif"],
        capture_output=True,
        check=False,
        text=True,
        env={"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(tmp_path)},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads((tmp_path / "out.sarif").read_text(encoding="utf-8-sig"))["runs"]
    assert [one for one in run.get("results", []) if one.get("level") == "error"] == []


def test_sarif_names_rules_places_and_levels(report: Report) -> None:
    document = json.loads(sarif.render(report))

    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert [one["level"] for one in run["results"]] == [
        "error", "error", "warning", "warning", "note",
    ]  # fmt: skip
    result = run["results"][1]
    rules = run["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "nulls"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "data/a.csv.checks.yaml"
    assert place["region"] == {"startLine": 4}


def test_gitlab_has_the_keys_that_its_widget_needs(report: Report, nasty: Report) -> None:
    for one in (report, nasty):
        issues = json.loads(gitlab.render(one))
        assert issues
        for issue in issues:
            assert set(issue) == {
                "description", "check_name", "fingerprint", "severity", "location",
            }  # fmt: skip
            assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
            assert issue["location"]["lines"]["begin"] >= 1
        assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_gitlab_keeps_two_findings_of_one_cause_apart() -> None:
    issues = json.loads(gitlab.render(Report("", (judged(FAILING, FAILING),))))

    first, second = (issue["fingerprint"] for issue in issues)
    assert second == f"{first}-1"


def test_github_shows_ten_of_a_level_and_counts_the_rest(report: Report) -> None:
    lines = github.render(many(report, 25)).splitlines()

    assert sum(line.startswith("::error ") for line in lines) == 10
    assert lines[-1] == "15 more findings are in the log and in the report"


def test_github_points_at_the_line_of_the_rule(report: Report) -> None:
    assert (
        "::error file=data/a.csv.checks.yaml,line=4,title=dvtool%3A age.nulls::"
        "data/a.csv:3 age: 2 of 9 values missing, allowed 0"
    ) in github.render(report).splitlines()


def test_github_lets_no_text_start_a_command_of_its_own(nasty: Report) -> None:
    for line in github.render(nasty).splitlines():
        assert re.match(r"::(error|warning|notice) file=", line)
        assert line.isprintable()


def test_markdown_says_the_verdict_first(report: Report) -> None:
    lines = markdown.render(report).splitlines()

    assert lines[0] == "## ❌ new crawl: fail"
    assert "| ❌ | data/a.csv | fail | 9 | 4 | data\\&#64;abc |" in "\n".join(lines).replace(
        "data&#64;abc", "data\\&#64;abc"
    )
    assert any(line.startswith("- **fail** data/a.csv\\:3 age\\: 2 of 9") for line in lines)


@pytest.mark.parametrize("limit", [1_000, 65_536, 1 << 20])
def test_markdown_keeps_to_its_limit_and_counts_what_it_left_out(
    report: Report, limit: int
) -> None:
    text = markdown.render(many(report, 8_000), limit_bytes=limit)

    assert len(text.encode()) <= limit
    left = re.search(r"… and (\d+) more findings", text)
    assert left is not None
    assert int(left[1]) + text.count("\n- **fail**") == 8_000


def test_markdown_shows_hostile_text_as_text(nasty: Report) -> None:
    text = markdown.render(nasty)

    assert not re.search(r"(?<!\\)[`|<]\s*(script|cell)", text)
    assert "<script" not in text
    assert "@everyone" not in text
    assert "![x]" not in text
    assert all(line.isprintable() for line in text.splitlines())


def test_json_lines_are_one_object_each(report: Report, nasty: Report) -> None:
    kinds = [json.loads(line)["type"] for line in jsonlines.render(report).splitlines()]

    assert kinds == ["report", "table", "table", *["finding"] * 5]
    assert all(json.loads(line) for line in jsonlines.render(nasty).splitlines())


@pytest.mark.parametrize("text", NASTY)
def test_harmless_text_stays_on_its_line_and_turns_nothing(text: str) -> None:
    assert harmless(text).isprintable()
    assert not set(harmless(text)) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert harmless("Köln 東京 🎈") == "Köln 東京 🎈"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_nothing_at_all(name: str) -> None:
    assert isinstance(rendered(Report("empty", ()), name), str)
    assert import_module(f"dvtool.report.{name}").__doc__


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_shows_a_private_value(name: str, pictured: Report) -> None:
    assert "canary" not in rendered(pictured, name)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="no report format 'pdf'"):
        rendered(Report("", ()), "pdf")


def test_a_finding_without_any_place_is_told() -> None:
    from dvtool.quality.findings import Evidence, Place

    bare = Finding("odd", "something", Place(""), Evidence.STRUCTURE)

    assert [one.text for one in told(Report("", (), (bare,)))] == [" something"]
