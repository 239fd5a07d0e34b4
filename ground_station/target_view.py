"""A target as the map shows it."""

import math
from datetime import datetime, timezone

from geo.frames import error_ellipse
from ground_station.judge_memory import ByLine
from ground_station.kalman import State
from ground_station.rebirth import Target
from ground_station.views import Ellipse, TargetView
from wire.values import rfc3339_ms

SHOWN_SPEED_SIGMAS = 2.0
"""A speed that its own doubt may explain is not shown: a standing person has no course."""


def target_view(
    target: Target,
    state: State,
    *,
    lon_lat_deg: tuple[float, float],
    line: ByLine,
    alert_id: str | None,
) -> TargetView:
    """The target's belief as a frozen JSON shape.

    Args:
        target: Whose belief it is.
        state: The belief to show.
        lon_lat_deg: Its place.
        line: The belief as the line sees it.
        alert_id: The open alert that tells of this target.
    """
    lon, lat = lon_lat_deg
    ellipse = error_ellipse(state.position_cov_m2, 0.9)
    speed_sigma = math.sqrt(max(state.cov[2, 2], state.cov[3, 3]))
    moves = state.speed_m_s > SHOWN_SPEED_SIGMAS * speed_sigma
    return TargetView(
        target_id=target.target_id,
        object_class=state.object_class,
        count=state.count,
        confidence=state.confidence,
        t_utc=_text(state.t_s),
        lon_deg=lon,
        lat_deg=lat,
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
        tail=[point for t_s, point in target.tail if t_s < state.t_s],
        coasting=target.coasting,
        alert_id=alert_id,
        simulated=target.simulated,
    )


def _text(t_s: float) -> str:
    return rfc3339_ms(datetime.fromtimestamp(t_s, tz=timezone.utc))
