"""A phone's track out of a GPX file: where its carrier was at any second.

The parser underneath is expat with document types refused, so that no entity can grow or reach out.
"""

from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from xml.parsers import expat

import numpy as np
import numpy.typing as npt

from edge.calibrate.tables import read_bytes
from geo.frames import EnuFrame, GeodeticPoint
from runtime.errors import AskOperator

Array = npt.NDArray[np.float64]

MAX_POINTS = 200_000
MAX_GAP_S = 15.0
"""Between points further apart nobody knows where the carrier was."""
_MAX_DEPTH = 64
_MAX_SPEED_M_S = 12.0
_LEAST_POINTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where a phone was.

    Attributes:
        t_s: (n,) seconds since 1970, rising.
        lon_deg: (n,).
        lat_deg: (n,).
        dropped: points that were left out, by reason.
    """

    t_s: Array
    lon_deg: Array
    lat_deg: Array
    dropped: dict[str, int] = field(default_factory=dict)

    def path(self, origin: GeodeticPoint) -> "Path2d":
        """The track in the east-north frame at a place."""
        enu = EnuFrame(origin).to_enu(
            self.lon_deg, self.lat_deg, np.full(len(self.t_s), origin.alt_hae_m)
        )
        return Path2d(t_s=self.t_s, places_m=enu[:, :2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Path2d:
    """A track in metres: (n,) seconds and (n, 2) east, north."""

    t_s: Array
    places_m: Array

    def at(self, t_s: npt.ArrayLike) -> Array:
        """(m, 2) places at instants, linear between points; nan in gaps and outside."""
        asked = np.atleast_1d(np.asarray(t_s, np.float64))
        found = np.column_stack([np.interp(asked, self.t_s, self.places_m[:, k]) for k in (0, 1)])
        after = np.clip(np.searchsorted(self.t_s, asked), 1, len(self.t_s) - 1)
        gap = self.t_s[after] - self.t_s[after - 1] > MAX_GAP_S
        outside = (asked < self.t_s[0]) | (asked > self.t_s[-1])
        found[gap | outside] = np.nan
        return found

    def smoothed(self, half_s: float) -> "Path2d":
        """The mean of the track over so much before and after each second; gaps stay gaps."""
        second = np.arange(self.t_s[0], self.t_s[-1] + 1.0)
        place = self.at(second)
        known = np.isfinite(place[:, 0])
        reach = np.ones(2 * round(half_s) + 1)
        count = np.convolve(known.astype(np.float64), reach, mode="same")
        total = [np.convolve(np.where(known, place[:, k], 0.0), reach, mode="same") for k in (0, 1)]
        mean = np.column_stack(total) / np.maximum(count, 1.0)[:, None]
        return Path2d(t_s=second[known], places_m=mean[known])


class _Reader:
    """Collects `trkpt`s while expat walks over the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._depth = 0
        self._point: tuple[float, float, int] | None = None
        self._time: list[str] | None = None
        self._stamp = ""
        self.rows: list[tuple[float, float, float]] = []
        self.untimed = 0

    def read(self, data: bytes) -> None:
        try:
            self._parser.Parse(data, True)  # noqa: FBT003  # expat's own way to say "the last part"
        except expat.ExpatError as error:
            raise self._wrong(
                error.lineno, expat.errors.messages[error.code], "export the track as GPX 1.1 again"
            ) from None

    def _wrong(self, line: int, value: object, next_step: str) -> AskOperator:
        return AskOperator(
            field=f"{self._path} line {line}",
            value=value,
            allowed="GPX with timed track points",
            next_step=next_step,
        )

    def _doctype(self, *_: object) -> None:
        line = self._parser.CurrentLineNumber
        raise self._wrong(line, "a document type", "take out the <!DOCTYPE ...> line")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        line = self._parser.CurrentLineNumber
        if self._depth > _MAX_DEPTH or len(self.rows) > MAX_POINTS:
            raise self._wrong(line, "a file without end", f"cut it to {MAX_POINTS} points")
        plain = name.rpartition(":")[2]
        if plain == "trkpt":
            self._point = (
                self._degrees(attributes, "lon", 180.0),
                self._degrees(attributes, "lat", 90.0),
                line,
            )
            self._stamp = ""
        elif plain == "time" and self._point is not None:
            self._time = []

    def _degrees(self, attributes: dict[str, str], name: str, limit: float) -> float:
        text = attributes.get(name, "")
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not abs(value) <= limit:
            line = self._parser.CurrentLineNumber
            raise AskOperator(
                field=f"{self._path} line {line}: trkpt {name}",
                value=text[:40],
                allowed=f"degrees within {limit:g}",
                next_step="export the track again, or take the point out",
            )
        return value

    def _text(self, text: str) -> None:
        if self._time is not None:
            self._time.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        plain = name.rpartition(":")[2]
        if plain == "time" and self._time is not None:
            self._stamp, self._time = "".join(self._time).strip(), None
        elif plain == "trkpt" and self._point is not None:
            lon, lat, line = self._point
            self._point = None
            if not self._stamp:
                self.untimed += 1
                return
            self.rows.append((self._seconds(self._stamp, line), lon, lat))

    def _seconds(self, text: str, line: int) -> float:
        try:
            instant = datetime.fromisoformat(_plain_iso(text))
        except ValueError:
            raise self._wrong(
                line, text[:40], "times look like 2026-11-23T02:40:12Z; export the track again"
            ) from None
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=timezone.utc)  # GPX times are UTC.
        return instant.timestamp()


def _plain_iso(text: str) -> str:
    """Python 3.10 takes no Z and only three or six decimals."""
    body = text[:-1] + "+00:00" if text[-1:] in "zZ" else text
    head, point, rest = body.partition(".")
    if not point:
        return body
    digits = rest[: next((k for k, c in enumerate(rest) if not c.isdigit()), len(rest))]
    return f"{head}.{digits[:6]:0<6}{rest[len(digits) :]}"


def read_gpx(path: Path) -> Track:
    """Read a walk.

    Points without a time, out of order, at a doubled instant, or further from the last one than
    anybody runs are dropped and counted.

    Raises:
        AskOperator: no GPX, or no walk; with file, line and what to do.
    """
    reader = _Reader(path)
    reader.read(read_bytes(path, what="a GPX file"))
    rows = np.array(reader.rows, np.float64).reshape(-1, 3)
    dropped = {"without a time": reader.untimed}
    rising = np.ones(len(rows), np.bool_)
    if len(rows):
        before = np.maximum.accumulate(np.concatenate(([-np.inf], rows[:-1, 0])))
        rising = rows[:, 0] > before
    dropped["out of order"] = int((~rising).sum())
    rows = rows[rising]
    kept, jumps = _without_jumps(rows)
    dropped["jumped"] = jumps
    if len(kept) < _LEAST_POINTS:
        raise AskOperator(
            field=str(path),
            value=f"{len(kept)} timed track points",
            allowed=f"a recorded track of at least {_LEAST_POINTS} points, one a second is best",
            next_step="record a track (not a route or waypoints) with times, and export it as GPX",
        )
    return Track(
        t_s=kept[:, 0],
        lon_deg=kept[:, 1],
        lat_deg=kept[:, 2],
        dropped={reason: count for reason, count in dropped.items() if count},
    )


def _without_jumps(rows: Array) -> tuple[Array, int]:
    """Drop single points that lie further off than anybody runs; how many."""
    if len(rows) < 3:
        return rows, 0
    frame = EnuFrame(GeodeticPoint(lon_deg=float(rows[0, 1]), lat_deg=float(rows[0, 2])))
    enu = frame.to_enu(rows[:, 1], rows[:, 2], np.zeros(len(rows)))[:, :2]
    before, here, after = enu[:-2], enu[1:-1], enu[2:]
    t = rows[:, 0]
    out = np.linalg.norm(here - before, axis=1) > _MAX_SPEED_M_S * (t[1:-1] - t[:-2]) + 20.0
    back = np.linalg.norm(here - after, axis=1) > _MAX_SPEED_M_S * (t[2:] - t[1:-1]) + 20.0
    keep = np.ones(len(rows), np.bool_)
    keep[1:-1] = ~(out & back)
    return rows[keep], int((~keep).sum())
