"""The HTTP side: who may do what, what comes back, and errors that explain themselves."""

import asyncio
import json

import httpx
import pytest
import sqlalchemy as sa
import uvicorn

from ground_station.api import CONTENT_SECURITY_POLICY
from ground_station.api_events import _stream, event_text
from ground_station.app import serve
from ground_station.store import StoreUnavailable, chain, incidents
from ground_station.store import people as people_rows
from tests.station_kit import JPEG, START, Speaker, at, crossing, ulid

PASSWORD = "một câu dài dễ nhớ"


class Browser:
    """A client with a cookie jar and the login's token."""

    def __init__(self, rig, *, address="127.0.0.1"):
        transport = httpx.ASGITransport(rig.station.app, client=(address, 40000))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")
        self.csrf = ""

    async def login(self, user="thu", password=PASSWORD):
        answer = await self.http.post("/api/v1/login", json={"user": user, "password": password})
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf_token"]
        return answer

    async def get(self, path, **more):
        return await self.http.get(path, **more)

    async def post(self, path, body=None, **headers):
        return await self.http.post(
            path, json=body or {}, headers={"X-CSRF-Token": self.csrf} | headers
        )


@pytest.fixture
def anyio_backend():
    return "asyncio"


pytestmark = pytest.mark.anyio


@pytest.fixture
def busy(rig):
    """A station with one guard and one crossing on its map."""
    people = rig.station.people
    people.add_user(name="thu", display_name="Thu", role="guard", password=PASSWORD, actor="test")
    people.add_user(
        name="ky", display_name="Kỹ", role="technician", password=PASSWORD, actor="test"
    )
    speaker = Speaker()
    rig.say(speaker.birth(at(0)), speaker.state(at(0)))
    rig.clock.advance(22.5)
    rig.say(*[speaker.obs(body, at(t_s + 0.5)) for t_s, body in list(crossing(track=1))[:45]])
    rig.say(speaker.crop(track=1, t_utc=rig.clock.utc()))
    return rig


def alert_of(rig):
    with rig.store.read() as tx:
        return incidents.list_alerts(tx, open_only=None, limit=10)[0]


async def test_nobody_states_his_own_address_in_a_header(rig, monkeypatch):
    """The server is set up to believe the connection alone, so waits cannot be dodged."""
    found = []

    class Seen(Exception):
        pass

    def config(_app, **settings):
        found.append(uvicorn_config(_app, **settings).proxy_headers)
        raise Seen

    uvicorn_config = uvicorn.Config
    monkeypatch.setattr(uvicorn, "Config", config)
    with pytest.raises(Seen):
        serve(rig.station, rig.config, None)
    assert [False] == found


async def test_everything_but_health_and_about_needs_a_login(rig):
    """Without a login there is a 401 that says what to do."""
    browser = Browser(rig)
    found = {}
    for path in (
        "nodes",
        "targets",
        "alerts",
        "site",
        "session",
        "events",
        f"media/{ulid(1)}",
        f"alerts/{ulid(1)}",
        f"commands/{ulid(1)}",
    ):
        found[path] = (await browser.get(f"/api/v1/{path}")).status_code  # fmt: skip
    assert {401} == set(found.values()), found
    problem = await browser.get("/api/v1/nodes")
    assert "application/problem+json" == problem.headers["content-type"]
    assert "POST /api/v1/login" == problem.json()["next_step"]
    assert 200 == (await browser.get("/api/v1/about")).status_code
    assert 200 == (await browser.get("/api/v1/health")).status_code


async def test_guard_handles_an_alert_from_raised_to_closed_and_back(busy):
    """Each act is a revision, an act with the name, and a row of the audit."""
    browser = Browser(busy)
    assert 200 == (await browser.login()).status_code
    alerts = (await browser.get("/api/v1/alerts", params={"open": True})).json()
    path = f"/api/v1/alerts/{alerts[0]['alert_id']}"
    states = []
    for act, body in (
        ("acknowledge", {}),
        ("assign", {"team": "Tổ 2"}),
        ("close", {"outcome": "local_people", "note": "đi lấy củi"}),
        ("reopen", {"note": "nhầm"}),
    ):
        answer = await browser.post(f"{path}/{act}", body)
        assert 200 == answer.status_code, answer.text
        states.append((answer.json()["state"], answer.json()["acts"][-1]["by"]))
    assert ["acknowledged", "assigned", "closed"] == [state for state, _ in states[:3]]
    assert "closed" != states[3][0]
    assert {"thu"} == {by for _, by in states}
    with busy.store.read() as tx:
        acts = [row.act for row in chain.rows(tx) if row.subject == alerts[0]["alert_id"]]
        assert "" == chain.verify(tx).problem
    assert ["alert.acknowledged", "alert.assigned", "alert.closed", "alert.reopened"] == [
        act for act in acts if act.split(".")[1] in
        {"acknowledged", "assigned", "closed", "reopened"}
    ]  # fmt: skip


async def test_post_without_the_token_of_the_page_changes_nothing(busy):
    """Somebody else's page cannot act with the guard's cookie."""
    browser = Browser(busy)
    await browser.login()
    browser.csrf = "guessed"
    answer = await browser.post(f"/api/v1/alerts/{alert_of(busy).alert_id}/acknowledge")
    assert (403, "X-CSRF-Token") == (answer.status_code, answer.json()["field"])
    assert "raised" == alert_of(busy).state


async def test_cookie_is_out_of_reach_of_scripts_and_other_sites(busy):
    """HttpOnly, SameSite=Strict, and no token in the answer's body."""
    answer = await Browser(busy).login()
    cookie = answer.headers["set-cookie"]
    token = cookie.split("bw_session=")[1].split(";")[0]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert token not in answer.text


async def test_technician_looks_but_does_not_close(busy):
    """Roles are held at the station, not in the page."""
    browser = Browser(busy)
    await browser.login("ky")
    answer = await browser.post(
        f"/api/v1/alerts/{alert_of(busy).alert_id}/close", {"outcome": "nothing"}
    )
    assert (403, "role") == (answer.status_code, answer.json()["field"])
    assert 200 == (await browser.get("/api/v1/nodes")).status_code


async def test_wrong_passwords_cost_time_and_say_nothing(busy):
    """After five failures even the right password waits; other addresses do not."""
    browser = Browser(busy)
    wrong = [(await browser.login("thu", "falsch")) for _ in range(5)]
    nobody = await browser.login("nobody", "falsch")
    assert {401} == {answer.status_code for answer in wrong} | {nobody.status_code}
    assert wrong[0].json() == nobody.json()
    blocked = await browser.login()
    assert (429, True) == (blocked.status_code, int(blocked.headers["retry-after"]) > 0)
    assert 200 == (await Browser(busy, address="127.0.0.2").login()).status_code
    busy.clock.advance(61.0)
    assert 200 == (await browser.login()).status_code


async def test_login_ends_by_time_by_logout_and_by_new_password(busy):
    """Nobody stays logged in for ever."""
    browser, other, third = Browser(busy), Browser(busy), Browser(busy)
    for one in (browser, other, third):
        await one.login()
    assert 204 == (await browser.post("/api/v1/logout")).status_code
    assert 401 == (await browser.get("/api/v1/session")).status_code
    busy.station.people.set_password(name="thu", password="eine andere lange", actor="test")
    assert 401 == (await other.get("/api/v1/session")).status_code
    await third.login("thu", "eine andere lange")
    assert 200 == (await third.get("/api/v1/session")).status_code
    busy.clock.advance(12 * 3600.0)
    assert 401 == (await third.get("/api/v1/session")).status_code


async def test_full_disk_does_not_lock_the_guards_out(busy, monkeypatch):
    """The mark that a login was used cannot be written: the guard goes on watching."""
    browser = Browser(busy)
    await browser.login()
    busy.clock.advance(120.0)

    def full_disk(_tx, _token, *, t_now_utc):
        raise sa.exc.OperationalError("UPDATE", {}, Exception(f"disk is full at {t_now_utc}"))

    monkeypatch.setattr(people_rows, "touch_session", full_disk)
    assert 200 == (await browser.get("/api/v1/alerts")).status_code


async def test_link_logs_in_once_within_the_hour_from_this_machine(busy):
    """The demonstration's door shuts behind who came in."""
    people = busy.station.people
    token = people.make_link(name="thu", actor="test")
    far = Browser(busy, address="10.0.0.9")
    assert 403 == (await far.http.post("/api/v1/login/link", json={"token": token})).status_code
    browser = Browser(busy)
    answers = [
        (await browser.http.post("/api/v1/login/link", json={"token": token})).status_code
        for _ in range(2)
    ]
    assert [200, 401] == answers
    old = people.make_link(name="thu", actor="test")
    busy.clock.advance(3601.0)
    assert 401 == (await browser.http.post("/api/v1/login/link", json={"token": old})).status_code


async def test_repeated_request_with_one_key_acts_once(busy):
    """A button that was pressed twice is one act; the key cannot be used for another one."""
    browser = Browser(busy)
    await browser.login()
    path = f"/api/v1/alerts/{alert_of(busy).alert_id}"
    key = {"Idempotency-Key": "0123456789abcdef"}
    first = await browser.post(f"{path}/close", {"outcome": "animal"}, **key)
    again = await browser.post(f"{path}/close", {"outcome": "animal"}, **key)
    other = await browser.post(f"{path}/reopen", {"note": "x"}, **key)
    assert (200, first.json()) == (again.status_code, again.json())
    assert (422, "Idempotency-Key") == (other.status_code, other.json()["field"])
    assert "closed" == alert_of(busy).state


async def test_act_that_does_not_fit_is_a_conflict_with_a_next_step(busy):
    """Closing twice with another outcome is refused, an unknown alert is not found."""
    browser = Browser(busy)
    await browser.login()
    path = f"/api/v1/alerts/{alert_of(busy).alert_id}"
    await browser.post(f"{path}/close", {"outcome": "animal"})
    conflict = await browser.post(f"{path}/acknowledge")
    assert (409, True) == (conflict.status_code, bool(conflict.json()["next_step"]))
    missing = await browser.post(f"/api/v1/alerts/{ulid(5)}/acknowledge")
    assert 404 == missing.status_code
    wrong = await browser.post(f"{path}/close", {"outcome": "hostile"})
    assert (422, "body.outcome") == (wrong.status_code, wrong.json()["field"])


async def test_picture_of_the_track_stands_at_its_alert(busy):
    """The best crop joins the alert and is served as it was taken."""
    browser = Browser(busy)
    await browser.login()
    alert = alert_of(busy)
    assert 1 == len(alert.media_ids)
    answer = await browser.get(f"/api/v1/media/{alert.media_ids[0]}")
    assert (200, "image/jpeg", JPEG) == (
        answer.status_code,
        answer.headers["content-type"],
        answer.content,
    )
    assert 404 == (await browser.get(f"/api/v1/media/{ulid(77)}")).status_code


async def test_nodes_targets_and_site_are_what_the_wire_said(busy):
    """Names, cameras and the person's place come out as they went in."""
    browser = Browser(busy)
    await browser.login()
    node = (await browser.get("/api/v1/nodes")).json()[0]
    assert ("mast-1", "Cột 1", "online") == (node["node_id"], node["name"], node["state"])
    assert ["cam-1"] == [one["sensor_id"] for one in node["sensors"]]
    targets = (await browser.get("/api/v1/targets")).json()
    assert [("Human", True)] == [
        (one["object_class"], one["signed_distance_to_line_m"] > 3.0) for one in targets
    ]
    site = (await browser.get("/api/v1/site")).json()
    assert ("ha-tien", int(START.timestamp()), False) == (
        site["site_id"], site["zones_version"], site["authoritative"]
    )  # fmt: skip
    assert "not authoritative" in site["notice_en"]


async def test_still_is_audited_before_it_is_sent_and_refused_for_unknown_cameras(busy):
    """The command is signed, expires, and the node's answer is found again."""
    busy.station.people.add_user(
        name="op", display_name="", role="operator", password=PASSWORD, actor="test"
    )
    browser = Browser(busy)
    await browser.login("op")
    answer = await browser.post("/api/v1/nodes/mast-1/still", {"sensor_id": "cam-1"})
    assert (202, "SENT") == (answer.status_code, answer.json()["status"])
    sent = busy.wire.sent("cmd")[0]
    assert (False, 30) == (sent.retain, sent.expiry_s)
    command_id = answer.json()["command_id"]
    busy.say(Speaker(first_id=900, first_seq=900).ack(command_id, busy.clock.utc(), "COMPLETED"))
    assert "COMPLETED" == (await browser.get(f"/api/v1/commands/{command_id}")).json()["status"]
    unknown = await browser.post("/api/v1/nodes/mast-1/still", {"sensor_id": "cam-9"})
    assert 404 == unknown.status_code
    busy.wire.connected = False
    unsent = await browser.post("/api/v1/nodes/mast-1/still", {"sensor_id": "cam-1"})
    assert "NOT_SENT" == unsent.json()["status"]


async def test_every_answer_carries_the_security_headers(rig):
    """Nothing is loaded from outside, framed, or sniffed."""
    browser = Browser(rig)
    for path in ("/", "/api/v1/about", "/api/v1/nodes", "/nothing", "/api/openapi.json"):
        headers = (await browser.get(path)).headers
        assert CONTENT_SECURITY_POLICY == headers["content-security-policy"], path
        assert "nosniff" == headers["x-content-type-options"]
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


async def test_foreign_host_name_and_endless_body_are_refused(rig):
    """A page that rebinds its own name to loopback gets nothing."""
    browser = Browser(rig)
    answer = await browser.get("/api/v1/about", headers={"Host": "evil.example"})
    assert (400, "Host") == (answer.status_code, answer.json()["field"])
    large = await browser.http.post("/api/v1/login", content=b"x" * 70_000)
    assert 400 == large.status_code

    async def endless():
        for _ in range(100):
            yield b" " * 1000

    chunked = await browser.http.post(
        "/api/v1/login", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert chunked.status_code in {400, 422}


async def test_fault_of_the_station_is_a_problem_without_secrets(busy, monkeypatch):
    """Nobody is shown a traceback; the log has it."""

    def broken():
        raise RuntimeError("geheim")

    monkeypatch.setattr(busy.station.desk, "nodes", broken)
    transport = httpx.ASGITransport(
        busy.station.app, client=("127.0.0.1", 1), raise_app_exceptions=False
    )
    browser = Browser(busy)
    await browser.login()
    browser.http._transport = transport
    answer = await browser.get("/api/v1/nodes")
    assert (500, "urn:border-watch:broken") == (answer.status_code, answer.json()["type"])
    assert "geheim" not in answer.text


async def test_health_says_what_is_missing(rig):
    """Without the broker the station is degraded, with 503 for whoever watches it."""
    browser = Browser(rig)
    rig.wire.connected = False
    answer = await browser.get("/api/v1/health")
    assert (503, "degraded", False) == (
        answer.status_code,
        answer.json()["status"],
        answer.json()["broker_connected"],
    )


async def test_metrics_have_one_prefix_and_stay_on_this_machine(busy):
    """OpenMetrics with the counters of ingest and the decision core."""
    answer = await Browser(busy).get("/metrics")
    lines = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    assert [] == [line for line in lines if not line.startswith("bw_")]
    assert "bw_observations_committed_total 45.0" in lines
    assert "bw_open_alerts 1.0" in lines
    assert 403 == (await Browser(busy, address="10.0.0.9").get("/metrics")).status_code


async def test_source_of_the_running_version_is_given_to_everybody(rig):
    """The archive holds this very program, and nothing of the site."""
    import io
    import tarfile

    answer = await Browser(rig).get("/api/v1/source")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        names = {name.split("/", 1)[1] for name in tar.getnames()}
    assert {"ground_station/api.py", "wire/topics.py", "edge/config.py", "setup.cfg"} <= names
    assert [] == [name for name in names if name.endswith((".key", ".sqlite3", ".onnx"))]


async def test_events_resume_where_the_page_stopped(busy):
    """After a pause the page gets what it missed; after a long one it is told to start over."""
    hub = busy.station.hub

    async def first_events(after, wanted):
        text, stream = "", _stream(busy.station.app._app.state.parts, "", after)
        async for piece in stream:
            text += piece
            if text.count("event: ") >= wanted:
                break
        await stream.aclose()
        return [line[7:] for line in text.splitlines() if line.startswith("event: ")]

    newest = hub.newest
    busy.step(2.0)
    missed = [event.name for event in hub.after(newest)]
    assert "station" in missed
    assert missed == await first_events(newest, len(missed))
    assert ["resync"] == await first_events(12, 1)
    assert ["resync"] == await first_events(newest + 10**6, 1)
    assert 0 == hub.listeners


async def test_event_stream_outlives_a_store_that_is_away(busy, monkeypatch):
    """When the login cannot be checked the page is not cut off."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    def away(_token):
        loop.call_soon_threadsafe(asked.set)
        raise StoreUnavailable("disk full", retry_after_s=1.0)

    monkeypatch.setattr(busy.station.people, "session", away)
    stream = _stream(busy.station.app._app.state.parts, "", busy.station.hub.newest)
    assert "retry: 2000\n\n" == await anext(stream)
    busy.step(2.0)
    assert "event: station" in await anext(stream)
    busy.clock.advance(120.0)
    waiting = asyncio.ensure_future(anext(stream))
    await asked.wait()
    busy.step(2.0)
    assert "event: station" in await waiting
    await stream.aclose()


async def test_alert_event_carries_the_whole_view(busy):
    """What the stream says is what the API says."""
    events = [one for one in busy.station.hub._ring if one.name == "alert"]
    view = json.loads(events[-1].data)
    stored = alert_of(busy).model_dump(mode="json")
    assert stored["alert_id"] == view["alert_id"]
    assert stored["sentence_vi"] == view["sentence_vi"]
    text = event_text(events[-1])
    assert text.startswith(f"id: {events[-1].number}\nevent: alert\ndata: {{")
    assert text.endswith("}\n\n")
