"""Runs a copter on real sockets in wall time, faster by a factor: a worker for any supervisor."""

import json
import select
import socket
from collections.abc import Callable

from simulations.vehicle.copter import TICK_S, Copter
from simulations.vehicle.links import LinkSocket, TcpPort, UdpPort
from simulations.vehicle.making import Truth

_WAIT_S = 0.005
_BEHIND_S = 0.25
"""Wall time made up for in one step; a machine that cannot keep up flies slower, not in jumps."""
_MOST_S = 2.0
"""Simulated time of one step: whatever SIM_SPEEDUP is set to, the sockets are served again soon."""
_TCP_OFFSETS = (0, 2, 3)
"""The second and third port, as ArduPilot's simulation numbers them."""
_TRUTH_EVERY_S = 0.2

Fault = Callable[[Copter], None]
"""Looks at vehicle time once per step and changes the world (wind, battery, receiver ...)."""


class VehicleServer:
    """A copter on the wire.

    On TCP it is switched on when the first client connects to the first port, and its second and
    third port open then; on UDP alone it boots at once.

    Args:
        copter: to run.
        host: address of the TCP ports.
        tcp: number of the first port; None for none; 0 takes a free one (and then no others).
        udp_to: a client's address that gets everything from the start.
        udp_listen: own UDP address that answers whoever speaks.
        fault: changes the world as time goes by.
        observe: is shown the truth five times a simulated second.
    """

    def __init__(
        self, copter: Copter, *, host: str = "127.0.0.1", tcp: int | None = None,
        udp_to: tuple[str, int] | None = None, udp_listen: tuple[str, int] | None = None,
        fault: Fault | None = None, observe: Callable[[Truth], None] | None = None,
    ) -> None:  # fmt: skip
        self.name = "vehicle"
        self.copter = copter
        self._host = host
        self._tcp = tcp
        self._fault = fault
        self._observe = observe
        self._observed_s = 0.0
        self._last_s: float | None = None
        self._debt_s = 0.0
        self._first: TcpPort | None = None
        self._sockets: list[LinkSocket] = []
        if tcp is not None:
            self._first = TcpPort(0, host, tcp)
            self._sockets.append(self._first)
        if udp_to is not None:
            self._sockets.append(UdpPort(self._free_number(), to=udp_to))
        if udp_listen is not None:
            self._sockets.append(UdpPort(self._free_number(), listen=udp_listen))

    def _free_number(self) -> int:
        """UDP takes the last links when TCP has the first ones."""
        taken = {entry.number for entry in self._sockets}
        order = (2, 1, 0) if self._tcp is not None else (0, 1, 2)
        return next(number for number in order if number not in taken)

    @property
    def ports(self) -> dict[int, int]:
        """Own port of every link that is open."""
        return {
            entry.number: entry.port
            for entry in self._sockets
            if isinstance(entry, (TcpPort, UdpPort))
        }

    def step(self, now_s: float) -> float:
        """Serve the sockets and let the simulated time follow the wall's.

        Args:
            now_s: monotonic wall seconds.

        Returns:
            0: it waits for its own sockets.
        """
        self._wait()
        for entry in list(self._sockets):
            self._serve(entry)
        copter = self.copter
        if not copter.powered and self._may_boot():
            self._boot()
        last_s, self._last_s = self._last_s, now_s
        if copter.powered and last_s is not None:
            speedup = max(0.01, copter.parameters["SIM_SPEEDUP"])
            self._debt_s = min(_MOST_S, self._debt_s + min(now_s - last_s, _BEHIND_S) * speedup)
            self._advance()
        return 0.0

    def _advance(self) -> None:
        copter = self.copter
        while self._debt_s >= TICK_S and copter.powered:
            self._debt_s -= TICK_S
            if self._fault is not None:
                self._fault(copter)
            copter.step(TICK_S)
            self._flush()
            if self._observe is not None and copter.now_s >= self._observed_s:
                self._observed_s = copter.now_s + _TRUTH_EVERY_S
                self._observe(copter.truth())
        if copter.links_dropped:
            self._drop_all()

    def _wait(self) -> None:
        readers: list[socket.socket] = [one for entry in self._sockets for one in entry.readers()]
        select.select(readers, [], [], _WAIT_S)

    def _serve(self, entry: LinkSocket) -> None:
        was = entry.connected
        data = entry.read()
        if entry.connected and not was:
            self.copter.connect(entry.number)
        elif was and not entry.connected:
            self.copter.disconnect(entry.number)
        if data:
            self.copter.receive(data, entry.number)

    def _may_boot(self) -> bool:
        return self._first is None or self._first.connected

    def _boot(self) -> None:
        copter = self.copter
        copter.power_on()
        if self._first is not None and self._tcp:
            taken = {entry.number for entry in self._sockets}
            for number, offset in enumerate(_TCP_OFFSETS):
                if number not in taken:
                    self._sockets.append(TcpPort(number, self._host, self._tcp + offset))
        for entry in self._sockets:
            if entry.connected:
                copter.connect(entry.number)

    def _flush(self) -> None:
        for entry in self._sockets:
            frames = self.copter.outgoing(entry.number)
            if not frames:
                continue
            if isinstance(entry, UdpPort):
                for frame in frames:
                    entry.write(frame)
            else:
                entry.write(b"".join(frames))
                if not entry.connected:
                    self.copter.disconnect(entry.number)

    def _drop_all(self) -> None:
        """A reboot: the links fall, ports two and three close until the next boot."""
        self.copter.links_dropped = False
        self._debt_s = 0.0
        kept: list[LinkSocket] = []
        for entry in self._sockets:
            self.copter.disconnect(entry.number)
            if isinstance(entry, TcpPort):
                entry.drop()
                if entry is not self._first:
                    entry.close()
                    continue
            kept.append(entry)
        self._sockets = kept

    def close(self) -> None:
        """Close all sockets."""
        for entry in self._sockets:
            entry.close()
        self._sockets = []


def truth_line(truth: Truth) -> str:
    """One JSON line of the true state."""
    return (
        json.dumps(
            {
                "t_s": round(truth.now_s, 2),
                "lat_deg": round(truth.place.lat_deg, 8),
                "lon_deg": round(truth.place.lon_deg, 8),
                "alt_msl_m": round(truth.place.alt_msl_m, 3),
                "velocity_ned_m_s": [round(part, 3) for part in truth.velocity_ned_m_s],
                "on_ground": truth.on_ground,
                "armed": truth.armed,
            }
        )
        + "\n"
    )
