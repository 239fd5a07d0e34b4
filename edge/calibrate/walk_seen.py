"""What a node said of a walk: observations from JSON lines, from its outbox, or made from a film."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from edge.calibrate.tables import read_bytes
from geo.frames import EnuFrame, GeodeticPoint
from runtime.errors import AskOperator
from wire.messages import Observation
from wire.topics import BY_NAME

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

Stamped = tuple[float, Observation]
"""Seconds since 1970 of capture, and what was said."""

_LEAST_DEPTH_M = 0.3


def read_lines(path: Path) -> list[Stamped]:
    """Read observations, one JSON a line: envelopes as on the wire, as stored, or as MQTT tools log them.

    A line may be the envelope itself, hold it under `payload` (as text or object), or be a bare
    observation with `t_event_utc` beside its fields. Lines of other messages are passed over.

    Raises:
        AskOperator: names file and line.
    """
    found: list[Stamped] = []
    try:
        text = read_bytes(path, what="observations as JSON lines").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong(f"{path}", f"byte {error.start} is no UTF-8") from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = f"{path} line {number}"
        try:
            outer = json.loads(line)
            if isinstance(outer, dict) and "payload" in outer:
                inner = outer["payload"]
                outer = json.loads(inner) if isinstance(inner, str) else inner
        except (ValueError, RecursionError) as error:
            raise _wrong(place, str(error)[:120]) from None
        if not isinstance(outer, dict):
            raise _wrong(place, type(outer).__name__)
        body = outer.get("body", outer)
        if not (isinstance(body, dict) and "track_id" in body and "box_px" in body):
            continue
        found.append((_instant(outer.get("t_event_utc"), place), _observation(body, place)))
    return found


def _wrong(place: str, value: object) -> AskOperator:
    return AskOperator(
        field=place,
        value=value,
        allowed="one observation as JSON per line, as the node sends them",
        next_step=f"record them with: mosquitto_sub -t '{BY_NAME['obs'].filter()}' -F %p",
    )


def _instant(value: Any, place: str) -> float:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise _wrong(f"{place}: t_event_utc", value) from None


def _observation(body: dict[str, Any], place: str) -> Observation:
    try:
        return Observation.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise _wrong(f"{place}: {key}", first["msg"]) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Observations of one camera as arrays, in the east-north frame below its lens.

    Attributes:
        origin: the lens; the frame's zero.
        t_s: (n,) seconds since 1970.
        track: (n,) number of the track each belongs to.
        track_ids: by that number.
        places_m: (n, 2) east, north; nan for bearings.
        depth_m: (n,) how far below the lens a place lies; nan for bearings.
        cov_m2: (n, 2, 2) total.
        cov_own_m2: (n, 2, 2) without what all observations of the camera share.
        azimuth_rad: (n,) of bearings; nan for places.
        azimuth_sigma_rad: (n,).
        height_px: (n,) of the box.
    """

    origin: GeodeticPoint
    t_s: Array
    track: npt.NDArray[np.intp]
    track_ids: tuple[str, ...]
    places_m: Array
    depth_m: Array
    cov_m2: Array
    cov_own_m2: Array
    azimuth_rad: Array
    azimuth_sigma_rad: Array
    height_px: Array

    def __len__(self) -> int:
        return len(self.t_s)

    @property
    def placed(self) -> Flags:
        """(n,) which have a place."""
        return np.isfinite(self.places_m[:, 0])

    def take(self, rows: Flags | npt.NDArray[np.intp]) -> "Seen":
        """Some of them."""
        return Seen(
            origin=self.origin,
            t_s=self.t_s[rows],
            track=self.track[rows],
            track_ids=self.track_ids,
            places_m=self.places_m[rows],
            depth_m=self.depth_m[rows],
            cov_m2=self.cov_m2[rows],
            cov_own_m2=self.cov_own_m2[rows],
            azimuth_rad=self.azimuth_rad[rows],
            azimuth_sigma_rad=self.azimuth_sigma_rad[rows],
            height_px=self.height_px[rows],
        )


def seen_by(
    rows: Iterable[Stamped],
    *,
    sensor_id: str = "",
    lens: GeodeticPoint | None = None,
    classes: frozenset[str] = frozenset({"Human", "Unknown"}),
) -> Seen:
    """Choose one camera's observations of people and lay them out.

    Args:
        rows: from anywhere.
        sensor_id: the camera; may be empty where only one speaks.
        lens: where it stands; the observations' own word where not given.
        classes: that count.

    Raises:
        AskOperator: several cameras and none chosen, nothing said, or no word on where the lens is.
    """
    listed = list(rows)
    sensors = sorted({said.sensor_id for _, said in listed})
    if not sensor_id and len(sensors) > 1:
        raise AskOperator(
            field="--sensor",
            value="",
            allowed=", ".join(sensors),
            next_step="a walk accepts one camera at a time: name it",
        )
    wanted = [
        (t_s, said)
        for t_s, said in listed
        # The last word repeats the last place.
        if said.sensor_id == (sensor_id or sensors[0])
        and said.phase != "end"
        and said.object_class in classes
        and (said.position is not None or said.bearing is not None)
    ]
    if not wanted:
        raise AskOperator(
            field="observations",
            value=f"{len(listed)} in all, none of people placed by {sensor_id or 'a camera'}",
            allowed="observations with a place or a bearing",
            next_step=f"cameras that speak: {', '.join(sensors) or 'none'}; does the camera have "
            "lens, mount and ground in the config",
        )
    if lens is None:
        told = next((said.sensor_position for _, said in wanted if said.sensor_position), None)
        if told is None or told.alt_hae_m is None:
            raise AskOperator(
                field="sensor_position",
                value="not told by the observations",
                allowed="a camera whose place is known",
                next_step="pass --config with the camera's mount",
            )
        lens = GeodeticPoint(lon_deg=told.lon_deg, lat_deg=told.lat_deg, alt_hae_m=told.alt_hae_m)
    wanted.sort(key=lambda row: row[0])
    return _laid_out(wanted, lens)


def _laid_out(wanted: list[Stamped], lens: GeodeticPoint) -> Seen:
    frame = EnuFrame(lens)
    ids = list(dict.fromkeys(said.track_id for _, said in wanted))
    number = {track_id: k for k, track_id in enumerate(ids)}
    count = len(wanted)
    places, depth = np.full((count, 2), np.nan), np.full(count, np.nan)
    cov, own = np.full((count, 2, 2), np.nan), np.full((count, 2, 2), np.nan)
    azimuth, azimuth_sigma = np.full(count, np.nan), np.full(count, np.nan)
    for k, (_, said) in enumerate(wanted):
        if said.position is not None:
            spot = said.position
            alt = lens.alt_hae_m if spot.alt_hae_m is None else spot.alt_hae_m
            enu = frame.to_enu(spot.lon_deg, spot.lat_deg, alt)[0]
            places[k], depth[k] = enu[:2], -enu[2]
            cov[k] = spot.cov_enu_m2
            own[k] = cov[k] - np.asarray(spot.cov_bias_enu_m2)
        elif said.bearing is not None:
            azimuth[k] = np.radians(said.bearing.azimuth_deg)
            azimuth_sigma[k] = np.radians(said.bearing.sigma_deg)
    depth[~(depth > _LEAST_DEPTH_M)] = np.nan
    return Seen(
        origin=lens,
        t_s=np.array([t_s for t_s, _ in wanted]),
        track=np.array([number[said.track_id] for _, said in wanted], np.intp),
        track_ids=tuple(ids),
        places_m=places,
        depth_m=depth,
        cov_m2=cov,
        cov_own_m2=own,
        azimuth_rad=azimuth,
        azimuth_sigma_rad=azimuth_sigma,
        height_px=np.array([said.pixel_height_px for _, said in wanted]),
    )
