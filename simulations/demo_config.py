"""Write the configs of a demonstration: one node with the scenario's cameras, one station."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.config import NodeConfig
from ground_station.config import GroundConfig
from runtime.toml_text import write
from simulations.cameras import cameras
from simulations.run_config import node_tables, station_tables, write_site
from simulations.scenario import Scenario
from simulations.site import Site

NODE_ID = "demo-node"


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


def station_config(
    scenario: Scenario, site: Site, layout: Layout, *, http_port: int, broker_port: int
) -> dict[str, Any]:
    """Return the station's settings as TOML tables."""
    return station_tables(
        scenario,
        site_path=write_site(scenario, site, layout.folder),
        folder=layout.station_folder,
        broker={"kind": "auto", "listen_address": "127.0.0.1", "port": broker_port},
        http_port=http_port,
    )


def node_config(
    scenario: Scenario,
    site: Site,
    layout: Layout,
    *,
    streams: dict[str, str],
    broker_port: int,
    gpsd_port: int | None = None,
    autopilot_url: str | None = None,
    dem: Path | None = None,
) -> dict[str, Any]:
    """Return the settings of the one node as TOML tables.

    Args:
        scenario: what is played.
        site: its places.
        layout: where things lie.
        streams: the cameras' addresses.
        broker_port: of the station's broker.
        gpsd_port: of its receiver's gpsd, where it has one.
        autopilot_url: of its drone, where it has one.
        dem: elevation file, where the ground is not flat.
    """
    return node_tables(
        scenario,
        site,
        node_id=NODE_ID,
        cameras=cameras(scenario),
        data_dir=layout.folder / "node",
        station_key_file=layout.public_key_file,
        streams=streams,
        mqtt={
            "host": "127.0.0.1",
            "port": broker_port,
            "username": NODE_ID,
            "password_file": str(layout.credential_file),
        },
        gpsd_port=gpsd_port,
        autopilot_url=autopilot_url,
        dem=dem,
    )


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
