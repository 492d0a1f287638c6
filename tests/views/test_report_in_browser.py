"""The report in a real Chromium, offline: nothing asked for, nothing complained of, nothing cut off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import made_findings as made
import pytest
from playwright.sync_api import Browser, sync_playwright

from labkit.views.report import write_report

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
LAUNCH = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        reason = "chromium is not installed; with it, this looks at the report as a reader would"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=LAUNCH)
        yield launched
        launched.close()


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESK, "dark")], ids=["phone", "desk"])
@pytest.mark.parametrize("name", made.ALL)
def test_a_reader_offline(name: str, viewport: dict[str, int], scheme: str, browser: Browser, tmp_path: Path) -> None:
    file = write_report(made.ALL[name](), tmp_path / "report.html")
    context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True)  # type: ignore[arg-type]
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))

    page.goto(file.as_uri())

    assert page.locator("h1").is_visible()
    width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1], "the page scrolls sideways"
    for svg in page.locator("main svg:visible").all():
        box = svg.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 23, 26)" if scheme == "dark" else "rgb(253, 252, 250)")
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert said == []
    context.close()


@pytest.mark.parametrize("name", ["session_store", "hostile", "endless_names"])
def test_no_text_of_the_chain_leaves_its_card(name: str, browser: Browser, tmp_path: Path) -> None:
    file = write_report(made.ALL[name](), tmp_path / "report.html")
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(file.as_uri())
    overshoot = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.chain text')].map("
        "t => t.getBBox().x + t.getBBox().width)) - document.querySelector('.chain svg').viewBox.baseVal.width"
    )
    assert overshoot <= 0
    page.close()


def test_the_figure_for_the_width_is_the_one_shown(browser: Browser, tmp_path: Path) -> None:
    file = write_report(made.session_store(), tmp_path / "report.html")
    for viewport, visible in ((PHONE, "narrow"), (DESK, "wide")):
        page = browser.new_page(viewport=viewport)  # type: ignore[arg-type]
        page.goto(file.as_uri())
        shown = [name for name in ("wide", "narrow") if page.locator(f"figure .{name}").is_visible()]
        assert shown == [visible]
        page.close()
