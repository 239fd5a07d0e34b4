"""What the parts of the simulated copter say to each other.

Time is vehicle time everywhere: simulated seconds that only grow, also over a reboot of the
autopilot (`VehicleState.time_boot_s` begins anew there). Angles are radians where MAVLink says
radians and degrees where the name says so; positions are WGS84; vectors are NED; the body is FRD;
quaternions are w, x, y, z and turn the body into NED.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Message: TypeAlias = Any
"""A message object of pymavlink's ardupilotmega dialect (the library has no types)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who sent a message, and over which link an answer goes back.

    Attributes:
        system_id: MAVLink system id of the sender.
        component_id: MAVLink component id of the sender.
        link: number of the channel; 0 is the first (ArduPilot takes it for USB).
    """

    system_id: int
    component_id: int
    link: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One message to send.

    Attributes:
        message: to be packed by the channel.
        to: the peer whose link it takes; None sends it on every link in use.
    """

    message: Message
    to: Peer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A line for the ground station.

    Attributes:
        severity: MAV_SEVERITY, 0 emergency to 7 debug.
        text: of any length; the vehicle splits it as ArduPilot does.
    """

    severity: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """COMMAND_LONG, COMMAND_INT and the DO item of a mission in one form.

    Attributes:
        id: MAV_CMD.
        params: p1 to p4.
        x: latitude in degrees where the command has a place, else parameter 5 as it came.
        y: longitude in degrees or parameter 6.
        z: parameter 7, metres in the meaning of `frame`.
        frame: MAV_FRAME of a COMMAND_INT or an item; a COMMAND_LONG with a place is read as
            relative altitude (3), as ArduPilot does.
        is_int: it came as COMMAND_INT (or as a mission item).
        raw_x: the integer of a COMMAND_INT, so that INT32_MAX can be told from a place; None else.
        raw_y: likewise.
        sender: None when the vehicle's own mission gives it.
        target_component: as sent (0, 1 and 190 are all executed).
        confirmation: of a COMMAND_LONG.
    """

    id: int
    params: tuple[float, float, float, float]
    x: float
    y: float
    z: float
    frame: int
    is_int: bool
    raw_x: int | None = None
    raw_y: int | None = None
    sender: Peer | None = None
    target_component: int = 1
    confirmation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a command.

    Attributes:
        result: MAV_RESULT of the COMMAND_ACK.
        before: messages that overtake the acknowledgement.
        after: messages that follow it.
        texts: STATUSTEXTs that follow it, after `after`.
    """

    result: int
    before: tuple[Reply, ...] = ()
    after: tuple[Reply, ...] = ()
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point of the earth.

    Attributes:
        lat_deg: WGS84.
        lon_deg: WGS84.
        alt_msl_m: above sea level.
    """

    lat_deg: float
    lon_deg: float
    alt_msl_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One mission, fence or rally item as the vehicle keeps it (after mapping and truncation).

    Attributes:
        command: MAV_CMD.
        frame: as it reads back.
        params: p1 to p4 as stored.
        x_e7: latitude in 1e-7 degrees (or parameter 5).
        y_e7: longitude in 1e-7 degrees (or parameter 6).
        z_m: altitude in the meaning of `frame` (or parameter 7).
    """

    command: int
    frame: int
    params: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    x_e7: int = 0
    y_e7: int = 0
    z_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState:
    """What the autopilot believes of itself now (not the truth: see `Copter.truth`).

    Attributes:
        now_s: vehicle time, never restarts.
        time_boot_s: since the last boot.
        time_unix_s: UTC as the GPS gives it, None before the first fix.
        position: estimate; None before there is one.
        relative_alt_m: above home (above the place of boot before home is set).
        velocity_ned_m_s: north, east, down.
        quaternion: body to NED.
        euler_rad: roll, pitch, yaw of the same attitude.
        rates_rad_s: of roll, pitch, yaw.
        home: None before it is set.
        armed: motors may turn.
        mode: custom_mode of the copter.
        landed_state: MAV_LANDED_STATE.
        system_status: MAV_STATE.
        position_ok: the estimator gives an absolute horizontal position.
        mission_seq: current item.
        battery_v: voltage the autopilot measures.
    """

    now_s: float
    time_boot_s: float
    time_unix_s: float | None
    position: Place | None
    relative_alt_m: float
    velocity_ned_m_s: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
    euler_rad: tuple[float, float, float]
    rates_rad_s: tuple[float, float, float]
    home: Place | None
    armed: bool
    mode: int
    landed_state: int
    system_status: int
    position_ok: bool
    mission_seq: int
    battery_v: float


class VehicleView(Protocol):
    """What a subsystem may ask of, and do to, the vehicle it is part of."""

    @property
    def system_id(self) -> int:
        """MAVLink system id of the vehicle (MAV_SYSID)."""
        ...

    @property
    def firmware(self) -> str:
        """``4.7`` or ``4.6``."""
        ...

    @property
    def state(self) -> VehicleState:
        """The present state."""
        ...

    def parameter(self, name: str) -> float:
        """Value of a parameter of our table.

        Raises:
            KeyError: no such parameter.
        """
        ...

    def say(self, text: str, severity: int) -> None:
        """Send a STATUSTEXT to all links, after what is being answered now."""
        ...

    def set_mode(self, mode: int, *, reason: str) -> bool:
        """Change the mode as a failsafe does: without an acknowledgement.

        Args:
            mode: custom_mode.
            reason: one word for the log (``fence``, ``gcs``, ``battery`` ...).

        Returns:
            False when the mode refused (its text is said).
        """
        ...


class MissionStore(Protocol):
    """The mission as AUTO reads it."""

    @property
    def items(self) -> Sequence[Item]:
        """Slot 0 is home; empty after a clear."""
        ...

    @property
    def version(self) -> int:
        """Grows with every change of any slot or of the length."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorBits:
    """Bits of MAV_SYS_STATUS_SENSOR that a subsystem answers for.

    Attributes:
        present: it exists.
        enabled: it is switched on.
        health: it is well.
    """

    present: int = 0
    enabled: int = 0
    health: int = 0


class Subsystem(Protocol):
    """One organ of the vehicle: transfers, fence, gimbal, camera, signing and the core's own."""

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:
        """Take a message that is addressed to this vehicle (or to all).

        Returns:
            What to send now; empty when the message is not for this subsystem.
        """
        ...

    def command(self, command: Command, now_s: float) -> CommandResult | None:
        """Carry out a command.

        Returns:
            None when another subsystem should be asked; when all say None: UNSUPPORTED.
        """
        ...

    def step(self, now_s: float) -> Sequence[Reply]:
        """Do what is due (called 100 times a simulated second)."""
        ...

    @property
    def telemetry_ids(self) -> frozenset[int]:
        """Messages that may be streamed or requested here."""
        ...

    def telemetry(self, message_id: int, now_s: float) -> Message | None:
        """Build one of `telemetry_ids`; None when there is nothing to say (the request is accepted)."""
        ...

    def arming_blocks(self) -> Sequence[str]:
        """Reasons not to arm now, without "Arm: " or "PreArm: " before them."""
        ...

    def sensor_bits(self) -> SensorBits:
        """Share in SYS_STATUS."""
        ...

    def reboot(self, now_s: float) -> None:
        """Forget what lives in memory; keep what ArduPilot keeps in its storage."""
        ...


class Organ:
    """A `Subsystem` that does nothing: inherit it and override what is yours."""

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # a subclass reads it
        """Not for us."""
        return ()

    def command(self, command: Command, now_s: float) -> CommandResult | None:  # noqa: ARG002  # a subclass reads it
        """Not for us."""
        return None

    def step(self, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # a subclass reads it
        """Nothing is due."""
        return ()

    @property
    def telemetry_ids(self) -> frozenset[int]:
        """No message is ours."""
        return frozenset()

    def telemetry(self, message_id: int, now_s: float) -> Message | None:  # noqa: ARG002  # a subclass reads it
        """Nothing to say."""
        return None

    def arming_blocks(self) -> Sequence[str]:
        """Nothing against it."""
        return ()

    def sensor_bits(self) -> SensorBits:
        """No sensor of ours."""
        return SensorBits()

    def reboot(self, now_s: float) -> None:  # noqa: ARG002  # a subclass reads it
        """Nothing to forget."""
        return


class FrameGuard(Protocol):
    """Signs what leaves and judges what comes, frame by frame (signing.py)."""

    def outgoing(self, frame: bytes, *, crc_extra: int, link: int, now_s: float) -> bytes:
        """Return the MAVLink 2 frame as it goes out: unchanged, or flagged and signed anew.

        Args:
            frame: an unsigned frame, complete with checksum.
            crc_extra: of its message, for the new checksum.
            link: its channel, which is the signature's link id.
            now_s: vehicle time.
        """
        ...

    def accepts(self, frame: bytes, *, link: int, now_s: float) -> bool:
        """Whether a complete frame (its checksum is good already) may be handled."""
        ...


class OpenGuard:
    """The `FrameGuard` of a vehicle without a key: nothing is signed, everything is taken."""

    def outgoing(self, frame: bytes, *, crc_extra: int, link: int, now_s: float) -> bytes:  # noqa: ARG002  # the Protocol's
        """Unchanged."""
        return frame

    def accepts(self, frame: bytes, *, link: int, now_s: float) -> bool:  # noqa: ARG002  # the Protocol's
        """Always."""
        return True


class Medium(Protocol):
    """One direction of a radio link (lossy.py): loses, doubles and delays frames."""

    def carry(self, frame: bytes, now_s: float) -> None:
        """Take a frame in."""
        ...

    def due(self, now_s: float) -> Sequence[bytes]:
        """Frames (or what is left of them) that have arrived by now, in order of arrival."""
        ...


@dataclass(slots=True, kw_only=True)
class Wire:
    """The `Medium` of a good cable: at once, whole, in order."""

    _under_way: list[bytes] = field(default_factory=list)

    def carry(self, frame: bytes, now_s: float) -> None:  # noqa: ARG002  # the Protocol's
        """Take a frame in."""
        self._under_way.append(frame)

    def due(self, now_s: float) -> Sequence[bytes]:  # noqa: ARG002  # the Protocol's
        """All of them; the caller takes every tick, so no more wait than one tick makes."""
        arrived, self._under_way = self._under_way, []
        return arrived
