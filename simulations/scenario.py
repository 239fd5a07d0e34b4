"""What a scenario is: one TOML, validated at once, every number with its unit.

Places are given either as lon/lat or, easier to read, by the line: ``along_m`` counts from the
site's reference marker in the direction of the line, ``across_m`` is positive on our side.
"""

from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from runtime.errors import AskOperator
from runtime.settings import Loaded, Settings, load

FOLDER = Path(__file__).parent / "scenarios"
SITES = Path(__file__).parent / "sites"

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
AlongAcross = tuple[float, float]
LonLat = tuple[
    Annotated[float, Field(ge=-180.0, le=180.0)], Annotated[float, Field(ge=-90.0, le=90.0)]
]


class CameraSettings(Settings):
    """One camera: where it stands, where it looks, what it films."""

    id: Name
    name: str = Field(default="", description="as a person calls it")
    spectrum: Literal["day", "thermal"] = "day"
    along_m: float | None = Field(default=None, description="along the line from the marker")
    across_m: float | None = Field(default=None, description="from the line, ours positive")
    lon_lat_deg: LonLat | None = None
    height_m: float = Field(gt=0.5, le=200.0, description="of the lens above the ground")
    azimuth_deg: float = Field(ge=0.0, lt=360.0, description="true, of the optical axis")
    pitch_deg: float = Field(ge=-90.0, le=45.0, description="positive above the horizon")
    roll_deg: float = Field(default=0.0, ge=-45.0, le=45.0)
    hfov_deg: float = Field(gt=1.0, lt=150.0, description="horizontal field of view")
    width_px: int = Field(default=1280, ge=160, le=3840)
    height_px: int = Field(default=720, ge=120, le=2160)
    fps: float = Field(default=10.0, gt=0.0, le=60.0)
    jpeg_quality: int = Field(default=80, ge=30, le=100)
    noise_sigma: float = Field(default=2.0, ge=0.0, le=30.0, description="grey levels")

    @model_validator(mode="after")
    def _placed_once(self) -> Self:
        _one_place(self.lon_lat_deg, self.along_m, self.across_m)
        return self


class ActorSettings(Settings):
    """Who walks where, how fast, how often."""

    id: Name
    gait: Literal["walk", "creep", "work"] = "walk"
    count: int = Field(default=1, ge=1, le=30, description="people walking together")
    speed_m_s: float = Field(default=1.3, gt=0.0, le=8.0)
    start_s: float = Field(default=0.0, ge=0.0)
    path_along_across_m: tuple[AlongAcross, ...] | None = None
    path_lon_lat_deg: tuple[LonLat, ...] | None = None
    pause_s: float = Field(default=0.0, ge=0.0, description="stay at each inner way point")
    there_and_back: bool = Field(default=False, description="for ever to and fro on the path")
    repeat_every_s: float | None = Field(default=None, gt=0.0, description="comes again, for ever")
    repeat_jitter_s: float = Field(default=0.0, ge=0.0)
    sideways_jitter_m: float = Field(default=0.0, ge=0.0, le=50.0)
    hat: Literal["none", "cap", "conical"] = "none"
    load: Literal["none", "pack", "hoe"] = "none"

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if (self.path_along_across_m is None) == (self.path_lon_lat_deg is None):
            raise ValueError("give either path_along_across_m or path_lon_lat_deg")
        if len(self.path_along_across_m or self.path_lon_lat_deg or ()) < 2:
            raise ValueError("a path needs at least two way points")
        if self.there_and_back and self.repeat_every_s is not None:
            raise ValueError("there_and_back already lasts for ever; drop repeat_every_s")
        if self.repeat_every_s is not None and self.repeat_jitter_s > self.repeat_every_s / 2:
            raise ValueError("repeat_jitter_s may be at most half of repeat_every_s")
        return self


class LightSettings(Settings):
    """The sun, for shading and shadows."""

    sun_azimuth_deg: float = Field(default=120.0, ge=0.0, lt=360.0)
    sun_elevation_deg: float = Field(default=48.0, gt=5.0, le=90.0)


class Scenario(Settings):
    """A world in one file. The same file and seed give the same world, to the byte."""

    name: Name
    title: str = ""
    seed: int = Field(ge=0)
    start_utc: datetime
    duration_s: float = Field(gt=0.0, le=7 * 86_400.0)
    site: Name = "ha_tien"
    from_marker: str = Field(default="314", description="along_m counts from this marker")
    ground_alt_hae_m: float = Field(
        default=-10.0, description="above the ellipsoid; the sea lies near -12 m here"
    )
    needs: tuple[str, ...] = Field(default=(), description="what the product must have for this")
    light: LightSettings = LightSettings()
    camera: tuple[CameraSettings, ...] = Field(min_length=1)
    actor: tuple[ActorSettings, ...] = ()

    @field_validator("start_utc")
    @classmethod
    def _aware(cls, value: datetime) -> datetime:
        if value.tzinfo is None:
            raise ValueError("write the zone too, such as 2026-11-23T02:40:00Z")
        return value.astimezone(timezone.utc)

    @model_validator(mode="after")
    def _unique_ids(self) -> Self:
        for kind, ids in (("camera", self.camera), ("actor", self.actor)):
            names = [entry.id for entry in ids]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind} id {twice[0]!r} stands twice; ids are unique")
        return self


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
    known = sorted(path.stem for path in FOLDER.glob("*.toml"))
    raise AskOperator(
        field="SCENARIO",
        value=name,
        allowed=f"the path of a .toml file or one of {', '.join(known)}",
        next_step="correct the name",
    )


def load_scenario(name: str) -> Loaded[Scenario]:
    """Read and validate a scenario by path or name."""
    return load(find(name), Scenario)


def _one_place(lon_lat: LonLat | None, along_m: float | None, across_m: float | None) -> None:
    by_line = along_m is not None and across_m is not None
    if (along_m is None) != (across_m is None) or by_line == (lon_lat is not None):
        raise ValueError("give either lon_lat_deg, or along_m and across_m together")
