"""The simulated copter on real sockets, heard by a plain pymavlink client."""

import socket
import time

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from runtime.clock import SystemClock
from runtime.errors import AskOperator
from runtime.workers import Supervisor
from simulations.vehicle.copter import Copter
from simulations.vehicle.making import Setup
from simulations.vehicle.ports import Place
from simulations.vehicle.server import VehicleServer

HOME = Place(lat_deg=10.4, lon_deg=104.5, alt_msl_m=5.0)
PATIENCE_S = 20.0


def free_port():
    """A port P with P, P+2 and P+3 free on loopback."""
    for _ in range(50):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        try:
            for offset in (2, 3):
                with socket.socket() as other:
                    other.bind(("127.0.0.1", port + offset))
        except (OSError, OverflowError):
            continue
        return port
    raise AssertionError("no three ports are free")


@pytest.fixture
def serve():
    """Run servers in supervised threads; all end with the test."""
    running = []

    def start(speedup=10.0, **links):
        copter = Copter(Setup(home=HOME, parameters={"SIM_SPEEDUP": speedup}))
        server = VehicleServer(copter, **links)
        supervisor = Supervisor(SystemClock())
        supervisor.add(server, beat_timeout_s=10.0)
        supervisor.start()
        running.append(supervisor)
        return server

    yield start
    for supervisor in running:
        assert () == supervisor.stop()
        assert not supervisor.failed


class Client:
    """A socket, pymavlink's packer and parser."""

    def __init__(self, *, tcp=None, udp=None, listen=None):
        self.mav = mav.MAVLink(None, srcSystem=255, srcComponent=190)
        self.mav.robust_parsing = True
        self.heard = []
        self.first = b""
        if tcp is not None:
            self.socket = socket.create_connection(("127.0.0.1", tcp), timeout=5.0)
            self._send = self.socket.sendall
        else:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(listen or ("127.0.0.1", 0))
            self.to = udp
            self._send = lambda data: self.socket.sendto(data, self.to)
        self.socket.settimeout(0.2)

    def send(self, message):
        self._send(bytes(message.pack(self.mav)))

    def listen(self):
        try:
            data, sender = self.socket.recvfrom(65536)
        except TimeoutError:
            return []
        if self.socket.type == socket.SOCK_DGRAM:
            self.to = sender
        self.first = self.first or data[:1]
        new = self.mav.parse_buffer(data) or []
        self.heard += new
        return new

    def until(self, kind, where=lambda _: True):
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            for message in self.listen():
                if message.get_type() == kind and where(message):
                    return message
        raise AssertionError(f"no {kind}; heard {[m.get_type() for m in self.heard[-8:]]}")

    def command(self, number, *params):
        padded = [*params, *[0.0] * (7 - len(params))]
        self.send(mav.MAVLink_command_long_message(1, 1, number, 0, *padded))
        return self.until("COMMAND_ACK", lambda m: m.command == number).result

    def close(self):
        self.socket.close()


def test_vehicle_sleeps_until_its_first_port_has_a_client(serve) -> None:
    """Ports two and three open then, and speak MAVLink 2 too."""
    port = free_port()
    server = serve(tcp=port)
    with pytest.raises(ConnectionRefusedError):
        Client(tcp=port + 2)
    assert not server.copter.powered
    first = Client(tcp=port)
    first.until("HEARTBEAT")
    assert b"\xfd" == first.first
    others = [Client(tcp=port + offset) for offset in (2, 3)]
    for other in others:
        other.until("HEARTBEAT")
        other.close()
    first.close()


def test_second_client_of_a_port_gets_no_byte_until_the_first_leaves(serve) -> None:
    """The first goes on undisturbed, the flight too."""
    port = free_port()
    server = serve(tcp=port)
    first = Client(tcp=port)
    first.until("HEARTBEAT")
    second = Client(tcp=port)
    first.until("HEARTBEAT")
    first.until("HEARTBEAT")
    assert [] == second.listen()
    assert 0 == first.command(176, 1, 4)
    first.close()
    assert 4 == second.until("HEARTBEAT").custom_mode
    assert 0 == server.copter.reboots
    second.close()


def test_reboot_drops_the_link_and_a_new_client_wakes_it(serve) -> None:
    """ACCEPTED, then the end of the stream."""
    port = free_port()
    server = serve(tcp=port)
    first = Client(tcp=port)
    first.until("HEARTBEAT", lambda m: m.system_status == 3)
    assert 0 == first.command(246, 1)
    end_s = time.monotonic() + PATIENCE_S
    first.socket.settimeout(5.0)
    while first.socket.recv(65536):
        assert time.monotonic() < end_s
    first.close()
    again = Client(tcp=port)
    assert 1 == again.until("HEARTBEAT").system_status
    assert 1 == server.copter.reboots
    again.close()


def test_udp_goes_to_a_given_address_and_hears_its_answers(serve) -> None:
    """It boots at once: there is nobody to wait for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    client = Client(listen=address)
    serve(udp_to=address)
    client.until("HEARTBEAT")
    assert 0 == client.command(511, 33, 100_000)
    client.until("GLOBAL_POSITION_INT")
    client.close()


def test_udp_answers_whoever_speaks(serve) -> None:
    """The last sender is the client."""
    server = serve(udp_listen=("127.0.0.1", 0))
    address = ("127.0.0.1", next(iter(server.ports.values())))
    for _ in range(2):
        client = Client(udp=address)
        client.send(mav.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3))
        client.until("HEARTBEAT", lambda m: m.autopilot == 3)
        client.close()


def test_simulated_time_runs_faster_by_the_factor(serve) -> None:
    """And a PARAM_SET of SIM_SPEEDUP changes it; the load of the machine may only slow it."""
    port = free_port()
    server = serve(tcp=port, speedup=1.0)
    client = Client(tcp=port)
    client.until("HEARTBEAT")
    client.send(mav.MAVLink_param_set_message(1, 1, b"SIM_SPEEDUP", 20.0, 9))
    client.until("PARAM_VALUE", lambda m: m.param_id == "SIM_SPEEDUP")
    begin_s, wall_s = server.copter.now_s, time.monotonic()
    client.until("STATUSTEXT", lambda m: m.text == "EKF3 IMU0 is using GPS")
    ratio = (server.copter.now_s - begin_s) / (time.monotonic() - wall_s)
    assert 1.5 < ratio < 21.0
    client.close()


def test_mission_flies_over_tcp(serve) -> None:
    """Arm, start, climb: as a mission program does it."""
    port = free_port()
    server = serve(tcp=port, speedup=20.0)
    client = Client(tcp=port)
    client.until("STATUSTEXT", lambda m: m.text == "EKF3 IMU0 is using GPS")
    items = [(16, 0.0), (22, 10.0), (20, 0.0)]
    client.send(mav.MAVLink_mission_count_message(1, 1, len(items), 0))
    for _ in items:
        asked = client.until("MISSION_REQUEST")
        command, z = items[asked.seq]
        client.send(
            mav.MAVLink_mission_item_int_message(
                1, 1, asked.seq, 3, command, 0, 1, 0, 0, 0, 0, 0, 0, z, 0
            )
        )
    assert 0 == client.until("MISSION_ACK").type
    assert [0, 0, 0] == [client.command(176, 1, 4), client.command(400, 1), client.command(300)]
    client.until("STATUSTEXT", lambda m: m.text == "Disarming motors")
    assert server.copter.truth().on_ground
    client.close()


def test_port_that_is_taken_is_said_in_words() -> None:
    """With what to do next."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AskOperator) as refused:
            VehicleServer(Copter(Setup(home=HOME)), tcp=port)
    assert str(port) in str(refused.value)
