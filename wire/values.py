"""Values that several messages share: ids, instants, positions, covariances.

All models are frozen; units stand in every name; numbers are finite by construction.
"""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import Self

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,47}$"
ULID_PATTERN = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"


class WireModel(BaseModel):
    """Base of all that travels: frozen, finite numbers, unknown fields left to the codec."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        populate_by_name=True,
        serialize_by_alias=True,
        ser_json_inf_nan="constants",
    )


def _text_instant(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        raise ValueError(
            "an instant is RFC 3339 text such as 2026-11-23T02:40:12.000Z, not a number"
        )
    if isinstance(value, str) and not value.endswith("Z"):
        raise ValueError("an instant is UTC and ends in Z, such as 2026-11-23T02:40:12.000Z")
    return value


def _utc_milliseconds(value: datetime) -> datetime:
    if value.tzinfo is None or value.utcoffset() != timedelta(0):
        raise ValueError("an instant is aware UTC")
    utc = value.astimezone(timezone.utc)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def rfc3339_ms(value: datetime) -> str:
    """Text of an aware instant: UTC, milliseconds, `Z`."""
    utc = value.astimezone(timezone.utc)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


UtcMs = Annotated[
    datetime,
    BeforeValidator(_text_instant),
    AfterValidator(_utc_milliseconds),
    PlainSerializer(rfc3339_ms, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": "Z$"}),
]
"""An instant: aware UTC, whole milliseconds, RFC 3339 with `Z` on the wire."""

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A site, node or sensor id: lower case letters, digits and hyphens, 48 at most."""
Ulid = Annotated[str, Field(pattern=ULID_PATTERN)]
"""A ULID, upper case: sorts by the instant it was made."""
Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN)]
LonDeg = Annotated[float, Field(ge=-180.0, le=180.0)]
LatDeg = Annotated[float, Field(ge=-90.0, le=90.0)]
AzimuthDeg = Annotated[float, Field(ge=0.0, le=360.0)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
SigmaM = Annotated[float, Field(ge=0.0)]
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=2000)]

ObjectClass = Literal["Human", "Boat", "Vehicle", "Animal", "Unknown"]
"""SAPIENT's words; no class says who somebody is."""
Spectrum = Literal["day", "thermal"]
ClockSource = Literal["gps", "pps", "ntp", "ptp", "rtc", "manual", "boot", "simulated"]

_Row = tuple[float, float]


def _covariance(value: tuple[_Row, _Row]) -> tuple[_Row, _Row]:
    (xx, xy), (yx, yy) = value
    if abs(xy - yx) > 1e-6 * max(1.0, abs(xy)):
        raise ValueError("a covariance is symmetric")
    if xx < 0 or yy < 0 or xx * yy - xy * yx < -1e-6 * max(1.0, xx * yy):
        raise ValueError("a covariance is positive semi-definite")
    return value


CovarianceEnuM2 = Annotated[tuple[_Row, _Row], AfterValidator(_covariance)]
"""[[EE, EN], [NE, NN]] in square metres, symmetric, positive semi-definite."""


class ClockStamp(WireModel):
    """How far the sender's clock can be believed; `error_s` is null when nobody knows."""

    source: ClockSource
    error_s: Annotated[float, Field(ge=0.0)] | None = None


class GeoPoint(WireModel):
    """A place: WGS84 degrees, height above the ellipsoid in metres."""

    lon_deg: LonDeg
    lat_deg: LatDeg
    alt_hae_m: float


class Position(GeoPoint):
    """Where an object stands on the ground, and how sure that is."""

    cov_enu_m2: CovarianceEnuM2
    cov_bias_enu_m2: CovarianceEnuM2
    ce90_m: Annotated[float, Field(ge=0.0)]
    method: Literal["terrain", "plane"]

    @model_validator(mode="after")
    def _shared_is_part_of_total(self) -> Self:
        for axis in (0, 1):
            total, shared = self.cov_enu_m2[axis][axis], self.cov_bias_enu_m2[axis][axis]
            if shared > total * 1.001 + 1e-6:
                raise ValueError("cov_bias_enu_m2 is the shared part of cov_enu_m2, never larger")
        return self


class Bearing(WireModel):
    """A direction with an honest range, where the ray meets no ground usefully."""

    azimuth_deg: AzimuthDeg
    sigma_deg: Annotated[float, Field(gt=0.0, le=180.0)]
    range_min_m: Annotated[float, Field(ge=0.0)]
    range_max_m: Annotated[float, Field(gt=0.0)]

    @model_validator(mode="after")
    def _range_is_ordered(self) -> Self:
        if self.range_min_m > self.range_max_m:
            raise ValueError("range_min_m is at most range_max_m")
        return self


class VelocityEnu(WireModel):
    """Horizontal velocity, one sigma per axis."""

    east_m_s: float
    north_m_s: float
    sigma_m_s: Annotated[float, Field(ge=0.0)]


class Attitude(WireModel):
    """Where a camera's axis points: azimuth true clockwise, pitch positive up, roll clockwise."""

    azimuth_deg: AzimuthDeg
    pitch_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    roll_deg: Annotated[float, Field(ge=-180.0, le=180.0)] = 0.0


class PoseAccuracy(WireModel):
    """One sigma of each part of a sensor's pose; shared by all that the sensor says."""

    horizontal_sigma_m: SigmaM
    vertical_sigma_m: SigmaM
    azimuth_sigma_deg: Annotated[float, Field(ge=0.0, le=180.0)]
    pitch_sigma_deg: Annotated[float, Field(ge=0.0, le=90.0)]
    roll_sigma_deg: Annotated[float, Field(ge=0.0, le=180.0)]


class LensDescription(WireModel):
    """OpenCV's pinhole with Brown-Conrady distortion, in pixels of the stated frame."""

    fx_px: Annotated[float, Field(gt=0.0)]
    fy_px: Annotated[float, Field(gt=0.0)]
    cx_px: float
    cy_px: float
    width_px: Annotated[int, Field(gt=0, le=16384)]
    height_px: Annotated[int, Field(gt=0, le=16384)]
    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0
