"""How one vehicle and its gimbal lie: of the messages that tell it, the best one counts."""

import math
from collections import Counter
from collections.abc import Callable, Mapping

from geo.turn import Quaternion, quaternion_of_euler, quaternion_product
from hardware.autopilot_mavlink import dialect as d
from hardware.autopilot_mavlink import gimbal
from hardware.autopilot_mavlink.stamps import Stamps
from hardware.autopilot_mavlink.turns import ENU_FROM_NED, unit
from hardware.ports import AttitudeSample, GimbalSample, VehicleId

_SUPERSEDED_S = 2.0
_FASTEST_TURN_RAD_S = 100.0


class Posture:
    """Attitude and gimbal of one vehicle.

    Args:
        vehicle: who.
        stamps: its clocks.
        counters: what was refused, by reason.
        heard_s: last arrival of every kind of message.
        heading_sigma_deg: how sure its heading is at an instant.
    """

    def __init__(
        self,
        vehicle: VehicleId,
        *,
        stamps: Stamps,
        counters: Counter[str],
        heard_s: Mapping[int, float],
        heading_sigma_deg: Callable[[float], float],
    ) -> None:
        self.attitude: AttitudeSample | None = None
        self.gimbal: GimbalSample | None = None
        self._id = vehicle
        self._stamps = stamps
        self._counters = counters
        self._heard_s = heard_s
        self._heading_sigma_deg = heading_sigma_deg

    def forget(self) -> None:
        """The vehicle began anew."""
        self.attitude = None
        self.gimbal = None

    # --- attitude ---------------------------------------------------------------------------------
    def euler(self, message: d.Message, component_id: int, now_s: float) -> AttitudeSample | None:
        """ATTITUDE, unless ATTITUDE_QUATERNION was heard lately."""
        if now_s - self._heard_s.get(d.ATTITUDE_QUATERNION, -math.inf) <= _SUPERSEDED_S:
            return None
        angles = (message.roll, message.pitch, message.yaw)
        sane = all(math.isfinite(angle) and abs(angle) <= 2 * math.pi for angle in angles)
        q = quaternion_of_euler(*angles) if sane else None
        return self._lay(d.ATTITUDE, message, q, component_id, now_s)

    def quaternion(
        self, message: d.Message, component_id: int, now_s: float
    ) -> AttitudeSample | None:
        """ATTITUDE_QUATERNION."""
        q = unit((message.q1, message.q2, message.q3, message.q4))
        return self._lay(d.ATTITUDE_QUATERNION, message, q, component_id, now_s)

    def _lay(
        self,
        message_id: int,
        message: d.Message,
        ned_from_body: Quaternion | None,
        component_id: int,
        now_s: float,
    ) -> AttitudeSample | None:
        if component_id != self._id[1]:
            return None
        if ned_from_body is None:
            self._counters["attitude_absurd"] += 1
            return None
        t_s = self._stamps.instant(message_id, message.time_boot_ms, component_id, now_s)
        if t_s is None:
            return None
        rates = (message.rollspeed, message.pitchspeed, message.yawspeed)
        told = all(math.isfinite(rate) and abs(rate) <= _FASTEST_TURN_RAD_S for rate in rates)
        self.attitude = AttitudeSample(
            vehicle=self._id,
            t_monotonic_s=t_s,
            quaternion_enu_from_body=quaternion_product(ENU_FROM_NED, ned_from_body),
            rate_body_rad_s=rates if told else None,
            heading_sigma_deg=self._heading_sigma_deg(now_s),
        )
        return self.attitude

    # --- gimbal -----------------------------------------------------------------------------------
    def gimbal_device(
        self, message: d.Message, component_id: int, now_s: float
    ) -> GimbalSample | None:
        """GIMBAL_DEVICE_ATTITUDE_STATUS."""
        t_s = self._stamps.instant(
            d.GIMBAL_DEVICE_ATTITUDE_STATUS, message.time_boot_ms, component_id, now_s
        )
        return None if t_s is None else self._looked(gimbal.device_status(message), t_s)

    def mount_orientation(
        self, message: d.Message, component_id: int, now_s: float
    ) -> GimbalSample | None:
        """MOUNT_ORIENTATION, unless the device itself was heard lately."""
        if self._superseded(now_s, d.GIMBAL_DEVICE_ATTITUDE_STATUS):
            return None
        t_s = self._stamps.instant(d.MOUNT_ORIENTATION, message.time_boot_ms, component_id, now_s)
        return None if t_s is None else self._looked(gimbal.mount_orientation(message), t_s)

    def mount_status(
        self,
        message: d.Message,
        component_id: int,  # noqa: ARG002  # as all handlers; this one carries no stamp
        now_s: float,
    ) -> GimbalSample | None:
        """MOUNT_STATUS, unless something better was heard lately; it carries no stamp."""
        if self._superseded(now_s, d.GIMBAL_DEVICE_ATTITUDE_STATUS, d.MOUNT_ORIENTATION):
            return None
        return self._looked(gimbal.mount_status(message), now_s)

    def _superseded(self, now_s: float, *better: int) -> bool:
        return any(now_s - self._heard_s.get(key, -math.inf) <= _SUPERSEDED_S for key in better)

    def _looked(self, look: gimbal.Look | None, t_s: float) -> GimbalSample | None:
        if look is None:
            self._counters["gimbal_absurd"] += 1
            return None
        self.gimbal = GimbalSample(
            vehicle=self._id,
            t_monotonic_s=t_s,
            frame=look.frame,
            quaternion_frame_from_gimbal=look.quaternion,
        )
        return self.gimbal
