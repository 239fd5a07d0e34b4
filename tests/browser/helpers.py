"""What the page tests share: waiting for a claim, and reading the screen."""

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from tests.browser.conftest import Visit


def until(page: Any, claim: Callable[[], bool], what: str, limit_s: float = 15.0) -> None:
    """Lets the page work until a claim holds; the limit is generous, the claim is what is tested."""
    end = time.monotonic() + limit_s
    while not claim():
        assert time.monotonic() < end, what
        page.wait_for_timeout(100)


def verbs(visit: Visit) -> list[tuple[str, str]]:
    return [(alert_id[-1], verb) for alert_id, verb, _ in visit.station.acts]


def chosen_text(visit: Visit) -> str:
    return visit.page.locator(".row.chosen .head").inner_text()


def red_spot(visit: Any) -> tuple[float, float] | None:
    """Where the map shows the red of a warning, in pixels of the page."""
    box = visit.page.locator(".map").bounding_box()
    image = cv2.imdecode(np.frombuffer(visit.page.screenshot(clip=box), np.uint8), cv2.IMREAD_COLOR)
    hit = cv2.inRange(image, np.array([78, 86, 250]), np.array([86, 94, 255]))
    count, _, stats, centres = cv2.connectedComponentsWithStats(hit)
    if count < 2:
        return None
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[best, cv2.CC_STAT_AREA] < 60:
        return None
    return box["x"] + float(centres[best][0]), box["y"] + float(centres[best][1])
