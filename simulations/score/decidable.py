"""When could a perfect observer at the station first have known that somebody had crossed?"""

from dataclasses import dataclass

import numpy as np

from geo._types import BoolArray, FloatArray
from simulations.score.eyes import Eye, Truth, group_of
from simulations.world import HumanEvent

SURE = 0.9
"""P(other side) that the rule `crossing` asks for."""
_STEP_S = 0.1
_CHUNK_S = 10.0
_HORIZON_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decidable:
    """The first moment of certainty, or why there is none.

    Attributes:
        t_s: scenario time; None when no sensor could ever decide.
        held_s: how long the node's bad link kept it from the station; part of `t_s`.
        sensor_id: of the camera that could, first.
        figure_id: of the person it could be sure of.
        reason: in words when there is no such moment.
        cut_short: the scenario ended before anybody could be sure.
    """

    t_s: float | None = None
    held_s: float = 0.0
    sensor_id: str = ""
    figure_id: str = ""
    reason: str = ""
    cut_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """Feet (n, 3) and motion (n, 2) of one figure at instants (n,)."""

    figure_id: str
    times_s: FloatArray
    places_m: FloatArray
    velocity_m_s: FloatArray


def decidable(truth: Truth, event: HumanEvent, end_s: float) -> Decidable:
    """Find the first moment after the crossing at which one camera gives P(other side) > 0.9.

    Any one of those who crossed is enough. They must truly be visible: feet in the picture, box
    large enough, not wholly hidden, the camera alive, nearer than the air lets through. Who sits
    at the station knows nothing of what a cut link keeps back, however perfect.

    Args:
        truth: world and eyes.
        event: who crossed.
        end_s: of what was played; nothing is looked at after it.
    """
    since_s = {passage.figure_id: passage.t_s for passage in event.passages}
    best_p, in_picture = 0.0, set[str]()
    start_s, last_s = event.t_cross_s, min(event.t_cross_s + _HORIZON_S, end_s)
    best: Decidable | None = None
    # Behind a cut link the first to be sure need not be the first whose word arrives.
    while start_s < (last_s if best is None or best.t_s is None else min(last_s, best.t_s)):
        stop_s = min(start_s + _CHUNK_S, last_s)
        moments = np.arange(start_s, stop_s, _STEP_S)
        ways = _ways(truth, since_s, moments)
        if not ways and start_s > event.t_last_s:
            return best or _never(best_p, in_picture, cut_short=False)
        candidates = []
        for eye in truth.eyes.values():
            for way in ways:
                p, inside = _probability(truth, eye, way, event.direction)
                if inside.any():
                    in_picture.add(eye.camera.id)
                    best_p = max(best_p, float(np.max(p[inside])))
                candidates += [
                    (t_s + _held_s(truth, eye.camera.node, t_s), t_s, eye.camera.id, way.figure_id)
                    for t_s in way.times_s[inside & (p > SURE)].tolist()
                ]
        for arrives_s, t_s, sensor_id, figure_id in sorted(candidates):
            if best is not None and best.t_s is not None and arrives_s >= best.t_s:
                break
            seen = truth.eyes[sensor_id].seen(t_s)
            if any(one.truth.figure.figure_id == figure_id for one in seen):
                best = Decidable(
                    t_s=arrives_s,
                    held_s=arrives_s - t_s,
                    sensor_id=sensor_id,
                    figure_id=figure_id,
                )
                break
        start_s = stop_s
    return best or _never(best_p, in_picture, cut_short=last_s >= end_s)


def _held_s(truth: Truth, node_id: str, t_s: float) -> float:
    """Return how long a node's link keeps back what it knows at an instant."""
    arrives_s = t_s
    faults = truth.world.scenario.node_settings(node_id).link_fault
    for fault in sorted(faults, key=lambda fault: fault.at_s):
        if not fault.holds(arrives_s):
            continue
        if fault.kind in ("cut", "half_open"):
            arrives_s = fault.at_s + fault.lasts_s
        elif fault.kind == "delay":
            arrives_s += fault.delay_s
    return arrives_s - t_s


def _ways(truth: Truth, since_s: dict[str, float], moments: FloatArray) -> list[_Ways]:
    found: dict[str, list[tuple[float, tuple[float, float, float]]]] = {}
    groups = {group_of(figure_id) for figure_id in since_s}
    for t_s in moments.tolist():
        for figure in truth.world.figures(t_s):
            if figure.group_id not in groups or t_s < since_s.get(figure.figure_id, np.inf):
                continue
            found.setdefault(figure.figure_id, []).append((t_s, figure.feet_enu_m))
    ways = []
    for figure_id, rows in found.items():
        times, places = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
        speed = np.zeros((len(rows), 2))
        if len(rows) > 1:
            speed = np.gradient(places[:, :2], times, axis=0)
        ways.append(_Ways(figure_id=figure_id, times_s=times, places_m=places, velocity_m_s=speed))
    return ways


def _probability(
    truth: Truth, eye: Eye, way: _Ways, direction: str
) -> tuple[FloatArray, BoolArray]:
    """Return (n,) P(other side) with 0 for unknown, and (n,) whether the feet are in the picture."""
    pixels, inside = eye.in_picture(way.places_m, way.times_s)
    p = np.zeros(len(way.times_s))
    if inside.any():
        cov = eye.covariance(pixels[inside], way.velocity_m_s[inside], way.times_s[inside])
        ours = truth.world.site.line.probability_our_side(way.places_m[inside, :2], cov)
        p[inside] = np.nan_to_num(ours if direction == "in" else 1.0 - ours, nan=0.0)
    return p, inside


def _never(best_p: float, in_picture: set[str], *, cut_short: bool) -> Decidable:
    if cut_short:
        return Decidable(reason="the scenario ended before anybody could be sure", cut_short=True)
    if not in_picture:
        return Decidable(reason="never in any camera's picture after the crossing")
    cameras = ", ".join(sorted(in_picture))
    if best_p <= SURE:
        return Decidable(reason=f"in the picture of {cameras}, but P never above {best_p:.2f}")
    return Decidable(
        reason=f"far enough past the line in the picture of {cameras}, but hidden, too small, "
        "beyond the visibility, or the camera was out"
    )
