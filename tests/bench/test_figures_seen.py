"""What the shipped networks make of the film's figures: recall by kind and height, printed."""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from edge.detect import OBJECT_CLASSES
from edge.detector import open_detector
from edge.overlap import pairwise_iou
from models.registry import Registry
from simulations.film import Film
from simulations.scenario import load_scenario
from simulations.scenario_actor import NATURES, ActorSettings
from simulations.scenario_place import WaterSettings
from simulations.world import World

UPRIGHT = ("walker", "runner", "carrier", "farmer", "tourist", "patrol")
LOW_OR_RIDING = ("creeping", "crawling", "swimmer", "cyclist", "motorbike")
OTHERS = ("sampan", "motorboat", "buffalo", "cow", "dog", "birds")
HEIGHTS_PX = (72, 110, 160)
"""Of somebody standing there; a crawling person or a dog there is lower."""
HEADINGS_DEG = (0.0, 75.0, 160.0, 250.0)
ACROSS = (-0.28, 0.02, 0.3)
SLOT_S = 40.0
CONFIDENCE = 0.25
LOADS = ("pack", "sack", "pole")


@dataclass
class Seen:
    """Counts of one kind at one height."""

    figures: int = 0
    as_class: dict[str, int] = field(default_factory=dict)

    def share(self, name):
        return self.as_class.get(name, 0) / max(self.figures, 1)


def _film(kinds, spectrum):
    """Return a film in which one trio after another walks by, and when each is in its middle."""
    demo = load_scenario("demo").model
    camera = next(c for c in demo.camera if c.spectrum == spectrum)
    focal_px = 0.5 * camera.width_px / math.tan(math.radians(0.5 * camera.hfov_deg))
    actors, slots = [], []
    for kind in kinds:
        for height_px in HEIGHTS_PX:
            for turn, heading_deg in enumerate(HEADINGS_DEG):
                away_m = focal_px * 1.65 / height_px
                slot = len(slots)
                speed_m_s = NATURES[kind].speed_m_s
                half_m = 3.0 * speed_m_s
                aside = [math.sin(math.radians(heading_deg)), math.cos(math.radians(heading_deg))]
                ids = []
                trio = ACROSS if kind not in ("sampan", "motorboat") else (0.02,)
                for place, share in enumerate(trio):
                    along = camera.along_m + share * away_m * camera.width_px / focal_px
                    across = camera.across_m - away_m
                    path = tuple(
                        (along + way * aside[0], across - way * aside[1])
                        for way in (-half_m, half_m)
                    )
                    name = f"s{slot}-{place}"
                    ids.append(name)
                    actors.append(
                        ActorSettings(
                            id=name, kind=kind, start_s=slot * SLOT_S, path_along_across_m=path,
                            speed_m_s=speed_m_s, aboard=1 + turn % 2, fly_height_m=3.0,
                            load=LOADS[(turn + place) % 3] if kind == "carrier" else "none",
                            dress=("any", "dark", "any")[place],
                        )
                    )  # fmt: skip
                slots.append((kind, height_px, slot * SLOT_S + 3.0, ids))
    wet = NATURES[kinds[0]].moves_on == "water"
    ring = tuple((camera.along_m + x, camera.across_m + y) for x, y in
                 ((-200, -300), (200, -300), (200, -12), (-200, -12)))  # fmt: skip
    flood = WaterSettings(id="flood", kind="flood", ring_along_across_m=ring, level_m=0.0)
    light = {"sun_azimuth_deg": 120.0, "sun_elevation_deg": 48.0}
    if spectrum == "thermal":
        light = {"sun_azimuth_deg": 300.0, "sun_elevation_deg": -30.0}
    scenario = demo.model_copy(
        update={
            "actor": tuple(actors), "camera": (camera,), "water": (flood,) if wet else (),
            "light": demo.light.model_copy(update=light),
        }
    )  # fmt: skip
    return Film(World(scenario), camera), slots


def _look(spectrum, kinds):
    """Return what the network of a spectrum says of each kind at each height."""
    network = Registry.load().default(spectrum)
    detector = open_detector(network, threads=1, min_confidence=CONFIDENCE)
    found = {}
    for dry_or_wet in (True, False):
        here = [k for k in kinds if (NATURES[k].moves_on != "water") == dry_or_wet]
        if not here:
            continue
        film, slots = _film(here, spectrum)
        for index, (kind, height_px, t_s, ids) in enumerate(slots):
            image = cv2.imdecode(
                np.frombuffer(film.jpeg(t_s, index), np.uint8), cv2.IMREAD_COLOR
            )  # fmt: skip
            said = detector.detect(image)
            truths = [b for b in film.truth(t_s) if b.figure.actor_id in ids and b.visible]
            boxes = np.array([b.box_px for b in truths], dtype=np.float32).reshape(-1, 4)
            overlap = pairwise_iou(said.boxes_px, boxes)
            seen = found.setdefault((kind, height_px), Seen())
            for column in range(len(truths)):
                seen.figures += 1
                # Who sits in a boat is smaller than the box of boat and people together.
                least = 0.05 if NATURES[kind].object_class == "Boat" else 0.3
                near = np.flatnonzero(overlap[:, column] > least)
                for name in {OBJECT_CLASSES[said.class_index[k]] for k in near}:
                    seen.as_class[name] = seen.as_class.get(name, 0) + 1
    return found


def _table(spectrum, found):
    lines = [f"{spectrum}: share of figures said to be each class at confidence {CONFIDENCE}"]
    for (kind, height_px), seen in sorted(found.items(), key=lambda item: item[0]):
        shares = ", ".join(f"{n} {seen.share(n):.2f}" for n in OBJECT_CLASSES if seen.share(n))
        lines.append(f"  {kind:10s} {height_px:4d} px  n {seen.figures:3d}  {shares or 'nothing'}")
    return "\n".join(lines)


def _share(found, kinds, name):
    chosen = [seen for (kind, _), seen in found.items() if kind in kinds]
    return sum(s.as_class.get(name, 0) for s in chosen) / sum(s.figures for s in chosen)


@pytest.mark.bench
@pytest.mark.slow
@pytest.mark.parametrize("spectrum", ["day", "thermal"])
def test_networks_see_people_as_people(spectrum, capsys):
    """From 72 px on people on their feet are found; by day what is no person is rarely called one."""
    found = _look(spectrum, UPRIGHT + LOW_OR_RIDING + OTHERS)
    with capsys.disabled():
        print("\n" + _table(spectrum, found))
    for kind in UPRIGHT:
        assert _share(found, (kind,), "Human") >= 0.9
    if spectrum == "day":
        assert _share(found, ("buffalo", "cow", "dog", "birds"), "Human") <= 0.1
        assert _share(found, ("sampan", "motorboat"), "Boat") >= 0.3
