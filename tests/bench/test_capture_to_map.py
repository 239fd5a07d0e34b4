"""How old a picture is when what it shows stands on the map: real processes, real film, real events."""

import http.client
import json
import os
import platform
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from tests.scenario import pets_road, real

WATCHED_S = 45.0
PASSWORD = "only-for-this-measurement"


def _login(http_port: int) -> str:
    """The session cookie of a guard."""
    line = http.client.HTTPConnection("127.0.0.1", http_port, timeout=10)
    line.request(
        "POST",
        "/api/v1/login",
        json.dumps({"user": "guard", "password": PASSWORD}),
        {"Content-Type": "application/json"},
    )
    answer = line.getresponse()
    assert answer.status == 200, answer.read()
    cookie = answer.getheader("Set-Cookie").split(";")[0]
    line.close()
    return cookie


def _ages_s(http_port: int, cookie: str, during_s: float) -> dict[str, list[float]]:
    """Ages of the captures behind the events of the stream, by event name."""
    ages: dict[str, list[float]] = {"target": [], "alert": []}
    line = http.client.HTTPConnection("127.0.0.1", http_port, timeout=10)
    line.request("GET", "/api/v1/events", headers={"Cookie": cookie})
    answer = line.getresponse()
    assert answer.status == 200
    end = time.monotonic() + during_s
    name, seen = "", set()
    while time.monotonic() < end:
        text = answer.readline().decode().strip()
        if text.startswith("event: "):
            name = text.removeprefix("event: ")
        elif text.startswith("data: ") and name in ages:
            now = datetime.now(timezone.utc)
            data = json.loads(text.removeprefix("data: "))
            stamp = data["t_utc"] if name == "target" else data["t_raised_utc"]
            about = (data.get("target_id") or data["alert_id"], stamp)
            if data.get("coasting") or about in seen:
                continue  # Said again without a new picture behind it.
            seen.add(about)
            ages[name].append(
                (now - datetime.fromisoformat(stamp.replace("Z", "+00:00"))).total_seconds()
            )
    line.close()
    return ages


@pytest.mark.bench
@pytest.mark.data
@pytest.mark.broker
@pytest.mark.timeout(240)
def test_capture_to_map_is_measured_on_real_processes(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Capture of a frame to the event's bytes at a client, p50 and p95, printed."""
    road = pets_road.lay(tmp_path, data_dir)
    secret = tmp_path / "password"
    secret.touch(0o600)
    secret.write_text(PASSWORD)
    subprocess.run(
        real.border_ground(
            "user", "add", "guard", "--role", "guard", "--password-file", str(secret),
            "--config", str(road.station_config),
        ),
        check=True, cwd=real.ROOT, capture_output=True,
    )  # fmt: skip
    try:
        road.start_station()
        cookie = _login(road.http_port)
        road.node.start()
        ages = _ages_s(road.http_port, cookie, WATCHED_S)
    except BaseException:
        print(road.last_words())
        raise
    finally:
        road.stop()
    p50, p95 = np.percentile(ages["target"], [50, 95])
    with capsys.disabled():
        print(
            f"\ncapture to map: p50 {p50:.2f} s, p95 {p95:.2f} s (aim p95 <= 2 s) over "
            f"{len(ages['target'])} updates of targets; {len(ages['alert'])} alerts; "
            f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
        )
    assert len(ages["target"]) >= 50
    assert min(ages["target"]) > 0.0, "a capture cannot be seen before it was made"
