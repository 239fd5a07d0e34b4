"""What node and station of a scenario are told: TOML tables of the product's own configs.

The node is told where its cameras stand and look as a technician would have entered it; errors that
a scenario puts into the pose, and the truth about the ground, it is not told.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from geo.lens import Lens
from simulations.cameras import flies
from simulations.drone_pose import LATENCY_SIGMA_S
from simulations.film import view_of
from simulations.flight import ERRORS
from simulations.landscape import landscape
from simulations.scenario import Scenario
from simulations.scenario_node import CameraSettings
from simulations.site import Site, site_file

NOTICES = (
    "© OpenStreetMap contributors (ODbL)",
    "GeoNames (CC BY 4.0)",
)
# A surveyed mast is known about this well.
_MOUNT_SIGMA = {
    "horizontal_sigma_m": 0.1,
    "vertical_sigma_m": 0.05,
    "azimuth_sigma_deg": 0.1,
    "pitch_sigma_deg": 0.05,
    "roll_sigma_deg": 0.05,
}
GROUND_SIGMA_M = 0.05
SYSTEM_ID = 1
"""Of every simulated copter; each has a link of its own."""
FEED_LATENCY_S = 0.25
"""From a drone's lens to the node's frame: coder, radio, decoder."""
STATION_CLOCK_ERROR_S = 0.05
"""Of the station, and of a node that the scenario says nothing of."""


def site_id(scenario: Scenario) -> str:
    """Return the site's name as it stands in topics."""
    return scenario.site.replace("_", "-")


def write_site(scenario: Scenario, site: Site, folder: Path) -> Path:
    """Return the station's GeoJSON: the site's own, or one with the scenario's zones and accuracy.

    Args:
        scenario: says which zones there are beside the site's, and how good the line is.
        site: its places.
        folder: a new file goes here.
    """
    source = site_file(scenario.site)
    if not scenario.zone and scenario.line_sigma_m is None:
        return source
    document = json.loads(source.read_text(encoding="utf-8"))
    for feature in document["features"]:
        if feature["properties"]["role"] == "line" and scenario.line_sigma_m is not None:
            for segment in feature["properties"]["segments"]:
                segment["accuracy_sigma_m"] = scenario.line_sigma_m
    own = {zone.id for zone in scenario.zone}
    document["features"] = [
        feature for feature in document["features"] if feature["properties"].get("id") not in own
    ]
    document["features"] += [_zone(scenario, site, number) for number in range(len(scenario.zone))]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "site.geojson"
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _zone(scenario: Scenario, site: Site, number: int) -> dict[str, Any]:
    zone = scenario.zone[number]
    ring = []
    for along_m, across_m in zone.ring_along_across_m:
        east, north = site.place(along_m, across_m).tolist()
        lon, lat, _ = site.frame.to_geodetic([[east, north, 0.0]])[0].tolist()
        ring.append([round(lon, 8), round(lat, 8)])
    properties: dict[str, Any] = {
        "role": zone.role,
        "id": zone.id,
        "name_vi": zone.name_vi or zone.id,
        "name_en": zone.name_en or zone.id,
        "status": "sample",
    }
    if zone.from_local is not None or zone.to_local is not None:
        properties["schedule"] = [
            {
                "timezone": scenario.timezone,
                "days": "1-7",
                "from": zone.from_local or "00:00",
                "to": zone.to_local or "24:00",
            }
        ]
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
    }


def station_tables(
    scenario: Scenario, *, site_path: Path, folder: Path, broker: Mapping[str, Any], http_port: int
) -> dict[str, Any]:
    """Return the station's settings as TOML tables.

    Args:
        scenario: what is played.
        site_path: of `write_site`.
        folder: of the station: keys and records.
        broker: the table of that name.
        http_port: of the page.
    """
    named = json.loads(site_path.read_text(encoding="utf-8"))
    station: dict[str, Any] = {
        "site_id": site_id(scenario),
        "name_vi": named["name_vi"],
        "name_en": named["name_en"],
        "time_zone": scenario.timezone,
        "site_file": str(site_path),
        "data_dir": str(folder / "data"),
        "signing_key_file": str(folder / "keys" / "station.key"),
        "attribution": list(NOTICES),
        "allow_simulated": True,
        "clock_error_s": STATION_CLOCK_ERROR_S,
    }
    basemap = site_file(scenario.site).with_name("basemap.pmtiles")
    if basemap.is_file():
        station["basemap_file"] = str(basemap)
    return {
        "station": station,
        "broker": dict(broker),
        "http": {"listen_address": "127.0.0.1", "port": http_port},
        "log": {"level": "INFO", "json_lines": True},
    }


def node_tables(
    scenario: Scenario,
    site: Site,
    *,
    node_id: str,
    cameras: Sequence[CameraSettings],
    data_dir: Path,
    station_key_file: Path,
    streams: Mapping[str, str],
    mqtt: Mapping[str, Any],
    stated_clock_error_s: float = STATION_CLOCK_ERROR_S,
    dem: Path | None = None,
    gpsd_port: int | None = None,
    autopilot_url: str | None = None,
) -> dict[str, Any]:
    """Return a node's settings as TOML tables.

    Args:
        scenario: what is played.
        site: its places.
        node_id: of this node.
        cameras: that are joined to it.
        data_dir: of its outbox.
        station_key_file: whose word it believes.
        streams: the cameras' addresses by id.
        mqtt: the table of that name.
        stated_clock_error_s: what its operator says of its clock.
        dem: elevation file of `dem_file.write_dem`, where the ground is not flat.
        gpsd_port: of its receiver's gpsd on loopback, where it has one.
        autopilot_url: of its drone, where it has one.
    """
    more: dict[str, Any] = {}
    if gpsd_port is not None:
        more["position"] = {"source": "gpsd", "host": "127.0.0.1", "port": gpsd_port}
    if autopilot_url is not None:
        more["autopilot"] = {"source": "mavlink", "url": autopilot_url}
    return {
        "node": {
            "site_id": site_id(scenario),
            "node_id": node_id,
            "name": scenario.node_settings(node_id).name or scenario.title or scenario.name,
            "data_dir": str(data_dir),
            "station_key_file": str(station_key_file),
            "simulated": True,
        },
        "clock": {"stated_error_s": stated_clock_error_s},
        "mqtt": dict(mqtt),
        "log": {"level": "INFO", "format": "json"},
        "camera": [
            camera_tables(camera, scenario, site, streams[camera.id], dem=dem) for camera in cameras
        ],
        **more,
    }


def camera_tables(
    camera: CameraSettings,
    scenario: Scenario,
    site: Site,
    source: str,
    *,
    dem: Path | None = None,
) -> dict[str, Any]:
    """Return one camera of a node's settings: what its technician knows, and how well."""
    drone = flies(scenario, camera)
    if drone is not None:
        return _flown(camera, scenario, source, dem)
    # A mast on a hill is as high as the hill and the mast.
    east, north, up = view_of(camera, site, landscape(scenario, site)).position_enu_m.tolist()
    lon, lat, _ = site.frame.to_geodetic([[east, north, 0.0]])[0].tolist()
    lens = Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px)
    distortion = {"k1": camera.k1, "k2": camera.k2, "p1": camera.p1, "p2": camera.p2}
    distortion["k3"] = camera.k3
    return {
        "sensor_id": camera.id,
        "name": camera.name,
        "source": source,
        "spectrum": camera.spectrum,
        "mount": {
            "lon_deg": lon,
            "lat_deg": lat,
            # A technician measures the mast from the ground it stands on, not from the site's plane.
            "alt_hae_m": scenario.ground_alt_hae_m + up,
            "azimuth_deg": (camera.azimuth_deg - camera.azimuth_error_deg) % 360.0,
            "pitch_deg": camera.pitch_deg - camera.pitch_error_deg,
            "roll_deg": camera.roll_deg,
            **_MOUNT_SIGMA,
        },
        "lens": {
            "width_px": lens.width_px,
            "height_px": lens.height_px,
            "hfov_deg": camera.hfov_deg,
            **{name: value for name, value in distortion.items() if value != 0.0},
        },
        "ground": _ground(scenario, dem),
    }


def _ground(scenario: Scenario, dem: Path | None) -> dict[str, Any]:
    """Return the ground as it was surveyed: one height, or an elevation file."""
    if dem is None:
        return {"alt_hae_m": scenario.ground_alt_hae_m, "sigma_m": GROUND_SIGMA_M}
    return {"dem": [str(dem)], "dem_datum": "hae", "sigma_m": GROUND_SIGMA_M}


def _flown(
    camera: CameraSettings, scenario: Scenario, source: str, dem: Path | None
) -> dict[str, Any]:
    """Return a drone's camera: where it is and looks, the autopilot tells."""
    return {
        "sensor_id": camera.id,
        "name": camera.name,
        "source": source,
        "spectrum": camera.spectrum,
        "capture_latency_s": FEED_LATENCY_S,
        "latency_sigma_s": LATENCY_SIGMA_S,
        "vehicle": {
            "system_id": SYSTEM_ID,
            "on": "gimbal",
            "heading_sigma_deg": ERRORS.heading_sigma_deg,
            "roll_pitch_sigma_deg": ERRORS.attitude_sigma_deg,
            # The mount hangs on a body that is not level: what it says of the horizon is off by both.
            "gimbal_sigma_deg": round(ERRORS.tilt_sigma_deg, 4),
            "horizontal_sigma_m": ERRORS.horizontal_sigma_m,
            "vertical_sigma_m": ERRORS.vertical_sigma_m,
            "time_sigma_s": 0.0,
        },
        "lens": {
            "width_px": camera.width_px,
            "height_px": camera.height_px,
            "hfov_deg": camera.hfov_deg,
        },
        "ground": _ground(scenario, dem),
    }
