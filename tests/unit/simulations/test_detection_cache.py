"""A film is drawn and looked at once; then what was seen is read."""

import hashlib

import numpy as np
import pytest
import structlog

from edge.detect import Detections
from simulations import reel
from simulations.detection_cache import DetectionCache, Seen
from simulations.film import Film
from simulations.footage import Footage
from simulations.world import World
from tests.unit.simulations.runner_kit import PERSON, camera, field


class Network:
    """Boxes the brightest pixel and counts how often it is asked."""

    name = "brightest"
    sha256 = "2" * 64

    def __init__(self):
        self.asked = 0

    def detect(self, image_bgr):
        self.asked += 1
        y, x = np.unravel_index(int(image_bgr.sum(axis=2).argmax()), image_bgr.shape[:2])
        return Detections(
            boxes_px=np.array([[x, y, x + 1, y + 1]], np.float32),
            confidence=np.array([0.5], np.float32),
            class_index=np.array([PERSON], np.int64),
            frame_size_px=(image_bgr.shape[1], image_bgr.shape[0]),
        )

    def close(self):
        """Nothing is held."""


@pytest.fixture
def network():
    return Network()


def look(folder, network, world, *, duration_s):
    """(what was seen, how many steps of work it took)."""
    cache = DetectionCache(folder, open_network=lambda _: network)
    *steps, seen = cache.look(world, world.scenario.camera[0], duration_s=duration_s)
    assert isinstance(seen, Seen)
    return seen, len(steps)


def boxes(seen):
    return np.concatenate([one.boxes_px for one in seen.reel.detections])


def test_a_film_is_looked_at_once(tmp_path, network):
    """The second time nothing is drawn, nothing is asked, and the answer is the same."""
    world = World(field())
    first, work = look(tmp_path, network, world, duration_s=2.0)
    assert (10, 10, 10) == (work, first.drawn, network.asked)
    second, work = look(tmp_path, network, world, duration_s=2.0)
    assert (0, 0, 10) == (work, second.drawn, network.asked)
    assert np.array_equal(boxes(first), boxes(second))
    assert first.reel.film_sha256(10) == second.reel.film_sha256(10)


def test_a_longer_film_goes_on_where_the_kept_one_ends(tmp_path, network):
    """Only what is new is drawn; the hash of the shorter film stays."""
    world = World(field())
    short, _ = look(tmp_path, network, world, duration_s=1.0)
    long, work = look(tmp_path, network, world, duration_s=2.0)
    assert 5 == work
    assert short.reel.film_sha256(5) == long.reel.film_sha256(5) != long.reel.film_sha256(10)


def test_the_hash_is_that_of_the_real_frames(tmp_path, network):
    """It can be checked against a film that is drawn anew."""
    world = World(field())
    seen, _ = look(tmp_path, network, world, duration_s=1.0)
    film = Footage(Film(World(field()), world.scenario.camera[0]))
    hashes = [hashlib.sha256(film.jpeg(k / 5.0, k)).digest() for k in range(5)]
    assert hashlib.sha256(b"".join(hashes)).hexdigest() == seen.reel.film_sha256(5)


def test_another_film_is_another_reel(tmp_path, network):
    """A new seed is looked at for itself."""
    look(tmp_path, network, World(field()), duration_s=1.0)
    _, work = look(tmp_path, network, World(field(seed=8)), duration_s=1.0)
    assert 5 == work


@pytest.mark.parametrize("damage", [b"", b"PK no zip", "half"])
def test_a_damaged_reel_is_computed_anew_and_told(tmp_path, network, damage):
    """A power cut costs time, never a wrong answer."""
    world = World(field())
    first, _ = look(tmp_path, network, world, duration_s=1.0)
    (file,) = tmp_path.rglob("*.npz")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage == "half" else damage)
    with structlog.testing.capture_logs() as said:
        again, work = look(tmp_path, network, world, duration_s=1.0)
    assert 5 == work
    assert np.array_equal(boxes(first), boxes(again))
    assert ["cache_damaged"] == [line["event"] for line in said]


def test_no_half_written_file_is_left(tmp_path, network):
    """A reel is put in its place in one step."""
    look(tmp_path, network, World(field()), duration_s=1.0)
    assert [".npz"] == [one.suffix for one in tmp_path.rglob("*") if one.is_file()]


def test_frames_that_never_came_are_not_drawn(tmp_path, network):
    """While a camera is offline or stands still the network has nothing to look at."""
    faults = [{"kind": "offline", "at_s": 0.4, "lasts_s": 0.4}]
    world = World(field(camera=[camera(fault=faults)]))
    seen, _ = look(tmp_path, network, world, duration_s=1.0)
    assert 3 == network.asked
    assert [1, 1, 0, 0, 1] == [len(one) for one in seen.reel.detections]


def test_a_reel_of_another_size_is_not_believed(tmp_path):
    """Boxes in pixels belong to one picture."""
    kept = reel.Reel((320, 180))
    kept.add(Detections.none((320, 180)), b"jpeg")
    reel.save(kept, tmp_path / "r.npz")
    assert 1 == len(reel.load(tmp_path / "r.npz", (320, 180)))
    assert 0 == len(reel.load(tmp_path / "r.npz", (640, 360)))
