"""A mosquitto of our own: config, permissions, passwords and persistence written by us."""

import getpass
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from ground_station import credentials
from ground_station.config import BrokerSettings
from ground_station.ingest import Address
from runtime.clock import Clock
from runtime.errors import AskOperator, RetryLater
from runtime.log import get_logger

_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 5.0
_POLL_S = 0.05
_MAX_PACKET_BYTES = 2_500_000


def _connects(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.3):
            return True
    except OSError:
        return False


class MosquittoBroker:
    """Starts mosquitto as an ordinary child process.

    A broker that outlived a killed station holds the port; it is known by its config file and
    ended before the new one starts.

    Args:
        settings: of the broker.
        program: the mosquitto program.
        folder: for its files.
        site_id: for the permissions.
        clock: for time-outs.
    """

    notice = ""

    def __init__(
        self, settings: BrokerSettings, *, program: Path, folder: Path, site_id: str, clock: Clock
    ) -> None:
        self._settings = settings
        self._program = program
        self._folder = folder.absolute()
        self._site_id = site_id
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._passwords_read_ns = 0
        self._log = get_logger(worker="broker")
        self.name = f"mosquitto {settings.listen_address}:{settings.port}"

    @property
    def passwords_file(self) -> Path:
        """Hashes of who may log in."""
        return self._folder / "passwords"

    @property
    def _config_file(self) -> Path:
        return self._folder / "mosquitto.conf"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "mosquitto.pid"

    @property
    def _connect_host(self) -> str:
        host = self._settings.listen_address
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound

    def _config(self) -> str:
        settings = self._settings
        lines = [
            "# Written by border-ground at each start; changes here are lost.",
            f"listener {settings.port} {settings.listen_address}",
            "allow_anonymous false",
            f"acl_file {self._folder / 'acl'}",
            f"password_file {self.passwords_file}",
            # A free choice would let any node throw another, or the station, off the broker.
            "use_username_as_clientid true",
            "persistence true",
            f"persistence_location {self._folder}/",
            "autosave_interval 30",
            f"max_packet_size {_MAX_PACKET_BYTES}",
            "max_queued_messages 20000",
            "max_inflight_messages 100",
            f"user {getpass.getuser()}",
            "log_dest stderr",
            "log_type error",
            "log_type warning",
            "connection_messages false",
        ]
        if settings.certificate_file is not None and settings.key_file is not None:
            lines += [
                f"certfile {settings.certificate_file}",
                f"keyfile {settings.key_file.path}",
            ]
            if settings.require_client_certificates:
                lines += [
                    f"cafile {settings.ca_file}",
                    "require_certificate true",
                    "use_identity_as_username true",
                ]
        return "\n".join(lines) + "\n"

    def _write_files(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        password = credentials.new_password()
        credentials.set_password(self.passwords_file, credentials.STATION_USER, password)
        self._write_permissions()
        credentials.write_secret(self._config_file, self._config())
        return password

    def _write_permissions(self) -> None:
        logins = credentials.users(self.passwords_file)
        credentials.write_secret(
            self._folder / "acl", credentials.access_list(self._site_id, logins)
        )

    def _end_leftover(self) -> None:
        """End a mosquitto that an earlier run of this station left behind."""
        try:
            pid = int(self._pid_file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return
        if str(self._config_file).encode() not in words:
            return
        self._log.warning("broker_left_over", pid=pid)
        os.kill(pid, signal.SIGTERM)
        until_s = self._clock.monotonic_s() + _STOP_TIMEOUT_S
        while Path(f"/proc/{pid}").exists() and self._clock.monotonic_s() < until_s:
            if not _connects(self._connect_host, self._settings.port):
                return
            time.sleep(_POLL_S)

    def start(self) -> Address:
        """Write its files, start it, wait until it listens."""
        self._end_leftover()
        if _connects(self._connect_host, self._settings.port):
            raise AskOperator(
                field="broker.port",
                value=self._settings.port,
                allowed="a free TCP port",
                next_step="another program listens there: choose another port, or use that broker "
                "with broker.address",
            )
        password = self._write_files()
        self._spawn()
        settings = self._settings
        tls = settings.certificate_file is not None
        return Address(
            host=self._connect_host,
            port=self._settings.port,
            user=credentials.STATION_USER,
            password=password,
            ca_file=settings.ca_file if tls else None,
            certificate_file=settings.station_certificate_file,
            key_file=settings.station_key_file.path if settings.station_key_file else None,
        )

    def _spawn(self) -> None:
        self._passwords_read_ns = self.passwords_file.stat().st_mtime_ns
        self._process = subprocess.Popen(
            [str(self._program), "-c", str(self._config_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            start_new_session=True,  # Ctrl-C is for the station, which ends it in order.
        )
        credentials.write_secret(self._pid_file, str(self._process.pid))
        until_s = self._clock.monotonic_s() + _START_TIMEOUT_S
        while not _connects(self._connect_host, self._settings.port):
            if self._process.poll() is not None:
                raise AskOperator(
                    field="broker.listen_address",
                    value=f"{self._settings.listen_address}:{self._settings.port}",
                    allowed="an address and port that mosquitto can listen on",
                    next_step=f"run: {self._program} -c {self._config_file} -v",
                )
            if self._clock.monotonic_s() > until_s:
                raise RetryLater(f"{self.name} does not listen yet", retry_after_s=2.0)
            time.sleep(_POLL_S)
        self._log.info("broker_started", broker=self.name, pid=self._process.pid)

    def check(self) -> None:
        """Start it again if it died; let it read changed passwords."""
        if self._process is None:
            return
        if self._process.poll() is not None:
            self._log.error("broker_died", broker=self.name, code=self._process.returncode)
            self._spawn()
            return
        changed_ns = self.passwords_file.stat().st_mtime_ns
        if changed_ns != self._passwords_read_ns:
            self._passwords_read_ns = changed_ns
            self._write_permissions()
            self._process.send_signal(signal.SIGHUP)
            self._log.info(
                "broker_passwords_read", users=len(credentials.users(self.passwords_file))
            )

    def stop(self) -> None:
        """End it orderly, so that it writes its persistence."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_TIMEOUT_S)
        self._process = None
        self._pid_file.unlink(missing_ok=True)
