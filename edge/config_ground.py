"""Settings of the ground in front of a camera: level, or from elevation tiles."""

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from runtime.settings import ConfigPath, Settings


class GroundSettings(Settings):
    """The ground in front of a camera: level at one height, or as elevation tiles tell it."""

    alt_hae_m: float | None = Field(
        None,
        title="Height of level ground above the ellipsoid; with dem it stands in where tiles end",
        ge=-500.0,
        le=9000.0,
        examples=[-10.0],
    )
    dem: tuple[ConfigPath, ...] = Field(
        (),
        title="Elevation tiles of one grid: SRTM .hgt, GeoTIFF",
        max_length=64,
        examples=[["N10E104.hgt"]],
    )
    dem_datum: Literal["msl", "hae"] = Field(
        "msl", title="What a GeoTIFF's heights count from: the sea or the ellipsoid"
    )
    geoid_file: ConfigPath | None = Field(
        None,
        title="Grid of the geoid, for heights above the sea",
        examples=["/usr/share/proj/egm96_15.gtx"],
    )
    geoid_height_m: float | None = Field(
        None,
        title="Instead of it: height of the geoid above the ellipsoid here",
        ge=-120.0,
        le=100.0,
        examples=[-12.0],
    )
    fill_voids_posts: int = Field(
        0,
        title="Voids up to so many posts wide are filled from their edges; 0 fills none",
        ge=0,
        le=50,
    )
    water_file: ConfigPath | None = Field(
        None,
        title="GeoJSON of water: polygons with level_m and datum replace the ground",
        examples=["water.geojson"],
    )
    sigma_m: float = Field(0.3, title="Accuracy of that height (1 sigma)", ge=0.0, le=100.0)
    plane_sigma_m: float = Field(
        5.0, title="Accuracy of alt_hae_m where it stands in for tiles", ge=0.0, le=1000.0
    )
    max_range_m: float = Field(
        3000.0, title="Beyond this a position is no use; a bearing is sent", gt=0.0, le=30000.0
    )

    @model_validator(mode="after")
    def _one_ground(self) -> Self:
        if self.alt_hae_m is None and not self.dem:
            raise ValueError("give alt_hae_m (level ground), or elevation tiles in dem, or both")
        if self.geoid_file is not None and self.geoid_height_m is not None:
            raise ValueError("give geoid_file or geoid_height_m, not both")
        if self.fill_voids_posts and not self.dem:
            raise ValueError("fill_voids_posts needs elevation tiles in dem")
        return self
