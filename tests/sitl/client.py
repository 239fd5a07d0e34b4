"""A plain MAVLink client for the tests: a socket, pymavlink's packer and parser, and a log. Nothing of ours."""

import math
import socket
import time
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as mav

CONNECT_S = 20.0
ON_TIME_S = 10.0
"""Wall seconds that an answer may take on a loaded machine."""


@dataclass(frozen=True)
class Heard:
    """One message as it came."""

    wall_s: float
    message: object
    frame: bytes


class Silence(AssertionError):
    """What was waited for did not come."""


class Client:
    """One TCP connection to one port of a vehicle.

    Everything received stays in `heard`; `wait` looks only at what came after `mark`, which every
    `send` sets anew.
    """

    def __init__(self, port, *, system_id=255, component_id=190, host="127.0.0.1"):
        self.system_id, self.component_id = system_id, component_id
        self.packer = mav.MAVLink(None, system_id, component_id)
        self.parser = mav.MAVLink(None, system_id, component_id)
        self.parser.robust_parsing = True
        self.heard: list[Heard] = []
        self.mark = 0
        self.beats = True
        self._next_beat_s = 0.0
        self.address = (host, port)
        self.socket = socket.socket()
        self.connect()

    def connect(self):
        """Connect, also once more after the link was lost, and wait for a vehicle that starts."""
        self.socket.close()
        end_s = time.monotonic() + CONNECT_S
        while True:
            try:
                self.socket = socket.create_connection(self.address, timeout=1.0)
            except OSError:  # noqa: PERF203  # trying again is what the loop is for
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.05)
            else:
                break
        self.socket.settimeout(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def closed(self):
        """Whether `close` was called."""
        return self.socket.fileno() < 0

    def close(self):
        self.socket.close()

    def renew(self):
        """Forget what was heard but the first frame; beat and send unsigned again."""
        self.pump()
        del self.heard[1:]
        self.mark = len(self.heard)
        self.beats = True
        self.sign(None, 0)

    # Sending

    def send(self, message):
        """Pack and send; from here on `wait` looks at answers to this."""
        self.mark = len(self.heard)
        self.post(message)

    def post(self, message):
        """Send without moving the mark."""
        self.socket.sendall(bytes(message.pack(self.packer)))

    def beat(self):
        """Send our heartbeat."""
        self.post(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))

    def sign(self, key, timestamp, link_id=1):
        """Sign what goes out from here on; no key sends unsigned."""
        signing = self.packer.signing
        signing.secret_key = key
        signing.sign_outgoing = key is not None
        signing.link_id = link_id
        signing.timestamp = timestamp

    # Hearing

    def pump(self):
        """Read what is there and keep our heartbeat going."""
        now_s = time.monotonic()
        if self.beats and now_s >= self._next_beat_s:
            self._next_beat_s = now_s + 0.5
            self.beat()
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return
        if not data:
            raise ConnectionError("the vehicle closed the connection")
        for message in self.parser.parse_buffer(data) or []:
            if message.get_type() != "BAD_DATA":
                self.heard.append(Heard(time.monotonic(), message, bytes(message.get_msgbuf())))

    def listen(self, wall_s):
        """Return the messages of a while."""
        begin, end_s = len(self.heard), time.monotonic() + wall_s
        while time.monotonic() < end_s:
            self.pump()
        return [h.message for h in self.heard[begin:]]

    def since_mark(self, *types):
        """Messages of these types since the mark."""
        return [
            h.message for h in self.heard[self.mark :] if not types or h.message.get_type() in types
        ]

    def wait(self, *types, where=lambda _: True, wall_s=ON_TIME_S, what=""):
        """Return the first message of these types since the mark for which `where` holds."""
        end_s = time.monotonic() + wall_s
        looked = self.mark
        while True:
            for h in self.heard[looked:]:
                if h.message.get_type() in types and where(h.message):
                    return h.message
            looked = len(self.heard)
            if time.monotonic() > end_s:
                seen = [str(m) for m in self.since_mark() if m.get_type() != "HEARTBEAT"]
                raise Silence(f"no {'/'.join(types)} {what}; came: {seen[-12:]}")
            self.pump()

    def text(self, words, wall_s=ON_TIME_S):
        """Wait for a STATUSTEXT (chunks joined) since the mark that has these words."""
        end_s = time.monotonic() + wall_s
        while True:
            for line in self.texts():
                if words in line:
                    return line
            if time.monotonic() > end_s:
                raise Silence(f"no text {words!r}; came: {self.texts()}")
            self.pump()

    def texts(self, begin=None):
        """All texts since the mark, chunks joined."""
        joined, parts = [], {}
        for h in self.heard[self.mark if begin is None else begin :]:
            m = h.message
            if m.get_type() != "STATUSTEXT":
                continue
            if m.id == 0:
                joined.append(m.text)
                continue
            if m.chunk_seq == 0:
                parts[m.id] = len(joined)
                joined.append(m.text)
            elif m.id in parts:
                joined[parts[m.id]] += m.text
        return joined

    def heartbeat(self, where=lambda _: True, wall_s=ON_TIME_S):
        """The next heartbeat of the autopilot for which `where` holds."""
        self.mark = len(self.heard)
        return self.wait("HEARTBEAT", where=lambda m: m.autopilot == 3 and where(m), wall_s=wall_s)

    # Asking

    def command(self, command, *params, wall_s=ON_TIME_S, target=(1, 1), confirmation=0):
        """Send a COMMAND_LONG and return its result."""
        p = [*params, *([0.0] * (7 - len(params)))]
        self.send(mav.MAVLink_command_long_message(*target, command, confirmation, *p))
        return self._result(command, wall_s)

    def command_int(
        self, command, *params, x=0, y=0, z=0.0, frame=6, wall_s=ON_TIME_S, target=(1, 1)
    ):
        """Send a COMMAND_INT and return its result."""
        p = [*params, *([0.0] * (4 - len(params)))]
        self.send(mav.MAVLink_command_int_message(*target, frame, command, 0, 0, *p, x, y, z))
        return self._result(command, wall_s)

    def _result(self, command, wall_s):
        ack = self.wait(
            "COMMAND_ACK",
            where=lambda m: (
                m.command == command
                and m.target_system in {0, self.system_id}
                and m.target_component in {0, self.component_id}
            ),
            wall_s=wall_s,
            what=f"for {command}",
        )
        return ack.result

    def stream(self, message_id, rate_hz):
        """Ask for a message at a rate and return the result."""
        return self.command(511, message_id, 1e6 / rate_hz if rate_hz > 0 else rate_hz)

    def request(self, message_id, index=0.0):
        """REQUEST_MESSAGE: the result; the message itself may stand before or after it."""
        return self.command(512, message_id, index)

    def parameter(self, name, value=None, wall_s=ON_TIME_S):
        """Read or write a parameter and return what the vehicle says it is."""
        if value is None:
            self.send(mav.MAVLink_param_request_read_message(1, 1, name.encode(), -1))
        else:
            self.send(mav.MAVLink_param_set_message(1, 1, name.encode(), value, 9))
        found = self.wait(
            "PARAM_VALUE", where=lambda m: m.param_id == name, wall_s=wall_s, what=name
        )
        return found.param_value


def item_int(seq, command=16, p=(0, 0, 0, 0), x=0, y=0, z=20.0, frame=6, kind=0, target=(1, 1)):
    """A MISSION_ITEM_INT."""
    return mav.MAVLink_mission_item_int_message(
        *target, seq, frame, command, 0, 1, *p, x, y, z, kind
    )


def answers(client, kind=0, mine=True):
    """The mission answers since the mark in short: ("ask", seq), ("ack", result), ("count", n)."""
    short = []
    for m in client.since_mark(
        "MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK", "MISSION_COUNT"
    ):
        if m.mission_type != kind:
            continue
        if mine and (m.target_system, m.target_component) != (
            client.system_id,
            client.component_id,
        ):
            continue
        name = m.get_type()
        if name == "MISSION_REQUEST":
            short.append(("ask", m.seq))
        elif name == "MISSION_REQUEST_INT":
            short.append(("ask int", m.seq))
        elif name == "MISSION_ACK":
            short.append(("ack", m.type))
        else:
            short.append(("count", m.count))
    return short


def upload(client, items, kind=0, *, wall_s=ON_TIME_S, again_s=1.5):
    """Upload items (each a dict for `item_int`) and return the MAV_MISSION_RESULT at the end.

    A careful client: asks again on silence, answers any request, ends on the first ack that is not
    INVALID_SEQUENCE.
    """
    count = mav.MAVLink_mission_count_message(1, 1, len(items), kind)
    client.send(count)
    looked, now_s = client.mark, time.monotonic()
    end_s, next_s, asked = now_s + wall_s, now_s + again_s, False
    while time.monotonic() < end_s:
        fresh = client.heard[looked:]
        looked = len(client.heard)
        for h in fresh:
            m = h.message
            if m.get_type() not in {"MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK"}:
                continue
            mine = (m.target_system, m.target_component) == (client.system_id, client.component_id)
            if not mine or m.mission_type != kind:
                continue
            if m.get_type() == "MISSION_ACK":
                if m.type != mav.MAV_MISSION_INVALID_SEQUENCE:
                    return m.type
            elif m.seq < len(items):
                asked = True
                client.post(item_int(m.seq, kind=kind, **items[m.seq]))
        if not asked and time.monotonic() > next_s:
            client.post(count)
            next_s = time.monotonic() + again_s
        client.pump()
    raise Silence(f"upload of {len(items)} items did not end; answers: {answers(client, kind)}")


def download(client, kind=0, *, again_s=2.0):
    """Return the items as they read back, asking for each up to ten times."""

    def ask(message, *types, where=lambda _: True):
        for _ in range(10):
            client.send(message)
            try:
                return client.wait(*types, where=where, wall_s=again_s)
            except Silence:
                continue
        raise Silence(f"no answer to {message}")

    def mine(m):
        return m.mission_type == kind and m.target_system == client.system_id

    count = ask(
        mav.MAVLink_mission_request_list_message(1, 1, kind), "MISSION_COUNT", where=mine
    ).count
    items = [
        ask(
            mav.MAVLink_mission_request_int_message(1, 1, seq, kind),
            "MISSION_ITEM_INT",
            where=lambda m, seq=seq: mine(m) and m.seq == seq,
        )
        for seq in range(count)
    ]
    client.post(mav.MAVLink_mission_ack_message(1, 1, 0, kind))
    return items


def axis(q):
    """Direction of a camera's axis from its quaternion: forward, right, down."""
    w, x, y, z = q
    return (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))


def off_axis_deg(q, pitch_deg, yaw_deg=0.0):
    """Angle between a camera's axis and a wanted direction, safe near nadir."""
    p, y = math.radians(pitch_deg), math.radians(yaw_deg)
    want = (math.cos(p) * math.cos(y), math.cos(p) * math.sin(y), -math.sin(p))
    along = sum(a * b for a, b in zip(want, axis(q), strict=True))
    return math.degrees(math.acos(max(-1.0, min(1.0, along))))
