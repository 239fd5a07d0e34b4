"""The shipped networks see people: real ones by day and in thermal, and the drawn ones of the simulator.

Everything is measured through the detector that a node runs, at the confidence it reports from. The
figures are printed; what is asserted is what the networks were accepted for.
"""

import pytest

from edge.onnx import OnnxDetector
from models import evaluate
from models.registry import Registry

DAY_START = {"recall": 0.923, "precision": 0.907}
"""The starting weights on vtest.avi, conf .25, IoU .5, every 10th frame."""

ALLOWED_LOSS = 0.03
THERMAL_AP50_MIN = 0.75
THERMAL_PICTURES = 120
"""A seeded half of HIT-UAV's val pictures; the card has the figure for all of them."""


@pytest.mark.data
@pytest.mark.slow
def test_the_day_network_keeps_what_its_starting_weights_saw(data_dir, capsys):
    """Learning drawn people cost at most .03 of recall and precision on real film."""
    detector = OnnxDetector(
        Registry.load().get("day"), min_confidence=evaluate.CONF_THRESHOLD, threads=2
    )

    found = evaluate.on_film(
        detector,
        data_dir / "films" / "vtest.avi",
        data_dir / "films" / "PETS09-S2L1" / "gt" / "gt.txt",
    )

    with capsys.disabled():
        print(f"\nday network on vtest.avi: {found.as_json()}")
    assert found.recall >= DAY_START["recall"] - ALLOWED_LOSS
    assert found.precision >= DAY_START["precision"] - ALLOWED_LOSS


@pytest.mark.data
@pytest.mark.slow
def test_the_thermal_network_finds_people_from_a_drone(data_dir, capsys):
    """Person AP50 on HIT-UAV's validation pictures."""
    detector = OnnxDetector(Registry.load().get("thermal"), min_confidence=0.001, threads=2)

    figures = evaluate.on_hit_uav(detector, data_dir / "hit-uav", limit=THERMAL_PICTURES)

    with capsys.disabled():
        print(f"\nthermal network on {figures.pictures} of HIT-UAV val: AP50 {figures.ap50:.3f}")
    assert THERMAL_PICTURES == figures.pictures
    assert figures.ap50 >= THERMAL_AP50_MIN


@pytest.mark.parametrize("spectrum", ["day", "thermal"])
@pytest.mark.parametrize("height_px", [72.0, 110.0])
def test_people_drawn_at_the_demonstrations_size_are_seen(spectrum, height_px, capsys):
    """The simulator's lenses put people at 72 px or more at the line."""
    detector = OnnxDetector(
        Registry.load().get(spectrum), min_confidence=evaluate.CONF_THRESHOLD, threads=2
    )

    found = evaluate.on_drawn(detector, spectrum, height_px=height_px, pictures=12)

    with capsys.disabled():
        print(f"\n{spectrum}, drawn people of {height_px:.0f} px: {found.as_json()}")
    assert found.recall >= 0.9
    assert found.precision >= 0.6
