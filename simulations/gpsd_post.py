"""The receivers of a scenario: each stands on its node's first mast and is served by a gpsd.

By the built-in server; or by a real gpsd where one is installed, live behind a pseudo-terminal or as
gpsfake's replay of the scenario's first hour.
"""

from collections.abc import Callable
from typing import Literal, cast, get_args

from geo.frames import GeodeticPoint
from runtime.clock import Clock
from runtime.errors import AskOperator
from simulations.film import view_of
from simulations.gpsd_receiver import Receiver, ReceiverSettings
from simulations.gpsd_replay import Gpsfake, Line, LiveGpsd, program
from simulations.gpsd_route import Standing
from simulations.gpsd_server import GpsdServer
from simulations.scenario_node import GpsdSettings
from simulations.smooth_noise import key_of
from simulations.world import World

Kind = Literal["built_in", "real", "gpsfake"]
_ABOVE_LENS_M = 0.3
_LONGEST_LOG_S = 3600.0


def kind_of(word: str) -> Kind | None:
    """Return what a person's word means; `none` is no gpsd at all.

    Raises:
        AskOperator: it means nothing.
    """
    if word == "none":
        return None
    for kind in get_args(Kind):
        if word == kind:
            return cast("Kind", kind)
    raise AskOperator(
        field="--gpsd",
        value=word,
        allowed=f"{', '.join(get_args(Kind))} or none",
        next_step="correct the word",
    )


def gpsd_here() -> Kind:
    """Return the truest gpsd that this machine can serve: a real one where it is installed."""
    try:
        program("gpsd")
    except AskOperator:
        return "built_in"
    return "real"


def receiver_of(settings: GpsdSettings, world: World) -> Receiver:
    """Return the receiver of one node, a hand above the lens of the node's first camera."""
    scenario = world.scenario
    camera = next(camera for camera in scenario.camera if camera.node == settings.node)
    east, north, up = view_of(camera, world.site, world.landscape).position_enu_m.tolist()
    lon, lat, _ = world.site.frame.to_geodetic([[east, north, 0.0]])[0].tolist()
    point = GeodeticPoint(
        lon_deg=lon, lat_deg=lat, alt_hae_m=scenario.ground_alt_hae_m + up + _ABOVE_LENS_M
    )
    return Receiver(
        Standing(point),
        ReceiverSettings(
            seed=key_of("gpsd", scenario.seed, settings.node),
            horizontal_sigma_m=settings.horizontal_sigma_m,
            vertical_sigma_m=settings.vertical_sigma_m,
        ),
        settings.fault,
    )


def gpsd_of(
    settings: GpsdSettings,
    world: World,
    clock: Clock,
    scene_time_s: Callable[[], float],
    *,
    kind: Kind,
) -> GpsdServer | LiveGpsd | Gpsfake:
    """Return the worker that serves one node's receiver on a free port of loopback.

    Args:
        settings: of the node's gpsd.
        world: where it stands.
        clock: UTC of the fixes.
        scene_time_s: returns the scenario's time now.
        kind: which gpsd.

    Raises:
        AskOperator: a real gpsd is asked for and not installed.
    """
    receiver, name = receiver_of(settings, world), f"gpsd {settings.node}"
    if kind == "built_in":
        return GpsdServer(
            receiver,
            clock,
            scene_time_s,
            faults=settings.fault,
            rate_hz=settings.rate_hz,
            name=name,
        )
    line = Line(receiver, settings.fault, rate_hz=settings.rate_hz)
    if kind == "gpsfake":
        return Gpsfake(
            line,
            start_utc=world.scenario.start_utc,
            duration_s=min(world.scenario.duration_s, _LONGEST_LOG_S),
            rate_hz=settings.rate_hz,
            name=name,
        )
    return LiveGpsd(line, clock, scene_time_s, rate_hz=settings.rate_hz, name=name)
