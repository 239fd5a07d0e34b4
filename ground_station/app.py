"""The composition root: clock, ids, transport and store in, a whole station out."""

import asyncio
import contextlib
import hashlib
import importlib.metadata
import random
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ground_station.announce import Announcer
from ground_station.api import create_app
from ground_station.api_base import Parts
from ground_station.api_read import BASEMAP_URL
from ground_station.auth import People
from ground_station.broker import Broker, choose
from ground_station.command import Commander
from ground_station.config import GroundConfig
from ground_station.decide import Decider
from ground_station.desk import Desk
from ground_station.filing import Filing
from ground_station.fleet import Fleet
from ground_station.hub import Hub
from ground_station.ingest import IngestWorker, MqttWorker, PahoTransport, WatchWorker
from ground_station.keeper import KeeperWorker
from ground_station.metrics import Metrics
from ground_station.pictures import Pictures
from ground_station.roster import Roster
from ground_station.store import Store, intake
from ground_station.store.rows import to_ms
from ground_station.transport import Transport
from ground_station.views import SiteView
from ground_station.zones import Site, read_site
from ground_station.zones_signed import signed_zones
from runtime.clock import Clock, SystemClock
from runtime.errors import AskOperator
from runtime.ids import UlidSource
from runtime.log import get_logger
from runtime.workers import Supervisor, Worker
from wire.signing import BadKey, SigningKey
from wire.topics import station_filters

NOT_AUTHORITATIVE_VI = "Minh họa, không phải đường biên giới chính thức"
NOT_AUTHORITATIVE_EN = "Demonstration, not authoritative"


def program_version() -> str:
    """Version of the installed program; of a source tree, a word that says so."""
    try:
        return importlib.metadata.version("border-watch")
    except importlib.metadata.PackageNotFoundError:
        return "0+source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A station that is put together and not yet started.

    Attributes:
        app: the ASGI application.
        workers: with the longest time one step may take; a simulation calls `step` itself.
        supervisor: has all workers on its list.
    """

    app: Any
    desk: Desk
    hub: Hub
    people: People
    metrics: Metrics
    workers: tuple[tuple[Worker, float], ...]
    supervisor: Supervisor


def open_store(config: GroundConfig) -> Store:
    """The database as configured, its schema brought up to date."""
    password = config.store.password_file
    store = Store(config.database_url, password=None if password is None else password.read_text())
    store.migrate()
    return store


def load_key(config: GroundConfig) -> SigningKey:
    """The station's secret key.

    Raises:
        AskOperator: it cannot be used.
    """
    try:
        return SigningKey.load(config.station.signing_key_file.path)
    except BadKey as error:
        raise AskOperator(
            field="station.signing_key_file",
            value=str(config.station.signing_key_file.path),
            allowed="the secret key that `border-ground init` made",
            next_step=str(error),
        ) from None


def site_view(config: GroundConfig, site: Site, *, version: int) -> SiteView:
    """What the page draws."""
    station = config.station
    origin = site.frame.origin
    known = station.authoritative
    basemap = station.basemap_file
    return SiteView(
        site_id=station.site_id,
        name_vi=station.name_vi or station.name_en or station.site_id,
        name_en=station.name_en or station.name_vi or station.site_id,
        centre_lonlat=(origin.lon_deg, origin.lat_deg),
        time_zone=station.time_zone,
        zones_version=version,
        authoritative=known,
        notice_vi="" if known else NOT_AUTHORITATIVE_VI,
        notice_en="" if known else NOT_AUTHORITATIVE_EN,
        features=site.features,
        basemap_url=BASEMAP_URL if basemap is not None and basemap.is_file() else None,
        attribution=list(station.attribution),
    )


def _page_dir(config: GroundConfig) -> Path | None:
    folder = config.http.page_dir or Path(__file__).parent / "static"
    return folder if (folder / "index.html").is_file() else None


def build(
    config: GroundConfig,
    *,
    clock: Clock,
    ids: UlidSource,
    transport: Transport,
    store: Store,
    key: SigningKey,
    broker_name: str = "",
    more_workers: tuple[tuple[Worker, float], ...] = (),
) -> Station:
    """Put a station together; nothing runs yet.

    Args:
        config: its settings.
        clock: the one source of time.
        ids: the one source of ids.
        transport: bytes to and from the broker.
        store: with an up-to-date schema.
        key: signs zones and commands.
        broker_name: shown on the page.
        more_workers: for example the one that looks after our own broker.
    """
    site = read_site(config.station.site_file)
    version = program_version()
    zones = signed_zones(config, site=site, store=store, key=key, clock=clock)
    metrics, supervisor = Metrics(), Supervisor(clock)
    roster = Roster(
        silent_after_s=config.sensors.silent_after_s,
        zones_sha256=hashlib.sha256(zones.document.signed.encode()).hexdigest(),
    )
    with store.read() as tx:
        roster.load(intake.load_nodes(tx))
    fleet = Fleet(silent_after_s=config.sensors.silent_after_s)
    pictures = Pictures(config.media_dir)
    hub = Hub(first_number=to_ms(clock.utc()))
    announcer = Announcer(
        site_id=config.station.site_id,
        transport=transport,
        clock=clock,
        ids=ids,
        session=ids.new(),
        zones=zones.document,
        simulated=config.station.allow_simulated,
    )

    def decider() -> Decider:
        return Decider(site, config.alerts, ids, time_zone=config.station.time_zone)

    desk = Desk(
        config=config,
        clock=clock,
        store=store,
        decider=decider,
        filing=Filing(
            settings=config.sensors,
            roster=roster,
            fleet=fleet,
            pictures=pictures,
            metrics=metrics,
        ),
        roster=roster,
        fleet=fleet,
        hub=hub,
        announcer=announcer,
        metrics=metrics,
        version=version,
        broker_name=broker_name,
    )
    people = People(store=store, clock=clock, settings=config.http)
    ingest = IngestWorker(
        transport=transport,
        desk=desk,
        announcer=announcer,
        clock=clock,
        subscriptions=station_filters(config.station.site_id),
        metrics=metrics,
    )
    keeper = KeeperWorker(store=store, pictures=pictures, settings=config.store, clock=clock)
    workers: tuple[tuple[Worker, float], ...] = (
        (ingest, 60.0),
        (WatchWorker(desk=desk), 60.0),
        (keeper, 300.0),
        *more_workers,
    )
    for worker, beat_timeout_s in workers:
        supervisor.add(worker, beat_timeout_s=beat_timeout_s)
    parts = Parts(
        config=config,
        clock=clock,
        store=store,
        desk=desk,
        hub=hub,
        people=people,
        commander=Commander(
            config=config, store=store, announcer=announcer, key=key, clock=clock, ids=ids
        ),
        pictures=pictures,
        metrics=metrics,
        supervisor=supervisor,
        site=site_view(config, site, version=zones.version),
        version=version,
        page_dir=_page_dir(config),
    )
    return Station(
        app=create_app(parts),
        desk=desk,
        hub=hub,
        people=people,
        metrics=metrics,
        workers=workers,
        supervisor=supervisor,
    )


class BrokerWorker:
    """Looks after our own broker."""

    name = "broker"

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def step(self, now_s: float) -> float:  # noqa: ARG002  # the broker has the clock
        """Start it again if it died; new passwords."""
        self._broker.check()
        return 0.5

    def close(self) -> None:
        """The broker is stopped last of all, by `run`."""


def _listen(config: GroundConfig) -> socket.socket:
    http = config.http
    family = socket.AF_INET6 if ":" in http.listen_address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((http.listen_address, http.port))
    except OSError as error:
        sock.close()
        raise AskOperator(
            field="http.port",
            value=f"{http.listen_address}:{http.port}",
            allowed="a free address and port of this machine",
            next_step=f"choose another, or end what holds it ({error.strerror})",
        ) from None
    return sock


def serve(station: Station, config: GroundConfig, sock: socket.socket) -> bool:
    """Run until a signal or a worker ends it; whether the end was orderly."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Signals are handled below, so that the broker is stopped after the page."""
            yield

    http = config.http
    server = Server(
        uvicorn.Config(
            station.app,
            log_config=None,
            access_log=False,
            server_header=False,
            # Addresses are counted against wrong passwords: nobody may state his own in a header.
            proxy_headers=False,
            timeout_graceful_shutdown=3,
            ssl_certfile=None if http.certificate_file is None else str(http.certificate_file),
            ssl_keyfile=None if http.key_file is None else str(http.key_file.path),
        )
    )

    async def watch() -> None:
        """Threads end the process, so this asks them now and then."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, station.supervisor.request_stop)
        while not server.should_exit and not station.supervisor.wait(0):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        station.hub.close()
        server.should_exit = True

    async def both() -> None:
        await asyncio.gather(server.serve(sockets=[sock]), watch())

    station.supervisor.start()
    try:
        asyncio.run(both())
    finally:
        late = station.supervisor.stop()
    return not late and not station.supervisor.failed


def run(config: GroundConfig) -> bool:
    """One station in real processes; whether its end was orderly.

    Raises:
        AskOperator: it cannot start as configured.
    """
    log = get_logger(worker="main")
    clock = SystemClock(stated_error_s=config.station.clock_error_s)
    key = load_key(config)
    store = open_store(config)
    broker = choose(config, clock=clock)
    sock = _listen(config)
    try:
        address = broker.start()
        if broker.notice:
            log.warning("broker_notice", notice=broker.notice)
        transport = PahoTransport(
            address, client_id=f"station-{config.station.site_id}", clock=clock
        )
        station = build(
            config,
            clock=clock,
            ids=UlidSource(clock, random.SystemRandom()),
            transport=transport,
            store=store,
            key=key,
            broker_name=broker.name,
            more_workers=((MqttWorker(transport), 30.0), (BrokerWorker(broker), 30.0)),
        )
        scheme = "http" if config.http.certificate_file is None else "https"
        log.info(
            "station_runs",
            page=f"{scheme}://{config.http.listen_address}:{config.http.port}",
            broker=broker.name,
            store=store.shown_url,
        )
        return serve(station, config, sock)
    finally:
        sock.close()
        broker.stop()
        store.close()
