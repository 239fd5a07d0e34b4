"""Run a scenario against the real processes: simulated cameras, a real node, a real station.

Nothing of the product knows that it is looking at a film; its node config says ``simulated``, so
every message carries the word.
"""

import json
import os
import secrets
import signal
import sys
import threading
import urllib.error
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from rich.console import Console

from runtime.clock import Clock, SystemClock
from runtime.errors import RetryLater
from simulations.cameras import cameras
from simulations.dem_file import write_dem
from simulations.demo_config import NODE_ID, Layout, node_config, save, station_config
from simulations.processes import Processes, edge_command, free_port, ground_command
from simulations.record import write_events
from simulations.run_config import site_id, write_site
from simulations.station_client import StationClient
from simulations.studio import Studio
from simulations.world import World

_ROOT = Path(__file__).resolve().parent.parent
_STATION_UP_S = 60.0
_NODE_UP_S = 120.0
_POLL_S = 0.5
GUARD = "truc-ban"
ADMINISTRATOR = "admin"


class Demo:
    """One demonstration from nothing to a map, and back to nothing.

    Args:
        scenario_name: a shipped scenario or a file.
        work: folder for everything that is written; kept between runs.
        browser: open the map where there is a screen.
        station_port: of the page; 0 takes a free one.
        environment: of this process; the children get it too.
        console: where people are told; standard error unless given.
        clock: real time.
    """

    def __init__(
        self,
        *,
        scenario_name: str,
        work: Path,
        browser: bool,
        station_port: int,
        environment: Mapping[str, str],
        console: Console | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._scenario_name = scenario_name
        self._layout = Layout(folder=work.absolute())
        self._browser = browser
        self._station_port = station_port
        self._environment = dict(environment)
        self._say = (console if console is not None else Console(stderr=True)).print
        self._clock = clock if clock is not None else SystemClock()
        self._stop_asked = threading.Event()

    def run(self, *, duration_s: float | None = None) -> None:
        """Run until Ctrl-C, or so long after the people begin to move; then stop everything."""
        folder = self._layout.folder
        folder.mkdir(parents=True, exist_ok=True)
        python_path = os.pathsep.join(
            part for part in (str(_ROOT), self._environment.get("PYTHONPATH", "")) if part
        )
        children = Processes(
            folder=folder, environment=self._environment | {"PYTHONPATH": python_path}, root=_ROOT
        )
        for name in children.end_leftovers():
            self._say(f"Đã dừng tiến trình cũ / ended a leftover of an earlier run: {name}")
        with ExitStack() as stack:
            numbers = [signal.SIGINT, signal.SIGTERM]
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                # A terminal that is closed hangs up: the children must not outlive us. Under nohup
                # that is ignored on purpose.
                numbers.append(signal.SIGHUP)
            for number in numbers:
                stack.callback(signal.signal, number, signal.signal(number, self._ask_to_stop))
            studio = stack.enter_context(
                Studio(self._scenario_name, clock=self._clock, gpsd="built_in")
            )
            stack.callback(self._stop, children)
            link = self._start(studio, children)
            if link is not None:
                self._show(link)
                self._watch(studio, children, duration_s)

    def _start(self, studio: Studio, children: Processes) -> str | None:
        """Bring station and node up; returns the one-time link, or None when told to stop."""
        world, layout = studio.world, self._layout
        http_port = self._station_port or free_port()
        broker_port = free_port()
        self._say("Đang khởi động trạm / starting the station ...")
        config = ["--config", str(layout.station_file)]
        streams = {camera.id: studio.url(camera.id) for camera in cameras(world.scenario)}
        fresh = not layout.station_file.exists()
        if fresh:
            site_path = write_site(world.scenario, world.site, layout.folder)
            site = ["--site-id", site_id(world.scenario), "--site-file", str(site_path)]
            init = ground_command("init", str(layout.station_folder), *site, "--allow-simulated")
            children.call("border-ground init", init)
        # Ports are free ones of today, so both configs are written anew at each start.
        save(
            layout,
            station_config(
                world.scenario, world.site, layout, http_port=http_port, broker_port=broker_port
            ),
            node_config(
                world.scenario,
                world.site,
                layout,
                streams=streams,
                broker_port=broker_port,
                # One node for all: its receiver is the first one's, its drone too.
                gpsd_port=next(iter(studio.gpsd_ports().values()), None),
                autopilot_url=next(iter(studio.autopilot_urls().values()), None),
                dem=write_dem(world.scenario, world.site, world.landscape, layout.folder),
            ),
        )
        password = self._users(children, config, fresh=fresh)
        if not layout.credential_file.exists():
            enrol = ground_command(
                "node", "enrol", NODE_ID, "--out", str(layout.credential_file), *config
            )
            children.call("border-ground node enrol", enrol)
        children.start("station", ground_command("run", *config))
        base_url = f"http://127.0.0.1:{http_port}"
        client = StationClient(base_url)
        if not self._wait("the station", _STATION_UP_S, client.alive, children):
            return None
        self._say("Đang khởi động nút cảm biến / starting the node ...")
        children.start("node", edge_command("run", "--config", str(layout.node_file)))
        client.login(GUARD, password)
        link = children.call(
            "border-ground user link", ground_command("user", "link", GUARD, *config)
        )
        if not self._wait("the node", _NODE_UP_S, lambda: _all_online(client), children):
            return None
        studio.go()
        self._write_truth(studio)
        return link.strip().splitlines()[-1]

    def _write_truth(self, studio: Studio) -> None:
        """Leave on disk who will truly cross, by this run's own clock, to hold the map against."""
        scenario = studio.world.scenario
        now = scenario.model_copy(update={"start_utc": self._clock.utc()})
        write_events(
            World(now, studio.world.site),
            self._layout.folder / "truth.json",
            duration_s=scenario.duration_s,
        )

    def _users(self, children: Processes, config: list[str], *, fresh: bool) -> str:
        """Make the first users with one random password, once; returns the password."""
        file = self._layout.password_file
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(12) + "\n", encoding="utf-8")
        known: set[str] = set()
        if not fresh:
            words = ["user", "list", "--json"]
            listed = children.call("border-ground user list", ground_command(*words, *config))
            known = {row["user"] for row in json.loads(listed)}
        # The first user of a station is an administrator.
        for name, role, shown in (
            (ADMINISTRATOR, "administrator", "Quản trị"),
            (GUARD, "guard", "Trực ban"),
        ):
            if name not in known:
                words = ["add", name, "--role", role, "--name", shown, "--password-file", str(file)]
                children.call("border-ground user add", ground_command("user", *words, *config))
        return file.read_text(encoding="utf-8").strip()

    def _show(self, link: str) -> None:
        password = self._layout.password_file.read_text(encoding="utf-8").strip()
        self._say()
        self._say("[bold]ĐANG MÔ PHỎNG, KHÔNG PHẢI THỰC TẾ / simulated, not reality[/bold]")
        self._say("Mở bản đồ, liên kết dùng một lần / open the map, link for one use:")
        self._say(f"  [link={link}]{link}[/link]", soft_wrap=True)
        self._say(
            f"Đăng nhập / log in: {GUARD} hoặc / or {ADMINISTRATOR}, mật khẩu / password: {password}",
            soft_wrap=True, markup=False,
        )  # fmt: skip
        self._say("Ctrl-C: dừng tất cả / stops everything")
        screen = sys.platform == "darwin" or any(
            self._environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
        )
        if self._browser and screen:
            webbrowser.open(link)

    def _watch(self, studio: Studio, children: Processes, duration_s: float | None) -> None:
        until_s = None if duration_s is None else self._clock.monotonic_s() + duration_s
        while not self._stop_asked.is_set():
            children.check()
            if studio.wait(_POLL_S):
                raise RetryLater("a simulated camera failed; see the lines above", retry_after_s=0)
            if until_s is not None and self._clock.monotonic_s() >= until_s:
                return

    def _wait(
        self, what: str, limit_s: float, ready: Callable[[], bool], children: Processes
    ) -> bool:
        """Wait until ``ready()``; False when told to stop meanwhile."""
        until_s = self._clock.monotonic_s() + limit_s
        while not self._stop_asked.is_set():
            children.check()
            if ready():
                return True
            if self._clock.monotonic_s() > until_s:
                raise RetryLater(
                    f"{what} is not up after {limit_s:g} s; its log lies in {self._layout.folder}",
                    retry_after_s=limit_s,
                )
            self._stop_asked.wait(_POLL_S)
        return False

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_asked.set()

    def _stop(self, children: Processes) -> None:
        self._say("Đang dừng / stopping ...")
        for name in children.stop():
            self._say(f"{name} không dừng kịp, đã buộc dừng / did not end in time and was killed")
        self._say("Đã dừng / stopped.")


def _all_online(client: StationClient) -> bool:
    """Return whether the node is online with every camera delivering pictures."""
    try:
        nodes = [node for node in client.nodes() if node["node_id"] == NODE_ID]
    except urllib.error.HTTPError:
        return False
    return any(
        node["state"] == "online"
        and node["sensors"]
        and all(sensor["status"] == "online" for sensor in node["sensors"])
        for node in nodes
    )
