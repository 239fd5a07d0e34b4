"""A guard acts: every key, every refusal, and finding what is searched for."""

import re

import pytest

from tests.browser.conftest import Visit
from tests.browser.helpers import chosen_text, until, verbs

pytestmark = pytest.mark.browser


# --- acts by key --------------------------------------------------------------------------------
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


# --- finding, languages -------------------------------------------------------------------------
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
