"""A client without sockets: it steps the copter by hand and keeps what it hears."""

import math

from pymavlink.dialects.v20 import ardupilotmega as mav
from pymavlink.dialects.v20 import development

from simulations.vehicle.copter import Copter
from simulations.vehicle.making import Setup
from simulations.vehicle.plane import LocalPlane
from simulations.vehicle.ports import Place

HOME = Place(lat_deg=10.4, lon_deg=104.5, alt_msl_m=5.0)
PLANE = LocalPlane.around(HOME.lat_deg, HOME.lon_deg)
READY_S = 42.0
ACCEPTED, DENIED, UNSUPPORTED, FAILED = 0, 2, 3, 4
STABILIZE, ALT_HOLD, AUTO, GUIDED, LOITER, RTL, LAND, BRAKE = 0, 2, 3, 4, 5, 6, 9, 17
NOTHING = (0.0, 0.0, 0.0, 0.0)


def e7(north_m, east_m):
    """A place as MAVLink's integers."""
    place = PLANE.to_place(north_m, east_m, 0.0)
    return round(place.lat_deg * 1e7), round(place.lon_deg * 1e7)


def item(command, north_m=None, east_m=0.0, z=20.0, *, params=NOTHING, frame=3):
    """One mission item; without a place it is a DO item or one that needs none."""
    x, y = e7(north_m, east_m) if north_m is not None else (0, 0)
    return command, frame, params, x, y, z


HOME_SLOT = item(16, 0.0, z=0.0, frame=0)
TAKE_OFF = item(22)
RETURN = item(20, z=0.0)


class Pilot:
    """One ground station at one link of one copter."""

    def __init__(self, copter=None, *, link=0, system_id=255, component_id=190, **setup):
        self.copter = copter or Copter(Setup(home=HOME, **setup))
        self.link = link
        self.mav = mav.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        self.mav.robust_parsing = True
        self.heard = []
        self.beats = True
        self._beat_s = self.copter.now_s
        self.copter.connect(link)
        self.copter.power_on()

    @property
    def now_s(self):
        return self.copter.now_s

    @property
    def body(self):
        return self.copter.body

    def send(self, message):
        self.copter.receive(bytes(message.pack(self.mav)), self.link)
        self.mav.seq = (self.mav.seq + 1) % 256

    def listen(self):
        """Take what lies at our end of the link."""
        new = []
        for frame in self.copter.outgoing(self.link):
            if int.from_bytes(frame[7:10], "little") == 435:
                parser = development.MAVLink(None)
                new.append((self.now_s, parser.parse_buffer(frame)[0]))
                continue
            new += [(self.now_s, message) for message in self.mav.parse_buffer(frame) or []]
        self.heard += new
        return [message for _, message in new]

    def tick(self):
        if self.beats and self.now_s >= self._beat_s:
            self._beat_s = self.now_s + 1.0
            self.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))
        self.copter.step(0.01)
        return self.listen()

    def run(self, seconds):
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-6:
            self.tick()
        return self

    def until(self, kind, where=lambda _: True, *, within_s=60.0):
        """The next message of a kind for which `where` holds, and when it came."""
        end_s = self.now_s + within_s
        while self.now_s < end_s:
            for message in self.tick():
                if message.get_type() == kind and where(message):
                    return self.now_s, message
        raise AssertionError(f"no {kind} within {within_s} s; texts: {self.texts()[-8:]}")

    def until_true(self, holds, *, within_s=60.0):
        end_s = self.now_s + within_s
        while not holds():
            assert self.now_s < end_s, f"not within {within_s} s; texts: {self.texts()[-8:]}"
            self.tick()
        return self.now_s

    def texts(self, since_s=-1.0):
        return [
            message.text
            for t_s, message in self.heard
            if message.get_type() == "STATUSTEXT" and t_s >= since_s
        ]

    def messages(self, kind, since_s=-1.0):
        return [m for t_s, m in self.heard if m.get_type() == kind and t_s >= since_s]

    def kinds(self, since_s=-1.0):
        return {m.get_type() for t_s, m in self.heard if t_s >= since_s}

    def command(self, number, *params, target=(1, 1), confirmation=0):
        """COMMAND_LONG; the result of its acknowledgement, None without one."""
        padded = [*params, *[0.0] * (7 - len(params))]
        self.send(mav.MAVLink_command_long_message(*target, number, confirmation, *padded))
        return self._ack(number)

    def command_int(self, number, *params, frame=6, x=0, y=0, z=0.0):
        padded = [*params, *[0.0] * (4 - len(params))]
        self.send(mav.MAVLink_command_int_message(1, 1, frame, number, 0, 0, *padded, x, y, z))
        return self._ack(number)

    def _ack(self, number):
        for _ in range(50):
            for message in self.tick():
                if message.get_type() == "COMMAND_ACK" and message.command == number:
                    self.ack = message
                    return message.result
        return None

    def upload(self, *items, kind=0):
        self.send(mav.MAVLink_mission_count_message(1, 1, len(items), kind))
        for _ in range(100 * len(items) + 500):
            for message in self.tick():
                if message.get_type() == "MISSION_REQUEST":
                    command, frame, params, x, y, z = items[message.seq]
                    self.send(
                        mav.MAVLink_mission_item_int_message(
                            1, 1, message.seq, frame, command, 0, 1, *params, x, y, z, kind
                        )
                    )
                if message.get_type() == "MISSION_ACK":
                    return message.type
        raise AssertionError("upload never acknowledged")

    def stream(self, message_id, rate_hz):
        return self.command(511, message_id, 1e6 / rate_hz)

    def ready(self):
        """Boot until a position is there."""
        return self.run(READY_S - self.now_s)

    def set_mode(self, number):
        return self.command(176, 1, number)

    def take_off(self, alt_m=20.0):
        """Boot, arm in GUIDED and climb."""
        self.ready()
        assert self.set_mode(GUIDED) == ACCEPTED
        assert self.command(400, 1) == ACCEPTED
        assert self.command(22, 0, 0, 0, 0, 0, 0, alt_m) == ACCEPTED
        self.until_true(lambda: self.height_m > alt_m - 0.3 and abs(self.body.climb_m_s) < 0.1)
        return self

    def fly(self, *items):
        """Boot, upload, arm, AUTO, start."""
        self.ready()
        assert self.upload(*items) == 0
        assert self.set_mode(GUIDED) == ACCEPTED
        assert self.command(400, 1) == ACCEPTED
        assert self.set_mode(AUTO) == ACCEPTED
        assert self.command(300) == ACCEPTED
        return self

    def parameter(self, name, value):
        self.send(mav.MAVLink_param_set_message(1, 1, name.encode(), value, 9))
        return self.until("PARAM_VALUE", lambda m: m.param_id == name, within_s=2.0)[1]

    @property
    def height_m(self):
        return self.body.alt_m - HOME.alt_msl_m

    @property
    def speed_m_s(self):
        return math.hypot(self.body.velocity_north_m_s, self.body.velocity_east_m_s)

    @property
    def mode(self):
        return self.copter.state.mode

    @property
    def armed(self):
        return self.copter.state.armed

    def until_disarmed(self, within_s=300.0):
        return self.until_true(lambda: not self.armed, within_s=within_s)

    def heartbeat(self):
        return self.until("HEARTBEAT", lambda m: m.autopilot == 3, within_s=3.0)[1]
