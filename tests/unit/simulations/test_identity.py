"""A film's name changes exactly when its pictures may."""

import hashlib

import numpy as np
import pytest

from simulations import identity
from simulations.film import Film
from simulations.footage import Footage
from simulations.identity import film_identity, scenario_sha256, source_sha256
from simulations.world import World
from tests.unit.simulations.runner_kit import camera, field, walker


def film_bytes(scenario):
    """Hash of a few frames, drawn."""
    film = Footage(Film(World(scenario), scenario.camera[0]))
    return hashlib.sha256(b"".join(film.jpeg(k / 5.0, k) for k in (40, 60, 80))).hexdigest()


def name_of(scenario):
    return film_identity(scenario, scenario.camera[0])


SMALL = {"width_px": 320, "height_px": 180}


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"actor": [walker(speed_m_s=1.4)]},
        {"actor": [walker(), walker(id="second", start_s=3.0)]},
        {"camera": [camera(noise_sigma=4.0)]},
        {"camera": [camera(azimuth_deg=349.0)]},
        {"camera": [camera(spectrum="thermal")]},
        {"camera": [camera(fault=[{"kind": "black", "at_s": 7.0, "lasts_s": 20.0}])]},
        {"light": {"sun_azimuth_deg": 100.0, "sun_elevation_deg": 20.0}},
    ],
)
def test_whatever_changes_the_pictures_changes_the_name(change):
    """Frames are drawn for both: they differ, and so do the names."""
    before, after = field(), field(**change)
    assert film_bytes(before) != film_bytes(after)
    assert name_of(before) != name_of(after)


def test_a_picket_where_another_camera_stands_is_in_the_picture():
    """The other camera's place is part of the film's name, its own lens is not."""
    place = {"id": "cam-2", "along_m": 423.0, "across_m": 95.0, "azimuth_deg": 100.0}
    before = field(camera=[camera(), camera(**place)])
    moved = field(camera=[camera(), camera(**place | {"along_m": 421.0})])
    turned = field(camera=[camera(), camera(**place | {"azimuth_deg": 90.0})])
    assert name_of(before) != name_of(moved)
    assert name_of(before) == name_of(turned)


def test_hills_follow_from_the_name_of_the_place():
    """Another name is other ground, so it is another film."""
    ground = {"kind": "hills"}
    before, after = field(ground=ground), field(ground=ground, name="other-hills")
    heights = [World(one).landscape.height_m(np.array([[60.0, 80.0]])) for one in (before, after)]
    assert heights[0] != heights[1]
    assert name_of(before) != name_of(after)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other-name", "title": "Another", "story": "told anew"},
        {"duration_s": 20.0},
        {"line_sigma_m": 3.0},
        {"needs": ["missions"]},
        {"node": [{"id": "node-1", "clock_error_s": 5.0}]},
        {"camera": [camera(azimuth_error_deg=2.0)]},
    ],
)
def test_what_no_picture_shows_keeps_the_name(change):
    """A change of zones, needs, links or what the node is told draws nothing anew."""
    before, after = field(), field(**change)
    assert film_bytes(before) == film_bytes(after)
    assert name_of(before) == name_of(after)


def test_every_word_of_a_scenario_counts_for_its_own_hash():
    """The record of a run belongs to one text of the scenario; the seed stands beside it."""
    assert scenario_sha256(field()) != scenario_sha256(field(line_sigma_m=3.0))
    assert scenario_sha256(field()) == scenario_sha256(field(seed=99))


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Writes modules; returns the hash of `ours.first` with all that it imports of ours."""
    monkeypatch.setattr(identity, "_ROOT", tmp_path)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "__init__.py").write_text("")

    def write(first, second):
        (tmp_path / "ours" / "first.py").write_text(first)
        (tmp_path / "ours" / "second.py").write_text(second)
        source_sha256.cache_clear()
        found = source_sha256("ours.first", ("ours",))
        source_sha256.cache_clear()
        return found

    return write


def test_comments_and_docstrings_are_no_change_of_the_program(program):
    """Only what the program does counts, also in modules that are imported."""
    one = program("from ours.second import f\n", "def f():\n    return 1\n")
    assert one == program(
        "# why\nfrom ours.second import f\n", 'def f():\n    """One."""\n    return 1\n'
    )
    assert one != program("from ours.second import f\n", "def f():\n    return 2\n")


def test_an_import_in_a_function_counts_too(program):
    """Late imports draw pictures as well."""
    late = "def f():\n    from ours import second\n    return second.x\n"
    assert program(late, "x = 1\n") != program(late, "x = 2\n")
