"""Every node as it stands now: birth, state, health, and how long it has been silent. Pure state."""

import math
from dataclasses import dataclass, field
from typing import Literal

from ground_station.store.intake import StoredNode
from ground_station.views import FixView, NodeView, SensorView
from wire.messages import Birth, CameraHealth, Health, SensorDescription, State

MAX_NODES = 512
"""A site has tens of nodes; a broker without access control must not fill our memory."""

Shown = Literal["online", "degraded", "storage_full", "goodbye", "offline", "silent"]


@dataclass(slots=True, kw_only=True)
class _Node:
    node_id: str
    simulated: bool
    birth: Birth | None = None
    state: State | None = None
    """The newest state that was heard, of whatever session."""
    health: Health | None = None
    reported_s: float | None = None
    """When the health report came, on our monotonic clock."""
    fresh: bool = False
    """Whether that is recent enough to speak of the cameras as they are now."""
    clock_source: str = ""
    clock_error_s: float | None = None
    last_word_s: float | None = None
    shown: Shown = "silent"
    refused: int = field(default=0)


class Roster:
    """The nodes of the station.

    Args:
        silent_after_s: without a word for this long a node is silent.
        zones_sha256: hash of the signed zones text that should be in force.
    """

    def __init__(self, *, silent_after_s: float, zones_sha256: str | None) -> None:
        self._silent_after_s = silent_after_s
        self._zones_sha256 = zones_sha256
        self._nodes: dict[str, _Node] = {}
        self.overflow = 0

    def load(self, stored: list[StoredNode]) -> None:
        """Births and states as committed, at the start and after a transaction that failed.

        Nodes known from before a restart are silent until they speak; what was heard since, which
        is stored nowhere, stays.
        """
        before, self._nodes = self._nodes, {}
        for one in stored[:MAX_NODES]:
            node = _Node(node_id=one.node_id, simulated=one.simulated, birth=one.birth)
            if one.birth is not None and one.state != "online":
                node.state = State.model_validate(
                    {"session": one.birth.session, "state": one.state, "reason": one.state_reason}
                )
            self._nodes[one.node_id] = node
            heard = before.pop(one.node_id, None)
            if heard is None:
                self._refresh(node, 0.0)
            else:
                _carry_over(node, heard)
        for node_id, heard in before.items():
            if len(self._nodes) < MAX_NODES:
                node = _Node(node_id=node_id, simulated=heard.simulated)
                _carry_over(node, heard)
                self._nodes[node_id] = node

    def _get(self, node_id: str, *, simulated: bool) -> _Node | None:
        node = self._nodes.get(node_id)
        if node is None:
            if len(self._nodes) >= MAX_NODES:
                self.overflow += 1
                return None
            node = self._nodes[node_id] = _Node(node_id=node_id, simulated=simulated)
        return node

    def word(
        self,
        node_id: str,
        *,
        simulated: bool,
        t_monotonic_s: float,
        clock_source: str,
        clock_error_s: float | None,
    ) -> None:
        """A live message came; retained copies are no sign of life."""
        node = self._get(node_id, simulated=simulated)
        if node is not None:
            node.last_word_s = max(t_monotonic_s, node.last_word_s or -math.inf)
            node.clock_source, node.clock_error_s = clock_source, clock_error_s
            node.simulated = simulated

    def born(self, node_id: str, birth: Birth, *, simulated: bool) -> bool:
        """A birth came; whether it is news."""
        node = self._get(node_id, simulated=simulated)
        if node is None or node.birth == birth:
            return False
        if node.birth is None or node.birth.session != birth.session:
            node.health = None
        node.birth, node.simulated = birth, simulated
        return True

    def stated(self, node_id: str, state: State, *, simulated: bool) -> bool:
        """A state came; False when it belongs to another session than the birth's."""
        node = self._get(node_id, simulated=simulated)
        if node is None:
            return False
        if node.birth is not None and state.session != node.birth.session:
            # The will of a process that is gone, or a state that overtook its birth: kept aside
            # only while nothing better is known.
            if node.state is None or node.state.session != node.birth.session:
                node.state = state
            return False
        node.state = state
        return node.birth is not None

    def reported(
        self, node_id: str, health: Health, *, simulated: bool, t_monotonic_s: float
    ) -> None:
        """A health report came."""
        node = self._get(node_id, simulated=simulated)
        if node is not None:
            node.health, node.reported_s = health, t_monotonic_s

    def _refresh(self, node: _Node, now_s: float) -> bool:
        """Decide again what is shown; whether it changed."""
        before = node.shown, node.fresh
        node.fresh = node.reported_s is not None and now_s - node.reported_s <= self._silent_after_s
        said: Shown | None = None
        if (
            node.state is not None
            and node.birth is not None
            and node.state.session == node.birth.session
        ):
            said = node.state.state
        age_s = math.inf if node.last_word_s is None else now_s - node.last_word_s
        if said in {"offline", "goodbye"}:
            node.shown = said
        elif age_s > self._silent_after_s:
            node.shown = "silent"
        else:
            node.shown = said or "online"
        return (node.shown, node.fresh) != before

    def changed(self, now_s: float) -> list[str]:
        """Nodes whose shown state changed since the last call."""
        return [node.node_id for node in self._nodes.values() if self._refresh(node, now_s)]

    def node_ids(self) -> list[str]:
        """All nodes by name."""
        return sorted(self._nodes)

    def session(self, node_id: str) -> str | None:
        """The session of the node's newest birth."""
        node = self._nodes.get(node_id)
        return None if node is None or node.birth is None else node.birth.session

    def has_sensor(self, node_id: str, sensor_id: str) -> bool:
        """Whether the node said at birth that it has this sensor."""
        node = self._nodes.get(node_id)
        if node is None or node.birth is None:
            return False
        return any(sensor.sensor_id == sensor_id for sensor in node.birth.sensors)

    def view(self, node_id: str, now_s: float) -> NodeView | None:
        """One node for the page."""
        node = self._nodes.get(node_id)
        if node is None:
            return None
        self_alive = node.shown in {"online", "degraded", "storage_full"}
        health = node.health
        # An old report says nothing of the cameras now, however lively the node is otherwise.
        cameras = {one.sensor_id: one for one in (health.cameras if health and node.fresh else ())}
        zones = None
        if health is not None and self._zones_sha256 is not None:
            zones = health.zones_sha256 == self._zones_sha256
        sensors = () if node.birth is None else node.birth.sensors
        return NodeView(
            node_id=node_id,
            name=(node.birth.name if node.birth else "") or node_id,
            state=node.shown,
            reason=node.state.reason if node.state is not None else "",
            simulated=node.simulated,
            last_word_age_s=None
            if node.last_word_s is None
            else round(max(0.0, now_s - node.last_word_s), 1),
            outbox_depth=None if health is None else health.outbox.depth,
            outbox_oldest_age_s=None if health is None else health.outbox.oldest_age_s,
            clock_source=node.clock_source,
            clock_error_s=node.clock_error_s,
            temperature_c=None if health is None else health.temperature_c,
            lost_key=0 if health is None else health.outbox.lost_key,
            zones_in_force=zones,
            fix=None
            if health is None or health.fix is None
            else FixView.model_validate(health.fix.model_dump()),
            sensors=[_sensor(one, cameras.get(one.sensor_id), alive=self_alive) for one in sensors],
        )

    def views(self, now_s: float) -> list[NodeView]:
        """All nodes for the page."""
        found = [self.view(node_id, now_s) for node_id in self.node_ids()]
        return [view for view in found if view is not None]

    def last_word_age_s(self, now_s: float) -> float | None:
        """Since the newest word of any node."""
        words = [one.last_word_s for one in self._nodes.values() if one.last_word_s is not None]
        return None if not words else max(0.0, now_s - max(words))

    @property
    def any_simulated(self) -> bool:
        """Whether any node says that its world is simulated."""
        return any(node.simulated for node in self._nodes.values())


def _carry_over(node: _Node, heard: _Node) -> None:
    """What lives in memory only, into a node read anew."""
    node.clock_source, node.clock_error_s = heard.clock_source, heard.clock_error_s
    node.last_word_s, node.shown = heard.last_word_s, heard.shown
    node.health, node.reported_s, node.fresh = heard.health, heard.reported_s, heard.fresh
    session = None if node.birth is None else node.birth.session
    if node.state is None and heard.state is not None and heard.state.session != session:
        node.state = heard.state


def _sensor(said: SensorDescription, now: CameraHealth | None, *, alive: bool) -> SensorView:
    status: Literal["online", "offline", "frozen", "starting", "unknown"] = "unknown"
    if now is not None:
        status = now.status if alive else "offline"
    elif not alive:
        status = "offline"
    fov_deg = None
    if said.lens is not None:
        half = said.lens.width_px / (2.0 * said.lens.fx_px)
        fov_deg = round(math.degrees(2.0 * math.atan(half)), 2)
    return SensorView(
        sensor_id=said.sensor_id,
        name=said.name or said.sensor_id,
        spectrum=said.spectrum,
        status=status,
        fps=now.fps if now is not None and alive else None,
        lon_deg=said.position.lon_deg if said.position else None,
        lat_deg=said.position.lat_deg if said.position else None,
        azimuth_deg=said.attitude.azimuth_deg if said.attitude else None,
        horizontal_fov_deg=fov_deg,
        field_of_view_lonlat=list(said.field_of_view_lonlat),
        network=said.network.name if said.network else "",
    )
