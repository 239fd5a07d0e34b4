"""Numbers from a foreign hand: what is no number must not stop a flight."""

import math

_MOST = 2**31 - 1


def whole(value: float) -> int:
    """Cut to an integer as a microcontroller does: NaN is 0, too large is the largest."""
    if math.isnan(value):
        return 0
    return int(max(-_MOST, min(_MOST, value)))


def int32(value: float) -> int:
    """Round into the range of a 32-bit field."""
    return round(max(-_MOST, min(_MOST, value)))


def uint16(value: float) -> int:
    """Round into the range of an unsigned 16-bit field."""
    return round(max(0, min(65535, value)))


def int16(value: float) -> int:
    """Round into the range of a 16-bit field."""
    return round(max(-32768, min(32767, value)))
