"""Writes down what the station says and what the nodes put on the wire, in scenario time."""

import math
from collections.abc import Iterable
from datetime import datetime

from ground_station.views import AlertView
from simulations.played import AlertMoment, PlacedObservation
from wire import codec
from wire.topics import BY_NAME

_RANK = {"information": 0, "caution": 1, "warning": 2}
SIGMAS_OF_90 = math.sqrt(-2.0 * math.log(0.1))
"""A 90 % ellipse of two dimensions is so many sigmas wide.

Source: the radius of a circular normal error with P = 0.9 is sigma * sqrt(-2 ln(1 - P)).
"""
MAX_OBSERVATIONS = 40_000


class AlertLog:
    """Every word of the station about an alert, as it was said.

    Args:
        start_utc: scenario time 0, by the true clock.
    """

    def __init__(self, start_utc: datetime) -> None:
        self._start_utc = start_utc
        self._levels: dict[str, str] = {}
        self._revisions: dict[str, int] = {}
        self.moments: list[AlertMoment] = []

    def hear(self, view: AlertView, *, t_said_s: float) -> None:
        """Take in one alert as the page would get it; what was heard before is passed over."""
        if self._revisions.get(view.alert_id, -1) >= view.revision:
            return
        self._revisions[view.alert_id] = view.revision
        before = self._levels.get(view.alert_id)
        self._levels[view.alert_id] = view.level
        self.moments.append(
            AlertMoment(
                alert_id=view.alert_id,
                t_said_s=round(t_said_s, 3),
                t_event_s=round((_instant(view.t_event_utc) - self._start_utc).total_seconds(), 3),
                act=_act(before, view.level),
                level=view.level,
                rule=view.rule,
                direction="" if view.direction == "none" else view.direction,
                count=view.count,
                lon_deg=view.lon_deg,
                lat_deg=view.lat_deg,
                sigma_m=view.ellipse90.semi_major_m / SIGMAS_OF_90,
                rank_lowered=bool(view.lowered_because),
                late=view.late,
                sensors=tuple(view.sensors),
                sentence_en=view.sentence_en,
                sentence_vi=view.sentence_vi,
            )
        )


class WireLog:
    """Every placed observation on the wire, once; thinned evenly when there are too many.

    Args:
        start_utc: scenario time 0, by the true clock.
        clock_error_s: of each node's clock: its stamps minus the truth.
        most: so many are kept at most.
    """

    def __init__(
        self,
        start_utc: datetime,
        clock_error_s: dict[str, float],
        *,
        most: int = MAX_OBSERVATIONS,
    ) -> None:
        self._start_utc = start_utc
        self._clock_error_s = dict(clock_error_s)
        self._most = most
        self._every = 1
        self._count = 0
        self._seen: set[str] = set()
        self.kept: list[PlacedObservation] = []

    def hear(self, payloads: Iterable[bytes]) -> None:
        """Take in observations as bytes.

        Raises:
            Refused: a node put something on the wire that is none.
        """
        for payload in payloads:
            message = codec.decode(payload, spec=BY_NAME["obs"]).message
            if message.id in self._seen:
                continue
            self._seen.add(message.id)
            body = message.body
            if body.position is None or message.t_event_utc is None:
                continue
            self._count += 1
            if self._count % self._every:
                continue
            error_s = self._clock_error_s.get(message.node_id, 0.0)
            cov = body.position.cov_enu_m2
            self.kept.append(
                PlacedObservation(
                    t_event_s=round(
                        (message.t_event_utc - self._start_utc).total_seconds() - error_s, 3
                    ),
                    node_id=message.node_id,
                    sensor_id=body.sensor_id,
                    track_id=body.track_id,
                    object_class=body.object_class,
                    box_px=body.box_px,
                    lon_deg=body.position.lon_deg,
                    lat_deg=body.position.lat_deg,
                    cov_enu_m2=(cov[0][0], cov[0][1], cov[1][1]),
                )
            )
            if len(self.kept) >= self._most:
                self.kept = self.kept[1::2]
                self._every *= 2


def _act(before: str | None, now: str) -> str:
    if before is None:
        return "raised"
    if _RANK[now] == _RANK[before]:
        return "changed"
    return "upgraded" if _RANK[now] > _RANK[before] else "lowered"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
