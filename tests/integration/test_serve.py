"""A studio serves what stands at a post: cameras and, where the scenario has one, the receiver."""

import json
import shutil
import socket
import time

import pytest

from simulations.studio import Studio

KINDS = ["built_in"]
if shutil.which("gpsd", path="/usr/sbin:/usr/bin:/sbin:/bin"):
    KINDS += ["real", "gpsfake"]


def first_fix(port, timeout_s=30.0):
    """Watch a gpsd until it has a fix in space."""
    ends_s, text = time.monotonic() + timeout_s, ""
    while time.monotonic() < ends_s:
        with socket.socket() as client:
            client.settimeout(timeout_s)
            if client.connect_ex(("127.0.0.1", port)) != 0:
                time.sleep(0.1)
                continue
            client.sendall(b'?WATCH={"enable":true,"json":true};\n')
            while chunk := client.recv(65536).decode("ascii"):
                text += chunk
                for line in text.split("\r\n")[:-1]:
                    said = json.loads(line)
                    if said["class"] == "TPV" and said["mode"] == 3 and "altMSL" in said:
                        return said
    raise AssertionError(text[-500:])


@pytest.mark.parametrize("kind", KINDS)
def test_the_scenarios_receiver_is_served(kind):
    """A client gets a fix near the mast, from the built-in gpsd, a real one, and one that gpsfake feeds."""
    with Studio("gps-jump", gpsd=kind) as studio:
        assert {"node-1"} == set(studio.gpsd_ports())
        fix = first_fix(studio.gpsd_ports()["node-1"])
        origin = studio.world.site.frame.origin
        assert fix["lat"] == pytest.approx(origin.lat_deg, abs=0.01)
        assert fix["lon"] == pytest.approx(origin.lon_deg, abs=0.01)
        assert fix["altMSL"] - fix["altHAE"] == pytest.approx(12.0, abs=0.1)


def test_a_scenario_without_a_receiver_serves_none():
    """Nothing is invented."""
    with Studio("field-day-walker", gpsd="built_in") as studio:
        assert {} == studio.gpsd_ports()
