"""`dvtool diff` beyond lists of files: statistics without data, Markdown, a page, lines of texts."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from tests.journeys.harness import Repo

EVIL = "<img src=x onerror=alert(1)>`|*"


def people(rows: int, *, age: int, mail: str = "m", city: str = "Bonn") -> str:
    return "id,age,city,mail\n" + "".join(
        f"{n},{age + n % 10},{city if n % 4 == 0 else 'Ulm'},{mail}{n}@x\n" for n in range(rows)
    )


@pytest.fixture
def revised(repo: Repo) -> Repo:
    """A table in two versions: ages up by 5 of a width of 10, one city of two renamed; a text; bytes."""
    repo.write(
        "data.checks.yaml",
        "tables:\n  people.csv:\n    key: [id]\n    columns:\n      mail: {type: text, private: true}\n",
    )
    for number in (1, 2):
        repo.write("data/people.csv", people(100 + 20 * number, age=20 + 5 * number, mail="canary"))
        repo.write("data/notes.txt", f"title\nversion {number}\nend\n")
        repo.write("data/blob.bin", bytes([number, 0, 255]) * 100)
        repo.write("data/same.csv", "a\n1\n")
        if number == 2:
            repo.write("data/people.csv", people(140, age=30, mail="canary", city=EVIL))
            repo.write("data/long.txt", "".join(f"{n}\n" for n in range(500)))
        repo.run("add", "data")
        repo.commit(f"v{number}")
        repo.git("tag", f"v{number}")
    return repo


def test_statistics_stand_side_by_side_and_what_moved_most_comes_first(revised):
    told = revised.run("diff", "v1", "v2", "--stat").out

    lines = [line.split() for line in told.splitlines()]
    columns = [line[0] for line in lines if line and line[0] in ("id", "age", "city", "mail")]
    assert columns == ["age", "city", "id", "mail"] or columns == ["mail", "age", "city", "id"]
    age = next(line for line in lines if line[:1] == ["age"])
    assert age[2] == "50.0%"  # of ages 25 to 34 and 30 to 39 half are in both
    assert "29.5 -> 34.5" in told
    assert "120 -> 140 rows" in told
    assert "canary" not in told


def test_statistics_need_no_data_where_profiles_are_known(revised):
    revised.run("profile", "data", "--rev", "v1")
    revised.run("profile", "data", "--rev", "v2")
    revised.run("push")
    clone = revised.clone("elsewhere")

    told = clone.run("diff", "v1", "v2", "--stat").out

    assert told == revised.run("diff", "v1", "v2", "--stat").out
    assert "29.5 -> 34.5" in told
    assert not list((clone.path / ".git/dvtool").rglob("*.pack"))


def test_what_nobody_profiled_and_is_not_here_is_said(revised):
    revised.run("push")
    clone = revised.clone("elsewhere")

    told = clone.run("diff", "v1", "v2", "--stat").out

    assert "data/people.csv: no statistics: " in told


def test_small_texts_are_compared_line_by_line_and_other_bytes_by_size(revised):
    told = revised.run("diff", "v1", "v2", "--rows", "1").out

    assert (
        "--- data/notes.txt\n+++ data/notes.txt\n@@ -1,3 +1,3 @@\n title\n-version 1\n+version 2\n end\n"
        in told
    )
    assert "~ data/blob.bin  300 B" in told
    assert "Binary" not in told
    assert "… and 303 more lines" in told  # 3 lines of head, 500 added, 200 shown


def test_machines_get_rows_lines_and_statistics(revised):
    told = revised.run("diff", "v1", "v2", "--rows", "1", "--stat", "--json").json

    (table,) = told["tables"]
    assert (table["table"]["added"], table["table"]["changed"]) == (20, 120)
    assert {one["name"] for one in told["texts"]} == {"data/notes.txt", "data/long.txt"}
    (one,) = told["statistics"]
    assert (one["before"]["rows"], one["now"]["rows"]) == (120, 140)
    assert {each["column"]: each["moved"] for each in one["shifts"]}["age"] == pytest.approx(0.5)
    assert "canary" not in json.dumps(told)


def test_markdown_is_bounded_and_holds_nothing_that_markup_could_use(revised):
    told = revised.run("diff", "v1", "v2", "--md").out

    assert "| age | int | 50.0% |" in told
    assert "```diff\n--- data/notes.txt" in told
    assert "<img" not in told
    assert "canary" not in told
    assert len(told.encode()) <= 65_536


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        given = dict(attrs)
        self.anchors.add(given.get("id") or "")
        if tag == "a":
            self.links.append((given.get("href") or "").removeprefix("#"))
        assert not [name for name in given if name.startswith("on")]
        if tag not in ("meta", "link", "path", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "rect", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_asks_for_nothing_and_tells_the_same(revised):
    page = revised.run("diff", "v1", "v2", "--html").out

    found = _Tags()
    found.feed(page)
    assert found.open == []
    assert not found.seen & {"script", "img", "iframe", "object"}
    assert "http://" not in page and "https://" not in page
    assert set(found.links) <= found.anchors
    assert "120 → 140 rows: 20 added, 0 removed, 120 changed, 0 the same" in found.text
    assert EVIL[:10] in found.text
    assert "+version 2" in found.text
    assert "canary" not in page


def test_without_a_difference_every_form_says_so(revised):
    assert "No difference" in revised.run("diff", "v2", "v2", "--md").out
    assert "No difference" in revised.run("diff", "v2", "v2", "--html").out
    assert revised.run("diff", "v2", "v2", "--stat").out == ""


def test_forms_that_exclude_each_other_are_refused(revised):
    revised.run("diff", "v1", "--md", "--json", code=2)
    revised.run("diff", "--no-index", "--html", "a", "b", code=2)


def test_what_was_edited_and_not_added_is_not_passed_over_in_silence(revised: Repo) -> None:
    name = next(iter(revised.git("ls-files", "*.dvt").splitlines())).removesuffix(".dvt")
    assert revised.run("diff").err == ""
    target = revised.path / name
    target = target if target.is_file() else next(one for one in target.rglob("*") if one.is_file())
    target.write_text("id,v\n1,2\n")

    result = revised.run("diff")

    assert result.out == ""
    assert (
        result.err == f"note: {name} was edited and not added; check and drift look at the disk\n"
    )
    assert revised.run("diff", "-q").err == ""
