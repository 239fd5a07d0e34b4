"""Where a camera on a vehicle was, from what its autopilot said: asked for the moment of capture.

The chain: position and attitude of the vehicle's body, attitude of the gimbal (in one of three
frames), the camera's own axes on gimbal or body. Each is interpolated to the instant; where one of
them is missing or old there is no pose, and the answer names it.
"""

import math
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge.pose import NoPose, Pose, turn_covariance_rad2
from edge.pose_samples import Around, History
from edge.vehicle_camera import UNTOLD_HEADING_SIGMA_DEG, TimeOffset, VehicleCamera
from edge.vehicle_motion import (
    Course,
    Spans,
    Stance,
    body_stance,
    course,
    gimbal_stance,
)
from geo.frames import EnuFrame, GeodeticPoint
from geo.turn import cross_matrix, matrix_of_frd_angles
from hardware.ports import (
    AttitudeSample,
    GimbalSample,
    PositionSample,
    VehicleSample,
    VehicleState,
)
from runtime.clock import Clock

Array = npt.NDArray[np.float64]
GimbalFrame = Literal["enu", "level", "body"]
_AnyAround = Around[PositionSample] | Around[AttitudeSample] | Around[GimbalSample]

KEEP_S = 60.0
MAX_SAMPLES = 6000
"""A minute at 100 Hz, of each kind."""
_FUTURE_S = 1.0
_CAMERA_IN_FRD: Array = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""Camera x right, y down, z forward, in axes x forward, y right, z down."""
_NOT_UNIT = 0.01
_UPRIGHT = 0.1
"""A body whose nose is this near to the vertical has no heading."""
_NO_TRUST: dict[str, str] = {
    "none": "has no position",
    "fix_2d": "knows no height (2D fix)",
    "stale": "has lost its receiver",
    "jammed": "says that its receiver is jammed",
    "jumped": "has jumped",
}


class PoseBuffer:
    """A `PoseSource` of one camera on one vehicle.

    Fed from the autopilot's thread, asked from the pipeline's: a lock is held while samples are
    put in order or looked up, never while anything is computed. Memory: `MAX_SAMPLES` of each kind,
    the oldest go first.

    Args:
        camera: how it sits on its vehicle.
        clock: to refuse samples of the future.
        states: every vehicle as its autopilot tells it now; without, none is doubted.
        offset: between the clocks of camera and autopilot, as known now.
        geoid_undulation_m: height of the geoid above the ellipsoid at (lon, lat) in degrees, for
            autopilots that tell heights above the sea; None refuses those.
    """

    def __init__(
        self,
        camera: VehicleCamera,
        *,
        clock: Clock,
        states: Callable[[], Sequence[VehicleState]] = tuple,
        offset: Callable[[], TimeOffset] = TimeOffset,
        geoid_undulation_m: Callable[[float, float], float] | None = None,
    ) -> None:
        self.camera = camera
        self.counters: Counter[str] = Counter()
        """Samples by what became of them."""
        self.refused: Counter[str] = Counter()
        """Those that were not kept, for the node's health."""
        self._clock = clock
        self._states = states
        self._offset = offset
        self._geoid_undulation_m = geoid_undulation_m
        self._lock = threading.Lock()
        self._heard = 0
        self._answer: tuple[tuple[float, TimeOffset, int], Pose | NoPose] | None = None
        self._positions = History[PositionSample](keep_s=KEEP_S, max_samples=MAX_SAMPLES)
        self._attitudes = History[AttitudeSample](keep_s=KEEP_S, max_samples=MAX_SAMPLES)
        self._gimbals = History[GimbalSample](keep_s=KEEP_S, max_samples=MAX_SAMPLES)
        # Half a gap on either side of the frame is as far from a sample as the age allows.
        self._spans = Spans(bridge_s=2.0 * camera.max_age_s, beyond_s=camera.max_age_s)
        self._mount = (
            matrix_of_frd_angles(camera.yaw_deg, camera.pitch_deg, camera.roll_deg) @ _CAMERA_IN_FRD
        )
        self._lever_m = np.array(camera.lever_arm_m)

    def follow(self, offset: Callable[[], TimeOffset]) -> None:
        """From now on take the offset from there (an estimate from the pictures)."""
        self._offset = offset

    # --- fed --------------------------------------------------------------------------------------
    def add(self, samples: Sequence[VehicleSample]) -> None:
        """Take in samples of any vehicle, in any order; what is not ours is passed over."""
        latest_s = self._clock.monotonic_s() + _FUTURE_S
        for sample in samples:
            if sample.vehicle != self.camera.vehicle:
                continue
            if not _sound(sample):
                self._refuse("malformed")
            elif sample.t_monotonic_s > latest_s:
                # One such sample would make all that follow look old.
                self._refuse("future")
            else:
                self._keep(sample)

    def _keep(self, sample: VehicleSample) -> None:
        with self._lock:
            self._heard += 1
            if isinstance(sample, PositionSample):
                verdict = self._positions.add(sample)
            elif isinstance(sample, AttitudeSample):
                verdict = self._attitudes.add(sample)
            else:
                verdict = self._gimbals.add(sample)
        if verdict == "too_old":
            self._refuse(verdict)
        else:
            self.counters[verdict] += 1

    def _refuse(self, why: str) -> None:
        self.counters[why] += 1
        self.refused[f"pose_{why}"] += 1

    # --- asked ------------------------------------------------------------------------------------
    def at(self, t_monotonic_s: float) -> Pose | NoPose:
        """The camera's pose at a frame's capture, or why there is none."""
        doubt = self._doubt()
        if doubt:
            return NoPose(reason=doubt)
        offset = self._offset()
        # One frame is asked about by its motion, its places and its observation.
        asked = (t_monotonic_s, offset, self._heard)
        known = self._answer
        if known is not None and known[0] == asked:
            return known[1]
        moment_s = self.camera.latency_sigma_s if offset.jitter_s is None else offset.jitter_s
        found = self._at(t_monotonic_s + offset.offset_s, math.hypot(moment_s, offset.sigma_s))
        self._answer = (asked, found)
        return found

    def at_vehicle_time(self, t_s: float) -> Pose | NoPose:
        """The camera's pose at an instant of the samples' own time, whatever is thought of the fix.

        For those who look for the offset between camera and vehicle.
        """
        return self._at(t_s, self.camera.latency_sigma_s)

    def _at(self, t_s: float, time_sigma_s: float) -> Pose | NoPose:
        with self._lock:
            positions = self._positions.around(t_s)
            attitudes = self._attitudes.around(t_s)
            gimbals = self._gimbals.around(t_s)
        reason = self._unusable(positions)
        if reason:
            return NoPose(reason=reason)
        unrest = self.camera.unrest
        place = course(
            positions,
            t_s,
            spans=self._spans,
            q=unrest.position_m2_s3,
            point_of=self._point,
            cov_of=self._covariance,
        )
        body = body_stance(attitudes, t_s, spans=self._spans, q=unrest.attitude_rad2_s3)
        head = gimbal_stance(gimbals, t_s, spans=self._spans, q=unrest.gimbal_rad2_s3)
        missing: list[tuple[str, _AnyAround]] = []
        if place is None:
            missing.append(("position", positions))
        absolute = self._needs_gimbal and head is not None and _frame(gimbals) == "enu"
        if body is None and not (absolute and not self._lever_m.any()):
            missing.append(("attitude", attitudes))
        if self._needs_gimbal and head is None:
            missing.append(("gimbal attitude", gimbals))
        if missing or place is None:
            return NoPose(reason=self._all_missing(missing, t_s))
        heading_deg = self._heading_sigma_deg(attitudes.before)
        return self._compose(place, body, head, _frame(gimbals), heading_deg, time_sigma_s)

    @property
    def _needs_gimbal(self) -> bool:
        return self.camera.on == "gimbal"

    def _doubt(self) -> str:
        """Why the vehicle is not believed now; empty when it is."""
        who = self.camera.vehicle[0]
        for state in self._states():
            if state.vehicle != self.camera.vehicle:
                continue
            if state.fix_status in _NO_TRUST:
                return f"vehicle {who} {_NO_TRUST[state.fix_status]}"
            if state.ekf_healthy is False:
                return f"the autopilot of vehicle {who} does not trust its own position"
        return ""

    def _unusable(self, positions: Around[PositionSample]) -> str:
        """Why the positions around an instant cannot be used, whatever their age."""
        around = (positions.before, positions.after, positions.older)
        reasons = (self._lack(sample) for sample in around if sample is not None)
        return next((reason for reason in reasons if reason), "")

    def _lack(self, sample: PositionSample) -> str:
        """What a position lacks to be used; empty when nothing."""
        who = self.camera.vehicle[0]
        if sample.alt_hae_m is None and sample.alt_msl_m is None:
            return f"vehicle {who} tells no height"
        if sample.alt_hae_m is None and self._geoid_undulation_m is None:
            return f"vehicle {who} tells its height above the sea only, and no geoid grid is configured"
        if not math.isfinite(self._alt_hae_m(sample)):
            return f"the geoid grid does not reach to where vehicle {who} is"
        untold = sample.cov_enu_m2 is None
        if untold and None in {self.camera.horizontal_sigma_m, self.camera.vertical_sigma_m}:
            return (
                f"vehicle {who} does not tell how accurate its position is; set horizontal_sigma_m"
                " and vertical_sigma_m in [camera.vehicle]"
            )
        return ""

    def _all_missing(self, missing: Sequence[tuple[str, _AnyAround]], t_s: float) -> str:
        """The first in full, the others in short: an observation has room for 200 letters."""
        (what, around), *others = missing
        reason = self._missing(what, around, t_s)
        if others:
            reason += "; nor " + ", ".join(f"{name} ({_age(one, t_s)})" for name, one in others)
        return reason

    def _missing(self, what: str, around: _AnyAround, t_s: float) -> str:
        who, limit_s = self.camera.vehicle[0], self.camera.max_age_s
        if around.newest is None:
            return f"no {what} of vehicle {who} was heard"
        start = f"no {what} of vehicle {who} within {limit_s:g} s of the frame: "
        age_s = t_s - around.newest.t_monotonic_s
        if age_s > 0:
            return start + f"the newest is {age_s:.1f} s old"
        if around.before is None:
            assert around.after is not None
            return start + f"the oldest came {around.after.t_monotonic_s - t_s:.1f} s after it"
        return start + f"the last before it is {t_s - around.before.t_monotonic_s:.1f} s old"

    def _point(self, sample: PositionSample) -> GeodeticPoint:
        alt_m = self._alt_hae_m(sample)
        return GeodeticPoint(lon_deg=sample.lon_deg, lat_deg=sample.lat_deg, alt_hae_m=alt_m)

    def _alt_hae_m(self, sample: PositionSample) -> float:
        """Height above the ellipsoid; nan where the geoid's grid does not reach."""
        if sample.alt_hae_m is not None:
            return sample.alt_hae_m
        if sample.alt_msl_m is None or self._geoid_undulation_m is None:
            raise ValueError("alt_hae_m is None; allowed is a height; ask `_unusable` first")
        return sample.alt_msl_m + self._geoid_undulation_m(sample.lon_deg, sample.lat_deg)

    def _covariance(self, sample: PositionSample) -> Array:
        if sample.cov_enu_m2 is not None:
            return np.asarray(sample.cov_enu_m2, np.float64)
        level, up = self.camera.horizontal_sigma_m, self.camera.vertical_sigma_m
        if level is None or up is None:
            raise ValueError("cov_enu_m2 is None; allowed is (3, 3); ask `_unusable` first")
        return np.diag([level**2, level**2, up**2])

    def _heading_sigma_deg(self, attitude: AttitudeSample | None) -> float:
        stated = self.camera.heading_sigma_deg
        told = None if attitude is None else attitude.heading_sigma_deg
        return next(one for one in (stated, told, UNTOLD_HEADING_SIGMA_DEG) if one is not None)

    # --- the chain --------------------------------------------------------------------------------
    def _compose(
        self,
        place: Course,
        body: Stance | None,
        head: Stance | None,
        frame: GimbalFrame | None,
        heading_sigma_deg: float,
        time_sigma_s: float,
    ) -> Pose | NoPose:
        camera = self.camera
        heading_rad2 = math.radians(heading_sigma_deg) ** 2
        carrier, rate = np.eye(3), np.zeros(3)
        turn = np.diag(
            [0.0, 0.0, heading_rad2]
        )  # A gimbal that knows north knows it from the body.
        lever, lever_cov = np.zeros(3), np.zeros((3, 3))
        velocity = place.velocity_enu_m_s
        if body is not None:
            heading = _heading(body)
            if heading is None:
                return NoPose(reason=f"vehicle {camera.vehicle[0]} points straight up or down")
            heading_deg, heading_rate_rad_s = heading
            guess = body.guess_variance_rad2
            body_cov = np.eye(3) * guess + turn_covariance_rad2(
                heading_deg,
                body.rotation[:, 0],
                azimuth_sigma_deg=heading_sigma_deg,
                pitch_sigma_deg=camera.roll_pitch_sigma_deg,
                roll_sigma_deg=camera.roll_pitch_sigma_deg,
            )
            lever = body.rotation @ self._lever_m
            velocity = velocity + cross_matrix(body.rate_rad_s) @ lever
            lever_cov = cross_matrix(lever) @ body_cov @ cross_matrix(lever).T
            if camera.on == "body" or frame == "body":
                carrier, rate, turn = body.rotation, body.rate_rad_s, body_cov
            elif frame == "level":
                carrier = _level_axes(heading_deg)
                rate = np.array([0.0, 0.0, -heading_rate_rad_s])
                turn[2, 2] += guess
        if camera.on == "gimbal" and head is not None:
            rate = rate + carrier @ head.rate_rad_s
            carrier = carrier @ head.rotation
            turn = turn + np.eye(3) * head.guess_variance_rad2
        return Pose(
            position=EnuFrame(place.point).point_to_geodetic(lever) if lever.any() else place.point,
            rotation_enu_from_camera=carrier @ self._mount,
            cov_position_enu_m2=place.cov_enu_m2 + lever_cov,
            cov_turn_rad2=turn + np.eye(3) * math.radians(camera.gimbal_sigma_deg) ** 2,
            velocity_enu_m_s=velocity,
            rate_enu_rad_s=rate,
            time_sigma_s=time_sigma_s,
            moving=True,
        )


def _heading(body: Stance) -> tuple[float, float] | None:
    """Heading in degrees, clockwise from north, and its rate in rad/s; None for an upright nose."""
    nose = body.rotation[:, 0]
    level2 = float(nose[0] ** 2 + nose[1] ** 2)
    if level2 < _UPRIGHT**2:
        return None
    turning = cross_matrix(body.rate_rad_s) @ nose
    rate_rad_s = float(turning[0] * nose[1] - turning[1] * nose[0]) / level2
    return math.degrees(math.atan2(nose[0], nose[1])), rate_rad_s


def _level_axes(heading_deg: float) -> Array:
    """(3, 3) ENU from axes x level along the heading, y level to the right, z down."""
    heading = math.radians(heading_deg)
    sine, cosine = math.sin(heading), math.cos(heading)
    return np.array([[sine, cosine, 0.0], [cosine, -sine, 0.0], [0.0, 0.0, -1.0]])


def _frame(gimbals: Around[GimbalSample]) -> GimbalFrame | None:
    return None if gimbals.before is None else gimbals.before.frame


def _age(around: _AnyAround, t_s: float) -> str:
    if around.newest is None:
        return "never heard"
    nearest = around.before or around.after or around.newest
    return f"{abs(t_s - nearest.t_monotonic_s):.1f} s off"


def _sound(sample: VehicleSample) -> bool:
    """Whether every number of a sample can be computed with."""
    numbers: list[float] = [sample.t_monotonic_s]
    if isinstance(sample, PositionSample):
        numbers += [sample.lon_deg, sample.lat_deg, *(sample.velocity_enu_m_s or ())]
        numbers += [alt for alt in (sample.alt_hae_m, sample.alt_msl_m) if alt is not None]
        if not (abs(sample.lon_deg) <= 180.0 and abs(sample.lat_deg) <= 90.0):
            return False
        if sample.cov_enu_m2 is not None and not np.isfinite(sample.cov_enu_m2).all():
            return False
    else:
        turn = (
            sample.quaternion_enu_from_body
            if isinstance(sample, AttitudeSample)
            else sample.quaternion_frame_from_gimbal
        )
        if not abs(math.hypot(*turn) - 1.0) < _NOT_UNIT:
            return False
        if isinstance(sample, AttitudeSample):
            numbers += sample.rate_body_rad_s or ()
    return all(math.isfinite(number) for number in numbers)
