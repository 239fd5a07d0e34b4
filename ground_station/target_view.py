"""A target as the map shows it."""

import math
from datetime import datetime, timezone

import numpy as np

from geo.frames import error_ellipse
from ground_station.fuse import Target
from ground_station.judge_memory import by_line
from ground_station.kalman import State
from ground_station.views import Ellipse, TailPoint, TargetView
from ground_station.zones import Site
from wire.values import rfc3339_ms

SHOWN_SPEED_SIGMAS = 2.0
"""A speed that its own doubt may explain is not shown: a standing person has no course."""


def target_view(site: Site, target: Target, state: State, *, alert_id: str | None) -> TargetView:
    """The target's belief as a frozen JSON shape.

    Args:
        site: Plane and line.
        target: Whose belief it is.
        state: The belief to show.
        alert_id: The open alert that tells of this target.
    """
    line = by_line(site, state)
    tail = [(t, e, n) for t, e, n in target.tail if t < state.t_s]
    rows = np.array(
        [[float(state.mean[0]), float(state.mean[1]), 0.0], *([e, n, 0.0] for _, e, n in tail)]
    )
    places = site.frame.to_geodetic(rows)
    ellipse = error_ellipse(state.position_cov_m2, 0.9)
    speed_sigma = math.sqrt(max(state.cov[2, 2], state.cov[3, 3]))
    moves = state.speed_m_s > SHOWN_SPEED_SIGMAS * speed_sigma
    return TargetView(
        target_id=target.target_id,
        object_class=state.object_class,
        count=state.count,
        confidence=state.confidence,
        t_utc=_text(state.t_s),
        lon_deg=float(places[0, 0]),
        lat_deg=float(places[0, 1]),
        ellipse90=Ellipse(
            semi_major_m=ellipse.semi_major_m,
            semi_minor_m=ellipse.semi_minor_m,
            azimuth_deg=ellipse.azimuth_deg,
        ),
        speed_m_s=state.speed_m_s,
        course_deg=state.course_deg if moves else None,
        signed_distance_to_line_m=line.distance_m,
        probability_our_side=line.probability,
        sensors=list(target.sensors),
        tail=[
            TailPoint(t_utc=_text(t), lon_deg=float(place[0]), lat_deg=float(place[1]))
            for (t, _e, _n), place in zip(tail, places[1:], strict=True)
        ],
        coasting=target.coasting,
        alert_id=alert_id,
        simulated=target.simulated,
    )


def _text(t_s: float) -> str:
    return rfc3339_ms(datetime.fromtimestamp(t_s, tz=timezone.utc))
