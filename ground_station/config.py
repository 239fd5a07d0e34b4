"""The station's one TOML file as frozen models: limits, units and meaning of every key."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ConfigDict, Field, field_validator, model_validator
from typing_extensions import Self

from ground_station.rules import DecideSettings
from runtime.settings import ConfigPath, SecretFile, Settings
from wire.values import NAME_PATTERN

LOOPBACK_NAME = "localhost"


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    if address == LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _address(value: str) -> str:
    if value == LOOPBACK_NAME:
        return value
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise ValueError(
            "should be an IP address of this machine such as 127.0.0.1 or 0.0.0.0"
        ) from None
    return value


class Section(Settings):
    """A table of the file; the text under a key is its description."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class StationSettings(Section):
    """[station]: which site this is and where its own files lie."""

    site_id: Annotated[str, Field(pattern=NAME_PATTERN, examples=["ha-tien"])]
    """Short name of the site; stands in every topic."""
    site_file: Annotated[ConfigPath, Field(examples=["site.geojson"])]
    """GeoJSON with the line, zones, markers and places of the site (operator data)."""
    name_vi: Annotated[str, Field(max_length=100)] = ""
    """Name of the site in Vietnamese; left out, `site_id`."""
    name_en: Annotated[str, Field(max_length=100)] = ""
    """Name of the site in English."""
    time_zone: Annotated[str, Field(max_length=64)] = "Asia/Ho_Chi_Minh"
    """Zone of the times that people read; records are in UTC."""
    authoritative: bool = False
    """The line comes from its owner. Otherwise the map says "not authoritative"."""
    data_dir: Annotated[ConfigPath, Field(examples=["data"])]
    """Folder for the database, pictures and the broker's files."""
    signing_key_file: Annotated[SecretFile, Field(examples=["keys/station.key"])]
    """Secret Ed25519 key; `border-ground init` makes it."""
    basemap_file: ConfigPath | None = None
    """PMTiles file with the base map of the site."""
    attribution: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    """Notices that stand on the map, for example "© OpenStreetMap contributors"."""
    allow_simulated: bool = False
    """Accept nodes that say they are simulated. A production station refuses them."""
    clock_error_s: Annotated[float, Field(ge=0.0, le=60.0)] | None = None
    """The operator's word on how good this machine's UTC is; left out, the kernel is asked."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                "should be a zone of the tz database, such as Asia/Ho_Chi_Minh"
            ) from None
        return value


class BrokerSettings(Section):
    """[broker]: an address to use, or the broker that the station starts itself."""

    kind: Literal["auto", "address", "mosquitto", "iotcore"] = "auto"
    """auto: `address` when it is given, else a mosquitto found on the machine, else iotcore."""
    address: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name or address of a broker that runs already."""
    listen_address: str = "127.0.0.1"
    """Where our own broker listens; iotcore only on loopback."""
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    """TCP port of the broker."""
    mosquitto_program: ConfigPath | None = None
    """Path of mosquitto when it is not found by itself."""
    user: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """User name at a broker of `address`; our own mosquitto has one for the station by itself."""
    password_file: SecretFile | None = None
    """Password of that user."""
    ca_file: ConfigPath | None = None
    """Certificate authority; switches TLS on."""
    certificate_file: ConfigPath | None = None
    """Server certificate of our own mosquitto, or our client certificate at `address`."""
    key_file: SecretFile | None = None
    """Key of that certificate."""
    require_client_certificates: bool = False
    """Our own mosquitto: nodes log in by certificate (its common name is the node), not password."""

    plain_mqtt_on_lan: bool = False
    """Our own mosquitto without TLS beyond loopback: passwords of nodes travel readable. For closed networks only."""
    station_certificate_file: ConfigPath | None = None
    """Then the station logs in by certificate too; its common name is `_station`."""
    station_key_file: SecretFile | None = None
    """Key of that certificate."""

    _check_listen = field_validator("listen_address")(_address)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.kind == "address" and self.address is None:
            raise ValueError("kind = 'address' needs address, for example address = '10.1.0.5'")
        if self.address is not None and self.kind in {"mosquitto", "iotcore"}:
            raise ValueError(f"address is given, so kind is 'auto' or 'address', not {self.kind!r}")
        if self.kind == "iotcore" and not is_loopback(self.listen_address):
            raise ValueError(
                "iotcore has no access control, so listen_address is a loopback address such as "
                "127.0.0.1; install mosquitto to listen elsewhere"
            )
        if (
            self.address is None
            and not is_loopback(self.listen_address)
            and self.certificate_file is None
            and not self.plain_mqtt_on_lan
        ):
            raise ValueError(
                f"listen_address {self.listen_address} is beyond loopback: give ca_file, "
                "certificate_file and key_file, or say plain_mqtt_on_lan = true on a closed network"
            )
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file are given together or not at all")
        if self.certificate_file is not None and self.ca_file is None:
            raise ValueError("certificate_file needs ca_file, so that both ends can be checked")
        if self.require_client_certificates and (
            self.certificate_file is None
            or self.station_certificate_file is None
            or self.station_key_file is None
        ):
            raise ValueError(
                "require_client_certificates needs ca_file, certificate_file, key_file, "
                "station_certificate_file and station_key_file"
            )
        if (self.user is None) != (self.password_file is None):
            raise ValueError("user and password_file are given together or not at all")
        return self


class HttpSettings(Section):
    """[http]: the page and the API."""

    listen_address: str = "127.0.0.1"
    """Where the page is served; a server certificate is needed beyond loopback."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """TCP port of the page."""
    certificate_file: ConfigPath | None = None
    """Server certificate (PEM)."""
    key_file: SecretFile | None = None
    """Its key (PEM)."""
    plain_http_on_lan: bool = False
    """Serve without TLS beyond loopback: passwords then travel readable. For closed networks only."""
    session_hours: Annotated[float, Field(gt=0.0, le=168.0)] = 12.0
    """A login ends after this long."""
    idle_minutes: Annotated[float, Field(gt=0.0, le=10080.0)] = 720.0
    """A login ends after this long without a request."""
    login_attempts: Annotated[int, Field(ge=1, le=100)] = 5
    """Failed logins per user and address before a wait."""
    login_wait_s: Annotated[float, Field(gt=0.0, le=86400.0)] = 60.0
    """The first wait; it doubles with each further failure, up to an hour."""
    metrics_from_lan: bool = False
    """Answer /metrics beyond loopback too (it names nodes, no people)."""
    page_dir: ConfigPath | None = None
    """Another folder with a built page than the one that came with the program."""

    _check_listen = field_validator("listen_address")(_address)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file are given together or not at all")
        if (
            not is_loopback(self.listen_address)
            and self.certificate_file is None
            and not self.plain_http_on_lan
        ):
            raise ValueError(
                f"listen_address {self.listen_address} is beyond loopback: give certificate_file "
                "and key_file, or say plain_http_on_lan = true on a closed network"
            )
        return self


class StoreSettings(Section):
    """[store]: the database and how long it remembers."""

    url: Annotated[str, Field(pattern=r"^(sqlite|postgresql(\+psycopg)?)://")] | None = None
    """Database URL without a password; left out, SQLite in data_dir."""
    password_file: SecretFile | None = None
    """Password for a PostgreSQL URL."""
    observations_keep_days: Annotated[float, Field(gt=0.0, le=3650.0)] = 90.0
    """Observations older than this are deleted; those that made an alert keep their alert."""
    media_keep_days: Annotated[float, Field(gt=0.0, le=3650.0)] = 90.0
    """Pictures older than this are deleted, unless an alert that is still open shows them."""
    media_max_bytes: Annotated[int, Field(ge=1_000_000)] = 20_000_000_000
    """Pictures on disk at most; the oldest go first."""
    health_keep_days: Annotated[float, Field(gt=0.0, le=3650.0)] = 30.0
    """Health reports (one a minute and node is kept) older than this are deleted."""

    @model_validator(mode="after")
    def _no_password_in_url(self) -> Self:
        if self.url is not None and "@" in self.url:
            userinfo = self.url.split("//", 1)[1].rsplit("@", 1)[0]
            if ":" in userinfo:
                raise ValueError("a password stands in password_file, not in the URL")
        return self


class SensorsSettings(Section):
    """[sensors]: when silence means loss."""

    silent_after_s: Annotated[float, Field(ge=5.0, le=3600.0)] = 30.0
    """A node that says nothing for this long is shown as silent (health comes every 10 s)."""
    late_after_s: Annotated[float, Field(ge=1.0, le=86400.0)] = 60.0
    """An observation committed later than this after its capture counts as late."""
    future_tolerance_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 2.0
    """A capture time this far ahead of our clock, beyond the stated error, is filed by arrival."""


class LogSettings(Section):
    """[log]: what is told while it runs."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Smallest level that is logged."""
    json_lines: bool | None = None
    """JSON lines; left out: JSON unless a person watches in a terminal."""


class GroundConfig(Section):
    """The whole station."""

    station: StationSettings
    broker: BrokerSettings = BrokerSettings()
    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    sensors: SensorsSettings = SensorsSettings()
    alerts: DecideSettings = DecideSettings()
    log: LogSettings = LogSettings()

    @property
    def database_url(self) -> str:
        """The URL in force, without a password."""
        if self.store.url is not None:
            return self.store.url
        return f"sqlite:///{self.station.data_dir / 'station.sqlite3'}"

    @property
    def media_dir(self) -> Path:
        """Where pictures lie."""
        return self.station.data_dir / "media"

    @property
    def broker_dir(self) -> Path:
        """Where our own broker's files lie."""
        return self.station.data_dir / "broker"
