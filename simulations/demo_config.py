"""Write the configs of a demonstration: one node with the scenario's cameras, one station."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.config import NodeConfig
from geo.lens import Lens
from ground_station.config import GroundConfig
from runtime.toml_text import write
from simulations.scenario import Scenario
from simulations.scenario_node import CameraSettings
from simulations.site import Site, site_file

NODE_ID = "demo-node"
_NOTICES = (
    "© OpenStreetMap contributors (ODbL)",
    "GeoNames (CC BY 4.0)",
)
# The simulated cameras stand exactly where they say; a surveyed mast is known about this well.
_MOUNT_SIGMA = {
    "horizontal_sigma_m": 0.1,
    "vertical_sigma_m": 0.05,
    "azimuth_sigma_deg": 0.1,
    "pitch_sigma_deg": 0.05,
    "roll_sigma_deg": 0.05,
}
# Node, station and cameras run on one machine, so their clocks are the same clock.
_CLOCK_ERROR_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything of one demonstration lies.

    Attributes:
        folder: absolute.
    """

    folder: Path

    @property
    def station_folder(self) -> Path:
        """What `border-ground init` makes: config, keys, records."""
        return self.folder / "station"

    @property
    def station_file(self) -> Path:
        """Config of the station."""
        return self.station_folder / "station.toml"

    @property
    def node_file(self) -> Path:
        """Config of the node."""
        return self.folder / "node.toml"

    @property
    def public_key_file(self) -> Path:
        """The station's public key, for the node."""
        return self.station_folder / "keys" / "station.pub"

    @property
    def credential_file(self) -> Path:
        """The node's password at the broker."""
        return self.folder / f"{NODE_ID}.password"

    @property
    def password_file(self) -> Path:
        """The users' password, made once."""
        return self.folder / "password"


def site_id(scenario: Scenario) -> str:
    """Return the site's name as it stands in topics."""
    return scenario.site.replace("_", "-")


def station_config(
    scenario: Scenario, layout: Layout, *, http_port: int, broker_port: int
) -> dict[str, Any]:
    """Return the station's settings as TOML tables."""
    site = site_file(scenario.site)
    named = json.loads(site.read_text(encoding="utf-8"))
    station: dict[str, Any] = {
        "site_id": site_id(scenario),
        "name_vi": named["name_vi"],
        "name_en": named["name_en"],
        "site_file": str(site),
        "data_dir": str(layout.station_folder / "data"),
        "signing_key_file": str(layout.station_folder / "keys" / "station.key"),
        "attribution": list(_NOTICES),
        "allow_simulated": True,
        "clock_error_s": _CLOCK_ERROR_S,
    }
    basemap = site.with_name("basemap.pmtiles")
    if basemap.is_file():
        station["basemap_file"] = str(basemap)
    return {
        "station": station,
        "broker": {"kind": "auto", "listen_address": "127.0.0.1", "port": broker_port},
        "http": {"listen_address": "127.0.0.1", "port": http_port},
        "log": {"level": "INFO", "json_lines": True},
    }


def node_config(
    scenario: Scenario,
    site: Site,
    layout: Layout,
    *,
    streams: dict[str, str],
    broker_port: int,
) -> dict[str, Any]:
    """Return the node's settings as TOML tables; ``streams`` are the cameras' addresses by id."""
    return {
        "node": {
            "site_id": site_id(scenario),
            "node_id": NODE_ID,
            "name": scenario.title or scenario.name,
            "data_dir": str(layout.folder / "node"),
            "station_key_file": str(layout.public_key_file),
            "simulated": True,
        },
        "clock": {"stated_error_s": _CLOCK_ERROR_S},
        "mqtt": {
            "host": "127.0.0.1",
            "port": broker_port,
            "username": NODE_ID,
            "password_file": str(layout.credential_file),
        },
        "log": {"level": "INFO", "format": "json"},
        "camera": [
            _camera(camera, scenario, site, streams[camera.id]) for camera in scenario.camera
        ],
    }


def save(layout: Layout, station: dict[str, Any], node: dict[str, Any]) -> None:
    """Check both configs against the product's own models and write them.

    Raises:
        ValueError: the product would refuse them.
    """
    GroundConfig.model_validate(station)
    NodeConfig.model_validate(node)
    layout.station_folder.mkdir(parents=True, exist_ok=True)
    layout.station_file.write_text(write(station), encoding="utf-8")
    layout.node_file.write_text(write(node), encoding="utf-8")


def _camera(camera: CameraSettings, scenario: Scenario, site: Site, source: str) -> dict[str, Any]:
    from simulations.film import view_of

    east, north, _ = view_of(camera, site).position_enu_m.tolist()
    lon, lat, _ = site.frame.to_geodetic([[east, north, 0.0]])[0].tolist()
    lens = Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px)
    return {
        "sensor_id": camera.id,
        "name": camera.name,
        "source": source,
        "spectrum": camera.spectrum,
        "mount": {
            "lon_deg": lon,
            "lat_deg": lat,
            # A technician measures the mast from the ground it stands on, not from the site's plane.
            "alt_hae_m": scenario.ground_alt_hae_m + camera.height_m,
            "azimuth_deg": camera.azimuth_deg,
            "pitch_deg": camera.pitch_deg,
            "roll_deg": camera.roll_deg,
            **_MOUNT_SIGMA,
        },
        "lens": {
            "width_px": lens.width_px,
            "height_px": lens.height_px,
            "hfov_deg": camera.hfov_deg,
        },
        "ground": {"alt_hae_m": scenario.ground_alt_hae_m, "sigma_m": 0.05},
    }
