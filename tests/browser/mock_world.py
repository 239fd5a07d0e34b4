"""Worlds to look at: a quiet night and a bad one, in the station's own shapes.

Run it to see the page with the bad one: PYTHONPATH=. python tests/browser/mock_world.py
"""

from datetime import timedelta
from typing import Any

import numpy as np

from ground_station import views
from tests.browser.mock_station import LINK_TOKEN, PASSWORD, MockStation, lon_lat, now, rfc3339


def camera(
    number: int, east_m: float, north_m: float, azimuth_deg: float, **more: Any
) -> views.SensorView:
    lon, lat = lon_lat(east_m, north_m)
    sweep = np.radians(np.linspace(azimuth_deg - 30, azimuth_deg + 30, 13))
    near, far = 8.0, 95.0
    ring = [lon_lat(east_m + far * np.sin(a), north_m + far * np.cos(a)) for a in sweep]
    ring += [lon_lat(east_m + near * np.sin(a), north_m + near * np.cos(a)) for a in sweep[::-1]]
    values: dict[str, Any] = {
        "sensor_id": f"cam-{number}",
        "name": f"Chốt 314-{number}",
        "spectrum": "thermal" if number % 2 == 0 else "day",
        "status": "online",
        "fps": 7.0,
        "lon_deg": lon,
        "lat_deg": lat,
        "azimuth_deg": azimuth_deg,
        "horizontal_fov_deg": 60.0,
        "field_of_view_lonlat": ring,
        "network": "bw-day-1",
    }
    return views.SensorView(**(values | more))


def node(number: int, sensors: list[views.SensorView], **more: Any) -> views.NodeView:
    values: dict[str, Any] = {
        "node_id": f"chot-314-{number}",
        "name": f"Chốt 314/{number}",
        "state": "online",
        "simulated": True,
        "last_word_age_s": 2.0,
        "outbox_depth": 3,
        "outbox_oldest_age_s": 0.4,
        "clock_source": "ntp",
        "clock_error_s": 0.012,
        "temperature_c": 54.0,
        "zones_in_force": True,
        "sensors": sensors,
    }
    return views.NodeView(**(values | more))


def alert(
    number: int,
    *,
    level: views.Level = "warning",
    seconds_ago: float = 20.0,
    east_m: float = 55.0,
    north_m: float = -14.0,
    count: int = 1,
    **more: Any,
) -> views.AlertView:
    lon, lat = lon_lat(east_m, north_m)
    event = now() - timedelta(seconds=seconds_ago)
    clock = (event + timedelta(hours=7)).strftime("%H:%M:%S")
    what_vi = f"Nhóm {count} người" if count > 1 else "1 người"
    what_en = f"Group of {count} people" if count > 1 else "1 person"
    level_vi = {"warning": "KHẨN CẤP", "caution": "CAO", "information": "THƯỜNG"}[level]
    motion = {
        "warning": ("crossing", "nghi vượt biên, hướng vào phía ta", "suspected crossing, towards our side"),
        "caution": ("approaching", "đang tiến về đường biên, hướng vào phía ta, còn khoảng 20 giây", "approaching the border, towards our side, about 20 s away"),
        "information": ("in_watch", "trong khu vực theo dõi Vành đai biên giới, mốc 314", "in the watched zone Border belt, marker 314"),
    }[level]  # fmt: skip
    values: dict[str, Any] = {
        "alert_id": f"01ALERT{number:019d}",
        "revision": 1,
        "level": level,
        "state": "raised",
        "rule": motion[0],
        "direction": "none" if level == "information" else "in",
        "object_class": "Human",
        "count": count,
        "t_event_utc": rfc3339(event),
        "t_raised_utc": rfc3339(event + timedelta(seconds=0.6)),
        "lon_deg": lon,
        "lat_deg": lat,
        "ellipse90": views.Ellipse(semi_major_m=3.4, semi_minor_m=1.1, azimuth_deg=15.0),
        "nearest_marker": "314",
        "distance_to_marker_m": float(np.hypot(east_m, north_m)),
        "azimuth_from_marker_deg": float(np.degrees(np.arctan2(east_m, north_m)) % 360),
        "distance_to_line_m": 9.0,
        "probability": 0.957,
        "sentence_vi": f"{level_vi} · {what_vi} · Cách mốc 314 khoảng {np.hypot(east_m, north_m):.0f} m về hướng Đông, gần đường biên (sai số 4 m), {motion[1]} · {clock} · Chưa tiếp nhận",
        "sentence_en": f"{level.upper()} · {what_en} · About {np.hypot(east_m, north_m):.0f} m east of marker 314, near the border (error 4 m), {motion[2]} · {clock} · Not acknowledged",
        "reasons": [
            views.Reason(
                rule=motion[0],
                sentence_vi="Xác suất ở phía ta 95 %; cách đường biên 9,0 m sau quãng cắt ngang 6,1 m; độ chính xác đường biên 2,0 m",
                sentence_en="P(our side) 95 %; 9.0 m from the border after 6.1 m across; the line itself is known to 2.0 m",
                numbers={"probability_other_side": 0.957, "distance_to_line_m": 9.0},
                sensors=["cam-1", "cam-2"],
            )
        ],
        "sensors": ["cam-1", "cam-2"],
        "media_ids": ["crop-1", "crop-2"],
        "simulated": True,
        "acts": [views.ActView(t_utc=rfc3339(event), act="raised", by="system", detail="")],
    }
    return views.AlertView(**(values | more))


def target(
    number: int, east_m: float, north_m: float, alert_id: str | None = None, **more: Any
) -> views.TargetView:
    lon, lat = lon_lat(east_m, north_m)
    tail = []
    for i in range(20, 0, -1):
        at = lon_lat(east_m + 0.25 * i, north_m + 1.2 * i)
        stamp = rfc3339(now() - timedelta(seconds=i))
        tail.append(views.TailPoint(t_utc=stamp, lon_deg=at[0], lat_deg=at[1]))
    values: dict[str, Any] = {
        "target_id": f"target-{number}",
        "object_class": "Human",
        "count": 1,
        "confidence": 0.8,
        "t_utc": rfc3339(now()),
        "lon_deg": lon,
        "lat_deg": lat,
        "ellipse90": views.Ellipse(semi_major_m=3.4, semi_minor_m=1.1, azimuth_deg=15.0),
        "speed_m_s": 1.3,
        "course_deg": 192.0,
        "signed_distance_to_line_m": 9.0,
        "probability_our_side": 0.95,
        "sensors": ["cam-1"],
        "tail": tail,
        "alert_id": alert_id,
        "simulated": True,
    }
    return views.TargetView(**(values | more))


def vehicle(east_m: float, north_m: float, **more: Any) -> views.VehicleView:
    """A drone 60 m up that looks ahead and down, to the west."""
    lon, lat = lon_lat(east_m, north_m)
    seen = [(-25, -18), (-25, 18), (-110, 52), (-110, -52)]
    values: dict[str, Any] = {
        "node_id": "chot-314-1",
        "vehicle_id": "1",
        "simulated": True,
        "silent": False,
        "age_s": 0.3,
        "lon_deg": lon,
        "lat_deg": lat,
        "alt_above_takeoff_m": 60.0,
        "heading_deg": 270.0,
        "speed_m_s": 4.6,
        "footprint_lonlat": [lon_lat(east_m + e, north_m + n) for e, n in seen],
        "battery_fraction": 0.72,
        "mode": "AUTO",
        "armed": True,
        "in_air": True,
        "fix_status": "fix_3d",
        "horizontal_sigma_m": 0.6,
        "satellites": 14,
    }
    return views.VehicleView(**(values | more))


def quiet_world() -> MockStation:
    """Three nodes, six cameras, nothing going on."""
    station = MockStation()
    rows = [(20.0, -60.0, 10.0), (60.0, -50.0, -10.0), (110.0, -38.0, 0.0)]
    for number, (east, north, azimuth) in enumerate(rows, start=1):
        pair = [
            camera(2 * number - 1, east, north, azimuth),
            camera(2 * number, east, north, azimuth + 50),
        ]
        station.nodes[f"chot-314-{number}"] = node(number, pair)
    return station


def busy_world() -> MockStation:
    """A bad night: alerts of every level and state, a dead camera, a silent node, walkers."""
    station = quiet_world()
    sensors = station.nodes["chot-314-2"].sensors
    station.nodes["chot-314-2"] = node(
        2,
        [sensors[0], sensors[1].model_copy(update={"status": "frozen", "fps": 0.0})],
        state="degraded",
    )
    station.nodes["chot-314-3"] = station.nodes["chot-314-3"].model_copy(
        update={"state": "silent", "last_word_age_s": 184.0}
    )
    rows = [
        alert(1, count=4, seconds_ago=14),
        alert(2, level="caution", seconds_ago=130, east_m=88, north_m=24),
        alert(3, level="information", seconds_ago=640, east_m=20, north_m=-32),
        alert(
            4, level="caution", seconds_ago=2_900, east_m=140, north_m=30, state="assigned",
            assigned_to="Tổ tuần tra 2", acknowledged_by="An",
        ),
        alert(5, level="warning", seconds_ago=9_000, state="closed", outcome="confirmed", closed_by="An"),
        alert(6, level="caution", seconds_ago=30_000, state="closed", outcome="local_people", closed_by="An"),
        alert(7, level="caution", seconds_ago=31_000, state="closed", outcome="animal", closed_by="An"),
        alert(8, level="information", seconds_ago=60_000, state="closed", outcome="nothing", closed_by="Bình"),
    ]  # fmt: skip
    for row in rows:
        station.alerts[row.alert_id] = row
    first = rows[0].alert_id
    for number, (east, north, whose) in enumerate(
        [
            (55, -14, first),
            (58, -12, first),
            (53, -10, first),
            (60, -9, first),
            (88, 20, rows[1].alert_id),
        ],
        start=1,
    ):
        made = target(number, float(east), float(north), whose)
        station.targets[made.target_id] = made
    far = target(9, 20.0, -34.0, None, object_class="Animal", coasting=True)
    station.targets[far.target_id] = far
    return station


if __name__ == "__main__":
    world = busy_world()
    running = world.serve()
    print(f"{world.url}/?link={LINK_TOKEN}  (or any user, password: {PASSWORD})")
    try:
        running.thread.join()
    except KeyboardInterrupt:
        running.stop()
