"""The reading half of an autopilot link: opens it, keeps it, and tells what the vehicles say."""

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hardware.autopilot_mavlink import dialect as d
from hardware.autopilot_mavlink.dialect import CRC_EXTRA, LAYOUTS, Packer
from hardware.autopilot_mavlink.frames import Frame, FrameReader
from hardware.autopilot_mavlink.links import ByteLink, Chunk, Connect
from hardware.autopilot_mavlink.signing import Signer
from hardware.autopilot_mavlink.streams import Rates, StreamAsker, wishes
from hardware.autopilot_mavlink.vehicle import Geoid, Vehicle
from hardware.ports import VehicleId, VehicleSample, VehicleState
from runtime.clock import Clock
from runtime.log import get_logger

SYSTEM_ID = 245
COMPONENT_ID = 191
_HEARTBEAT_S = 1.0
_TIMESYNC_FAST_S, _TIMESYNC_S = 0.5, 2.0
_TIMESYNC_FIRST = 20
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.5, 10.0
_MOST_VEHICLES = 16
_FORGET_S = 600.0
_MOST_SENDERS = 64
_ASKED_NS = 32
"""TIMESYNC questions that are remembered."""
SILENT_LINK_S = 15.0
"""A connection that gives nothing for so long is opened anew; TCP may not notice for hours."""

_NO_CRAFT = frozenset({5, 6, 18, 26, 27, 30, 31, 32, 33, 34, 36, 37, 38, 39, 40, 41, 42, 48})
"""MAV_TYPEs with an autopilot field that are none: stations, trackers, gimbals, cameras, ADS-B ..."""
_NO_AUTOPILOT = 8
_WELL = frozenset({"connections", "frames", "positions", "texts", "timesync_answers", "no_vehicle"})
"""Counters that speak of no loss: messages of ground stations are nobody's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MavlinkSettings:
    """How a link is read.

    Attributes:
        system_id: ours. Not 255: the heartbeat of 255 holds off the failsafe of a vehicle that has
            lost its ground station.
        component_id: ours.
        vehicles: system ids that are read; empty reads all.
        rates: what is asked for.
        transmit: False only listens: no heartbeat, no requests, no TIMESYNC.
        recorded: the bytes come from a log, whose time runs by itself.
        silent_link_s: a line that gives nothing for so long is opened anew; None leaves it open,
            as is right for datagrams and wires, which lose what comes while they are closed.
    """

    system_id: int = SYSTEM_ID
    component_id: int = COMPONENT_ID
    vehicles: frozenset[int] = field(default_factory=frozenset)
    rates: Rates = field(default_factory=Rates)
    transmit: bool = True
    recorded: bool = False
    silent_link_s: float | None = None


class MavlinkAutopilot:
    """Several vehicles on one link, each kept apart by system and component id.

    Args:
        connect: opens the line; a simulator hands in its own.
        settings: how.
        clock: the node's.
        signer: with a key, only what it signs and accepts goes over the line.
        geoid: height of the geoid where a vehicle does not tell both heights.
        pause: waits so many seconds while there is no line.
    """

    def __init__(
        self,
        connect: Connect,
        settings: MavlinkSettings,
        clock: Clock,
        *,
        signer: Signer | None = None,
        geoid: Geoid | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect = connect
        self._settings = settings
        self._clock = clock
        self._signer = signer
        self._geoid = geoid
        self._pause = pause
        self._log = get_logger(driver="autopilot_mavlink")
        self._lock = threading.Lock()
        self._packer = Packer(settings.system_id, settings.component_id)
        self._wishes = wishes(settings.rates)
        self._reader = FrameReader(CRC_EXTRA)
        self._counters: Counter[str] = Counter()
        self._vehicles: dict[VehicleId, Vehicle] = {}
        self._askers: dict[VehicleId, StreamAsker] = {}
        self._autopilot_of: dict[int, VehicleId] = {}
        """Newest autopilot of a system id: whose its other components are."""
        self._seq: dict[VehicleId, int] = {}
        self._reboots: dict[VehicleId, int] = {}
        self._link: ByteLink | None = None
        self._next_try_s = -math.inf
        self._pause_s = _FIRST_PAUSE_S
        self._last_bytes_s = -math.inf
        self._beat_due_s = -math.inf
        self._sync_due_s = -math.inf
        self._asked_ns: dict[int, float] = {}
        self._log_now_s: float | None = None
        self._ended_s: float | None = None
        self._closed = False

    def read(self, timeout_s: float) -> Sequence[VehicleSample]:
        """Samples of what came, in order of arrival, after at most so long.

        Raises:
            EOFError: a recorded log is over.
        """
        until_s = self._clock.monotonic_s() + timeout_s
        if self._link is None and not self._open(timeout_s):
            return ()
        assert self._link is not None
        try:
            self._talk()
            chunks = self._link.read(max(0.0, until_s - self._clock.monotonic_s()))
        except EOFError:
            self._ended_s = self._ended_s or self._clock.monotonic_s()
            raise
        except OSError as error:
            self._lost(str(error))
            return ()
        if not chunks and self._mute():
            self._lost("nothing came for too long")
            return ()
        samples: list[VehicleSample] = []
        with self._lock:
            for chunk in chunks:
                self._take(chunk, samples)
        return samples

    def vehicles(self) -> Sequence[VehicleState]:
        """Every vehicle heard within ten minutes."""
        with self._lock:
            now_s = self._now_s()
            return tuple(vehicle.state(now_s) for vehicle in self._vehicles.values())

    @property
    def counters(self) -> Mapping[str, int]:
        """What was refused or lost so far, by reason."""
        return {key: n for key, n in self.totals.items() if n and key not in _WELL}

    @property
    def totals(self) -> Counter[str]:
        """Everything that was counted, what went well included."""
        with self._lock:
            total = self._counters + self._reader.counters
            if self._signer is not None:
                total += self._signer.counters
            for asker in self._askers.values():
                total["requests_refused"] += asker.refused
                total["requests_unanswered"] += asker.unanswered
                total["group_requests"] += asker.group_requests
            total["fix_jumps"] = sum(v.fix.jumps for v in self._vehicles.values())
            return total

    @property
    def connected(self) -> bool:
        """Whether the line is open (which says nothing of a vehicle on it)."""
        return self._link is not None

    def close(self) -> None:
        """Let go of the link; a later `read` gives nothing."""
        self._closed = True
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if self._signer is not None:
            self._signer.close()

    # --- the line ---------------------------------------------------------------------------------
    def _open(self, timeout_s: float) -> bool:
        now_s = self._clock.monotonic_s()
        if self._closed or now_s < self._next_try_s:
            wait_s = timeout_s if self._closed else min(timeout_s, self._next_try_s - now_s)
            if wait_s > 0:
                self._pause(wait_s)
            return False
        try:
            self._link = self._connect()
        except OSError as error:
            self._count("connect_failures")
            self._later(str(error))
            return False
        self._count("connections")
        self._reader.reset()
        self._last_bytes_s = self._clock.monotonic_s()
        self._beat_due_s = self._sync_due_s = -math.inf
        self._asked_ns.clear()
        for asker in self._askers.values():
            asker.restart()
        return True

    def _lost(self, reason: str) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._count("link_losses")
        self._later(reason)

    def _count(self, what: str) -> None:
        """Outside of what is heard: health adds them up at the same time, and a new one would fail it."""
        with self._lock:
            self._counters[what] += 1

    def _later(self, reason: str) -> None:
        self._log.warning("autopilot_link_down", reason=reason, again_in_s=self._pause_s)
        self._next_try_s = self._clock.monotonic_s() + self._pause_s
        self._pause_s = min(_LAST_PAUSE_S, 2 * self._pause_s)

    def _mute(self) -> bool:
        limit_s = self._settings.silent_link_s
        return limit_s is not None and self._clock.monotonic_s() - self._last_bytes_s > limit_s

    def _now_s(self) -> float:
        """The log's time where it is recorded, and from its end on the node's pace; else the node's."""
        if not self._settings.recorded or self._log_now_s is None:
            return self._clock.monotonic_s()
        if self._ended_s is None:
            return self._log_now_s
        return self._log_now_s + self._clock.monotonic_s() - self._ended_s

    # --- speaking ---------------------------------------------------------------------------------
    def _talk(self) -> None:
        """Say what is due: our heartbeat, TIMESYNC, requests for messages."""
        if not self._settings.transmit or self._settings.recorded:
            return
        now_s = self._clock.monotonic_s()
        if now_s >= self._beat_due_s:
            self._beat_due_s = now_s + _HEARTBEAT_S
            self._send(self._packer.heartbeat())
        near = {
            key for key, v in self._vehicles.items()
            if v.condition.online(now_s) and not v.condition.far
        }  # fmt: skip
        if near and now_s >= self._sync_due_s:
            many = self._counters["timesync_answers"] >= _TIMESYNC_FIRST
            self._sync_due_s = now_s + (_TIMESYNC_S if many else _TIMESYNC_FAST_S)
            self._ask_time(now_s)
        for key in sorted(near):
            for frame in self._askers[key].step(now_s, self._vehicles[key].heard_s):
                self._send(frame)

    def _ask_time(self, now_s: float) -> None:
        now_ns = max(1, int(now_s * 1e9))
        if len(self._asked_ns) >= _ASKED_NS:
            del self._asked_ns[next(iter(self._asked_ns))]
        self._asked_ns[now_ns] = now_s
        self._send(self._packer.timesync(now_ns))

    def _send(self, frame: bytes) -> None:
        assert self._link is not None
        if self._signer is not None:
            message_id = int.from_bytes(frame[7:10], "little")
            with self._lock:  # It counts, too.
                frame = self._signer.sign(frame, CRC_EXTRA[message_id])
        self._link.write(frame)

    # --- hearing ----------------------------------------------------------------------------------
    def _take(self, chunk: Chunk, samples: list[VehicleSample]) -> None:
        self._last_bytes_s = self._clock.monotonic_s()
        self._pause_s = _FIRST_PAUSE_S
        self._log_now_s = chunk.t_s
        for frame in self._reader.feed(chunk.data):
            self._counters["frames"] += 1
            if self._signer is not None and not self._signer.accepts(frame):
                continue
            self._count_lost(frame)
            layout = LAYOUTS.get(frame.message_id)
            if layout is None:
                continue
            payload = frame.payload
            if len(payload) < layout.size_bytes:
                payload += bytes(layout.size_bytes - len(payload))
            message = layout.decode(payload[: layout.size_bytes])
            sample = self._hear(frame, message, chunk.t_s)
            if sample is not None:
                samples.append(sample)

    def _hear(self, frame: Frame, message: d.Message, now_s: float) -> VehicleSample | None:
        sender = (frame.system_id, frame.component_id)
        message_id = frame.message_id
        vehicle = self._vehicles.get(sender)
        if vehicle is None:
            if message_id in {d.HEARTBEAT, d.HIGH_LATENCY2}:
                vehicle = self._meet(sender, message, now_s)
            if vehicle is None:
                key = self._autopilot_of.get(frame.system_id)
                vehicle = None if key is None else self._vehicles.get(key)
            if vehicle is None:
                self._counters["no_vehicle"] += 1
                return None
        if message_id == d.TIMESYNC:
            self._time_answer(vehicle, frame.component_id, message, now_s)
            return None
        if message_id == d.COMMAND_ACK:
            self._command_ack(vehicle.id, sender, message)
            return None
        if message_id == d.HEARTBEAT and sender == vehicle.id and not _is_craft(message):
            self._counters["no_vehicle"] += 1
            return None
        sample = vehicle.handle(message_id, message, frame.component_id, now_s)
        if vehicle.reboots != self._reboots.get(vehicle.id, 0):
            self._reboots[vehicle.id] = vehicle.reboots
            self._askers[vehicle.id].restart()
            self._log.warning("vehicle_rebooted", vehicle=vehicle.id)
        return sample

    def _meet(self, sender: VehicleId, message: d.Message, now_s: float) -> Vehicle | None:
        """A sender's first word of itself: a vehicle, or not."""
        allowed = self._settings.vehicles
        if not _is_craft(message) or (allowed and sender[0] not in allowed):
            return None
        self._forget(now_s)
        if len(self._vehicles) >= _MOST_VEHICLES:
            self._counters["vehicles_too_many"] += 1
            return None
        vehicle = Vehicle(sender, geoid=self._geoid, counters=self._counters)
        self._vehicles[sender] = vehicle
        self._askers[sender] = StreamAsker(sender, self._wishes, self._packer)
        self._autopilot_of[sender[0]] = sender
        self._log.info("vehicle_heard", vehicle=sender)
        return vehicle

    def _forget(self, now_s: float) -> None:
        for key in [
            key for key, v in self._vehicles.items() if now_s - v.condition.heard_s > _FORGET_S
        ]:
            del self._vehicles[key], self._askers[key]
            self._reboots.pop(key, None)
            if self._autopilot_of.get(key[0]) == key:
                del self._autopilot_of[key[0]]

    def _time_answer(
        self, vehicle: Vehicle, component_id: int, message: d.Message, now_s: float
    ) -> None:
        """Of a question of ours; others ask too, and get no answer from a reader."""
        sent_s = self._asked_ns.get(message.ts1) if message.tc1 > 0 else None
        if sent_s is None:
            return
        self._counters["timesync_answers"] += 1
        vehicle.answered(component_id, sent_s=sent_s, received_s=now_s, remote_s=message.tc1 / 1e9)

    def _command_ack(self, key: VehicleId, sender: VehicleId, message: d.Message) -> None:
        ours = {0, self._settings.system_id}
        components = {0, self._settings.component_id}
        if (
            sender == key
            and message.target_system in ours
            and message.target_component in components
        ):
            self._askers[key].acknowledged(message.command, message.result)

    def _count_lost(self, frame: Frame) -> None:
        key = (frame.system_id, frame.component_id)
        before = self._seq.get(key)
        if before is None:
            if len(self._seq) >= _MOST_SENDERS:
                return
        else:
            gap = (frame.seq - before - 1) & 0xFF
            if gap >= 128:
                return  # Twice, or overtaken: nothing is lost by it.
            self._counters["frames_lost"] += gap
        self._seq[key] = frame.seq


def _is_craft(message: d.Message) -> bool:
    return message.autopilot != _NO_AUTOPILOT and message.type not in _NO_CRAFT
