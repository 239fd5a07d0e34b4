"""One interface, three answers: a broker at an address, a mosquitto of our own, or iotcore on loopback."""

import shutil
from pathlib import Path
from typing import Protocol

from ground_station.config import BrokerSettings, GroundConfig, is_loopback
from ground_station.ingest import Address
from runtime.clock import Clock
from runtime.errors import AskOperator


class Broker(Protocol):
    """A broker that the station uses, and starts if it is its own."""

    @property
    def name(self) -> str:
        """Shown on the page: what it is and where."""
        ...

    @property
    def notice(self) -> str:
        """What the operator must know about it; empty when there is nothing to say."""
        ...

    def start(self) -> Address:
        """Start it, if it is ours to start; where the station logs in.

        Raises:
            AskOperator: it cannot be started as configured.
            RetryLater: it did not come up in time.
        """
        ...

    def check(self) -> None:
        """Start it again if it died; let it read changed passwords."""
        ...

    def stop(self) -> None:
        """Stop it, if it is ours."""
        ...


class AddressBroker:
    """Somebody else's broker: used, never started, never stopped.

    Args:
        settings: with an address.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        assert settings.address is not None  # the caller chose this answer for its address
        self._settings = settings
        self._host = settings.address
        self.name = f"{self._host}:{settings.port}"
        self.notice = ""
        if (
            settings.user is None
            and settings.certificate_file is None
            and not is_loopback(self._host)
        ):
            self.notice = (
                f"The broker at {self.name} is used without user or certificate: anybody who "
                "reaches it can speak as a node. Set broker.user and broker.password_file."
            )

    def start(self) -> Address:
        """Where it is."""
        settings = self._settings
        return Address(
            host=self._host,
            port=settings.port,
            user=settings.user,
            password=settings.password_file.read_text() if settings.password_file else None,
            ca_file=settings.ca_file,
            certificate_file=settings.certificate_file,
            key_file=settings.key_file.path if settings.key_file else None,
        )

    def check(self) -> None:
        """Its own people look after it."""

    def stop(self) -> None:
        """It is not ours to stop."""


def find_mosquitto(settings: BrokerSettings) -> Path | None:
    """The mosquitto program: as configured, on the path, or where Debian keeps it."""
    if settings.mosquitto_program is not None:
        return settings.mosquitto_program
    found = shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
    return None if found is None else Path(found)


def has_our_passwords(settings: BrokerSettings) -> bool:
    """Whether the broker in use is our own mosquitto, which reads the passwords we write."""
    program = find_mosquitto(settings)
    found = program is not None and program.is_file()
    return settings.address is None and settings.kind != "iotcore" and found


def choose(config: GroundConfig, *, clock: Clock) -> Broker:
    """The first of the three answers that holds.

    Raises:
        AskOperator: none does.
    """
    from ground_station.broker_iotcore import IotcoreBroker
    from ground_station.broker_mosquitto import MosquittoBroker

    settings = config.broker
    if settings.address is not None:
        return AddressBroker(settings)
    program = find_mosquitto(settings)
    if settings.kind == "mosquitto" and (program is None or not program.is_file()):
        raise AskOperator(
            field="broker.mosquitto_program",
            value=str(program) if program else "not found",
            allowed="an installed mosquitto 2",
            next_step="run: apt-get install mosquitto",
        )
    if settings.kind != "iotcore" and program is not None and program.is_file():
        return MosquittoBroker(
            settings,
            program=program,
            folder=config.broker_dir,
            site_id=config.station.site_id,
            clock=clock,
        )
    if not is_loopback(settings.listen_address):
        raise AskOperator(
            field="broker.listen_address",
            value=settings.listen_address,
            allowed="a loopback address, as long as only the demonstration broker is there",
            next_step="run: apt-get install mosquitto (it has access control)",
        )
    return IotcoreBroker(settings, folder=config.broker_dir)
