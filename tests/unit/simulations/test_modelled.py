"""Modelled detections err as the model says, at any instant in any order; the fit finds the model again."""

import math
from itertools import pairwise

import numpy as np
import pytest

from edge.detect import OBJECT_CLASSES
from models.registry import Registry
from simulations.error_fit import FilmSample, FrameSample, fit
from simulations.error_model import ErrorModel, SpectrumModel
from simulations.figure_truth import TruthBox
from simulations.modelled import ModelledDetector, probability
from simulations.scenario_node import CameraSettings
from simulations.scenario_place import WeatherSettings
from simulations.smooth_noise import gauss, smooth_gauss, uniform
from simulations.walk import FigureState, Looks

CAMERA = CameraSettings(
    id="c", along_m=0.0, across_m=30.0, height_m=5.0, azimuth_deg=0.0, pitch_deg=-6.0, hfov_deg=28.0,
    width_px=960, height_px=540, fps=5.0,
)  # fmt: skip
CLEAR = WeatherSettings()


def spectrum(**changes):
    recall = {"top": 0.96, "half_px": 45.0, "slope": 5.0, "as_class": {"Human": 1.0}, "samples": 99}
    base = {
        "network": "n", "network_sha256": "0" * 64, "min_confidence": 0.1,
        "recall": dict.fromkeys(("upright", "low", "riding", "boat"), recall)
        | {"animal": recall | {"top": 0.5, "as_class": {"Animal": 0.9, "Human": 0.1}}},
        "miss_lasts_s": 0.6,
        "shake": {"foot": 0.03, "side": 0.02, "height": 0.05, "width": 0.1, "foot_bias": 0.01,
                  "lasts_s": 0.5},
        "confidence": {"at_half": 0.5, "gain": 0.4, "sigma": 0.08},
        "false_boxes": {
            "background": {"episodes_per_h": 30.0, "lasts_s": 3.0, "height_px": 50.0,
                           "confidence": 0.3, "as_class": {"Human": 1.0}, "episodes": 3, "hours": 0.1},
        },
    }  # fmt: skip
    return SpectrumModel.model_validate(base | changes)


def model(**changes):
    one = spectrum(**changes)
    return ErrorModel(fitted_on="a test", day=one, thermal=one)


def truth(name, height_px, x=480.0, foot=400.0, gait="walk", object_class="Human", hidden=0.0):
    looks = Looks(
        seed=1, height_m=1.65, length_m=0.5, hat="none", load="none", dress="any", aboard=1
    )
    figure = FigureState(
        figure_id=name, group_id=name, actor_id=name, kind="walker", object_class=object_class,
        feet_enu_m=(0.0, 0.0, 0.0), azimuth_deg=0.0, speed_m_s=1.0, gait=gait, phase=0.0, looks=looks,
    )  # fmt: skip
    half = 0.2 * height_px
    return TruthBox(
        figure=figure, box_px=(x - half, foot - height_px, x + half, foot), visible=True,
        occluded_fraction=hidden,
    )  # fmt: skip


def test_smooth_noise_is_standard_at_every_phase_between_its_knots():
    """Mean 0 and variance 1 on a knot and half-way, near alike at near instants."""
    keys = np.arange(40_000)
    for t_s in (3.0, 3.25, 3.5):
        values = smooth_gauss(keys, t_s, 1.0)
        assert abs(float(values.mean())) < 0.02
        assert float(values.std()) == pytest.approx(1.0, abs=0.02)
    near, far = smooth_gauss(keys, 3.05, 1.0), smooth_gauss(keys, 9.0, 1.0)
    here = smooth_gauss(keys, 3.0, 1.0)
    assert np.corrcoef(here, near)[0, 1] > 0.98
    assert abs(np.corrcoef(here, far)[0, 1]) < 0.03


def test_knots_and_keys_are_independent():
    """Neither neighbouring keys nor neighbouring knots resemble each other."""
    values = np.array([gauss(np.arange(20_000), knot) for knot in (0, 1, 2)])
    assert np.abs(np.corrcoef(values) - np.eye(3)).max() < 0.03
    assert abs(np.corrcoef(values[0][1:], values[0][:-1])[0, 1]) < 0.03
    assert 0.0 < uniform(np.arange(1000), 7).min() < uniform(np.arange(1000), 7).max() < 1.0


def test_instants_may_be_asked_in_any_order():
    """Two detectors, one backwards in time, say the same."""
    people = [truth("a", 80.0), truth("b", 60.0, x=200.0)]
    times = [k * 0.2 for k in range(50)]
    one = ModelledDetector(model(), CAMERA, 5)
    two = ModelledDetector(model(), CAMERA, 5)
    there = [one.detect(people, t, CLEAR) for t in times]
    back = [two.detect(people, t, CLEAR) for t in reversed(times)][::-1]
    for a, b in zip(there, back, strict=True):
        assert a.boxes_px.tolist() == b.boxes_px.tolist()
        assert a.confidence.tolist() == b.confidence.tolist()


@pytest.mark.parametrize("height_px", [30.0, 45.0, 70.0, 120.0])
def test_people_are_missed_as_often_as_the_curve_says(height_px):
    """Over four hundred people, within three sigma."""
    quiet = model(false_boxes={})
    detector = ModelledDetector(quiet, CAMERA, 1)
    people = [truth(f"p{k}", height_px) for k in range(400)]
    told = [len(detector.detect(people, t, CLEAR)) / 400 for t in (0.0, 7.0, 14.0, 21.0)]
    p = probability(quiet.day.recall["upright"], height_px)
    assert float(np.mean(told)) == pytest.approx(p, abs=3.0 * math.sqrt(p * (1 - p) / 1600) + 0.003)


def test_hidden_people_and_people_outside_are_not_told():
    """Wholly hidden, behind the edge, or a few pixels high: nothing."""
    detector = ModelledDetector(model(false_boxes={}), CAMERA, 1)
    gone = [truth("a", 90.0, hidden=1.0), truth("b", 90.0, x=-300.0), truth("c", 4.0)]
    assert 0 == sum(len(detector.detect(gone, t, CLEAR)) for t in range(100))


def test_false_boxes_come_as_often_as_the_model_says():
    """Thirty episodes an hour over twenty hours, each lasting some seconds."""
    detector = ModelledDetector(model(), CAMERA, 3)
    told = [len(detector.detect([], 0.5 * k, CLEAR)) for k in range(20 * 7200)]
    begun = sum(1 for a, b in pairwise(told) if b > a)
    assert begun / 20.0 == pytest.approx(30.0, rel=0.25)


def test_the_fit_finds_the_model_again(capsys):
    """Films made by a known model give back its recall, its shaking, its false boxes."""
    known = spectrum()
    detector_model = ErrorModel(fitted_on="a test", day=known, thermal=known)
    films = []
    for seed in range(40):
        detector = ModelledDetector(detector_model, CAMERA, seed)
        frames = []
        for k in range(150):
            t_s = 0.2 * k
            people = [
                truth(f"p{n}", 25.0 + 7.0 * n, x=60.0 + 65.0 * n, foot=430.0) for n in range(13)
            ]
            frames.append(
                FrameSample(
                    t_s=t_s, truths=people, detections=detector.detect(people, t_s, CLEAR),
                    weather=CLEAR,
                )
            )  # fmt: skip
        films.append(FilmSample(camera=CAMERA, frames=frames))
    found = fit(films, network="n", network_sha256="0" * 64, min_confidence=0.1)
    for height_px in (30.0, 45.0, 60.0, 100.0):
        assert probability(found.recall["upright"], height_px) == pytest.approx(
            probability(known.recall["upright"], height_px), abs=0.06
        )
    assert found.shake.foot == pytest.approx(known.shake.foot, rel=0.2)
    assert found.shake.foot_bias == pytest.approx(known.shake.foot_bias, abs=0.004)
    assert found.confidence.at_half == pytest.approx(known.confidence.at_half, abs=0.05)
    assert 0.25 <= found.miss_lasts_s <= 1.2
    false = found.false_boxes["background"]
    assert 40 * 30.0 / 3600.0 == pytest.approx(false.hours)
    assert 0.3 * 30.0 <= false.episodes_per_h <= 2.0 * 30.0
    with capsys.disabled():
        print(
            f"\nfit of a known model: foot {found.shake.foot:.4f} (0.03), spells "
            f"{found.miss_lasts_s:.2f} s (0.6), false {false.episodes_per_h:.1f} an hour (30)"
        )


def test_the_few_false_boxes_that_are_sure_stay_sure():
    """One in five is strong enough to begin a track on film; so it is in the model and in its fit."""
    told = {
        "episodes_per_h": 900.0, "lasts_s": 2.0, "height_px": 50.0, "confidence": 0.25,
        "confidences": (0.15, 0.2, 0.25, 0.3, 0.4, 0.8), "as_class": {"Human": 1.0}, "episodes": 9,
        "hours": 0.1,
    }  # fmt: skip
    films, sure = [], []
    for seed in range(30):
        detector = ModelledDetector(model(false_boxes={"background": told}), CAMERA, seed)
        frames = []
        for k in range(150):
            people = [truth("p", 90.0, x=500.0, foot=180.0)] if k < 4 else []
            found = detector.detect(people, 0.5 * k, CLEAR)
            if not people:
                sure += (found.confidence > 0.4).tolist()
            frames.append(FrameSample(t_s=0.5 * k, truths=people, detections=found, weather=CLEAR))
        films.append(FilmSample(camera=CAMERA, frames=frames))
    assert float(np.mean(sure)) == pytest.approx(0.2, abs=0.1)
    false = fit(films, network="n", network_sha256="0" * 64, min_confidence=0.1).false_boxes
    again = np.interp(0.4, false["background"].confidences, np.linspace(0.0, 1.0, 11))
    assert 1.0 - float(again) == pytest.approx(0.2, abs=0.1)


def test_too_little_film_is_refused():
    """Without people nothing can be fitted, and it says so."""
    with pytest.raises(ValueError, match="film more"):
        fit([], network="n", network_sha256="0" * 64, min_confidence=0.1)


def test_classes_come_by_their_shares():
    """One animal in ten spells is called a human."""
    detector = ModelledDetector(model(false_boxes={}), CAMERA, 2)
    cows = [truth(f"c{k}", 150.0, object_class="Animal") for k in range(500)]
    told = detector.detect(cows, 3.0, CLEAR)
    human = float(np.mean(told.class_index == OBJECT_CLASSES.index("Human")))
    assert human == pytest.approx(0.1, abs=0.05)


def test_the_shipped_model_is_fitted_on_the_shipped_networks():
    """A new network makes the old figures void: fit again."""
    shipped, known = ErrorModel.load(), Registry.load()
    assert known.get("day-n").sha256 == shipped.day.network_sha256
    assert known.get("thermal-n").sha256 == shipped.thermal.network_sha256
    for one in (shipped.day, shipped.thermal):
        assert one.recall["upright"].samples >= 500
        assert probability(one.recall["upright"], 100.0) > 0.8
