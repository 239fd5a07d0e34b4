"""Real devices from a config: cameras, networks, broker, position."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge.app import Devices
from edge.config import NodeConfig
from edge.config_camera import CameraSettings, MountSettings
from edge.config_position import FixedPositionSettings, GpsdPositionSettings
from edge.detect import Detector
from edge.detector import open_detector
from edge.uplink import PahoTransport
from geo.frames import GeodeticPoint
from hardware.camera_opencv import CameraSource, OpenCvCamera
from hardware.ports import AutopilotPort, PositionPort
from hardware.position_fixed import FixedPosition
from hardware.position_gpsd import Connect, GpsdPosition, GpsdSource, Rules, gpsd_py3
from hardware.udp_tee import UdpTee
from models.registry import NetworkEntry, Registry
from runtime.clock import Clock, SystemClock
from runtime.errors import AskOperator
from wire.signing import BadKey, VerifyKey

if TYPE_CHECKING:
    from hardware.autopilot_mavlink.links import ByteLink

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id(path: Path = BOOT_ID) -> str:
    """The kernel's name of this boot; without one, stamps are good for this run only."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def station_key(path: Path | None) -> VerifyKey | None:
    """The station's public key.

    Raises:
        AskOperator: The file cannot be read, or is no such key.
    """
    if path is None:
        return None
    try:
        return VerifyKey.from_pem(path.read_bytes(), name=str(path))
    except (OSError, BadKey) as error:
        raise AskOperator(
            field="node.station_key_file",
            value=str(error),
            allowed="the station's public key in PEM",
            next_step="copy station.pub from the station's data folder to this node",
        ) from None


def network(config: NodeConfig, camera: CameraSettings) -> NetworkEntry:
    """The network that looks at a camera's frames.

    Raises:
        ModelError: No such network.
    """
    name = config.detector.day if camera.spectrum == "day" else config.detector.thermal
    return Registry.load().get(name)


def open_detectors(config: NodeConfig) -> dict[str, Detector]:
    """Each network once, however many cameras look through it.

    Raises:
        ModelError: A file is missing, damaged or of another layout.
    """
    opened: dict[str, Detector] = {}
    found: dict[str, Detector] = {}
    for camera in config.camera:
        entry = network(config, camera)
        if entry.name not in opened:
            opened[entry.name] = _open_detector(config, entry)
        found[camera.sensor_id] = opened[entry.name]
    return found


def _open_detector(config: NodeConfig, entry: NetworkEntry) -> Detector:
    rules = config.detector
    return open_detector(
        entry,
        engine=rules.engine,
        device=rules.device,
        threads=rules.threads,
        min_confidence=rules.min_confidence,
        input_size_px=rules.input_size_px,
    )


def camera_source(camera: CameraSettings, tee: UdpTee | None = None) -> CameraSource:
    """A camera's settings in the driver's words.

    Args:
        camera: its settings.
        tee: receives its stream and hands it on, where the stream brings its own metadata.
    """
    return CameraSource(
        sensor_id=camera.sensor_id,
        source=camera.source if tee is None else tee.decoder_source,
        pace=camera.pace,
        film_rate_hz=camera.film_rate_hz,
        loop=camera.loop,
        open_timeout_s=camera.open_timeout_s,
        read_timeout_s=camera.read_timeout_s,
        frozen_after_s=camera.frozen_after_s,
        capture_latency_s=camera.capture_latency_s,
    )


def open_transport(config: NodeConfig, clock: Clock, *, probe: bool = False) -> PahoTransport:
    """The way to the broker; nothing is connected yet.

    Args:
        config: Where the broker is and how it knows us.
        clock: For time-outs.
        probe: Look only: whatever the broker keeps for the node stays there.
    """
    mqtt = config.mqtt
    return PahoTransport(
        host=mqtt.host,
        port=mqtt.port,
        client_id=config.node.node_id,
        clock=clock,
        keepalive_s=mqtt.keepalive_s,
        max_in_flight=mqtt.max_in_flight,
        tls=mqtt.tls,
        ca_file=mqtt.ca_file,
        cert_file=mqtt.cert_file,
        key_file=mqtt.key_file,
        username=mqtt.username,
        password_file=mqtt.password_file,
        acknowledge=not probe,
    )


def open_position(
    config: NodeConfig, clock: Clock, *, connect: Connect | None = None
) -> PositionPort | None:
    """The node's own place: as configured, else its first camera's mount.

    Args:
        config: Whether it was surveyed, or a gpsd tells it.
        clock: For time-outs. A gpsd on this machine also tells how right it is.
        connect: Makes the connection to a gpsd; TCP if not given.
    """
    position = config.position
    if isinstance(position, GpsdPositionSettings):
        receiver = open_receiver(position, clock, connect=connect)
        if isinstance(clock, SystemClock):
            clock.hear(receiver.clock_error)
        return receiver
    if position is not None:
        return _fixed(position, clock)
    for camera in config.camera:
        if camera.mount is not None:
            return _fixed(camera.mount, clock)
    return None


def open_receiver(
    position: GpsdPositionSettings, clock: Clock, *, connect: Connect | None = None
) -> GpsdPosition:
    """The receiver behind a gpsd; nothing is connected yet.

    Raises:
        AskOperator: The library that should read it is not installed.
    """
    source = gpsd_source(position)
    if connect is None and position.reader == "gpsd-py3":
        if not gpsd_py3.installed():
            raise AskOperator(
                field="position.reader",
                value="gpsd-py3",
                allowed="a reader that is installed",
                next_step='run: pip install gpsd-py3, or set reader = "own"',
            )
        connect = gpsd_py3.connect(source.host, source.port)
    return GpsdPosition(source, clock, connect=connect)


def gpsd_source(position: GpsdPositionSettings) -> GpsdSource:
    """A receiver's settings in the driver's words."""
    return GpsdSource(
        host=position.host,
        port=position.port,
        device=position.device,
        rules=Rules(
            stale_after_s=position.stale_after_s,
            frozen_after_s=position.frozen_after_s,
            max_speed_m_s=position.max_speed_m_s,
            jump_hold_s=position.jump_hold_s,
            jam_indicator_above=position.jam_indicator_above,
        ),
    )


def _fixed(place: FixedPositionSettings | MountSettings, clock: Clock) -> FixedPosition:
    return FixedPosition(
        GeodeticPoint(lon_deg=place.lon_deg, lat_deg=place.lat_deg, alt_hae_m=place.alt_hae_m),
        horizontal_sigma_m=place.horizontal_sigma_m,
        vertical_sigma_m=place.vertical_sigma_m,
        clock=clock,
    )


def open_autopilot(
    config: NodeConfig, clock: Clock, *, connect: "Callable[[], ByteLink] | None" = None
) -> AutopilotPort | None:
    """The link to the vehicles, if there is one; nothing is connected yet.

    Args:
        config: Where they are heard.
        clock: Stamps what arrives.
        connect: Opens the line instead of what the config names.

    Raises:
        AskOperator: An address, key or log that can never work.
    """
    told = config.autopilot
    if told.source == "none":
        return None
    # The dialect's tables take a second to load on a small board: only where they are needed.
    from hardware.autopilot_mavlink.opening import Opening, open_mavlink

    key = None if told.signing_key_file is None else told.signing_key_file.read_text()
    return open_mavlink(
        Opening(
            url=told.url,
            log_file=told.log_file,
            log_fast=told.log_pace == "fast",
            baud=told.baud,
            system_id=told.system_id,
            component_id=told.component_id,
            vehicles=frozenset(told.vehicles),
            signing_key=key,
            signing_link_id=told.signing_link_id,
            signing_state_file=config.node.data_dir / "mavlink-signing.json",
            transmit=told.transmit,
            attitude_rate_hz=told.attitude_rate_hz,
            position_rate_hz=told.position_rate_hz,
            status_rate_hz=told.status_rate_hz,
        ),
        clock,
        connect=connect,
    )


def open_devices(config: NodeConfig, clock: Clock) -> Devices:
    """Everything a node is joined to, opened as far as can be without waiting.

    Raises:
        AskOperator: A source or a network that can never work.
        ModelError: A network file that is missing or damaged.
    """
    tees = {
        camera.sensor_id: UdpTee(camera.source, clock)
        for camera in config.camera
        if camera.recorded is not None and camera.live
    }
    return Devices(
        cameras={
            camera.sensor_id: OpenCvCamera(camera_source(camera, tees.get(camera.sensor_id)), clock)
            for camera in config.camera
        },
        tees=tees,
        detectors=open_detectors(config),
        transport=open_transport(config, clock),
        position=open_position(config, clock),
        autopilot=open_autopilot(config, clock),
    )
