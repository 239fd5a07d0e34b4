"""Vehicles as processes: how ours and how a real ArduPilot is started, and what differs between them."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

from pymavlink.dialects.v20 import ardupilotmega as mav

ROOT = Path(__file__).resolve().parents[2]
HOME = (10.85, 106.62, 5.0, 0.0)
"""Latitude, longitude, metres above the sea, heading."""
DEFAULTS = """\
FRAME_CLASS 1
MNT1_TYPE 1
CAM1_TYPE 1
SERVO9_FUNCTION 6
SERVO10_FUNCTION 7
SERVO11_FUNCTION 8
SERVO12_FUNCTION 10
FS_THR_ENABLE 1
"""
"""What the observed vehicle was set to beyond ArduPilot's own defaults."""


def free_base():
    """A port P with P, P+2 and P+3 free on loopback."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            base = first.getsockname()[1]
            if base > 65000:
                continue
            try:
                for port in (base + 2, base + 3):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base


class Vehicle:
    """A running vehicle: its ports, and the things a test has to do to any kind of it."""

    kind = ""

    def __init__(self, folder, *, speedup=1, firmware="4.7"):
        self.folder = folder
        self.speedup = speedup
        self.firmware = firmware
        self.port = free_base()
        self.second_port, self.third_port = self.port + 2, self.port + 3
        self._log = (folder / "log.txt").open("wb")
        self.process = subprocess.Popen(
            self.command(), cwd=self.where(), stdout=self._log, stderr=subprocess.STDOUT
        )

    def command(self):
        raise NotImplementedError

    def where(self):
        return self.folder

    def stop(self):
        """End the process that we started; a second call does nothing."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()

    @staticmethod
    def empty(client):
        """Clear mission, fence and rally, one by one: 255 for all is not heard."""
        for kind in (0, 1, 2):
            client.send(mav.MAVLink_mission_clear_all_message(1, 1, kind))
            client.wait(
                "MISSION_ACK",
                where=lambda m, kind=kind: m.mission_type == kind and m.type == 0,
                what=f"to clear {kind}",
            )


class Ours(Vehicle):
    """The copter of simulations.vehicle."""

    kind = "ours"

    def where(self):
        return ROOT

    def command(self):
        home = ",".join(str(v) for v in HOME)
        return [
            *(sys.executable, "-m", "simulations.cli", "vehicle"),
            *("--tcp", str(self.port), "--home", home),
            *("--speedup", str(self.speedup), "--firmware", self.firmware),
        ]


class Ardupilot(Vehicle):
    """Unmodified ArduPilot copter in its software simulation, on loopback, in a folder of its own."""

    kind = "ardupilot"

    def __init__(self, folder, *, binary, **options):
        self._binary = binary
        (folder / "defaults.txt").write_text(DEFAULTS)
        super().__init__(folder, **options)

    def command(self):
        home = ",".join(str(v) for v in HOME)
        return [
            *(str(self._binary), "--wipe", "--model", "quad", "--home", home),
            *("--speedup", str(self.speedup), "--defaults", "defaults.txt"),
            *("--base-port", str(self.port)),
        ]
