"""The page as a person sees it: a real daemon, looked at in a headless Chromium.

Skipped where Debian's `chromium` is not installed.
"""

import json
import re
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import IO

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.app.cli.tickd import ROOT

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a daemon on the fast embedded sandbox; tell where its pages are."""
    settings = ("http.port=0", "sandbox.speed=600", "log.format=json")
    arguments = [word for setting in settings for word in ("--set", setting)]
    daemon = subprocess.Popen(
        [sys.executable, "-m", "daemon", "run", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert daemon.stdout is not None
    lines = daemon.stdout
    try:
        url = _pages_of(lines)
        # A pipe that nobody empties would hold up whoever writes into it.
        emptying = Thread(target=lambda: deque(lines, maxlen=0))
        emptying.start()
        yield url
    finally:
        daemon.kill()
        daemon.wait()
        emptying.join()
        lines.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one daemon for all tests; return where its pages are."""
    with running(tmp_path_factory.mktemp("page")) as url:
        yield url


def _pages_of(lines: IO[str]) -> str:
    for line in lines:
        if line.startswith("{") and (told := json.loads(line))["event"] == "started":
            return str(told["pages"])
    raise AssertionError("the daemon did not start")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, pages: str) -> Iterator[Page]:
    """Open the page; at the end nothing may have gone wrong in it."""
    looked_at = browser.new_page(viewport={"width": 1400, "height": 1500})
    faults: list[str] = []
    looked_at.on("pageerror", lambda error: faults.append(str(error)))
    looked_at.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    looked_at.goto(pages)
    expect(looked_at.locator("#rows tr")).to_have_count(6, timeout=30_000)
    yield looked_at
    looked_at.close()
    assert not faults


def test_every_task_stands_there_with_its_prices(page: Page) -> None:
    expect(page.locator("#ready")).to_have_text("ready", timeout=30_000)
    rows = page.locator("#rows tr")
    for number in range(6):
        expect(rows.nth(number).locator("td").nth(3)).to_have_text(re.compile(r"\d"))
        expect(rows.nth(number).locator("td").nth(4)).to_have_text(re.compile(r"\d"))


def test_events_trades_and_candles_come_by_themselves(page: Page) -> None:
    expect(page.locator("#closes tr").first).to_be_visible(timeout=60_000)
    expect(page.locator("#tile-pnl")).to_have_text(re.compile("%"))
    expect(page.locator("#events li").first).to_be_visible()
    # What is JSON in the log are words here.
    expect(page.locator("#log")).to_contain_text(re.compile("signal_opened  .*position="))
    expect(page.locator("#log")).not_to_contain_text("{")
    expect(page.locator("#market svg").first).to_be_visible(timeout=30_000)
    expect(page.locator("#equity svg").first).to_be_visible(timeout=30_000)


def test_a_task_is_chosen_by_keys_and_found_by_words(page: Page) -> None:
    rows = page.locator("#rows tr")
    rows.nth(0).click()
    expect(page.locator("#market-title")).to_contain_text("BTC/USDT · breakout")
    page.keyboard.press("j")
    expect(page.locator("#market-title")).to_contain_text("ETH/USDT · breakout")
    expect(rows.nth(1).locator("button")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("pullback sol")
    expect(page.locator("#rows tr:visible")).to_have_count(1)
    page.keyboard.type(" nonsense")
    expect(page.locator("#no-tasks")).to_be_visible()


def test_dark_and_light_can_be_chosen_and_are_kept(page: Page) -> None:
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()

    assert after != before
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#rows tr").first).to_be_visible()


def test_without_plotly_the_curves_are_small_drawings(browser: Browser, pages: str) -> None:
    looked_at = browser.new_page()
    looked_at.route("**/page/plotly.js", lambda route: route.abort())
    looked_at.goto(pages)

    expect(looked_at.locator("#market > svg rect").first).to_be_visible(timeout=60_000)
    expect(looked_at.locator("#equity > svg path").first).to_be_visible(timeout=60_000)
    for width in (1280, 390):
        looked_at.set_viewport_size({"width": width, "height": 800})
        # As large as its place, or its letters would be stretched.
        drawn = looked_at.wait_for_function(
            """() => {
                const place = document.getElementById("market");
                const box = place.querySelector("svg").viewBox.baseVal;
                return box.width === place.clientWidth && box.height === place.clientHeight;
            }"""
        )
        assert drawn.json_value()
    looked_at.close()


def test_no_name_in_a_small_drawing_passes_for_markup(browser: Browser, pages: str) -> None:
    looked_at = browser.new_page()
    looked_at.goto(pages)
    poison = "<img src=x></title><b>&amp;\"'"

    told = looked_at.evaluate(
        """async (name) => {
            // A copy of its own, which no plotly was given to.
            const { drawCandles } = await import("/page/charts.js?small");
            const place = document.createElement("div");
            const color = "--gain";
            drawCandles(place, { minutes: [[0, 1, 2, 1, 2, 1]],
                levels: [{ price: 1, name, color }], marks: [{ ms: 0, price: 1, name, color }] });
            const mark = place.querySelector("title").textContent;
            const level = [...place.querySelectorAll("text")].map((text) => text.textContent);
            return [place.querySelectorAll("img, b").length, mark, level.includes(name)];
        }""",
        poison,
    )

    assert told == [0, poison, True]
    looked_at.close()


def test_a_page_that_stays_open_keeps_no_more_than_the_daemon(browser: Browser, pages: str) -> None:
    looked_at = browser.new_page()
    close = {"name": "signal_closed", "symbol": "A/B", "strategy": "s", "position": "long",
             "reason": "user", "pnl_percent": 1.0, "held_minutes": 1.0, "price_open": 1.0,
             "current_price": 1.0}  # fmt: skip
    closes = [
        {
            **close,
            "id": f"e{number}",
            "signal_id": f"s{number}",
            "at_ms": 1_900_000_000_000 + number,
        }
        for number in range(5_100)
    ]
    body = "".join(f"event: happened\ndata: {json.dumps(each)}\n\n" for each in closes)
    looked_at.route(
        "**/page/stream",
        lambda route: route.fulfill(body=body, content_type="text/event-stream"),
    )
    looked_at.goto(pages)

    expect(looked_at.locator("#tile-closed")).to_have_text("5,000 closed", timeout=60_000)
    expect(looked_at.locator("#events li")).to_have_count(200)
    looked_at.close()


def test_a_daemon_that_is_gone_is_said_to_be_gone(browser: Browser, tmp_path: Path) -> None:
    looked_at = browser.new_page()
    with running(tmp_path) as url:
        looked_at.goto(url)
        expect(looked_at.locator("#ready")).to_have_text(re.compile("ready"), timeout=30_000)
        expect(looked_at.locator("#trouble")).to_be_hidden()

    expect(looked_at.locator("#trouble")).to_contain_text("does not answer", timeout=30_000)
    expect(looked_at.locator("#ready")).to_have_text("no answer")
    looked_at.close()
