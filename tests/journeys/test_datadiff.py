"""`dvtool diff` for rows, as a person meets it: two commits, two files, a mistake."""

from __future__ import annotations

import json


def test_rows_of_two_commits_are_compared_by_the_key_of_the_checks(repo):
    repo.write("people.csv", b"id,mail,age\n1,canary-a,30\n2,canary-b,40\n")
    repo.write(
        "people.csv.checks.yaml", b"key: [id]\ncolumns:\n  mail: {type: text, private: true}\n"
    )
    repo.run("add", "people.csv")
    repo.commit("one")
    repo.write("people.csv", b"id,mail,age\n1,canary-c,30\n2,canary-b,41\n3,canary-d,5\n")
    repo.run("add", "people.csv")
    repo.commit("two")

    told = repo.run("diff", "HEAD~1", "HEAD", "--rows", "5", "--json", "--", "people.csv")
    shown = repo.run("diff", "HEAD~1", "HEAD", "--rows", "5", "--", "people.csv")

    table = json.loads(told.out)["tables"][0]["table"]
    assert (table["added"], table["removed"], table["changed"]) == (1, 0, 2)
    assert table["key"]["why"] == "from the checks"
    assert "age: 40 -> 41" in shown.out
    assert "canary" not in told.out + shown.out


def test_a_key_that_a_version_lacks_is_refused(repo):
    repo.write("a.csv", b"id,v\n1,2\n")
    repo.write("b.csv", b"id,v\n1,3\n")

    refused = repo.run("diff", "--no-index", "--key", "code", "a.csv", "b.csv", code=2)

    assert "error: b.csv: key column code is not in both versions" in refused.err
    assert "hint: columns of both are: id, v" in refused.err
