"""All targets of a site and the tracks that belong to them; every change can be undone."""

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial

from ground_station.decision import Counters
from ground_station.fold import Deed, Places
from ground_station.kalman import FilterSettings, State, predicted
from ground_station.rebirth import Step, Target, TrackUse
from ground_station.rules import FuseSettings
from ground_station.schmidt import FloatArray
from ground_station.views import TailPoint
from ground_station.zones import Site
from wire.values import rfc3339_ms

MAX_TRACKS_PER_TARGET = 32
TAIL_STEP_S = 1.0


@dataclass(slots=True)
class Changes:
    """What a batch changed.

    Attributes:
        steps: New beliefs and whose they are, in the order of the world.
        targets: Changed targets by id.
        links: Tracks and the targets they now belong to.
        gone: Targets that became part of another, or turned out never to have been.
    """

    steps: list[tuple[Target, Step]] = field(default_factory=list)
    targets: dict[str, Target] = field(default_factory=dict)
    links: dict[str, tuple[str, float]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


class Targets:
    """What is known, by name, by track and by place.

    Args:
        site: Gives the plane.
        settings: Bounds.
        counters: Where everything let go is counted.

    Attributes:
        known: Targets by id, the least recently heard first.
        links: Target ids by track.
        places: Where they are.
        undone: Targets whose birth was undone, until the batch is done.
    """

    def __init__(self, site: Site, settings: FuseSettings, counters: Counters) -> None:
        self._site, self._settings, self._counters = site, settings, counters
        self.known: OrderedDict[str, Target] = OrderedDict()
        self.links: dict[str, str] = {}
        self.places = Places()
        self.undone: dict[str, Target] = {}
        self.filter = FilterSettings(
            accel_psd_m2_s3={
                "Human": settings.human_accel_psd_m2_s3,
                "Boat": settings.boat_accel_psd_m2_s3,
                "Vehicle": settings.vehicle_accel_psd_m2_s3,
                "Animal": settings.boat_accel_psd_m2_s3,
                "Unknown": settings.boat_accel_psd_m2_s3,
            },
            outlier_sigmas=settings.outlier_sigmas,
            jump_sigmas=settings.jump_sigmas,
            moving_bias_s=settings.moving_bias_s,
        )

    def __len__(self) -> int:
        return len(self.known)

    def __iter__(self) -> Iterator[Target]:
        return iter(self.known.values())

    def get(self, target_id: str) -> Target | None:
        """The target, if it is still known."""
        return self.known.get(target_id)

    def target_of(self, track_id: str) -> str | None:
        """The target that a node's track belongs to."""
        return self.links.get(track_id)

    def adopt_links(self, links: Iterable[tuple[str, str]]) -> None:
        """Know again, after a restart, which tracks belong to which targets; bounded as targets are."""
        for track_id, target_id in list(links)[-self._settings.max_targets :]:
            self.links.setdefault(track_id, target_id)

    def place_at(self, target: Target, t_s: float) -> tuple[FloatArray, FloatArray] | None:
        """Mean (4,) and position covariance (2, 2) at an instant, predicted if it is later."""
        step: Step | None = target.head
        state = target.state
        while step is not None and state is not None and state.t_s > t_s:
            step = step.prev
            state = state if step is None or step.state is None else step.state
        if state is None:
            return None
        mean, cov = predicted(state, t_s, self.filter)
        return mean, cov[:2, :2]

    def near(
        self, east_m: float, north_m: float, t_s: float, within_m: float, *, except_id: str = ""
    ) -> list[Target]:
        """Targets that were within a distance of a place at an instant, nearest first."""
        found = []
        for target in self.known.values():
            state = target.state
            if state is None or target.target_id == except_id:
                continue
            if abs(state.t_s - t_s) > self._settings.rebirth_within_s:
                continue
            placed = self.place_at(target, t_s)
            if placed is None:
                continue
            gap = math.hypot(placed[0][0] - east_m, placed[0][1] - north_m)
            if gap <= within_m:
                found.append((gap, target))
        return [
            target for _, target in sorted(found, key=lambda pair: (pair[0], pair[1].target_id))
        ]

    def forget(self, now_s: float) -> list[Target]:
        """Drop what has long been silent, whatever its own clock says; what went."""
        gone = [
            target
            for target in self.known.values()
            if now_s - target.heard_s > self._settings.forget_after_s
        ]
        for target in gone:
            self.drop(target.target_id)
        return gone

    def drop(self, target_id: str) -> None:
        """Let a target and its links go."""
        target = self.known.pop(target_id)
        target.dropped = True
        self.places.drop(target_id)
        for track_id in target.tracks:
            if self.links.get(track_id) == target_id:
                del self.links[track_id]

    def evicted(self) -> list[str]:
        """Make room: drop the least recently heard above the bound; ids of what went."""
        gone = []
        while len(self.known) > self._settings.max_targets:
            target_id = next(iter(self.known))
            self.drop(target_id)
            self._counters.targets_evicted += 1
            gone.append(target_id)
        # Links that came with a restart and never spoke again.
        spare = len(self.links) - 4 * self._settings.max_targets
        if spare > 0:
            for track_id in [
                track for track, target in self.links.items() if target not in self.known
            ][:spare]:
                del self.links[track_id]
        return gone

    def extend_tail(self, target: Target, state: State) -> None:
        """Note where it was, thinned; what the belief replaces goes."""
        tail = target.tail
        while tail and tail[-1][0] >= state.t_s:
            tail.pop()
        if tail and state.t_s - tail[-1][0] < TAIL_STEP_S:
            return
        lon, lat = self._site.lon_lat(float(state.mean[0]), float(state.mean[1]))
        t_utc = rfc3339_ms(datetime.fromtimestamp(state.t_s, tz=timezone.utc))
        tail.append((state.t_s, TailPoint(t_utc=t_utc, lon_deg=lon, lat_deg=lat)))

    def put(self, entry: Deed, target: Target, step: Step, changes: Changes) -> None:
        """Set a target's head, so that it can be undone."""
        entry.undo.append(partial(self.set_head, target, target.head))
        entry.touched.add(target.target_id)
        entry.steps.append(step)
        self.set_head(target, step)
        changes.targets[target.target_id] = target
        changes.steps.append((target, step))

    def set_head(self, target: Target, step: Step) -> None:
        """The target is here now; undone by the same with the step before."""
        target.head = step
        if step.state is not None and not target.dropped:
            self.places.put(target.target_id, step.state.mean[:2], step.state.t_s)

    def unborn(self, target: Target) -> None:
        """There has been no such target."""
        if self.known.get(target.target_id) is target:
            del self.known[target.target_id]
            self.places.drop(target.target_id)
            self.undone[target.target_id] = target

    def link(self, entry: Deed, track_id: str, target_id: str, changes: Changes) -> None:
        """A track belongs to a target from now on."""
        entry.undo.append(partial(self.relink, track_id, self.links.get(track_id)))
        self.links[track_id] = target_id
        changes.links[track_id] = (target_id, entry.key[0])

    def relink(self, track_id: str, target_id: str | None) -> None:
        """A track belongs to the target that it belonged to before."""
        if target_id is None:
            self.links.pop(track_id, None)
        else:
            self.links[track_id] = target_id

    def bounded(self, entry: Deed, uses: tuple[TrackUse, ...]) -> tuple[TrackUse, ...]:
        """The newest tracks of a target; links of the others go."""
        for use in uses[:-MAX_TRACKS_PER_TARGET]:
            entry.undo.append(
                partial(self.relink, use.track_id, self.links.pop(use.track_id, None))
            )
        return uses[-MAX_TRACKS_PER_TARGET:]

    def revive(self, target: Target) -> None:
        """A target that became part of another is one again."""
        self.known[target.target_id] = target
        self.set_head(target, target.head)

    def of_track(self, track_id: str) -> Target | None:
        """The known target that a track belongs to."""
        return self.known.get(self.links.get(track_id, ""))
