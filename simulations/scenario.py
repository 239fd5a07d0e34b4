"""What a scenario is: one TOML, validated at once, every number with its unit.

Places are given either as lon/lat or, easier to read, by the line: ``along_m`` counts from the
site's reference marker in the direction of the line, ``across_m`` is positive on our side.
"""

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from runtime.errors import AskOperator
from runtime.settings import Loaded, Settings, load
from simulations.scenario_actor import ActorSettings
from simulations.scenario_node import CameraSettings, DroneSettings, GpsdSettings, NodeSettings
from simulations.scenario_place import (
    GroundSettings,
    LightSettings,
    WaterSettings,
    WeatherSettings,
    ZoneSettings,
)
from simulations.scenario_values import Name

FOLDER = Path(__file__).parent / "scenarios"
SITES = Path(__file__).parent / "sites"
SMALL_PERSON_PX = 72.0
"""Below this height at the line the shipped network is not expected to see a person."""

Need = Literal[
    "small-people", "boats", "swimmers", "cyclists", "night-day-camera", "missions",
    "landing", "schedules", "flood-season",
]  # fmt: skip
"""What a scenario may wait for; the change that builds it takes the word out of the scenarios."""
NEEDS: tuple[str, ...] = get_args(Need)

Purpose = Literal["crossing", "quiet"]
Seeds = tuple[int, ...]


class SeedSettings(Settings):
    """Seeds by purpose: `dev` to train and tune with, `accept` for committed figures only."""

    dev: Seeds = Field(default=(1,), min_length=1)
    accept: Seeds = Field(default=(1001,), min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        both = set(self.dev) & set(self.accept)
        if both:
            raise ValueError(f"seed {min(both)} is in dev and in accept; tuning may not see accept")
        return self


class Tags(Settings):
    """What a report is broken down by."""

    place: Literal["field", "canal", "sea", "flood", "hills", "post", "gate"] = "field"
    light: Literal["day", "dusk", "night"] = "day"
    distance: Literal["near", "middle", "far"] = "near"
    sensor: Literal["fixed", "drone", "both"] = "fixed"
    fault: Literal["none", "link", "gps", "camera", "weather"] = "none"


class Scenario(Settings):
    """A world in one file. The same file and seed give the same world, to the byte."""

    name: Name
    title: str = ""
    title_vi: str = ""
    story: str = Field(default="", description="what happens, for the person who reads the report")
    purpose: Purpose = Field(default="crossing", description="quiet: nobody may be warned of")
    in_suite: bool = Field(default=True, description="played by `border-sim run --suite`")
    seed: int = Field(ge=0, description="when no other is asked for")
    seeds: SeedSettings = SeedSettings()
    start_utc: datetime
    duration_s: float = Field(gt=0.0, le=7 * 86_400.0)
    site: Name = "ha_tien"
    timezone: str = Field(default="Asia/Ho_Chi_Minh", description="of daily_local")
    from_marker: str = Field(default="314", description="along_m counts from this marker")
    ground_alt_hae_m: float = Field(
        default=-10.0, description="above the ellipsoid; the sea lies near -12 m here"
    )
    line_sigma_m: float | None = Field(
        default=None, gt=0.0, le=1000.0, description="accuracy of the line; without it the site's"
    )
    person_px_at_line: float | None = Field(
        default=None, gt=0.0,
        description="smallest pixel height, at the line, of the people who cross or work there",
    )  # fmt: skip
    needs: tuple[Need, ...] = Field(default=(), description="what the product still lacks for it")
    tags: Tags = Tags()
    ground: GroundSettings = GroundSettings()
    light: LightSettings = LightSettings()
    weather: tuple[WeatherSettings, ...] = (WeatherSettings(),)
    water: tuple[WaterSettings, ...] = ()
    zone: tuple[ZoneSettings, ...] = ()
    camera: tuple[CameraSettings, ...] = ()
    node: tuple[NodeSettings, ...] = ()
    gpsd: tuple[GpsdSettings, ...] = ()
    drone: tuple[DroneSettings, ...] = ()
    actor: tuple[ActorSettings, ...] = ()

    @field_validator("start_utc")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("write the zone too, such as 2026-11-23T02:40:00Z")
        return value.astimezone(timezone.utc)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("an IANA name such as 'Asia/Ho_Chi_Minh' is needed") from None
        return value

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        for kind, ids in (
            ("camera", [entry.id for entry in self.camera] + [entry.id for entry in self.drone]),
            ("actor", [entry.id for entry in self.actor]),
            ("node", [entry.id for entry in self.node]),
            ("water", [entry.id for entry in self.water]),
            ("zone", [entry.id for entry in self.zone]),
            ("gpsd of node", [entry.node for entry in self.gpsd]),
        ):
            twice = _first_twice(ids)
            if twice is not None:
                raise ValueError(f"{kind} {twice!r} stands twice; ids are unique")
        return self

    @model_validator(mode="after")
    def _seen_by_something(self) -> Self:
        if not self.camera and not self.drone:
            raise ValueError("give at least one [[camera]] or [[drone]]")
        known = {camera.node for camera in self.camera}
        for kind, named in (
            ("node", [n.id for n in self.node]),
            ("gpsd", [g.node for g in self.gpsd]),
        ):
            for name in named:
                if name not in known:
                    raise ValueError(
                        f"{kind} {name!r}: no camera is joined to it; nodes are {sorted(known)}"
                    )
        return self

    @model_validator(mode="after")
    def _weather_in_order(self) -> Self:
        times = [spell.at_s for spell in self.weather]
        if not times or times[0] != 0.0 or any(b <= a for a, b in zip(times, times[1:])):  # noqa: B905, RUF007  # 3.10 has no pairwise with strict
            raise ValueError("weather begins at_s = 0 and goes on in order of at_s")
        return self

    @model_validator(mode="after")
    def _small_people_are_marked(self) -> Self:
        if self.person_px_at_line is None:
            return self
        small = self.person_px_at_line < SMALL_PERSON_PX
        if small != ("small-people" in self.needs):
            raise ValueError(
                f"person_px_at_line is {self.person_px_at_line:g}: below {SMALL_PERSON_PX:g} the "
                "scenario needs 'small-people', from there on it does not"
            )
        return self

    def seeded(self, seed: int) -> "Scenario":
        """Return the same scenario with another seed."""
        return self.model_copy(update={"seed": seed})

    def node_ids(self) -> tuple[str, ...]:
        """Return the nodes in the order of their cameras."""
        return tuple(dict.fromkeys(camera.node for camera in self.camera))

    def node_settings(self, node_id: str) -> NodeSettings:
        """Return a node's table, or the defaults of one that has none."""
        for node in self.node:
            if node.id == node_id:
                return node
        return NodeSettings(id=node_id)


def names() -> tuple[str, ...]:
    """Return the names of all scenarios that come with the project."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def suite() -> tuple[Loaded[Scenario], ...]:
    """Read all scenarios of the suite, in order of their names."""
    found = (load_scenario(name) for name in names())
    return tuple(loaded for loaded in found if loaded.model.in_suite)


def find(name: str) -> Path:
    """Return the file of a scenario: a path, or the name of one that comes with the project.

    Raises:
        AskOperator: there is none; the message lists those that exist.
    """
    direct = Path(name)
    if direct.suffix == ".toml" and direct.is_file():
        return direct
    shipped = FOLDER / f"{name}.toml"
    if shipped.is_file():
        return shipped
    raise AskOperator(
        field="SCENARIO",
        value=name,
        allowed=f"the path of a .toml file or one of {', '.join(names())}",
        next_step="correct the name",
    )


def load_scenario(name: str) -> Loaded[Scenario]:
    """Read and validate a scenario by path or name."""
    return load(find(name), Scenario)


def _first_twice(ids: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            return name
        seen.add(name)
    return None
