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


@lru_cache(maxsize=128)
def build(figure: FigureState, ground_m: float = 0.0) -> Body:
    """Return a figure's body in the site's frame.

    One instant is asked for its shadow, its picture and its box: the answer is kept a while.
    ``ground_m`` is the height of the ground or water below what flies.
    """
    if figure.kind == "birds":
        return animal.bird(figure, ground_m)
    return _MAKERS.get(figure.kind, walking_person)(figure)
