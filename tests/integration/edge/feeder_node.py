"""A real node process that is fed key observations by hand; run by `test_broker.py`, killed by it.

Usage: python feeder_node.py CONFIG LEDGER COUNT. Every id that `Outbox.put` has promised to be on disk
is appended to LEDGER; with COUNT ids in it the process only waits until the station has everything.
"""

import random
import sys
from pathlib import Path

from edge import devices
from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.outbox import Item
from runtime import log
from runtime.clock import SystemClock
from runtime.ids import UlidSource
from runtime.settings import load
from runtime.workers import Supervisor
from tests.unit.edge.parts import Script, StillCamera
from wire.messages import Observation


class Feeder:
    """A worker that puts one key observation every few milliseconds."""

    name = "feeder"

    def __init__(self, node: Node, ids: UlidSource, clock, ledger: Path, count: int) -> None:
        self._node, self._ids, self._clock = node, ids, clock
        self._ledger = ledger.open("a", encoding="ascii", buffering=1)
        self._left = count - len(ledger.read_text(encoding="ascii").split())

    def step(self, now_s: float) -> float:
        if self._left <= 0:
            return 0.5
        ident = self._ids.new()
        body = Observation(
            track_id=self._ids.new(),
            phase="new",
            key=True,
            sensor_id="cam-1",
            object_class="Human",
            confidence=0.9,
            box_px=(1.0, 2.0, 3.0, 4.0),
            frame_size_px=(640, 480),
            pixel_height_px=2.0,
        )
        taken = self._node.outbox.put(
            Item(
                id=ident,
                kind="obs",
                parameter="cam-1",
                body=body,
                key=True,
                track_id=body.track_id,
                t_event_utc=self._clock.utc(),
                t_event_monotonic_s=now_s,
            )
        )
        if taken:
            self._ledger.write(f"{ident}\n")
            self._left -= 1
        return 0.004

    @property
    def done(self) -> bool:
        return self._left <= 0 and self._node.outbox.depth == 0

    def close(self) -> None:
        self._ledger.close()


def main() -> int:
    config, ledger, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    log.configure(json=True, level="INFO")
    loaded = load(config, NodeConfig)
    clock = SystemClock(stated_error_s=0.1)
    ids = UlidSource(clock, random.SystemRandom())
    supervisor = Supervisor(clock)
    node = Node(
        config=loaded.model,
        config_sha256=loaded.sha256,
        devices=Devices(
            cameras={"cam-1": StillCamera("cam-1", clock)},
            detectors={"cam-1": Script([[]])},
            transport=devices.open_transport(loaded.model, clock),
        ),
        clock=clock,
        ids=ids,
        boot_id=devices.boot_id(),
        software_version="test",
        beats=supervisor.beats,
    )
    feeder = Feeder(node, ids, clock, ledger, count)
    for worker, beat_timeout_s in node.workers:
        if worker.name == "uplink":
            supervisor.add(worker, beat_timeout_s=beat_timeout_s)
    supervisor.add(feeder, beat_timeout_s=30.0)
    supervisor.start()
    while not supervisor.wait(0.1):
        if feeder.done:
            break
    supervisor.stop()
    node.close()
    return int(supervisor.failed)


if __name__ == "__main__":
    sys.exit(main())
