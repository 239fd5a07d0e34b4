"""The scenario's cameras, live: one worker per camera and one that answers HTTP."""

from typing_extensions import Self

from runtime.clock import Clock, SystemClock
from runtime.errors import Broken
from runtime.workers import Supervisor, Worker
from simulations.cameras import DroneFootage, camera_of
from simulations.cameras import cameras as every_camera
from simulations.drone_film import DroneFilm
from simulations.film import Film
from simulations.footage import Footage
from simulations.gpsd_post import Kind as GpsdKind
from simulations.gpsd_post import gpsd_of
from simulations.live_flight import LiveFlight
from simulations.mjpeg import CameraServer, LiveCamera
from simulations.rtsp import RtspCamera, RtspServer
from simulations.scenario import load_scenario
from simulations.world import World

_BEAT_TIMEOUT_S = 30.0
_RADIO_S = 0.17
"""Of a drone's feed, before it is drawn, sent over loopback and decoded."""


class Studio:
    """Serves a scenario. The world stands still at its first instant until `go`.

    Args:
        scenario: name or path, or the world itself.
        port: of the HTTP server; 0 takes a free one.
        clock: real time.
        rtsp: serve the cameras as RTSP too.
        gpsd: serve the scenario's receivers, by which gpsd.

    Raises:
        AskOperator: RTSP or a real gpsd is asked for and the machine lacks its packages.
    """

    def __init__(
        self,
        scenario: str | World,
        *,
        port: int = 0,
        clock: Clock | None = None,
        rtsp: bool = False,
        gpsd: GpsdKind | None = None,
    ) -> None:
        self._clock = clock if clock is not None else SystemClock()
        self.world = (
            scenario if isinstance(scenario, World) else World(load_scenario(scenario).model)
        )
        self._began_s: float | None = None
        played = self.world.scenario
        cameras = {
            camera.id: LiveCamera(Footage(Film(self.world, camera)), self._clock, self.scene_time_s)
            for camera in played.camera
        }
        self.flights = {
            drone.id: LiveFlight(played, drone.id, self.scene_time_s) for drone in played.drone
        }
        """By drone."""
        for drone in played.drone:
            film = DroneFilm(self.world, camera_of(drone), self.flights[drone.id])
            cameras[drone.id] = LiveCamera(
                DroneFootage(film), self._clock, self.scene_time_s, late_s=_RADIO_S
            )
        self._server = CameraServer(cameras, port=port)
        self._workers = Supervisor(self._clock)
        moving: list[Worker] = [*self.flights.values(), *cameras.values()]
        for worker in moving:
            self._workers.add(worker, beat_timeout_s=_BEAT_TIMEOUT_S)
        self._workers.add(self._server, beat_timeout_s=_BEAT_TIMEOUT_S)
        self._rtsp: RtspServer | None = None
        if rtsp:
            self._rtsp = RtspServer(
                [
                    RtspCamera(id=camera.id, url=self._server.url(camera.id), fps=camera.fps)
                    for camera in every_camera(played)
                ]
            )
            self._workers.add(self._rtsp, beat_timeout_s=_BEAT_TIMEOUT_S)
        self._gpsd_port: dict[str, int] = {}
        for settings in self.world.scenario.gpsd if gpsd else ():
            receiver = gpsd_of(
                settings, self.world, self._clock, self.scene_time_s, kind=gpsd or "built_in"
            )
            self._workers.add(receiver, beat_timeout_s=_BEAT_TIMEOUT_S)
            self._gpsd_port[settings.node] = receiver.port

    def url(self, camera_id: str) -> str:
        """Return the address of a camera's stream."""
        return self._server.url(camera_id)

    def rtsp_url(self, camera_id: str) -> str:
        """Return the address of a camera's RTSP stream, for a studio that was asked to serve it."""
        if self._rtsp is None:
            raise Broken("a studio asked for RTSP addresses serves RTSP", found="rtsp=False")
        return self._rtsp.url(camera_id)

    def gpsd_ports(self) -> dict[str, int]:
        """Return the port of each node's gpsd on loopback, by node; empty where none is served."""
        return dict(self._gpsd_port)

    def autopilot_urls(self) -> dict[str, str]:
        """Return where each drone's autopilot is heard, by drone."""
        return {name: flight.url for name, flight in self.flights.items()}

    def min_distance_to_line_m(self) -> dict[str, float]:
        """Return the least true distance of each drone to the line since the world's time ran."""
        return {
            name: round(live.flight.min_distance_to_line_m, 2)
            for name, live in self.flights.items()
        }

    def scene_time_s(self) -> float:
        """Return seconds since `go`, 0 before it."""
        if self._began_s is None:
            return 0.0
        return self._clock.monotonic_s() - self._began_s

    def go(self) -> None:
        """Let the world's time run."""
        self._began_s = self._clock.monotonic_s()

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until a camera fails (True) or the time is over (False); None waits for ever."""
        if timeout_s is not None:
            return self._workers.wait(timeout_s)
        while not self._workers.wait(1.0):
            pass
        return True

    def __enter__(self) -> Self:
        """Start filming."""
        self._workers.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop filming, orderly."""
        self._workers.stop()
