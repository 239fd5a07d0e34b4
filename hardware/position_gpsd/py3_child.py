"""The process that uses gpsd-py3: asks once a second, prints what it says as gpsd's JSON.

Run as a script by `gpsd_py3`, never imported by the node for its work. What the library fills with
zeros is left out; `alt`, whose datum nobody knows, is left out too. A call that waits too long ends
the process, and so does whatever the library raises.
"""

import json
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

_LONGEST_CALL_S = 5
_PERIOD_S = 1.0
_MOST_SATELLITES = 64


def reports(response: Any) -> Iterator[dict[str, Any]]:
    """Return what a response of the library says, as reports of gpsd.

    Args:
        response: a `gpsd.GpsResponse`.
    """
    tpv: dict[str, Any] = {"class": "TPV", "device": "gpsd-py3", "mode": response.mode}
    # A fix without a time may be an old one told again: it is none.
    placed = response.mode >= 2 and response.lat and response.lon and response.time  # gpsd's mode
    if not placed:
        tpv["mode"] = min(response.mode, 1)
    else:
        tpv |= {"time": response.time, "lat": response.lat, "lon": response.lon}
        error = response.error
        said = {
            "epx": error.get("x"),
            "epy": error.get("y"),
            "epv": error.get("v"),
            "eps": error.get("s"),
            "speed": response.hspeed,
            "track": response.track,
            "climb": response.climb,
        }
        tpv |= {name: value for name, value in said.items() if value}
    yield tpv
    seen = min(response.sats, _MOST_SATELLITES)
    listed = [{"PRN": k, "used": k < response.sats_valid} for k in range(seen)]
    yield {"class": "SKY", "device": "gpsd-py3", "satellites": listed}


def main(host: str, port: int) -> None:
    """Ask for ever; ends by an error, an alarm, or when nobody reads."""
    import gpsd

    signal.alarm(_LONGEST_CALL_S)
    gpsd.connect(host, port)
    _print({"class": "VERSION", "release": "gpsd-py3"})
    _print({"class": "DEVICES", "devices": gpsd.state.get("devices", {}).get("devices", [])})
    while True:
        signal.alarm(_LONGEST_CALL_S)
        try:
            response = gpsd.get_current()
        except (UserWarning, IndexError, KeyError):
            # Not active, an empty poll, a TPV without a mode: gpsd is there and has no fix.
            _print({"class": "TPV", "device": "gpsd-py3", "mode": 0})
        else:
            for report in reports(response):
                _print(report)
        time.sleep(_PERIOD_S)


def _print(report: dict[str, Any]) -> None:
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
