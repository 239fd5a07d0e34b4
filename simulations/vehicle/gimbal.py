"""A servo mount inside the autopilot: it points where it is told, in the body's axes, and tilts with the airframe."""

import math
from collections.abc import Callable, Sequence
from enum import Enum

from pymavlink.dialects.v20 import ardupilotmega as mav

from geo.turn import quaternion_of_euler, quaternion_product
from simulations.vehicle.gimbal_angles import MountAngles, wrapped_deg
from simulations.vehicle.numbers import whole
from simulations.vehicle.ports import (
    Command,
    CommandResult,
    Message,
    Organ,
    Peer,
    Place,
    Reply,
    VehicleView,
)

CAPABILITIES = 206_847
DEVICE_ID = 1
_RETRACT, _NEUTRAL, _YAW_LOCK = 1, 2, 16
_ALWAYS = 44
"""Roll lock, pitch lock, and yaw in the vehicle's frame: also under yaw lock."""
_ATTITUDE = int(mav.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS)
_INFORMATION = int(mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_INFORMATION)
_STATUS = int(mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_STATUS)
_ACCEPTED = CommandResult(result=int(mav.MAV_RESULT_ACCEPTED))
_FAILED = CommandResult(result=int(mav.MAV_RESULT_FAILED))
_M_PER_DEG = 111_319.5
_ABOVE_SEA = frozenset({0, 5})
_UNCHANGED, _ME, _RELEASE = -1.0, -2.0, -3.0
_MODE_ANGLES, _MODE_GPS = 2.0, 4.0


class _Aim(Enum):
    """What the mount follows."""

    RC = "rc"
    RETRACT = "retract"
    NEUTRAL = "neutral"
    ANGLES = "angles"
    PLACE = "place"


class Gimbal(Organ):
    """The first mount (MNT1), manager and device in one.

    Args:
        view: the vehicle.
    """

    def __init__(self, view: VehicleView) -> None:
        self._view = view
        self._aim = _Aim.RC
        self._pitch_deg = 0.0
        self._yaw_deg = 0.0
        self._yaw_locked = False
        self._rates_deg_s: tuple[float, float] | None = None
        self._place: Place | None = None
        self._stepped_s: float | None = None
        self._primary = (0, 0)
        self._secondary = (0, 0)
        self._servo = MountAngles()
        self._commands: dict[int, Callable[[Command], CommandResult]] = {
            mav.MAV_CMD_DO_MOUNT_CONFIGURE: self._mount_configure,
            mav.MAV_CMD_DO_MOUNT_CONTROL: self._mount_control,
            mav.MAV_CMD_DO_SET_ROI_LOCATION: self._roi,
            mav.MAV_CMD_DO_SET_ROI: self._roi,
            mav.MAV_CMD_DO_SET_ROI_NONE: self._roi_none,
            mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: self._pitch_yaw,
            mav.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE: self._configure,
        }

    @property
    def present(self) -> bool:
        """Whether MNT1_TYPE says that there is one."""
        return self._view.parameter("MNT1_TYPE") != 0.0

    @property
    def flags(self) -> int:
        """GIMBAL_DEVICE_FLAGS as reported."""
        if self._aim in {_Aim.RETRACT, _Aim.NEUTRAL}:
            return _ALWAYS | (_RETRACT if self._aim is _Aim.RETRACT else _NEUTRAL)
        locked = self._aim is _Aim.PLACE or (self._aim is _Aim.ANGLES and self._yaw_locked)
        return _ALWAYS | (_YAW_LOCK if locked else 0)

    @property
    def quaternion(self) -> tuple[float, float, float, float]:
        """Of the camera against the horizon and the vehicle's heading, w x y z.

        The servos know the body alone, so the body's roll and pitch come on top of theirs.
        """
        roll, pitch, _yaw = self._view.state.euler_rad
        return quaternion_product(
            quaternion_of_euler(roll, pitch, 0.0),
            quaternion_of_euler(*(math.radians(angle) for angle in self._angles_deg())),
        )

    @property
    def attitude(self) -> MountAngles:
        """Euler angles of `quaternion`: roll and yaw mean nothing at a pitch of -90 degrees."""
        return MountAngles.of(self.quaternion)

    def handle(self, message: Message, sender: Peer, now_s: float) -> Sequence[Reply]:  # noqa: ARG002  # of the Protocol
        """GIMBAL_MANAGER_SET_PITCHYAW and SET_ATTITUDE; they are never acknowledged."""
        kind = message.get_msgId()
        if kind == mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_SET_PITCHYAW:
            self._point(
                *(math.degrees(v) for v in (message.pitch, message.yaw)),
                *(math.degrees(v) for v in (message.pitch_rate, message.yaw_rate)),
                flags=message.flags,
                device=message.gimbal_device_id,
            )
        elif kind == mav.MAVLINK_MSG_ID_GIMBAL_MANAGER_SET_ATTITUDE:
            valid = all(math.isfinite(part) for part in message.q)
            wanted = MountAngles.of(message.q) if valid else None
            self._point(
                math.nan if wanted is None else wanted.pitch_deg,
                math.nan if wanted is None else wanted.yaw_deg,
                math.degrees(message.angular_velocity_y),
                math.degrees(message.angular_velocity_z),
                flags=message.flags,
                device=message.gimbal_device_id,
            )
        return ()

    def command(self, command: Command, now_s: float) -> CommandResult | None:  # noqa: ARG002  # of the Protocol
        """Mount, gimbal manager and region-of-interest commands, live or from a mission."""
        handler = self._commands.get(command.id)
        if handler is None:
            return None
        return handler(command) if self.present else _FAILED

    def step(self, now_s: float) -> Sequence[Reply]:
        """Turn at the commanded rate and let the servos follow: a step, without slew."""
        before_s, self._stepped_s = self._stepped_s, now_s
        if self._aim is _Aim.ANGLES and self._rates_deg_s is not None and before_s is not None:
            pitch_deg_s, yaw_deg_s = self._rates_deg_s
            elapsed_s = now_s - before_s
            self._pitch_deg = self._clamped("PITCH", self._pitch_deg + pitch_deg_s * elapsed_s)
            yaw_deg = self._yaw_deg + yaw_deg_s * elapsed_s
            self._yaw_deg = (
                wrapped_deg(yaw_deg) if self._yaw_locked else self._clamped("YAW", yaw_deg)
            )
        self._servo = self._target()
        return ()

    @property
    def telemetry_ids(self) -> frozenset[int]:
        """The device's attitude, the manager's information and status."""
        return frozenset({_ATTITUDE, _INFORMATION, _STATUS}) if self.present else frozenset()

    def telemetry(self, message_id: int, now_s: float) -> Message | None:  # noqa: ARG002  # of the Protocol
        """Build one of them."""
        time_ms = int(self._view.state.time_boot_s * 1000.0)
        if message_id == _ATTITUDE:
            return mav.MAVLink_gimbal_device_attitude_status_message(
                0,
                0,
                time_ms,
                self.flags,
                list(self.quaternion),
                math.nan,
                math.nan,
                math.nan,
                0,
                math.nan,
                math.nan,
                DEVICE_ID,
            )
        if message_id == _INFORMATION:
            limits_rad = [
                math.radians(self._view.parameter(f"MNT1_{axis}_{end}"))
                for axis in ("ROLL", "PITCH", "YAW")
                for end in ("MIN", "MAX")
            ]
            return mav.MAVLink_gimbal_manager_information_message(
                time_ms, CAPABILITIES, DEVICE_ID, *limits_rad
            )
        if message_id == _STATUS:
            return mav.MAVLink_gimbal_manager_status_message(
                time_ms, self.flags, DEVICE_ID, *self._primary, *self._secondary
            )
        return None

    def reboot(self, now_s: float) -> None:  # noqa: ARG002  # of the Protocol
        """Follow the sticks again; nobody is in control."""
        self._aim = _Aim.RC
        self._rates_deg_s = self._place = self._stepped_s = None
        self._primary = self._secondary = (0, 0)

    def _mount_configure(self, command: Command) -> CommandResult:
        return self._change_mode(command.params[0], command)

    def _mount_control(self, command: Command) -> CommandResult:
        # A mission item keeps the angles alone, and means them.
        return self._change_mode(_MODE_ANGLES if command.sender is None else command.z, command)

    def _change_mode(self, mode: float, command: Command) -> CommandResult:
        aim = {0.0: _Aim.RETRACT, 1.0: _Aim.NEUTRAL, 3.0: _Aim.RC}.get(mode)
        if aim is not None:
            self._aim = aim
            return _ACCEPTED
        if command.id == mav.MAV_CMD_DO_MOUNT_CONFIGURE:
            self._aim = _Aim.ANGLES if mode == _MODE_ANGLES else self._aim
            return _ACCEPTED if mode == _MODE_ANGLES else _FAILED
        pitch_deg, roll_deg, yaw_deg, alt_m = command.params
        if mode == _MODE_GPS:
            scale = 1.0 if abs(command.x) <= 90.0 and abs(command.y) <= 180.0 else 1e-7
            self._look_at(command.x * scale, command.y * scale, self._home_alt_m() + alt_m)
            return _ACCEPTED
        if mode != _MODE_ANGLES:
            return _FAILED
        for axis, angle_deg in (("PITCH", pitch_deg), ("ROLL", roll_deg), ("YAW", yaw_deg)):
            if angle_deg != self._clamped(axis, angle_deg):  # NaN too
                self._view.say("Mount: invalid angle targets", int(mav.MAV_SEVERITY_WARNING))
                return _FAILED
        self._aim_at(pitch_deg, yaw_deg, locked=False)
        return _ACCEPTED

    def _roi(self, command: Command) -> CommandResult:
        if command.id == mav.MAV_CMD_DO_SET_ROI and command.x == command.y == command.z == 0.0:
            return self._roi_none(command)
        above_m = 0.0 if command.frame in _ABOVE_SEA else self._home_alt_m()
        self._look_at(command.x, command.y, above_m + command.z)
        return _ACCEPTED

    def _roi_none(self, _command: Command) -> CommandResult:
        self._aim, self._place = _Aim.RC, None
        return _ACCEPTED

    def _pitch_yaw(self, command: Command) -> CommandResult:
        flags = command.x if command.raw_x is None else float(command.raw_x)
        pointed = self._point(
            *command.params,
            flags=whole(flags),
            device=command.z,
        )
        return _ACCEPTED if pointed else _FAILED

    def _configure(self, command: Command) -> CommandResult:
        if command.z not in {0.0, float(DEVICE_ID)}:
            return _FAILED
        p1, p2, p3, p4 = command.params
        self._primary = _control(self._primary, (p1, p2), command.sender)
        self._secondary = _control(self._secondary, (p3, p4), command.sender)
        return _ACCEPTED

    def _point(
        self,
        pitch_deg: float,
        yaw_deg: float,
        pitch_deg_s: float,
        yaw_deg_s: float,
        *,
        flags: int,
        device: float,
    ) -> bool:
        """Do what the gimbal manager is told; angles beyond the limits are clamped, not refused."""
        if not self.present or device not in {0.0, float(DEVICE_ID)}:
            return False
        locked = bool(flags & _YAW_LOCK)
        if flags & _RETRACT:
            self._aim = _Aim.RETRACT
        elif flags & _NEUTRAL:
            self._aim = _Aim.NEUTRAL
        elif math.isfinite(pitch_deg) and math.isfinite(yaw_deg):
            self._aim_at(self._clamped("PITCH", pitch_deg), yaw_deg, locked=locked)
        elif math.isfinite(pitch_deg_s) and math.isfinite(yaw_deg_s):
            angles = self._target()
            heading_deg = math.degrees(self._view.state.euler_rad[2]) if locked else 0.0
            self._aim_at(angles.pitch_deg, wrapped_deg(angles.yaw_deg + heading_deg), locked=locked)
            self._rates_deg_s = (pitch_deg_s, yaw_deg_s)
        else:
            return False
        return True

    def _aim_at(self, pitch_deg: float, yaw_deg: float, *, locked: bool) -> None:
        self._aim = _Aim.ANGLES
        self._pitch_deg, self._yaw_deg, self._yaw_locked = pitch_deg, yaw_deg, locked
        self._rates_deg_s = None

    def _look_at(self, lat_deg: float, lon_deg: float, alt_msl_m: float) -> None:
        self._aim = _Aim.PLACE
        self._place = Place(lat_deg=lat_deg, lon_deg=lon_deg, alt_msl_m=alt_msl_m)

    def _target(self) -> MountAngles:
        """Where the servos are to stand now, in the body's axes."""
        heading_deg = math.degrees(self._view.state.euler_rad[2])
        if self._aim in {_Aim.RETRACT, _Aim.NEUTRAL}:
            return MountAngles()
        if self._aim is _Aim.RC:  # The sticks are in the middle: so are the servos.
            return MountAngles(
                roll_deg=self._middle_deg("ROLL"),
                pitch_deg=self._middle_deg("PITCH"),
                yaw_deg=self._middle_deg("YAW"),
            )
        if self._aim is _Aim.PLACE:
            position, place = self._view.state.position, self._place
            if position is None or place is None:
                return self._servo
            north_m = (place.lat_deg - position.lat_deg) * _M_PER_DEG
            east_m = (
                wrapped_deg(place.lon_deg - position.lon_deg)
                * _M_PER_DEG
                * math.cos(math.radians(position.lat_deg))
            )
            up_m = place.alt_msl_m - position.alt_msl_m
            pitch_deg = math.degrees(math.atan2(up_m, math.hypot(north_m, east_m)))
            yaw_deg = math.degrees(math.atan2(east_m, north_m)) - heading_deg
        else:
            pitch_deg = self._pitch_deg
            yaw_deg = self._yaw_deg - (heading_deg if self._yaw_locked else 0.0)
        return MountAngles(
            pitch_deg=self._clamped("PITCH", pitch_deg),
            yaw_deg=self._clamped("YAW", wrapped_deg(yaw_deg)),
        )

    def _angles_deg(self) -> tuple[float, float, float]:
        return self._servo.roll_deg, self._servo.pitch_deg, self._servo.yaw_deg

    def _middle_deg(self, axis: str) -> float:
        parameter = self._view.parameter
        return 0.5 * (parameter(f"MNT1_{axis}_MIN") + parameter(f"MNT1_{axis}_MAX"))

    def _clamped(self, axis: str, angle_deg: float) -> float:
        low_deg = self._view.parameter(f"MNT1_{axis}_MIN")
        return max(low_deg, min(self._view.parameter(f"MNT1_{axis}_MAX"), angle_deg))

    def _home_alt_m(self) -> float:
        home = self._view.state.home
        return 0.0 if home is None else home.alt_msl_m


def _control(
    held: tuple[int, int], wanted: tuple[float, float], sender: Peer | None
) -> tuple[int, int]:
    """Whom CONFIGURE leaves in control: -1 as before, -2 who asks, -3 nobody."""
    me = (0, 0) if sender is None else (sender.system_id, sender.component_id)
    if wanted[0] == _RELEASE:
        return held if sender is not None and held not in {me, (0, 0)} else (0, 0)
    chosen = []
    for index, value in enumerate(wanted):
        if value == _UNCHANGED or math.isnan(value):
            chosen.append(held[index])
        elif value == _ME:
            chosen.append(me[index])
        else:
            chosen.append(whole(value) & 0xFF)
    return chosen[0], chosen[1]
