"""Real processes for tests: a broker, a station, a node; started, killed and started again.

Only processes that a test started are ended, by their own handle.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def wait_for(what: str, check: Callable[[], bool], timeout_s: float, every_s: float = 0.1) -> None:
    """Look until it is so.

    Raises:
        TimeoutError: it did not become so; names what was waited for.
    """
    end = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s} s for: {what}")
        time.sleep(every_s)


class Program:
    """One child process that can be killed and started again; its talk goes into a file."""

    def __init__(self, name: str, command: list[str], folder: Path) -> None:
        self.name = name
        self.command = command
        self.log = folder / f"{name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        assert self._child is None or self._child.poll() is not None, f"{self.name} runs already"
        with self.log.open("ab") as file:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            )
        self.starts += 1

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def kill(self) -> None:
        """Kill -9: no last word, no clean-up."""
        assert self._child is not None
        self._child.send_signal(signal.SIGKILL)
        self._child.wait(10)

    def stop(self) -> None:
        """Ask it to end, as an operator does."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(10)

    def wait(self, timeout_s: float) -> int:
        assert self._child is not None
        return self._child.wait(timeout_s)

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def mosquitto(folder: Path, port: int) -> Program:
    """A broker of its own on loopback, open to this machine, that keeps nothing."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "max_queued_messages 100000\n"
    )
    return Program("mosquitto", [program, "-c", str(config)], folder)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as door:
        door.settimeout(0.5)
        return door.connect_ex(("127.0.0.1", port)) == 0


def border_ground(*arguments: str) -> list[str]:
    """The station's command line."""
    return [sys.executable, "-m", "ground_station.cli", *arguments]


def border_edge(*arguments: str) -> list[str]:
    """The node's command line."""
    return [sys.executable, "-m", "edge.cli", *arguments]


def station(
    folder: Path, site: dict, *, site_id: str, broker_port: int, http_port: int
) -> tuple[Program, Path]:
    """A station made by its own `init`, told to use the broker at this port."""
    site_file = folder / "site.geojson"
    site_file.write_text(json.dumps(site))
    home = folder / "station"
    made = subprocess.run(
        border_ground(
            "init", str(home), "--site-id", site_id, "--site-file", str(site_file),
            "--http-port", str(http_port), "--mqtt-port", str(broker_port), "--json",
        ),
        check=True, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    config = Path(json.loads(made.stdout)["config_file"])
    text = config.read_text()
    head = "\n[broker]\n"
    assert text.count(head) == 1, "the template has one broker table"
    config.write_text(text.replace(head, f'{head}address = "127.0.0.1"\n'))
    return Program("station", border_ground("run", "--config", str(config)), folder), home


def health(http_port: int) -> dict | None:
    """What the station says of itself without a login; None while it does not answer."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{http_port}/api/v1/health", timeout=2
        ) as answer:
            return json.loads(answer.read())
    except (OSError, ValueError):
        return None


def node_toml(
    folder: Path,
    *,
    site_id: str,
    node_id: str,
    broker_port: int,
    camera: dict[str, object],
    tables: dict[str, dict[str, object]],
) -> Path:
    """A node's config file with one camera; `tables` are the camera's own sub-tables."""

    def lines(values: dict[str, object]) -> str:
        return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())

    text = (
        "[node]\n"
        + lines(
            {
                "site_id": site_id,
                "node_id": node_id,
                "data_dir": str(folder / "node"),
                "station_key_file": str(folder / "station" / "keys" / "station.pub"),
            }
        )
        + f"[clock]\nstated_error_s = 0.05\n"
        f"[mqtt]\nport = {broker_port}\n"
        f"[detector]\nthreads = 1\n"
        f"[outbox]\nreserve_bytes = 1048576\nresend_after_s = 3.0\n"
        f'[log]\nformat = "json"\n'
        f"[[camera]]\n{lines(camera)}"
        + "".join(f"[camera.{name}]\n{lines(values)}" for name, values in tables.items())
    )
    path = folder / f"{node_id}.toml"
    path.write_text(text)
    return path
