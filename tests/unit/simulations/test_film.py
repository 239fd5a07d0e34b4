"""The film shows the world at true scale, the same to the byte, and its truth boxes fit."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from simulations.bodies.looks import outfit
from simulations.body import build
from simulations.film import Film, encode_jpeg
from simulations.record import record
from simulations.scenario import load_scenario
from simulations.scenario_place import WeatherSettings
from simulations.world import World

DEMO = load_scenario("demo").model


@pytest.fixture(scope="module")
def day():
    return Film(World(DEMO), DEMO.camera[0])


@pytest.fixture(scope="module")
def thermal():
    return Film(World(DEMO), DEMO.camera[1])


def box_of(mask):
    rows, columns = np.nonzero(mask > 0.5)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    both = max(0, width) * max(0, height)
    area = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return both / (sum(area) - both)


def test_same_seed_gives_the_same_bytes(day):
    """Another renderer of the same scenario makes the same JPEG, byte for byte."""
    again = Film(World(DEMO), DEMO.camera[0])
    for index in (0, 190, 240):
        assert day.jpeg(index / 8, index) == again.jpeg(index / 8, index)


def test_frames_do_not_depend_on_those_before(day):
    """A frame drawn after others equals the same frame drawn first."""
    first = day.frame(25.0, 200)
    day.frame(300.0, 2400)
    assert np.array_equal(day.frame(25.0, 200), first)


@pytest.mark.parametrize("camera", [0, 1])
def test_projection_agrees_with_opencv(camera):
    """Every joint lands within 0.1 px of where cv2.projectPoints puts it."""
    film = Film(World(DEMO), DEMO.camera[camera])
    view = film.view
    rotation, _ = cv2.Rodrigues(view.rotation.T)
    shift = -view.rotation.T @ view.position_enu_m
    for t_s in (10.0, 30.0, 85.0, 100.0):
        for figure in film.world.figures(t_s):
            points = build(figure).start_m
            oracle, _ = cv2.projectPoints(
                points, rotation, shift, view.lens.matrix, view.lens.distortion
            )
            ours = view.lens.project(view.to_camera(points))
            assert np.abs(ours - oracle[:, 0, :]).max() <= 0.1


def test_truth_box_fits_the_silhouette(day, thermal):
    """The box from the joints covers the drawn person: intersection over union at least 0.9."""
    checked = 0
    for film, times in ((day, (10.0, 20.0, 30.0, 130.0)), (thermal, (80.0, 95.0, 104.0))):
        for t_s in times:
            for truth in film.truth(t_s):
                x1, y1, x2, y2 = truth.box_px
                if x1 < 1 or y1 < 1 or x2 > 958 or y2 > 538:
                    continue
                assert iou(box_of(film.silhouette(truth.figure)), truth.box_px) >= 0.9
                checked += 1
    assert checked >= 12


def test_people_are_as_tall_as_the_lens_says(day):
    """On the line everybody is at least 72 px tall, so that the network sees them."""
    world = day.world
    for event in world.crossings(0, 1800):
        film = day if event.actor_id in {"walker", "outwards"} else None
        if film is None:
            continue
        (box,) = [b for b in film.truth(event.t_s) if b.figure.figure_id == event.figure_id]
        assert box.box_px[3] - box.box_px[1] >= 72.0
        assert box.visible


def test_group_is_tall_enough_in_thermal(thermal):
    """The same holds at the thermal camera, for each of the three."""
    events = [e for e in thermal.world.crossings(0, 900) if e.actor_id == "group"]
    assert len(events) >= 9
    for event in events:
        (box,) = [b for b in thermal.truth(event.t_s) if b.figure.figure_id == event.figure_id]
        assert box.visible
        assert box.box_px[3] - box.box_px[1] >= 72.0


def test_a_person_changes_the_picture_only_around_themselves():
    """Under a clear and windless sky nothing else moves: with the same noise, the same picture."""
    still = DEMO.model_copy(update={"weather": (WeatherSettings(cloud=0.0, wind_m_s=0.0),)})
    day = Film(World(still), still.camera[0])
    empty, busy = day.frame(0.0, 3), day.frame(30.0, 3)
    boxes = [b.box_px for t in (0.0, 30.0) for b in day.truth(t)]
    outside = np.ones(empty.shape[:2], dtype=bool)
    for x1, y1, x2, y2 in boxes:
        outside[max(0, int(y1) - 20) : int(y2) + 60, max(0, int(x1) - 140) : int(x2) + 140] = False
    assert outside.mean() > 0.3
    assert np.array_equal(empty[outside], busy[outside])
    assert not np.array_equal(empty, busy)


def test_thermal_people_are_warmer_than_the_field(thermal):
    """White-hot: the middle of a person is far brighter than what surrounds them."""
    picture = thermal.frame(95.0, 1).astype(float)
    for truth in thermal.truth(95.0):
        if truth.visible:
            cover = thermal.silhouette(truth.figure) > 0.9
            assert picture[cover].mean() > picture.mean() + 60


def test_shadow_lies_away_from_the_sun(day):
    """With the sun in the south-east the ground is darker to the north-west of the feet."""
    figure = next(f for f in day.world.figures(30.0) if f.actor_id == "walker")
    sun = np.radians(DEMO.light.sun_azimuth_deg)
    feet = np.array(figure.feet_enu_m)

    def brightness(sign):
        spots = [feet + sign * d * np.array([np.sin(sun), np.cos(sun), 0]) for d in (0.9, 1.2, 1.5)]
        pixels = day.view.lens.project(day.view.to_camera(np.array(spots))).round().astype(int)
        now, empty = day.frame(30.0, 1), day.frame(3.0, 1)
        return np.mean([float(now[y, x].sum()) - float(empty[y, x].sum()) for x, y in pixels])

    assert brightness(-1.0) < -20.0
    assert abs(brightness(1.0)) < 20.0


def test_everybody_stands_on_the_ground():
    """At every phase of every gait the lowest point of the body is the ground."""
    for t_s in np.arange(4.0, 40.0, 0.37):
        for figure in World(DEMO).figures(t_s):
            body = build(replace(figure, looks=replace(figure.looks, load="none")))
            lowest = min(
                (body.start_m[:, 2] - body.start_radius_m).min(),
                (body.end_m[:, 2] - body.end_radius_m).min(),
            )
            assert lowest == pytest.approx(0.0, abs=0.02)


def test_clothes_are_of_the_seed():
    """Clothes follow the person's seed, and stay printable colours."""
    looks = [replace(World(DEMO).figures(30.0)[0].looks, seed=seed) for seed in (5, 5, 6)]
    first, again, other = (outfit("walker", look) for look in looks)
    assert first == again
    assert first != other
    assert all(0 <= value <= 255 for value in (*first.shirt[:3], *other.trousers[:3]))


def test_recording_writes_film_and_truth(tmp_path, day):
    """Frames, truth rows and events on disk agree with the world."""
    import json

    world = day.world
    steps = list(record(world, tmp_path, duration_s=2.0, kind="avi"))
    assert {s.camera_id for s in steps} == {"cam-day", "cam-thermal", "uav-1"}
    capture = cv2.VideoCapture(str(tmp_path / "cam-day.avi"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 16
    rows = [r.split(",") for r in (tmp_path / "cam-day.gt.txt").read_text().splitlines()]
    assert {int(r[0]) for r in rows} == set(range(1, 17))
    assert all(len(r) == 13 for r in rows)
    assert {(r[7], r[12]) for r in rows} == {("1", "farmer")}
    assert all(0.0 <= float(r[8]) <= 1.0 for r in rows)
    feet = world.figures(0.0)[0].feet_enu_m
    assert [float(v) for v in rows[0][9:12]] == pytest.approx(feet, abs=1e-3)
    events = json.loads((tmp_path / "events.json").read_text())
    assert events["events_truth"] == []


def test_encoding_nonsense_is_refused():
    """A picture without pixels is an error, not an empty file."""
    with pytest.raises((ValueError, cv2.error)):
        encode_jpeg(np.zeros((0, 0, 3), np.uint8), 80)
