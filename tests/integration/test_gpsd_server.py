"""The built-in gpsd over real sockets, on a clock that the test moves."""

import json
import socket
from datetime import datetime, timezone
from itertools import pairwise

import pytest

from geo.frames import GeodeticPoint
from runtime.clock import ManualClock
from simulations.gpsd_json import LATER
from simulations.gpsd_nmea import checked
from simulations.gpsd_receiver import Receiver
from simulations.gpsd_route import Standing
from simulations.gpsd_server import GpsdServer
from simulations.scenario_node import GpsdFaultSettings

HERE = GeodeticPoint(lon_deg=104.5, lat_deg=10.4, alt_hae_m=-4.0)
START_UTC = datetime(2026, 11, 23, 2, 40, tzinfo=timezone.utc)
WATCH = b'?WATCH={"enable":true,"json":true};\n'


class Rig:
    """A server, its clock, and clients that read whatever has come."""

    def __init__(self, *faults, **options):
        self.clock = ManualClock(START_UTC)
        receiver = Receiver(Standing(HERE), faults=faults)
        self.server = GpsdServer(
            receiver, self.clock, self.clock.monotonic_s, faults=faults, wait_s=0.0, **options
        )
        self._sockets = []

    def client(self):
        client = socket.create_connection(("127.0.0.1", self.server.port), timeout=5.0)
        self._sockets.append(client)
        self.turn()
        return client

    def turn(self, seconds=0.0, step_s=0.1):
        """Let time pass, and the loopback deliver."""
        steps = round(seconds / step_s)
        for k in range(max(1, steps)):
            if steps:
                self.clock.advance(step_s)
            for _ in range(5 if k >= steps - 1 else 1):
                self.server.step(self.clock.monotonic_s())

    def raw(self, client):
        """Everything that has come, to the last byte the server has written."""
        client.settimeout(0.05)
        data = b""
        while True:
            try:
                chunk = client.recv(65536)
            except TimeoutError:
                return data
            if not chunk:
                return data
            data += chunk

    def lines(self, client):
        return self.raw(client).decode("ascii").split("\r\n")[:-1]

    def said(self, client):
        return [json.loads(line) for line in self.lines(client)]

    def ask(self, client, request):
        client.sendall(request)
        self.turn()
        return self.said(client)

    def close(self):
        for client in self._sockets:
            client.close()
        self.server.close()


@pytest.fixture
def rig():
    made = []

    def make(*faults, **options):
        made.append(Rig(*faults, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def fault(kind, at_s=5.0, lasts_s=10.0, **more):
    return GpsdFaultSettings(kind=kind, at_s=at_s, lasts_s=lasts_s, **more)


def is_json(line):
    try:
        return json.loads(line)["class"] in {"TPV", "SKY", "GST", "DEVICE"}
    except ValueError:
        return False


def classes(messages):
    return [message["class"] for message in messages]


def of(messages, kind):
    return [message for message in messages if message["class"] == kind]


def test_a_watcher_is_told_of_every_epoch(rig):
    """Banner, DEVICES and WATCH first, then DEVICE once, then TPV, SKY and GST each second."""
    rig = rig()
    client = rig.client()
    assert ["VERSION"] == classes(rig.said(client))
    assert ["DEVICES", "WATCH"] == classes(rig.ask(client, WATCH))
    rig.turn(3.0)
    messages = rig.said(client)
    assert ["DEVICE"] + 3 * ["TPV", "SKY", "GST"] == classes(messages)
    fixes = of(messages, "TPV")
    assert [f"2026-11-23T02:40:0{s}.000Z" for s in (0, 1, 2)] == [f["time"] for f in fixes]
    assert all(abs(fix["lat"] - HERE.lat_deg) < 3e-4 and fix["mode"] == 3 for fix in fixes)
    assert fixes[0]["altMSL"] - fixes[0]["altHAE"] == pytest.approx(12.0)


def test_clients_are_served_apart(rig):
    """One watches JSON, one NMEA, one polls; one that has stopped watching hears nothing."""
    rig = rig()
    watcher, serial, poller, quiet = (rig.client() for _ in range(4))
    rig.ask(watcher, WATCH)
    rig.ask(serial, b'?WATCH={"enable":true,"nmea":true};\n')
    rig.ask(poller, b'?WATCH={"enable":true};\n')
    rig.ask(quiet, WATCH)
    rig.ask(quiet, b'?WATCH={"enable":false};\n')
    rig.turn(2.0)
    assert 2 == len(of(rig.said(watcher), "TPV"))
    sentences = rig.lines(serial)
    assert len(sentences) > 10
    assert all(checked(line) for line in sentences)
    assert [] == rig.said(quiet)
    assert [] == rig.said(poller)
    (poll,) = rig.ask(poller, b"?POLL;\n")
    assert (1, 3) == (poll["active"], poll["tpv"][0]["mode"])
    assert 5 < len(poll["sky"][0]["satellites"])
    (poll,) = rig.ask(quiet, b"?POLL;\n")
    assert (0, []) == (poll["active"], poll["tpv"])


def test_time_offset_and_pulse_where_asked(rig):
    """TOFF comes to whom it was promised, PPS too if the receiver has a pulse, and to nobody else."""
    rig = rig(has_pps=True)
    client, other = rig.client(), rig.client()
    rig.ask(client, b'?WATCH={"enable":true,"json":true,"pps":true};\n')
    rig.ask(other, WATCH)
    rig.said(other)
    rig.turn(1.0)
    messages = rig.said(client)
    toff = of(messages, "TOFF")[0]
    assert int(START_UTC.timestamp()) == toff["real_sec"]
    late_ns = (toff["clock_sec"] - toff["real_sec"]) * 10**9 + toff["clock_nsec"]
    assert 0 <= late_ns <= 300_000_000
    assert 1 == len(of(messages, "PPS"))
    assert set(classes(rig.said(other))) == {"DEVICE", "TPV", "SKY", "GST"}


def test_no_fix_is_mode_1_with_time(rig):
    """No place, no error, a time, and satellites that are seen and not used."""
    rig = rig(fault("no_fix", at_s=0.0))
    client = rig.client()
    rig.ask(client, WATCH)
    rig.turn(2.0)
    messages = rig.said(client)
    assert {"class", "device", "mode", "time", "ept"} == set(of(messages, "TPV")[-1])
    assert 0 == of(messages, "SKY")[-1]["uSat"] < of(messages, "SKY")[-1]["nSat"]
    assert [] == of(messages, "GST")


def test_jamming_is_told_by_later_releases_only(rig):
    """3.22 has no such field; a later one counts up to 255."""
    old, new = rig(fault("jammed", at_s=1.0, lasts_s=60.0)), None
    new = rig(fault("jammed", at_s=1.0, lasts_s=60.0), dialect=LATER)
    for each in (old, new):
        client = each.client()
        each.ask(client, WATCH)
        each.turn(30.0)
        fixes = of(each.said(client), "TPV")
        assert [3, 1] == [fixes[0]["mode"], fixes[-1]["mode"]]
        if each is old:
            assert all("jam" not in fix for fix in fixes)
        else:
            assert (8, 255) == (fixes[0]["jam"], fixes[-1]["jam"])


def test_slow_leaves_epochs_out(rig):
    """A fix every four seconds while it lasts, every second before and after."""
    rig = rig(fault("slow", at_s=5.0, lasts_s=20.0, every_s=4.0))
    client = rig.client()
    rig.ask(client, WATCH)
    rig.turn(30.0)
    seconds = [int(fix["time"][17:19]) for fix in of(rig.said(client), "TPV")]
    steps = {b: b - a for a, b in pairwise(seconds)}
    assert {1} == {step for second, step in steps.items() if second < 5 or second > 26}
    assert {4} == {step for second, step in steps.items() if 9 < second < 24}


def test_half_lines_break_the_stream_as_told(rig):
    """Split lines are whole again when put together; cut and glued ones are no JSON; later all is."""
    rig = rig(fault("half_lines", at_s=0.0, lasts_s=20.0))
    client = rig.client()
    rig.ask(client, WATCH)
    rig.turn(19.0, step_s=0.05)
    good = bad = 0
    for line in rig.raw(client).split(b"\r\n")[:-1]:
        whole = is_json(line)
        good, bad = good + whole, bad + (not whole)
    counters = rig.server.counters
    assert min(counters.lines_split, counters.lines_cut, counters.lines_with_garbage) > 3
    assert good >= counters.lines_split // 2 > 0
    assert bad >= counters.lines_with_garbage
    rig.turn(2.0)
    rig.raw(client)
    rig.turn(3.0)
    assert 3 * ["TPV", "SKY", "GST"] == classes(rig.said(client))


def test_death_ends_connections_and_refuses_then_is_back(rig):
    """Clients see the end, new ones are refused, and afterwards it answers on the same port."""
    rig = rig(fault("death"))
    client = rig.client()
    rig.ask(client, WATCH)
    rig.turn(6.0)
    client.settimeout(5.0)
    while client.recv(65536):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", rig.server.port), timeout=5.0)
    rig.turn(10.0)
    again = rig.client()
    assert ["VERSION"] == classes(rig.said(again))
    assert [{"class": "DEVICE", "path": "/dev/ttyACM0"}] == rig.ask(again, b"?DEVICES;\n")[0][
        "devices"
    ]
    rig.ask(again, WATCH)
    rig.turn(2.0)
    assert 2 == len(of(rig.said(again), "TPV"))
    assert 1 == rig.server.counters.deaths


def test_a_client_that_does_not_read_is_let_go(rig):
    """Its queue is bounded; the others are served on."""
    rig = rig()
    asleep, awake = rig.client(), rig.client()
    asleep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    rig.ask(awake, WATCH)
    asleep.sendall(WATCH)
    for _ in range(40):
        rig.turn(100.0, step_s=1.0)
        rig.raw(awake)
        if rig.server.counters.too_slow:
            break
    assert 1 == rig.server.counters.too_slow
    rig.turn(2.0)
    assert 2 == len(of(rig.said(awake), "TPV"))
