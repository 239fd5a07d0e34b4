"""A whole station on a simulated clock, joined to nothing but bytes."""

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from ground_station.app import Station, build
from ground_station.config import GroundConfig
from ground_station.store import Store
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from runtime.settings import SecretFile
from tests.station_kit import SITE_ID, START, Wire, write_site
from wire.signing import SigningKey


@dataclass
class Rig:
    """A station whose workers the test steps itself."""

    config: GroundConfig
    clock: ManualClock
    wire: Wire
    store: Store
    station: Station

    def step(self, seconds: float = 0.0) -> None:
        """Let time pass, then let every worker work once."""
        self.clock.advance(seconds)
        for worker, _ in self.station.workers:
            worker.step(self.clock.monotonic_s())

    def say(self, *messages: tuple[str, bytes], retained: bool = False) -> None:
        """Push messages in and work."""
        for topic, payload in messages:
            self.wire.push(topic, payload, retained=retained)
        self.step()

    def counter(self, name: str, **labels: str) -> float:
        return self.station.metrics.registry.get_sample_value(f"bw_{name}_total", labels) or 0.0


class RigFactory:
    def __init__(self, folder: Path, empty_database: Path) -> None:
        self.folder = folder
        self.empty_database = empty_database
        self.site_file = write_site(folder)
        self.key = SigningKey.generate()
        self.stores: list[Store] = []

    def __call__(self, *, clock: ManualClock | None = None, **changes) -> Rig:
        """A station; called again it is the same one after a restart."""
        clock = clock or ManualClock(START)
        tables = {"station": {}, "http": {}, "sensors": {}, "store": {}} | changes
        config = GroundConfig.model_validate(
            {
                "station": {
                    "site_id": SITE_ID,
                    "site_file": self.site_file,
                    "data_dir": self.folder / "data",
                    "signing_key_file": SecretFile(self.folder / "station.key"),
                }
                | tables.pop("station")
            }
            | tables
        )
        database = config.station.data_dir / "station.sqlite3"
        if not database.exists():
            database.parent.mkdir(exist_ok=True)
            shutil.copy(self.empty_database, database)
        store = Store(config.database_url)
        self.stores.append(store)
        wire = Wire(clock)
        station = build(
            config,
            clock=clock,
            ids=UlidSource(clock, random.Random(7)),
            transport=wire,
            store=store,
            key=self.key,
            broker_name="wire",
        )
        return Rig(config=config, clock=clock, wire=wire, store=store, station=station)

    def close(self) -> None:
        for store in self.stores:
            store.close()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A database with an up-to-date schema, made once."""
    path = tmp_path_factory.mktemp("empty") / "station.sqlite3"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return path


@pytest.fixture
def rigs(tmp_path, empty_database):
    factory = RigFactory(tmp_path, empty_database)
    yield factory
    factory.close()


@pytest.fixture
def rig(rigs):
    return rigs()
