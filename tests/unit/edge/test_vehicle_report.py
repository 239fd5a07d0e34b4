"""What a node tells of its vehicles: once a second each, in the words of the wire."""

import math

import pytest

from edge.vehicle_report import VehicleReporter, report, vehicle_name
from hardware.ports import GimbalSample, VehicleState
from tests.unit.edge.test_vehicle_camera_node import World

STATE = VehicleState(
    vehicle=(1, 1),
    t_monotonic_s=10.0,
    lon_deg=104.44,
    lat_deg=10.42,
    alt_msl_m=65.0,
    heading_deg=90.0,
    roll_deg=0.0,
    pitch_deg=0.0,
    mode="AUTO",
    fix_status="fix_3d",
    horizontal_sigma_m=1.5,
    satellites=12,
)


def state(**more):
    values = {name: getattr(STATE, name) for name in STATE.__dataclass_fields__}
    return VehicleState(**(values | more))


def turned(frame, *, about, degrees):
    """A gimbal turned about one of its own axes."""
    half = math.radians(degrees) / 2
    q = [math.cos(half), 0.0, 0.0, 0.0]
    q["xyz".index(about) + 1] = math.sin(half)
    return GimbalSample(
        vehicle=(1, 1), t_monotonic_s=10.0, frame=frame, quaternion_frame_from_gimbal=tuple(q)
    )


def test_each_vehicle_is_reported_once_a_second_while_it_is_heard() -> None:
    """Two on one link; the one that falls silent is reported no more."""
    states = [state(), state(vehicle=(2, 1))]
    reporter = VehicleReporter(lambda: states)
    said = []
    for tick in range(50):
        said += [(tick, r.vehicle_id) for r in reporter.due(tick * 0.1)]
    assert [(tick, name) for tick in (0, 10, 20, 30, 40) for name in ("drone-1", "drone-2")] == said
    states[1] = state(vehicle=(2, 1), online=False)
    assert ["drone-1"] == [r.vehicle_id for r in reporter.due(60.0)]


def test_place_needs_a_height_above_the_ellipsoid_and_the_fix_does_not() -> None:
    """Without a geoid the map still gets where the receiver is; with one, the whole place."""
    bare = report(STATE)
    assert bare.position is None
    assert (104.44, 10.42, 1.5) == (
        bare.fix.lon_deg,
        bare.fix.lat_deg,
        bare.fix.horizontal_sigma_m,
    )
    (lifted,) = VehicleReporter(lambda: [STATE], undulation_m=lambda lon, lat: -12.0).due(0.0)
    assert 53.0 == lifted.position.alt_hae_m
    (void,) = VehicleReporter(lambda: [STATE], undulation_m=lambda lon, lat: math.nan).due(0.0)
    assert void.position is None


def test_footprint_is_that_of_the_vehicle() -> None:
    """Asked for by id, carried as corners."""
    corners = ((104.0, 10.0), (104.1, 10.0), (104.1, 10.1))
    reporter = VehicleReporter(
        lambda: [state(), state(vehicle=(2, 1))],
        footprint=lambda vehicle: corners if vehicle == (2, 1) else (),
    )
    assert [(), corners] == [r.footprint_lonlat for r in reporter.due(0.0)]


@pytest.mark.parametrize(
    ("gimbal", "more", "azimuth_deg", "pitch_deg", "roll_deg"),
    [
        (turned("level", about="y", degrees=-45), {}, 90.0, -45.0, 0.0),
        (turned("level", about="z", degrees=30), {}, 120.0, 0.0, 0.0),
        (turned("level", about="x", degrees=10), {}, 90.0, 0.0, 10.0),
        (turned("body", about="y", degrees=-45), {"pitch_deg": 5.0}, 90.0, -40.0, 0.0),
        (turned("body", about="z", degrees=90), {"pitch_deg": 20.0}, 180.0, 0.0, 20.0),
        (turned("body", about="y", degrees=0), {"roll_deg": -15.0}, 90.0, 0.0, -15.0),
        (turned("level", about="y", degrees=-90), {}, 90.0, -90.0, 0.0),
    ],
)
def test_look_of_the_gimbal_in_the_world(gimbal, more, azimuth_deg, pitch_deg, roll_deg) -> None:
    """Azimuth from north, pitch above the horizon, roll clockwise from behind; nose to the east."""
    look = report(state(gimbal=gimbal, **more)).gimbal
    assert (azimuth_deg, pitch_deg, roll_deg) == pytest.approx(
        (look.azimuth_deg, look.pitch_deg, look.roll_deg), abs=1e-6
    )


@pytest.mark.parametrize("more", [{"heading_deg": None}, {"roll_deg": None}])
def test_look_that_needs_what_is_not_known_is_none(more) -> None:
    """A gimbal on a body whose attitude is unknown points anywhere."""
    assert report(state(gimbal=turned("body", about="y", degrees=-45), **more)).gimbal is None


def test_names_on_the_wire() -> None:
    """The second autopilot of a system id has a name of its own."""
    assert ["drone-1", "drone-7-2"] == [vehicle_name((1, 1)), vehicle_name((7, 2))]


def test_node_tells_the_station_of_its_vehicle_once_a_second(tmp_path) -> None:
    """On the topic of vehicles, not kept by the broker, from the first connection on."""
    world = World(tmp_path)
    world.pass_(5.0)
    said = world.spoken("vehicle")
    assert 4 <= len(said) <= 6
    assert {"drone-1"} == {message.body.vehicle_id for message in said}
