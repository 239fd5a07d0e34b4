"""Every route of the application walked: none is open, or changes something, by oversight."""

import io
import re
import tarfile

import httpx
import pytest
from fastapi.routing import APIRoute

from ground_station.api_base import COOKIE
from ground_station.api_events import MAX_LISTENERS_EACH
from tests.station_kit import ulid

pytestmark = pytest.mark.anyio
PASSWORD = "một câu dài dễ nhớ"
OPEN_ROUTES = {
    ("GET", "/"),
    ("GET", "/metrics"),  # has a rule of its own: loopback only
    ("GET", "/api/v1/about"),
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/source"),
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/login/link"),
}
LOGIN_ROUTES = {route for route in OPEN_ROUTES if route[0] == "POST"}
FILLED = {"node_id": "mast-1", "alert_id": ulid(1), "media_id": ulid(1), "command_id": ulid(1)}


@pytest.fixture
def anyio_backend():
    return "asyncio"


def routes_of(router):
    """(method, path) of each route, also of routers that are included whole."""
    found = set()
    for route in router.routes:
        if isinstance(route, APIRoute):
            found |= {(method, route.path) for method in route.methods}
        elif hasattr(route, "original_router"):
            found |= routes_of(route.original_router)
    return found


@pytest.fixture
def routes(rig):
    """All routes, and a client that nobody has logged in."""
    app = rig.station.app._app
    found = routes_of(app)
    described = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    assert described <= found, "the walk misses routes that the document describes"
    return found


@pytest.fixture
def client(rig):
    transport = httpx.ASGITransport(rig.station.app, client=("127.0.0.1", 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


async def answers(client, routes):
    """Status and kind of problem of each route, called with an empty body."""
    found = {}
    for method, path in sorted(routes):
        body = {} if method == "POST" else None
        answer = await client.request(method, path.format(**FILLED), json=body)
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        found[method, path] = answer.status_code, problem.get("type", "")
    return found


async def test_every_route_but_the_stated_ones_wants_a_login(routes, client):
    """Whoever adds a route without a login adds it to the list above, and says why."""
    found = await answers(client, routes - OPEN_ROUTES)
    assert ("GET", "/basemap/site.pmtiles") in found
    assert {} == {route: got for route, got in found.items() if got[0] != 401}


async def test_every_post_but_a_login_wants_the_token_of_the_page(rig, routes, client):
    """An administrator's cookie alone, as another site would send it, changes nothing."""
    rig.station.people.add_user(
        name="hoa", display_name="Hoa", role="administrator", password=PASSWORD, actor="test"
    )
    login = await client.post("/api/v1/login", json={"user": "hoa", "password": PASSWORD})
    assert (200, True) == (login.status_code, COOKIE in client.cookies)
    posts = {route for route in routes if route[0] != "GET"} - LOGIN_ROUTES
    found = await answers(client, posts)
    assert ("POST", "/api/v1/nodes/{node_id}/still") in found
    refused = {route: got for route, got in found.items() if got[0] == 403 and "csrf" in got[1]}
    assert found == refused


async def test_one_person_cannot_take_the_event_streams_of_the_others(rig, client):
    """Whoever opens too many pages is told so; the places of the other guards stay free."""
    for name in ("thu", "ky"):
        rig.station.people.add_user(
            name=name, display_name=name, role="guard", password=PASSWORD, actor="test"
        )
    hub = rig.station.hub
    keys = [hub.listen(lambda: None, who="thu") for _ in range(MAX_LISTENERS_EACH)]
    await client.post("/api/v1/login", json={"user": "thu", "password": PASSWORD})
    refused = await client.get("/api/v1/events")
    assert (503, "close a page") == (refused.status_code, refused.json()["next_step"])
    assert f"{MAX_LISTENERS_EACH} pages of thu" in refused.json()["detail"]
    assert [MAX_LISTENERS_EACH, 0] == [hub.listeners_of("thu"), hub.listeners_of("ky")]
    hub.close()  # the stream of who is let in ends at once
    await client.post("/api/v1/login", json={"user": "ky", "password": PASSWORD})
    assert 200 == (await client.get("/api/v1/events")).status_code
    hub.leave(keys[0])
    await client.post("/api/v1/login", json={"user": "thu", "password": PASSWORD})
    assert 200 == (await client.get("/api/v1/events")).status_code


async def test_the_given_source_can_be_built(client):
    """Every script that the Makefile calls is in the archive and may run; npm finds its settings."""
    answer = await client.get("/api/v1/source")
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        modes = {member.name.split("/", 1)[1]: member.mode for member in tar}
        makefile = next(name for name in tar.getnames() if name.endswith("/Makefile"))
        called = set(re.findall(r"\.ci/[a-z-]+", tar.extractfile(makefile).read().decode()))
    assert ".ci/npm" in called
    assert dict.fromkeys(called, 0o755) == {name: modes.get(name) for name in called}
    assert {"ground_station/web/.npmrc", "docs/administrator.md"} <= set(modes)
