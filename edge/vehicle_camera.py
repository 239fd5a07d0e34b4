"""How a camera sits on a vehicle, and how its time goes with the vehicle's."""

from dataclasses import dataclass, field
from typing import Literal

from edge.vehicle_motion import Unrest
from hardware.ports import VehicleId

UNTOLD_HEADING_SIGMA_DEG = 5.0
"""A compass among motors and steel, when nobody says better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOffset:
    """What must be added to a frame's instant to get the autopilot's, and how sure that is.

    Attributes:
        offset_s: the offset.
        sigma_s: one sigma of it.
        jitter_s: where it was measured in the pictures: how far the stamps of single frames wander
            about it. Such an offset holds the camera's own delay, so that the doubt about the
            moment of capture is no further one.
    """

    offset_s: float = 0.0
    sigma_s: float = 0.0
    jitter_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleCamera:
    """How a camera sits on its vehicle, and how well each part of the chain is known (1 sigma).

    Attributes:
        vehicle: its autopilot.
        on: `gimbal` or fixed to the `body`.
        yaw_deg: of the axis against gimbal or body, clockwise from above.
        pitch_deg: nose up.
        roll_deg: right side down.
        lever_arm_m: lens from the point whose position the autopilot tells, in body axes forward,
            right, down.
        heading_sigma_deg: of the autopilot's heading, about the vertical; None believes what it
            tells of it.
        roll_pitch_sigma_deg: of its roll and pitch, each.
        gimbal_sigma_deg: of the gimbal's angles, or of the mount on the body, about each axis.
        horizontal_sigma_m: where the autopilot does not tell; None knows nothing.
        vertical_sigma_m: likewise.
        latency_sigma_s: doubt about the moment of capture.
        max_age_s: a sample farther than this from the frame is of no use.
    """

    vehicle: VehicleId
    on: Literal["gimbal", "body"]
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    lever_arm_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    heading_sigma_deg: float | None = None
    roll_pitch_sigma_deg: float = 0.5
    gimbal_sigma_deg: float = 0.5
    horizontal_sigma_m: float | None = None
    vertical_sigma_m: float | None = None
    latency_sigma_s: float = 0.0
    max_age_s: float = 0.5
    unrest: Unrest = field(default_factory=Unrest)
