"""Play a scenario with the real processes in real time: broker, station, nodes, cameras, radio links.

What comes of it has the same form as an offline run. The world's clock begins when every node is
online; what the station says is heard at its page's event stream, as a page hears it.
"""

import shutil
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console

from edge.config import NodeConfig
from ground_station.config import GroundConfig
from ground_station.ingest import Address, MqttWorker, PahoTransport
from ground_station.transport import Outgoing
from ground_station.views import AlertView, TargetView
from models.registry import Registry
from runtime.clock import Clock, SystemClock
from runtime.errors import AskOperator, RetryLater
from runtime.ids import UlidSource
from runtime.toml_text import write
from runtime.workers import Supervisor, Worker
from simulations.alert_stream import EventStream
from simulations.cameras import cameras, node_ids
from simulations.dem_file import write_dem
from simulations.gpsd_post import gpsd_here
from simulations.identity import scenario_sha256
from simulations.link_worker import LinkWorker
from simulations.patrols import REPORT_EVERY_S, Patrols
from simulations.played import NetworkUsed, ObservationCount, Played
from simulations.processes import Processes, edge_command, free_port, ground_command
from simulations.recorder import AlertLog, WireLog
from simulations.run_config import node_tables, site_id, station_tables, write_site
from simulations.station_client import StationClient
from simulations.studio import Studio
from simulations.world import World
from wire import codec
from wire.messages import OutboxHealth
from wire.topics import BY_NAME, parse

_ROOT = Path(__file__).resolve().parent.parent
_UP_S = 60.0
_NODES_UP_S = 180.0
_POLL_S = 0.1
_LOOK_S = 1.0
_BEAT_TIMEOUT_S = 30.0
_USER = "rehearsal"
_TAKE = 100_000
_MOST_LATENCIES = 50_000


@dataclass(slots=True, kw_only=True)
class _Account:
    """What was written down while it ran."""

    alerts: AlertLog
    wire: WireLog
    latencies_s: list[float] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    online_s: dict[str, float] = field(default_factory=dict)
    outboxes: dict[str, OutboxHealth] = field(default_factory=dict)


def refuse_what_reality_cannot(world: World) -> None:
    """Look whether the scenario can be played with real processes on this machine.

    Raises:
        AskOperator: a node's clock is to be wrong (there is one clock here), or no camera is there.
    """
    wrong = [node.id for node in world.scenario.node if node.clock_error_s != 0.0]
    if wrong:
        raise AskOperator(
            field="--real",
            value=f"node {wrong[0]} with clock_error_s",
            allowed="scenarios whose nodes have the machine's own time",
            next_step="play it without --real",
        )


class RealRun:
    """One scenario with real processes, from nothing to its record and back to nothing.

    Args:
        world: with the seed that is wanted.
        folder: for configs, keys, records and logs; emptied before.
        environment: of the child processes.
        duration_s: how much of the scenario.
        console: where people are told.
        clock: real time.
    """

    def __init__(
        self,
        world: World,
        *,
        folder: Path,
        environment: Mapping[str, str],
        duration_s: float,
        console: Console,
        clock: Clock | None = None,
    ) -> None:
        refuse_what_reality_cannot(world)
        self._world = world
        self._folder = folder.absolute()
        self._duration_s = duration_s
        self._say = console.print
        self._clock = clock if clock is not None else SystemClock(stated_error_s=0.05)
        python_path = f"{_ROOT}:{environment.get('PYTHONPATH', '')}".rstrip(":")
        self._environment = dict(environment) | {"PYTHONPATH": python_path}
        self._go_s: float | None = None
        self._go_utc = self._clock.utc()

    def play(self) -> Played:
        """Run it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        children = Processes(folder=self._folder, environment=self._environment, root=_ROOT)
        children.end_leftovers()
        for one in ("station", "nodes"):
            shutil.rmtree(self._folder / one, ignore_errors=True)
        with ExitStack() as stack:
            studio = stack.enter_context(Studio(self._world, clock=self._clock, gpsd=gpsd_here()))
            stack.callback(children.stop)
            broker_port, http_port = free_port(), free_port()
            self._start_broker(children, broker_port)
            client = self._start_station(children, broker_port, http_port)
            links = self._links(broker_port)
            workers = Supervisor(self._clock)
            tap = self._tap(broker_port)
            stream = EventStream(
                host="127.0.0.1", port=http_port, cookie=client.cookie, clock=self._clock
            )
            stream.open()
            listeners: list[Worker] = [*links.values(), MqttWorker(tap), stream]
            for worker in listeners:
                workers.add(worker, beat_timeout_s=_BEAT_TIMEOUT_S)
            stack.callback(workers.stop)
            workers.start()
            self._wait("the listener at the broker", _UP_S, lambda: tap.connected, children)
            self._start_nodes(children, studio, links, broker_port)
            self._wait("the nodes", _NODES_UP_S, lambda: self._online(client), children)
            self._say(f"{self._world.scenario.name}: {self._duration_s:g} s in real time ...")
            studio.go()
            self._go_s, self._go_utc = self._clock.monotonic_s(), self._clock.utc()
            account = _Account(alerts=AlertLog(self._go_utc), wire=WireLog(self._go_utc, {}))
            for view in client.alerts():
                # Who stood there before the world began to move was told of already.
                account.alerts.hear(AlertView.model_validate(view), t_said_s=0.0)
            self._watch(account, children, studio, client, stream, tap, workers)
            return self._played(account, client, studio)

    # --- starting ---------------------------------------------------------------------------------
    def _start_broker(self, children: Processes, port: int) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            raise AskOperator(
                field="--real",
                value="no mosquitto on this machine",
                allowed="a machine with the package mosquitto",
                next_step="install it, or play without --real",
            )
        config = self._folder / "broker.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "max_queued_messages 100000\n",
            encoding="utf-8",
        )
        children.start("broker", [program, "-c", str(config)])
        self._wait("the broker", _UP_S, lambda: _listens(port), children)

    def _start_station(
        self, children: Processes, broker_port: int, http_port: int
    ) -> StationClient:
        scenario, folder = self._world.scenario, self._folder / "station"
        site_path = write_site(scenario, self._world.site, self._folder)
        site = ["--site-id", site_id(scenario), "--site-file", str(site_path)]
        children.call(
            "border-ground init",
            ground_command("init", str(folder), *site, "--allow-simulated"),
        )
        tables = station_tables(
            scenario,
            site_path=site_path,
            folder=folder,
            broker={"kind": "address", "address": "127.0.0.1", "port": broker_port},
            http_port=http_port,
        )
        GroundConfig.model_validate(tables)
        config = folder / "station.toml"
        config.write_text(write(tables), encoding="utf-8")
        password = UlidSource(self._clock, Random()).new()
        secret = self._folder / "password"
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(password + "\n", encoding="utf-8")
        words = ["user", "add", _USER, "--role", "administrator", "--name", _USER]
        words += ["--password-file", str(secret), "--config", str(config)]
        children.call("border-ground user add", ground_command(*words))
        children.start("station", ground_command("run", "--config", str(config)))
        client = StationClient(f"http://127.0.0.1:{http_port}")
        self._wait("the station", _UP_S, client.alive, children)
        client.login(_USER, password)
        return client

    def _links(self, broker_port: int) -> dict[str, LinkWorker]:
        scenario = self._world.scenario
        return {
            name: LinkWorker(
                name,
                scenario.node_settings(name).link_fault,
                target_port=broker_port,
                scene_time_s=self._scene_time_s,
            )
            for name in node_ids(scenario)
            if scenario.node_settings(name).link_fault
        }

    def _tap(self, broker_port: int) -> PahoTransport:
        """A client that hears what the nodes say, and speaks for the patrols."""
        address = Address(host="127.0.0.1", port=broker_port)
        tap = PahoTransport(address, client_id="rehearsal", clock=self._clock)
        site = site_id(self._world.scenario)
        tap.open([(BY_NAME[name].filter(site=site), 1) for name in ("obs", "health")])
        return tap

    def _start_nodes(
        self, children: Processes, studio: Studio, links: Mapping[str, LinkWorker], port: int
    ) -> None:
        world, scenario = self._world, self._world.scenario
        dem = write_dem(scenario, world.site, world.landscape, self._folder)
        for node_id in node_ids(scenario):
            own = [one for one in cameras(scenario) if one.node == node_id]
            own_port = links[node_id].port if node_id in links else port
            tables = node_tables(
                scenario,
                self._world.site,
                node_id=node_id,
                cameras=own,
                data_dir=self._folder / "nodes" / node_id,
                station_key_file=self._folder / "station" / "keys" / "station.pub",
                streams={one.id: studio.url(one.id) for one in own},
                mqtt={"host": "127.0.0.1", "port": own_port},
                stated_clock_error_s=scenario.node_settings(node_id).stated_clock_error_s,
                dem=dem,
                gpsd_port=studio.gpsd_ports().get(node_id),
                autopilot_url=studio.autopilot_urls().get(node_id),
            )
            NodeConfig.model_validate(tables)
            config = self._folder / "nodes" / f"{node_id}.toml"
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_text(write(tables), encoding="utf-8")
            children.start(node_id, edge_command("run", "--config", str(config)))

    # --- running ----------------------------------------------------------------------------------
    def _watch(
        self,
        account: _Account,
        children: Processes,
        studio: Studio,
        client: StationClient,
        stream: EventStream,
        tap: PahoTransport,
        workers: Supervisor,
    ) -> None:
        ids = UlidSource(self._clock, Random())
        patrols = Patrols(
            self._world,
            clock=self._clock,
            ids=ids,
            publish=lambda topic, payload: tap.publish(
                Outgoing(topic=topic, payload=payload, qos=0, retain=False)
            ),
        )
        look_s = report_s = 0.0
        while (t_s := self._scene_time_s() or 0.0) < self._duration_s:
            if studio.wait(_POLL_S) or workers.failed:
                raise RetryLater("a worker of the rehearsal failed; see above", retry_after_s=0.0)
            children.check()
            self._hear(account, stream, tap)
            if t_s >= report_s:
                patrols.report(t_s)
                report_s += REPORT_EVERY_S
            if t_s >= look_s:
                look_s = t_s + _LOOK_S
                for sensor in _sensors(client):
                    if sensor["status"] == "online":
                        name = sensor["sensor_id"]
                        account.online_s[name] = account.online_s.get(name, 0.0) + _LOOK_S
        self._hear(account, stream, tap)

    def _hear(self, account: _Account, stream: EventStream, tap: PahoTransport) -> None:
        for one in stream.take():
            said_s = (one.t_utc - self._go_utc).total_seconds()
            if said_s < 0.0:
                continue
            if one.name == "alert":
                account.alerts.hear(AlertView.model_validate_json(one.data), t_said_s=said_s)
            elif one.name == "target":
                self._latency(account, TargetView.model_validate_json(one.data), one.t_utc)
        observations = []
        for arrived in tap.take(_TAKE):
            if parse(arrived.topic).spec.name == "obs":
                observations.append(arrived.payload)
            else:
                health = codec.decode(arrived.payload, spec=BY_NAME["health"]).message
                account.outboxes[health.node_id] = health.body.outbox
        account.wire.hear(observations)

    def _latency(self, account: _Account, view: TargetView, heard_utc: datetime) -> None:
        key = (view.target_id, view.t_utc)
        # A target that is told again without a new picture behind it says nothing of the road.
        if view.coasting or key in account.told or len(account.told) >= _MOST_LATENCIES:
            return
        account.told.add(key)
        seen_utc = datetime.fromisoformat(view.t_utc.replace("Z", "+00:00"))
        if seen_utc >= self._go_utc:
            account.latencies_s.append(round((heard_utc - seen_utc).total_seconds(), 3))

    def _scene_time_s(self) -> float | None:
        return None if self._go_s is None else self._clock.monotonic_s() - self._go_s

    def _online(self, client: StationClient) -> bool:
        gone = {
            camera.id
            for camera in cameras(self._world.scenario)
            if any(fault.holds(0.0) for fault in camera.fault)
        }
        wanted = {camera.id for camera in cameras(self._world.scenario)} - gone
        alive = {node["node_id"] for node in client.nodes() if node["state"] != "offline"}
        seen = {one["sensor_id"] for one in _sensors(client) if one["status"] == "online"}
        return wanted <= seen and set(node_ids(self._world.scenario)) <= alive

    def _wait(self, what: str, limit_s: float, ready: Any, children: Processes) -> None:
        until_s = self._clock.monotonic_s() + limit_s
        pause = Supervisor(self._clock)
        while not ready():
            children.check()
            if self._clock.monotonic_s() > until_s:
                raise RetryLater(
                    f"{what} is not up after {limit_s:g} s; its log lies in {self._folder}",
                    retry_after_s=limit_s,
                )
            pause.wait(_POLL_S)

    # --- what came of it --------------------------------------------------------------------------
    def _played(self, account: _Account, client: StationClient, studio: Studio) -> Played:
        scenario = self._world.scenario
        registry = Registry.load()
        networks = [
            (camera.id, registry.get("day" if camera.spectrum == "day" else "thermal"))
            for camera in cameras(scenario)
        ]
        received = int(client.metric("bw_observations_committed_total"))
        outboxes = account.outboxes.values()
        superseded = sum(one.superseded for one in outboxes)
        lost = sum(one.dropped_plain + one.lost_key for one in outboxes)
        return Played(
            scenario=scenario.name,
            scenario_sha256=scenario_sha256(scenario),
            seed=scenario.seed,
            detections="film",
            real=True,
            duration_s=self._duration_s,
            camera_s={
                camera.id: min(account.online_s.get(camera.id, 0.0), self._duration_s)
                for camera in cameras(scenario)
            },
            networks=tuple(
                NetworkUsed(sensor_id=name, name=entry.name, sha256=entry.sha256)
                for name, entry in networks
            ),
            alerts=tuple(account.alerts.moments),
            observations=tuple(one for one in account.wire.kept if one.t_event_s >= 0.0),
            counts=ObservationCount(
                made=received + superseded + lost,
                received=received,
                superseded=superseded,
                duplicate=int(client.metric("bw_messages_duplicate_total")),
                lost=lost,
            ),
            capture_to_map_s=tuple(account.latencies_s),
            wall_s=self._duration_s,
            min_distance_to_line_m=studio.min_distance_to_line_m(),
        )


def _sensors(client: StationClient) -> list[dict[str, Any]]:
    return [sensor for node in client.nodes() for sensor in node["sensors"]]


def _listens(port: int) -> bool:
    with socket.socket() as door:
        door.settimeout(0.5)
        return door.connect_ex(("127.0.0.1", port)) == 0
