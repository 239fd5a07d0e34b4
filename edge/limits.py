"""The node's own signed copy of line, zones and permits, and what it makes of a place.

Only what the station's key signed is believed; a version is never replaced by an older one, and the
copy on disk is verified again at every start.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from edge.sector import Sector
from geo.frames import EnuFrame, GeodeticPoint
from geo.line import OrientedLine
from geo.zone import Polygon
from runtime.log import get_logger
from wire import codec
from wire.commands import SignedDocument, ZonesDocument
from wire.signing import BadSignature, VerifyKey
from wire.topics import BY_NAME
from wire.values import Bearing, GeoPoint, Position

IMPORTED_SIGMA_M = 75.0
"""What a line segment counts with whose owner states no accuracy."""
_SURE_SIGMA = 6.0
"""An edge farther off than this changes P(inside) by less than 2e-8."""
ZONE_ROLES = ("restricted", "watch", "ignore", "gate", "no_go", "go")
Side = Literal["ours", "theirs"]
_NOT_A_DRAWING = (LookupError, TypeError, ValueError, AttributeError, OverflowError, StopIteration)
"""What reading a document of any other shape runs into."""
Array = npt.NDArray[np.float64]


class LimitsRefused(ValueError):
    """A zones document that is not taken into force.

    Attributes:
        reason: A stable word for counters.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A drawn zone, in the plane of the site.

    Attributes:
        zone_id: As drawn.
        role: One of `ZONE_ROLES`.
        polygon: Its edge.
        always: Whether it has no hours. A home with hours is never ignored here: the node does
            not judge schedules, and what it drops is gone.
    """

    zone_id: str
    role: str
    polygon: Polygon
    always: bool


class Map:
    """Line and zones in a plane of metres at the middle of the line.

    Args:
        features: GeoJSON FeatureCollection as the station checked and signed it.

    Raises:
        LimitsRefused: It cannot be read; nothing of it may be used.
    """

    def __init__(self, features: Mapping[str, Any]) -> None:
        try:
            self._read(features)
        except _NOT_A_DRAWING as error:
            raise LimitsRefused(
                "malformed", f"features: {type(error).__name__}: {error}; draw the site again"
            ) from None

    def _read(self, features: Mapping[str, Any]) -> None:
        rows = list(features["features"])
        line = next(row for row in rows if row["properties"]["role"] == "line")
        course = np.asarray([p[:2] for p in line["geometry"]["coordinates"]], dtype=np.float64)
        lon, lat = (course.min(axis=0) + course.max(axis=0)) / 2.0
        self._frame = EnuFrame(GeodeticPoint(lon_deg=float(lon), lat_deg=float(lat), alt_hae_m=0.0))
        segments = line["properties"].get("segments") or [{} for _ in course[1:]]
        sigma = [segment.get("accuracy_sigma_m") for segment in segments]
        self._line = OrientedLine(
            vertices_enu_m=self._plane(course),
            our_side=line["properties"]["our_side"],
            sigma_m=[IMPORTED_SIGMA_M if value is None else float(value) for value in sigma],
        )
        self.areas = tuple(
            Area(
                zone_id=str(row["properties"]["id"]),
                role=row["properties"]["role"],
                polygon=Polygon(self._plane(np.asarray(row["geometry"]["coordinates"][0]))),
                always=not row["properties"].get("schedule"),
            )
            for row in rows
            if row["properties"]["role"] in ZONE_ROLES
        )
        self._homes = tuple(area for area in self.areas if area.role == "ignore" and area.always)

    def _plane(self, lon_lat: Array) -> Array:
        return self._frame.to_enu(lon_lat[:, 0], lon_lat[:, 1], 0.0)[:, :2]

    def _point(self, position: GeoPoint) -> Array:
        return self._frame.to_enu(position.lon_deg, position.lat_deg, position.alt_hae_m)[:, :2]

    def probability_ours(self, position: Position) -> float | None:
        """P(our side) from the target's and the line's accuracy; None beyond the line's ends."""
        p = float(
            self._line.probability_our_side(
                self._point(position), np.asarray([position.cov_enu_m2])
            )[0]
        )
        return p if np.isfinite(p) else None

    def probabilities_inside(self, position: Position) -> dict[str, float]:
        """Zone id to P(inside), over the whole zone: a small one holds little of a wide guess."""
        point, cov = self._point(position), np.asarray(position.cov_enu_m2)
        doubt_m = _SURE_SIGMA * max(1e-3, float(np.sqrt(np.linalg.eigvalsh(cov)[-1])))
        east_m, north_m = point[0].tolist()

        def inside(polygon: Polygon) -> float:
            # Most zones are far off, and the whole integral is slow for every track and frame.
            if polygon.beyond(east_m, north_m, doubt_m):
                return 0.0
            within_m = float(polygon.signed_distance_m(point)[0])
            if abs(within_m) > doubt_m:
                return 1.0 if within_m > 0.0 else 0.0
            return float(polygon.probability_inside(point, cov)[0])

        return {area.zone_id: inside(area.polygon) for area in self.areas}

    @property
    def home_ids(self) -> frozenset[str]:
        """Ids of the zones that are homes at any hour."""
        return frozenset(area.zone_id for area in self._homes)

    def bearing_in_homes(
        self, sensor: GeoPoint, bearing: Bearing
    ) -> Literal["no", "partly", "all"]:
        """How much of a bearing's sector (2 sigma wide) lies in one home zone."""
        if not self._homes:
            return "no"
        # East and north at the sensor and at the site's middle differ by less than 0.1 degree.
        sector = Sector(
            self._point(sensor)[0],
            azimuth_deg=bearing.azimuth_deg,
            half_width_deg=2.0 * bearing.sigma_deg,
            range_m=(bearing.range_min_m, bearing.range_max_m),
        )
        parts = {sector.part_in(area.polygon) for area in self._homes}
        return "all" if "all" in parts else "partly" if "partly" in parts else "no"


class Limits:
    """What is in force, and the file it lives in.

    Args:
        folder: Of the file; made if absent.
        site_id: A document of another site is refused.
        key: The station's; None refuses everything.
    """

    def __init__(self, folder: Path, *, site_id: str, key: VerifyKey | None) -> None:
        self._path = folder / "zones.signed.json"
        self._site_id = site_id
        self._key = key
        self._log = get_logger(worker="limits")
        self.document: ZonesDocument | None = None
        self.sha256: str | None = None
        self.map: Map | None = None
        if self._path.exists():
            try:
                signed = SignedDocument.model_validate_json(self._path.read_bytes())
                self._hold(*self._checked(signed))
            except (OSError, ValidationError, LimitsRefused) as error:
                self._log.error("zones_on_disk_refused", file=str(self._path), reason=str(error))

    @property
    def version(self) -> int | None:
        """Of the document in force."""
        return None if self.document is None else self.document.version

    def offer(self, payload: bytes) -> bool:
        """A zones message arrived.

        Returns:
            Whether it was new and is in force now.

        Raises:
            LimitsRefused: It is not taken; what was in force stays so.
        """
        try:
            message = codec.decode(payload, spec=BY_NAME["zones"]).message
        except codec.Refused as error:
            raise LimitsRefused(error.reason, error.detail) from None
        signed: SignedDocument = message.body
        sha256 = hashlib.sha256(signed.signed.encode()).hexdigest()
        if sha256 == self.sha256:
            return False
        checked = self._checked(signed)
        try:
            # First, since what is in force is not taken from a second delivery.
            self._write(signed)
        except OSError as error:
            raise LimitsRefused(
                "storage", f"{self._path}: {error.strerror}; make room, then send the zones again"
            ) from None
        self._hold(*checked)
        self._log.info("zones_in_force", version=self.version, sha256=self.sha256)
        return True

    def _checked(self, signed: SignedDocument) -> tuple[ZonesDocument, Map, str]:
        """What was signed, drawn, and its hash; nothing is in force yet."""
        if self._key is None:
            raise LimitsRefused(
                "signature", "this node has no station key; set node.station_key_file"
            )
        try:
            text = self._key.verify(signed)
            document = codec.decode_zones(text)
        except BadSignature as error:
            raise LimitsRefused("signature", str(error)) from None
        except codec.Refused as error:
            raise LimitsRefused(error.reason, error.detail) from None
        if document.site_id != self._site_id:
            raise LimitsRefused(
                "wrong_site", f"zones of site {document.site_id}, this node is of {self._site_id}"
            )
        if self.version is not None and document.version <= self.version:
            raise LimitsRefused(
                "older", f"version {document.version} is not newer than {self.version} in force"
            )
        return document, Map(document.features), hashlib.sha256(text.encode()).hexdigest()

    def _hold(self, document: ZonesDocument, drawn: Map, sha256: str) -> None:
        self.document, self.map, self.sha256 = document, drawn, sha256

    def _write(self, signed: SignedDocument) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(signed.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
