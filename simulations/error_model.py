"""How a network errs on film: what it misses, how its boxes shake, what it invents and why.

The figures are fitted to the shipped networks' results on the project's own films (`border-sim
fit`) and lie in ``error_model.json`` with what they were fitted on.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from runtime.settings import Settings
from simulations.scenario_actor import Gait, ObjectClass

FILE = Path(__file__).with_name("error_model.json")

Shape = Literal["upright", "low", "riding", "boat", "animal"]
Cause = Literal["background", "rain", "insects", "wind"]
SHAPES: tuple[Shape, ...] = ("upright", "low", "riding", "boat", "animal")
CAUSES: tuple[Cause, ...] = ("background", "rain", "insects", "wind")


def shape_of(gait: Gait, object_class: ObjectClass) -> Shape:
    """Return which outline of a figure the network has to know."""
    if object_class == "Boat":
        return "boat"
    if object_class == "Animal":
        return "animal"
    if gait in ("creep", "crawl", "swim"):
        return "low"
    return "riding" if gait == "ride" else "upright"


class Recall(Settings):
    """Probability that a figure is boxed in a frame, by its height in pixels.

    p(h) = top / (1 + exp(-slope (ln h - ln half_px)))

    Attributes:
        as_class: share of the boxes by the class that the network gives them.
        samples: figure-frames that it was fitted on; 0 means carried over, not measured.
    """

    top: float = Field(ge=0.0, le=1.0)
    half_px: float = Field(gt=0.0)
    slope: float = Field(gt=0.0, le=50.0)
    as_class: dict[str, float]
    samples: int = Field(ge=0)


class Shake(Settings):
    """Errors of a box as shares of its height: one sigma each, and how long an error lasts."""

    foot: float = Field(ge=0.0, description="of the lower edge, down")
    side: float = Field(ge=0.0, description="of the middle, across")
    height: float = Field(ge=0.0)
    width: float = Field(ge=0.0)
    foot_bias: float = Field(default=0.0, description="mean, down positive")
    lasts_s: float = Field(gt=0.0)


class Confidence(Settings):
    """Of true boxes: mean = at_half + gain (p(h) - 0.5), with a spread that lasts."""

    at_half: float
    gain: float
    sigma: float = Field(ge=0.0)


class FalseBoxes(Settings):
    """Boxes where nothing is.

    Attributes:
        episodes_per_h: per camera and hour while the cause is at its reference strength.
        lasts_s: mean length of an episode.
        height_px: median of its boxes.
        confidence: mean.
        confidences: of the strongest box of each episode, the quantiles from 0 to 1 at equal steps. A
            mean alone would hide the few that are sure enough to begin a track.
        episodes, hours: what the rate was fitted on; the rate is (episodes + 0.5) / hours, so that
            nothing seen in a short film does not read as never.
    """

    episodes_per_h: float = Field(ge=0.0)
    lasts_s: float = Field(gt=0.0)
    height_px: float = Field(gt=0.0)
    confidence: float = Field(gt=0.0, lt=1.0)
    confidences: tuple[float, ...] = ()
    as_class: dict[str, float]
    episodes: int = Field(ge=0)
    hours: float = Field(gt=0.0)


class SpectrumModel(Settings):
    """All errors of the network of one kind of camera."""

    network: str
    network_sha256: str
    min_confidence: float = Field(gt=0.0, lt=1.0, description="boxes below were not looked at")
    recall: dict[Shape, Recall]
    miss_lasts_s: float = Field(gt=0.0, description="how long a spell of misses or hits lasts")
    shake: Shake
    confidence: Confidence
    false_boxes: dict[Cause, FalseBoxes]


class ErrorModel(Settings):
    """Both networks' errors and where the figures come from."""

    fitted_on: str
    day: SpectrumModel
    thermal: SpectrumModel

    @classmethod
    def load(cls, path: Path = FILE) -> "ErrorModel":
        """Read the fitted model.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is no such model.
        """
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


def strength(cause: Cause, *, rain_mm_h: float, insects_per_min: float, wind_m_s: float) -> float:
    """Return how strong a cause is, 1 at its reference (25 mm/h, 60 insects a minute, 10 m/s)."""
    if cause == "rain":
        return rain_mm_h / 25.0
    if cause == "insects":
        return insects_per_min / 60.0
    if cause == "wind":
        return (wind_m_s / 10.0) ** 2
    return 1.0
