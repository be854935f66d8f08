"""Reports as people ask for them: a page in a folder, files for machines, private values in none."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

from tests.journeys.harness import Repo

CHECKS = "columns:\n  age: {type: int, max: 99}\n  email: {private: true}\n"


def people(rows: int, *, first_age: int = 20, odd: str = "") -> str:
    lines = ["age,city,email"]
    lines += [
        f"{first_age + n % 50},{('Bonn', 'Ulm')[n % 2]},canary-{n}@example.org" for n in range(rows)
    ]
    return "\n".join([*lines, odd]) + "\n"


def data_set(repo: Repo) -> None:
    """Commits three versions of a table, and stages a bad fourth."""
    repo.write("people.csv.checks.yaml", CHECKS)
    for rows in (100, 110, 120):
        repo.write("people.csv", people(rows))
        repo.run("add", "people.csv")
        repo.run("profile", "people.csv")
        repo.commit()
    repo.write("people.csv", people(130, odd="400,Ulm,canary-x@example.org"))
    repo.run("add", "people.csv")


def test_check_writes_a_page_with_verdict_history_and_no_private_value(repo: Repo) -> None:
    data_set(repo)

    result = repo.run("check", "--staged", "--report", "out", code=1)

    page = repo.read("out/index.html").decode()
    assert "report: out/index.html" in result.out.splitlines()
    assert "<title>Fail: people.csv</title>" in page
    assert "people.csv.checks.yaml:2" in page
    assert "rows over 4 versions, from 100 to 131, now 131" in page
    assert repo.git("rev-parse", "HEAD")[:12] in page
    assert "canary" not in page


def test_check_writes_every_format_at_once(repo: Repo) -> None:
    data_set(repo)
    names = ("html", "markdown", "junit", "sarif", "gitlab", "jsonlines")
    options = [f"--format={name}=made/{name}.txt" for name in names]

    result = repo.run("check", "--staged", *options, "--format", "github=-", code=1)

    made = {name: repo.read(f"made/{name}.txt").decode() for name in names}
    assert "::error file=people.csv.checks.yaml,line=2,title=dvtool%3A age.max" in result.out
    assert made["html"].startswith("<!doctype html>")
    assert made["markdown"].startswith("## ❌ people.csv: fail\n")
    assert ET.fromstring(made["junit"])[0].get("failures") == "1"
    (run,) = json.loads(made["sarif"])["runs"]
    assert run["results"][0]["ruleId"] == "max"
    assert json.loads(made["gitlab"])[0]["location"]["path"] == "people.csv.checks.yaml"
    assert json.loads(made["jsonlines"].splitlines()[0])["verdict"] == "fail"
    assert not any("canary" in text for text in made.values())


def test_a_file_outside_of_git_has_a_report_too(repo: Repo, tmp_path) -> None:
    plain = repo.at(tmp_path)
    plain.write("new.csv", people(60))
    plain.write("old.csv", people(50))

    plain.run("check", "new.csv", "--baseline", "old.csv", "--report", "page")

    page = plain.read("page/index.html").decode()
    assert "compared with <b>old.csv</b>" in page
    assert 'class="histogram"' in page


def test_mistakes_are_told_before_anything_is_written(repo: Repo) -> None:
    repo.write("a.csv", people(20))
    repo.write("site/index.html", "<h1>mine</h1>")

    unknown = repo.run("check", "a.csv", "--format", "pdf=x.pdf", code=2)
    foreign = repo.run("check", "a.csv", "--report", "site", code=2)
    a_file = repo.run("check", "a.csv", "--report", "a.csv", code=2)
    nowhere = repo.run("check", "a.csv", "--format", "sarif", code=2)
    both = repo.run("check", "a.csv", "--json", "--format", "sarif=-", code=2)

    assert "one of html, markdown, junit, sarif" in unknown.err
    assert "not a report of dvtool" in foreign.err
    assert "is a file, and the report goes into a folder" in a_file.err
    assert "write sarif=FILE" in nowhere.err
    assert "exclude each other" in both.err
    assert repo.read("site/index.html") == b"<h1>mine</h1>"


def test_profile_writes_a_page_of_what_the_columns_hold(repo: Repo) -> None:
    data_set(repo)

    repo.run("profile", "people.csv", "--all-history", "--report", "out")

    page = repo.read("out/index.html").decode()
    assert 'aria-label="column age"' in page
    assert "rows over 3 versions, from 100 to 120, now 120" in page
    assert "<title>people.csv</title>" in page
    assert 'class="chip' not in page
    assert "canary" not in page
