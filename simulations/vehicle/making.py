"""What a copter is made of, and where it truly is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulations.vehicle.body import GroundHeight
from simulations.vehicle.ports import Medium, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The radio of one link, one object per direction; None is a good cable."""

    down: Medium | None = None
    up: Medium | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a copter is made of.

    Attributes:
        home: where it stands when it is switched on.
        heading_deg: nose, clockwise from north.
        seed: of wind, noise and losses.
        firmware: ``4.7`` or ``4.6``.
        parameters: values before the first boot, by name.
        start_unix_s: UTC at vehicle time 0, for the GPS clock.
        ground: height above sea level by place; None is level ground at `home`.
        undulation_m: the sea's height above the ellipsoid, for a receiver that tells both heights.
        media: radio of each link, by its number.
    """

    home: Place
    heading_deg: float = 0.0
    seed: int = 1
    firmware: str = "4.7"
    parameters: Mapping[str, float] = field(default_factory=dict)
    start_unix_s: float = 1_700_000_000.0
    ground: GroundHeight | None = None
    undulation_m: float | None = None
    media: Mapping[int, Media] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Where the copter truly is, whatever it believes.

    Attributes:
        now_s: vehicle time.
        place: WGS84, above sea level.
        velocity_ned_m_s: north, east, down.
        euler_rad: roll, pitch, yaw.
        on_ground: it touches it.
        armed: motors may turn.
    """

    now_s: float
    place: Place
    velocity_ned_m_s: tuple[float, float, float]
    euler_rad: tuple[float, float, float]
    on_ground: bool
    armed: bool
