"""What a guard meets: every claim of the page, tried in a real Chromium against a pretended station."""

import re
import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from tests.browser.conftest import Visit
from tests.browser.mock_station import LINK_TOKEN, PASSWORD, alert, lon_lat, node

pytestmark = pytest.mark.browser


def until(page: object, claim: Callable[[], bool], what: str, limit_s: float = 15.0) -> None:
    """Lets the page work until a claim holds; the limit is generous, the claim is what is tested."""
    end = time.monotonic() + limit_s
    while not claim():
        assert time.monotonic() < end, what
        page.wait_for_timeout(100)


def verbs(visit: Visit) -> list[tuple[str, str]]:
    return [(alert_id[-1], verb) for alert_id, verb, _ in visit.station.acts]


def chosen_text(visit: Visit) -> str:
    return visit.page.locator(".row.chosen .head").inner_text()


# --- entering -------------------------------------------------------------------------------------
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


# --- the promise of being closed ------------------------------------------------------------------
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


# --- silence is information -----------------------------------------------------------------------
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


# --- sound ----------------------------------------------------------------------------------------
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


# --- acts by key ----------------------------------------------------------------------------------
def test_keys_walk_through_the_ranked_list(busy: Visit) -> None:
    """J and K step from the gravest alert down and back."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    assert "KHẨN CẤP · Nhóm 4 người" in chosen_text(busy)
    page.keyboard.press("j")
    assert "CAO" in chosen_text(busy)
    page.keyboard.press("k")
    assert "KHẨN CẤP" in chosen_text(busy)
    assert page.evaluate("document.activeElement.classList.contains('head')")


def test_acknowledge_by_key_is_shown_and_in_the_history(busy: Visit) -> None:
    """A takes the alert once; the state, the name and the act stand on the card."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.keyboard.press("a")
    page.wait_for_selector(".row.chosen.acknowledged")
    assert [("1", "acknowledge")] == verbs(busy)
    assert "Tiếp nhận · An" in page.locator(".row.chosen .acts").inner_text()


def test_dispatch_names_a_team_and_remembers_it(busy: Visit) -> None:
    """D asks for the team, Enter sends it, and the next time it is one touch away."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.wait_for_selector("dialog input:focus")
    page.keyboard.type("Tổ tuần tra 1")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog", state="detached")
    assert ("1", "assign") == verbs(busy)[0]
    assert "Tổ tuần tra 1" == busy.station.acts[0][2]["team"]
    page.keyboard.press("d")
    page.wait_for_selector("dialog .choices button")
    assert "Tổ tuần tra 1" in page.locator("dialog .choices").inner_text()


def test_local_people_closes_in_one_act_and_can_be_undone(busy: Visit) -> None:
    """F closes at once and moves on; Z within ten seconds reopens with a reason."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.keyboard.press("f")
    page.wait_for_selector(".toast")
    assert [("1", "close")] == verbs(busy)
    assert "local_people" == busy.station.acts[0][2]["outcome"]
    assert "CAO" in chosen_text(busy)
    page.keyboard.press("z")
    page.wait_for_selector(".toast", state="detached")
    assert [("1", "close"), ("1", "reopen")] == verbs(busy)
    assert busy.station.acts[1][2]["note"]
    until(page, lambda: "KHẨN CẤP" in chosen_text(busy), "the undone alert is not selected")


def test_undo_ends_after_ten_seconds(busy: Visit) -> None:
    """The offer goes away by itself and Z does nothing any more."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.keyboard.press("f")
    page.wait_for_selector(".toast")
    page.wait_for_selector(".toast", state="detached")
    page.keyboard.press("z")
    page.wait_for_timeout(300)
    assert [("1", "close")] == verbs(busy)


def test_close_asks_for_the_outcome(busy: Visit) -> None:
    """C opens the chooser; a digit and Enter are enough; nothing is sent without a choice."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Enter")
    assert [] == busy.station.acts
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog", state="detached")
    assert [("1", "close")] == verbs(busy)
    assert "animal" == busy.station.acts[0][2]["outcome"]


def test_closed_alert_is_reopened_with_a_reason(busy: Visit) -> None:
    """The diary of closed alerts is one touch away, and reopening wants a reason."""
    busy.enter()
    page = busy.page
    page.locator(".closed > summary").click()
    page.locator(".row.closed .head").first.click()
    page.keyboard.press("c")
    page.wait_for_selector("dialog input:focus")
    page.keyboard.type("Thấy lại dấu chân")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog", state="detached")
    assert [("5", "reopen")] == verbs(busy)


def test_typing_never_acts(busy: Visit) -> None:
    """Letters in the search field are letters, also those that are keys elsewhere."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.keyboard.press("/")
    page.keyboard.type("fadczs")
    page.wait_for_timeout(300)
    assert [] == busy.station.acts
    assert "fadczs" == page.locator("#search").input_value()
    page.keyboard.press("Escape")
    assert "" == page.locator("#search").input_value()


def test_role_that_may_not_handle_is_offered_no_acts(busy: Visit) -> None:
    """A technician sees the card and its reasons, has no buttons, and no key acts."""
    busy.station.role = "technician"
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.wait_for_selector(".card")
    page.keyboard.press("a")
    page.keyboard.press("f")
    page.wait_for_timeout(300)
    assert 0 == page.locator(".buttons").count()
    assert [] == busy.station.acts


def test_refusal_of_the_station_is_shown_in_its_words(busy: Visit) -> None:
    """An act on an alert that the station no longer knows tells why it did not happen."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    busy.station.alerts.clear()
    page.keyboard.press("a")
    page.wait_for_selector(".toast.error")
    assert "Trạm từ chối" in page.locator(".toast.error").inner_text()


# --- finding, languages ---------------------------------------------------------------------------
def test_search_ignores_diacritics_in_alerts_and_places(busy: Visit) -> None:
    """Typed "nhom 4" finds "Nhóm 4 người"; "ha tien" finds the town, "moc 309" the marker."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("/")
    page.keyboard.type("nhom 4")
    until(page, lambda: page.locator(".row").count() == 1, "the list is not narrowed")
    for typed, found in (("ha tien", "Hà Tiên"), ("moc 309", "Mốc 309")):
        page.fill("#search", typed)
        assert found in page.locator(".spots").inner_text()


def test_language_switch_is_whole_and_remembered(busy: Visit) -> None:
    """Vietnamese first; English after L, also for sentences, and still after a reload."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    assert "vi" == page.evaluate("document.documentElement.lang")
    assert "Cách mốc 314 khoảng 57 m về hướng Đông" in page.locator(".row").first.inner_text()
    page.keyboard.press("l")
    assert "east of marker 314" in page.locator(".row").first.inner_text()
    assert "SIMULATION, NOT REAL" in page.locator(".banner.simulated").inner_text()
    page.reload()
    page.wait_for_selector(".row")
    assert "en" == page.evaluate("document.documentElement.lang")


def test_simulated_data_wear_the_banner_and_real_data_do_not(quiet: Visit) -> None:
    """The banner stands while anything is simulated, and only then."""
    quiet.enter()
    assert "ĐANG MÔ PHỎNG, KHÔNG PHẢI THỰC TẾ" == (
        quiet.page.locator(".banner.simulated").inner_text()
    )
    quiet.station.simulated = False
    for known in list(quiet.station.nodes.values()):
        quiet.station.put_node(known.model_copy(update={"simulated": False}))
    quiet.page.reload()
    quiet.page.wait_for_selector(".quiet.well")
    assert 0 == quiet.page.locator(".banner.simulated").count()


def test_about_names_licence_source_and_map_data(quiet: Visit) -> None:
    """The licence's duty and the map's owners are two touches away."""
    quiet.enter()
    quiet.page.get_by_label("Giới thiệu").click()
    said = quiet.page.locator("dialog").inner_text()
    for word in ("AGPL-3.0-or-later", "© OpenStreetMap contributors", "GeoNames"):
        assert word in said
    assert "/api/v1/source" == quiet.page.locator("dialog a").get_attribute("href")


def test_coordinates_are_given_in_every_system_of_the_border(busy: Visit) -> None:
    """WGS 84, VN-2000 with north and east named, and MGRS stand on the card."""
    busy.enter()
    page = busy.page
    page.wait_for_selector(".row")
    page.keyboard.press("j")
    page.get_by_text("Tọa độ", exact=True).click()
    said = page.locator(".coordinates").inner_text()
    assert "10.423" in said
    assert "X (Bắc) 11526" in said
    assert re.search(r"48P VS \d{5} \d{5}", said)


# --- map ------------------------------------------------------------------------------------------
def red_spot(visit: Visit) -> tuple[float, float] | None:
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


# --- hands and eyes -------------------------------------------------------------------------------
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
