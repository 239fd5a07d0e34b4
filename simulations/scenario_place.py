"""Where and when: ground, water, zones of a scenario, weather and light by the clock."""

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from runtime.settings import ConfigPath, Settings
from simulations.scenario_values import AlongAcross, Azimuth, LonLat, Name, Share, one_path


class GroundSettings(Settings):
    """The shape of the ground, above or below the site's level."""

    kind: Literal["flat", "hills", "dem"] = Field(
        default="flat",
        description="hills follow from the scenario's name, so a place stays what it is whatever the "
        "seed; the reference marker stands at the site's level in hills and dem alike",
    )
    amplitude_m: float = Field(default=3.0, gt=0.0, le=500.0, description="hills: one sigma")
    wavelength_m: float = Field(default=120.0, gt=5.0, le=10_000.0, description="hills: typical")
    flat_within_m: float = Field(
        default=0.0, ge=0.0, description="hills rise only beyond this distance from the line"
    )
    dem_file: ConfigPath | None = Field(
        default=None, description="dem: an SRTM .hgt or a GeoTIFF, heights above the sea"
    )
    dem_lon_lat_deg: LonLat | None = Field(
        default=None, description="dem: this place of the file is laid under the reference marker"
    )
    look: Literal["rice", "dry", "grass", "mud", "scrub"] = "rice"

    @model_validator(mode="after")
    def _file_for_dem(self) -> Self:
        if (self.kind == "dem") != (self.dem_file is not None):
            raise ValueError("dem_file belongs to kind = 'dem', and that kind needs it")
        return self


class WaterSettings(Settings):
    """A canal (a path and a width), or a stretch of river, sea or flood (a ring)."""

    id: Name
    kind: Literal["canal", "river", "sea", "flood"] = "canal"
    path_along_across_m: tuple[AlongAcross, ...] | None = None
    width_m: float | None = Field(default=None, gt=0.5, le=500.0, description="with a path")
    ring_along_across_m: tuple[AlongAcross, ...] | None = None
    level_m: float = Field(default=-0.3, ge=-50.0, le=50.0, description="over the site's level")
    depth_m: float = Field(
        default=1.2, gt=0.0, le=50.0, description="under the level; a flood lies on the ground"
    )
    wave_height_m: float = Field(default=0.03, ge=0.0, le=2.0)
    current_m_s: float = Field(default=0.0, ge=0.0, le=5.0)
    current_to_deg: Azimuth = 0.0

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if (self.path_along_across_m is None) == (self.ring_along_across_m is None):
            raise ValueError("give either a path with width_m or a ring")
        if (self.path_along_across_m is None) != (self.width_m is None):
            raise ValueError("width_m goes with path_along_across_m")
        if self.ring_along_across_m is not None:
            one_path(self.ring_along_across_m, None, least=3)
        else:
            one_path(self.path_along_across_m, None)
        return self


class ZoneSettings(Settings):
    """A zone that the station of this scenario knows, beside those of its site."""

    id: Name
    role: Literal["restricted", "watch", "ignore", "gate", "no_go", "go"]
    name_vi: str = ""
    name_en: str = ""
    ring_along_across_m: tuple[AlongAcross, ...] = Field(min_length=3)
    from_local: str | None = Field(default=None, pattern=r"^\d\d:\d\d$")
    to_local: str | None = Field(default=None, pattern=r"^\d\d:\d\d$")


class LightSettings(Settings):
    """The sun: by the clock and the place, or fixed."""

    sun_azimuth_deg: Azimuth | None = None
    sun_elevation_deg: float | None = Field(default=None, gt=-90.0, le=90.0)
    moon: Share = Field(default=0.3, description="light of the night: 0 none, 1 full moon")
    lamps: bool = Field(default=False, description="lamps at the picket light the night")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.sun_azimuth_deg is None) != (self.sun_elevation_deg is None):
            raise ValueError("give azimuth and elevation of the sun together, or neither")
        return self


class WeatherSettings(Settings):
    """Weather from an instant on; what lies between two instants is a mixture."""

    at_s: float = Field(default=0.0, ge=0.0)
    cloud: Share = Field(default=0.2, description="0 clear sky, 1 no shadow at all")
    rain_mm_h: float = Field(default=0.0, ge=0.0, le=200.0)
    visibility_m: float = Field(
        default=20_000.0, ge=20.0, le=100_000.0, description="meteorological range; fog < 1000"
    )
    shimmer_px: float = Field(
        default=0.0, ge=0.0, le=5.0, description="heat shimmer, one sigma at 100 m"
    )
    wind_m_s: float = Field(default=1.5, ge=0.0, le=40.0, description="moves plants and masts")
    wind_from_deg: Azimuth = 60.0
    insects_per_min: float = Field(
        default=0.0, ge=0.0, le=600.0, description="past the lens, of one camera"
    )
    air_c: float = Field(default=27.0, ge=-10.0, le=50.0, description="decides thermal contrast")
