"""vtest.avi as a border: the camera fitted on the truth, the line, the true crossings, the matching.

The film is PETS09-S2L1 frame for frame, 7 frames/s; its truth has boxes and ground positions in
metres. The ground plane is laid at the demonstration site, so that everything runs in WGS84.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import cv2
import numpy as np

from edge.pose import FixedPose
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens

FILM_RATE_HZ = 7.0
FRAMES = 795
SIZE_PX = (768, 576)
LINE_Y_M = -9.1
START_UTC = datetime(2026, 11, 23, 2, 40, 0, tzinfo=timezone.utc)
ORIGIN = GeodeticPoint(lon_deg=104.440722, lat_deg=10.423528, alt_hae_m=-10.0)
WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Somebody passed the line.

    Attributes:
        t_s: seconds of film time.
        direction: 1 towards greater y, -1 towards smaller.
        who: the truth's id, or our track.
    """

    t_s: float
    direction: int
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedCamera:
    """A camera as `border-edge calibrate` would tell it: lens, pose, one sigma of each part."""

    lens: Lens
    position: GeodeticPoint
    azimuth_deg: float
    pitch_deg: float
    roll_deg: float
    horizontal_sigma_m: float = 0.0
    vertical_sigma_m: float = 0.0
    azimuth_sigma_deg: float = 0.0
    pitch_sigma_deg: float = 0.0
    roll_sigma_deg: float = 0.0
    lens_sigma_px: float = 0.0

    @property
    def pose(self) -> FixedPose:
        """The same as a source of poses."""
        return FixedPose(
            self.position,
            azimuth_deg=self.azimuth_deg,
            pitch_deg=self.pitch_deg,
            roll_deg=self.roll_deg,
            horizontal_sigma_m=self.horizontal_sigma_m,
            vertical_sigma_m=self.vertical_sigma_m,
            azimuth_sigma_deg=self.azimuth_sigma_deg,
            pitch_sigma_deg=self.pitch_sigma_deg,
            roll_sigma_deg=self.roll_sigma_deg,
        )


def truth_table(data_dir: Path) -> np.ndarray:
    """gt.txt: frame, id, x, y, width, height, flag, ground x, ground y, ground z."""
    return np.loadtxt(data_dir / "films" / "PETS09-S2L1" / "gt" / "gt.txt", delimiter=",")


def fitted_camera(table: np.ndarray, last_frame: int = 100) -> FittedCamera:
    """A pinhole whose focal length and pose are fitted on the feet of the first frames.

    The accuracies are what the fit leaves unexplained on those same frames.
    """
    rows = table[table[:, 0] <= last_frame]
    ground = np.column_stack((rows[:, 7], rows[:, 8], np.zeros(len(rows))))
    feet = np.column_stack((rows[:, 2] + rows[:, 4] / 2, rows[:, 3] + rows[:, 5])) - 0.5
    centre = ((SIZE_PX[0] - 1) / 2, (SIZE_PX[1] - 1) / 2)
    guess = np.array([[1000.0, 0, centre[0]], [0, 1000.0, centre[1]], [0, 0, 1]])
    rms_px, matrix, _, turn, shift = cv2.calibrateCamera(
        [ground.astype(np.float32)],
        [feet.astype(np.float32)],
        SIZE_PX,
        guess,
        np.zeros(5),
        flags=cv2.CALIB_USE_INTRINSIC_GUESS
        | cv2.CALIB_FIX_PRINCIPAL_POINT
        | cv2.CALIB_FIX_ASPECT_RATIO
        | cv2.CALIB_ZERO_TANGENT_DIST
        | cv2.CALIB_FIX_K1
        | cv2.CALIB_FIX_K2
        | cv2.CALIB_FIX_K3,
    )
    from_world = cv2.Rodrigues(turn[0])[0]
    right, down, forward = from_world
    place = -from_world.T @ shift[0][:, 0]
    pitch = np.arcsin(forward[2])
    azimuth = np.arctan2(forward[0], forward[1])
    level_right = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0])
    level_down = np.cross(forward, level_right)
    roll = np.arctan2(right @ level_down, right @ level_right)
    assert down[2] < 0, "the fit must look at the ground from above"
    lens = Lens(
        fx_px=float(matrix[0, 0]),
        fy_px=float(matrix[1, 1]),
        cx_px=centre[0],
        cy_px=centre[1],
        width_px=SIZE_PX[0],
        height_px=SIZE_PX[1],
    )
    return FittedCamera(
        lens=lens,
        position=EnuFrame(ORIGIN).point_to_geodetic(place),
        azimuth_deg=float(np.degrees(azimuth)) % 360.0,
        pitch_deg=float(np.degrees(pitch)),
        roll_deg=float(np.degrees(roll)),
        lens_sigma_px=float(rms_px),
    )


def true_events(table: np.ndarray) -> list[Event]:
    """Every passage of a true person over the line y = -9.1 m."""
    events = []
    for who in np.unique(table[:, 1]):
        rows = table[table[:, 1] == who]
        rows = rows[np.argsort(rows[:, 0])]
        side = np.sign(rows[:, 8] - LINE_Y_M)
        for k in np.flatnonzero(side[1:] != side[:-1]) + 1:
            # The film's first frame is number 1 and lies at 0 s.
            t_s = (rows[k, 0] - 1) / FILM_RATE_HZ
            events.append(Event(t_s=t_s, direction=int(side[k]), who=str(int(who))))
    return sorted(events, key=lambda event: event.t_s)


def site_geojson(sigma_m: float = 0.1) -> dict:
    """The line y = -9.1 m from west to east; our side is north of it (left)."""
    ends = EnuFrame(ORIGIN).to_geodetic(np.array([[-60.0, LINE_Y_M, 0.0], [60.0, LINE_Y_M, 0.0]]))
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "role": "line",
                    "id": "vtest-line",
                    "our_side": "left",
                    "source": "drawn for a measurement",
                    "date": "2026-11-23",
                    "datum": "WGS84",
                    "segments": [{"accuracy_sigma_m": sigma_m, "status": "demarcated"}],
                },
                "geometry": {
                    "type": "LineString",
                    "coordinates": [[float(p[0]), float(p[1])] for p in ends],
                },
            }
        ],
    }


def film_utc(t_s: float) -> datetime:
    """Instant of a film time."""
    return START_UTC + timedelta(seconds=t_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well events fit the truth, one to one."""

    hits: int
    events: int
    truths: int
    extra: tuple[Event, ...]
    missed: tuple[Event, ...]

    @property
    def precision(self) -> float:
        return self.hits / self.events if self.events else 0.0

    @property
    def recall(self) -> float:
        return self.hits / self.truths

    def __str__(self) -> str:
        return (
            f"{self.truths} true crossings, {self.events} events, {self.hits} matched: "
            f"precision {self.precision:.3f}, recall {self.recall:.3f}"
        )


def score(events: list[Event], truths: list[Event]) -> Score:
    """Most pairs of same direction within two seconds, each event and each truth at most once.

    Source: augmenting paths (Kuhn), which need no threshold on a cost.
    """
    near = [
        [
            j
            for j, truth in enumerate(truths)
            if truth.direction == event.direction and abs(truth.t_s - event.t_s) <= WITHIN_S
        ]
        for event in events
    ]
    owner: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in near[i]:
            if j not in tried:
                tried.add(j)
                if j not in owner or place(owner[j], tried):
                    owner[j] = i
                    return True
        return False

    for i in range(len(events)):
        place(i, set())
    used = set(owner.values())
    return Score(
        hits=len(owner),
        events=len(events),
        truths=len(truths),
        extra=tuple(event for i, event in enumerate(events) if i not in used),
        missed=tuple(truth for j, truth in enumerate(truths) if j not in owner),
    )
