"""One vehicle of a link: its messages in, samples and its state out.

A gimbal or camera with a component id of its own belongs to the vehicle of its system id; only its
clock is its own.
"""

import math
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from geo.turn import quaternion_product
from hardware.autopilot_mavlink import dialect as d
from hardware.autopilot_mavlink import estimator
from hardware.autopilot_mavlink.condition import Condition
from hardware.autopilot_mavlink.fix_watch import FixWatch, receiver_of
from hardware.autopilot_mavlink.place import Accuracy, PlaceGate, absurd, accuracy, sane_velocity
from hardware.autopilot_mavlink.posture import Posture
from hardware.autopilot_mavlink.stamps import Stamps
from hardware.autopilot_mavlink.turns import ENU_FROM_NED, enu, to_euler
from hardware.ports import (
    AttitudeSample,
    GimbalSample,
    PositionSample,
    VehicleId,
    VehicleSample,
    VehicleState,
)

Geoid = Callable[[float, float], float | None]
"""Longitude and latitude in degrees to the geoid's height above the ellipsoid in metres."""

SampleT = TypeVar("SampleT", PositionSample, AttitudeSample, GimbalSample)

_FRESH_S = 3.0
_UNKNOWN_HEADING = 65535
_COMPASS_SIGMA_DEG = 5.0
"""A magnetic compass beside motors: several degrees, as users of uncalibrated drones report."""
_BEST_YAW_SIGMA_DEG = 0.3


class Vehicle:
    """Follows one vehicle.

    Args:
        vehicle: system id, and component id of its autopilot.
        geoid: height of the geoid where the vehicle itself does not tell it.
        counters: what was refused, by reason, of the whole link.
    """

    def __init__(self, vehicle: VehicleId, *, geoid: Geoid | None, counters: Counter[str]) -> None:
        self.id = vehicle
        self.condition = Condition()
        self.fix = FixWatch()
        self.heard_s: dict[int, float] = {}
        """Last arrival of every kind of message."""
        self._geoid = geoid
        self._counters = counters
        self._stamps = Stamps(vehicle[1], counters=counters, rebooted=self._rebooted)
        self._gate = PlaceGate()
        self._estimator: estimator.Estimator | None = None
        self._position: PositionSample | None = None
        self._posture = Posture(
            vehicle,
            stamps=self._stamps,
            counters=counters,
            heard_s=self.heard_s,
            heading_sigma_deg=self._heading_sigma_deg,
        )
        self._heading: tuple[float, float] | None = None
        self._above_takeoff: tuple[float, float] | None = None
        self._handlers: dict[int, Callable[[d.Message, int, float], VehicleSample | None]] = {
            d.GLOBAL_POSITION_INT: self._global_position,
            d.ATTITUDE: self._posture.euler,
            d.ATTITUDE_QUATERNION: self._posture.quaternion,
            d.GIMBAL_DEVICE_ATTITUDE_STATUS: self._posture.gimbal_device,
            d.MOUNT_ORIENTATION: self._posture.mount_orientation,
            d.MOUNT_STATUS: self._posture.mount_status,
            d.HIGH_LATENCY2: self._high_latency,
        }

    @property
    def reboots(self) -> int:
        """How often its clock began anew."""
        return self._stamps.clock(self.id[1]).reboots

    def handle(
        self, message_id: int, message: d.Message, component_id: int, now_s: float
    ) -> VehicleSample | None:
        """Take a message of the vehicle or of one of its components.

        Args:
            message_id: which.
            message: its fields.
            component_id: who of the vehicle sent it.
            now_s: node time of arrival.
        """
        self.condition.heard_s = now_s
        self.heard_s[message_id] = now_s
        handler = self._handlers.get(message_id)
        if handler is not None:
            return handler(message, component_id, now_s)
        if component_id == self.id[1]:
            self._note(message_id, message, now_s)
        return None

    def answered(
        self, component_id: int, *, sent_s: float, received_s: float, remote_s: float
    ) -> None:
        """A TIMESYNC that we asked for."""
        clock = self._stamps.clock(component_id)
        if not clock.answered(sent_s=sent_s, received_s=received_s, remote_s=remote_s):
            self._counters["timesync_slow"] += 1

    def state(self, now_s: float) -> VehicleState:
        """The vehicle now; what is not fresh is None."""
        condition = self.condition
        position = _fresh(self._position, now_s) or self._by_receiver(now_s)
        attitude = _fresh(self._posture.attitude, now_s)
        roll = pitch = heading = None
        if attitude is not None:
            ned = quaternion_product(ENU_FROM_NED, attitude.quaternion_enu_from_body)
            roll, pitch, yaw = (math.degrees(angle) for angle in to_euler(ned))
            heading = yaw % 360.0
        if self._heading is not None and now_s - self._heading[0] <= _FRESH_S:
            heading = self._heading[1]
        above = self._above_takeoff
        fraction, left_s = condition.battery(now_s)
        receiver = self.fix.fresh(now_s)
        trust = self._trust(now_s)
        clock = self._stamps.clock(self.id[1])
        return VehicleState(
            vehicle=self.id,
            t_monotonic_s=condition.heard_s,
            online=condition.online(now_s),
            lon_deg=position.lon_deg if position else None,
            lat_deg=position.lat_deg if position else None,
            alt_hae_m=position.alt_hae_m if position else None,
            alt_msl_m=position.alt_msl_m if position else None,
            alt_above_takeoff_m=above[1] if above and now_s - above[0] <= _FRESH_S else None,
            velocity_enu_m_s=position.velocity_enu_m_s if position else None,
            heading_deg=heading,
            heading_sigma_deg=None if heading is None else self._heading_sigma_deg(now_s),
            roll_deg=roll,
            pitch_deg=pitch,
            gimbal=_fresh(self._posture.gimbal, now_s),
            battery_fraction=fraction,
            battery_remaining_s=left_s,
            mode=condition.mode,
            armed=condition.armed,
            in_air=condition.in_air(now_s),
            pilot_in_control=condition.pilot_in_control,
            fix_status=self.fix.status(now_s),
            satellites=receiver.satellites if receiver else None,
            horizontal_sigma_m=_level_sigma_m(position),
            ekf_healthy=trust.healthy if trust else None,
            clock_offset_s=clock.offset_s,
            clock_error_s=clock.error_s,
        )

    def _rebooted(self) -> None:
        self._gate.forget()
        self._estimator = None
        self._position = None
        self._posture.forget()
        self._heading = self._above_takeoff = None

    # --- place ------------------------------------------------------------------------------------
    def _global_position(
        self, message: d.Message, component_id: int, now_s: float
    ) -> PositionSample | None:
        if component_id != self.id[1]:
            return None
        t_s = self._stamps.instant(d.GLOBAL_POSITION_INT, message.time_boot_ms, component_id, now_s)
        if t_s is None:
            return None
        if message.hdg != _UNKNOWN_HEADING and message.hdg <= 36_000:
            self._heading = (now_s, message.hdg / 100.0 % 360.0)
        ned = (message.vx / 100.0, message.vy / 100.0, message.vz / 100.0)
        sample = self._placed(
            t_s,
            now_s,
            message.lon / 1e7,
            message.lat / 1e7,
            message.alt / 1e3,
            velocity_enu_m_s=enu(ned) if sane_velocity(ned) else None,
        )
        if sample is not None and abs(message.relative_alt) < 12_000_000:
            self._above_takeoff = (now_s, message.relative_alt / 1e3)
        return sample

    def _high_latency(
        self, message: d.Message, component_id: int, now_s: float
    ) -> PositionSample | None:
        """Over satellite the stamp may be of any clock: the arrival counts."""
        if component_id != self.id[1]:
            return None
        self.condition.high_latency(message, now_s)
        if message.heading <= 180:
            self._heading = (now_s, message.heading * 2.0 % 360.0)
        if now_s - self.heard_s.get(d.GLOBAL_POSITION_INT, -math.inf) <= _FRESH_S:
            return None
        sample = self._placed(
            now_s,
            now_s,
            message.longitude / 1e7,
            message.latitude / 1e7,
            float(message.altitude),
            told_m=(message.eph / 10.0, message.epv / 10.0),
        )
        home_m = self.condition.home_alt_msl_m
        if sample is not None and home_m is not None:
            self._above_takeoff = (now_s, message.altitude - home_m)
        return sample

    def _placed(
        self,
        t_s: float,
        now_s: float,
        lon_deg: float,
        lat_deg: float,
        alt_msl_m: float,
        *,
        velocity_enu_m_s: tuple[float, float, float] | None = None,
        told_m: tuple[float, float] | None = None,
    ) -> PositionSample | None:
        refused = absurd(lon_deg, lat_deg, alt_msl_m) or self._distrusted(now_s)
        if refused is None:
            verdict = self._gate.look(t_s, lon_deg, lat_deg, alt_msl_m)
            if verdict == "jump":
                self.fix.glitching(now_s)
            refused = None if verdict == "ok" else verdict
        if refused is not None:
            self._counters[f"position_{refused}"] += 1
            return None
        self._counters["positions"] += 1
        self.fix.estimate_at(lon_deg, lat_deg, now_s)
        good = self._accuracy_now(now_s, told_m)
        self._position = self._sample(t_s, lon_deg, lat_deg, alt_msl_m, velocity_enu_m_s, good)
        return self._position

    def _distrusted(self, now_s: float) -> str | None:
        """Why the vehicle itself does not know where it is; None when it does, or does not say."""
        trust = self._trust(now_s)
        if trust is not None:
            return None if trust.absolute else "estimator"
        receiver = self.fix.fresh(now_s)
        return "no_fix" if receiver is not None and receiver.fix_type < 2 else None

    def _trust(self, now_s: float) -> estimator.Estimator | None:
        last = self._estimator
        return last if last is not None and now_s - last.t_s <= estimator.STALE_S else None

    def _by_receiver(self, now_s: float) -> PositionSample | None:
        """Where the receiver sees a vehicle whose estimator has no place yet: for the map alone."""
        seen = self.fix.place(now_s)
        if seen is None or seen.lon_deg is None or seen.lat_deg is None or seen.alt_msl_m is None:
            return None
        good = self._accuracy_now(now_s, None)
        return self._sample(now_s, seen.lon_deg, seen.lat_deg, seen.alt_msl_m, None, good)

    def _sample(
        self,
        t_s: float,
        lon_deg: float,
        lat_deg: float,
        alt_msl_m: float,
        velocity_enu_m_s: tuple[float, float, float] | None,
        good: Accuracy,
    ) -> PositionSample:
        undulation_m = self.fix.undulation_m
        if undulation_m is None and self._geoid is not None:
            undulation_m = self._geoid(lon_deg, lat_deg)
        level, high = good.horizontal_m**2, good.vertical_m**2
        return PositionSample(
            vehicle=self.id,
            t_monotonic_s=t_s,
            lon_deg=lon_deg,
            lat_deg=lat_deg,
            alt_hae_m=None if undulation_m is None else alt_msl_m + undulation_m,
            alt_msl_m=alt_msl_m,
            velocity_enu_m_s=velocity_enu_m_s,
            cov_enu_m2=np.diag([level, level, high]),
        )

    def _accuracy_now(self, now_s: float, told_m: tuple[float, float] | None) -> Accuracy:
        trust, receiver = self._trust(now_s), self.fix.fresh(now_s)
        if told_m is not None and not all(0.0 < value < 25.5 for value in told_m):
            told_m = None
        return accuracy(
            estimator_m=told_m or (trust.accuracy_m if trust else None),
            receiver_m=(receiver.horizontal_m, receiver.vertical_m) if receiver else (None, None),
            hdop=receiver.hdop if receiver else None,
            innovation_ratio=trust.position_ratio if trust else None,
            since_fix_s=self.fix.since_fix_s(now_s),
        )

    def _heading_sigma_deg(self, now_s: float) -> float:
        """Two antennas say it themselves; a compass is as bad as compasses are."""
        receiver = self.fix.fresh(now_s)
        if receiver is not None and receiver.yaw_sigma_deg is not None:
            return max(_BEST_YAW_SIGMA_DEG, receiver.yaw_sigma_deg)
        trust = self._trust(now_s)
        ratio = trust.compass_ratio if trust is not None else None
        return min(180.0, _COMPASS_SIGMA_DEG * max(1.0, 2.0 * (ratio or 0.0)))

    # --- the rest ---------------------------------------------------------------------------------
    def _note(self, message_id: int, message: d.Message, now_s: float) -> None:
        """Messages that make no sample."""
        condition = self.condition
        if message_id == d.HEARTBEAT:
            condition.heartbeat(message, now_s)
        elif message_id in {d.GPS_RAW_INT, d.GPS2_RAW}:
            self.fix.heard(
                receiver_of(message, now_s),
                second=message_id == d.GPS2_RAW,
                in_air=condition.in_air(now_s),
            )
        elif message_id == d.GNSS_INTEGRITY:
            self.fix.integrity(message, now_s)
        elif message_id == d.EKF_STATUS_REPORT:
            report = estimator.of_ekf_report(message, now_s)
            if report is not None:
                self._believe(report, now_s)
        elif message_id == d.ESTIMATOR_STATUS:
            self._believe(estimator.of_estimator_status(message, now_s), now_s)
        elif message_id == d.SYS_STATUS:
            condition.system_status(message, now_s)
        elif message_id == d.BATTERY_STATUS:
            condition.battery_status(message, now_s)
        elif message_id == d.EXTENDED_SYS_STATE:
            condition.extended(message, now_s)
        elif message_id == d.HOME_POSITION:
            condition.home(message)
        elif message_id == d.ALTITUDE:
            self._altitude(message, now_s)
        elif message_id == d.SYSTEM_TIME:
            self._stamps.instant(message_id, message.time_boot_ms, self.id[1], now_s)
        elif message_id == d.STATUSTEXT:
            condition.text(message)
            self._counters["texts"] += 1

    def _believe(self, report: estimator.Estimator, now_s: float) -> None:
        self._estimator = report
        if report.glitching:
            self.fix.glitching(now_s)

    def _altitude(self, message: d.Message, now_s: float) -> None:
        """ALTITUDE of PX4: height above home, where no position tells it."""
        above_m = message.altitude_relative
        if self.heard_s.get(d.GLOBAL_POSITION_INT, -math.inf) >= now_s - _FRESH_S:
            return
        if math.isfinite(above_m) and abs(above_m) < 12_000.0:
            self._above_takeoff = (now_s, above_m)


def _fresh(sample: SampleT | None, now_s: float) -> SampleT | None:
    return sample if sample is not None and now_s - sample.t_monotonic_s <= _FRESH_S else None


def _level_sigma_m(position: PositionSample | None) -> float | None:
    if position is None or position.cov_enu_m2 is None:
        return None
    return math.sqrt(float(position.cov_enu_m2[0, 0]))
