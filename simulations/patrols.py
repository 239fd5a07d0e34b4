"""Own patrols that tell the station where they are, as a phone or a gateway does."""

import random
from collections.abc import Callable

from runtime.clock import Clock
from runtime.ids import UlidSource
from simulations.run_config import site_id
from simulations.world import World
from wire import codec
from wire.envelope import Envelope
from wire.messages import FriendReport
from wire.topics import BY_NAME
from wire.values import ClockStamp, GeoPoint

REPORT_EVERY_S = 5.0
_SIGMA_M = 4.0
"""Of a phone under open sky."""


class Patrols:
    """Speaks for every patrol of a scenario that `reports_position`.

    Args:
        world: where they are.
        clock: of the messages.
        ids: of the messages.
        publish: takes topic and bytes.
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Clock,
        ids: UlidSource,
        publish: Callable[[str, bytes], object],
    ) -> None:
        self._world = world
        self._clock = clock
        self._ids = ids
        self._publish = publish
        self._session = ids.new()
        self._random = random.Random(world.scenario.seed)
        self.actors = frozenset(a.id for a in world.scenario.actor if a.reports_position)

    def report(self, t_s: float) -> int:
        """Say where each of them is now; how many spoke."""
        if not self.actors:
            return 0
        found = [f for f in self._world.figures(t_s) if f.actor_id in self.actors]
        frame = self._world.site.frame
        spec = BY_NAME["friend"]
        for figure in found:
            east, north, up = figure.feet_enu_m
            place = [
                [
                    east + self._random.gauss(0.0, _SIGMA_M),
                    north + self._random.gauss(0.0, _SIGMA_M),
                    up,
                ]
            ]
            lon, lat, alt = frame.to_geodetic(place)[0].tolist()
            # A coming is not part of the name: the same patrol comes again tomorrow.
            friend_id = f"{figure.actor_id}-{figure.figure_id.rsplit('/', 1)[1]}"
            now_utc, quality = self._clock.utc(), self._clock.quality()
            message = Envelope[FriendReport](
                id=self._ids.new(),
                node_id=friend_id,
                session=self._session,
                t_event_utc=now_utc,
                t_sent_utc=now_utc,
                clock=ClockStamp(source="manual", error_s=quality.error_s),
                simulated=True,
                body=FriendReport(
                    friend_id=friend_id,
                    name=figure.actor_id,
                    position=GeoPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=alt),
                    horizontal_sigma_m=_SIGMA_M,
                ),
            )
            topic = spec.format(site=site_id(self._world.scenario), friend=friend_id)
            self._publish(topic, codec.encode(message, spec=spec))
        return len(found)
