"""What a vehicle answers to a fixed script of questions, as lines that can be compared between vehicles."""

import difflib
import re

from pymavlink.dialects.v20 import ardupilotmega as mav

from tests.sitl.client import item_int, upload
from tests.sitl.vehicles import HOME

LAT, LON = round(HOME[0] * 1e7), round(HOME[1] * 1e7)
NAN = float("nan")
_BY_ITSELF = re.compile(
    r"PreArm|EKF|AHRS|GPS|Ardu|IMU|Baro|Frame|Init|RCInput|u-blox|SIM|Chip|Gyro|Calib|Field|Home"
)
"""Texts a vehicle says by itself while it boots, whoever asks what."""


def line(message):
    """The part of a message in which two vehicles must agree; None for the rest."""
    name = message.get_type()
    match name:
        case "MISSION_REQUEST" | "MISSION_REQUEST_INT":
            return f"{name} {message.mission_type} {message.seq}"
        case "MISSION_ACK":
            return f"{name} {message.mission_type} {message.type}"
        case "MISSION_COUNT":
            return f"{name} {message.mission_type} {message.count}"
        case "MISSION_ITEM_INT" if message.seq > 0 or message.mission_type > 0:
            return (
                f"{name} {message.mission_type} {message.seq} {message.command} {message.frame}"
                f" {message.param1:g} {message.param2:g} {message.param3:g} {message.param4:g}"
                f" {message.x} {message.y} {message.z:.2f}"
            )
        case "COMMAND_ACK":
            return f"{name} {message.command} {message.result}"
        case "STATUSTEXT" if not _BY_ITSELF.match(message.text):
            return f"{name} {message.severity} {message.text.strip()}"
        case "MISSION_CURRENT":
            return f"{name} {message.seq} {message.total}"
        case "PARAM_VALUE" if message.param_index == 65535:
            return f"{name} {message.param_id} {message.param_value:g}"
    return None


def probes():
    """Name and action of every question; each leaves the vehicle as it found it."""
    waypoint = {"x": LAT, "y": LON}
    ring = [
        {"command": 5001, "p": (4, 0, 0, 0), "x": LAT + a, "y": LON + b}
        for a, b in ((0, 0), (0, 9000), (9000, 9000), (9000, 0))
    ]

    def send(*messages):
        def act(client):
            for message in messages:
                client.post(message)
                settle(client)

        return act

    def mission(*items, kind=0):
        def act(client):
            upload(client, list(items), kind)
            settle(client)
            client.post(mav.MAVLink_mission_request_list_message(1, 1, kind))
            for seq in range(1 - min(kind, 1), len(items)):
                client.post(mav.MAVLink_mission_request_int_message(1, 1, seq, kind))

        return act

    def order(command, *params):
        def act(client):
            client.command(command, *params)

        return act

    clear = [mav.MAVLink_mission_clear_all_message(1, 1, kind) for kind in (0, 1, 2)]
    yield "clear", send(*clear)
    yield "clear all at once", send(mav.MAVLink_mission_clear_all_message(1, 1, 255))
    yield "mission", mission({}, {"command": 22, **waypoint}, waypoint, {"command": 20})
    yield "beyond the end", send(mav.MAVLink_mission_request_int_message(1, 1, 9, 0))
    yield "no home slot", mission({"command": 22, **waypoint}, waypoint)
    yield "cut fields", mission({}, {**waypoint, "p": (5.7, 3, 4, 90), "z": 50.123})
    yield "sixteen bits", mission({}, {**waypoint, "p": (70000, 0, 0, 0)})
    for frame in (0, 1, 2, 3, 5, 6, 7, 10, 11):
        yield f"frame {frame}", mission({}, {**waypoint, "frame": frame})
    for name, fields in (
        ("latitude", {"x": 950_000_000}),
        ("longitude", {"y": 1_850_000_000}),
        ("height", {"z": 1e6}),
        ("p1 not a number", {"p": (NAN, 0, 0, 0)}),
        ("p4 not a number", {"p": (0, 0, 0, NAN)}),
        ("unknown command", {"command": 31000}),
        ("jump to nowhere", {"command": 177, "p": (9, 1, 0, 0)}),
        ("roi item", {"command": 195}),
        ("pitch yaw without rates", {"command": 1000, "p": (-45, 0, NAN, NAN)}),
    ):
        yield name, mission({}, {**waypoint, **fields})
    yield "stump", mission({}, waypoint, {"command": 31000}, waypoint)
    yield "unsolicited item", send(item_int(0))
    yield (
        "every item twice",
        send(
            mav.MAVLink_mission_count_message(1, 1, 2, 0),
            item_int(0),
            item_int(0),
            item_int(1, **waypoint),
            item_int(1, **waypoint),
        ),
    )
    yield "too many", send(mav.MAVLink_mission_count_message(1, 1, 60000, 0))
    yield "set current", send(mav.MAVLink_mission_set_current_message(1, 1, 1))
    yield "set current badly", send(mav.MAVLink_mission_set_current_message(1, 1, 99))
    yield "fence", mission(*ring, kind=1)
    yield "fence incomplete", mission(*ring[:3], kind=1)
    yield (
        "fence of two counts",
        mission(*ring[:2], {**ring[2], "p": (3, 0, 0, 0)}, ring[3], kind=1),
    )
    yield "circle of nothing", mission({"command": 5003, **waypoint}, kind=1)
    yield "rally", mission({"command": 5100, **waypoint, "z": 40.0}, kind=2)
    yield "clear again", send(*clear)
    for command, params in (
        (207, (1,)),
        (207, (3,)),
        (207, (0,)),
        (176, (1, 99)),
        (205, (-120, 0, 0, 0, 0, 0, 2)),
        (205, (-60, 0, 0, 0, 0, 0, 2)),
        (1000, (-120, 0, NAN, NAN, 0, 0, 1)),
        (1000, (0, 0, NAN, NAN, 0, 0, 2)),
        (197, ()),
        (203, (0, 0, 0, 0, 1)),
        (2500, ()),
        (531, ()),
        (521, ()),
        (31337, ()),
        (192, ()),
        (224, (99,)),
        (511, (99999, 1e6)),
        (511, (33, 1)),
        (189, ()),
    ):
        yield f"command {command} {params}", order(command, *params)
    yield "read a parameter", send(mav.MAVLink_param_request_read_message(1, 1, b"NO_SUCH", -1))
    yield (
        "write a parameter",
        send(
            mav.MAVLink_param_set_message(1, 1, b"FS_GCS_ENABLE", 1.6, 9),
            mav.MAVLink_param_set_message(1, 1, b"FS_GCS_ENABLE", 0.0, 9),
        ),
    )


def settle(client):
    """Wait until the vehicle has worked through all that was sent: it answers TIMESYNC in its turn."""
    client.stamps = getattr(client, "stamps", 0) + 1
    stamp = client.stamps * 1000
    client.post(mav.MAVLink_timesync_message(0, stamp))
    client.wait("TIMESYNC", where=lambda m: m.ts1 == stamp and m.tc1 != 0)


def record(client):
    """Ask everything and return the answers, one block of lines for each question."""
    lines = []
    for name, act in probes():
        client.mark = begin = len(client.heard)
        act(client)
        settle(client)
        client.listen(0.05)  # Texts wait in a queue of their own.
        lines.append(f"== {name}")
        lines += filter(None, (line(h.message) for h in client.heard[begin:]))
    return lines


def differences(ours, theirs, names=("ours", "theirs")):
    """Lines in which two records differ, under the question they belong to."""
    found, question = [], ""
    for text in difflib.ndiff(ours, theirs):
        if text.startswith("  == "):
            question = text[5:]
        elif text[0] in "-+":
            found.append(f"{question}: {names[0] if text[0] == '-' else names[1]}: {text[2:]}")
    return found
