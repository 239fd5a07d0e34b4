"""The pilot's radio: a simulated receiver with the throttle at its stop, and overrides by MAVLink."""

from collections.abc import Sequence

from simulations.vehicle.parameters import Parameters

CHANNELS = 18
_AT_REST_US = (1500, 1500, 1000, 1500, 1800, 1000, 1000, 1800)
_THROTTLE = 2
_IGNORE, _RELEASE, _RELEASE_HIGH = 65535, 0, 65534


class Radio:
    """Channel values in microseconds.

    Args:
        parameters: SIM_RC_FAIL, RC_OVERRIDE_TIME, THR_DZ.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._overrides: dict[int, tuple[int, float]] = {}

    def override(self, values_us: Sequence[int], now_s: float) -> None:
        """Take an RC_CHANNELS_OVERRIDE.

        Args:
            values_us: one per channel; 65535 leaves a channel as it is, 0 gives it back (of
                channels above 8 it is 65534 that gives back, and 0 that leaves).
            now_s: vehicle time.
        """
        for channel, value in enumerate(values_us[:CHANNELS]):
            if value == _IGNORE or (channel >= 8 and value == 0):
                continue
            if value == _RELEASE or (channel >= 8 and value == _RELEASE_HIGH):
                self._overrides.pop(channel, None)
            else:
                self._overrides[channel] = (value, now_s)

    def overridden(self, now_s: float) -> bool:
        """Whether any channel is overridden now."""
        return any(self._fresh(since, now_s) for _, since in self._overrides.values())

    def failed(self, now_s: float) -> bool:
        """Whether no pulses arrive."""
        return self._parameters["SIM_RC_FAIL"] == 1 and not self.overridden(now_s)

    def channels_us(self, now_s: float) -> tuple[int, ...]:
        """All channels; 0 for one without pulses."""
        values = []
        for channel in range(CHANNELS):
            own = _AT_REST_US[channel] if channel < len(_AT_REST_US) else 0
            if self._parameters["SIM_RC_FAIL"] == 1:
                own = 0
            value, since = self._overrides.get(channel, (own, -1e9))
            values.append(value if self._fresh(since, now_s) else own)
        return tuple(values)

    def stick(self, channel: int, now_s: float) -> float:
        """Deflection of a centred stick, -1 to 1, with a dead zone.

        Args:
            channel: 0 roll, 1 pitch, 2 throttle, 3 yaw.
            now_s: vehicle time.
        """
        value = self.channels_us(now_s)[channel]
        if value == 0:
            return -1.0 if channel == _THROTTLE else 0.0
        dead = self._parameters["THR_DZ"] / 1000 if channel == _THROTTLE else 0.06
        off = max(-1.0, min(1.0, (value - 1500) / 500))
        if abs(off) <= dead:
            return 0.0
        return (abs(off) - dead) / (1 - dead) * (1 if off > 0 else -1)

    def throttle_low(self, now_s: float) -> bool:
        """Whether the throttle stick stands at its lower stop (or nobody holds it)."""
        return self.channels_us(now_s)[_THROTTLE] < 1050

    def forget(self) -> None:
        """Drop all overrides, as a reboot does."""
        self._overrides.clear()

    def _fresh(self, since_s: float, now_s: float) -> bool:
        allowed_s = self._parameters["RC_OVERRIDE_TIME"]
        return since_s >= 0 and (allowed_s < 0 or now_s - since_s <= allowed_s)
