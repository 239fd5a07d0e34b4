"""What a node expects of its devices: Protocols and the values that pass through them.

Drivers implement these; composition roots and simulations hand them in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

CameraStatus = Literal["starting", "online", "frozen", "offline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture with the moment it was taken.

    Attributes:
        sensor_id: the camera's id in the node's config.
        seq: running number of this camera since its start, from 1.
        image_bgr: (height, width, 3) uint8, rows top down; not written to by anybody.
        t_capture_utc: aware UTC instant of capture, None before the first clock sync.
        t_capture_monotonic_s: the same instant on the node's monotonic clock.
        last: true on the last frame of a film that ends.
    """

    sensor_id: str
    seq: int
    image_bgr: npt.NDArray[np.uint8]
    t_capture_utc: datetime | None
    t_capture_monotonic_s: float
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraCounters:
    """What a camera did since its start."""

    frames: int = 0
    reconnects: int = 0
    read_failures: int = 0
    frozen_spells: int = 0
    last_error: str = ""


class CameraPort(Protocol):
    """A source of frames with a blocking read that always comes back."""

    sensor_id: str

    def read(self) -> Frame | None:
        """The next frame, or None when the read timed out or the source is being re-opened.

        Never blocks longer than the configured time-outs; reconnects by itself with back-off.

        Raises:
            EOFError: a film is over and does not loop.
        """
        ...

    @property
    def status(self) -> CameraStatus:
        """How the source is now."""
        ...

    @property
    def counters(self) -> CameraCounters:
        """What happened so far."""
        ...

    def close(self) -> None:
        """Let go of the device; a blocked read returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmPosition:
    """A moment of a recording.

    Attributes:
        film_s: the recording's own time, as its pictures are stamped.
        speed: seconds of the recording that pass in a second of the node's clock.
    """

    film_s: float
    speed: float = 1.0


@runtime_checkable
class FilmPort(Protocol):
    """A source that may be a recording, whose telemetry lies beside it or in it."""

    def film_position(self, t_monotonic_s: float) -> FilmPosition | None:
        """The moment of the picture that was handed over with that instant; None without one.

        From any thread; never blocks. A film that loops answers for the showing of the instant.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """Where the node is, WGS84; one sigma each.

    Attributes:
        status: how the position is known, and whether it may be used: with `stale`, `jammed` and
            `jumped` the place is the last one believed, of `t_monotonic_s`; with `none` there is none.
        cov_enu_m2: (3, 3) covariance in ENU.
        reason: why it may not be used, for people.
    """

    status: Literal["none", "fix_2d", "fix_3d", "fixed_survey", "stale", "jammed", "jumped"]
    t_monotonic_s: float
    lon_deg: float | None = None
    lat_deg: float | None = None
    alt_hae_m: float | None = None
    alt_msl_m: float | None = None
    cov_enu_m2: npt.NDArray[np.float64] | None = field(default=None, compare=False)
    satellites: int | None = None
    reason: str = ""


class PositionPort(Protocol):
    """A source of the node's own position."""

    def latest(self) -> Fix:
        """The newest fix; status tells whether it may be used. Never blocks, from any thread."""
        ...

    def read(self, timeout_s: float) -> float:
        """Take in what the receiver says, for at most so long; reconnects by itself.

        One worker calls it. A source that has nothing to read returns at once.

        Returns:
            Seconds for which calling again is of no use.
        """
        ...

    @property
    def counters(self) -> Mapping[str, int]:
        """What was refused or lost so far, by reason."""
        ...

    def close(self) -> None:
        """Let go of the receiver."""
        ...


VehicleId = tuple[int, int]
"""MAVLink system id and component id: everything heard is kept apart by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionSample:
    """Where a vehicle was, as one message said.

    Attributes:
        vehicle: who.
        t_monotonic_s: instant it speaks of, on the node's monotonic clock.
        alt_hae_m: None where the vehicle tells the height above sea level only.
        velocity_enu_m_s: (east, north, up).
        cov_enu_m2: (3, 3); None where nothing about the accuracy is known yet.
    """

    vehicle: VehicleId
    t_monotonic_s: float
    lon_deg: float
    lat_deg: float
    alt_hae_m: float | None
    alt_msl_m: float | None
    velocity_enu_m_s: tuple[float, float, float] | None = None
    cov_enu_m2: npt.NDArray[np.float64] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttitudeSample:
    """How a vehicle's body lay.

    Attributes:
        vehicle: who.
        t_monotonic_s: instant it speaks of.
        quaternion_enu_from_body: (w, x, y, z), body x forward, y right, z down.
        rate_body_rad_s: (about x, y, z); None when not told.
        heading_sigma_deg: how sure its heading is, one sigma; None when nothing is known.
    """

    vehicle: VehicleId
    t_monotonic_s: float
    quaternion_enu_from_body: tuple[float, float, float, float]
    rate_body_rad_s: tuple[float, float, float] | None = None
    heading_sigma_deg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GimbalSample:
    """How a gimbal's device looked, its x axis along the view, y right, z down.

    Attributes:
        vehicle: the vehicle that carries it (its system id, component id of the autopilot).
        t_monotonic_s: instant it speaks of.
        frame: what the quaternion turns into: `enu`; `level`, whose x lies level along the
            vehicle's heading, y level to the right, z down; or `body` of the vehicle.
        quaternion_frame_from_gimbal: (w, x, y, z).
    """

    vehicle: VehicleId
    t_monotonic_s: float
    frame: Literal["enu", "level", "body"]
    quaternion_frame_from_gimbal: tuple[float, float, float, float]


VehicleSample = PositionSample | AttitudeSample | GimbalSample


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState:
    """A vehicle as its autopilot tells it now; None where it said nothing (or nothing fresh).

    Attributes:
        vehicle: who.
        t_monotonic_s: when it was last heard.
        alt_above_takeoff_m: height above home.
        battery_remaining_s: as the autopilot estimates it.
        pilot_in_control: a mode in which the sticks fly.
        fix_status: of its receiver; `jumped` and `jammed` are our own verdict.
        ekf_healthy: whether the autopilot trusts its own position.
        clock_offset_s: vehicle boot time to node monotonic time, by TIMESYNC or least delay.
        clock_error_s: how far that may be off; None where only the least delay tells.
        gimbal: newest look of its gimbal.
    """

    vehicle: VehicleId
    t_monotonic_s: float
    online: bool = True
    lon_deg: float | None = None
    lat_deg: float | None = None
    alt_hae_m: float | None = None
    alt_msl_m: float | None = None
    alt_above_takeoff_m: float | None = None
    velocity_enu_m_s: tuple[float, float, float] | None = None
    heading_deg: float | None = None
    heading_sigma_deg: float | None = None
    roll_deg: float | None = None
    pitch_deg: float | None = None
    gimbal: GimbalSample | None = None
    battery_fraction: float | None = None
    battery_remaining_s: float | None = None
    mode: str = ""
    armed: bool = False
    in_air: bool = False
    pilot_in_control: bool = False
    fix_status: Literal["none", "fix_2d", "fix_3d", "stale", "jammed", "jumped"] = "none"
    satellites: int | None = None
    horizontal_sigma_m: float | None = None
    ekf_healthy: bool | None = None
    clock_offset_s: float | None = None
    clock_error_s: float | None = None


class AutopilotPort(Protocol):
    """The reading half of an autopilot link; the commanding half grows beside it."""

    def read(self, timeout_s: float) -> Sequence[VehicleSample]:
        """What was heard, in order of arrival, after waiting for at most so long.

        One worker calls it; the link is opened and re-opened by itself.

        Raises:
            EOFError: a recorded log is over.
        """
        ...

    def vehicles(self) -> Sequence[VehicleState]:
        """Every vehicle heard on the link. Never blocks, from any thread."""
        ...

    @property
    def counters(self) -> Mapping[str, int]:
        """What was refused or lost so far, by reason."""
        ...

    def close(self) -> None:
        """Let go of the link."""
        ...


# --- transport ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Bytes that arrived on a topic."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker says for us when we are cut off."""

    topic: str
    payload: bytes
    qos: Literal[0, 1] = 1
    retain: bool = True


class Transport(Protocol):
    """Bytes to and from a broker; MQTT 5 over paho is one, a simulated link another.

    All methods but `wait` return at once. Nothing is queued while disconnected: `publish` refuses
    then. One thread uses it.
    """

    def open(self, *, will: Will | None, subscriptions: Sequence[tuple[str, int]]) -> None:
        """Start connecting and keep reconnecting; subscriptions are renewed at each connection."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker accepted us and the subscriptions are in place."""
        ...

    @property
    def connections(self) -> int:
        """How many connections were made so far; a change means: say birth and state again."""
        ...

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: Literal[0, 1],
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> int | None:
        """Hand over one message; a token, or None when it was not taken (disconnected, full)."""
        ...

    def acknowledged(self) -> Sequence[int]:
        """Tokens whose PUBACK came since the last call (QoS 0: handed to the socket)."""
        ...

    def inbox(self) -> Sequence[Inbound]:
        """What arrived since the last call, in order; bounded, see `inbox_dropped`."""
        ...

    def wait(self, timeout_s: float) -> None:
        """Do input and output, and come back when something happened or the time is over.

        Not connected, it makes at most one attempt to connect and comes back.
        """
        ...

    @property
    def inbox_dropped(self) -> int:
        """Messages that came faster than they were taken away."""
        ...

    def close(self, *, last_words: Sequence[tuple[str, bytes, bool]] = ()) -> None:
        """Publish the last words (topic, payload, retain), then disconnect orderly."""
        ...
