"""The page of a difference in a real browser: as the page of a report, for everyone to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import dvtool
from dvtool.report import diff_html
from tests.journeys.conftest import make_repo
from tests.journeys.harness import Repo
from tests.report.browsing import needs_axe, needs_browser, show, troubles

__all__ = ["make_repo"]

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def page(make_repo: Callable[..., Repo], tmp_path: Path) -> Path:
    """Rows and columns added, removed, changed, a text file, and names made to do harm."""
    repo = make_repo(remote=None)
    cities = ["Ghent", "Lille", HOSTILE]
    head = "id,price,city,a_rather_long_name_of_a_column_that_has_to_wrap_somewhere\n"
    rows = [f"{n},{n * 3 % 17},{cities[n % 2]},{n}\n" for n in range(60)]
    repo.write("d/t.csv", (head + "".join(rows)).encode())
    repo.write("d/gone.csv", b"a\n1\n")
    repo.write("d/notes.txt", b"one\ntwo\n")
    repo.run("add", "d")
    repo.commit("before")
    changed = [f"{n},{n * 5 % 19},{cities[n % 3]},{n}\n" for n in range(5, 80)]
    repo.write("d/t.csv", (head.replace("price", "cost") + "".join(changed)).encode())
    (repo.path / "d/gone.csv").unlink()
    repo.write("d/notes.txt", f"one\n{HOSTILE}\n".encode())
    repo.write("d/<marquee>new.csv", b"a\n1\n")
    repo.run("add", "d")
    repo.commit("after")
    report = dvtool.Repository(repo.path, rev="HEAD").diff("HEAD~1", rows=5, statistics=True).report
    written = tmp_path / "diff.html"
    written.write_text(diff_html.render(report), encoding="utf-8")
    return written


@needs_browser
@needs_axe
def test_axe_finds_no_serious_problem(browser, page: Path) -> None:
    found = [
        trouble
        for scheme in ("light", "dark")
        for width in (1200, 360)
        for trouble in troubles(browser, page, "diff", scheme=scheme, width=width)
    ]

    assert found == []


@needs_browser
def test_hostile_text_is_shown_and_runs_nothing(browser, page: Path) -> None:
    show(browser, page)

    assert browser.get_log("browser") == []
    assert browser.find_elements("css selector", "script, img, marquee") == []
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert HOSTILE in browser.find_element("css selector", "body").text
    assert "d/<marquee>new.csv" in browser.find_element("css selector", "body").text
