"""Play a scenario through real nodes and a real station on a simulated clock, as fast as it goes.

The ends are those of production, joined by bytes. Time stands still while they work and is moved to
the next instant at which a camera has a frame, a worker wants its turn, or a patrol reports.
"""

import heapq
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.app import Devices, Node
from edge.config import NodeConfig
from edge.detect import Detections
from ground_station.views import AlertView
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from runtime.workers import Worker
from simulations.bus import NodeLine, StationLine
from simulations.bus_faults import FaultyLine
from simulations.cameras import cameras, node_ids
from simulations.dem_file import write_dem
from simulations.detection_cache import frame_count
from simulations.flight import Flight
from simulations.identity import scenario_sha256
from simulations.joined import Joined, join
from simulations.offline_devices import autopilot, flight_at, position, telemetry
from simulations.patrols import REPORT_EVERY_S, Patrols
from simulations.played import NetworkUsed, ObservationCount, Played
from simulations.recorder import AlertLog, WireLog
from simulations.replay import ReplayCamera, ReplayDetector
from simulations.run_config import node_tables, site_id, write_site
from simulations.skew import SkewedClock
from simulations.world import World
from wire.topics import BY_NAME

_POLL_S = 0.25
"""A worker that would come back at once in a real process comes back so soon here."""
_TELEMETRY_S = 0.1
_QUIET_LOOK_S = 1.0
_DRAIN_S = 120.0
_TAKE = 1_000_000
_RESERVE_BYTES = 1 << 20
_NO_PORT = 1
"""Nothing is opened: bytes are handed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one camera's network sees.

    Attributes:
        sight: what is seen in frame ``index``, the picture taken at ``index / fps``.
        network: its name.
        network_sha256: of its file.
        film_sha256: of the pictures; empty where there are none.
    """

    sight: Callable[[int], Detections]
    network: str
    network_sha256: str
    film_sha256: str = ""


def play(
    world: World,
    sightings: Mapping[str, Sighting],
    *,
    duration_s: float,
    scratch: Path | None,
    detections: Literal["film", "modelled"] = "film",
    told: Callable[[float], object] = lambda _: None,
) -> Played:
    """Play a scenario from its first instant.

    Args:
        world: with the seed that is wanted.
        sightings: by camera.
        duration_s: how much of it.
        scratch: where databases may lie meanwhile; a folder in memory is many times faster, since
            both ends wait for the disk as they do in production. None takes the system's.
        detections: whether the sightings come of a film.
        told: is called with the scenario's seconds now and then.
    """
    began_s = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=scratch, prefix="border-sim-") as folder:
        run = _Run(world, sightings, folder=Path(folder), duration_s=duration_s)
        try:
            run.play(told)
            return run.played(detections=detections, wall_s=time.perf_counter() - began_s)
        finally:
            run.close()


class _Run:
    """One scenario being played."""

    def __init__(
        self, world: World, sightings: Mapping[str, Sighting], *, folder: Path, duration_s: float
    ) -> None:
        scenario = world.scenario
        self._world = world
        self._sightings = dict(sightings)
        self._cameras: dict[str, ReplayCamera] = {}
        self._flights: dict[str, Flight] = {}
        self._duration_s = duration_s
        self._clock = ManualClock(scenario.start_utc)
        ids = UlidSource(self._clock, random.Random(scenario.seed))  # repeatable
        site = site_id(scenario)
        self._joined: Joined = join(
            folder,
            site_id=site,
            site_file=write_site(scenario, world.site, folder),
            clock=self._clock,
            ids=ids,
            station={("station", "time_zone"): scenario.timezone},
        )
        bus = self._joined.bus
        self._tap = StationLine(bus, monotonic_s=self._clock.monotonic_s)
        self._tap.open([(BY_NAME["obs"].filter(site=site), 0)])
        errors_s = {name: scenario.node_settings(name).clock_error_s for name in self._node_ids()}
        self._wire = WireLog(scenario.start_utc, errors_s)
        self._alerts = AlertLog(scenario.start_utc)
        self._heard = self._joined.station.hub.newest
        self._patrols = Patrols(
            world,
            clock=self._clock,
            ids=ids,
            publish=lambda topic, payload: bus.publish(topic, payload, retain=False),
        )
        for node_id in self._node_ids():
            self._add_node(node_id)
        for _ in range(2):
            # Births go up and the line and its zones come down before the first frame.
            self._joined.exchange()
        self._agenda: list[tuple[float, int, int]] = []
        self._turns: list[Callable[[float], float | None]] = []

    # --- putting together -------------------------------------------------------------------------
    def _node_ids(self) -> tuple[str, ...]:
        return node_ids(self._world.scenario)

    def _add_node(self, node_id: str) -> None:
        scenario, joined = self._world.scenario, self._joined
        said = scenario.node_settings(node_id)
        own = [camera for camera in cameras(scenario) if camera.node == node_id]
        flight = flight_at(scenario, node_id)
        if flight is not None:
            self._flights[node_id] = flight
        tables = node_tables(
            scenario,
            self._world.site,
            node_id=node_id,
            cameras=own,
            data_dir=joined.folder / node_id,
            station_key_file=joined.public_key_file,
            streams={camera.id: f"http://127.0.0.1/{camera.id}.mjpg" for camera in own},
            mqtt={},
            dem=write_dem(scenario, self._world.site, self._world.landscape, joined.folder),
            gpsd_port=_NO_PORT if any(one.node == node_id for one in scenario.gpsd) else None,
            autopilot_url=None if flight is None else f"tcp://127.0.0.1:{_NO_PORT}",
            stated_clock_error_s=said.stated_clock_error_s,
        )
        # There are no pictures to cut crops from.
        tables["observe"] = {"crops": False}
        tables["outbox"] = {"reserve_bytes": _RESERVE_BYTES}
        config = NodeConfig.model_validate(tables)
        clock = SkewedClock(
            self._clock, error_s=said.clock_error_s, stated_error_s=said.stated_clock_error_s
        )
        line = NodeLine(joined.bus)
        replayed = {
            camera.id: ReplayCamera(
                camera,
                clock,
                frames=frame_count(camera, self._duration_s),
                read_timeout_s=settings.read_timeout_s,
                frozen_after_s=settings.frozen_after_s,
                latency_s=settings.capture_latency_s,
                moves=settings.vehicle is not None,
            )
            for camera, settings in zip(own, config.camera, strict=True)
        }
        self._cameras |= replayed
        seen = {camera.id: self._sightings[camera.id] for camera in own}
        joined.add_node(
            config,
            Devices(
                cameras=replayed,
                detectors={
                    name: ReplayDetector(
                        name=one.network, sha256=one.network_sha256, sight=one.sight
                    )
                    for name, one in seen.items()
                },
                transport=FaultyLine(
                    line,
                    said.link_fault,
                    clock=self._clock,
                    keepalive_s=config.mqtt.keepalive_s,
                )
                if said.link_fault
                else line,
                position=position(self._world, node_id, config, clock, self._clock),
                autopilot=None if flight is None else autopilot(flight, config, clock, self._clock),
            ),
            clock=clock,
        )

    # --- time -------------------------------------------------------------------------------------
    def play(self, told: Callable[[float], object]) -> None:
        """Let time pass to the scenario's end, then until everything has arrived."""
        for node in self._joined.nodes.values():
            # What a frame is placed by is heard before the frame is looked at.
            for worker in telemetry(node):
                self._enlist(_worker_turn(worker, least_s=_TELEMETRY_S))
        for camera in cameras(self._world.scenario):
            node = self._joined.nodes[camera.node]
            frames = frame_count(camera, self._duration_s)
            self._enlist(self._camera_turn(node, camera.id, camera.fps, frames))
        for node in self._joined.nodes.values():
            self._enlist(_worker_turn(node.uplink))
            self._enlist(self._quiet_turn(node))
        for worker, _ in self._joined.station.workers:
            self._enlist(_worker_turn(worker))
        if self._patrols.actors:
            self._enlist(self._patrol_turn)
        self._until(self._duration_s, told)
        self._listen()
        said, self._alerts = self._alerts, AlertLog(self._world.scenario.start_utc)
        end_s = self._duration_s + _DRAIN_S
        while self._clock.monotonic_s() < end_s and self._waiting():
            self._until(self._clock.monotonic_s() + _POLL_S, lambda _: None)
        # What is said after the end belongs to no second that was played.
        self._alerts = said

    def _until(self, end_s: float, told: Callable[[float], object]) -> None:
        passed = self._joined.bus.published
        while self._agenda and self._agenda[0][0] < end_s:
            due_s, _, number = heapq.heappop(self._agenda)
            now_s = self._clock.monotonic_s()
            if due_s > now_s:
                self._clock.advance(due_s - now_s)
                now_s = due_s
            next_s = self._turns[number](now_s)
            if self._joined.bus.published != passed:
                # The station's ingest sleeps until something arrives.
                self._joined.station.workers[0][0].step(now_s)
                passed = self._joined.bus.published
                self._listen()
            if next_s is not None:
                heapq.heappush(self._agenda, (next_s, number, number))
                told(now_s)
        rest_s = end_s - self._clock.monotonic_s()
        if rest_s > 0.0:
            self._clock.advance(rest_s)

    def _enlist(self, turn: Callable[[float], float | None]) -> None:
        self._turns.append(turn)
        number = len(self._turns) - 1
        heapq.heappush(self._agenda, (0.0, number, number))

    def _camera_turn(
        self, node: Node, camera_id: str, fps: float, frames: int
    ) -> Callable[[float], float | None]:
        count = 0
        late_s = next(
            one.capture_latency_s for one in node.config.camera if one.sensor_id == camera_id
        )

        def turn(now_s: float) -> float | None:
            nonlocal count
            count += 1
            node.captures[camera_id].step(now_s)
            if node.slots.waits(camera_id):
                before = node.outbox.depth
                node.pipeline.step(now_s)
                if node.outbox.depth != before:
                    node.uplink.step(now_s)
            return late_s + count / fps if count < frames else None

        return turn

    def _quiet_turn(self, node: Node) -> Callable[[float], float]:
        """End tracks of cameras that bring no frames; with none waiting, a step would sleep."""

        def turn(now_s: float) -> float:
            for eye in node.eyes.values():
                if len(eye.tracker) and now_s - eye.looked_s > eye.quiet_after_s:
                    node.pipeline.step(now_s)
                    break
            return now_s + _QUIET_LOOK_S

        return turn

    def _patrol_turn(self, now_s: float) -> float:
        self._patrols.report(now_s)
        return now_s + REPORT_EVERY_S

    def _waiting(self) -> bool:
        return any(node.outbox.depth for node in self._joined.nodes.values())

    # --- what came of it --------------------------------------------------------------------------
    def _listen(self) -> None:
        now_s = self._clock.monotonic_s()
        hub = self._joined.station.hub
        while hub.newest > self._heard:
            events = hub.after(self._heard)
            for event in events:
                if event.name == "alert":
                    self._alerts.hear(AlertView.model_validate_json(event.data), t_said_s=now_s)
            self._heard = events[-1].number
        self._wire.hear(one.payload for one in self._tap.take(_TAKE))

    def played(self, *, detections: Literal["film", "modelled"], wall_s: float) -> Played:
        """Return the record."""
        self._listen()
        scenario = self._world.scenario
        return Played(
            scenario=scenario.name,
            scenario_sha256=scenario_sha256(scenario),
            seed=scenario.seed,
            detections=detections,
            real=False,
            duration_s=self._duration_s,
            camera_s={
                # A camera that shows black, a cloth or an old picture guards nothing meanwhile.
                camera.id: round(
                    (
                        self._joined.nodes[camera.node].eyes[camera.id].frames
                        - self._cameras[camera.id].blind_frames
                    )
                    / camera.fps,
                    3,
                )
                for camera in cameras(scenario)
            },
            networks=tuple(
                NetworkUsed(sensor_id=name, name=one.network, sha256=one.network_sha256)
                for name, one in self._sightings.items()
            ),
            film_sha256={
                name: one.film_sha256 for name, one in self._sightings.items() if one.film_sha256
            },
            alerts=tuple(self._alerts.moments),
            observations=tuple(self._wire.kept),
            counts=self._counts(),
            min_distance_to_line_m={
                name: round(flight.min_distance_to_line_m, 2)
                for name, flight in self._flights.items()
            },
            wall_s=round(wall_s, 3),
        )

    def _counts(self) -> ObservationCount:
        made = superseded = lost = 0
        for node in self._joined.nodes.values():
            counters = node.outbox.counters
            unsent = node.outbox.depth - (counters.sent - counters.receipted)
            gone = counters.dropped_plain + counters.lost_key
            made += counters.sent + counters.superseded + gone + unsent
            superseded += counters.superseded
            lost += gone + node.outbox.depth
        registry = self._joined.station.metrics.registry
        return ObservationCount(
            made=made,
            received=int(registry.get_sample_value("bw_observations_committed_total") or 0),
            superseded=superseded,
            duplicate=int(registry.get_sample_value("bw_messages_duplicate_total") or 0),
            lost=lost,
        )

    def close(self) -> None:
        """Let go of both ends."""
        self._joined.close()


def _worker_turn(worker: Worker, *, least_s: float = _POLL_S) -> Callable[[float], float]:
    def turn(now_s: float) -> float:
        return now_s + max(least_s, worker.step(now_s))

    return turn
