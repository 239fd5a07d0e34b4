"""What the station says by itself: zones for nodes, alerts for sirens. The newest per topic wins.

Retained messages wait here while the broker is away; nothing else is ever queued.
"""

import threading
from collections.abc import Iterable

from geo.normal import ce90_m
from ground_station.alert_record import covariance_of
from ground_station.transport import Outgoing, Transport
from ground_station.views import AlertView
from runtime.clock import Clock
from runtime.ids import UlidSource
from wire import codec, topics
from wire.envelope import STATION, Envelope
from wire.messages import StationAlert
from wire.values import ClockSource, ClockStamp, Position, WireModel

MAX_WAITING = 4096
_SOURCES: dict[str, ClockSource] = {"kernel": "ntp", "stated": "manual", "manual": "manual"}


class Announcer:
    """Publishes for the station and keeps what could not be said yet.

    Args:
        site_id: first level of every topic.
        transport: the broker.
        clock: for stamps.
        ids: for message ids.
        session: this run of the station.
        zones: the signed zones document; None when there is none.
        simulated: this is a station for exercises, and what it says must not be taken for real.
    """

    def __init__(
        self,
        *,
        site_id: str,
        transport: Transport,
        clock: Clock,
        ids: UlidSource,
        session: str,
        zones: WireModel | None,
        simulated: bool,
    ) -> None:
        self._site_id = site_id
        self._transport = transport
        self._clock = clock
        self._ids = ids
        self._session = session
        self._zones = zones
        self._lock = threading.Lock()
        # Held over a whole round of publishing, so that two rounds cannot overtake each other.
        self._publishing = threading.Lock()
        self._waiting: dict[str, Outgoing] = {}
        self._zones_said: set[str] = set()
        self._open: dict[str, Outgoing] = {}
        self._connections = 0
        self.overflow = 0
        self._simulated = simulated

    @property
    def connected(self) -> bool:
        """Whether the broker is reached."""
        return self._transport.connected

    def envelope(self, name: str, body: WireModel) -> bytes:
        """A message of the station as bytes."""
        spec = topics.BY_NAME[name]
        now_utc = self._clock.utc()
        quality = self._clock.quality()
        message = Envelope[spec.body](  # type: ignore[name-defined]
            id=self._ids.new(),
            node_id=STATION,
            session=self._session,
            t_event_utc=now_utc,
            t_sent_utc=now_utc,
            clock=ClockStamp(source=_SOURCES.get(quality.source, "boot"), error_s=quality.error_s),
            simulated=self._simulated,
            body=body,
        )
        return codec.encode(message, spec=spec)

    def send(
        self, name: str, body: WireModel, *, node_id: str, expiry_s: int | None = None
    ) -> bool:
        """Say something to a node now or not at all (receipts, commands)."""
        spec = topics.BY_NAME[name]
        return self._transport.publish(
            Outgoing(
                topic=spec.format(site=self._site_id, node=node_id),
                payload=self.envelope(name, body),
                qos=spec.qos,
                retain=spec.retained,
                expiry_s=expiry_s,
            )
        )

    def zones(self, node_id: str) -> None:
        """Give a node the line and zones, once per connection."""
        if self._zones is None:
            return
        spec = topics.BY_NAME["zones"]
        with self._lock:
            if node_id in self._zones_said:
                return
            self._zones_said.add(node_id)
        self._put(
            Outgoing(
                topic=spec.format(site=self._site_id, node=node_id),
                payload=self.envelope("zones", self._zones),
                qos=spec.qos,
                retain=True,
            )
        )
        self.step()

    def alerts(self, views: Iterable[AlertView]) -> None:
        """Tell other systems of alerts; a closed one's retained message is taken away."""
        spec = topics.BY_NAME["station_alert"]
        for view in views:
            topic = spec.format(site=self._site_id, alert=view.alert_id)
            closed = view.state == "closed"
            message = Outgoing(
                topic=topic,
                payload=b"" if closed else self.envelope("station_alert", _station_alert(view)),
                qos=spec.qos,
                retain=True,
            )
            with self._lock:
                if closed:
                    self._open.pop(topic, None)
                elif len(self._open) < MAX_WAITING:
                    self._open[topic] = message
            self._put(message)
        self.step()

    def _put(self, message: Outgoing) -> None:
        with self._lock:
            if message.topic not in self._waiting and len(self._waiting) >= MAX_WAITING:
                self.overflow += 1
                return
            self._waiting[message.topic] = message

    def step(self) -> None:
        """Say what waits, as long as the broker takes it; after a reconnection everything again."""
        with self._publishing:
            connections = self._transport.connections
            with self._lock:
                if connections != self._connections:
                    self._connections = connections
                    self._zones_said.clear()
                    self._waiting = dict(self._open) | self._waiting
                waiting = list(self._waiting.values())
            for message in waiting:
                with self._lock:
                    if self._waiting.get(message.topic) is not message:
                        continue  # Something newer waits; its own round says it.
                if not self._transport.publish(message):
                    return
                with self._lock:
                    if self._waiting.get(message.topic) is message:
                        del self._waiting[message.topic]


def _station_alert(view: AlertView) -> StationAlert:
    covariance = covariance_of(view.ellipse90)
    return StationAlert(
        alert_id=view.alert_id,
        level=view.level,
        state=view.state,
        rule=view.rule,
        object_class=view.object_class,
        count=view.count,
        position=Position(
            lon_deg=view.lon_deg,
            lat_deg=view.lat_deg,
            # An alert is a place on the map: its plane lies on the ellipsoid.
            alt_hae_m=0.0,
            cov_enu_m2=covariance,
            cov_bias_enu_m2=((0.0, 0.0), (0.0, 0.0)),
            ce90_m=float(ce90_m(covariance)),
            method="plane",
        ),
        nearest_marker=view.nearest_marker,
        late=view.late,
        sentence_vi=view.sentence_vi,
        sentence_en=view.sentence_en,
    )
