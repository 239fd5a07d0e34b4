"""Any figure of the world as a body in space: who does what, where, at which phase."""

from collections.abc import Callable
from functools import lru_cache

from simulations.bodies import animal, boat, vehicle
from simulations.bodies.parts import Body
from simulations.bodies.person import walking_person
from simulations.scenario_actor import Kind
from simulations.walk import FigureState

_MAKERS: dict[Kind, Callable[[FigureState], Body]] = {
    "cyclist": vehicle.cyclist,
    "motorbike": vehicle.motorbike,
    "sampan": boat.sampan,
    "motorboat": boat.motorboat,
    "buffalo": animal.buffalo,
    "cow": animal.cow,
    "dog": animal.dog,
}


def build(figure: FigureState, ground_m: float = 0.0) -> Body:
    """Return a figure's body in the site's frame.

    ``ground_m`` is the height of the ground or water below what flies.
    """
    return _flying(figure, ground_m) if figure.kind == "birds" else _standing(figure)


# One instant is asked for its shadow, its picture and its box: the answer is kept a while.
@lru_cache(maxsize=128)
def _standing(figure: FigureState) -> Body:
    return _MAKERS.get(figure.kind, walking_person)(figure)


@lru_cache(maxsize=128)
def _flying(figure: FigureState, ground_m: float) -> Body:
    return animal.bird(figure, ground_m)
