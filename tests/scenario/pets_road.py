"""The whole road as real processes over vtest.avi: broker, station, node."""

from dataclasses import dataclass
from pathlib import Path

from tests.scenario import real, vtest

SITE, NODE, SENSOR = "pets", "mast-1", "cam-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """The three programs, not yet started, and where they keep things."""

    broker: real.Program
    station: real.Program
    node: real.Program
    broker_port: int
    http_port: int
    station_config: Path
    database: Path
    outbox: Path

    @property
    def programs(self) -> tuple[real.Program, ...]:
        """In the order in which they are stopped."""
        return (self.node, self.station, self.broker)

    def start_station(self) -> None:
        """Broker, then station, until both answer."""
        self.broker.start()
        real.wait_for("the broker", lambda: real.listens(self.broker_port), 10)
        self.station.start()
        real.wait_for("the station", lambda: real.health(self.http_port) is not None, 60)

    def stop(self) -> None:
        """Everything, orderly."""
        for program in self.programs:
            program.stop()

    def last_words(self) -> str:
        """What each program said last, for a failed test."""
        return "\n".join(f"--- {program.name}\n{program.tail()}" for program in self.programs)


def lay(folder: Path, data_dir: Path) -> Road:
    """Write the configs; the camera is the pinhole fitted on the truth's first frames."""
    broker_port, http_port = real.free_port(), real.free_port()
    camera = vtest.fitted_camera(vtest.truth_table(data_dir))
    station, home = real.station(
        folder, vtest.site_geojson(), site_id=SITE, broker_port=broker_port, http_port=http_port
    )
    node_config = real.node_toml(
        folder,
        site_id=SITE,
        node_id=NODE,
        broker_port=broker_port,
        camera={
            "sensor_id": SENSOR,
            "source": str(data_dir / "films" / "vtest.avi"),
            "film_rate_hz": vtest.FILM_RATE_HZ,
            "pace": "real_time",
        },
        tables={
            "mount": {
                "lon_deg": camera.position.lon_deg,
                "lat_deg": camera.position.lat_deg,
                "alt_hae_m": camera.position.alt_hae_m,
                "azimuth_deg": camera.azimuth_deg,
                "pitch_deg": camera.pitch_deg,
                "roll_deg": camera.roll_deg,
                "horizontal_sigma_m": 0.1,
                "vertical_sigma_m": 0.1,
                "azimuth_sigma_deg": 0.05,
                "pitch_sigma_deg": 0.05,
                "roll_sigma_deg": 0.05,
            },
            "lens": {
                "width_px": vtest.SIZE_PX[0],
                "height_px": vtest.SIZE_PX[1],
                "fx_px": camera.lens.fx_px,
                "fy_px": camera.lens.fy_px,
                "cx_px": camera.lens.cx_px,
                "cy_px": camera.lens.cy_px,
            },
            "ground": {"alt_hae_m": vtest.ORIGIN.alt_hae_m, "sigma_m": 0.05},
        },
    )
    node = real.Program(
        "node", real.border_edge("run", "--config", str(node_config), "--exit-when-done"), folder
    )
    return Road(
        broker=real.mosquitto(folder, broker_port),
        station=station,
        node=node,
        broker_port=broker_port,
        http_port=http_port,
        station_config=home / "station.toml",
        database=home / "data" / "station.sqlite3",
        outbox=folder / "node" / "outbox.db",
    )
