"""What flights have in common: places, take-off, waiting for heights and modes."""

from tests.sitl.client import Silence, upload
from tests.sitl.vehicles import HOME

SPEEDUP = 10
BOOT_SPEEDUP = 100
"""Nothing is to be seen while it boots."""
LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
AUTO, GUIDED, RTL, BRAKE = 3, 4, 6, 17
FLIGHT_S = 60.0
"""Wall seconds that a leg may take at this speed-up on a loaded machine."""
POSITION = 16
CONST_POSITION = 128


def north(metres, **more):
    return {"x": LAT + round(metres * 89.83), "y": LON, **more}


TAKEOFF = {"command": 22, "x": LAT, "y": LON, "z": 20.0}
HOME_SLOT = {"x": LAT, "y": LON}


def ready(client):
    """The estimator has an absolute position: the pre-arm bit alone is not readiness."""
    client.mark = len(client.heard)
    client.wait(
        "EKF_STATUS_REPORT",
        where=lambda m: m.flags & POSITION and not m.flags & CONST_POSITION,
        wall_s=FLIGHT_S,
    )


def arm(client):
    """GUIDED, then arm, again until it is taken."""
    assert 0 == client.command(176, 1, GUIDED)
    for _ in range(30):
        if client.command(400, 1) == 0:
            client.heartbeat(lambda m: m.base_mode & 128)
            return
        client.listen(0.3)
    raise Silence(f"never armed: {client.texts(0)[-5:]}")


def take_off(client, alt_m=20.0):
    arm(client)
    assert 0 == client.command(22, 0, 0, 0, 0, 0, 0, alt_m)
    above(client, alt_m - 1.0)


def above(client, alt_m):
    client.mark = len(client.heard)
    client.wait(
        "GLOBAL_POSITION_INT", where=lambda m: m.relative_alt > alt_m * 1000, wall_s=FLIGHT_S
    )


def north_of_home(client, metres):
    client.mark = len(client.heard)
    client.wait(
        "GLOBAL_POSITION_INT", where=lambda m: m.lat > LAT + metres * 89.83, wall_s=FLIGHT_S
    )


def fly(client, items):
    """Upload, arm, AUTO, start."""
    assert 0 == upload(client, items, wall_s=FLIGHT_S)
    arm(client)
    assert 0 == client.command(176, 1, AUTO)
    assert 0 == client.command(300)
