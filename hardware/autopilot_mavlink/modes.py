"""Flight modes in words, and whether the sticks fly in them."""

from hardware.autopilot_mavlink import dialect

CUSTOM_MODE = 1
ARMED = 128
_MANUAL_INPUT = 64
_PLANES = frozenset({1, 16, 28, 19, 20, 21, 22, 23, 24, 25})
_ROVERS = frozenset({10, 11})
_PX4 = 12
_ARDUPILOT = 3
_STICKS = {
    "copter": frozenset(
        {
            "STABILIZE", "ACRO", "ALT_HOLD", "LOITER", "DRIFT", "SPORT", "FLIP", "AUTOTUNE",
            "POSHOLD", "FLOWHOLD", "TURTLE", "ZIGZAG", "SYSTEMID",
        }
    ),
    "plane": frozenset(
        {
            "MANUAL", "STABILIZE", "TRAINING", "ACRO", "FLY_BY_WIRE_A", "FLY_BY_WIRE_B", "CRUISE",
            "AUTOTUNE", "QSTABILIZE", "QHOVER", "QLOITER", "QAUTOTUNE", "QACRO",
        }
    ),
    "rover": frozenset({"MANUAL", "ACRO", "STEERING", "SIMPLE"}),
}  # fmt: skip
"""A copter in LOITER stands only as long as somebody holds the sticks: without a pilot it sinks."""
_PX4_MAIN = {
    1: "MANUAL", 2: "ALTCTL", 3: "POSCTL", 4: "AUTO", 5: "ACRO", 6: "OFFBOARD", 7: "STABILIZED",
    8: "RATTITUDE",
}  # fmt: skip
_PX4_AUTO = {
    1: "READY", 2: "TAKEOFF", 3: "LOITER", 4: "MISSION", 5: "RTL", 6: "LAND", 8: "FOLLOW",
    9: "PRECLAND",
}  # fmt: skip
_PX4_STICKS = frozenset({1, 2, 3, 5, 7, 8})


def mode_of(
    *, autopilot: int, vehicle_type: int, base_mode: int, custom_mode: int
) -> tuple[str, bool]:
    """Name of a mode, and whether a pilot flies in it.

    Args:
        autopilot: MAV_AUTOPILOT.
        vehicle_type: MAV_TYPE.
        base_mode: MAV_MODE_FLAG bits.
        custom_mode: the autopilot's own number.
    """
    if autopilot == _ARDUPILOT:
        if vehicle_type in _PLANES:
            kind, names = "plane", dialect.PLANE_MODES
        elif vehicle_type in _ROVERS:
            kind, names = "rover", dialect.ROVER_MODES
        else:
            kind, names = "copter", dialect.COPTER_MODES
        name = names.get(custom_mode, f"MODE_{custom_mode}")
        return name, name in _STICKS[kind]
    if autopilot == _PX4:
        main, sub = custom_mode >> 16 & 0xFF, custom_mode >> 24 & 0xFF
        name = _PX4_MAIN.get(main, f"MODE_{main}")
        if main == 4 and sub:
            name = f"AUTO_{_PX4_AUTO.get(sub, sub)}"
        return name, main in _PX4_STICKS
    return f"MODE_{custom_mode}", bool(base_mode & _MANUAL_INPUT)
