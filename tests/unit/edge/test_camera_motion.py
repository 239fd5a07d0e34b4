"""Tracks go with the ground when the camera moves."""

import cv2
import numpy as np
import pytest

from edge.camera_motion import CameraMotion, PictureMotion, pose_warp
from edge.detect import Detections
from edge.geolocate import GroundLocator
from edge.pose import NoPose, Pose
from edge.track import Tracker, TrackSettings
from edge.warp import Warp
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from geo.terrain import FlatTerrain
from hardware.ports import Frame

LENS = Lens.from_hfov(60.0, 960, 540)
SIZE = (960, 540)
HOME = GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=50.0)
GROUND = FlatTerrain(alt_hae_m=-10.0)
RATE_HZ = 10.0
METRES_PER_TEXEL = 0.1


class Flight:
    """A drone at 60 m, turning and moving over a ground of noise."""

    def __init__(self, *, turn_deg_s=10.0, speed_m_s=5.0, texture=True, contrast=40.0):
        rng = np.random.default_rng(7)
        self.turn_deg_s, self.speed_m_s = turn_deg_s, speed_m_s
        fine = rng.normal(0, 1, (2400, 2400)).astype(np.float32)
        grown = cv2.resize(rng.normal(0, 1, (300, 300)).astype(np.float32), (2400, 2400))
        mixed = cv2.GaussianBlur(fine, (0, 0), 1.5) * 3 + grown
        self.ground = np.clip(120 + contrast * texture * mixed, 0, 255).astype(np.uint8)
        self.noise = rng

    def pose(self, t_s):
        frame = EnuFrame(HOME)
        east, north = self.speed_m_s * t_s, 1.0 * t_s
        return Pose(
            position=frame.point_to_geodetic([east, north, 0.0]),
            rotation_enu_from_camera=rotation_enu_from_camera(
                self.turn_deg_s * t_s, -45.0 + 2.0 * np.sin(t_s), 1.5 * np.sin(2 * t_s)
            ),
            cov_position_enu_m2=np.eye(3) * 0.09,
            cov_turn_rad2=np.eye(3) * np.radians(0.3) ** 2,
            moving=True,
        )

    def at(self, t_s):
        return self.pose(t_s)

    def pixels(self, t_s, points_enu_m):
        """(n, 2) pixels, from the picture's edge, of ground points in the frame at HOME."""
        pose = self.pose(t_s)
        here = EnuFrame(HOME).point_to_enu(pose.position)
        turn = EnuFrame(pose.position).rotation_from(EnuFrame(HOME))
        seen = (np.asarray(points_enu_m) - here) @ turn.T @ pose.rotation_enu_from_camera
        return LENS.project(seen) + 0.5

    def picture(self, t_s):
        """What the camera sees of the ground 60 m below HOME."""
        half = self.ground.shape[0] / 2 * METRES_PER_TEXEL
        corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
        grid = np.array([[0, 20], [20, 20], [20, 80], [-20, 80]], np.float64)
        turn = np.radians(-self.turn_deg_s * t_s)
        there = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        grid = grid @ there.T + [self.speed_m_s * t_s, t_s]
        seen = self.pixels(t_s, np.column_stack((grid, np.full(4, -60.0))))
        texels = (grid - corners[0]) / METRES_PER_TEXEL
        matrix, _ = cv2.findHomography(texels, seen - 0.5)
        grey = cv2.warpPerspective(self.ground, matrix, SIZE, flags=cv2.INTER_LINEAR)
        noisy = grey + self.noise.normal(0, 2.0, grey.shape)
        return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def frame_of(flight, k, image=None):
    return Frame(
        sensor_id="drone",
        seq=k + 1,
        image_bgr=flight.picture(k / RATE_HZ) if image is None else image,
        t_capture_utc=None,
        t_capture_monotonic_s=k / RATE_HZ,
    )


def true_shift(flight, k, pixels):
    """Where the ground under (n, 2) pixels of frame k lies in frame k + 1."""
    pose = flight.pose(k / RATE_HZ)
    frame = EnuFrame(pose.position)
    rays = LENS.rays(pixels - 0.5) @ pose.rotation_enu_from_camera.T
    ground = GROUND.intersect(frame, np.zeros(3), rays)
    return flight.pixels((k + 1) / RATE_HZ, EnuFrame(HOME).to_enu(*frame.to_geodetic(ground).T))


SPOTS = np.array([[200.0, 150], [480, 270], [800, 480], [150, 500], [700, 120]])


def test_the_picture_tells_the_motion_to_a_third_of_a_pixel():
    """Ten degrees and five metres a second: twenty pixels between two frames."""
    flight = Flight()
    motion = PictureMotion()
    assert motion.step(flight.picture(0.0), np.zeros((0, 4))) is None
    errors, sigmas = [], []
    for k in range(12):
        warp = motion.step(flight.picture((k + 1) / RATE_HZ), np.zeros((0, 4)))
        assert warp is not None
        errors.append(warp.points(SPOTS) - true_shift(flight, k, SPOTS))
        sigmas.append(warp.sigma_px)
    assert np.abs(np.linalg.norm(errors, axis=2)).max() < 1.5
    assert np.sqrt(np.mean(np.square(errors))) < 0.35
    assert max(sigmas) < 1.0


def test_poses_tell_the_motion_where_the_picture_is_blank():
    """Over fog there is no corner to hold on to."""
    flight = Flight(texture=False)
    motion = CameraMotion(LENS, flight, GROUND)
    assert motion.step(frame_of(flight, 0), np.zeros((0, 4))) is None
    warp = motion.step(frame_of(flight, 1), np.zeros((0, 4)))
    assert (0, 1, 0) == (motion.by_picture, motion.by_pose, motion.unknown)
    np.testing.assert_allclose(warp.points(SPOTS), true_shift(flight, 0, SPOTS), atol=0.1)
    assert 1.0 < warp.sigma_px < 5.0


def test_without_picture_and_pose_the_doubt_is_wide():
    """The tracker then looks further, and nothing is claimed."""
    flight = Flight(texture=False)

    class Lost:
        def at(self, t_monotonic_s):
            return NoPose(reason=f"no attitude at {t_monotonic_s}")

    motion = CameraMotion(LENS, Lost(), GROUND)
    motion.step(frame_of(flight, 0), np.zeros((0, 4)))
    warp = motion.step(frame_of(flight, 1), np.zeros((0, 4)))
    assert 1 == motion.unknown
    assert 0.02 * SIZE[0] == warp.sigma_px


def test_a_view_above_the_horizon_has_no_warp_by_pose():
    """Nothing of the ground is seen."""
    up = Pose(
        position=HOME,
        rotation_enu_from_camera=rotation_enu_from_camera(0.0, 50.0, 0.0),
        cov_position_enu_m2=np.eye(3),
        cov_turn_rad2=np.eye(3),
    )
    assert pose_warp(LENS, up, up, GROUND, size_px=SIZE) is None


def test_things_that_move_by_themselves_do_not_count():
    """A lorry over half the picture moves; the ground beside it tells that the camera stands."""
    flight = Flight(turn_deg_s=0.0, speed_m_s=0.0)
    still = flight.picture(0.0)
    moved = still.copy()
    moved[60:500, 80:760] = np.roll(still, 8, axis=1)[60:500, 80:760]
    motion = PictureMotion()
    motion.step(still, np.zeros((0, 4)))
    warp = motion.step(moved, np.array([[80.0, 60.0, 760.0, 500.0]]))
    if warp is not None:
        assert np.abs(warp.points(SPOTS) - SPOTS).max() < 0.5
    blind = PictureMotion()
    blind.step(still, np.zeros((0, 4)))
    fooled = blind.step(moved, np.zeros((0, 4)))
    assert fooled is None or np.abs(fooled.points(SPOTS) - SPOTS).max() > 4.0


def test_a_new_picture_size_starts_anew():
    """A camera that changed its stream tells nothing across the change."""
    flight = Flight()
    motion = PictureMotion()
    motion.step(flight.picture(0.0), np.zeros((0, 4)))
    assert motion.step(flight.picture(0.1)[::2, ::2], np.zeros((0, 4))) is None


def test_warps_follow_each_other():
    """`then` is the motion over both."""
    one = Warp(matrix=np.array([[1.0, 0, 5], [0, 1, -3], [0, 0, 1]]), sigma_px=3.0)
    two = Warp(matrix=np.array([[2.0, 0, 0], [0, 2, 0], [1e-4, 0, 1]]), sigma_px=4.0)
    both = one.then(two)
    np.testing.assert_allclose(both.points(SPOTS), two.points(one.points(SPOTS)))
    assert 5.0 == both.sigma_px


def test_the_derivative_of_a_warp_is_its_slope():
    """Against finite differences."""
    warp = Warp(matrix=np.array([[1.01, 0.02, 8], [-0.01, 0.98, 3], [2e-5, -4e-5, 1]]))
    step = 1e-4
    slope = warp.jacobians(SPOTS)
    for axis in range(2):
        moved = SPOTS.copy()
        moved[:, axis] += step
        found = (warp.points(moved) - warp.points(SPOTS)) / step
        np.testing.assert_allclose(slope[:, :, axis], found, atol=1e-5)


def walkers(count, rng):
    """Ground places and speeds of people who walk, near the middle of the flight."""
    place = rng.uniform([-15, 45], [35, 85], (count, 2))
    heading = rng.uniform(0, 2 * np.pi, count)
    return place, 1.4 * np.column_stack((np.cos(heading), np.sin(heading)))


def follow(flight, *, compensated, frames=60, count=12):
    """Ids that true people had, and errors of their ground-relative pixel speeds."""
    rng = np.random.default_rng(3)
    place, speed = walkers(count, rng)
    tracker = Tracker(TrackSettings(), _Ids())
    motion = CameraMotion(LENS, flight, GROUND)
    had = [set() for _ in range(count)]
    speeds = []
    for k in range(frames):
        t_s = k / RATE_HZ
        feet = np.column_stack((place + speed * t_s, np.full(count, -60.0)))
        heads = feet + np.array([0, 0, 1.7])
        low, top = flight.pixels(t_s, feet), flight.pixels(t_s, heads)
        high = np.maximum(low[:, 1] - top[:, 1], 6.0)
        seen = (low > 5).all(axis=1) & (low < np.array(SIZE) - 5).all(axis=1)
        seen &= rng.random(count) > 0.1
        box = np.column_stack(
            (low[:, 0] - 0.2 * high, low[:, 1] - high, low[:, 0] + 0.2 * high, low[:, 1])
        )
        box += rng.normal(0, 0.5, box.shape)
        found = Detections(
            boxes_px=box[seen].astype(np.float32),
            confidence=np.full(seen.sum(), 0.8, np.float32),
            class_index=np.zeros(seen.sum(), np.int64),
            frame_size_px=SIZE,
        )
        warp = motion.step(frame_of(flight, k), tracker.boxes_px) if compensated else None
        update = tracker.update(found, t_s, warp=warp)
        for track in update.tracks:
            off = np.hypot(*(low - track.foot_px).T)
            who = int(np.nanargmin(off))
            if track.seen and off[who] < 4.0:
                had[who].add(track.track_id)
                if track.hits > 20:
                    ahead = feet[who] + [*speed[who], 0.0]
                    truth = flight.pixels(t_s, [ahead])[0] - low[who]
                    speeds.append(track.velocity_px_s - truth)
    return had, np.array(speeds)


class _Ids:
    def __init__(self):
        self.count = 0

    def new(self):
        self.count += 1
        return f"T{self.count:03d}"


def test_people_keep_their_ids_under_a_turning_drone():
    """Small people, ten degrees a second: with the ground as witness one id each; without, many."""
    with_it, speeds = follow(Flight(), compensated=True)
    without, _ = follow(Flight(), compensated=False)
    seen = [ids for ids in with_it if ids]
    switches = sum(len(ids) - 1 for ids in seen)
    found = sum(bool(ids) for ids in without)
    rms_px_s = float(np.sqrt(np.mean(speeds**2)))
    print(
        f"\nturning drone, 12 people: {len(seen)} followed with {switches} changes of id, speed "
        f"over ground within {rms_px_s:.1f} px/s; uncompensated {found} followed"
    )
    assert len(seen) >= 6
    assert switches <= 1
    assert found < len(seen) / 2
    assert rms_px_s < 6.0


def test_the_speed_over_ground_under_a_turning_drone_is_the_walkers_own():
    """What the drone flies and turns is in no target's velocity."""
    flight, rng = Flight(), np.random.default_rng(5)
    tracker = Tracker(TrackSettings(), _Ids())
    motion = CameraMotion(LENS, flight, GROUND)
    locator = GroundLocator(LENS, flight, GROUND, terrain_sigma_m=0.3)
    place, speed = np.array([8.0, 58.0]), np.array([1.2, -0.7])
    found = []
    for k in range(40):
        t_s = k / RATE_HZ
        foot = np.array([*(place + speed * t_s), -60.0])
        low, top = flight.pixels(t_s, foot + np.array([[0, 0, 0], [0, 0, 1.7]]))
        high = low[1] - top[1]
        box = np.array([[low[0] - 0.2 * high, top[1], low[0] + 0.2 * high, low[1]]])
        box += rng.normal(0, 0.3, box.shape)
        seen = Detections(
            boxes_px=box.astype(np.float32),
            confidence=np.full(1, 0.8, np.float32),
            class_index=np.zeros(1, np.int64),
            frame_size_px=SIZE,
        )
        warp = motion.step(frame_of(flight, k), tracker.boxes_px)
        tracks = tracker.update(seen, t_s, warp=warp).tracks
        if k > 20:
            (there,) = locator.locate_tracks(tracks, t_s)
            found.append([there.velocity.east_m_s, there.velocity.north_m_s])
    off_m_s = np.hypot(*(np.mean(found, axis=0) - speed))
    assert off_m_s < 0.3, f"{off_m_s:.2f} m/s off; the drone itself flies 5 m/s"


def test_a_track_carried_by_a_warp_grows_with_the_view():
    """A camera that comes closer makes people larger and their doubt with them."""
    tracker = Tracker(TrackSettings(), _Ids())

    def seen(scale):
        box = np.array([[400, 200, 440, 300]], np.float32) * scale
        return Detections(
            boxes_px=box,
            confidence=np.full(1, 0.9, np.float32),
            class_index=np.zeros(1, np.int64),
            frame_size_px=SIZE,
        )

    for k in range(5):
        tracker.update(seen(1.0), k / RATE_HZ)
    zoom = Warp(matrix=np.diag([1.2, 1.2, 1.0]))
    track = tracker.update(seen(1.2), 0.5, warp=zoom).tracks[0]
    assert "T001" == track.track_id
    assert track.box_px == pytest.approx((480, 240, 528, 360), abs=1.0)
    assert np.hypot(*track.velocity_px_s) < 2.0


def changes_of_id(film, table, *, shaken, compensated, frames=150):
    """Changes of id per true person on a real film, seen through a window that may move."""
    width, height = 480, 400
    tracker, motion = Tracker(TrackSettings(), _Ids()), PictureMotion()
    latest, changes, seen = {}, 0, set()
    for k in range(frames):
        picture = film[k]
        left = 144 + (round(120 * np.sin(0.25 * 2 * np.pi * k / 7.0)) if shaken else 0)
        top = 88 + (round(60 * np.sin(0.4 * 2 * np.pi * k / 7.0)) if shaken else 0)
        rows = table[table[:, 0] == k + 1]
        box = np.column_stack((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6])) - [left, top, left, top]
        inside = (box[:, :2] > 0).all(axis=1) & (box[:, 2:] < [width, height]).all(axis=1)
        box, who = box[inside], rows[inside, 1].astype(int)
        # Whoever left the window may come back under another id.
        latest = {person: name for person, name in latest.items() if person in who}
        found = Detections(
            boxes_px=box.astype(np.float32),
            confidence=np.full(len(box), 0.8, np.float32),
            class_index=np.zeros(len(box), np.int64),
            frame_size_px=(width, height),
        )
        warp = None
        if compensated:
            part = np.ascontiguousarray(picture[top : top + height, left : left + width])
            warp = motion.step(part, tracker.boxes_px)
        update = tracker.update(found, k / 7.0, warp=warp)
        for track in update.tracks:
            if not track.seen or len(box) == 0:
                continue
            off = np.abs(box - np.array(track.box_px)).max(axis=1)
            if off.min() > 12.0:
                continue
            person = who[off.argmin()]
            changes += latest.get(person, track.track_id) != track.track_id
            latest[person] = track.track_id
            seen.add(person)
    return changes, len(seen)


@pytest.mark.data
def test_a_shaken_real_film_keeps_its_people(data_dir):
    """Real people through a window that moves by twenty pixels a frame, against one that stands."""
    source = cv2.VideoCapture(str(data_dir / "films" / "vtest.avi"))
    film = [source.read()[1] for _ in range(150)]
    table = np.loadtxt(data_dir / "films" / "PETS09-S2L1" / "gt" / "gt.txt", delimiter=",")
    standing, people = changes_of_id(film, table, shaken=False, compensated=False)
    steadied, followed = changes_of_id(film, table, shaken=True, compensated=True)
    shaken, _ = changes_of_id(film, table, shaken=True, compensated=False)
    print(
        f"\nreal film, window standing: {standing} changes of id among {people} people; "
        f"moving, compensated: {steadied} among {followed}; uncompensated: {shaken}"
    )
    assert steadied <= standing + 1
    assert shaken > 2 * steadied + 3
