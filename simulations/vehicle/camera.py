"""A camera on a servo: each shot is one CAMERA_FEEDBACK, asked for or not, and nothing says whether it came out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.gimbal import Gimbal
from simulations.vehicle.numbers import int32, whole
from simulations.vehicle.ports import (
    Command,
    CommandResult,
    Message,
    Organ,
    Place,
    Reply,
    VehicleView,
)

_INFORMATION = int(mav.MAVLINK_MSG_ID_CAMERA_INFORMATION)
_CAPTURE_STATUS = int(mav.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS)
_FAILED = CommandResult(result=int(mav.MAV_RESULT_FAILED))
_NO_VIDEO = frozenset({mav.MAV_CMD_VIDEO_START_CAPTURE, mav.MAV_CMD_VIDEO_STOP_CAPTURE})
_OURS = _NO_VIDEO | {
    mav.MAV_CMD_DO_DIGICAM_CONTROL,
    mav.MAV_CMD_IMAGE_START_CAPTURE,
    mav.MAV_CMD_IMAGE_STOP_CAPTURE,
    mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST,
    mav.MAV_CMD_SET_CAMERA_ZOOM,
}
_M_PER_DEG = 111_319.5
_FOR_EVER = -1


@dataclass(slots=True)
class _Series:
    """Shots by the clock.

    Attributes:
        interval_s: between two.
        left: how many more; negative for ever.
        next_s: when the next is due.
    """

    interval_s: float
    left: int
    next_s: float


class Camera(Organ):
    """The first camera (CAM1), shot by hand, by time or by distance.

    Args:
        view: the vehicle.
        gimbal: whose attitude the feedback carries when there is one.
    """

    def __init__(self, view: VehicleView, gimbal: Gimbal) -> None:
        self._view = view
        self._gimbal = gimbal
        self._shots = 0
        self._series: _Series | None = None
        self._distance_m = 0.0
        self._last_place: Place | None = None

    @property
    def present(self) -> bool:
        """Whether CAM1_TYPE says that there is one."""
        return self._view.parameter("CAM1_TYPE") != 0.0

    @property
    def shots(self) -> int:
        """Pictures since boot, from all sources."""
        return self._shots

    def command(self, command: Command, now_s: float) -> CommandResult | None:
        """Camera commands, live or from a mission."""
        if command.id not in _OURS:
            return None
        if command.id in _NO_VIDEO or not self.present:
            return _FAILED
        p1, p2, p3, _p4 = command.params
        if command.id == mav.MAV_CMD_DO_DIGICAM_CONTROL:
            shutter = command.x if command.raw_x is None else command.raw_x
            return _accepted([self._shoot()] if shutter == 1 else [])
        if command.id == mav.MAV_CMD_IMAGE_START_CAPTURE:
            return self._start(interval_s=p2, total=p3, now_s=now_s)
        if command.id == mav.MAV_CMD_IMAGE_STOP_CAPTURE:
            self._series = None
        elif command.id == mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST:
            self._distance_m = max(p1, 0.0)
            self._last_place = self._view.state.position
            return _accepted([self._shoot()] if p3 == 1.0 and self._distance_m > 0.0 else [])
        return _accepted([])  # The zoom is accepted though nothing zooms.

    def step(self, now_s: float) -> Sequence[Reply]:
        """Shoot what time and way make due."""
        replies: list[Reply] = []
        series = self._series
        if series is not None and now_s >= series.next_s:
            replies.append(self._shoot())
            series.next_s += series.interval_s
            series.left -= series.left > 0
            if series.left == 0:
                self._series = None
        if self._distance_m > 0.0 and self._moved_m() >= self._distance_m:
            replies.append(self._shoot())
        return replies

    @property
    def telemetry_ids(self) -> frozenset[int]:
        """CAMERA_INFORMATION and CAMERA_CAPTURE_STATUS; CAMERA_IMAGE_CAPTURED is never sent."""
        return frozenset({_INFORMATION, _CAPTURE_STATUS}) if self.present else frozenset()

    def telemetry(self, message_id: int, now_s: float) -> Message | None:  # noqa: ARG002  # of the Protocol
        """Build one of them: a servo knows nothing about its camera."""
        time_ms = int(self._view.state.time_boot_s * 1000.0)
        if message_id == _INFORMATION:
            nameless = [0] * 32
            return mav.MAVLink_camera_information_message(
                time_ms, nameless, nameless, 0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, b""
            )
        if message_id == _CAPTURE_STATUS:
            interval_s = 0.0 if self._series is None else self._series.interval_s
            # image_status stays 0 even while an interval runs.
            return mav.MAVLink_camera_capture_status_message(
                time_ms, 0, 0, interval_s, 0, math.nan, self._shots
            )
        return None

    def reboot(self, now_s: float) -> None:  # noqa: ARG002  # of the Protocol
        """Count from one again; nothing is due."""
        self._shots = 0
        self._series = self._last_place = None
        self._distance_m = 0.0

    def _start(self, *, interval_s: float, total: float, now_s: float) -> CommandResult:
        single = total == 1.0
        if single or interval_s <= 0.0:
            return _accepted([self._shoot()]) if single else _FAILED
        left = whole(total) - 1 if total > 1.0 else _FOR_EVER
        self._series = _Series(interval_s, left, next_s=now_s + interval_s)
        return _accepted([self._shoot()])

    def _moved_m(self) -> float:
        """Metres over ground from the last picture."""
        place = self._view.state.position
        if place is None:
            return 0.0
        if self._last_place is None:
            self._last_place = place
        north_m = (place.lat_deg - self._last_place.lat_deg) * _M_PER_DEG
        east_m = (place.lon_deg - self._last_place.lon_deg) * _M_PER_DEG
        return math.hypot(north_m, east_m * math.cos(math.radians(place.lat_deg)))

    def _shoot(self) -> Reply:
        state = self._view.state
        self._shots += 1
        self._last_place = state.position
        place = state.position or Place(lat_deg=0.0, lon_deg=0.0, alt_msl_m=0.0)
        roll_deg, pitch_deg, yaw_deg = (math.degrees(angle) for angle in state.euler_rad)
        if self._gimbal.present:
            mount = self._gimbal.attitude
            roll_deg, pitch_deg = mount.roll_deg, mount.pitch_deg
            yaw_deg = (yaw_deg + mount.yaw_deg + 180.0) % 360.0 - 180.0
        return Reply(
            message=mav.MAVLink_camera_feedback_message(
                int((state.time_unix_s or state.time_boot_s) * 1e6),
                0,
                0,
                self._shots & 0xFFFF,
                int32(place.lat_deg * 1e7),
                int32(place.lon_deg * 1e7),
                place.alt_msl_m,
                state.relative_alt_m,
                roll_deg,
                pitch_deg,
                yaw_deg,
                0.0,
                int(mav.CAMERA_FEEDBACK_PHOTO),
                self._shots & 0xFFFF,
            )
        )


def _accepted(shots: list[Reply]) -> CommandResult:
    return CommandResult(result=int(mav.MAV_RESULT_ACCEPTED), after=tuple(shots))
