"""Whatever a client says, the copter goes on: no message and no byte stops it."""

import math
import random

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.unit.simulations.vehicle.pilot import HOME_SLOT, RETURN, TAKE_OFF, Pilot, item

ODD = (0.0, 1.0, -1.0, 2.5, 1e9, -1e9, 3.4e38, math.nan, math.inf, -math.inf)
PLACES = (0, 1, -1, 104_000_000, 1_045_000_000, 2**31 - 1, -(2**31))
REBOOT, TERMINATE, SPEEDUP = 246, 185, "SIM_SPEEDUP"
COMMANDS = sorted(
    {
        value
        for name, value in vars(mav).items()
        if name.startswith("MAV_CMD_") and isinstance(value, int) and 0 < value <= 65535
    }
    - {REBOOT, TERMINATE}
)
SETUP_SIGNING = 256


@pytest.fixture(params=["parked", "flying"])
def pilot(request):
    """A copter on the ground, and one on its way."""
    if request.param == "parked":
        return Pilot().ready()
    pilot = Pilot().fly(HOME_SLOT, TAKE_OFF, item(16, 400.0), item(16, 0.0, 400.0), RETURN)
    pilot.until_true(lambda: pilot.body.north_m > 10)
    return pilot


def whole(pilot):
    """Alive, in numbers, and talking."""
    truth = pilot.copter.truth()
    numbers = (
        truth.place.lat_deg, truth.place.lon_deg, truth.place.alt_msl_m,
        *truth.velocity_ned_m_s, *truth.euler_rad, pilot.copter.state.battery_v,
    )  # fmt: skip
    assert all(math.isfinite(number) for number in numbers), numbers
    pilot.command(511, 0, 0)  # A fool may have switched the heartbeat off.
    begin_s = pilot.now_s
    pilot.run(1.5)
    assert pilot.messages("HEARTBEAT", begin_s)


@pytest.mark.parametrize("seed", range(2))
def test_every_command_with_odd_numbers_is_survived(pilot, seed) -> None:
    """LONG and INT, infinite, absent, huge and negative parameters."""
    draw = random.Random(seed)
    for number in COMMANDS:
        params = [draw.choice(ODD) for _ in range(7)]
        pilot.send(mav.MAVLink_command_long_message(1, 1, number, 0, *params))
        pilot.send(
            mav.MAVLink_command_int_message(
                1, 1, draw.choice((0, 1, 3, 6, 10, 99)), number, 0, 0, *params[:4],
                draw.choice(PLACES), draw.choice(PLACES), params[6],
            )
        )  # fmt: skip
        pilot.tick()
    pilot.run(5.0)
    whole(pilot)


@pytest.mark.parametrize("seed", range(2))
def test_every_message_with_any_payload_is_survived(pilot, seed) -> None:
    """All that the dialect knows, addressed to the vehicle, filled with chance."""
    draw = random.Random(seed)
    for number, kind in sorted(mav.mavlink_map.items()):
        if number == SETUP_SIGNING:
            continue
        for _ in range(3):
            payload = draw.randbytes(kind.unpacker.size)
            raw = kind.unpacker.unpack(payload)
            fields, at = [None] * len(kind.fieldnames), 0
            for name, length, size in zip(
                kind.ordered_fieldnames, kind.lengths, kind.array_lengths, strict=True
            ):
                step = 1 if isinstance(raw[at], bytes) else length
                taken = raw[at : at + step]
                fields[kind.fieldnames.index(name)] = (
                    list(taken) if size and not isinstance(raw[at], bytes) else taken[0]
                )
                at += step
            message = kind(*fields)
            if "target_system" in kind.fieldnames:
                message.target_system = 1
            if getattr(message, "command", None) in (REBOOT, TERMINATE):
                continue
            pilot.send(message)
        pilot.tick()
    pilot.run(5.0)
    whole(pilot)


def test_every_parameter_may_be_anything_and_is_survived(pilot) -> None:
    """A fool with a parameter file."""
    draw = random.Random(7)
    for name in pilot.copter.parameters.names:
        if name not in (SPEEDUP, "MAV_SYSID"):
            value = draw.choice((0.0, -1.0, 1e-3, 300.0, 1e9, -1e9))
            pilot.send(mav.MAVLink_param_set_message(1, 1, name.encode(), value, 9))
            pilot.tick()
    pilot.run(10.0)
    truth = pilot.copter.truth()
    assert math.isfinite(sum(truth.velocity_ned_m_s) + truth.place.alt_msl_m)


def test_rubbish_on_the_line_is_survived(pilot) -> None:
    """Bytes of chance, and the next heartbeat is heard."""
    draw = random.Random(5)
    for _ in range(200):
        pilot.copter.receive(draw.randbytes(draw.randrange(1, 300)), 0)
        pilot.tick()
    whole(pilot)
