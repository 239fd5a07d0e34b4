"""A scenario without pictures: true boxes, pixel noise, the product's own geolocation and decisions.

What a network misses or invents is not modelled here; what geometry, noise, grouping and rules make
of good detections is.
"""

import random
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from edge.geolocate import GroundLocator
from edge.pose import FixedPose
from geo.frames import GeodeticPoint
from geo.lens import Lens
from geo.terrain import FlatTerrain
from ground_station.decide import Decider
from ground_station.decision import Decision, Finding, Observed
from ground_station.rules import DecideSettings
from ground_station.zones import read_site
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from simulations.film import Film, view_of
from simulations.scenario import Scenario
from simulations.site import site_file
from simulations.world import World
from wire.messages import Observation

STEP_S = 0.5
SMALLEST_PX = 20.0
NOISE_PX = (1.5, 2.0)
"""One sigma of a box's foot, across and down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A played scenario: what truly happened, and what was said."""

    world: World
    core: Decider
    decision: Decision
    observations: int

    @property
    def crossings(self) -> list[Finding]:
        """Verdicts of the rule `crossing`."""
        return [f for f in self.decision.findings if f.rule == "crossing"]


def locator(scenario: Scenario, world: World, camera) -> GroundLocator:
    """The camera as a technician would have entered it, with the doubts of the demonstration."""
    east, north, _ = view_of(camera, world.site, world.landscape).position_enu_m.tolist()
    lon, lat, _ = world.site.frame.to_geodetic([[east, north, 0.0]])[0].tolist()
    fixed = FixedPose(
        GeodeticPoint(
            lon_deg=lon, lat_deg=lat, alt_hae_m=scenario.ground_alt_hae_m + camera.height_m
        ),
        azimuth_deg=camera.azimuth_deg,
        pitch_deg=camera.pitch_deg,
        roll_deg=camera.roll_deg,
        horizontal_sigma_m=0.1,
        vertical_sigma_m=0.05,
        azimuth_sigma_deg=0.1,
        pitch_sigma_deg=0.05,
        roll_sigma_deg=0.05,
    )
    ground = FlatTerrain(alt_hae_m=scenario.ground_alt_hae_m)
    lens = Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px)
    return GroundLocator(lens, fixed, ground, terrain_sigma_m=0.05)


def play(scenario: Scenario, seconds: float, *, seed: int = 1) -> Outcome:
    """Let the people walk, let every camera see them twice a second, and decide."""
    world = World(scenario)
    clock = ManualClock(scenario.start_utc)
    ids = UlidSource(clock, random.Random(seed))
    core = Decider(read_site(site_file(scenario.site)), DecideSettings(), ids)
    films = {camera.id: Film(world, camera) for camera in scenario.camera}
    places = {camera.id: locator(scenario, world, camera) for camera in scenario.camera}
    source = random.Random(seed)
    tracks: dict[tuple[str, str], str] = {}
    done = Decision()
    count = 0
    for _ in range(int(seconds / STEP_S)):
        t_s = (clock.utc() - scenario.start_utc).total_seconds()
        batch = []
        for camera in scenario.camera:
            for box in films[camera.id].truth(t_s):
                seen = _observed(camera, box, places[camera.id], source, clock, ids, tracks)
                if seen is not None:
                    batch.append(seen)
        count += len(batch)
        clock.advance(STEP_S)
        done = done.join(core.observe(batch, clock.utc())).join(core.tick(clock.utc()))
    return Outcome(world=world, core=core, decision=done, observations=count)


def _observed(camera, box, place, source, clock, ids, tracks):
    x1, y1, x2, y2 = box.box_px
    if not box.visible or y2 > camera.height_px - 1 or y2 - y1 < SMALLEST_PX:
        return None
    key = (camera.id, box.figure.figure_id)
    new = key not in tracks
    track_id = tracks.setdefault(key, ids.new() if new else "")
    foot = np.array(
        [[(x1 + x2) / 2 + source.gauss(0, NOISE_PX[0]), y2 + source.gauss(0, NOISE_PX[1])]]
    )
    (found,) = place.locate(
        place.poses.at(0.0), foot - 0.5, np.array([np.diag(np.square(NOISE_PX))])
    )
    return Observed(
        message_id=ids.new(),
        node_id="mast-1",
        t_event_utc=clock.utc(),
        late=False,
        simulated=True,
        body=Observation(
            track_id=track_id,
            phase="new" if new else "update",
            key=new,
            sensor_id=camera.id,
            object_class="Human",
            confidence=0.8,
            box_px=(max(0.0, x1), max(0.0, y1), min(float(camera.width_px), x2), y2),
            frame_size_px=(camera.width_px, camera.height_px),
            position=found.position,
            bearing=found.bearing,
            pixel_height_px=y2 - y1,
        ),
    )


def settle(outcome: Outcome, seconds: float) -> Decision:
    """Let time pass with nobody in sight."""
    decision = outcome.decision
    now = max(f.t_raised_utc for f in outcome.decision.findings)
    for _ in range(int(seconds / STEP_S)):
        now += timedelta(seconds=STEP_S)
        decision = decision.join(outcome.core.tick(now))
    return decision
