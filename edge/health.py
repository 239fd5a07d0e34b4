"""How a node is, from its counters: the health message and the one word of its state."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edge.capture import CaptureWorker, FrameSlots
from edge.dispatch import NodeState
from edge.limits import Limits
from edge.outbox import Outbox
from edge.pipeline import Eye
from hardware.ports import AutopilotPort, PositionPort
from runtime.clock import Clock
from runtime.workers import Beat
from wire.messages import CameraHealth, FixHealth, Health, OutboxHealth, WorkerHealth

_STARTING_S = 30.0


class HealthBook:
    """Gathers what the parts of a node know of themselves.

    Args:
        clock: For the uptime and rates.
        captures: By sensor id.
        slots: Between cameras and network.
        eyes: By sensor id.
        outbox: Its counters.
        limits: What is in force.
        position: The node's own place, None without a source.
        autopilot: The link to vehicles, None without one.
        config_sha256: In force.
        beats: Signs of life of the workers.
        refused: Counters of refused input.
        temperature_c: Of the processor, None where the machine does not tell.
        memory_bytes: Held by this process, None likewise.
        disk_free_bytes: Left for the outbox, None likewise.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        captures: Mapping[str, CaptureWorker],
        slots: FrameSlots,
        eyes: Mapping[str, Eye],
        outbox: Outbox,
        limits: Limits,
        position: PositionPort | None,
        autopilot: AutopilotPort | None = None,
        config_sha256: str,
        beats: Callable[[], Sequence[Beat]],
        refused: Sequence[Counter[str]],
        temperature_c: Callable[[], float | None],
        memory_bytes: Callable[[], int | None],
        disk_free_bytes: Callable[[], int | None],
    ) -> None:
        self._clock = clock
        self._captures = dict(captures)
        self._slots = slots
        self._eyes = dict(eyes)
        self._outbox = outbox
        self._limits = limits
        self._position = position
        self._autopilot = autopilot
        self._config_sha256 = config_sha256
        self._beats = beats
        self._refused = tuple(refused)
        self._temperature_c = temperature_c
        self._memory_bytes = memory_bytes
        self._disk_free_bytes = disk_free_bytes
        self._start_s = clock.monotonic_s()
        self._last_s = self._start_s
        self._last_frames = dict.fromkeys(self._eyes, 0)

    def health(self) -> Health:
        """The message of this moment; rates count since the last one."""
        now_s = self._clock.monotonic_s()
        span_s = max(1e-6, now_s - self._last_s)
        self._last_s = now_s
        refused: Counter[str] = Counter()
        for counter in self._refused:
            # A copy in one go: other threads may count something new meanwhile.
            refused.update(dict(counter))
        if self._position is not None:
            refused.update(self._position.counters)
        if self._autopilot is not None:
            lost = self._autopilot.counters
            refused.update({f"autopilot_{reason}": count for reason, count in lost.items()})
        return Health(
            uptime_s=now_s - self._start_s,
            cameras=tuple(self._camera(sensor_id, span_s) for sensor_id in self._eyes),
            fix=self._fix(),
            temperature_c=self._temperature_c(),
            disk_free_bytes=self._disk_free_bytes(),
            memory_bytes=self._memory_bytes(),
            outbox=self._outbox_health(),
            workers=tuple(
                WorkerHealth(
                    name=beat.name, beat_age_s=max(0.0, beat.age_s), restarts=beat.restarts
                )
                for beat in self._beats()
            ),
            zones_sha256=self._limits.sha256,
            zones_version=self._limits.version,
            config_sha256=self._config_sha256,
            refused=dict(refused),
        )

    def state(self) -> tuple[NodeState, str]:
        """One word, and why."""
        if self._outbox.storage_full:
            return "storage_full", "no room for key observations: free the disk or the link"
        running_s = self._clock.monotonic_s() - self._start_s
        bad = []
        for sensor_id, capture in self._captures.items():
            status = capture.camera.status
            late = status == "starting" and running_s > _STARTING_S
            if status in {"offline", "frozen"} or late:
                bad.append(f"{sensor_id} {status}")
        if bad:
            return "degraded", ", ".join(bad)
        return "online", ""

    def _camera(self, sensor_id: str, span_s: float) -> CameraHealth:
        eye, camera = self._eyes[sensor_id], self._captures[sensor_id].camera
        counters = camera.counters
        looked_at = eye.frames - self._last_frames[sensor_id]
        self._last_frames[sensor_id] = eye.frames
        offset = None if eye.offset is None else eye.offset.estimate
        return CameraHealth(
            sensor_id=sensor_id,
            status=camera.status,
            fps=looked_at / span_s,
            frames=counters.frames,
            frames_replaced=self._slots.replaced(sensor_id),
            reconnects=counters.reconnects,
            inference_ms=eye.inference_s * 1000.0 if eye.frames else None,
            last_error=counters.last_error[:200],
            time_offset_s=None if offset is None else offset.offset_s,
            time_offset_sigma_s=None if offset is None else offset.sigma_s,
        )

    def _fix(self) -> FixHealth | None:
        if self._position is None:
            return None
        fix = self._position.latest()
        sigma_m = None
        if fix.cov_enu_m2 is not None:
            sigma_m = float(max(fix.cov_enu_m2[0, 0], fix.cov_enu_m2[1, 1]) ** 0.5)
        return FixHealth(
            status=fix.status,
            lon_deg=fix.lon_deg,
            lat_deg=fix.lat_deg,
            horizontal_sigma_m=sigma_m,
            satellites=fix.satellites,
        )

    def _outbox_health(self) -> OutboxHealth:
        counters = self._outbox.counters
        return OutboxHealth(
            depth=self._outbox.depth,
            oldest_age_s=self._outbox.oldest_age_s(),
            oldest_seq=self._outbox.first_seq,
            bytes_on_disk=self._outbox.waiting_bytes,
            sent=counters.sent,
            receipted=counters.receipted,
            resent=counters.resent,
            superseded=counters.superseded,
            dropped_plain=counters.dropped_plain,
            lost_key=counters.lost_key,
        )


def processor_temperature_c(
    zone: Path = Path("/sys/class/thermal/thermal_zone0/temp"),
) -> float | None:
    """What Linux says of the processor; None on machines that do not."""
    try:
        return int(zone.read_text(encoding="ascii")) / 1000.0
    except (OSError, ValueError):
        return None


def resident_bytes(status: Path = Path("/proc/self/status")) -> int | None:
    """Memory this process holds."""
    try:
        text = status.read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return None
