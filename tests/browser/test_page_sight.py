"""What the eyes and hands meet: the map, the sketch, the time bar, sizes and focus."""

import pytest

from tests.browser.conftest import Visit
from tests.browser.helpers import chosen_text, red_spot, until
from tests.browser.mock_station import lon_lat
from tests.browser.mock_world import alert

pytestmark = pytest.mark.browser


# --- map ----------------------------------------------------------------------------------------
def test_warning_is_drawn_on_the_map_and_can_be_chosen_there(quiet: Visit) -> None:
    """A live alert appears as a red diamond; clicking it opens its card."""
    quiet.enter()
    page = quiet.page
    page.wait_for_selector(".maplibregl-canvas")
    page.wait_for_timeout(1500)
    assert red_spot(quiet) is None
    quiet.station.put_alert(alert(1))
    until(page, lambda: red_spot(quiet) is not None, "no red diamond on the map", 30.0)
    page.mouse.click(*red_spot(quiet))
    page.wait_for_selector(".row.chosen .card")


def test_new_warning_comes_into_the_picture_unless_somebody_is_at_work(quiet: Visit) -> None:
    """With nothing chosen the map goes to a far warning by itself."""
    quiet.enter()
    page = quiet.page
    page.wait_for_selector(".maplibregl-canvas")
    page.wait_for_timeout(1500)
    lon, lat = lon_lat(5_000.0, 300.0)
    quiet.station.put_alert(alert(1, lon_deg=lon, lat_deg=lat, nearest_marker="311"))
    until(page, lambda: red_spot(quiet) is not None, "the map did not go there", 30.0)


def test_selecting_a_far_alert_brings_the_map_there(quiet: Visit) -> None:
    """An alert kilometres away comes into the picture when it is chosen, not while another is."""
    quiet.enter()
    page = quiet.page
    page.wait_for_selector(".maplibregl-canvas")
    page.wait_for_timeout(1500)
    quiet.station.put_alert(alert(2, level="information"))
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    lon, lat = lon_lat(5_000.0, 300.0)
    quiet.station.put_alert(alert(1, lon_deg=lon, lat_deg=lat, nearest_marker="311"))
    page.wait_for_selector(".row.warning")
    page.wait_for_timeout(1500)
    assert red_spot(quiet) is None
    page.keyboard.press("k")
    until(page, lambda: red_spot(quiet) is not None, "the map did not go there", 30.0)


def test_time_bar_marks_are_chosen_by_touch(busy: Visit) -> None:
    """The newest mark at the right end opens the newest alert."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".strip .mark")
    page.get_by_role("button", name="1 giờ").click()
    marks = page.locator(".strip path.mark")
    until(page, lambda: marks.count() == 4, "the last hour has four alerts")
    box = marks.nth(0).bounding_box()
    page.mouse.click(box["x"] + 7, box["y"] + 7)
    page.wait_for_selector(".row.chosen")
    assert "Tổ tuần tra 2" in chosen_text(busy)


def test_without_webgl_there_is_a_sketch_and_a_table(plain: Visit) -> None:
    """The page says that the full map is missing and still shows line, targets and alerts."""
    plain.enter()
    page = plain.page
    page.wait_for_selector(".sketch canvas")
    assert "WebGL" in page.locator(".sketch .banner").inner_text()
    assert 6 == page.locator(".sketch tbody tr").count()
    until(page, lambda: red_spot(plain) is not None, "no warning in the sketch")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_selector(".row.chosen.acknowledged")
    assert [] == plain.errors


# --- hands and eyes -----------------------------------------------------------------------------
def test_every_touch_target_is_large_and_every_word_readable(busy: Visit) -> None:
    """Buttons are at least 48 px high, text at least 14 px, at the size of a small tablet too."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.wait_for_selector(".card")
    for size in ({"width": 1440, "height": 900}, {"width": 800, "height": 1100}):
        page.set_viewport_size(size)
        small = page.evaluate(
            """() => [...document.querySelectorAll('button, summary, input')]
            .filter((e) => e.checkVisibility() && !e.matches('.unseen'))
            .map((e) => [e.className || e.id || e.tagName, e.getBoundingClientRect()])
            .filter(([, box]) => box.height < 47.5 || box.width < 47.5)
            .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
        )
        assert [] == small
        tiny = page.evaluate(
            """() => [...document.querySelectorAll('.page *')]
            .filter((e) => e.childNodes.length && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
            .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 14)
            .map((e) => e.className || e.tagName)"""
        )
        assert [] == tiny
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_focus_is_visible_wherever_the_keyboard_goes(busy: Visit) -> None:
    """Tabbing through the page, each stop wears an outline."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    bare = []
    for _ in range(24):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => { const e = document.activeElement; const s = getComputedStyle(e);
            return [e.tagName + '.' + e.className, s.outlineStyle, parseFloat(s.outlineWidth)]; }"""
        )
        if stop[0].startswith("BODY"):
            break
        if stop[1] == "none" or stop[2] < 2:
            bare.append(stop)
    assert [] == bare


def test_station_that_forgets_sends_the_page_back_to_ask_for_everything(quiet: Visit) -> None:
    """After `resync` the page shows what the station has, not what it had."""
    quiet.enter()
    quiet.station.put_alert(alert(1))
    quiet.page.wait_for_selector(".row")
    quiet.station.alerts.clear()
    quiet.station.tell("resync", {})
    quiet.page.wait_for_selector(".row", state="detached")
    quiet.page.wait_for_selector(".quiet.well")
