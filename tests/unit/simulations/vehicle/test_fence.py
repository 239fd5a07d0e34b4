"""The geofence: areas, breaches, texts, the change of mode."""

import math
from dataclasses import replace

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.fence import Fence, FenceAreas
from simulations.vehicle.missions import FenceItems
from simulations.vehicle.missions_mapping import WireItem
from simulations.vehicle.ports import Item, Place
from tests.unit.simulations.vehicle.paper_vehicle import HOME, PaperVehicle, order

M_PER_DEG = 111_319.5
ENABLE = 207


def place(east_m=0.0, north_m=0.0):
    return replace(
        HOME,
        lat_deg=HOME.lat_deg + north_m / M_PER_DEG,
        lon_deg=HOME.lon_deg + east_m / M_PER_DEG / math.cos(math.radians(HOME.lat_deg)),
    )


def area(command, corners=(), radius_m=0.0, at=(0.0, 0.0)):
    spots = corners or [at]
    return [
        Item(
            command=command,
            frame=0,
            params=(float(len(corners)) if corners else radius_m, 0.0, 0.0, 0.0),
            x_e7=round(place(*spot).lat_deg * 1e7),
            y_e7=round(place(*spot).lon_deg * 1e7),
        )
        for spot in spots
    ]


def square(half_m, command=5001):
    corners = [(-half_m, -half_m), (-half_m, half_m), (half_m, half_m), (half_m, -half_m)]
    return area(command, corners)


class Flight:
    """A fence over a paper vehicle that is put here and there."""

    def __init__(self, items=(), **parameters) -> None:
        self.vehicle = PaperVehicle()
        self.vehicle.parameters.update(parameters)
        store = FenceItems(self.vehicle)
        store.begin(len(items))
        for seq, item in enumerate(items):
            store.put(
                WireItem(
                    seq=seq,
                    command=item.command,
                    frame=0,
                    params=item.params,
                    x_e7=item.x_e7,
                    y_e7=item.y_e7,
                    z_m=0.0,
                ),
                announced=len(items),
            )
        assert mav.MAV_MISSION_ACCEPTED == store.finish()[0]
        self.fence = Fence(self.vehicle, store=store)
        self.now_s = 0.0

    def fly(self):
        self.vehicle.be(armed=True, mode=3, landed_state=2)
        return self

    def at(self, east_m=0.0, north_m=0.0, alt_m=20.0, seconds=0.1):
        self.vehicle.be(position=place(east_m, north_m), relative_alt_m=alt_m)
        for _ in range(round(seconds / 0.01)):
            self.now_s += 0.01
            self.vehicle.be(now_s=self.now_s, time_boot_s=self.now_s)
            assert () == self.fence.step(self.now_s)
        return self

    def status(self):
        return self.fence.telemetry(162, self.now_s)


@pytest.mark.parametrize(
    ("items", "east_m", "beyond"),
    [
        (square(100.0), 99.0, False),
        (square(100.0), 101.0, True),
        (square(50.0, 5002), 49.0, True),
        (square(50.0, 5002), 51.0, False),
        (area(5003, radius_m=80.0), 79.0, False),
        (area(5003, radius_m=80.0), 81.0, True),
        (area(5004, radius_m=80.0, at=(100.0, 0.0)), 21.0, True),
        (area(5004, radius_m=80.0, at=(100.0, 0.0)), 19.0, False),
        (square(100.0) + area(5003, radius_m=50.0), 60.0, True),
        (area(5001, [(0, 0), (0, 50), (0, 100)]), 500.0, False),
    ],
)
def test_areas_judge_a_place(items, east_m, beyond) -> None:
    """Outside any inclusion or within any exclusion; corners in one line enclose nothing."""
    assert beyond == (FenceAreas(items).beyond_m(place(east_m)) > 0.0)


def test_no_items_no_breach() -> None:
    """An empty fence keeps nobody."""
    assert -math.inf == FenceAreas(()).beyond_m(HOME)


def test_polygon_breach_brings_the_copter_home() -> None:
    """Mode 6 at once, the texts in order, and the status counts."""
    flight = Flight(square(100.0), FENCE_ENABLE=1.0).fly().at(99.0)
    assert (0, 0) == (flight.status().breach_status, flight.status().breach_count)
    flight.at(101.0)
    assert [(6, "fence")] == flight.vehicle.modes
    assert ["Polygon fence breached", "Manual recovery started"] == flight.vehicle.texts
    status = flight.status()
    assert (1, 1, 3) == (status.breach_status, status.breach_count, status.breach_type)
    flight.at(110.0, seconds=15.0).at(90.0)
    assert "Fence breach cleared" == flight.vehicle.texts[-1]
    assert (6, 0) == (flight.vehicle.state.mode, flight.status().breach_status)
    assert 1 == len(flight.vehicle.modes)


def test_auto_again_outside_is_left_alone() -> None:
    """Whoever commands AUTO outside the fence flies on."""
    flight = Flight(square(100.0), FENCE_ENABLE=1.0).fly().at(101.0)
    flight.vehicle.be(mode=3)
    flight.at(120.0, seconds=20.0)
    assert 3 == flight.vehicle.state.mode
    assert 2 == flight.vehicle.texts.count("Manual recovery started")


def test_altitude_breach_has_its_own_type() -> None:
    """Max Alt is type 2."""
    flight = Flight(FENCE_ENABLE=1.0, FENCE_ALT_MAX=50.0).fly().at(alt_m=49.0).at(alt_m=50.5)
    assert "Max Alt fence breached" == flight.vehicle.texts[0]
    assert 2 == flight.status().breach_type


def test_circle_of_the_parameters_is_about_home() -> None:
    """FENCE_RADIUS from home; further out by 20 m it counts again."""
    flight = Flight(FENCE_ENABLE=1.0, FENCE_RADIUS=200.0).fly().at(east_m=201.0)
    assert "Circle fence breached" == flight.vehicle.texts[0]
    flight.at(east_m=210.0, seconds=11.0).at(east_m=222.0)
    assert 2 == flight.status().breach_count


def test_floor_holds_in_the_air_only() -> None:
    """A copter on the ground or taking off is below its floor and breaches nothing."""
    flight = Flight(FENCE_ENABLE=1.0, FENCE_TYPE=8.0, FENCE_ALT_MIN=10.0).at(alt_m=0.0)
    assert 0 == flight.status().breach_status
    flight.fly().at(alt_m=9.0)
    assert (1, 1) == (flight.status().breach_status, flight.status().breach_type)


def test_floor_alone_can_be_switched_off() -> None:
    """DO_FENCE_ENABLE 2."""
    flight = Flight(FENCE_ENABLE=1.0, FENCE_TYPE=8.0, FENCE_ALT_MIN=10.0).fly()
    assert 0 == flight.fence.command(order(ENABLE, 2.0), 0.0).result
    flight.at(alt_m=9.0)
    assert 0 == flight.status().breach_status


@pytest.mark.parametrize(("value", "result"), [(0.0, 0), (1.0, 0), (2.0, 0), (3.0, 4)])
def test_enable_command_takes_three_values(value, result) -> None:
    """0, 1 and 2 are accepted, 3 has failed."""
    assert result == Flight().fence.command(order(ENABLE, value), 0.0).result


def test_enable_command_leaves_the_parameter_alone() -> None:
    """The command overrules the parameter until that is written anew."""
    flight = Flight(square(100.0)).fly()
    flight.fence.command(order(ENABLE, 1.0), 0.0)
    assert flight.fence.enabled
    assert 0.0 == flight.vehicle.parameters["FENCE_ENABLE"]
    flight.fence.command(order(ENABLE, 0.0), 0.0)
    assert not flight.fence.enabled
    flight.vehicle.parameters["FENCE_ENABLE"] = 1.0
    assert flight.fence.enabled


def test_outside_on_the_ground_arming_is_refused() -> None:
    """The reason names the fence, and no text of a breach is said on the ground."""
    flight = Flight(square(100.0), FENCE_ENABLE=1.0).at(150.0, alt_m=0.0)
    assert ("Vehicle breaching Polygon fence",) == flight.fence.arming_blocks()
    assert [] == flight.vehicle.texts
    assert 1 == flight.status().breach_count
    assert () == flight.at(0.0, alt_m=0.0).fence.arming_blocks()


def test_report_only_changes_no_mode() -> None:
    """FENCE_ACTION 0 talks."""
    flight = Flight(square(100.0), FENCE_ENABLE=1.0, FENCE_ACTION=0.0).fly().at(101.0)
    assert [] == flight.vehicle.modes
    assert ["Polygon fence breached"] == flight.vehicle.texts


def test_new_fence_in_flight_is_judged_at_once() -> None:
    """The areas follow the store."""
    flight = Flight(square(100.0), FENCE_ENABLE=1.0).fly().at(90.0)
    flight.fence._store.clear()
    flight.at(150.0)
    assert 0 == flight.status().breach_status


def test_fence_that_is_off_judges_nobody() -> None:
    """Default FENCE_ENABLE 0."""
    flight = Flight(square(100.0)).fly().at(150.0)
    assert (0, 0) == (flight.fence.breached, flight.status().breach_count)
    assert 0 == flight.fence.sensor_bits().enabled


def test_without_position_the_height_alone_is_judged() -> None:
    """No estimate, no polygon."""
    flight = Flight(square(100.0), FENCE_ENABLE=1.0).fly()
    flight.vehicle.be(position=None, relative_alt_m=120.0)
    flight.fence.step(1.0)
    assert 1 == flight.fence.breached


def test_reboot_forgets_breaches_and_the_command() -> None:
    """The items stay."""
    flight = Flight(square(100.0)).fly()
    flight.fence.command(order(ENABLE, 1.0), 0.0)
    flight.at(101.0)
    flight.fence.reboot(flight.now_s)
    assert not flight.fence.enabled
    assert (0, 4) == (flight.status().breach_count, flight.fence._store.count)


def test_place_is_a_place() -> None:
    """The kit's own check: 100 m east is 100 m by the fence's measure."""
    inside = FenceAreas(area(5003, radius_m=100.0))
    assert abs(inside.beyond_m(place(100.0))) < 0.05
    assert isinstance(place(1.0), Place)
