"""A scripted gpsd for tests: bytes in the order and at the times they are given."""

import json
from collections import deque
from datetime import datetime, timedelta, timezone

from hardware.position_gpsd import GpsdPosition, GpsdSource, Rules
from runtime.clock import ManualClock

START_UTC = datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc)
LON_DEG, LAT_DEG = 104.5, 10.4
VERSION = b'{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}\r\n'


class Script:
    """A connection that hands out what is put into it."""

    def __init__(self):
        self.waiting = deque()
        self.sent = b""
        self.closed = False

    def send(self, data):
        self.sent += data

    def receive(self, timeout_s):
        assert timeout_s >= 0.0
        if not self.waiting:
            return None
        found = self.waiting.popleft()
        if isinstance(found, OSError):
            raise found
        return found

    def close(self):
        self.closed = True


class Talk:
    """A driver, its clock and what it hears."""

    def __init__(self, *, device="", geoid=None, refuse=False, **rules):
        self.clock = ManualClock(START_UTC)
        self.streams = []
        self.refuse = refuse
        self.driver = GpsdPosition(
            GpsdSource(device=device, rules=Rules(**rules)),
            self.clock,
            connect=self.connect,
            geoid=geoid,
        )

    def connect(self):
        if self.refuse:
            raise ConnectionRefusedError(111, "Connection refused")
        self.streams.append(Script())
        self.streams[-1].waiting.append(VERSION)
        return self.streams[-1]

    @property
    def stream(self):
        return self.streams[-1]

    def hear(self, *data):
        """Everything at once, then one read."""
        if not self.streams:
            self.driver.read(0.5)
        self.stream.waiting.extend(data)
        self.driver.read(0.5)
        return self.driver.latest()

    def epoch(self, *, sky=None, past_s=1.0, **fields):
        """A second later: a sky, a fix."""
        self.clock.advance(past_s)
        lines = [tpv(self.clock.utc(), **fields)]
        if sky is not None:
            lines.append(sky)
        return self.hear(*lines)


def tpv(t_utc, *, mode=3, north_m=0.0, east_m=0.0, without=(), **fields):
    """A TPV near the place; more fields, or less."""
    data = {
        "class": "TPV",
        "device": "/dev/ttyACM0",
        "mode": mode,
        "time": f"{t_utc:%Y-%m-%dT%H:%M:%S}.{t_utc.microsecond // 1000:03d}Z",
    }
    if mode >= 2:
        # The last digits of a living receiver are never still.
        wander_deg = (t_utc.timestamp() * 7.0 % 13.0) * 1e-8
        data |= {
            "lat": LAT_DEG + north_m / 110_600.0 + wander_deg,
            "lon": LON_DEG + east_m / 109_500.0,
            "altHAE": -4.0,
            "altMSL": 8.0,
            "epx": 2.0,
            "epy": 3.0,
            "epv": 5.0,
            "speed": 0.05,
            "eps": 0.1,
        }
    data |= fields
    for name in without:
        del data[name]
    return json.dumps(data).encode() + b"\r\n"


def sky(strengths_db_hz, *, device="/dev/ttyACM0", used=True, **fields):
    """A SKY of satellites with these strengths."""
    satellites = [
        {"PRN": k + 1, "el": 20.0 + 5.0 * k, "az": 30.0 * k, "ss": ss, "used": used and ss > 28.0}
        for k, ss in enumerate(strengths_db_hz)
    ]
    data = {"class": "SKY", "device": device, "satellites": satellites} | fields
    return json.dumps(data).encode() + b"\r\n"


def seconds(count):
    """Instants one second apart."""
    return [START_UTC + timedelta(seconds=k) for k in range(count)]
