"""The telemetry that DJI drones write beside a film as subtitles, in all its spellings.

A cue gives whatever its drone wrote and no more: old models tell a place only, and in an order that
the text does not name. Where the order cannot be proved the places are refused, in words.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from runtime.errors import AskOperator

MAX_BYTES = 256 * 1024 * 1024
Order = Literal["lon_lat", "lat_lon"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SrtCue:
    """What one cue said; None: it did not.

    Attributes:
        t_film_s: when it begins, seconds of the film.
        place_step_deg: the last digit of its place, as the text was rounded.
        above_takeoff_m: height above where the drone took off, by its barometer.
        altitude_m: a height whose zero the drone does not name ("altitude", "abs_alt").
        gimbal_yaw_deg: of the camera, from north, clockwise, by the drone's compass.
        gimbal_pitch_deg: of the camera, up is positive.
        gimbal_roll_deg: of the camera, clockwise seen from behind.
        focal_mm: as for a 35 mm film.
    """

    t_film_s: float
    lon_deg: float | None = None
    lat_deg: float | None = None
    place_step_deg: float = 0.0
    above_takeoff_m: float | None = None
    altitude_m: float | None = None
    gimbal_yaw_deg: float | None = None
    gimbal_pitch_deg: float | None = None
    gimbal_roll_deg: float | None = None
    focal_mm: float | None = None
    iso: float | None = None
    colour_temperature_k: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SrtTelemetry:
    """A whole file.

    Attributes:
        cues: in order of time.
        counters: `cues`, `without_place`, `null_place` (0/0), `out_of_range`, `cut_off`,
            `out_of_order` (cues that go back in time are dropped).
        order: of the unnamed pairs "GPS(a, b)", as proved or told; None where there are none.
        order_proof: how that is known, or why it is not, in words.
    """

    cues: tuple[SrtCue, ...]
    counters: Mapping[str, int]
    order: Order | None = None
    order_proof: str = ""
    places: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Count what may be used."""
        object.__setattr__(self, "places", sum(cue.lon_deg is not None for cue in self.cues))

    @property
    def gimbal(self) -> bool:
        """Whether any cue says how the camera looked."""
        return any(
            cue.gimbal_yaw_deg is not None and cue.gimbal_pitch_deg is not None for cue in self.cues
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """Which values the file gives at all, in the order of `SrtCue`."""
        names = [name for name in SrtCue.__slots__ if name not in ("t_film_s", "place_step_deg")]
        return tuple(
            name for name in names if any(getattr(cue, name) is not None for cue in self.cues)
        )


_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_TIMES = re.compile(r"\b(\d{1,4}):(\d\d):(\d\d)[,.](\d{1,3})\s*-->\s*\d{1,4}:\d\d:\d\d[,.]\d{1,3}")
_DATE = re.compile(r"(\d{4})[-.](\d{1,2})[-.](\d{1,2})\s+(\d{1,2}):(\d\d):(\d\d)(?:[,.](\d+))?")
_PAIR = rf"\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*(?:,\s*[^()]*)?\)"
_GPS = re.compile(r"\bGPS\s*" + _PAIR)
_HOME = re.compile(r"\bHOME\s*" + _PAIR)
_DISTANCE = re.compile(rf"\bD\s+({_NUMBER})\s*m\b")
_HEIGHT = re.compile(rf"\bH\s+({_NUMBER})\s*m\b")
_GIMBAL = re.compile(rf"\bG\.PRY\s*\(\s*({_NUMBER})°?\s*,\s*({_NUMBER})°?\s*,\s*({_NUMBER})°?\s*\)")
_PLAIN = re.compile(rf"\b([A-Za-z_]+)\s*:\s*({_NUMBER})")
_WORDS = re.compile(rf"\b(ISO)\s+({_NUMBER})")

_NAMES = {
    "latitude": "lat",
    "longitude": "lon",
    "longtitude": "lon",
    "rel_alt": "above_takeoff_m",
    "barometer": "above_takeoff_m",
    "hb": "above_takeoff_m",
    "abs_alt": "altitude_m",
    "altitude": "altitude_m",
    "gb_yaw": "gimbal_yaw_deg",
    "gb_pitch": "gimbal_pitch_deg",
    "gb_roll": "gimbal_roll_deg",
    "focal_len": "focal_mm",
    "iso": "iso",
    "ct": "colour_temperature_k",
}
_MOST = {
    "above_takeoff_m": 20_000.0,
    "altitude_m": 20_000.0,
    "gimbal_yaw_deg": 360.0,
    "gimbal_pitch_deg": 180.0,
    "gimbal_roll_deg": 180.0,
    "focal_mm": 10_000.0,
    "iso": 1e7,
    "colour_temperature_k": 1e6,
}
_EARTH_M_PER_DEG = 111_320.0
_FIT_FLOOR_M, _FIT_RATIO = 8.0, 0.02
_MISS_RATIO = 3.0
_MISS_FLOOR_M = 30.0


def read_srt(data: bytes, *, order: Order | None = None) -> SrtTelemetry:
    """A file's telemetry.

    Args:
        data: of the file.
        order: of unnamed pairs, by the operator's word; otherwise it must be proved by the file.

    Raises:
        AskOperator: there is no cue in it at all.
    """
    if len(data) > MAX_BYTES:
        raise _unreadable(f"{len(data):,} bytes", "a telemetry file is smaller than 256 MB")
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    counters: Counter[str] = Counter()
    drafts = list(_drafts(text, counters))
    if not drafts:
        raise _unreadable(
            "an empty file" if not text.strip() else "no cue",
            "the recording was cut off or is no DJI telemetry; take the .SRT that the drone wrote",
        )
    proved, proof = (order, "the config says so") if order is not None else _order(drafts)
    last_s = -math.inf
    cues = []
    for draft in drafts:
        if draft.t_film_s < last_s:
            counters["out_of_order"] += 1
            continue
        last_s = draft.t_film_s
        cues.append(_cue(draft, proved, counters))
    counters["cues"] = len(cues)
    unnamed = any(draft.gps is not None for draft in drafts)
    return SrtTelemetry(
        cues=tuple(cues),
        counters=dict(counters),
        order=proved if unnamed else None,
        order_proof=proof if unnamed else "",
    )


def _unreadable(value: str, next_step: str) -> AskOperator:
    return AskOperator(
        field="DJI telemetry", value=value, allowed="cues with telemetry", next_step=next_step
    )


# --- cues -----------------------------------------------------------------------------------------
Pair = tuple[str, str]


@dataclass(slots=True)
class _Draft:
    """A cue as written."""

    t_film_s: float
    named: dict[str, str]
    gps: Pair | None
    home: Pair | None
    distance_m: float | None


def _drafts(text: str, counters: Counter[str]) -> Iterator[_Draft]:
    first_date_s: float | None = None
    for block in re.split(r"\n\s*\n(?=\s*\d+\s*\n)", text):
        body = re.sub(r"^\s*\d+\s*(?:\n|$)", "", block, count=1)
        if not body.strip():
            counters["cut_off"] += bool(block.strip())
            continue
        times = _TIMES.search(body)
        date = _DATE.search(body)
        if times is not None:
            hours, minutes, seconds, part = times.groups()
            t_film_s = float(int(hours) * 3600 + int(minutes) * 60 + int(seconds))
            t_film_s += int(part.ljust(3, "0")) / 1000
            body = body[times.end() :]
        elif date is not None:
            date_s = _date_s(date)
            first_date_s = date_s if first_date_s is None else first_date_s
            t_film_s = date_s - first_date_s
        else:
            counters["cut_off"] += 1
            continue
        draft = _draft(t_film_s, body)
        if draft is None:
            counters["cut_off"] += 1
            continue
        yield draft


def _date_s(date: re.Match[str]) -> float:
    """Seconds of the cue's wall clock, whatever its zone: only differences are used.

    Source: Richards, "Calendars", in Explanatory Supplement to the Astronomical Almanac, 2013.
    """
    year, month, day, hour, minute, second = (int(part) for part in date.groups()[:6])
    part = float("0." + (date.group(7) or "0"))
    # Julian day of any three numbers: a date that no calendar has must not raise.
    before_march = (14 - month) // 12
    years, months = year + 4800 - before_march, month + 12 * before_march - 3
    days = day + (153 * months + 2) // 5 + 365 * years + years // 4 - years // 100 + years // 400
    return days * 86400.0 + hour * 3600 + minute * 60 + second + part


def _draft(t_film_s: float, body: str) -> _Draft | None:
    if body.count("[") != body.count("]") or body.count("(") != body.count(")"):
        return None  # Cut off in the middle: its last number may lack digits.
    named: dict[str, str] = {}
    for name, number in [*_PLAIN.findall(body), *_WORDS.findall(body)]:
        known = _NAMES.get(name.lower())
        if known is not None:
            named.setdefault(known, number)
    height = _HEIGHT.search(body)
    if height is not None:
        named.setdefault("above_takeoff_m", height.group(1))
    gimbal = _GIMBAL.search(body)
    if gimbal is not None:
        for name, number in zip(("pitch", "roll", "yaw"), gimbal.groups(), strict=True):
            named.setdefault(f"gimbal_{name}_deg", number)
    gps, home, distance = _GPS.search(body), _HOME.search(body), _DISTANCE.search(body)
    if not named and gps is None:
        return None
    return _Draft(
        t_film_s=t_film_s,
        named=named,
        gps=(gps.group(1), gps.group(2)) if gps else None,
        home=(home.group(1), home.group(2)) if home else None,
        distance_m=float(distance.group(1)) if distance else None,
    )


def _cue(draft: _Draft, order: Order | None, counters: Counter[str]) -> SrtCue:
    named = dict(draft.named)
    lon, lat = named.pop("lon", None), named.pop("lat", None)
    if (lon is None or lat is None) and draft.gps is not None and order is not None:
        lon, lat = draft.gps if order == "lon_lat" else draft.gps[::-1]
    values = {name: float(number) for name, number in named.items()}
    focal_mm = values.get("focal_mm")
    if focal_mm is not None and focal_mm >= 100.0:
        values["focal_mm"] = focal_mm / 10.0  # Older models write tenths: 280 is 28 mm.
    if values.get("focal_mm") == 0.0:
        del values["focal_mm"]
    place: dict[str, float] = {}
    if lon is None or lat is None:
        counters["without_place"] += 1
    elif float(lon) == 0.0 and float(lat) == 0.0:
        counters["null_place"] += 1
    elif abs(float(lon)) > 180.0 or abs(float(lat)) > 90.0:
        counters["out_of_range"] += 1
    else:
        place = {
            "lon_deg": float(lon),
            "lat_deg": float(lat),
            "place_step_deg": 10.0 ** -min(_digits(lon), _digits(lat)),
        }
    for name, number in list(values.items()):
        if abs(number) > _MOST[name]:
            counters["out_of_range"] += 1
            del values[name]
    return SrtCue(t_film_s=draft.t_film_s, **values, **place)


def _digits(number: str) -> int:
    return len(number.partition(".")[2])


# --- the order of unnamed pairs -------------------------------------------------------------------
def _order(drafts: Sequence[_Draft]) -> tuple[Order | None, str]:
    """Which of "GPS(a, b)" is the longitude, as the file itself proves it; else None and why."""
    votes: Counter[Order] = Counter()
    proofs: dict[Order, str] = {}
    for vote, proof in _evidence(drafts):
        votes[vote] += 1
        proofs.setdefault(vote, proof)
    if len(votes) == 1:
        order = next(iter(votes))
        return order, proofs[order]
    if not votes:
        return None, (
            "GPS(a, b) does not name its order, and nothing in the file proves it: "
            'say gps_order = "lon_lat" or "lat_lon"'
        )
    return None, 'the file contradicts itself: say gps_order = "lon_lat" or "lat_lon"'


def _evidence(drafts: Sequence[_Draft]) -> Iterator[tuple[Order, str]]:
    named = [
        (float(draft.named["lon"]), float(draft.named["lat"]))
        for draft in drafts
        if "lon" in draft.named and "lat" in draft.named
    ]
    named = [place for place in named if place != (0.0, 0.0)]
    for draft in drafts:
        if draft.gps is None:
            continue
        a, b = float(draft.gps[0]), float(draft.gps[1])
        if (a, b) == (0.0, 0.0) or max(abs(a), abs(b)) > 180.0:
            continue
        if abs(a) > 90.0 >= abs(b):
            yield "lon_lat", f"{a:g} can only be a longitude"
        elif abs(b) > 90.0 >= abs(a):
            yield "lat_lon", f"{b:g} can only be a longitude"
        elif named:
            vote = _by_neighbour((a, b), named[0])
            if vote is not None:
                yield vote, "the same file names latitude and longitude elsewhere"
        elif draft.home is not None and draft.distance_m is not None:
            home = float(draft.home[0]), float(draft.home[1])
            vote = _by_distance((a, b), home, draft.distance_m)
            if vote is not None:
                yield vote, "only so the distance from home is the one it gives"


def _by_neighbour(pair: tuple[float, float], named: tuple[float, float]) -> Order | None:
    straight = math.hypot(pair[0] - named[0], pair[1] - named[1])
    swapped = math.hypot(pair[1] - named[0], pair[0] - named[1])
    if min(straight, swapped) > 0.5 or max(straight, swapped) < 2.0:
        return None
    return "lon_lat" if straight < swapped else "lat_lon"


def _by_distance(
    pair: tuple[float, float], home: tuple[float, float], distance_m: float
) -> Order | None:
    """The order in which the way from home has the length that the drone gives."""
    if max(abs(pair[0]), abs(pair[1]), abs(home[0]), abs(home[1])) >= 90.0:
        return None
    da, db = pair[0] - home[0], pair[1] - home[1]
    as_lon_lat = math.hypot(da * math.cos(math.radians(pair[1])), db) * _EARTH_M_PER_DEG
    as_lat_lon = math.hypot(db * math.cos(math.radians(pair[0])), da) * _EARTH_M_PER_DEG
    misses = abs(as_lon_lat - distance_m), abs(as_lat_lon - distance_m)
    fits = min(misses) <= max(_FIT_FLOOR_M, _FIT_RATIO * distance_m)
    if not fits or max(misses) < max(_MISS_FLOOR_M, _MISS_RATIO * min(misses)):
        return None
    return "lon_lat" if misses[0] < misses[1] else "lat_lon"
