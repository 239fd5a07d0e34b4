"""Vehicles for the driver: messages packed by hand, and simulated copters on one clock moved by hand."""

from collections import deque
from datetime import datetime, timezone

from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.links import Chunk
from runtime.clock import ManualClock
from simulations.vehicle.copter import Copter
from simulations.vehicle.making import Setup
from simulations.vehicle.ports import Place

START_UTC = datetime(2026, 11, 23, 19, 0, tzinfo=timezone.utc)
HOME = Place(lat_deg=10.4235, lon_deg=104.4407, alt_msl_m=5.0)


def clock_of(monotonic_s=1000.0):
    return ManualClock(START_UTC, monotonic_s=monotonic_s)


class Line:
    """A line by hand: what `say` was given is read at once; what the driver writes is kept."""

    def __init__(self, clock):
        self.clock = clock
        self.inbox = deque()
        self.sent = []
        self.closed = False
        self.fails = None

    def read(self, timeout_s):
        if self.fails is not None:
            fault, self.fails = self.fails, None
            raise fault
        found = list(self.inbox)
        self.inbox.clear()
        return found

    def write(self, data):
        self.sent.append(bytes(data))

    def close(self):
        self.closed = True

    def asked(self, *names):
        """What the driver sent, decoded."""
        parser = mav.MAVLink(None)
        parser.robust_parsing = True
        found = parser.parse_buffer(b"".join(self.sent)) or []
        return [m for m in found if not names or m.get_type() in names]


class Teller:
    """One component of a vehicle that says what it is told to.

    Its clock began `boot_s` of node time; its messages need `delay_s` to arrive.
    """

    def __init__(self, line, *, system_id=1, component_id=1, version=2, boot_s=900.0, delay_s=0.02):
        self.line = line
        self.packer = mav.MAVLink(None, system_id, component_id)
        self.version = version
        self.boot_s = boot_s
        self.delay_s = delay_s

    @property
    def boot_ms(self):
        return round((self.line.clock.monotonic_s() - self.boot_s - self.delay_s) * 1000) % 2**32

    def frame(self, message):
        frame = bytes(message.pack(self.packer, force_mavlink1=self.version == 1))
        self.packer.seq = (self.packer.seq + 1) % 256
        return frame

    def say(self, message):
        self.bytes(self.frame(message))

    def bytes(self, data):
        self.line.inbox.append(Chunk(self.line.clock.monotonic_s(), data))

    def heartbeat(self, *, kind=2, autopilot=3, base_mode=81, custom_mode=0, status=4):
        self.say(mav.MAVLink_heartbeat_message(kind, autopilot, base_mode, custom_mode, status, 3))

    def position(
        self, *, lat=10.4235, lon=104.4407, alt_m=65.0, above_m=60.0, v=(0, 0, 0), hdg=9000, ms=None
    ):
        self.say(
            mav.MAVLink_global_position_int_message(
                self.boot_ms if ms is None else ms,
                round(lat * 1e7),
                round(lon * 1e7),
                round(alt_m * 1000),
                round(above_m * 1000),
                *v,
                hdg,
            )
        )

    def attitude(self, roll=0.0, pitch=0.0, yaw=0.0, rates=(0.0, 0.0, 0.0)):
        self.say(mav.MAVLink_attitude_message(self.boot_ms, roll, pitch, yaw, *rates))

    def gps(
        self,
        *,
        fix=3,
        lat=10.4235,
        lon=104.4407,
        alt_m=65.0,
        ellipsoid_m=0.0,
        eph=120,
        satellites=12,
        h_acc_m=0.0,
        v_acc_m=0.0,
        vel=0,
        yaw=0,
        hdg_acc_deg=0.0,
        second=False,
    ):
        stamp = round(self.line.clock.monotonic_s() * 1e6)
        first = (stamp, fix, round(lat * 1e7), round(lon * 1e7), round(alt_m * 1000), eph, 200)
        exact = (round(ellipsoid_m * 1000), round(h_acc_m * 1000), round(v_acc_m * 1000), 0)
        turn = round(hdg_acc_deg * 1e5)
        if second:
            message = mav.MAVLink_gps2_raw_message(
                *first, vel, 0, satellites, 0, 0, yaw, *exact, turn
            )
        else:
            message = mav.MAVLink_gps_raw_int_message(*first, vel, 0, satellites, *exact, turn, yaw)
        self.say(message)

    def ekf(self, flags=831, ratios=(0.1, 0.1, 0.1, 0.1)):
        self.say(mav.MAVLink_ekf_status_report_message(flags, *ratios, 0.0))


class Heard:
    """A driver on a hand-made line, with one vehicle that says it is a copter."""

    def __init__(self, *, settings=None, signer=None, geoid=None, met=True, version=2, clock=None):
        self.clock = clock or clock_of()
        self.line = Line(self.clock)
        self.driver = MavlinkAutopilot(
            lambda: self.line,
            settings or MavlinkSettings(transmit=False),
            self.clock,
            signer=signer,
            geoid=geoid,
            pause=self.clock.advance,
        )
        self.copter = Teller(self.line, version=version)
        if met:
            self.copter.heartbeat()
            self.read()

    def read(self, step_s=0.1):
        samples = self.driver.read(0.0)
        self.clock.advance(step_s)
        return samples

    @property
    def state(self):
        return self.driver.vehicles()[0]

    def settle(self, **place):
        """Two positions that agree; what came out."""
        out = []
        for _ in range(2):
            self.copter.position(**place)
            out += self.read()
        return out


class CopterLine:
    """One simulated copter's first links as a line, at its own clock's pace."""

    def __init__(self, world, link):
        self.world, self.link = world, link

    def read(self, timeout_s):
        until_s = self.world.clock.monotonic_s() + timeout_s
        while True:
            found = self.world.arrived(self.link)
            if found or self.world.clock.monotonic_s() >= until_s - 1e-9:
                return found
            self.world.step()

    def write(self, data):
        self.world.posted(self.link, data)

    def close(self):
        for copter in self.world.copters:
            copter.disconnect(self.link)


class World:
    """Copters and the node on one clock; the link takes `delay_s` each way."""

    TICK_S = 0.01

    def __init__(self, *setups, delay_s=0.03, clock=None, link=0):
        self.clock = clock or clock_of()
        self.copters = [Copter(setup) for setup in (setups or (Setup(home=HOME),))]
        self.delay_s = delay_s
        self.link = link
        self.truths = [[] for _ in self.copters]
        self._down, self._up = deque(), deque()
        self.cut = False
        for copter in self.copters:
            copter.power_on()

    def connect(self):
        if self.cut:
            raise ConnectionRefusedError("the line is cut")
        for copter in self.copters:
            copter.connect(self.link)
        return CopterLine(self, self.link)

    def step(self):
        now_s = self.clock.monotonic_s()
        while self._up and self._up[0][0] <= now_s + 1e-9:
            _, data = self._up.popleft()
            for copter in self.copters:
                copter.receive(data, self.link)
        for copter, kept in zip(self.copters, self.truths, strict=True):
            copter.step(self.TICK_S)
            if copter.links_dropped:
                copter.links_dropped = False
                copter.disconnect(self.link)
                copter.connect(self.link)
            kept.append((now_s + self.TICK_S, copter.truth(), copter.gimbal.quaternion))
        self.clock.advance(self.TICK_S)
        now_s = self.clock.monotonic_s()
        for copter in self.copters:
            for frame in copter.outgoing(self.link):
                self._down.append((now_s + self.delay_s, frame))

    def arrived(self, link):
        now_s = self.clock.monotonic_s()
        found = []
        while self._down and self._down[0][0] <= now_s + 1e-9:
            _, frame = self._down.popleft()
            if not self.cut:
                found.append(Chunk(now_s, frame))
        return found

    def posted(self, link, data):
        if not self.cut:
            self._up.append((self.clock.monotonic_s() + self.delay_s, data))

    def truth_at(self, t_s, index=0):
        """The truth nearest to an instant of node time."""
        return min(self.truths[index], key=lambda kept: abs(kept[0] - t_s))
