"""The demonstration as a person meets it: one command, one link, and a crossing on the map."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.browser.helpers import red_spot, until
from tests.browser.mock_station import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]
UP_LIMIT_S = 180.0
ALERT_LIMIT_S = 240.0
MATCH_S = 10.0
PICTURE_BYTES = 500_000


@dataclass
class Demo:
    """The running demonstration."""

    process: subprocess.Popen[str]
    work: Path
    link: str
    up_s: float

    def truth(self) -> list[dict[str, Any]]:
        events = json.loads((self.work / "truth.json").read_text(encoding="utf-8"))
        return list(events["events_truth"])


def stop(process: subprocess.Popen[str]) -> int:
    """Ctrl-C; a demonstration that does not end by it is ended hard, with its children."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60.0)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10.0)
    return int(process.returncode)


@pytest.fixture
def demo(tmp_path: Path, chromium_path: str) -> Iterator[Demo]:
    """`border-sim run demo`, up with node and station; its own process group, stopped by Ctrl-C."""
    work, said = tmp_path / "demo", tmp_path / "said.txt"
    begun_s = time.monotonic()
    with said.open("w", encoding="utf-8") as talk:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulations.cli", "run", "demo", "--no-browser", "--work", str(work)],
            cwd=ROOT, stderr=talk, stdout=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
    try:
        link = None
        while link is None:
            text = said.read_text(encoding="utf-8")
            link = re.search(r"http://127\.0\.0\.1:\d+/\S*link=\S+", text)
            assert process.poll() is None, f"the demonstration ended by itself:\n{text}"
            assert time.monotonic() - begun_s < UP_LIMIT_S, f"no link was printed:\n{text}"
            time.sleep(0.2)
        yield Demo(process, work, link[0], time.monotonic() - begun_s)
    finally:
        stop(process)


class Guest:
    """A page as `until` and `red_spot` want it."""

    def __init__(self, page: Any) -> None:
        self.page = page


def test_crossing_seen_by_the_network_stands_on_the_map(
    demo: Demo, browser: Any, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """From pixels to the map: the alert is a true crossing, has its picture, and is drawn in red."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="vi-VN")
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    foreign: list[str] = []
    base = re.match(r"http://[^/]+", demo.link)
    assert base is not None
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on(
        "request",
        lambda r: None if r.url.startswith((base[0], "data:", "blob:")) else foreign.append(r.url),
    )
    try:
        opened_s = time.monotonic()
        page.goto(demo.link)
        page.wait_for_selector(".alerts")
        assert "link=" not in page.url
        page.keyboard.press("Shift")
        crossing = page.locator(".row.warning", has_text="nghi vượt biên")
        end_s = opened_s + ALERT_LIMIT_S
        while crossing.count() == 0:
            assert time.monotonic() < end_s, f"no crossing in the list; {cameras(page, base[0])}"
            page.wait_for_timeout(200)
        shown_s = time.monotonic() - opened_s
        crossing.first.locator(".head").click()
        page.wait_for_selector(".pictures img")
        until(
            page,
            lambda: page.evaluate("[...document.querySelectorAll('.pictures img')].some((i) => i.naturalWidth > 8)"),
            "the alert has no picture",
        )  # fmt: skip
        until(page, lambda: red_spot(Guest(page)) is not None, "no red diamond on the map", 30.0)
        folder = request.config.getoption("--pictures")
        if folder is not None:
            # The README's picture is taken while somebody is walking there.
            targets = f"{base[0]}/api/v1/targets"
            until(
                page,
                lambda: any(t["alert_id"] for t in page.request.get(targets).json()),
                "nobody with an alert is in view",
                ALERT_LIMIT_S,
            )
            page.wait_for_timeout(1500)
        picture = page.screenshot(type="png")
        clock = crossing.first.locator(".head time").inner_text()
        act_on_it(page)
    finally:
        context.close()
    assert [] == errors
    assert [] == foreign
    assert len(picture) <= PICTURE_BYTES
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "map.png").write_bytes(picture)
    assert any(near(clock, event["t_utc"]) for event in demo.truth()), (clock, demo.truth()[:5])
    code = stop(demo.process)
    assert 0 == code
    if shutil.which("pgrep"):
        left = subprocess.run(
            ["pgrep", "-f", str(demo.work)], capture_output=True, text=True, check=False
        )
        assert "" == left.stdout
    with capsys.disabled():
        print(
            f"\ndemonstration: link after {demo.up_s:.0f} s, "
            f"crossing on the page {shown_s:.0f} s after it was opened, {os.cpu_count()} cores"
        )


def cameras(page: Any, base: str) -> str:
    """How fast the cameras are looked at: a starving machine sees too little to tell a crossing."""
    nodes = page.request.get(f"{base}/api/v1/nodes").json()
    return ", ".join(
        f"{s['name']} {s['status']} {s['fps']} fps" for n in nodes for s in n["sensors"]
    )


def act_on_it(page: Any) -> None:
    """Acknowledge, local people, undo: by key, through the real station, all of it in its history."""
    chosen = page.locator(".row.chosen")
    page.keyboard.press("a")
    page.wait_for_selector(".row.chosen.acknowledged")
    alert_text = chosen.locator(".head .where").inner_text()
    page.keyboard.press("f")
    page.wait_for_selector(".toast[role=status]")
    page.keyboard.press("z")
    page.wait_for_selector(".toast[role=status]", state="detached")
    page.wait_for_selector(".row.chosen.raised")
    assert alert_text[:20] == chosen.locator(".head .where").inner_text()[:20]
    history = chosen.locator(".acts").inner_text()
    for word in ("Máy báo", "Tiếp nhận", "Kết thúc", "Dân sản xuất", "Mở lại"):
        assert word in history


def near(local_clock: str, t_utc: str) -> bool:
    """Whether a wall time of Ha Tien is within seconds of an instant."""
    event = datetime.fromisoformat(t_utc.replace("Z", "+00:00")).astimezone(
        timezone(timedelta(hours=7))
    )
    hours, minutes, seconds = (int(part) for part in local_clock[-8:].split(":"))
    said = event.replace(hour=hours, minute=minutes, second=seconds)
    away_s = abs((said - event).total_seconds())
    return min(away_s, 86_400 - away_s) <= MATCH_S
