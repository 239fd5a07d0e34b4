"""Hand-made records for the score: one small camera, actors on a path, alerts as one wants them."""

from simulations.played import AlertMoment, PlacedObservation, Played
from simulations.scenario import Scenario
from simulations.score import score
from simulations.score.eyes import Truth
from simulations.world import World

T_CROSS_S = 40.0 / 3.0
"""When the walker of `scenario` is on the line: 20 m at 1.5 m/s."""
CAMERA = {
    "id": "c", "along_m": 430, "across_m": 40, "height_m": 6, "azimuth_deg": 348.5,
    "pitch_deg": -8, "hfov_deg": 30, "width_px": 320, "height_px": 180,
}  # fmt: skip
WALKER = {"id": "a", "path_along_across_m": [[430, -20], [430, 25]], "speed_m_s": 1.5}
FARMER = {
    "id": "f", "kind": "farmer", "path_along_across_m": [[432, 12], [435, 12]],
    "there_and_back": True,
}  # fmt: skip


def scenario(*actors, **changes):
    """One camera; without actors the walker comes in."""
    base = {
        "name": "t", "seed": 1, "start_utc": "2026-11-23T03:00:00Z", "duration_s": 60,
        "camera": [CAMERA], "actor": list(actors or [WALKER]),
    }  # fmt: skip
    return Scenario.model_validate(base | changes)


def played(plan, *alerts, **changes):
    """A record of a scenario with these moments of alerts."""
    base = {
        "scenario": plan.name, "scenario_sha256": "0" * 64, "seed": plan.seed,
        "detections": "film", "real": False, "duration_s": plan.duration_s,
        "camera_s": {camera.id: plan.duration_s for camera in plan.camera}, "alerts": alerts,
    }  # fmt: skip
    return Played.model_validate(base | changes)


def moment(world, said_s, level="warning", **changes):
    """A moment of an alert at the true place of an actor, unless told otherwise.

    Args:
        world: whose truth.
        said_s: when it was said.
        level: of it.
        changes: of the fields; `event_s` is its event time, `who` the figure it points at,
            `shift_m` how far inside of the figure's place it points.
    """
    event_s = changes.pop("event_s", said_s)
    who, shift_m = changes.pop("who", "a/0/0"), changes.pop("shift_m", 0.0)
    (feet,) = [f.feet_enu_m for f in world.figures(event_s) if f.figure_id == who]
    fix = world.site.line.project([feet[:2]])
    place = fix.inwards[0] * shift_m + feet[:2]
    lon, lat, _ = world.site.frame.to_geodetic([[place[0], place[1], 0.0]])[0].tolist()
    base = {
        "alert_id": "one", "t_said_s": said_s, "t_event_s": event_s, "act": "raised",
        "level": level, "rule": "crossing" if level == "warning" else "approaching",
        "direction": "in", "count": 1, "lon_deg": lon, "lat_deg": lat, "sigma_m": 1.0,
        "sensors": ("c",),
    }  # fmt: skip
    return AlertMoment.model_validate(base | changes)


def observed(world, t_s, *, sensor_id="c", off_m=(0.0, 0.0), cov=(1.0, 0.0, 1.0), track_id="k"):
    """Observations of everybody visible at an instant, so far off their true feet."""
    found = []
    for seen in Truth(world).eyes[sensor_id].seen(t_s):
        east, north, _ = seen.truth.figure.feet_enu_m
        place = [[east + off_m[0], north + off_m[1], 0.0]]
        lon, lat, _ = world.site.frame.to_geodetic(place)[0].tolist()
        found.append(
            PlacedObservation(
                t_event_s=t_s, node_id="node-1", sensor_id=sensor_id, track_id=track_id,
                object_class="Human", box_px=seen.box_px, lon_deg=lon, lat_deg=lat,
                cov_enu_m2=cov,
            )
        )  # fmt: skip
    return found


def scored(plan, *alerts, **changes):
    """The report of hand-made alerts."""
    world = World(plan)
    return score(played(plan, *(a(world) for a in alerts), **changes), world)


def at(said_s, level="warning", **changes):
    """A moment whose place is found in the world that it is scored in."""
    return lambda world: moment(world, said_s, level, **changes)
