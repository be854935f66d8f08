"""A page of ours in a real browser: opened from disk, pictured, and looked at by axe-core.

Tests of pages are skipped where `tests/report/install` has not put the browser and axe-core.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no Chromium here: run tests/report/install"
)
needs_axe = pytest.mark.skipif(
    not AXE.exists(), reason="no axe-core here: run tests/report/install"
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


def started(folder: Path):
    """Returns a driver whose files all lie in a folder; the caller quits it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    environ = {"HOME": str(folder), "PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    return webdriver.Chrome(options=options, service=Service(str(DRIVER), env=environ))


def show(browser, page: Path, *, size: tuple[int, int] = (1200, 1600)) -> None:
    """Opens a page from disk, with the browser's logs emptied before."""
    browser.get_log("browser")
    browser.get_log("performance")
    browser.set_window_size(*size)
    browser.get(page.as_uri())


def shot(browser, name: str, folder: Path) -> Path:
    """Keeps a picture where DVTOOL_TEST_SCREENSHOTS says, else in the test's folder."""
    kept = Path(SHOTS or folder)
    kept.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(kept / f"{name}.png"))
    return kept / f"{name}.png"


def troubles(browser, page: Path, name: str, *, scheme: str, width: int) -> list[tuple[str, str]]:
    """Returns what axe-core calls serious or worse with all parts unfolded, and any overflow.

    Args:
        browser: The driver.
        page: On disk.
        name: Of the picture that is kept.
        scheme: `light` or `dark`.
        width: Of the window, pixels; below 500 it is a phone.
    """
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    show(browser, page)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    shot(browser, f"{name}-{scheme}-{width}", page.parent)
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    overflow = browser.execute_script("return document.documentElement.scrollWidth > innerWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    bad = [
        (one["id"], one["nodes"][0]["html"])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    return bad + [("overflow", page.name)] * overflow
