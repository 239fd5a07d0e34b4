"""A gpsd on a simulated clock: its words by the moment, its death, and a real driver that reads it."""

from datetime import datetime, timezone

import pytest

from hardware.position_gpsd import GpsdPosition, GpsdSource
from runtime.clock import ManualClock
from simulations.gpsd_bytes import GpsdBytes
from simulations.gpsd_daemon import GpsdDaemon
from simulations.gpsd_post import receiver_of
from simulations.scenario import load_scenario
from simulations.world import World

JUMP = load_scenario("gps-jump").model
START = datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc)


def joined(fault=None):
    """A world's receiver, its daemon and the driver at it."""
    clock = ManualClock(START)
    (told,) = JUMP.gpsd
    faults = told.fault if fault is None else (told.fault[0].model_copy(update=fault),)
    told = told.model_copy(update={"fault": faults})
    daemon = GpsdDaemon(receiver_of(told, World(JUMP)), clock, clock.monotonic_s, faults=told.fault)
    connect = GpsdBytes(daemon, clock)
    return clock, daemon, connect, GpsdPosition(GpsdSource(), clock, connect=connect)


def listen(clock, driver, seconds):
    """Let time pass and read as a worker does."""
    for _ in range(round(seconds / 0.25)):
        clock.advance(0.25)
        driver.read(0.0)


def test_the_driver_has_a_fix_where_the_mast_stands():
    """Bytes of the wire, moved by hand, no socket."""
    clock, _, _, driver = joined()
    listen(clock, driver, 10.0)
    fix = driver.latest()
    camera = JUMP.camera[0]
    place = World(JUMP).site.place(camera.along_m, camera.across_m)
    assert fix.status == "fix_3d"
    there = World(JUMP).site.lon_lat(fix.lon_deg, fix.lat_deg)
    assert float(((there - place) ** 2).sum()) ** 0.5 < 8.0


def test_a_jump_of_the_receiver_is_no_fix_to_the_driver():
    """300 m in a second: nothing that carries a receiver does that."""
    clock, _, _, driver = joined()
    listen(clock, driver, 20.0)
    assert driver.latest().status == "jumped"


def test_a_daemon_that_dies_closes_and_refuses_until_it_is_back():
    """The stream ends, the port refuses, and the driver finds it again."""
    clock, daemon, connect, driver = joined({"kind": "death", "at_s": 10.0, "lasts_s": 20.0})
    listen(clock, driver, 9.0)
    assert driver.latest().status == "fix_3d"
    listen(clock, driver, 11.0)
    assert driver.latest().status == "stale"
    assert daemon.counters.deaths == 1
    with pytest.raises(ConnectionRefusedError):
        connect()
    listen(clock, driver, 40.0)
    assert driver.latest().status == "fix_3d"
