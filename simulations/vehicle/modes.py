"""Flight modes of the copter: numbers, names, and what each needs."""

from dataclasses import dataclass

STABILIZE, ACRO, ALT_HOLD, AUTO, GUIDED, LOITER, RTL, CIRCLE = 0, 1, 2, 3, 4, 5, 6, 7
LAND, DRIFT, FLIP, AUTOTUNE, POSHOLD, BRAKE, THROW = 9, 11, 14, 15, 16, 17, 18
AVOID_ADSB, GUIDED_NOGPS, SMART_RTL, FLOWHOLD, FOLLOW, ZIGZAG = 19, 20, 21, 22, 23, 24
SYSTEMID, AUTOROTATE, AUTO_RTL, TURTLE = 25, 26, 27, 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One flight mode.

    Attributes:
        number: custom_mode.
        name: as texts and AVAILABLE_MODES spell it.
        position: needs a horizontal position while armed.
        autopilot: flies without a pilot's sticks; a lost ground station matters to it.
        armable: may be armed in by command.
        guided: HEARTBEAT's base_mode carries the GUIDED bit in it.
        flies: this vehicle can be switched into it while armed.
        user_takeoff: takes MAV_CMD_NAV_TAKEOFF.
    """

    number: int
    name: str
    position: bool = False
    autopilot: bool = False
    armable: bool = True
    guided: bool = False
    flies: bool = True
    user_takeoff: bool = False


_ALL = (
    Mode(number=STABILIZE, name="STABILIZE"),
    Mode(number=ACRO, name="ACRO"),
    Mode(number=ALT_HOLD, name="ALT_HOLD", user_takeoff=True),
    Mode(number=AUTO, name="AUTO", position=True, autopilot=True, armable=False, guided=True),
    Mode(number=GUIDED, name="GUIDED", position=True, autopilot=True, guided=True,
         user_takeoff=True),
    Mode(number=LOITER, name="LOITER", position=True, guided=True, user_takeoff=True),
    Mode(number=RTL, name="RTL", position=True, autopilot=True, armable=False, guided=True),
    Mode(number=CIRCLE, name="CIRCLE", position=True, autopilot=True, armable=False, guided=True),
    Mode(number=LAND, name="LAND", autopilot=True, armable=False),
    Mode(number=DRIFT, name="DRIFT", position=True, flies=False),
    Mode(number=FLIP, name="FLIP", armable=False, flies=False),
    Mode(number=AUTOTUNE, name="AUTOTUNE", armable=False, flies=False),
    Mode(number=POSHOLD, name="POSHOLD", position=True, guided=True, user_takeoff=True),
    Mode(number=BRAKE, name="BRAKE", position=True, armable=False, guided=True),
    Mode(number=THROW, name="THROW", position=True, flies=False),
    Mode(number=AVOID_ADSB, name="AVOID_ADSB", position=True, autopilot=True, armable=False,
         guided=True, flies=False),
    Mode(number=GUIDED_NOGPS, name="GUIDED_NOGPS", autopilot=True, flies=False),
    Mode(number=SMART_RTL, name="SMARTRTL", position=True, autopilot=True, armable=False,
         guided=True, flies=False),
    Mode(number=FLOWHOLD, name="FLOWHOLD", flies=False),
    Mode(number=FOLLOW, name="FOLLOW", position=True, autopilot=True, armable=False, flies=False),
    Mode(number=ZIGZAG, name="ZIGZAG", position=True, flies=False),
    Mode(number=SYSTEMID, name="SYSTEMID", armable=False, flies=False),
    Mode(number=AUTO_RTL, name="AUTO_RTL", position=True, autopilot=True, armable=False,
         flies=False),
    Mode(number=TURTLE, name="TURTLE", flies=False),
)  # fmt: skip
MODES: dict[int, Mode] = {mode.number: mode for mode in _ALL}
NAMES_LISTED = tuple(_ALL)
"""In the order of AVAILABLE_MODES, whose index counts from 1; there are 24."""
