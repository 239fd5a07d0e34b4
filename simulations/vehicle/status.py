"""Messages about health: heartbeat, sensors, battery, receiver, estimator, mission."""

import math

from pymavlink.dialects.v20 import ardupilotmega as mav
from pymavlink.dialects.v20 import development

from simulations.vehicle.modes import NAMES_LISTED
from simulations.vehicle.numbers import int16, int32, uint16
from simulations.vehicle.parts import Parts
from simulations.vehicle.ports import Message, Organ
from simulations.vehicle.telemetry import e7

_BOOT_UNTIL_S = 2.9
_CAPABILITIES = 64495
_VERSION = {"4.7": 0x04070000, "4.6": 0x04060000}
_HASH = {"4.7": b"90700977", "4.6": b"953cc9e4"}
_PREARM_BIT = 1 << 28
_BATTERY_BIT = 1 << 25
_LOGGING_BIT = 1 << 24
_AHRS_BIT = 1 << 21
_MOTORS_BIT = 1 << 15
_RECEIVER_BIT = 1 << 16
_GPS_BIT = 1 << 5
_ALWAYS = 0b1111 | _LOGGING_BIT | _MOTORS_BIT | (0b11111 << 10)
"""Gyro, accelerometer, compass, barometer, the five controllers, motors, logging."""
_UNUSED_CELL = 65535


class StatusTelemetry(Organ):
    """Everything about the vehicle's state that is not motion.

    Args:
        parts: of the vehicle.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._listed = 0
        self._made = {
            0: self.heartbeat, 1: self._sys_status, 2: self._system_time, 24: self._gps,
            27: self._raw_imu, 116: self._imu2, 129: self._imu3, 29: self._pressure,
            36: self._servos, 42: self.mission_current, 46: self.item_reached,
            65: self._channels, 125: self._power, 147: self._battery, 148: self._version,
            152: self._memory, 193: self._estimator, 241: self._vibration,
            245: self._extended, 376: self._relays, 11030: self._motors, 11039: self._mcu,
        }  # fmt: skip
        self._silent = {132, 226, 269, 137, 143, 173}
        """Known to the firmware, but this vehicle has no such sensor: accepted, never sent."""
        self._modern = parts.view.firmware != "4.6"

    @property
    def telemetry_ids(self) -> frozenset[int]:
        """Of this module."""
        listed = {435} if self._modern else set()
        return frozenset({*self._made, *self._silent, *listed})

    def telemetry(self, message_id: int, now_s: float) -> Message | None:  # noqa: ARG002  # the state knows
        """Build one."""
        if message_id == 435:
            self._listed = self._listed % len(NAMES_LISTED) + 1
            return self.available_mode(self._listed)
        made = self._made.get(message_id)
        return made() if made is not None else None

    def available_mode(self, index: int) -> Message | None:
        """AVAILABLE_MODES of one index from 1; None for another."""
        if not 1 <= index <= len(NAMES_LISTED):
            return None
        mode = NAMES_LISTED[index - 1]
        return development.MAVLink_available_modes_message(
            len(NAMES_LISTED), index, 0, mode.number, 0, mode.name.encode("ascii")
        )

    @property
    def _boot_s(self) -> float:
        return self._parts.craft.estimator.boot_s

    @property
    def _boot_ms(self) -> int:
        return int(self._boot_s * 1000) & 0xFFFFFFFF

    @property
    def system_status(self) -> int:
        """MAV_STATE."""
        if self._boot_s < _BOOT_UNTIL_S:
            return int(mav.MAV_STATE_BOOT)
        if self._parts.failsafes.standing.any:
            return int(mav.MAV_STATE_CRITICAL)
        landed = self._parts.craft.landed
        return int(mav.MAV_STATE_STANDBY if landed else mav.MAV_STATE_ACTIVE)

    def heartbeat(self) -> Message:
        """Type, mode and state; test bit 128 of base_mode only, the others mean little."""
        mode = self._parts.flight.mode
        base = 81
        if mode.guided or self._boot_s < _BOOT_UNTIL_S:
            base |= 8
        if self._parts.craft.armed:
            base |= 128
        return mav.MAVLink_heartbeat_message(2, 3, base, mode.number, self.system_status, 3)

    def _sys_status(self) -> Message:
        parts = self._parts
        battery = parts.battery
        present, enabled, health = parts.sensor_bits()
        known = _ALWAYS | _GPS_BIT | _RECEIVER_BIT | _AHRS_BIT | _BATTERY_BIT | _PREARM_BIT
        well = _ALWAYS
        if parts.craft.estimator.gps_fix:
            well |= _GPS_BIT
        if not parts.craft.radio.failed(parts.craft.now_s):
            well |= _RECEIVER_BIT
        if parts.craft.estimator.flags not in (0, 1024) and not parts.craft.estimator.lost:
            well |= _AHRS_BIT
        if parts.failsafes.battery_level != "critical":
            well |= _BATTERY_BIT
        if not parts.arming.standing():
            well |= _PREARM_BIT
        return mav.MAVLink_sys_status_message(
            known | present, known | enabled, well | health, 120,
            uint16(battery.voltage_v * 1000), int16(battery.current_a * 100),
            battery.remaining_percent, 0, 0, 0, 0, 0, 0,
        )  # fmt: skip

    def _system_time(self) -> Message:
        unix_s = self._parts.view.state.time_unix_s
        return mav.MAVLink_system_time_message(round((unix_s or 0.0) * 1e6), self._boot_ms)

    def _gps(self) -> Message:
        craft = self._parts.craft
        unix_s = self._parts.view.state.time_unix_s
        micro = round((unix_s or self._boot_s) * 1e6)
        if not craft.estimator.gps_fix:
            searching = 1 if craft.parameters["SIM_GPS1_ENABLE"] == 1 else 0
            return mav.MAVLink_gps_raw_int_message(micro, searching, 0, 0, 0, 9999, 9999, 0, 0, 0)
        body = craft.body
        glitch_m = craft.estimator.glitch_m()
        place = craft.plane.to_place(
            body.north_m + glitch_m[0], body.east_m + glitch_m[1],
            body.alt_m + craft.parameters["SIM_GPS1_GLTCH_Z"],
        )  # fmt: skip
        course = math.degrees(math.atan2(body.velocity_east_m_s, body.velocity_north_m_s)) % 360
        speed = math.hypot(body.velocity_east_m_s, body.velocity_north_m_s)
        return mav.MAVLink_gps_raw_int_message(
            micro, 6, e7(place.lat_deg), e7(place.lon_deg), int32(place.alt_msl_m * 1000),
            121, 200, uint16(speed * 100), int(course * 100), 10,
            self._above_ellipsoid_mm(place.alt_msl_m), 300, 300, 40, 0, 0,
        )  # fmt: skip

    def _above_ellipsoid_mm(self, alt_msl_m: float) -> int:
        """0 is "not told", as MAVLink has it."""
        undulation_m = self._parts.undulation_m
        return 0 if undulation_m is None else int32((alt_msl_m + undulation_m) * 1000)

    def _imu(self) -> tuple[int, ...]:
        body = self._parts.craft.body
        roll, pitch, yaw = body.euler_rad()
        up = -1000 * math.cos(roll) * math.cos(pitch)
        return (
            round(1000 * math.sin(pitch)), round(-1000 * math.sin(roll) * math.cos(pitch)),
            round(up), 0, 0, round(1000 * body.yaw_rate_rad_s),
            round(400 * math.cos(yaw)), round(-400 * math.sin(yaw)), 100,
        )  # fmt: skip

    def _raw_imu(self) -> Message:
        return mav.MAVLink_raw_imu_message(round(self._boot_s * 1e6), *self._imu(), 0, 4500)

    def _imu2(self) -> Message:
        return mav.MAVLink_scaled_imu2_message(self._boot_ms, *self._imu(), 4500)

    def _imu3(self) -> Message:
        return mav.MAVLink_scaled_imu3_message(self._boot_ms, *self._imu(), 4500)

    def _pressure(self) -> Message:
        """Source: international standard atmosphere, troposphere."""
        alt_m = self._parts.craft.body.alt_m
        hpa = 1013.25 * (1 - 2.25577e-5 * alt_m) ** 5.25588
        return mav.MAVLink_scaled_pressure_message(self._boot_ms, hpa, 0.0, 3500)

    def _servos(self) -> Message:
        thrust = self._parts.flight.thrust
        idle = 1100 if self._parts.craft.armed else 1000
        each = 1000 + round(1000 * 0.39 * (1 + thrust.up_m_s2 / 9.8)) if thrust.spinning else idle
        each = max(1000, min(2000, each))
        return mav.MAVLink_servo_output_raw_message(
            round(self._boot_s * 1e6) & 0xFFFFFFFF, 0, each, each, each, each, 0, 0, 0, 0
        )

    def mission_current(self) -> Message:
        """Current item, total without home, state."""
        sequencer = self._parts.flight.auto.sequencer
        auto = self._parts.flight.auto
        state = auto.mission_state if auto.entered or sequencer.state == "complete" else 2
        total = max(0, len(sequencer.items) - 1)
        return mav.MAVLink_mission_current_message(
            sequencer.seq, total, state, 1 if auto.entered else 2
        )

    def item_reached(self) -> Message:
        """The last item that was reported; 65535 before the first."""
        return mav.MAVLink_mission_item_reached_message(self._parts.flight.auto.reached)

    def _channels(self) -> Message:
        values = self._parts.craft.radio.channels_us(self._parts.craft.now_s)
        return mav.MAVLink_rc_channels_message(self._boot_ms, 16, *values, 255)

    def _power(self) -> Message:
        return mav.MAVLink_power_status_message(5000, 0, 0)

    def _battery(self) -> Message:
        battery = self._parts.battery
        cells = [uint16(battery.voltage_v * 1000), *([_UNUSED_CELL] * 9)]
        return mav.MAVLink_battery_status_message(
            0, 0, 0, 32767, cells, int16(battery.current_a * 100), int32(battery.used_mah),
            int32(battery.used_wh * 36), battery.remaining_percent, 0,
            self._parts.failsafes.charge_state,
        )  # fmt: skip

    def _version(self) -> Message:
        firmware = self._parts.view.firmware
        text = _HASH[firmware]
        return mav.MAVLink_autopilot_version_message(
            _CAPABILITIES, _VERSION[firmware], 0, 0, 0, list(text), list(b"\0" * 8),
            list(b"\0" * 8), 0, 0, 0,
        )  # fmt: skip

    def _memory(self) -> Message:
        return mav.MAVLink_meminfo_message(0, 65535, 131072)

    def _estimator(self) -> Message:
        estimator = self._parts.craft.estimator
        variance = estimator.position_variance
        return mav.MAVLink_ekf_status_report_message(
            estimator.flags, min(1.5, variance), variance, 0.02, 0.01, 0.0
        )

    def _vibration(self) -> Message:
        shake = 0.02 if not self._parts.craft.landed else 0.003
        return mav.MAVLink_vibration_message(
            round(self._boot_s * 1e6), shake, shake, shake, 0, 0, 0
        )

    def _extended(self) -> Message:
        return mav.MAVLink_extended_sys_state_message(0, self._parts.flight.landed_state)

    def _relays(self) -> Message:
        return mav.MAVLink_relay_status_message(self._boot_ms, 0, 0)

    def _motors(self) -> Message:
        thrust = self._parts.flight.thrust
        rpm = round(5200 * math.sqrt(max(0.0, 1 + thrust.up_m_s2 / 9.8))) if thrust.spinning else 0
        share = uint16(self._parts.battery.current_a * 25)
        volts = uint16(self._parts.battery.voltage_v * 100)
        return mav.MAVLink_esc_telemetry_1_to_4_message(
            [35] * 4, [volts] * 4, [share] * 4, [uint16(self._parts.battery.used_mah / 4)] * 4,
            [uint16(rpm)] * 4, [0] * 4,
        )  # fmt: skip

    def _mcu(self) -> Message:
        return mav.MAVLink_mcu_status_message(0, 4500, 3300, 3300, 3300)
