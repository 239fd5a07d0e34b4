"""The demonstration broker: iotcore on loopback, without access control, nothing kept."""

from pathlib import Path
from typing import Any

from ground_station.config import BrokerSettings, is_loopback
from ground_station.ingest import Address
from runtime.errors import AskOperator, RetryLater
from runtime.log import get_logger

_MAX_PAYLOAD_BYTES = 2_500_000
_LOOPBACK = "127.0.0.1"


class IotcoreBroker:
    """Starts iotcore as a child process that ends with the station.

    Args:
        settings: of the broker.
        folder: for its config file.
    """

    notice = (
        "Demonstration broker (iotcore): no access control, nothing kept after a restart. "
        "For real use: apt-get install mosquitto."
    )

    def __init__(self, settings: BrokerSettings, *, folder: Path) -> None:
        if not is_loopback(settings.listen_address):
            raise AskOperator(
                field="broker.listen_address",
                value=settings.listen_address,
                allowed="a loopback address such as 127.0.0.1",
                next_step="install mosquitto to listen elsewhere",
            )
        # It listens on all addresses unless told otherwise, and takes no names.
        self._host = (
            _LOOPBACK if settings.listen_address == "localhost" else settings.listen_address
        )
        self._port = settings.port
        self._folder = folder
        self._broker: Any = None
        self._log = get_logger(worker="broker")
        self.name = f"iotcore {self._host}:{self._port}"

    def _config(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return (
            "id = 0\n"
            "[router]\n"
            "id = 0\n"
            "max_connections = 512\n"
            "max_outgoing_packet_count = 200\n"
            "max_segment_size = 104857600\n"
            "max_segment_count = 10\n"
            "[v5.1]\n"
            'name = "v5"\n'
            f'listen = "{host}:{self._port}"\n'
            "next_connection_delay_ms = 1\n"
            "[v5.1.connections]\n"
            "connection_timeout_ms = 60000\n"
            f"max_payload_size = {_MAX_PAYLOAD_BYTES}\n"
            "max_inflight_count = 100\n"
        )

    def start(self) -> Address:
        """Start it and wait until it listens."""
        try:
            from iotcore import Broker
        except ImportError:
            raise AskOperator(
                field="broker.kind",
                value="iotcore",
                allowed="an installed broker",
                next_step="run: apt-get install mosquitto (or pip install 'border-watch[broker]' "
                "for a demonstration)",
            ) from None
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "iotcore.toml"
        path.write_text(self._config())
        broker = Broker(config_path=str(path))
        try:
            broker.start()
        except OSError as error:
            raise AskOperator(
                field="broker.port",
                value=self._port,
                allowed="a free TCP port",
                next_step=f"choose another port, or end what holds it ({error})",
            ) from None
        except RuntimeError as error:
            raise RetryLater(f"iotcore did not start ({error})", retry_after_s=2.0) from error
        self._broker = broker
        self._log.info("broker_started", broker=self.name)
        return Address(host=self._host, port=self._port)

    def check(self) -> None:
        """Start it again if it died."""
        if self._broker is not None and not self._broker.is_running:
            self._log.error("broker_died", broker=self.name)
            self.start()

    def stop(self) -> None:
        """End the child process."""
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
