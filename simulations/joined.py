"""A real station and real nodes in one process, joined by bytes on one clock that is moved by hand.

Both are put together by their own composition roots; nobody runs by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.app import Devices, Node
from edge.config import NodeConfig
from ground_station import app as ground_app
from ground_station import install
from ground_station.config import GroundConfig
from ground_station.store import Store
from runtime.clock import Clock, ManualClock
from runtime.ids import UlidSource
from runtime.settings import load
from simulations.bus import Bus, StationLine
from wire.signing import SigningKey, VerifyKey

SIMULATION_VERSION = "simulated"


@dataclass(slots=True, kw_only=True)
class Joined:
    """The ends and what joins them.

    Attributes:
        nodes: by id, in the order in which they were joined.
        folder: of the nodes' outboxes and the station's records.
    """

    clock: ManualClock
    ids: UlidSource
    bus: Bus
    folder: Path
    station: ground_app.Station
    store: Store
    public_key_file: Path
    nodes: dict[str, Node] = field(default_factory=dict)

    def add_node(self, config: NodeConfig, devices: Devices, *, clock: Clock | None = None) -> Node:
        """Put a node together and let it connect.

        Args:
            config: what it is told.
            devices: what it is joined to; its transport leads to `bus`.
            clock: its own, where it is not the world's.
        """
        key = VerifyKey.from_pem(self.public_key_file.read_bytes(), name="station")
        node = Node(
            config=config,
            config_sha256="0" * 64,
            devices=devices,
            clock=self.clock if clock is None else clock,
            ids=self.ids,
            boot_id="simulated",
            software_version=SIMULATION_VERSION,
            station_key=key,
        )
        self.nodes[config.node.node_id] = node
        return node

    def step(self) -> None:
        """Each worker once, in the order of the road."""
        now_s = self.clock.monotonic_s()
        for node in self.nodes.values():
            for capture in node.captures.values():
                capture.step(now_s)
            if not node.pipeline.over:
                node.pipeline.step(now_s)
        self.exchange()

    def exchange(self) -> None:
        """What waits goes over the line, is committed and receipted."""
        now_s = self.clock.monotonic_s()
        for node in self.nodes.values():
            node.uplink.step(now_s)
        for worker, _ in self.station.workers:
            worker.step(now_s)
        for node in self.nodes.values():
            node.uplink.step(now_s)

    def drain(self, *, seconds: float = 60.0) -> None:
        """Let time pass with nothing to see: outboxes empty, the last rules ripen."""
        for _ in range(round(seconds / 0.5)):
            self.clock.advance(0.5)
            self.exchange()

    def close(self) -> None:
        """Orderly end of all."""
        for node in self.nodes.values():
            for capture in node.captures.values():
                capture.close()
            node.pipeline.close()
            node.uplink.close()
            node.close()
        for worker, _ in self.station.workers:
            worker.close()
        self.store.close()


def join(
    folder: Path,
    *,
    site_id: str,
    site_file: Path,
    clock: ManualClock,
    ids: UlidSource,
    keep_log: bool = False,
    station: Mapping[tuple[str, str], Any] | None = None,
) -> Joined:
    """Make a station as `border-ground init` does and put it together; nodes are added afterwards.

    Args:
        folder: for keys, databases and outboxes.
        site_id: as it stands in topics.
        site_file: the station's GeoJSON.
        clock: the world's.
        ids: of everything.
        keep_log: keep every message of the bus.
        station: more of the station's settings, by (table, key).
    """
    told: dict[tuple[str, str], Any] = {
        ("station", "site_id"): site_id,
        ("station", "site_file"): str(site_file),
        ("station", "allow_simulated"): True,
    }
    installed = install.install(folder / "station", told | dict(station or {}), clock=clock)
    config: GroundConfig = load(installed.config_file, GroundConfig).model
    store = ground_app.open_store(config)
    bus = Bus(keep_log=keep_log)
    built = ground_app.build(
        config,
        clock=clock,
        ids=ids,
        transport=StationLine(bus, monotonic_s=clock.monotonic_s),
        store=store,
        key=SigningKey.load(folder / "station" / "keys" / "station.key"),
    )
    joined = Joined(
        clock=clock,
        ids=ids,
        bus=bus,
        folder=folder,
        station=built,
        store=store,
        public_key_file=installed.public_key_file,
    )
    # The station subscribes before the first node says that it is there.
    joined.exchange()
    return joined
