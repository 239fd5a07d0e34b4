"""Who is in the world: kinds of actors, their ways, speeds and habits."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from runtime.settings import Settings
from simulations.scenario_values import AlongAcross, LonLat, Name, one_path

Kind = Literal[
    "walker", "runner", "creeping", "crawling", "carrier", "farmer", "tourist", "patrol",
    "swimmer", "cyclist", "motorbike", "sampan", "motorboat", "buffalo", "cow", "dog", "birds",
]  # fmt: skip
Gait = Literal["walk", "run", "creep", "crawl", "work", "stand", "swim", "ride", "float", "fly"]
ObjectClass = Literal["Human", "Boat", "Animal"]


@dataclass(frozen=True, slots=True)
class Nature:
    """What a kind is and how it moves unless the scenario says otherwise.

    Attributes:
        object_class: SAPIENT's word for the truth; who rides a bicycle is a Human.
        gait: while it moves.
        speed_m_s: usual.
        height_m: mean and sigma over individuals; of a boat without its people.
        length_m: mean, along the way it faces.
        moves_on: where it can be.
    """

    object_class: ObjectClass
    gait: Gait
    speed_m_s: float
    height_m: tuple[float, float]
    length_m: float
    moves_on: Literal["land", "water", "air"]

    @property
    def person(self) -> bool:
        """Whether somebody is in it, so that passing the line is a human event."""
        return self.object_class != "Animal"


_TALL = (1.65, 0.06)
NATURES: dict[Kind, Nature] = {
    "walker": Nature("Human", "walk", 1.3, _TALL, 0.5, "land"),
    "runner": Nature("Human", "run", 3.2, _TALL, 0.8, "land"),
    "creeping": Nature("Human", "creep", 0.6, _TALL, 0.9, "land"),
    "crawling": Nature("Human", "crawl", 0.3, _TALL, 1.6, "land"),
    "carrier": Nature("Human", "walk", 1.0, _TALL, 0.7, "land"),
    "farmer": Nature("Human", "work", 0.35, _TALL, 0.8, "land"),
    "tourist": Nature("Human", "walk", 0.9, _TALL, 0.5, "land"),
    "patrol": Nature("Human", "walk", 1.2, (1.68, 0.05), 0.5, "land"),
    "swimmer": Nature("Human", "swim", 0.7, _TALL, 1.6, "water"),
    "cyclist": Nature("Human", "ride", 3.5, _TALL, 1.7, "land"),
    "motorbike": Nature("Human", "ride", 8.0, _TALL, 1.9, "land"),
    "sampan": Nature("Boat", "float", 1.1, (0.55, 0.04), 5.0, "water"),
    "motorboat": Nature("Boat", "float", 5.0, (1.0, 0.1), 6.5, "water"),
    "buffalo": Nature("Animal", "walk", 0.7, (1.35, 0.06), 2.5, "land"),
    "cow": Nature("Animal", "walk", 0.7, (1.3, 0.06), 2.2, "land"),
    "dog": Nature("Animal", "walk", 1.5, (0.5, 0.06), 0.8, "land"),
    "birds": Nature("Animal", "fly", 7.0, (0.25, 0.04), 0.5, "air"),
}  # fmt: skip


class ActorSettings(Settings):
    """Who comes, on which way, how fast, how often."""

    id: Name
    kind: Kind = "walker"
    count: int = Field(default=1, ge=1, le=30, description="of them together; one event")
    aboard: int = Field(default=1, ge=1, le=12, description="people in each boat or on each bike")
    speed_m_s: float | None = Field(
        default=None, gt=0.0, le=20.0, description="without it, the usual speed of the kind"
    )
    speed_spread: float = Field(
        default=0.0, ge=0.0, le=0.5, description="the seed changes the speed by up to this share"
    )
    start_s: float = Field(default=0.0, ge=0.0)
    start_jitter_s: float = Field(
        default=0.0, ge=0.0, description="the seed delays the first coming by up to this"
    )
    path_along_across_m: tuple[AlongAcross, ...] | None = None
    path_lon_lat_deg: tuple[LonLat, ...] | None = None
    pause_s: float = Field(default=0.0, ge=0.0, description="stay at each inner way point")
    there_and_back: bool = Field(default=False, description="for ever to and fro on the path")
    repeat_every_s: float | None = Field(default=None, gt=0.0, description="comes again, for ever")
    repeat_jitter_s: float = Field(default=0.0, ge=0.0)
    daily_local: tuple[str, str] | None = Field(
        default=None,
        description="comes only between these local times of each day, such as 05:30 and 07:00",
    )
    sideways_jitter_m: float = Field(default=0.0, ge=0.0, le=50.0)
    fly_height_m: float = Field(default=6.0, ge=0.5, le=200.0, description="birds only")
    hat: Literal["none", "cap", "conical", "helmet"] = "none"
    load: Literal["none", "pack", "hoe", "pole", "sack"] = "none"
    dress: Literal["any", "dark", "uniform", "bright"] = "any"
    permitted: bool = Field(
        default=False, description="may cross (gate, own patrol): passing the line is no event"
    )
    reports_position: bool = Field(
        default=False, description="own patrol that tells its place to the station"
    )

    @property
    def nature(self) -> Nature:
        """What this kind is."""
        return NATURES[self.kind]

    @property
    def usual_speed_m_s(self) -> float:
        """The stated speed, else that of the kind."""
        return self.speed_m_s if self.speed_m_s is not None else self.nature.speed_m_s

    @property
    def is_event(self) -> bool:
        """Whether passing the line is a human event that a guard must be told of."""
        return self.nature.person and not self.permitted

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        one_path(self.path_along_across_m, self.path_lon_lat_deg)
        if len({*(self.path_along_across_m or self.path_lon_lat_deg or ())}) < 2:
            raise ValueError("all way points are one place; who stays there needs a second one")
        if self.there_and_back and self.repeat_every_s is not None:
            raise ValueError("there_and_back already lasts for ever; drop repeat_every_s")
        if self.repeat_every_s is not None and self.repeat_jitter_s > self.repeat_every_s / 2:
            raise ValueError("repeat_jitter_s may be at most half of repeat_every_s")
        if self.reports_position and self.kind != "patrol":
            raise ValueError("only kind = 'patrol' may have reports_position")
        return self

    @model_validator(mode="after")
    def _day_times(self) -> Self:
        for text in self.daily_local or ():
            hours, _, minutes = text.partition(":")
            fits = hours.isdigit() and minutes.isdigit() and len(hours) == len(minutes) == 2
            if not fits or int(hours) > 23 or int(minutes) > 59:
                raise ValueError("daily_local is two local times such as ['05:30', '07:00']")
        if self.daily_local is not None and self.daily_local[0] >= self.daily_local[1]:
            raise ValueError("daily_local ends later than it begins, on the same day")
        return self
