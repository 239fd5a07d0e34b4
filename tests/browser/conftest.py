"""Chromium, the mock station, and what every page test wants to know."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.mock_station import LINK_TOKEN, STATIC, MockStation
from tests.browser.mock_world import busy_world, quiet_world

# Sound is tested, so it must not need a touch that nobody made; counting starts is enough.
COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...args) { window.tones += 1; return start.apply(this, args); };
"""


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium; its absence is a skip, counted like every other."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium on this machine: apt install chromium")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: npm ci && npm run build in ground_station/web")
    return path


@pytest.fixture(scope="session")
def playwright_session() -> Iterator[Any]:
    """One driver for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


def launch(playwright: Any, path: str, *more: str) -> Any:
    return playwright.chromium.launch(
        executable_path=path, headless=True, args=["--no-sandbox", "--disable-dev-shm-usage", *more]
    )


@pytest.fixture(scope="session")
def browser(playwright_session: Any, chromium_path: str) -> Iterator[Any]:
    """One Chromium with software GL."""
    with launch(playwright_session, chromium_path) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def plain_browser(playwright_session: Any, chromium_path: str) -> Iterator[Any]:
    """One Chromium without WebGL."""
    with launch(playwright_session, chromium_path, "--disable-3d-apis") as chromium:
        yield chromium


class Visit:
    """One opened page with everything it complained about or asked for."""

    def __init__(self, page: Any, station: MockStation) -> None:
        self.page, self.station = page, station
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self.errors.append(str(e)))
        page.on("request", lambda r: self.requests.append(r.url))

    def enter(self) -> None:
        """By the one-time link, without touching the page."""
        self.page.goto(f"{self.station.url}/?link={LINK_TOKEN}")
        self.page.wait_for_selector(".alerts")


def visit(chromium: Any, station: MockStation) -> Iterator[Visit]:
    running = station.serve()
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh"
    )
    context.add_init_script(COUNT_TONES)
    page = context.new_page()
    page.set_default_timeout(20_000)
    try:
        yield Visit(page, station)
    finally:
        context.close()
        running.stop()


@pytest.fixture
def quiet(browser: Any) -> Iterator[Visit]:
    """Nothing going on."""
    yield from visit(browser, quiet_world())


@pytest.fixture
def busy(browser: Any) -> Iterator[Visit]:
    """A bad night."""
    yield from visit(browser, busy_world())


@pytest.fixture
def plain(plain_browser: Any) -> Iterator[Visit]:
    """A bad night, seen without WebGL."""
    yield from visit(plain_browser, busy_world())
