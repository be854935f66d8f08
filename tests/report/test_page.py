"""The page in a real browser: it opens from disk, asks for nothing, and can be read by everyone."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dvtool.errors import UsageError
from dvtool.ops.report import write_page
from dvtool.quality.judged import JudgedTable, Judgement
from dvtool.report import html, pictures
from dvtool.report.model import Report
from tests.report.browsing import needs_axe, needs_browser, shot, show, troubles
from tests.report.conftest import FAILING, csv_of, judged


def opened(browser, report: Report, folder: Path) -> Path:
    page = write_page(report, folder / "out")
    show(browser, page)
    return page


@needs_browser
def test_the_page_shows_the_failing_column_and_asks_for_nothing(
    browser, pictured: Report, tmp_path: Path
) -> None:
    page = opened(browser, pictured, tmp_path)

    asked = re.findall(
        r'"Network.requestWillBeSent".*?"url":"(.*?)"',
        "\n".join(entry["message"] for entry in browser.get_log("performance")),
    )
    # What the browser opens of its own accord (`chrome://`) is none of the page's business.
    own = [url for url in asked if not url.startswith(("data:", "chrome:"))]
    assert own == [page.as_uri()]
    assert browser.get_log("browser") == []
    card = browser.find_element("css selector", "article.card.fail")
    assert card.is_displayed()
    assert "age" in card.text
    assert browser.find_element("css selector", ".findings li.fail").is_displayed()
    assert browser.title == "Fail: new crawl"
    assert shot(browser, "report-light", tmp_path).stat().st_size > 10_000


@needs_browser
@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
def test_axe_finds_no_serious_problem(
    browser, pictured: Report, tmp_path: Path, scheme: str, width: int
) -> None:
    page = write_page(pictured, tmp_path / "out")

    assert troubles(browser, page, "report", scheme=scheme, width=width) == []


@needs_browser
def test_hostile_text_runs_nothing(browser, nasty: Report, tmp_path: Path) -> None:
    opened(browser, nasty, tmp_path)

    assert browser.get_log("browser") == []
    assert browser.find_elements("css selector", "script, img, [onmouseover]") == []
    assert "<script>alert(1)</script>" in browser.find_element("css selector", "h1").text


@needs_browser
def test_everything_can_be_reached_by_keyboard(browser, pictured: Report, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, pictured, tmp_path)
    reached = set()
    for _ in range(60):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(browser.switch_to.active_element.id)

    wanted = browser.find_elements("css selector", "summary, a, [tabindex='0']")
    shown = [one for one in wanted if one.is_displayed()]
    assert len(shown) >= 4
    assert {one.id for one in shown} <= reached


class Outline(HTMLParser):
    """Collects the sources that a page would load, and checks that tags close."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for name, value in attrs if name in ("src", "srcset")]
        if tag == "link":
            self.loads.append(dict(attrs)["href"] or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("which", ["report", "pictured", "nasty"])
def test_the_page_is_well_formed_and_loads_nothing(
    which: str, request: pytest.FixtureRequest
) -> None:
    outline = Outline()

    outline.feed(html.render(request.getfixturevalue(which)))

    assert outline.open == []
    assert outline.loads == ["data:,"]


def test_the_worst_comes_first(pictured: Report) -> None:
    page = html.render(replace(pictured, judgements=tuple(reversed(pictured.judgements))))

    assert page.index('<h2 id="t-') < page.index("other.csv</a>") or page.index(
        "data/a.csv</a>"
    ) < page.index("other.csv</a>")
    assert page.index("data/a.csv <") < page.index("other.csv <")


def test_a_page_of_many_columns_stays_small(report: Report, profile) -> None:
    names = [f"c{number}" for number in range(200)]
    text = (
        ",".join(names)
        + "\n"
        + "\n".join(",".join(str(n + r) for n in range(200)) for r in range(30))
    )
    found = profile(text)
    from dvtool.report.model import TablePicture

    tables = [
        Judgement(f"d{n}", "staged", (JudgedTable(f"d{n}.csv", (FAILING,), rows=30, columns=200),))
        for n in range(5)
    ]
    shown = {f"d{n}.csv": TablePicture(found, found) for n in range(5)}

    page = html.render(Report("many", tuple(tables), pictures=shown))

    assert page.count('<article class="card') == 5 * 200
    assert len(page) < 2_500_000


def test_a_gap_in_the_past_is_a_gap_in_the_line(pictured: Report) -> None:
    picture = pictured.pictures["data/a.csv"]

    line = pictures.rows_line(100, picture.past)

    assert line is not None
    assert line.points == (0.0, None, 0.75, 1.0)
    assert (line.low, line.high, line.last) == ("80", "100", "100")


def test_two_distributions_share_their_bins(profile) -> None:
    now, before = profile(csv_of(100, 30)).column("age"), profile(csv_of(100)).column("age")

    drawn = pictures.distribution(now, before)

    assert isinstance(drawn, pictures.Histogram)
    assert (drawn.low, drawn.high) == ("20", "99")
    assert len(drawn.now) == len(drawn.before) == pictures.BINS
    assert drawn.now[0] == 0
    assert drawn.before[-1] == 0
    assert max(*drawn.now, *drawn.before) == 1


def test_categories_of_both_sides_are_shown(profile) -> None:
    now = profile(csv_of(99, 0, "Köln")).column("city")
    before = profile(csv_of(99)).column("city")

    drawn = pictures.distribution(now, before)

    assert isinstance(drawn, pictures.Bars)
    assert [one.name for one in drawn.bars] == ["Bonn", "Köln", "Ulm"]
    assert drawn.bars[1].before == 0
    assert drawn.bars[2].now == 0


def test_somebody_elses_index_is_left_alone(report: Report, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>mine</h1>")

    with pytest.raises(UsageError, match="is not a report of dvtool"):
        write_page(report, tmp_path)

    assert (tmp_path / "index.html").read_text() == "<h1>mine</h1>"


def test_an_earlier_report_is_replaced(report: Report, tmp_path: Path) -> None:
    write_page(report, tmp_path)

    write_page(Report("later", (judged(),)), tmp_path)

    assert "later" in (tmp_path / "index.html").read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["index.html"]
