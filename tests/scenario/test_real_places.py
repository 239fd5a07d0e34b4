"""Places of real people and of a real aircraft's own frame centres, by the road of a node."""

import cv2
import numpy as np
import pytest

from edge.contact import contact_points
from edge.detect import OBJECT_CLASSES
from edge.geolocate import GroundLocator, LocateSettings
from edge.onnx import OnnxDetector
from edge.overlap import pairwise_iou
from edge.pose import Pose
from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens
from geo.terrain import FlatTerrain
from hardware.klv_stream import KlvReader
from models.registry import Registry
from tests.scenario import vtest
from tests.scenario.drawn_errors import Held

FRAME = EnuFrame(vtest.ORIGIN)
FITTED_TO_FRAME = 100
EVERY = 12


def pets_locator(camera):
    return GroundLocator(
        camera.lens,
        camera.pose,
        FlatTerrain(alt_hae_m=vtest.ORIGIN.alt_hae_m),
        terrain_sigma_m=0.02,
        lens_sigma_px=camera.lens_sigma_px,
    )


def errors_m(camera, feet_px, true_m):
    """(n,) metres between places and truth."""
    cov = np.tile(np.eye(2), (len(feet_px), 1, 1))
    found = pets_locator(camera).locate(camera.pose.at(0.0), feet_px, cov)
    lonlat = np.array([[one.position.lon_deg, one.position.lat_deg] for one in found])
    enu = FRAME.to_enu(lonlat[:, 0], lonlat[:, 1], vtest.ORIGIN.alt_hae_m)
    return np.hypot(*(enu[:, :2] - true_m).T)


@pytest.mark.data
def test_feet_of_true_boxes_are_placed_to_centimetres(data_dir, capsys):
    """PETS, fitted on frames 1..100: median <= 0.05 m, p90 <= 0.2 m on frames 101..795."""
    table = vtest.truth_table(data_dir)
    camera = vtest.fitted_camera(table, FITTED_TO_FRAME)
    rows = table[table[:, 0] > FITTED_TO_FRAME]
    feet = np.column_stack((rows[:, 2] + rows[:, 4] / 2, rows[:, 3] + rows[:, 5])) - 0.5
    off_m = errors_m(camera, feet, rows[:, 7:9])
    median, p90 = np.percentile(off_m, [50, 90])
    with capsys.disabled():
        print(f"\nPETS, {len(rows)} true boxes: median {median:.3f} m, p90 {p90:.3f} m")
    assert median <= 0.05
    assert p90 <= 0.2


@pytest.mark.data
@pytest.mark.slow
def test_places_by_the_networks_own_boxes_are_told(data_dir, capsys):
    """PETS, boxes of the shipped network on unseen frames; its figures are told without a limit."""
    table = vtest.truth_table(data_dir)
    camera = vtest.fitted_camera(table, FITTED_TO_FRAME)
    detector = OnnxDetector(Registry.load().get("day"), min_confidence=0.35, threads=1)
    film = cv2.VideoCapture(str(data_dir / "films" / "vtest.avi"))
    boxes, names, true_m = [], [], []
    for number in range(1, vtest.FRAMES + 1):
        good, image = film.read()
        assert good
        if number <= FITTED_TO_FRAME or number % EVERY:
            continue
        found = detector.detect(image)
        rows = table[table[:, 0] == number]
        truth = np.column_stack((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]))
        share = pairwise_iou(truth, found.boxes_px)
        for row in range(len(rows)):
            if share.shape[1] and share[row].max() >= 0.5:
                column = int(share[row].argmax())
                boxes.append(found.boxes_px[column].astype(np.float64))
                names.append(OBJECT_CLASSES[int(found.class_index[column])])
                true_m.append(rows[row, 7:9])
    film.release()
    box = np.array(boxes) - 0.5
    rotation = camera.pose.at(0.0).rotation_enu_from_camera
    contact, _ = contact_points(camera.lens, rotation, box, names)
    lower = np.column_stack(((box[:, 0] + box[:, 2]) / 2, box[:, 3]))
    lines = []
    for what, feet in (("foot of the box", lower), ("contact point", contact)):
        off_m = errors_m(camera, feet, np.array(true_m))
        median, p90 = np.percentile(off_m, [50, 90])
        lines.append(f"{what}: median {median:.3f} m, p90 {p90:.3f} m")
    with capsys.disabled():
        print(f"\nPETS, {len(boxes)} boxes of the network: " + "; ".join(lines))
    assert len(boxes) > 100


@pytest.mark.data
def test_the_middle_of_the_picture_is_where_the_aircraft_said(data_dir, capsys):
    """A real flight's attitude and gimbal through lens, pose and ground: median <= 10 m at 2..3 km."""
    reader = KlvReader()
    packets = reader.feed((data_dir / "klv-st0601" / "Cheyenne.bin").read_bytes())
    reader.finish()
    off_m, range_m, held = [], [], []
    for read in packets:
        rotation = read.rotation_enu_from_camera()
        assert rotation is not None
        # Both heights are above the sea; over 3 km the geoid is one constant.
        home = GeodeticPoint(lon_deg=read.lon_deg, lat_deg=read.lat_deg, alt_hae_m=read.alt_msl_m)
        pose = Pose(
            position=home,
            rotation_enu_from_camera=rotation,
            cov_position_enu_m2=np.diag([4.0, 4.0, 4.0]),
            cov_turn_rad2=np.eye(3) * np.radians(0.25) ** 2,
            moving=True,
        )
        lens = Lens.from_hfov(read.hfov_deg, 1280, 720)
        place = GroundLocator(
            lens,
            Held(pose),
            FlatTerrain(alt_hae_m=read.frame_alt_msl_m),
            terrain_sigma_m=2.0,
            settings=LocateSettings(max_range_m=10_000.0),
        )
        (said,) = place.locate(pose, np.array([[639.5, 359.5]]), np.eye(2)[None])
        frame = EnuFrame(home)
        back = frame.to_enu(said.position.lon_deg, said.position.lat_deg, read.frame_alt_msl_m)[0]
        true = frame.to_enu(read.frame_lon_deg, read.frame_lat_deg, read.frame_alt_msl_m)[0]
        error = (back - true)[:2]
        off_m.append(np.hypot(*error))
        range_m.append(np.linalg.norm(true))
        held.append(error @ np.linalg.solve(np.array(said.position.cov_enu_m2), error) <= 4.605)
    median, p90 = np.percentile(off_m, [50, 90])
    with capsys.disabled():
        print(
            f"\nframe centres of {len(off_m)} packets at {min(range_m):,.0f}..{max(range_m):,.0f} m: "
            f"median {median:.1f} m, p90 {p90:.1f} m; "
            f"with 0.25 degrees of attitude the 90 % ellipse holds {np.mean(held):.0%}"
        )
    assert median <= 10.0
    assert 2000.0 < min(range_m)
