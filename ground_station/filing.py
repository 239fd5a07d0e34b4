"""Files a batch of messages inside one transaction: what is new, what was there, what it settles."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ground_station.config import SensorsSettings
from ground_station.decision import Observed
from ground_station.fleet import Fleet
from ground_station.ingest_door import Filed, Message, Refusal, file_by
from ground_station.metrics import Metrics
from ground_station.numbers import Numbers
from ground_station.pictures import BadPicture, Pictures, jpeg_of
from ground_station.roster import Roster
from ground_station.store import Transaction, chain, intake
from ground_station.store.rows import to_ms
from runtime.log import Repeated, get_logger
from wire.messages import ClipAnnouncement, Crop

HEALTH_KEPT_EVERY_S = 60.0


@dataclass(slots=True, kw_only=True)
class Batch:
    """What a batch of messages came to.

    Attributes:
        observed: new observations, in order of arrival.
        crops: (track, media id) of new pictures.
        friends: reports of own patrols.
        nodes: nodes whose view may have changed.
        vehicles: (node, vehicle) of new reports.
        born: nodes that were born (again).
        receipts: nodes that are owed a receipt.
    """

    observed: list[Observed] = field(default_factory=list)
    crops: list[tuple[str, str]] = field(default_factory=list)
    friends: list[Message] = field(default_factory=list)
    nodes: set[str] = field(default_factory=set)
    vehicles: set[tuple[str, str]] = field(default_factory=set)
    born: set[str] = field(default_factory=set)
    receipts: set[str] = field(default_factory=set)


class Filing:
    """Knows which numbers of which node are committed.

    Args:
        settings: what counts as late.
        roster: told of births, states and health.
        fleet: told of drones.
        pictures: where crops are written.
        metrics: counts everything.
    """

    def __init__(
        self,
        *,
        settings: SensorsSettings,
        roster: Roster,
        fleet: Fleet,
        pictures: Pictures,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._roster = roster
        self._fleet = fleet
        self._pictures = pictures
        self._metrics = metrics
        self._numbers: dict[str, Numbers] = {}
        self._health_kept_s: dict[str, float] = {}
        self._log = get_logger(worker="filing")
        self._refusals: dict[str, Repeated] = {}

    def load(self, tx: Transaction) -> None:
        """Begin from what is committed; also after a transaction that failed."""
        self._numbers = {node: Numbers(found) for node, found in intake.load_ranges(tx).items()}
        self._health_kept_s = {}

    def frontier(self, node_id: str) -> int:
        """What the node may forget."""
        numbers = self._numbers.get(node_id)
        return 0 if numbers is None else numbers.frontier

    def file(
        self,
        tx: Transaction,
        messages: Sequence[Message],
        refusals: Sequence[Refusal],
        *,
        now_utc: datetime,
        now_s: float,
    ) -> Batch:
        """Write all of it; nothing counts before the transaction is committed."""
        batch = Batch()
        observations = [one for one in messages if one.name == "obs"]
        others = [one for one in messages if one.name in {"media", "ack", "clip"}]
        known = intake.known_ids(
            tx,
            observations=[one.envelope.id for one in observations],
            others=[one.envelope.id for one in others],
        )
        touched: set[str] = set()
        for refusal in refusals:
            self._refused(refusal)
            if refusal.settled_seq is not None:
                self._of(refusal.node_id).add(refusal.settled_seq)
                touched.add(refusal.node_id)
                batch.receipts.add(refusal.node_id)
        self._observations(tx, observations, known, batch, touched, now_utc)
        self._others(tx, others, known, batch, touched, now_utc)
        for one in messages:
            if one.name == "friend":
                batch.friends.append(one)
            elif not one.retained:
                self._roster.word(
                    one.node_id,
                    simulated=one.envelope.simulated,
                    t_monotonic_s=now_s,
                    clock_source=one.envelope.clock.source,
                    clock_error_s=one.envelope.clock.error_s,
                )
            self._metrics.received.labels(topic=one.name).inc()
            if one.unknown_fields:
                self._metrics.unknown_fields.inc(one.unknown_fields)
            if one.name == "vehicle" and not one.retained:
                said = one.envelope.body
                self._fleet.reported(
                    one.node_id, said, simulated=one.envelope.simulated, t_monotonic_s=now_s
                )
                batch.vehicles.add((one.node_id, said.vehicle_id))
            if one.name in {"birth", "state", "health"}:
                self._about_node(tx, one, batch, touched, now_utc, now_s)
        for node_id in touched:
            intake.save_ranges(tx, node_id, self._numbers[node_id].ranges)
        return batch

    def _of(self, node_id: str) -> Numbers:
        return self._numbers.setdefault(node_id, Numbers())

    def _refused(self, refusal: Refusal) -> None:
        self._metrics.refused.labels(reason=refusal.reason).inc()
        # Reasons are few, senders of garbage never tire: first, and every tenth.
        if refusal.reason not in self._refusals:
            self._refusals[refusal.reason] = Repeated(self._log, "message_refused")
        self._refusals[refusal.reason].fault(
            reason=refusal.reason, detail=refusal.detail[:400], topic=refusal.topic
        )

    def _settle(
        self, message: Message, *, was_known: bool, batch: Batch, touched: set[str]
    ) -> None:
        """Mark the running number; notice a node whose numbering began anew."""
        seq = message.envelope.seq
        if seq is None:
            return
        numbers = self._of(message.node_id)
        batch.receipts.add(message.node_id)
        if seq in numbers:
            if was_known:
                return
            self._metrics.renumbered.inc()
            self._log.warning("node_renumbered", node_id=message.node_id, seq=seq)
            numbers.start_anew(seq)
        else:
            numbers.add(seq)
        touched.add(message.node_id)

    def _filed(self, message: Message, now_utc: datetime) -> Filed:
        return file_by(
            message.envelope,
            t_arrival_utc=now_utc,
            late_after_s=self._settings.late_after_s,
            future_tolerance_s=self._settings.future_tolerance_s,
        )

    def _observations(
        self,
        tx: Transaction,
        messages: Sequence[Message],
        known: set[str],
        batch: Batch,
        touched: set[str],
        now_utc: datetime,
    ) -> None:
        rows: list[dict[str, Any]] = []
        delays_s: list[float] = []
        for one in messages:
            envelope = one.envelope
            was_known = envelope.id in known
            self._settle(one, was_known=was_known, batch=batch, touched=touched)
            if was_known:
                self._metrics.duplicates.inc()
                continue
            known.add(envelope.id)
            filed = self._filed(one, now_utc)
            body = envelope.body
            rows.append(
                intake.observation_row(
                    message_id=envelope.id,
                    node_id=one.node_id,
                    seq=envelope.seq,
                    body=body,
                    t_event_utc=filed.t_event_utc,
                    t_arrival_utc=now_utc,
                    filed_by_arrival=filed.by_arrival,
                    late=filed.late,
                    simulated=envelope.simulated,
                )
            )
            batch.observed.append(
                Observed(
                    message_id=envelope.id,
                    node_id=one.node_id,
                    t_event_utc=filed.t_event_utc,
                    late=filed.late,
                    simulated=envelope.simulated,
                    body=body,
                    by_arrival=filed.by_arrival,
                )
            )
            self._metrics.committed.inc()
            self._metrics.key_committed.inc(int(body.key))
            self._metrics.late.inc(int(filed.late))
            self._metrics.by_arrival.inc(int(filed.by_arrival))
            if not filed.late and not filed.by_arrival:
                delays_s.append((now_utc - filed.t_event_utc).total_seconds())
        intake.add_observations(tx, rows)
        for delay_s in delays_s:
            self._metrics.capture_to_commit_s.observe(max(0.0, delay_s))

    def _others(
        self,
        tx: Transaction,
        messages: Sequence[Message],
        known: set[str],
        batch: Batch,
        touched: set[str],
        now_utc: datetime,
    ) -> None:
        rows: list[dict[str, Any]] = []
        for one in messages:
            was_known = one.envelope.id in known
            self._settle(one, was_known=was_known, batch=batch, touched=touched)
            if was_known:
                self._metrics.duplicates.inc()
                continue
            known.add(one.envelope.id)
            rows.append(
                {
                    "id": one.envelope.id,
                    "node_id": one.node_id,
                    "topic_name": one.name,
                    "t_arrival_utc_ms": to_ms(now_utc),
                }
            )
            if one.name == "media":
                self._media(tx, one, batch, now_utc)
            elif one.name == "ack":
                self._ack(tx, one, now_utc)
            else:
                self._refused(
                    Refusal(
                        reason="unasked_clip",
                        detail="a clip travels on command only, and none was given",
                        topic=one.name,
                        node_id=one.node_id,
                    )
                )
        intake.add_received(tx, rows)

    def _media(self, tx: Transaction, message: Message, batch: Batch, now_utc: datetime) -> None:
        said: Crop | ClipAnnouncement = message.envelope.body.media
        row: dict[str, Any] = {
            "media_id": message.envelope.id,
            "node_id": message.node_id,
            "sensor_id": said.sensor_id,
            "track_id": None,
            "kind": said.kind,
            "sha256": said.sha256,
            "size_bytes": 0,
            "on_disk": False,
            "t_frame_utc_ms": None,
            "t_arrival_utc_ms": to_ms(now_utc),
            "simulated": message.envelope.simulated,
        }
        if isinstance(said, ClipAnnouncement):
            intake.add_media(
                tx,
                row | {"size_bytes": said.size_bytes, "t_frame_utc_ms": to_ms(said.t_start_utc)},
            )
            return
        try:
            data = jpeg_of(said)
        except BadPicture as error:
            self._refused(
                Refusal(
                    reason=error.reason,
                    detail=str(error),
                    topic=message.name,
                    node_id=message.node_id,
                )
            )
            return
        self._pictures.put(said.sha256, data)
        t_frame = to_ms(said.t_frame_utc) if said.t_frame_utc is not None else None
        intake.add_media(
            tx,
            row
            | {
                "track_id": said.track_id,
                "size_bytes": len(data),
                "on_disk": True,
                "t_frame_utc_ms": t_frame,
            },
        )
        batch.crops.append((said.track_id, message.envelope.id))

    def _ack(self, tx: Transaction, message: Message, now_utc: datetime) -> None:
        ack = message.envelope.body
        asked = intake.save_answer(
            tx,
            command_id=ack.command_id,
            node_id=message.node_id,
            status=ack.status,
            reason=ack.reason,
        )
        chain.append(
            tx,
            t_utc=now_utc,
            actor=message.node_id,
            act=f"command.{ack.status.lower()}",
            subject=ack.command_id,
            detail={"verb": ack.verb, "reason": ack.reason, "asked_here": asked},
        )

    def _about_node(
        self,
        tx: Transaction,
        message: Message,
        batch: Batch,
        touched: set[str],
        now_utc: datetime,
        now_s: float,
    ) -> None:
        envelope, node_id = message.envelope, message.node_id
        batch.nodes.add(node_id)
        if message.name == "birth":
            batch.born.add(node_id)
            news = self._roster.born(node_id, envelope.body, simulated=envelope.simulated)
            if news:
                intake.save_birth(
                    tx,
                    message_id=envelope.id,
                    node_id=node_id,
                    birth=envelope.body,
                    simulated=envelope.simulated,
                    t_arrival_utc=now_utc,
                )
        elif message.name == "state":
            in_force = self._roster.stated(node_id, envelope.body, simulated=envelope.simulated)
            if in_force:
                intake.save_state(
                    tx,
                    node_id=node_id,
                    state=envelope.body.state,
                    reason=envelope.body.reason,
                    t_arrival_utc=now_utc,
                )
            else:
                self._metrics.state_dropped.inc()
        else:
            self._roster.reported(
                node_id, envelope.body, simulated=envelope.simulated, t_monotonic_s=now_s
            )
            oldest_seq = envelope.body.outbox.oldest_seq
            if oldest_seq is not None and self._of(node_id).settle_below(oldest_seq):
                touched.add(node_id)
                batch.receipts.add(node_id)
            kept_s = self._health_kept_s.get(node_id)
            if kept_s is None or now_s - kept_s >= HEALTH_KEPT_EVERY_S:
                self._health_kept_s[node_id] = now_s
                intake.save_health(
                    tx,
                    message_id=envelope.id,
                    node_id=node_id,
                    body=envelope.body,
                    t_arrival_utc=now_utc,
                )
