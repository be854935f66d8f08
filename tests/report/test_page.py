"""The page in a real browser: it opens from disk, asks for nothing, and can be read by everyone."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dvtool.errors import UsageError
from dvtool.ops.report import write_page
from dvtool.quality.judged import JudgedTable, Judgement
from dvtool.report import html, pictures
from dvtool.report.model import Report
from tests.report.conftest import FAILING, HERE, csv_of, judged

AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium here: run tests/report/install"
)
SHOTS = os.environ.get("DVTOOL_TEST_SCREENSHOTS")
"""Read before the environment is emptied for the tests."""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    folder = tmp_path_factory.mktemp("browser")
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    environ = {"HOME": str(folder), "PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER), env=environ))
    yield driver
    driver.quit()


def opened(browser, report: Report, folder: Path, *, size: tuple[int, int] = (1200, 1600)) -> Path:
    page = write_page(report, folder / "out")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.set_window_size(*size)
    browser.get(page.as_uri())
    return page


def shot(browser, name: str, folder: Path) -> Path:
    """Keeps a picture where DVTOOL_TEST_SCREENSHOTS says, else in the test's folder."""
    kept = Path(SHOTS or folder)
    kept.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(kept / f"{name}.png"))
    return kept / f"{name}.png"


@needs_browser
def test_the_page_shows_the_failing_column_and_asks_for_nothing(
    browser, pictured: Report, tmp_path: Path
) -> None:
    page = opened(browser, pictured, tmp_path)

    asked = re.findall(
        r'"Network.requestWillBeSent".*?"url":"(.*?)"',
        "\n".join(entry["message"] for entry in browser.get_log("performance")),
    )
    assert [url for url in asked if not url.startswith("data:")] == [page.as_uri()]
    assert browser.get_log("browser") == []
    card = browser.find_element("css selector", "article.card.fail")
    assert card.is_displayed()
    assert "age" in card.text
    assert browser.find_element("css selector", ".findings li.fail").is_displayed()
    assert browser.title == "Fail: new crawl"
    assert shot(browser, "report-light", tmp_path).stat().st_size > 10_000


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.skipif(not AXE.exists(), reason="no axe-core here: run tests/report/install")
def test_axe_finds_no_serious_problem(
    browser, pictured: Report, tmp_path: Path, scheme: str, width: int
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    opened(browser, pictured, tmp_path)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    shot(browser, f"report-{scheme}-{width}", tmp_path)

    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    overflow = browser.execute_script("return document.documentElement.scrollWidth > innerWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    bad = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"]) for one in bad] == []
    assert not overflow


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
