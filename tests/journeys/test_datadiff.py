"""`dvtool diff` for rows, as a person meets it: two commits, two files, a mistake."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest


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


BUNDLES = Path(__file__).parents[3] / "shared" / "data" / "git"


@pytest.mark.shared
@pytest.mark.skipif(not BUNDLES.is_dir(), reason="the real histories are not beside this checkout")
@pytest.mark.parametrize(
    ("bundle", "name", "key"),
    [
        ("ourairports-regions-countries", "regions.csv", "id"),
        ("ourairports-regions-countries", "countries.csv", "id"),
        ("vix-daily", "vix-daily.csv", "DATE"),
    ],
)
def test_real_versions_differ_as_pandas_says(repo, tmp_path, bundle, name, key):
    pd = pytest.importorskip("pandas")
    source = tmp_path / "source"
    subprocess.run(
        ["git", "clone", "-q", str(BUNDLES / f"{bundle}.bundle"), str(source)], check=True
    )

    def git(*args):
        return subprocess.run(
            ["git", *args], cwd=source, check=True, capture_output=True
        ).stdout.decode()

    (path,) = [one for one in git("ls-files").split("\n") if one.endswith(name)]
    commits = git("log", "--reverse", "--format=%H", "--", path).split()
    for number, commit in enumerate((commits[len(commits) // 2], commits[-1])):
        repo.write(f"{number}.csv", git("show", f"{commit}:{path}").encode())

    told = repo.run("diff", "--no-index", "--json", "--rows", "0", "--key", key, "0.csv", "1.csv")

    table = json.loads(told.out)["tables"][0]["table"]
    old, new = (
        pd.read_csv(repo.path / f"{n}.csv", dtype=str, keep_default_na=False) for n in (0, 1)
    )
    if key == "DATE":  # written in another way since; what is meant is a day, and numbers
        for one in (old, new):
            one[key] = pd.to_datetime(one[key], format="mixed")
            for column in one.columns.difference([key]):
                one[column] = pd.to_numeric(one[column])
    both = old.merge(new, on=key, how="outer", indicator=True, suffixes=("_old", "_new"))
    joined = both[both["_merge"] == "both"]
    same = [one for one in old.columns if one in new.columns and one != key]
    differs = {one: joined[f"{one}_old"] != joined[f"{one}_new"] for one in same}
    assert table["added"] == (both["_merge"] == "right_only").sum()
    assert table["removed"] == (both["_merge"] == "left_only").sum()
    assert table["changed"] == pd.DataFrame(differs).any(axis=1).sum()
    assert {one["column"]: one["cells"] for one in table["columns"]} == {
        one: int(count.sum()) for one, count in differs.items() if count.sum()
    }
    assert table["added"] + table["changed"] > 0
