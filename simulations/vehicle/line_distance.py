"""How near to the line a copter truly came: the figure of a flight that no alarm can hide."""

import math

from simulations.site import Site
from simulations.vehicle.making import Truth


class NearestToLine:
    """Keeps the smallest true distance while the copter is in the air.

    Args:
        site: its line; our side is positive.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.distance_m = math.inf
        """Signed: negative is beyond the line. Infinite before the first flight."""

    def see(self, truth: Truth) -> None:
        """Look at one instant."""
        if truth.on_ground:
            return
        place = self._site.lon_lat(truth.place.lon_deg, truth.place.lat_deg)
        found = self._site.line.project(place).distance_m
        self.distance_m = min(self.distance_m, float(found[0]))
