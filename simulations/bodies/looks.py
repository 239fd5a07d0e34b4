"""Colours and warmth: what people wear, by dress, kind and the individual's seed."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simulations.bodies.parts import Paint
from simulations.scenario_actor import Kind
from simulations.walk import Looks

# How warm against the field at night, where bare skin is 1.
_WARM_SKIN, _WARM_HAIR, _WARM_SHIRT, _WARM_TROUSERS, _WARM_SHOES = 1.0, 0.74, 0.8, 0.7, 0.5
_WARM_HAT, _WARM_LOAD = 0.42, 0.3

_EVERYDAY = (
    (70, 60, 52), (60, 78, 92), (120, 112, 104), (58, 84, 66), (150, 150, 160), (92, 50, 42),
    (50, 52, 130), (44, 44, 48), (160, 140, 100),
)  # fmt: skip
_DARK = ((34, 32, 34), (52, 38, 32), (36, 44, 38), (48, 46, 48))
_BRIGHT = (
    (40, 40, 205), (45, 190, 230), (225, 225, 228), (170, 110, 225), (220, 150, 60),
    (60, 130, 240), (150, 200, 60),
)  # fmt: skip
_JEANS = ((110, 72, 50), (70, 62, 58), (180, 190, 200), (140, 110, 84))
_GREEN = (50, 82, 74)
"""The green of a border guard's uniform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """The paints of one person and what they have on and with them."""

    skin: Paint
    hair: Paint
    shirt: Paint
    sleeves: Paint
    trousers: Paint
    shoes: Paint
    hat_paint: Paint
    load_paint: Paint
    hat: str
    load: str


@lru_cache(maxsize=512)
def outfit(kind: Kind, looks: Looks, passenger: int = 0) -> Outfit:
    """Return what somebody wears: as the scenario says, else as such people do.

    Passenger 0 is the one named by ``looks``; others aboard have a seed of their own.
    """
    rng = np.random.default_rng([looks.seed, passenger])
    dress = looks.dress
    if dress == "any":
        dress = {"tourist": "bright", "patrol": "uniform"}.get(kind, "any")
    shirt, trousers = _cloth(dress, rng)
    bare_arms = dress in ("any", "bright") and rng.uniform() < 0.55
    skin = _paint(np.array([92, 122, 170]) * rng.uniform(0.8, 1.1), _WARM_SKIN, 0.03)
    hat, load = _hat(kind, looks, rng), looks.load
    if kind == "carrier" and load == "none":
        load = "pack"
    if kind == "farmer" and load == "none":
        load = "hoe"
    hats = {"conical": (120, 178, 206), "helmet": (60, 62, 66), "cap": (70, 72, 84)}
    hat_colour = np.array(hats.get(hat, (60, 60, 60)), dtype=np.float64)
    if dress == "uniform":
        hat_colour = np.array(_GREEN) * 0.85
    elif hat != "conical":
        hat_colour = hat_colour * rng.uniform(0.6, 1.9, size=3)
    load_colour = np.array([44, 62, 70]) * rng.uniform(0.7, 1.2)
    if load in ("pole", "sack"):
        load_colour = np.array([128, 156, 172]) * rng.uniform(0.75, 1.05)
    return Outfit(
        skin=skin,
        hair=Paint(28, 26, 28, _WARM_HAIR, 0.1),
        shirt=shirt,
        sleeves=skin if bare_arms else shirt,
        trousers=trousers,
        shoes=Paint(36, 40, 48, _WARM_SHOES, 0.05),
        hat_paint=_paint(hat_colour, _WARM_HAT, 0.06),
        load_paint=_paint(load_colour, _WARM_LOAD, 0.09),
        hat=hat,
        load=load,
    )


def _cloth(dress: str, rng: np.random.Generator) -> tuple[Paint, Paint]:
    if dress == "uniform":
        shirt = np.array(_GREEN) + rng.integers(-5, 6, size=3)
        return _paint(shirt, _WARM_SHIRT, 0.07), _paint(shirt * 0.9, _WARM_TROUSERS, 0.07)
    if dress == "dark":
        shirt = np.array(_DARK[rng.integers(len(_DARK))]) + rng.integers(-6, 7, size=3)
        trousers = np.array(_DARK[rng.integers(len(_DARK))]) * 0.9
    elif dress == "bright":
        shirt = np.array(_BRIGHT[rng.integers(len(_BRIGHT))]) + rng.integers(-12, 13, size=3)
        trousers = np.array(_JEANS[rng.integers(len(_JEANS))]) + rng.integers(-8, 9, size=3)
    else:
        shirt = np.array(_EVERYDAY[rng.integers(len(_EVERYDAY))]) + rng.integers(-12, 13, size=3)
        trousers = np.array(_EVERYDAY[rng.integers(4)]) * 0.62 + rng.integers(-8, 9, size=3)
    return _paint(shirt, _WARM_SHIRT, 0.09), _paint(trousers, _WARM_TROUSERS, 0.08)


def _hat(kind: Kind, looks: Looks, rng: np.random.Generator) -> str:
    if looks.hat != "none":
        return looks.hat
    by_kind = {"farmer": "conical", "patrol": "cap", "motorbike": "helmet"}
    if kind in by_kind:
        return by_kind[kind]
    if kind == "tourist":
        return "cap" if rng.uniform() < 0.6 else "none"
    if kind in ("sampan", "motorboat"):
        return "conical" if rng.uniform() < 0.5 else "none"
    return "none"


def _paint(colour: "np.typing.ArrayLike", warmth: float, grain: float) -> Paint:
    b, g, r = np.clip(np.asarray(colour, dtype=np.float64), 12.0, 245.0).tolist()
    return Paint(b, g, r, warmth, grain)
