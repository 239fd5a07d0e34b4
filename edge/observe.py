"""From tracks to what is said of them: new, update, end; key words at once, the rest at 2 Hz.

A side of the line or of a zone's edge is only taken when the probability says so, and only given up
for the opposite one, so that a target standing in the doubt does not flicker. Inside a home
(`ignore` zone) a track that was born there is not spoken of as long as it stays; one that walks in
keeps its positions and loses its picture until it ends. Who may be at home by the doubt about the
place, or is seen by a moving camera that does not know where it is, is spoken of without a picture as
long as that lasts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from edge.limits import Map, Side
from edge.located import Located
from edge.track import Track
from wire.messages import Observation
from wire.values import GeoPoint, ObjectClass

Phase = Literal["new", "update", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveRules:
    """How often, and how sure.

    Attributes:
        max_rate_hz: most observations of one track; its end comes at once.
        side_probability: P from which a side is taken.
        class_hold_s: how long a new class must hold before it is said.
    """

    max_rate_hz: float = 2.0
    side_probability: float = 0.9
    class_hold_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One observation with the instant it speaks of, on the monotonic clock."""

    observation: Observation
    t_event_s: float


@dataclass(slots=True)
class _Spoken:
    """What was said of one track, and what is about to be."""

    track: Track
    located: Located
    object_class: ObjectClass
    sensor_position: GeoPoint | None
    side: Side | None = None
    zones: frozenset[str] = frozenset()
    told_side: Side | None = None
    told_zones: frozenset[str] = frozenset()
    told_class: ObjectClass | None = None
    last_s: float | None = None
    other_class: ObjectClass | None = None
    other_since_s: float = 0.0
    hidden: bool = False
    crop_allowed: bool = True
    perhaps_home: bool = False
    """Now it may be in a home: its place is too doubtful, or a camera that moves lost its pose."""
    key_due: bool = field(default=False)


class Observer:
    """What one camera says of its tracks.

    Memory: one entry per living track; `Tracker` bounds those.

    Args:
        sensor_id: the camera.
        sensor_position: of the lens of a camera that stands still, if known.
        rules: how often, and how sure.
        moves: whether the camera may look into any home of the site.
    """

    def __init__(
        self,
        sensor_id: str,
        *,
        sensor_position: GeoPoint | None,
        rules: ObserveRules,
        moves: bool = False,
    ) -> None:
        self._sensor_id = sensor_id
        self._sensor_position = sensor_position
        self._rules = rules
        self._moves = moves
        self._period_s = 1.0 / rules.max_rate_hz
        self._spoken: dict[str, _Spoken] = {}
        self.ignored = 0
        """Tracks that were born in a home and dropped there."""

    def __len__(self) -> int:
        return len(self._spoken)

    def frame(
        self,
        tracks: Sequence[Track],
        located: Sequence[Located],
        *,
        frame_size_px: tuple[int, int],
        area: Map | None,
        sensor_position: GeoPoint | None = None,
    ) -> list[Said]:
        """Take in the tracks of one frame.

        Args:
            tracks: confirmed tracks; those not seen in this frame are passed over.
            located: where each of them is.
            frame_size_px: width, height.
            area: line and zones in force, None without any.
            sensor_position: of the lens at this frame's capture, for a camera that moves.
        """
        lens_at = sensor_position or self._sensor_position
        said = []
        for track, place in zip(tracks, located, strict=True):
            if not track.seen:
                continue
            spoken = self._spoken.get(track.track_id)
            if spoken is None:
                spoken = _Spoken(
                    track=track,
                    located=place,
                    object_class=_word(track),
                    sensor_position=lens_at,
                )
                self._spoken[track.track_id] = spoken
                spoken.hidden = _born_at_home(place, area, lens_at)
                self.ignored += spoken.hidden
            spoken.track, spoken.located, spoken.sensor_position = track, place, lens_at
            self._settle(spoken, area)
            word = self._due(spoken, frame_size_px)
            if word is not None:
                said.append(word)
        return said

    def end(self, tracks: Sequence[Track], *, frame_size_px: tuple[int, int]) -> list[Said]:
        """These tracks are over; each that was spoken of gets its last word."""
        said = []
        for track in tracks:
            spoken = self._spoken.pop(track.track_id, None)
            if spoken is not None and spoken.last_s is not None:
                said.append(self._say(spoken, "end", key=True, frame_size_px=frame_size_px))
        return said

    def crop_allowed(self, track_id: str) -> bool:
        """Whether a picture may be kept: of who is spoken of, never was at home, nor may be now."""
        spoken = self._spoken.get(track_id)
        return spoken is not None and spoken.last_s is not None and _shown(spoken)

    # --- what holds -------------------------------------------------------------------------------
    def _settle(self, spoken: _Spoken, area: Map | None) -> None:
        """Let side, zones and class follow what is seen, with hysteresis."""
        self._settle_class(spoken)
        place = spoken.located
        if area is None:
            spoken.perhaps_home = False
            return
        told = place.position or (spoken.sensor_position and place.bearing)
        spoken.perhaps_home = self._moves and told is None and bool(area.home_ids)
        if place.bearing is not None and spoken.sensor_position is not None:
            part = area.bearing_in_homes(spoken.sensor_position, place.bearing)
            spoken.crop_allowed = spoken.crop_allowed and part == "no"
            spoken.hidden = spoken.hidden and part == "all"
            return
        if place.position is None:
            return
        sure = self._rules.side_probability
        ours = area.probability_ours(place.position)
        if ours is None:
            spoken.side = None
        elif ours >= sure:
            spoken.side = "ours"
        elif ours <= 1.0 - sure:
            spoken.side = "theirs"
        inside = area.probabilities_inside(place.position)
        spoken.perhaps_home = _perhaps_home(inside, area, 1.0 - sure)
        spoken.zones = frozenset(
            zone
            for zone, p in inside.items()
            if p >= sure or (zone in spoken.zones and p > 1.0 - sure)
        )
        if spoken.zones & area.home_ids:
            spoken.crop_allowed = False
        elif spoken.hidden and not spoken.perhaps_home:
            spoken.hidden = False  # It left home: from here on it is like any other.

    def _settle_class(self, spoken: _Spoken) -> None:
        word, t_s = _word(spoken.track), spoken.track.t_s
        if word == spoken.object_class:
            spoken.other_class = None
        elif word != spoken.other_class:
            spoken.other_class, spoken.other_since_s = word, t_s
        elif t_s - spoken.other_since_s >= self._rules.class_hold_s:
            spoken.object_class, spoken.other_class = word, None

    # --- speaking ---------------------------------------------------------------------------------
    def _due(self, spoken: _Spoken, frame_size_px: tuple[int, int]) -> Said | None:
        if spoken.hidden:
            return None
        if spoken.last_s is None:
            return self._say(spoken, "new", key=True, frame_size_px=frame_size_px)
        spoken.key_due = (
            spoken.side != spoken.told_side
            or spoken.zones != spoken.told_zones
            or spoken.object_class != spoken.told_class
        )
        # A tolerance of a tenth: at 7 frames/s, 2 Hz is every fourth frame, not every fifth.
        if spoken.track.t_s - spoken.last_s < 0.9 * self._period_s:
            return None
        return self._say(spoken, "update", key=spoken.key_due, frame_size_px=frame_size_px)

    def _say(
        self, spoken: _Spoken, phase: Phase, *, key: bool, frame_size_px: tuple[int, int]
    ) -> Said:
        track, place = spoken.track, spoken.located
        spoken.last_s = track.t_s
        spoken.told_side, spoken.told_zones = spoken.side, spoken.zones
        spoken.told_class = spoken.object_class
        spoken.key_due = False
        x1, y1, x2, y2 = (round(value, 1) for value in track.box_px)
        observation = Observation(
            track_id=track.track_id,
            phase=phase,
            key=key,
            sensor_id=self._sensor_id,
            object_class=spoken.object_class,
            confidence=round(min(1.0, max(0.0, track.confidence)), 3),
            box_px=(x1, y1, x2, y2),
            frame_size_px=frame_size_px,
            position=place.position,
            bearing=place.bearing,
            no_position_reason="" if place.position is not None else place.reason[:200],
            velocity_enu_m_s=place.velocity,
            pixel_height_px=max(0.0, y2 - y1),
            sensor_position=spoken.sensor_position,
            crop_allowed=_shown(spoken),
        )
        return Said(observation=observation, t_event_s=track.t_s)


def _shown(spoken: _Spoken) -> bool:
    return spoken.crop_allowed and not spoken.perhaps_home


def _born_at_home(place: Located, area: Map | None, sensor_position: GeoPoint | None) -> bool:
    if area is None:
        return False
    if place.position is not None:
        inside = area.probabilities_inside(place.position)
        return any(inside[home] >= 0.5 for home in area.home_ids)
    if place.bearing is not None and sensor_position is not None:
        return area.bearing_in_homes(sensor_position, place.bearing) == "all"
    return False


def _perhaps_home(inside: Mapping[str, float], area: Map, least: float) -> bool:
    return any(inside[home] > least for home in area.home_ids)


def _word(track: Track) -> ObjectClass:
    words: dict[str, ObjectClass] = {
        "Human": "Human",
        "Boat": "Boat",
        "Vehicle": "Vehicle",
        "Animal": "Animal",
    }
    return words.get(track.object_class, "Unknown")
