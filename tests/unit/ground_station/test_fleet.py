"""What is shown of a drone: its newest report, and its silence."""

import json

from tests.station_kit import Speaker, at
from wire.messages import FixHealth, VehicleReport
from wire.values import GeoPoint, VelocityEnu

PLACE = GeoPoint(lon_deg=104.4421, lat_deg=10.4232, alt_hae_m=48.0)


def report(**more):
    values = {
        "vehicle_id": "1",
        "position": PLACE,
        "alt_above_takeoff_m": 58.0,
        "heading_deg": 271.0,
        "velocity_enu_m_s": VelocityEnu(east_m_s=-3.0, north_m_s=4.0, sigma_m_s=0.2),
        "footprint_lonlat": ((104.44, 10.42), (104.441, 10.42), (104.441, 10.421)),
        "battery_fraction": 0.7,
        "mode": "AUTO",
        "armed": True,
        "in_air": True,
        "fix": FixHealth(status="fix_3d", horizontal_sigma_m=0.6, satellites=14),
    }
    return VehicleReport(**(values | more))


def say(rig, speaker, body, t_s):
    rig.say(speaker.message("vehicle", body, t_utc=at(t_s)))


def told(rig):
    return [json.loads(e.data) for e in rig.station.hub._ring if e.name == "vehicle"]


def test_a_report_is_shown_and_told(rig):
    """Place, footprint, speed and fix as the node said."""
    say(rig, Speaker(), report(), 0)
    (view,) = rig.station.desk.vehicles()
    assert ("mast-1", "1", False) == (view.node_id, view.vehicle_id, view.silent)
    assert (104.4421, 10.4232) == (view.lon_deg, view.lat_deg)
    assert 5.0 == view.speed_m_s
    assert 3 == len(view.footprint_lonlat)
    assert ("fix_3d", 0.6, 14) == (view.fix_status, view.horizontal_sigma_m, view.satellites)
    assert [view.model_dump(mode="json")] == told(rig)


def test_a_silent_drone_is_told_of_once_and_forgotten_after_an_hour(rig):
    """Its last place stays on the map, marked; then it leaves memory."""
    say(rig, Speaker(), report(), 0)
    rig.step(29.0)
    assert 1 == len(told(rig))
    rig.step(2.0)
    rig.step(2.0)
    assert [False, True] == [one["silent"] for one in told(rig)]
    assert rig.station.desk.vehicles()[0].silent
    rig.step(3600.0)
    assert [] == rig.station.desk.vehicles()


def test_a_drone_without_a_fix_keeps_its_last_place_and_says_that_it_is_old(rig):
    """It is searched for where it was last."""
    speaker = Speaker()
    say(rig, speaker, report(), 0)
    say(rig, speaker, report(position=None, fix=FixHealth(status="jammed")), 1)
    (view,) = rig.station.desk.vehicles()
    assert view.position_is_old
    assert (104.4421, "jammed") == (view.lon_deg, view.fix_status)


def test_a_drone_that_never_had_a_place_has_none(rig):
    """Nothing is drawn at 0, 0."""
    say(rig, Speaker(), report(position=None, footprint_lonlat=(), fix=None), 0)
    (view,) = rig.station.desk.vehicles()
    assert (None, None, "none", False) == (
        view.lon_deg,
        view.lat_deg,
        view.fix_status,
        view.position_is_old,
    )


def test_drones_are_bounded(rig):
    """A broker without access control cannot fill our memory."""
    speaker = Speaker()
    for number in range(80):
        say(rig, speaker, report(vehicle_id=str(number)), 0)
    assert 64 == len(rig.station.desk.vehicles())


def test_a_node_tells_how_its_receiver_is(rig):
    """The fix of its health report is on the page."""
    speaker = Speaker()
    fix = FixHealth(status="jumped", lon_deg=104.4, lat_deg=10.4, satellites=9)
    rig.say(speaker.birth(at(0)), speaker.health(at(0), fix=fix))
    (node,) = rig.station.desk.nodes()
    assert ("jumped", 104.4, 9) == (node.fix.status, node.fix.lon_deg, node.fix.satellites)
