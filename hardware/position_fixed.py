"""A node that stands where somebody measured it: its position comes from the config."""

from collections.abc import Mapping

import numpy as np

from geo.frames import GeodeticPoint
from hardware.ports import Fix
from runtime.clock import Clock


class FixedPosition:
    """See `hardware.ports.PositionPort`.

    Args:
        point: WGS84, height above the ellipsoid.
        horizontal_sigma_m: one sigma per axis.
        vertical_sigma_m: one sigma.
        clock: a surveyed position is as fresh as the question.
    """

    def __init__(
        self,
        point: GeodeticPoint,
        *,
        horizontal_sigma_m: float,
        vertical_sigma_m: float,
        clock: Clock,
    ) -> None:
        self._point = point
        self._clock = clock
        self._cov_enu_m2 = np.diag([horizontal_sigma_m**2] * 2 + [vertical_sigma_m**2])
        self._cov_enu_m2.setflags(write=False)

    def latest(self) -> Fix:
        """The surveyed position."""
        return Fix(
            status="fixed_survey",
            t_monotonic_s=self._clock.monotonic_s(),
            lon_deg=self._point.lon_deg,
            lat_deg=self._point.lat_deg,
            alt_hae_m=self._point.alt_hae_m,
            cov_enu_m2=self._cov_enu_m2,
        )

    def read(self, timeout_s: float) -> float:  # noqa: ARG002  # nothing comes, however long one waits
        """Nobody has to be asked."""
        return 3600.0

    @property
    def counters(self) -> Mapping[str, int]:
        """Nothing can go wrong."""
        return {}

    def close(self) -> None:
        """Nothing is held."""
