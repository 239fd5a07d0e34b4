"""Observations against true boxes: whom each one saw, how far off its place was, who went unseen."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geo._types import FloatArray
from simulations.played import PlacedObservation
from simulations.recorder import MAX_OBSERVATIONS
from simulations.score.eyes import GRID_S, Eye, Seen, Truth, group_of, overlap
from simulations.score.report import SensorLine, Share
from simulations.score.statistics import ratio
from simulations.score.tally import distance, rounded

LEAST_OVERLAP = 0.3
CHI2_90 = 4.605
"""What 90 % of squared Mahalanobis distances in the plane stay below."""
_MOST_PLACED = 2000
_MOST_INSTANTS = 300
_NEAR_S = 1.0
_LEAST_SHARE = 0.5
HEIGHT_EDGES_PX = (8.0, 24.0, 36.0, 48.0, 72.0, 96.0, 144.0, 216.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One observation and the true figure that it saw.

    Attributes:
        error_m: (2,) stated minus true feet, east and north.
        mahalanobis2: squared, by the stated covariance.
    """

    observation: PlacedObservation
    figure_id: str
    error_m: FloatArray
    mahalanobis2: float

    @property
    def off_m(self) -> float:
        """Length of the error."""
        return float(np.hypot(self.error_m[0], self.error_m[1]))


def whom(eye: Eye, observation: PlacedObservation) -> Seen | None:
    """Return the visible figure whose true box overlaps the observation's most, at least by 0.3."""
    best, best_overlap = None, LEAST_OVERLAP
    for seen in eye.around(observation.t_event_s):
        share = overlap(seen.box_px, observation.box_px)
        if share >= best_overlap:
            best, best_overlap = seen, share
    return best


def sightings(
    truth: Truth, observations: Sequence[PlacedObservation]
) -> tuple[list[Sighting], dict[str, int]]:
    """Match observations with figures; of very many an even selection is looked at.

    Returns:
        What was matched, and by sensor how many belong to nobody who is truly there.
    """
    found: list[Sighting] = []
    unmatched = dict.fromkeys(truth.eyes, 0)
    for observation in evenly(observations, _MOST_PLACED):
        eye = truth.eyes.get(observation.sensor_id)
        if eye is None:
            continue  # A sensor of another scenario.
        seen = whom(eye, observation)
        if seen is None:
            unmatched[observation.sensor_id] += 1
            continue
        figure_id = seen.truth.figure.figure_id
        feet = truth.of_group(group_of(figure_id), observation.t_event_s).get(figure_id)
        if feet is None:
            continue  # It left the world within the half second.
        place = truth.world.site.lon_lat(observation.lon_deg, observation.lat_deg)
        error = place - feet[:2]
        east2, cross, north2 = observation.cov_enu_m2
        cov = np.array([[east2, cross], [cross, north2]])
        found.append(
            Sighting(
                observation=observation,
                figure_id=figure_id,
                error_m=error,
                mahalanobis2=_mahalanobis2(error, cov),
            )
        )
    return found, unmatched


def by_sensor(found: Sequence[Sighting], unmatched: dict[str, int]) -> tuple[SensorLine, ...]:
    """Return the figures of each sensor."""
    lines = []
    for sensor_id, lost in unmatched.items():
        own = [s for s in found if s.observation.sensor_id == sensor_id]
        lines.append(
            SensorLine(
                sensor_id=sensor_id,
                matched=len(own),
                unmatched=lost,
                geolocation_m=distance([s.off_m for s in own]),
                ellipse90_coverage=rounded(
                    ratio(sum(s.mahalanobis2 <= CHI2_90 for s in own), len(own))
                ),
            )
        )
    return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """One figure that was truly visible in one camera at one instant.

    Attributes:
        height_px: of the part in the picture.
        observed: whether an observation of it was made within a second.
    """

    sensor_id: str
    figure_id: str
    kind: str
    gait: str
    person: bool
    height_px: float
    observed: bool


def seconds(
    truth: Truth, observations: Sequence[PlacedObservation], duration_s: float
) -> list[Second]:
    """Ask once a second (of long runs, at an even selection) who was visible, and who was seen.

    Whoever is less than half in the picture, or more than half hidden, is not asked for. A record
    so long that its observations were thinned tells nothing of this.
    """
    if len(observations) >= MAX_OBSERVATIONS // 2:
        return []
    moments = evenly([GRID_S + k for k in range(int(duration_s))], _MOST_INSTANTS)
    found = []
    for eye in truth.eyes.values():
        own = sorted(
            (o for o in observations if o.sensor_id == eye.camera.id), key=lambda o: o.t_event_s
        )
        times = [o.t_event_s for o in own]
        for t_s in moments:
            visible = [
                seen
                for seen in eye.seen(t_s)
                if seen.inside >= _LEAST_SHARE and seen.clear >= _LEAST_SHARE
            ]
            if not visible:
                continue
            near = own[bisect_left(times, t_s - _NEAR_S) : bisect_left(times, t_s + _NEAR_S)]
            seen_ids = {
                match.truth.figure.figure_id
                for match in (whom(eye, observation) for observation in near)
                if match is not None
            }
            found += [_second(eye, seen, seen_ids) for seen in visible]
    return found


def by_height(found: Iterable[Second]) -> tuple[Share, ...]:
    """Return the share of observed seconds of people by their height in the picture."""
    people = [second for second in found if second.person]
    edges = (*HEIGHT_EDGES_PX, float("inf"))
    return tuple(
        _share(
            f"{low:g} to {high:g} px" if np.isfinite(high) else f"{low:g} px and more",
            [s for s in people if low <= s.height_px < high],
        )
        for low, high in pairwise(edges)
    )


def by_word(found: Sequence[Second], name: str) -> tuple[Share, ...]:
    """Return the share of observed seconds by `kind` or `gait`."""
    words = sorted({str(getattr(second, name)) for second in found})
    return tuple(_share(word, [s for s in found if getattr(s, name) == word]) for word in words)


def evenly(values: Sequence, most: int) -> Sequence:  # type: ignore[type-arg]
    """Return at most so many of the values, evenly spaced, in their order."""
    if len(values) <= most:
        return values
    return [values[int(k)] for k in np.linspace(0, len(values) - 1, most)]


def _second(eye: Eye, seen: Seen, seen_ids: set[str]) -> Second:
    figure = seen.truth.figure
    return Second(
        sensor_id=eye.camera.id,
        figure_id=figure.figure_id,
        kind=figure.kind,
        gait=figure.gait,
        person=figure.object_class == "Human",
        height_px=seen.height_px,
        observed=figure.figure_id in seen_ids,
    )


def _share(label: str, found: Sequence[Second]) -> Share:
    observed = sum(second.observed for second in found)
    return Share(
        label=label,
        seconds=len(found),
        observed=observed,
        share=rounded(ratio(observed, len(found))),
    )


def _mahalanobis2(error: FloatArray, cov: FloatArray) -> float:
    determinant = cov[0, 0] * cov[1, 1] - cov[0, 1] * cov[1, 0]
    if determinant <= 0.0:
        return float("inf")  # No doubt stated at all: whatever is off lies outside.
    return float(error @ np.linalg.solve(cov, error))
