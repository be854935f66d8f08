"""`dvtool check --since`: in which version a failure began."""

from __future__ import annotations

import shutil

import pytest

from tests.journeys.harness import Repo

CHECKS = "columns:\n  age: {type: int, nulls: 0, max: 99}\n"


def ages(rows: int, *, top: int = 60, missing: int = 0) -> str:
    cells = [("" if n < missing else str(20 + n % (top - 19))) for n in range(rows)]
    return "id,age\n" + "".join(f"{n},{age}\n" for n, age in enumerate(cells))


@pytest.fixture
def story(repo: Repo) -> tuple[Repo, list[str]]:
    """Six versions: the third and fourth lack ages, from the fifth on some are too large."""
    repo.write("ages.csv.checks.yaml", CHECKS)
    texts = [
        ages(100),
        ages(101),
        ages(102, missing=4),
        ages(103, missing=5),
        ages(104, top=120),
        ages(105, top=121),
    ]
    commits = []
    for text in texts:
        repo.write("ages.csv", text)
        repo.run("add", "ages.csv")
        commits.append(repo.commit())
    return repo, commits


def test_each_failure_is_followed_to_the_version_where_it_began(
    story: tuple[Repo, list[str]],
) -> None:
    repo, commits = story

    result = repo.run("check", "--since", commits[0], "ages.csv", code=1)

    words = [line.split()[1] for line in result.out.splitlines()[:6]]
    assert words == ["fail", "fail", "fail", "fail", "pass", "pass"]
    assert f"ages.csv: age.max began in {commits[4][:12]}: " in result.out
    assert f"    not in {commits[3][:12]} before it; fails in 2 versions, still fails" in result.out
    assert f"ages.csv: age.nulls began in {commits[2][:12]}: 4 of 102 values missing" in result.out
    assert f"not in {commits[1][:12]} before it; fails in 2 versions, does not fail any more" in (
        result.out
    )


def test_checks_of_today_are_asked_of_versions_whose_bytes_are_gone(
    story: tuple[Repo, list[str]],
) -> None:
    repo, commits = story
    repo.run("profile", "--all-history", "ages.csv")
    shutil.rmtree(repo.path / ".git/dvtool/store")
    repo.write("ages.csv.checks.yaml", "columns:\n  age: {mean: 30..50}\n")

    found = repo.run("check", "--since", commits[1], "ages.csv", "--json", code=1).json

    assert [one["how"] for one in found["versions"]] == ["profiles"] * 5
    assert [one["verdict"] for one in found["versions"]] == ["fail"] * 2 + ["pass"] * 3
    assert [(one["name"], one["first"], one["before"]) for one in found["began"]] == [
        ("ages.csv: age.mean", commits[4], commits[3])
    ]


def test_a_failure_that_a_profile_tells_is_placed_by_the_bytes_of_its_first_version(
    repo: Repo,
) -> None:
    repo.write("ages.csv.checks.yaml", "columns: {age: {type: int, max: 200}}\n")
    for bad in (0, 0, 40, 0, 40):
        rows = [f"{at},{20 + (80 if at >= 400 - bad else at % 50)}" for at in range(400)]
        repo.write("ages.csv", "id,age\n" + "\n".join(rows) + "\n")
        repo.run("add", "ages.csv")
        repo.commit()
    repo.run("profile", "--all-history", "ages.csv")
    repo.write("ages.csv.checks.yaml", "columns: {age: {type: int, max: 99}}\n")
    third = repo.git("rev-parse", "HEAD~2")[:12]

    here = repo.run("check", "--since", "HEAD~4", "ages.csv", code=1)
    shutil.rmtree(repo.path / ".git/dvtool/store")
    gone = repo.run("check", "--since", "HEAD~4", "ages.csv", code=1).out

    assert f"{third}  fail (from profiles)  age.max" in here.out
    assert "all violations lie in rows 361 to 400 (10% of rows)" in here.out
    assert f"{third}  fail (from profiles)  age.max" in gone
    assert f"only its bytes tell where in it (dvtool fetch --rev {third} ages.csv)" in gone


def test_versions_without_bytes_and_profile_are_listed_as_unknown(
    story: tuple[Repo, list[str]],
) -> None:
    repo, commits = story
    shutil.rmtree(repo.path / ".git/dvtool/store")
    shutil.rmtree(repo.path / ".git/dvtool/profiles", ignore_errors=True)
    repo.write("ages.csv", ages(106, missing=1))
    repo.run("add", "ages.csv")
    newest = repo.commit()

    result = repo.run("check", "--since", commits[4], "ages.csv", code=1)

    lines = result.out.splitlines()
    assert lines[0] == f"{newest[:12]}  fail (from bytes)  age.nulls"
    assert lines[1] == f"{commits[5][:12]}  unknown"
    assert lines[2] == "    unknown: ages.csv: neither its bytes nor a profile are here"
    assert "    at the latest, 2 older unknown; fails in 1 version, still fails" in lines


def test_what_a_profile_leaves_open_is_named_and_what_it_tells_counts(
    story: tuple[Repo, list[str]],
) -> None:
    repo, commits = story
    repo.run("profile", "--all-history", "ages.csv")
    shutil.rmtree(repo.path / ".git/dvtool/store")
    repo.write("ages.csv.checks.yaml", "columns:\n  age: {nulls: 0}\nrules: [{sql: 'age > 0'}]\n")

    result = repo.run("check", "--since", commits[1], "ages.csv", code=11)

    assert f"{commits[3][:12]}  fail (from profiles)  age.nulls" in result.out
    assert f"{commits[5][:12]}  unknown\n    unknown: ages.csv: rule is not in a profile" in (
        result.out
    )
    assert f"not in {commits[1][:12]} before it" in result.out


def test_accepted_versions_do_not_fail(story: tuple[Repo, list[str]]) -> None:
    repo, commits = story
    repo.run(
        *("allow", "ages.csv", "--rev", commits[2]), *("--exception", "--reason", "sensor down")
    )

    found = repo.run("check", "--since", commits[0], "ages.csv", "--json", code=1).json

    (nulls,) = [one for one in found["began"] if one["name"] == "ages.csv: age.nulls"]
    assert (nulls["first"], nulls["failing"]) == (commits[3], 1)


@pytest.fixture
def folder(repo: Repo) -> tuple[Repo, list[str]]:
    """Four versions of a folder: `b` breaks in the second, `a` appears in the third and breaks last."""
    repo.write("data.checks.yaml", "tables:\n  '*.csv': {columns: {age: {max: 99}}}\n")
    commits = []
    for version in range(4):
        repo.write("data/b.csv", ages(100, top=60 if version == 0 else 120))
        if version >= 2:
            repo.write("data/a.csv", ages(150 + version, top=60 if version == 2 else 130))
        repo.run("add", "data")
        commits.append(repo.commit())
    return repo, commits


def test_of_a_file_in_a_data_set_only_that_file_is_followed(
    folder: tuple[Repo, list[str]],
) -> None:
    repo, commits = folder

    by_bytes = repo.run("check", "--since", commits[0], "data/a.csv", "--json", code=1).json
    repo.run("profile", "--all-history", "data")
    shutil.rmtree(repo.path / ".git/dvtool/store")
    by_profiles = repo.run("check", "--since", commits[0], "data/a.csv", "--json", code=1).json

    for found in (by_bytes, by_profiles):
        assert [one["verdict"] for one in found["versions"]] == ["fail", "pass", "absent", "absent"]
        assert [(one["name"], one["first"], one["before"]) for one in found["began"]] == [
            ("data/a.csv: age.max", commits[3], commits[2])
        ]


def test_a_table_that_checks_name_and_a_version_lacks_fails_from_profiles_too(
    folder: tuple[Repo, list[str]],
) -> None:
    repo, commits = folder
    repo.write("data.checks.yaml", "tables: {a.csv: {rows: {min: 1}}, b.csv: {rows: {min: 1}}}\n")
    repo.run("profile", "--all-history", "data")

    found = repo.run("check", "--since", commits[1], "data", "--json").json

    assert [one["verdict"] for one in found["versions"]] == ["pass", "pass", "fail"]
    assert found["versions"][2]["failing"] == [{"table": "data/a.csv", "finding": "table-missing"}]


def test_since_looks_at_one_data_set(story: tuple[Repo, list[str]]) -> None:
    repo, _ = story
    for name in ("x", "y"):
        repo.write(f"more/{name}.csv", ages(5))
        repo.run("add", f"more/{name}.csv")
    repo.commit()

    said = repo.run("check", "--since", "HEAD", "more", code=2).err

    assert "error: 2 data sets are at more\n" in said
    assert "hint: --since looks at one: more/x.csv, more/y.csv" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--since", "HEAD"], 2, "--since goes with one PATH"),
        (["--since", "HEAD", "ages.csv", "--staged"], 2, "--since goes with one PATH"),
        (["--since", "nope", "ages.csv"], 5, "unknown revision: nope"),
        (["--since", "HEAD", "none.csv"], 5, "no data set in HEAD at none.csv"),
    ],
)
def test_mistakes_are_said(
    story: tuple[Repo, list[str]], words: list[str], code: int, said: str
) -> None:
    assert said in story[0].run("check", *words, code=code).err


DRIFT = "columns:\n  price: {drift: {wasserstein: 0.5}}\n"


def prices(version: int) -> str:
    """Returns 400 prices, about the same in every version up to the third, tripled from then on."""
    factor = 3 if version >= 3 else 1
    lines = [f"{n},{factor * (20 + (n * 37 + version) % 61)}" for n in range(400)]
    return "id,price\n" + "\n".join(lines) + "\n"


@pytest.fixture
def drifting(repo: Repo) -> tuple[Repo, list[str]]:
    """Six versions; the fourth drifts, and the later ones are like it."""
    repo.write("prices.csv.checks.yaml", DRIFT)
    commits = []
    for version in range(6):
        repo.write("prices.csv", prices(version))
        repo.run("add", "prices.csv")
        commits.append(repo.commit())
    return repo, commits


def test_drift_that_stays_fails_in_every_later_version(drifting: tuple[Repo, list[str]]) -> None:
    repo, commits = drifting

    by_bytes = repo.run("check", "--since", commits[0], "prices.csv", "--json", code=1).json
    again = repo.run("check", "--since", commits[0], "prices.csv", "--json", code=1).json
    shutil.rmtree(repo.path / ".git/dvtool/store")
    by_profiles = repo.run("check", "--since", commits[0], "prices.csv", "--json", code=1).json

    assert [one["how"] for one in by_profiles["versions"]] == ["profiles"] * 6
    assert "spread over the whole table: it fails without any of " in by_bytes["began"][0]["hint"]
    for found in (by_bytes, again, by_profiles):
        assert [one["verdict"] for one in found["versions"]] == ["fail"] * 3 + ["pass"] * 3
        (began,) = found["began"]
        assert (began["name"], began["first"]) == ("prices.csv: price.drift", commits[3])
        assert (began["before"], began["failing"], began["still"]) == (commits[2], 3, True)


def test_a_version_whose_bytes_are_gone_is_unknown_and_the_next_is_compared_with_one_before(
    drifting: tuple[Repo, list[str]],
) -> None:
    repo, commits = drifting
    shutil.rmtree(repo.path / ".git/dvtool/store")
    for version in (0, 1, 3, 4, 5):
        repo.write("prices.csv", prices(version))
        repo.run("add", "--force", "prices.csv")

    result = repo.run("check", "--since", commits[0], "prices.csv", code=1)

    lines = result.out.splitlines()
    assert lines[2] == f"{commits[3][:12]}  fail (from bytes)  price.wasserstein"
    assert lines[3:5] == [
        f"{commits[2][:12]}  unknown",
        "    unknown: prices.csv: neither its bytes nor a profile are here",
    ]
    assert lines[-3].startswith(f"prices.csv: price.drift began in {commits[3][:12]}: drifted from")
    assert lines[-1] == (
        f"    not in {commits[1][:12]} before it, 1 version unknown in between;"
        " fails in 3 versions, still fails"
    )
