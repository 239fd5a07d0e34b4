"""Where messages become decisions and decisions become records: one lock, one transaction each.

What is decided is committed together with the observation that decided it, so a crash at any
instant neither doubles nor loses an alert; pages and nodes are told only after the commit.
"""

import dataclasses
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

from ground_station import records
from ground_station.announce import Announcer
from ground_station.config import GroundConfig
from ground_station.decide import Decider
from ground_station.decision import Decision
from ground_station.filing import Batch, Filing
from ground_station.fleet import Fleet
from ground_station.hub import EventName, Hub
from ground_station.ingest_door import Message, Refusal, decode
from ground_station.metrics import Metrics
from ground_station.roster import Roster
from ground_station.store import Store, Transaction, incidents, intake, people
from ground_station.transport import Arrived
from ground_station.views import AlertView, NodeView, StationView, TargetView, VehicleView
from runtime.clock import Clock
from runtime.errors import AskOperator
from runtime.log import get_logger
from wire.values import rfc3339_ms

ON_WATCH_S = 600.0
STATION_EVERY_S = 2.0


class Answer(Protocol):
    """What keeps the answer to a repeated request, in the transaction of the act."""

    def __call__(self, tx: Transaction, view: AlertView) -> None:
        """Keep it."""
        ...


class Desk:
    """The station's memory and judgement; every method may be called from any thread.

    Args:
        config: the station's settings.
        clock: monotonic and UTC.
        store: the database.
        decider: makes an empty decision core; called again after a transaction that failed.
        filing: puts messages into the store.
        roster: the nodes.
        fleet: the drones.
        hub: events for pages.
        announcer: what goes out to the broker.
        metrics: figures.
        broker_name: shown on the page.
    """

    def __init__(
        self,
        *,
        config: GroundConfig,
        clock: Clock,
        store: Store,
        decider: Callable[[], Decider],
        filing: Filing,
        roster: Roster,
        fleet: Fleet,
        hub: Hub,
        announcer: Announcer,
        metrics: Metrics,
        version: str,
        broker_name: str,
    ) -> None:
        self._config = config
        self._clock = clock
        self._store = store
        self._make_decider = decider
        self._decider = decider()
        self._filing = filing
        self._roster = roster
        self._fleet = fleet
        self._hub = hub
        self._announcer = announcer
        self._metrics = metrics
        self._version = version
        self._broker_name = broker_name
        self._lock = threading.RLock()
        self._behind = True
        """Memory and database may differ: read everything again before the next call."""
        self._station_due_s = 0.0
        self._log = get_logger(worker="desk")

    # --- the way in -------------------------------------------------------------------------------
    def take(self, arrived: Sequence[Arrived]) -> set[str]:
        """Decode, decide and commit a batch.

        Returns:
            Nodes that are owed a receipt.

        Raises:
            StoreUnavailable: nothing was committed; the nodes will send again.
        """
        site = self._config.station
        messages: list[Message] = []
        refusals: list[Refusal] = []
        for one in arrived:
            found = decode(one, site_id=site.site_id, allow_simulated=site.allow_simulated)
            if isinstance(found, Message):
                messages.append(found)
            else:
                refusals.append(found)
        if not messages and not refusals:
            return set()
        started_s = self._clock.monotonic_s()
        with self._lock, self._deciding() as decider:
            now_utc, now_s = self._clock.utc(), self._clock.monotonic_s()
            with self._store.write() as tx:
                batch = self._filing.file(tx, messages, refusals, now_utc=now_utc, now_s=now_s)
                decision = self._decide(decider, batch)
                records.keep(tx, decision, now_utc=self._clock.utc())
            self._tell(decision)
            self._tell_nodes(batch.nodes)
            self._tell_vehicles(batch.vehicles)
            for node_id in batch.born:
                self._announcer.zones(node_id)
        self._metrics.commit_s.observe(self._clock.monotonic_s() - started_s)
        return batch.receipts

    def _decide(self, decider: Decider, batch: Batch) -> Decision:
        now_utc = self._clock.utc()
        for friend in batch.friends:
            body = friend.envelope.body
            decider.friend(
                friend_id=body.friend_id,
                name=body.name,
                lon_deg=body.position.lon_deg,
                lat_deg=body.position.lat_deg,
                sigma_m=body.horizontal_sigma_m,
                t_utc=friend.envelope.t_event_utc or now_utc,
            )
        decision = decider.observe(batch.observed, now_utc) if batch.observed else Decision()
        for track_id, media_id in batch.crops:
            decision = decision.join(decider.media(track_id, media_id, now_utc))
        return decision

    def frontier(self, node_id: str) -> int | None:
        """What a node may forget; None while memory may hold numbers that were never committed."""
        with self._lock:
            return None if self._behind else self._filing.frontier(node_id)

    # --- time -------------------------------------------------------------------------------------
    def tick(self) -> None:
        """What happens because time passes: targets coast and die, alerts escalate, nodes fall silent.

        Raises:
            StoreUnavailable: to be called again later.
        """
        with self._lock, self._deciding() as decider:
            decision = decider.tick(self._clock.utc())
            if decision.alerts or decision.acts or decision.findings or decision.links:
                with self._store.write() as tx:
                    records.keep(tx, decision, now_utc=self._clock.utc())
            self._tell(decision)
            now_s = self._clock.monotonic_s()
            self._tell_nodes(set(self._roster.changed(now_s)))
            self._tell_vehicles(set(self._fleet.changed(now_s)))
            if now_s >= self._station_due_s:
                self._station_due_s = now_s + STATION_EVERY_S
                self._hub.publish([("station", self.station().model_dump_json())])

    # --- what people do ---------------------------------------------------------------------------
    def acknowledge(
        self, alert_id: str, *, by: str, note: str, answer: Answer | None = None
    ) -> AlertView:
        """Somebody has seen it."""
        return self._act(alert_id, answer, lambda d: d.acknowledge(alert_id, by, self._now(), note))

    def assign(
        self, alert_id: str, *, team: str, by: str, note: str, answer: Answer | None = None
    ) -> AlertView:
        """Somebody goes."""
        return self._act(
            alert_id, answer, lambda d: d.assign(alert_id, team, by, self._now(), note)
        )

    def close(
        self, alert_id: str, *, outcome: Any, by: str, note: str, answer: Answer | None = None
    ) -> AlertView:
        """What it turned out to be."""
        return self._act(
            alert_id, answer, lambda d: d.close(alert_id, outcome, by, self._now(), note)
        )

    def reopen(
        self, alert_id: str, *, by: str, note: str, answer: Answer | None = None
    ) -> AlertView:
        """It was not over."""
        return self._act(alert_id, answer, lambda d: d.reopen(alert_id, by, self._now(), note))

    def _act(
        self, alert_id: str, answer: Answer | None, act: Callable[[Decider], Decision]
    ) -> AlertView:
        with self._lock, self._deciding() as decider:
            with self._store.write() as tx:
                if decider.alert(alert_id) is None:
                    self._recall(tx, decider, alert_id)
                decision = act(decider)
                records.keep(tx, decision, now_utc=self._clock.utc())
                view = incidents.get_alert(tx, alert_id)
                assert view is not None  # the act was accepted, so the alert exists
                if answer is not None:
                    answer(tx, view)
            self._tell(decision)
            return view

    def _recall(self, tx: Transaction, decider: Decider, alert_id: str) -> None:
        """An alert closed long ago left the core's memory: bring it back before it is reopened."""
        view = incidents.get_alert(tx, alert_id)
        if view is not None:
            decider.restore([view], {}, (), self._now())

    def _now(self) -> Any:
        return self._clock.utc()

    # --- views ------------------------------------------------------------------------------------
    def targets(self) -> list[TargetView]:
        """All targets that are shown now."""
        with self._lock, self._deciding() as decider:
            return decider.targets(self._clock.utc())

    def nodes(self) -> list[NodeView]:
        """All nodes."""
        with self._lock:
            return self._roster.views(self._clock.monotonic_s())

    def vehicles(self) -> list[VehicleView]:
        """All drones."""
        with self._lock:
            return self._fleet.views(self._clock.monotonic_s())

    def node_session(self, node_id: str) -> str | None:
        """The session of a node's newest birth."""
        with self._lock:
            return self._roster.session(node_id)

    def has_sensor(self, node_id: str, sensor_id: str) -> bool:
        """Whether a node said that it has this sensor."""
        with self._lock:
            return self._roster.has_sensor(node_id, sensor_id)

    @property
    def broker_connected(self) -> bool:
        """Whether the broker is reached."""
        return self._announcer.connected

    def station(self) -> StationView:
        """The station itself."""
        now_utc, now_s = self._clock.utc(), self._clock.monotonic_s()
        with self._store.read() as tx:
            open_alerts = incidents.count_open(tx)
            watching = people.on_watch(
                tx, now_utc=now_utc, seen_since_utc=now_utc - timedelta(seconds=ON_WATCH_S)
            )
        nodes = self.nodes()
        cameras = [camera for node in nodes for camera in node.sensors]
        alive = [one for one in nodes if one.state in {"online", "degraded", "storage_full"}]
        with self._lock:
            age_s = self._roster.last_word_age_s(now_s)
            simulated = self._roster.any_simulated
        return StationView(
            site_id=self._config.station.site_id,
            t_utc=rfc3339_ms(now_utc),
            version=self._version,
            nodes_alive=len(alive),
            nodes_total=len(nodes),
            cameras_alive=sum(one.status == "online" for one in cameras),
            cameras_total=len(cameras),
            last_word_age_s=None if age_s is None else round(age_s, 1),
            open_alerts=open_alerts,
            on_watch=watching,
            broker=self._broker_name,
            broker_connected=self._announcer.connected,
            simulated=simulated,
        )

    def refresh_metrics(self) -> None:
        """Bring gauges up to date before they are read."""
        station = self.station()
        self._metrics.open_alerts.set(station.open_alerts)
        self._metrics.broker_connected.set(int(station.broker_connected))
        self._metrics.listeners.set(self._hub.listeners)
        counts: dict[str, int] = dict.fromkeys(
            ("online", "degraded", "storage_full", "goodbye", "offline", "silent"), 0
        )
        for node in self.nodes():
            counts[node.state] += 1
        for state, number in counts.items():
            self._metrics.nodes.labels(state=state).set(number)
        with self._lock:
            found = dataclasses.asdict(self._decider.counters)
        for what, value in (found | found.pop("extra", {})).items():
            self._metrics.decider.labels(what=what).set(value)

    # --- inside -----------------------------------------------------------------------------------
    @contextmanager
    def _deciding(self) -> Iterator[Decider]:
        """The decision core, in step with the database; out of step again if the block fails."""
        if self._behind:
            self._reload()
        self._behind = True
        try:
            yield self._decider
        except AskOperator:
            # The core refused an act before it changed anything.
            self._behind = False
            raise
        self._behind = False

    def _reload(self) -> None:
        now_utc = self._clock.utc()
        with self._store.read() as tx:
            self._filing.load(tx)
            self._roster.load(intake.load_nodes(tx))
            past = records.recall(tx, now_utc=now_utc)
        decider = self._make_decider()
        decision = decider.restore(past.alerts, past.links, past.observations, now_utc)
        with self._store.write() as tx:
            records.keep(tx, decision, now_utc=now_utc)
        self._decider = decider
        self._announcer.alerts(past.alerts)
        self._tell(decision)
        self._log.info(
            "desk_restored",
            alerts=len(past.alerts),
            observations=len(past.observations),
            links=len(past.links),
            made_good=len(decision.alerts),
        )

    def _tell(self, decision: Decision) -> None:
        events: list[tuple[EventName, str]] = [
            ("target", view.model_dump_json()) for view in decision.targets
        ]
        events += [
            ("target_gone", json.dumps({"target_id": one})) for one in decision.removed_targets
        ]
        events += [("alert", view.model_dump_json()) for view in decision.alerts]
        self._hub.publish(events)
        self._announcer.alerts(decision.alerts)

    def _tell_nodes(self, node_ids: set[str]) -> None:
        now_s = self._clock.monotonic_s()
        # `changed` tells of each change once: whoever else changed meanwhile is told of here too.
        told = node_ids | set(self._roster.changed(now_s))
        views = [self._roster.view(node_id, now_s) for node_id in sorted(told)]
        self._hub.publish([("node", one.model_dump_json()) for one in views if one is not None])

    def _tell_vehicles(self, keys: set[tuple[str, str]]) -> None:
        now_s = self._clock.monotonic_s()
        views = [self._fleet.view(*key, now_s) for key in sorted(keys)]
        self._hub.publish([("vehicle", one.model_dump_json()) for one in views if one is not None])
