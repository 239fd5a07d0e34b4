"""Alerts as a guard got them: when each was first a caution, when a warning, and where it pointed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo._types import FloatArray
from simulations.played import AlertMoment, Level
from simulations.site import Site

LEVELS: tuple[Level, ...] = ("information", "caution", "warning")
NEAR_M = 10.0
_SIGMAS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert over its life.

    Attributes:
        caution: the first moment at caution or above, if it ever was.
        warning: the first moment at warning, if it ever was.
        level: the highest that it reached.
        sensors: of all its moments.
    """

    alert_id: str
    first: AlertMoment
    caution: AlertMoment | None
    warning: AlertMoment | None
    level: Level
    sensors: tuple[str, ...]

    @property
    def telling(self) -> AlertMoment:
        """The moment by which the alert is judged: where it reached its highest level."""
        if self.warning is not None:
            return self.warning
        return self.caution if self.caution is not None else self.first


def told(moments: Sequence[AlertMoment]) -> tuple[Told, ...]:
    """Put the moments of each alert together, in the order in which alerts were first said."""
    by_alert: dict[str, list[AlertMoment]] = {}
    # Moments said at one instant stay in the record's order, which is the station's.
    for moment in sorted(moments, key=lambda m: m.t_said_s):
        by_alert.setdefault(moment.alert_id, []).append(moment)
    return tuple(_told(alert_id, found) for alert_id, found in by_alert.items())


def place_m(moment: AlertMoment, site: Site) -> FloatArray | None:
    """Return (2,) east, north of an alert's place, or None when it gives none."""
    if moment.lon_deg is None or moment.lat_deg is None:
        return None
    return site.lon_lat(moment.lon_deg, moment.lat_deg)


def tolerance_m(moment: AlertMoment) -> float:
    """Return how far from an actor the place of a hit may lie: 10 m, or three sigma."""
    return max(NEAR_M, _SIGMAS * (moment.sigma_m or 0.0))


def directions_agree(moment: AlertMoment, direction: str) -> bool:
    """Whether an alert does not state the opposite direction."""
    return moment.direction not in ("in", "out") or moment.direction == direction


def _told(alert_id: str, moments: list[AlertMoment]) -> Told:
    ranks = [LEVELS.index(moment.level) for moment in moments]
    return Told(
        alert_id=alert_id,
        first=moments[0],
        caution=next((m for m, rank in zip(moments, ranks, strict=True) if rank >= 1), None),
        warning=next((m for m, rank in zip(moments, ranks, strict=True) if rank >= 2), None),
        level=LEVELS[int(np.max(ranks))],
        sensors=tuple(dict.fromkeys(s for moment in moments for s in moment.sensors)),
    )
