"""A small site, a node that speaks the wire, a transport without a network, and a station as a process."""

import base64
import hashlib
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import deque
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ground_station.transport import Arrived, Outgoing
from runtime.clock import ManualClock
from wire import codec, topics
from wire.commands import CommandAck
from wire.envelope import Envelope
from wire.messages import (
    Birth,
    CameraHealth,
    Crop,
    Health,
    Media,
    Observation,
    OutboxHealth,
    SensorDescription,
    State,
)
from wire.values import ClockStamp, Position, VelocityEnu

ROOT = Path(__file__).resolve().parent.parent
SITE_ID = "ha-tien"
START = datetime(2026, 11, 23, 19, 40, tzinfo=timezone.utc)
LON, LAT = 104.45, 10.42
DEG_PER_M_LAT = 1.0 / 110_600.0
DEG_PER_M_LON = 1.0 / (111_320.0 * math.cos(math.radians(LAT)))
SESSION = "01HF7YAT31JZHSMW1CG6Q6MHB7"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def lon_lat(east_m: float, north_m: float) -> tuple[float, float]:
    return LON + east_m * DEG_PER_M_LON, LAT + north_m * DEG_PER_M_LAT


def ulid(number: int, stamp: int = 0x18BFE00000) -> str:
    value = (stamp << 80) | number
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


def site_geojson() -> dict[str, object]:
    """A line of 1 km from west to east, 0.5 m sure; ours is the south."""
    line = {
        "role": "line",
        "our_side": "right",
        "source": "test",
        "date": "2026-11-23",
        "datum": "WGS84",
        "segments": [{"accuracy_sigma_m": 0.5, "status": "demarcated"}],
    }
    marker = {"role": "marker", "number": "309", "kind": "main", "status": "sample"}
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": line,
                "geometry": {
                    "type": "LineString",
                    "coordinates": [list(lon_lat(-500, 0)), list(lon_lat(500, 0))],
                },
            },
            {
                "type": "Feature",
                "properties": marker,
                "geometry": {"type": "Point", "coordinates": list(lon_lat(0, 0))},
            },
        ],
    }


def write_site(folder: Path) -> Path:
    path = folder / "site.geojson"
    path.write_text(json.dumps(site_geojson()))
    return path


def observation(
    *,
    track: int,
    phase: str = "update",
    key: bool = False,
    east_m: float = 0.0,
    north_m: float = 30.0,
    north_m_s: float = -1.5,
    sensor_id: str = "cam-1",
) -> Observation:
    lon, lat = lon_lat(east_m, north_m)
    return Observation(
        track_id=ulid(track, 0x18BFD00000),
        phase=phase,
        key=key or phase != "update",
        sensor_id=sensor_id,
        object_class="Human",
        confidence=0.9,
        box_px=(100.0, 100.0, 140.0, 200.0),
        frame_size_px=(960, 540),
        position=Position(
            lon_deg=lon,
            lat_deg=lat,
            alt_hae_m=0.0,
            cov_enu_m2=((0.05, 0.0), (0.0, 0.05)),
            cov_bias_enu_m2=((0.01, 0.0), (0.0, 0.01)),
            ce90_m=0.48,
            method="plane",
        ),
        velocity_enu_m_s=VelocityEnu(east_m_s=0.0, north_m_s=north_m_s, sigma_m_s=0.3),
        pixel_height_px=100.0,
    )


def crossing(*, track: int, steps: int = 60, step_s: float = 0.5, speed_m_s: float = 1.5):
    """(seconds, observation) of one person who walks from 25 m north to the south, towards us."""
    for index in range(steps):
        t_s = index * step_s
        phase = "new" if index == 0 else "end" if index == steps - 1 else "update"
        yield (
            t_s,
            observation(
                track=track, phase=phase, north_m=25.0 - speed_m_s * t_s, north_m_s=-speed_m_s
            ),
        )


class Speaker:
    """A node's side of the wire: envelopes with ids and running numbers."""

    def __init__(
        self,
        node_id: str = "mast-1",
        *,
        session: str = SESSION,
        simulated: bool = False,
        first_id: int = 1,
        first_seq: int = 1,
    ) -> None:
        self.node_id, self.session, self.simulated = node_id, session, simulated
        self.next_id, self.next_seq = first_id, first_seq

    def envelope(
        self, body, *, t_utc=None, sequenced: bool = False, clock=None, **more
    ) -> Envelope:
        seq = None
        if sequenced:
            seq, self.next_seq = self.next_seq, self.next_seq + 1
        stamp = abs(hash((self.node_id, self.session))) % (1 << 20)
        message_id = ulid((stamp << 40) | self.next_id)
        self.next_id += 1
        return Envelope[type(body)](
            id=message_id,
            node_id=self.node_id,
            session=self.session,
            seq=seq,
            t_event_utc=t_utc,
            t_sent_utc=t_utc,
            clock=clock or ClockStamp(source="ntp", error_s=0.01),
            simulated=self.simulated,
            body=body,
            **more,
        )

    def message(self, name: str, body, *, t_utc=None, **more) -> tuple[str, bytes]:
        """(topic, payload)."""
        spec = topics.BY_NAME[name]
        values = {"site": SITE_ID, "node": self.node_id}
        if "sensor" in spec.parameters:
            values["sensor"] = body.media.sensor_id if name == "media" else body.sensor_id
        envelope = self.envelope(body, t_utc=t_utc, sequenced=spec.outbox, **more)
        return spec.format(**values), codec.encode(envelope, spec=spec)

    def obs(self, body: Observation, t_utc, **more) -> tuple[str, bytes]:
        return self.message("obs", body, t_utc=t_utc, **more)

    def birth(self, t_utc) -> tuple[str, bytes]:
        body = Birth(
            session=self.session,
            name="Cột 1",
            software_version="0.1.0",
            config_sha256="0" * 64,
            sensors=(SensorDescription(sensor_id="cam-1", spectrum="day"),),
        )
        return self.message("birth", body, t_utc=t_utc)

    def state(self, t_utc, state: str = "online", session: str | None = None) -> tuple[str, bytes]:
        return self.message(
            "state", State(session=session or self.session, state=state), t_utc=t_utc
        )

    def health(self, t_utc, *, oldest_seq: int | None = None, **more) -> tuple[str, bytes]:
        body = Health(
            uptime_s=10.0,
            cameras=(CameraHealth(sensor_id="cam-1", status="online", fps=10.0),),
            outbox=OutboxHealth(depth=0, oldest_age_s=0.0, bytes_on_disk=0, oldest_seq=oldest_seq),
            config_sha256="0" * 64,
            **more,
        )
        return self.message("health", body, t_utc=t_utc)

    def crop(self, *, track: int, t_utc, data: bytes | None = None, sha256: str | None = None):
        data = JPEG if data is None else data
        body = Media(
            media=Crop(
                track_id=ulid(track, 0x18BFD00000),
                sensor_id="cam-1",
                t_frame_utc=t_utc,
                width_px=8,
                height_px=8,
                jpeg_base64=base64.b64encode(data).decode(),
                sha256=sha256 or hashlib.sha256(data).hexdigest(),
            )
        )
        return self.message("media", body, t_utc=t_utc)

    def ack(self, command_id: str, t_utc, status: str = "ACCEPTED", reason: str = ""):
        return self.message(
            "ack",
            CommandAck(command_id=command_id, verb="still", status=status, reason=reason),
            t_utc=t_utc,
        )


JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 64 + b"\xff\xd9"


class Wire:
    """A transport without a network: what is pushed in arrives, what is published is kept."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.connected = True
        self.connections = 1
        self.dropped = 0
        self.published: list[Outgoing] = []
        self._inbox: deque[Arrived] = deque()

    def open(self, subscriptions) -> None:
        self.subscriptions = subscriptions

    def push(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self._inbox.append(
            Arrived(
                topic=topic,
                payload=payload,
                retained=retained,
                t_monotonic_s=self.clock.monotonic_s(),
            )
        )

    def publish(self, message: Outgoing) -> bool:
        if self.connected:
            self.published.append(message)
        return self.connected

    def take(self, limit: int) -> list[Arrived]:
        return [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]

    def wait(self, timeout_s: float) -> bool:
        return bool(self._inbox)

    def sent(self, name: str) -> list[Outgoing]:
        """What was published on topics of this row."""
        return [one for one in self.published if topics.parse(one.topic).spec.name == name]


# --- real processes -------------------------------------------------------------------------------
def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def eventually(check, *, timeout_s: float = 20.0, every_s: float = 0.1):
    """The first true value of `check`; for real processes only."""
    until_s = time.monotonic() + timeout_s
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > until_s:
            raise AssertionError(f"not within {timeout_s} s: {check}")
        time.sleep(every_s)


class StationProcess:
    """`border-ground` as its user starts it."""

    def __init__(self, folder: Path, *, broker: str = "auto", allow_simulated: bool = False):
        self.folder = folder / "station"
        self.http_port, self.mqtt_port = free_port(), free_port()
        self.process: subprocess.Popen | None = None
        args = ["--allow-simulated"] if allow_simulated else []
        self.cli(
            "init", str(self.folder), "--site-id", SITE_ID,
            "--site-file", str(write_site(folder)),
            "--http-port", str(self.http_port), "--mqtt-port", str(self.mqtt_port), *args,
            config=False,
        )  # fmt: skip
        if broker != "auto":
            text = self.config.read_text()
            self.config.write_text(text.replace('# kind = "auto"', f'kind = "{broker}"'))

    @property
    def config(self) -> Path:
        return self.folder / "station.toml"

    @property
    def database(self) -> Path:
        return self.folder / "data" / "station.sqlite3"

    def cli(self, *words: str, config: bool = True, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ground_station.cli", *words,
             *(["-c", str(self.config)] if config else [])],
            cwd=ROOT, input=stdin, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def enrol(self, node_id: str, *options: str) -> str:
        out = self.folder / f"{node_id}.password"
        self.cli("node", "enrol", node_id, "--out", str(out), *options)
        return out.read_text().strip()

    def start(self, *, wait: bool = True) -> None:
        with (self.folder / "log.txt").open("ab") as log:
            self.process = self._spawn(log)
        if wait:
            eventually(self.healthy, timeout_s=40)

    def _spawn(self, log):
        return subprocess.Popen(
            [sys.executable, "-m", "ground_station.cli", "run", "-c", str(self.config)],
            cwd=ROOT, stdout=log, stderr=log,
        )  # fmt: skip

    def healthy(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError((self.folder / "log.txt").read_text()[-3000:])
        try:
            return self.get("/api/v1/health")["status"] == "ok"
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def get(self, path: str):
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.http_port}{path}", timeout=5
        ) as answer:
            return json.load(answer)

    def kill(self) -> None:
        """As the power cut does it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """As Ctrl-C does it."""
        if self.process is None or self.process.poll() is not None:
            self._end_broker()
            return 0 if self.process is None else self.process.returncode
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(20)
        self._end_broker()
        return code

    def _end_broker(self) -> None:
        """A killed station leaves its mosquitto behind; the next start ends it, else we do."""
        pid_file = self.folder / "data" / "broker" / "mosquitto.pid"
        if pid_file.exists():
            pid = int(pid_file.read_text())
            words = Path(f"/proc/{pid}/cmdline")
            if words.exists() and str(self.folder).encode() in words.read_bytes():
                os.kill(pid, signal.SIGTERM)


class MqttNode:
    """A real MQTT client that speaks as a node and hears its receipts."""

    def __init__(
        self,
        station: StationProcess,
        node_id: str,
        password: str | None,
        *,
        connect: bool = True,
        client_id: str | None = None,
    ) -> None:
        import paho.mqtt.client as mqtt

        self.receipts: list[int] = []
        self.heard: list[tuple[str, bytes]] = []
        self.up = False
        self.refused = ""
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=client_id or node_id, protocol=mqtt.MQTTv5
        )
        self.client.reconnect_delay_set(1, 1)
        if password is not None:
            self.client.username_pw_set(node_id, password)

        def on_connect(client, _data, _flags, reason, _properties):
            self.refused = str(reason) if reason.is_failure else ""
            if not reason.is_failure:
                client.subscribe(list(topics.node_filters(SITE_ID, node_id)))

        def on_subscribe(*_):
            self.up = True

        def on_disconnect(*_):
            self.up = False

        def on_message(_client, _data, message):
            self.heard.append((message.topic, bytes(message.payload)))
            if message.topic.endswith("/receipt"):
                spec = topics.BY_NAME["receipt"]
                self.receipts.append(codec.decode(message.payload, spec=spec).message.body.seq)

        self.client.on_connect, self.client.on_message = on_connect, on_message
        self.client.on_subscribe, self.client.on_disconnect = on_subscribe, on_disconnect
        self.port = station.mqtt_port
        if connect:
            self.connect()

    def connect(self) -> None:
        self.client.connect_async("127.0.0.1", self.port)
        self.client.loop_start()

    def publish(self, message: tuple[str, bytes], *, qos: int = 1, retain: bool = False):
        return self.client.publish(message[0], message[1], qos=qos, retain=retain)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)
