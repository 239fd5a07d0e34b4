"""How far places are off, and whether what is said of their accuracy is true: drawn errors."""

import pytest

from tests.scenario.drawn_errors import LEVEL, Case, draw, hills

BANDS_DEG = ((5.0, 10.0), (10.0, 20.0), (20.0, 90.0))
HILLS = {
    "hills of 25 m": hills(25.0, 560.0),
    "rough ground of 8 m": hills(8.0, 310.0),
    "mountains of 60 m": hills(60.0, 1850.0),
}


def test_at_60_m_and_45_degrees_places_are_within_a_metre(capsys):
    """10,000 truths: median <= 1 m, 95 % <= 3 m, the 90 % ellipse holds 88..92 %."""
    drawn = draw(LEVEL, Case(pitch_deg=-45.0), 10_000, seed=11)
    with capsys.disabled():
        print(f"\n60 m, 45 degrees, stated noise: {drawn}")
    error_m = sorted(drawn.error_m)
    assert drawn.placed.all()
    assert error_m[5_000] <= 1.0
    assert error_m[9_500] <= 3.0
    assert 0.88 <= drawn.held.mean() <= 0.92


def test_on_hills_at_60_m_and_45_degrees_too(capsys):
    """The same numbers hold where the ground is no plane, on its own slopes."""
    drawn = draw(HILLS["hills of 25 m"], Case(pitch_deg=-45.0), 10_000, seed=12)
    with capsys.disabled():
        print(f"\n60 m, 45 degrees, hills of 25 m: {drawn}")
    error_m = sorted(drawn.error_m)
    assert drawn.placed.all()
    assert error_m[5_000] <= 1.0
    assert error_m[9_500] <= 3.0
    assert 0.88 <= drawn.held.mean() <= 0.92


@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("stated noise", {}),
        ("ground known to 3 m only", {"terrain_sigma_m": 3.0}),
        ("capture known to 0.2 s only", {"time_sigma_s": 0.2}),
        (
            "both, attitude to 1 degree",
            {"terrain_sigma_m": 3.0, "time_sigma_s": 0.2, "tilt_sigma_deg": 1.0},
        ),
        ("mast of 6 m", {"height_m": 6.0, "speed_m_s": 0.0, "rate_deg_s": 0.0}),
        ("20 m up, ground to 3 m", {"height_m": 20.0, "terrain_sigma_m": 3.0}),
    ],
)
@pytest.mark.parametrize("ground", ["level", *HILLS])
def test_every_steep_ray_gets_a_place_and_its_ellipse_is_honest(ground, name, case, capsys):
    """5..10, 10..20 and over 20 degrees: all placed, and the 90 % ellipse holds 85..95 %."""
    terrain = LEVEL if ground == "level" else HILLS[ground]
    for low_deg, high_deg in BANDS_DEG:
        pitch_deg = -min(0.5 * (low_deg + high_deg), 35.0)
        drawn = draw(terrain, Case(pitch_deg=pitch_deg, **case), 4_000, seed=13)
        band = drawn.band(low_deg, high_deg)
        with capsys.disabled():
            print(f"\n{ground}, {name}, {low_deg:g}..{high_deg:g} degrees: {band}", end="")
        assert len(band.placed) > 300
        assert band.placed.all()
        assert 0.85 <= band.held.mean() <= 0.95


def test_most_of_a_places_doubt_is_shared_by_all_of_the_frame():
    """Pose, ground and clock err together; two pixels of a foot at f = 1,100 are a tenth of it."""
    drawn = draw(LEVEL, Case(pitch_deg=-45.0), 500, seed=14)
    assert 0.8 < drawn.shared_part.min()
    assert drawn.shared_part.max() < 1.0
