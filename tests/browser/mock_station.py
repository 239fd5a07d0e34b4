"""A station that says what a test tells it to: the built page, canned live data, the station's own shapes.

Every answer is made from ground_station.views, so that the page is tried against the real contract.
`mock_world` fills it and can be run by hand to look at the page.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from geo.frames import EnuFrame, GeodeticPoint
from ground_station import views

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "ground_station" / "static"
SITE = ROOT / "simulations" / "sites" / "ha_tien"
MARKER_314_DEG = (104.440722, 10.423528)
LINK_TOKEN = "one-time-token-of-the-mock"
PASSWORD = "correct horse"
# What the real station may send at the most strict; the page must live with it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def rfc3339(t: datetime) -> str:
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03d}Z"


def now() -> datetime:
    return datetime.now(timezone.utc)


def lon_lat(east_m: float, north_m: float) -> tuple[float, float]:
    frame = EnuFrame(GeodeticPoint(lon_deg=MARKER_314_DEG[0], lat_deg=MARKER_314_DEG[1]))
    lon, lat, _ = frame.to_geodetic(np.array([[east_m, north_m, 0.0]]))[0]
    return float(lon), float(lat)


def crop_jpeg() -> bytes:
    """A drawn evening crop: enough of a picture to judge the card by."""
    rng = np.random.default_rng(7)
    image = np.full((190, 150, 3), (64, 72, 70), np.uint8)
    image[70:] = (50, 66, 62)
    image = np.clip(image + rng.normal(0, 7, image.shape), 0, 255).astype(np.uint8)
    cv2.ellipse(image, (75, 52), (10, 13), 0, 0, 360, (120, 140, 160), -1, cv2.LINE_AA)
    cv2.fillPoly(image, [np.array([[58, 66], [92, 66], [88, 118], [62, 118]])], (92, 80, 74))
    for x in (66, 84):
        cv2.line(image, (x, 116), (x - 4, 172), (60, 56, 52), 11, cv2.LINE_AA)
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


@dataclass
class MockStation:
    """State of the pretended world; tests change it and `tell` the page."""

    nodes: dict[str, views.NodeView] = field(default_factory=dict)
    vehicles: dict[str, views.VehicleView] = field(default_factory=dict)
    targets: dict[str, views.TargetView] = field(default_factory=dict)
    alerts: dict[str, views.AlertView] = field(default_factory=dict)
    acts: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    simulated: bool = True
    role: views.Role = "guard"
    login_hours: float = 8.0
    login_over: bool = False
    mute: bool = False
    broker_connected: bool = True
    streams_opened: list[str] = field(default_factory=list)
    _events: list[tuple[int, str, str]] = field(default_factory=list)
    _answers: dict[str, Any] = field(default_factory=dict)
    _number: int = 0
    url: str = ""

    # --- what a test does ---------------------------------------------------------------------
    def tell(self, event: str, view: views.View | dict[str, Any]) -> None:
        self._number += 1
        data = view if isinstance(view, dict) else view.model_dump(mode="json")
        self._events.append((self._number, event, json.dumps(data, ensure_ascii=False)))

    def put_node(self, node: views.NodeView) -> None:
        self.nodes[node.node_id] = node
        self.tell("node", node)

    def put_vehicle(self, vehicle: views.VehicleView) -> None:
        self.vehicles[f"{vehicle.node_id}/{vehicle.vehicle_id}"] = vehicle
        self.tell("vehicle", vehicle)

    def put_target(self, target: views.TargetView) -> None:
        self.targets[target.target_id] = target
        self.tell("target", target)

    def put_alert(self, alert: views.AlertView) -> None:
        self.alerts[alert.alert_id] = alert
        self.tell("alert", alert)

    def station(self) -> views.StationView:
        alive = [n for n in self.nodes.values() if n.state in ("online", "degraded")]
        cameras = [s for n in alive for s in n.sensors if s.status == "online"]
        ages = [n.last_word_age_s for n in self.nodes.values() if n.last_word_age_s is not None]
        return views.StationView(
            site_id="ha-tien",
            t_utc=rfc3339(now()),
            version="0.1.0",
            nodes_alive=len(alive),
            nodes_total=len(self.nodes),
            cameras_alive=len(cameras),
            cameras_total=sum(len(n.sensors) for n in self.nodes.values()),
            last_word_age_s=min(ages) if ages else None,
            open_alerts=sum(1 for a in self.alerts.values() if a.state != "closed"),
            on_watch=["Thượng úy Lê Văn An"],
            broker="mosquitto",
            broker_connected=self.broker_connected,
            simulated=self.simulated,
        )

    def site(self) -> views.SiteView:
        return views.SiteView(
            site_id="ha-tien",
            name_vi="Hà Tiên (minh họa)",
            name_en="Ha Tien (demonstration)",
            centre_lonlat=MARKER_314_DEG,
            time_zone="Asia/Ho_Chi_Minh",
            zones_version=1,
            authoritative=False,
            notice_vi="Bản minh họa, không có giá trị pháp lý về đường biên",
            notice_en="Demonstration, not authoritative",
            features=json.loads((SITE / "site.geojson").read_text(encoding="utf-8")),
            basemap_url="/api/v1/basemap.pmtiles",
            attribution=["© OpenStreetMap contributors", "GeoNames"],
            simulated=self.simulated,
        )

    def act(self, alert_id: str, verb: str, body: dict[str, Any]) -> views.AlertView:
        alert = self.alerts.get(alert_id)
        if alert is None:
            raise HTTPException(404)
        self.acts.append((alert_id, verb, body))
        words = {"acknowledge": "acknowledged", "assign": "assigned", "close": "closed"}
        detail = body.get("outcome") or body.get("team") or body.get("note", "")
        change: dict[str, Any] = {
            "state": words.get(verb, "raised"),
            "revision": alert.revision + 1,
            "acts": [
                *alert.acts,
                views.ActView(
                    t_utc=rfc3339(now()), act=words.get(verb, "reopened"), by="An", detail=detail
                ),
            ],
        }
        if verb == "acknowledge":
            change["acknowledged_by"] = "An"
        if verb == "assign":
            change["assigned_to"] = body["team"]
        if verb == "close":
            change |= {"outcome": body["outcome"], "closed_by": "An"}
        if verb == "reopen":
            change |= {"outcome": None, "closed_by": None}
        changed = alert.model_copy(update=change)
        self.put_alert(changed)
        return changed

    # --- what the page asks ---------------------------------------------------------------------
    def app(self) -> FastAPI:
        app = FastAPI()

        def session(request: Request) -> None:
            if self.login_over or request.cookies.get("bw_session") != "mock":
                raise HTTPException(401)

        @app.middleware("http")
        async def policy(request: Request, call_next: Any) -> Response:
            answer: Response = await call_next(request)
            answer.headers["Content-Security-Policy"] = POLICY
            return answer

        @app.exception_handler(HTTPException)
        async def problem(_request: Request, error: HTTPException) -> JSONResponse:
            body = views.Problem(
                type="about:blank",
                title="refused",
                status=error.status_code,
                detail=str(error.detail),
                next_step="log in again" if error.status_code == 401 else "",
            )
            return JSONResponse(
                body.model_dump(), error.status_code, media_type="application/problem+json"
            )

        def entered(response: Response) -> views.SessionView:
            response.set_cookie("bw_session", "mock", httponly=True, samesite="strict")
            return self._session()

        @app.post("/api/v1/login")
        async def login(body: views.LoginBody, response: Response) -> views.SessionView:
            if body.password != PASSWORD:
                raise HTTPException(401, "user or password is wrong")
            return entered(response)

        @app.post("/api/v1/login/link")
        async def link(body: views.LinkLoginBody, response: Response) -> views.SessionView:
            if body.token != LINK_TOKEN:
                raise HTTPException(401, "the link is used up")
            return entered(response)

        @app.post("/api/v1/logout")
        async def logout(response: Response) -> None:
            response.delete_cookie("bw_session")

        @app.get("/api/v1/session")
        async def who(request: Request) -> Response:
            # 204-free: a missing session is a plain answer of the contract, an error of 401.
            session(request)
            return JSONResponse(self._session().model_dump(mode="json"))

        @app.get("/api/v1/{name}")
        async def lists(name: str, request: Request) -> Any:
            if name == "events":
                session(request)
                last = request.headers.get("Last-Event-ID", "")
                self.streams_opened.append(last)
                return StreamingResponse(self._stream(request), media_type="text/event-stream")
            if name == "basemap.pmtiles":
                return FileResponse(SITE / "basemap.pmtiles")
            session(request)
            if name == "site":
                return self.site()
            if name in ("nodes", "vehicles", "targets", "alerts"):
                return list(getattr(self, name).values())
            raise HTTPException(404, f"nothing at {name}")

        @app.get("/api/v1/media/{media_id}")
        async def media(media_id: str, request: Request) -> Response:
            session(request)
            return Response(crop_jpeg(), media_type="image/jpeg")

        @app.post("/api/v1/alerts/{alert_id}/{verb}")
        async def act(alert_id: str, verb: str, request: Request) -> Any:
            session(request)
            key = request.headers.get("Idempotency-Key", "")
            if request.headers.get("X-CSRF-Token") != "token" or not key:
                raise HTTPException(403, "X-CSRF-Token or Idempotency-Key is missing")
            if key not in self._answers:
                body = await request.json()
                shapes = {
                    "acknowledge": views.AcknowledgeBody,
                    "assign": views.AssignBody,
                    "close": views.CloseBody,
                    "reopen": views.ReopenBody,
                }
                shapes[verb].model_validate(body)
                self._answers[key] = self.act(alert_id, verb, body)
            return self._answers[key]

        app.mount("/", StaticFiles(directory=STATIC, html=True))
        return app

    def _session(self) -> views.SessionView:
        return views.SessionView(
            user="an",
            display_name="Lê Văn An",
            role=self.role,
            csrf_token="token",
            expires_utc=rfc3339(now() + timedelta(hours=self.login_hours)),
        )

    async def _stream(self, request: Request) -> AsyncIterator[str]:
        told = self._number
        due = 0.0
        while not self.login_over and not await request.is_disconnected():
            if not self.mute:
                if time.monotonic() >= due:
                    due = time.monotonic() + 2.0
                    self._number += 1
                    yield f"id: {self._number}\nevent: station\ndata: {self.station().model_dump_json()}\n\n"
                for number, event, data in list(self._events):
                    if number > told:
                        yield f"id: {number}\nevent: {event}\ndata: {data}\n\n"
                        told = number
            await asyncio.sleep(0.05)

    # --- running ------------------------------------------------------------------------------
    def serve(self) -> "Running":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = uvicorn.Config(
            self.app(), host="127.0.0.1", port=port, log_level="critical", lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the mock station did not start")
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port}"
        return Running(server, thread)


@dataclass
class Running:
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join(10.0)
