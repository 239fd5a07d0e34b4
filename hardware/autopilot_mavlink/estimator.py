"""What an autopilot's own estimator says of its health.

Source: MAVLink message definitions EKF_STATUS_REPORT (ArduPilot; its "variances" are ratios of
innovation to its limit, no square metres) and ESTIMATOR_STATUS (PX4; accuracies in metres).
"""

import math
from dataclasses import dataclass

from hardware.autopilot_mavlink.dialect import Message

STALE_S = 10.0
_ATTITUDE, _VELOCITY, _POSITION, _HEIGHT = 1, 2, 16, 32
_CONSTANT_POSITION = 128
_UNINITIALISED = 1024
_GLITCHING = 32768
_PX4_GLITCH = 1024
_LIMIT = 1.0
_MOST_M = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimator:
    """One report.

    Attributes:
        t_s: node time of arrival.
        absolute: it has a place on the globe.
        healthy: that, and nothing is disputed.
        glitching: it rejects the receiver.
        position_ratio: of horizontal innovation to its limit.
        compass_ratio: likewise of the compass.
        accuracy_m: horizontal and vertical, where it tells metres.
    """

    t_s: float
    absolute: bool
    healthy: bool
    glitching: bool
    position_ratio: float | None
    compass_ratio: float | None
    accuracy_m: tuple[float, float] | None = None


def of_ekf_report(message: Message, t_s: float) -> Estimator | None:
    """From EKF_STATUS_REPORT; None where all of it is zero, as one that does not run sends."""
    flags = message.flags
    if not any(message):
        return None
    absolute = bool(flags & _POSITION) and not flags & (_CONSTANT_POSITION | _UNINITIALISED)
    ratios = [
        _ratio(value)
        for value in (
            message.velocity_variance,
            message.pos_horiz_variance,
            message.pos_vert_variance,
            message.compass_variance,
        )
    ]
    return _report(
        t_s, flags, ratios, absolute=absolute, glitching=bool(flags & _GLITCHING), accuracy_m=None
    )


def of_estimator_status(message: Message, t_s: float) -> Estimator:
    """From ESTIMATOR_STATUS."""
    flags = message.flags
    absolute = bool(flags & _POSITION) and not flags & _CONSTANT_POSITION
    ratios = [
        _ratio(value)
        for value in (
            message.vel_ratio,
            message.pos_horiz_ratio,
            message.pos_vert_ratio,
            message.mag_ratio,
        )
    ]
    level_m, high_m = message.pos_horiz_accuracy, message.pos_vert_accuracy
    told = all(math.isfinite(value) and 0.0 < value <= _MOST_M for value in (level_m, high_m))
    return _report(
        t_s,
        flags,
        ratios,
        absolute=absolute,
        glitching=bool(flags & _PX4_GLITCH),
        accuracy_m=(level_m, high_m) if told else None,
    )


def _report(
    t_s: float,
    flags: int,
    ratios: list[float | None],
    *,
    absolute: bool,
    glitching: bool,
    accuracy_m: tuple[float, float] | None,
) -> Estimator:
    whole = _ATTITUDE | _VELOCITY | _POSITION | _HEIGHT
    calm = all(ratio is not None and ratio <= _LIMIT for ratio in ratios)
    return Estimator(
        t_s=t_s,
        absolute=absolute,
        healthy=absolute and flags & whole == whole and calm and not glitching,
        glitching=glitching,
        position_ratio=ratios[1],
        compass_ratio=ratios[3],
        accuracy_m=accuracy_m,
    )


def _ratio(value: float) -> float | None:
    return value if math.isfinite(value) and 0.0 <= value <= 1e6 else None
