"""A small border and people who walk over it, for the tests of the decision core."""

import itertools
import random
from datetime import datetime, timedelta, timezone

import numpy as np

from ground_station.decide import Decider
from ground_station.decision import Observed
from ground_station.rules import DecideSettings
from ground_station.zones import Site
from wire.messages import Observation
from wire.values import Position, VelocityEnu

START = datetime(2026, 11, 23, 19, 40, 0, tzinfo=timezone.utc)
"""02:40 local time."""
LON, LAT = 104.45, 10.42
DEG_PER_M_LAT = 1.0 / 110_600.0
DEG_PER_M_LON = 1.0 / (111_320.0 * np.cos(np.radians(LAT)))


def lon_lat(east_m, north_m):
    return [LON + east_m * DEG_PER_M_LON, LAT + north_m * DEG_PER_M_LAT]


def square(east_m, north_m, half_m):
    ring = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return [[lon_lat(east_m + half_m * x, north_m + half_m * y) for x, y in ring]]


def line_feature(**changes):
    """A line of 1 km from west to east; ours is the south (right of it)."""
    properties = {
        "role": "line",
        "our_side": "right",
        "source": "test",
        "date": "2026-11-23",
        "datum": "WGS84",
        "segments": [{"accuracy_sigma_m": 0.5, "status": "demarcated"}],
    }
    properties.update(changes)
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "LineString", "coordinates": [lon_lat(-500, 0), lon_lat(500, 0)]},
    }


def marker(number, east_m, north_m=0.0, **more):
    return {
        "type": "Feature",
        "properties": {
            "role": "marker", "number": number, "kind": "main", "status": "sample", **more,
        },
        "geometry": {"type": "Point", "coordinates": lon_lat(east_m, north_m)},
    }  # fmt: skip


def zone(role, zone_id, east_m, north_m, half_m=10.0, **more):
    return {
        "type": "Feature",
        "properties": {"role": role, "id": zone_id, "name_vi": f"Khu {zone_id}",
                       "name_en": f"Area {zone_id}", **more},
        "geometry": {"type": "Polygon", "coordinates": square(east_m, north_m, half_m)},
    }  # fmt: skip


def collection(*features, **line):
    return {
        "type": "FeatureCollection",
        "features": [line_feature(**line), marker("309", 0.0), *features],
    }


def site(*features, **line):
    return Site.from_geojson(collection(*features, **line))


class Ids:
    """ULIDs in order, the same in every run."""

    def __init__(self):
        self._next = itertools.count(1)

    def new(self):
        return f"01ALERT{next(self._next):019d}"


def track(number):
    return f"01TRACK{number:019d}"


def decider(*features, settings=None, **line):
    return Decider(site(*features, **line), settings or DecideSettings(), Ids())


_MESSAGE = itertools.count(1)


def seen(
    place,
    east_m,
    north_m,
    t_s,
    *,
    number=1,
    sigma_m=0.4,
    shared_m=0.0,
    sensor="cam-1",
    phase="update",
    object_class="Human",
    late=False,
    count=None,
    velocity=None,
    box=(400.0, 200.0, 430.0, 280.0),
    position=True,
):
    """One observation at metres from the middle of the line, `t_s` seconds after START."""
    frame = place.frame
    origin_e, origin_n = place.enu(LON, LAT)
    lon, lat, alt = frame.to_geodetic([[origin_e + east_m, origin_n + north_m, 0.0]])[0].tolist()
    total = sigma_m**2 + shared_m**2
    return Observed(
        message_id=f"01MESSAGE{next(_MESSAGE):017d}",
        node_id="node-1",
        t_event_utc=START + timedelta(seconds=t_s),
        late=late,
        simulated=True,
        body=Observation(
            track_id=track(number),
            phase=phase,
            key=phase != "update",
            sensor_id=sensor,
            object_class=object_class,
            confidence=0.8,
            box_px=box,
            frame_size_px=(960, 540),
            position=Position(
                lon_deg=lon, lat_deg=lat, alt_hae_m=alt,
                cov_enu_m2=((total, 0.0), (0.0, total)),
                cov_bias_enu_m2=((shared_m**2, 0.0), (0.0, shared_m**2)),
                ce90_m=2.146 * total**0.5, method="plane",
            ) if position else None,
            velocity_enu_m_s=velocity and VelocityEnu(
                east_m_s=velocity[0], north_m_s=velocity[1], sigma_m_s=velocity[2]
            ),
            pixel_height_px=80.0,
            count=count,
        ),
    )  # fmt: skip


def walk(
    place, start, velocity, seconds, *, number=1, sigma_m=0.4, seed=0, t0_s=0.0, step_s=0.5,
    ends=True, **more,
):  # fmt: skip
    """A person walking straight on, seen twice a second with noise."""
    source = random.Random(seed)
    steps = int(seconds / step_s)
    found = []
    for k in range(steps + 1):
        t_s = k * step_s
        east = start[0] + velocity[0] * t_s + source.gauss(0.0, sigma_m)
        north = start[1] + velocity[1] * t_s + source.gauss(0.0, sigma_m)
        phase = "new" if k == 0 else "end" if ends and k == steps else "update"
        found.append(
            seen(
                place, east, north, t0_s + t_s, number=number, sigma_m=sigma_m, phase=phase, **more
            )
        )
    return found


def run(core, observations, *, delay_s=0.3, until_s=None):
    """Feed one by one, each a little after its capture, with a tick every half second; join it all."""
    done = None
    now = None
    for observed in observations:
        at = observed.t_event_utc + timedelta(seconds=delay_s)
        now = at if now is None else max(now, at)
        step = core.observe([observed], now).join(core.tick(now))
        done = step if done is None else done.join(step)
    if until_s is not None:
        while now < START + timedelta(seconds=until_s):
            now += timedelta(seconds=0.5)
            done = done.join(core.tick(now))
    return done


def warnings(done):
    """The final view of every warning alert."""
    return [view for view in done.alerts if view.level == "warning"]
