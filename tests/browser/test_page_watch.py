"""A guard watches: entering, silence, sound, and nothing from outside."""

import re

import pytest

from tests.browser.conftest import Visit
from tests.browser.helpers import until
from tests.browser.mock_station import LINK_TOKEN, PASSWORD
from tests.browser.mock_world import alert, node, vehicle

pytestmark = pytest.mark.browser


# --- entering -----------------------------------------------------------------------------------
def test_password_opens_the_page_and_a_wrong_one_says_so(quiet: Visit) -> None:
    """The login screen explains a refusal in words and lets the right password in."""
    page = quiet.page
    page.goto(quiet.station.url)
    page.fill("input[name=user]", "an")
    page.fill("input[name=password]", "wrong")
    page.keyboard.press("Enter")
    assert "user or password is wrong" in page.locator("[role=alert]").inner_text()
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".alerts")


def test_one_time_link_enters_and_leaves_the_address_bar(quiet: Visit) -> None:
    """The token is neither in the address nor in the history afterwards."""
    quiet.enter()
    assert f"{quiet.station.url}/" == quiet.page.url
    assert LINK_TOKEN not in quiet.page.evaluate("location.href + document.referrer")


def test_spent_link_leads_to_the_login_screen_with_a_reason(quiet: Visit) -> None:
    """A link that was used before ends at the login form, not at a blank page."""
    quiet.page.goto(f"{quiet.station.url}/?link=some-token-that-was-used-before")
    quiet.page.wait_for_selector("input[name=password]")
    assert "không còn hiệu lực" in quiet.page.locator("[role=alert]").inner_text()


def test_logging_out_leaves_nothing_on_the_screen(busy: Visit) -> None:
    """The next person sees a login form and no alert of the last one."""
    busy.enter()
    busy.page.get_by_label("Đăng xuất").click()
    busy.page.wait_for_selector("input[name=password]")
    assert "mốc 314" not in busy.page.locator("body").inner_text()


def test_ended_login_is_said_and_heard_until_somebody_comes(busy: Visit) -> None:
    """When the station no longer knows the login, the page sounds; the first letter typed ends it."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("s")
    page.keyboard.press("Shift")
    heard = page.evaluate("window.tones")
    busy.station.login_over = True
    page.wait_for_selector("input[name=password]")
    assert "Phiên trực đã hết hạn" in page.locator("[role=alert]").inner_text()
    assert 0 == page.locator(".row").count()
    until(page, lambda: page.evaluate("window.tones") > heard + 2, "the ended login made no sound")
    page.fill("input[name=user]", "a")
    page.wait_for_timeout(500)
    heard = page.evaluate("window.tones")
    page.wait_for_timeout(5000)
    assert heard == page.evaluate("window.tones")
    assert "Phiên trực đã hết hạn" in page.locator("[role=alert]").inner_text()


def test_end_of_the_login_is_announced(quiet: Visit) -> None:
    """A quarter of an hour before, the page counts down, so that the watch is handed over in time."""
    quiet.station.login_hours = 0.2
    quiet.enter()
    said = quiet.page.locator(".banner.trouble").inner_text()
    assert re.search(r"Phiên trực hết hạn sau 1[12]:\d\d", said)


# --- the promise of being closed ----------------------------------------------------------------
def test_nothing_leaves_the_origin_and_nothing_complains(busy: Visit) -> None:
    """Under the strictest policy the whole page works, asks nobody else, and logs no error."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".maplibregl-canvas")
    page.keyboard.press("j")
    page.wait_for_selector(".pictures img")
    until(
        page, lambda: any(".pmtiles" in url for url in busy.requests), "no base map was asked for"
    )
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    page.wait_for_timeout(1000)
    foreign = [
        url for url in busy.requests if not url.startswith((busy.station.url, "data:", "blob:"))
    ]
    assert [] == foreign
    assert [] == busy.errors


def test_words_from_the_wire_are_text_and_never_markup(quiet: Visit) -> None:
    """A sentence or a name with markup in it is shown as it is written."""
    quiet.enter()
    evil = "<img src=x onerror=alert(1)>"
    quiet.station.put_alert(alert(1, sentence_vi=evil, nearest_marker=evil))
    quiet.station.put_node(node(1, [], name=evil, state="offline"))
    quiet.page.wait_for_selector(".row")
    assert evil in quiet.page.locator(".row .where").inner_text()
    until(quiet.page, lambda: evil in quiet.page.locator(".faults").inner_text(), "no fault line")
    assert 0 == quiet.page.locator(".alerts img[src=x]").count()


# --- silence is information ---------------------------------------------------------------------
def test_quiet_is_said_with_its_proof(quiet: Visit) -> None:
    """Without alerts the column says so, with the cameras counted and the age of the last word."""
    quiet.enter()
    quiet.page.wait_for_selector(".quiet.well")
    said = quiet.page.locator(".quiet").inner_text()
    assert said.startswith("Yên tĩnh")
    assert re.search(r"6/6 camera hoạt động, tin cuối \d+ s trước", said)
    quiet.page.keyboard.press("l")
    said = quiet.page.locator(".quiet").inner_text()
    assert said.startswith("All quiet")
    assert re.search(r"6 of 6 cameras alive, last word \d+ s ago", said)


def test_quiet_is_not_claimed_while_a_camera_shows_nothing(quiet: Visit) -> None:
    """A frozen camera turns peace into a fault that is named."""
    quiet.enter()
    quiet.page.wait_for_selector(".quiet.well")
    known = quiet.station.nodes["chot-314-2"]
    frozen = known.sensors[0].model_copy(update={"status": "frozen"})
    quiet.station.put_node(known.model_copy(update={"sensors": [frozen, known.sensors[1]]}))
    quiet.page.wait_for_selector(".quiet.trouble")
    assert "Camera Chốt 314-3: hình đứng yên" in quiet.page.locator(".faults").inner_text()


def test_silent_node_is_named_and_its_dot_changes_shape(quiet: Visit) -> None:
    """A node that went silent is a line in the column and a crossed dot in the bar."""
    quiet.enter()
    quiet.page.wait_for_selector(".dot.well")
    known = quiet.station.nodes["chot-314-3"]
    quiet.station.put_node(known.model_copy(update={"state": "silent", "last_word_age_s": 95.0}))
    quiet.page.wait_for_selector(".dot.trouble")
    assert "Nút Chốt 314/3: im lặng, tin cuối 1 phút trước" in (
        quiet.page.locator(".faults").inner_text()
    )


def test_a_drone_that_falls_silent_in_the_air_is_named(quiet: Visit) -> None:
    """It is drawn with what it sees; silent, it is a fault, for nobody knows where it goes."""
    quiet.enter()
    quiet.page.wait_for_selector(".quiet.well")
    quiet.station.put_vehicle(vehicle(150.0, -70.0))
    assert 1 == quiet.page.locator(".quiet.well").count()
    quiet.station.put_vehicle(vehicle(150.0, -70.0, silent=True, age_s=42.0))
    quiet.page.wait_for_selector(".quiet.trouble")
    until(
        quiet.page,
        lambda: "UAV 1: mất liên lạc" in quiet.page.locator(".faults").inner_text(),
        "the drone is not named",
    )
    quiet.station.put_vehicle(vehicle(150.0, -70.0, fix_status="jammed"))
    until(
        quiet.page,
        lambda: "UAV 1: định vị bị gây nhiễu" in quiet.page.locator(".faults").inner_text(),
        "the jammed fix is not named",
    )


def test_loss_of_the_station_is_seen_heard_and_healed(quiet: Visit) -> None:
    """A silent stream raises the alarm in the page itself; its return ends it, resumed by id."""
    quiet.enter()
    page = quiet.page
    page.wait_for_selector(".quiet.well")
    page.keyboard.press("Shift")
    quiet.station.mute = True
    page.wait_for_selector(".banner.lost")
    assert "MẤT LIÊN LẠC VỚI TRẠM" in page.locator(".banner.lost").inner_text()
    assert 0 == page.locator(".quiet.well").count()
    assert 1 == page.locator(".map.stale").count()
    until(page, lambda: page.evaluate("window.tones") > 0, "the loss made no sound")
    quiet.station.mute = False
    page.wait_for_selector(".banner.lost", state="detached")
    page.wait_for_selector(".quiet.well")
    assert "" == quiet.station.streams_opened[0]
    assert all(last.isdigit() for last in quiet.station.streams_opened[1:])


def test_lost_link_between_station_and_nodes_is_said(quiet: Visit) -> None:
    """The station lives but hears nobody: the page does not call that quiet."""
    quiet.enter()
    quiet.page.wait_for_selector(".quiet.well")
    quiet.station.broker_connected = False
    quiet.page.wait_for_selector(".banner.trouble")
    quiet.page.wait_for_selector(".quiet.trouble")


# --- sound --------------------------------------------------------------------------------------
def test_page_without_sound_says_so_until_touched(busy: Visit) -> None:
    """The warning across the top goes with the first key, and only then the alarm sounds."""
    busy.enter()
    page = busy.page
    assert "Chưa bật âm thanh" in page.locator(".banner.no-sound").inner_text()
    assert 0 == page.evaluate("window.tones")
    page.keyboard.press("Shift")
    page.wait_for_selector(".banner.no-sound", state="detached")
    until(page, lambda: page.evaluate("window.tones") > 0, "no alarm after the touch")


def test_warning_sounds_again_until_somebody_takes_it(quiet: Visit) -> None:
    """The pattern of six tones repeats; after the acknowledgement no tone is added."""
    quiet.enter()
    page = quiet.page
    page.keyboard.press("Shift")
    page.wait_for_selector(".banner.no-sound", state="detached")
    quiet.station.put_alert(alert(1))
    until(page, lambda: page.evaluate("window.tones") >= 12, "the warning did not repeat")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.wait_for_selector(".row.acknowledged")
    heard = page.evaluate("window.tones")
    page.wait_for_timeout(4000)
    assert heard == page.evaluate("window.tones")


def test_muting_is_for_five_minutes_and_is_shown(busy: Visit) -> None:
    """S silences the page, the bar counts the time down, S again brings the sound back."""
    busy.enter()
    page = busy.page
    page.keyboard.press("s")
    page.wait_for_selector(".banner.no-sound", state="detached")
    until(page, lambda: "Tắt tiếng" in page.locator(".sound").inner_text(), "no countdown")
    heard = page.evaluate("window.tones")
    page.wait_for_timeout(4000)
    assert heard == page.evaluate("window.tones")
    page.keyboard.press("s")
    until(page, lambda: page.evaluate("window.tones") > heard, "the sound did not come back")
