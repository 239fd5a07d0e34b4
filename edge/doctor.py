"""What `border-edge doctor` probes: everything a config promises and cannot prove by itself."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from edge import devices
from edge.alone import is_taken
from edge.config import NodeConfig
from edge.config_camera import CameraSettings
from edge.config_position import GpsdPositionSettings
from edge.config_recorded import RecordedSettings
from edge.doctor_position import look_at_receiver
from edge.finding import Finding
from edge.ground import camera_ground
from edge.recorded_film import read_telemetry
from hardware.camera_opencv import OpenCvCamera
from hardware.udp_tee import UdpTee
from models.registry import ModelError, verify
from runtime.clock import Clock
from runtime.errors import AskOperator, RetryLater

_FREE_TIMES = 2
_CAMERA_TRIES = 60
_VEHICLE_S = 8.0
_LIVE_PACKETS, _LISTEN_S = 10, 0.5


def examine(
    config: NodeConfig, clock: Clock, *, pause: Callable[[float], None]
) -> Iterator[Finding]:
    """Look at everything, one finding after the other.

    Args:
        config: What is promised.
        clock: For its quality and for time-outs.
        pause: Waits so many seconds.
    """
    yield _clock(config, clock)
    if isinstance(config.position, GpsdPositionSettings):
        yield look_at_receiver(config.position, clock)
    if config.autopilot.source != "none":
        yield _autopilot(config, clock)
    yield _folder(config)
    yield _key(config)
    yield from _networks(config)
    for camera in config.camera:
        yield _camera(camera, clock, pause)
        yield _pose(camera, clock)
        yield from _ground(camera)
    yield _broker(config, clock, pause)


def _clock(config: NodeConfig, clock: Clock) -> Finding:
    quality = clock.quality()
    if quality.error_s is None:
        return Finding(
            what="clock",
            verdict="failed",
            detail="no time service has set it: start one (chrony), or state clock.stated_error_s",
        )
    good = quality.error_s <= config.clock.max_command_error_s
    return Finding(
        what="clock",
        verdict="ok" if good else "failed",
        detail=f"{quality.source}, within {quality.error_s:g} s"
        + ("" if good else ": every command is refused until it is better"),
    )


def _autopilot(config: NodeConfig, clock: Clock) -> Finding:
    told = config.autopilot
    what, where = "autopilot", told.url or str(told.log_file)
    if told.url is not None and _node_runs(config):
        # A port has one reader: a second one would get nothing, or take it away.
        return Finding(
            what=what,
            verdict="warning",
            detail="not probed: a node runs here; its log says which vehicles it hears",
        )
    try:
        link = devices.open_autopilot(config, clock)
    except AskOperator as error:
        return Finding(what=what, verdict="failed", detail=str(error))
    assert link is not None
    until_s = clock.monotonic_s() + _VEHICLE_S
    try:
        while clock.monotonic_s() < until_s:
            link.read(0.5)
            heard = [state for state in link.vehicles() if state.mode]
            if heard and (told.log_file is not None or any(s.lon_deg is not None for s in heard)):
                break
        heard = [state for state in link.vehicles() if state.mode]
        counters = link.counters
    except EOFError:
        heard, counters = list(link.vehicles()), link.counters
    finally:
        link.close()
    if heard:
        placed = all(state.lon_deg is not None for state in heard)
        open_to_all = (
            told.url is not None and told.signing_key_file is None and _reachable(told.url)
        )
        names = "; ".join(
            f"{state.vehicle[0]}/{state.vehicle[1]} {state.mode}, fix {state.fix_status}"
            for state in heard
        )
        return Finding(
            what=what,
            verdict="ok" if (placed or told.log_file) and not open_to_all else "warning",
            detail=f"{where}: {names}"
            + ("" if placed else "; no position yet: wait for its receiver, under open sky")
            + ("; unsigned: whoever reaches this port can invent a vehicle" if open_to_all else ""),
        )
    return Finding(what=what, verdict="failed", detail=f"{where}: {_why_no_vehicle(counters)}")


def _node_runs(config: NodeConfig) -> bool:
    try:
        return is_taken(config.node.data_dir)
    except OSError:
        return False  # Another finding says what is wrong with the folder.


def _reachable(url: str) -> bool:
    """Whether others than this machine can send to a link."""
    return not url.startswith("serial://") and "://127." not in url and "://[::1]" not in url


def _why_no_vehicle(counters: Mapping[str, int]) -> str:
    if counters.get("unsigned") or counters.get("bad_signature") or counters.get("signed_long_ago"):
        return "frames come, but not signed with our key: give vehicle and node the same key"
    if counters.get("connect_failures"):
        return "cannot be opened: check address, cable and that nothing else uses it"
    if counters.get("skipped_bytes"):
        return "bytes come that are no MAVLink: check autopilot.baud and the port's protocol"
    return f"no vehicle in {_VEHICLE_S:g} s: check the address and that the vehicle is on"


def _folder(config: NodeConfig) -> Finding:
    folder = config.node.data_dir
    needed = config.outbox.max_bytes + _FREE_TIMES * config.outbox.reserve_bytes
    try:
        folder.mkdir(parents=True, exist_ok=True)
        room = os.statvfs(folder)
    except OSError as error:
        return Finding(
            what="node.data_dir", verdict="failed", detail=f"{folder}: {error.strerror}; make it"
        )
    free = room.f_bavail * room.f_frsize
    if not os.access(folder, os.W_OK):
        return Finding(
            what="node.data_dir",
            verdict="failed",
            detail=f"{folder} is not ours to write; run: chown to the user of border-edge",
        )
    enough = free >= needed
    return Finding(
        what="node.data_dir",
        verdict="ok" if enough else "warning",
        detail=f"{folder}, {free / 1e9:.1f} GB free"
        + (
            "" if enough else f"; the outbox may take {needed / 1e9:.1f} GB: lower outbox.max_bytes"
        ),
    )


def _key(config: NodeConfig) -> Finding:
    try:
        key = devices.station_key(config.node.station_key_file)
    except AskOperator as error:
        return Finding(what="node.station_key_file", verdict="failed", detail=str(error))
    if key is None:
        return Finding(
            what="node.station_key_file",
            verdict="warning",
            detail="not set: commands and zones from the station are refused",
        )
    return Finding(what="node.station_key_file", verdict="ok", detail=f"key {key.key_id}")


def _networks(config: NodeConfig) -> Iterator[Finding]:
    for spectrum in sorted({camera.spectrum for camera in config.camera}):
        camera = next(camera for camera in config.camera if camera.spectrum == spectrum)
        try:
            entry = verify(devices.network(config, camera))
        except (ModelError, AskOperator) as error:
            yield Finding(what=f"detector.{spectrum}", verdict="failed", detail=str(error))
        else:
            yield Finding(what=f"detector.{spectrum}", verdict="ok", detail=entry.name)


def _camera(camera: CameraSettings, clock: Clock, pause: Callable[[float], None]) -> Finding:
    what = f"camera {camera.sensor_id}"
    try:
        device = OpenCvCamera(devices.camera_source(camera), clock)
    except AskOperator as error:
        return Finding(what=what, verdict="failed", detail=str(error))
    try:
        until_s = clock.monotonic_s() + camera.open_timeout_s + camera.read_timeout_s
        for _ in range(_CAMERA_TRIES):
            frame = device.read()
            if frame is not None:
                height, width = frame.image_bgr.shape[:2]
                return _size(camera, width, height)
            if clock.monotonic_s() >= until_s:
                break
            pause(0.25)
        reason = device.counters.last_error or "no frame came"
        return Finding(
            what=what, verdict="failed", detail=f"{reason}; check address, cable and password"
        )
    except EOFError as error:
        return Finding(what=what, verdict="failed", detail=f"the film holds no frame: {error}")
    finally:
        device.close()


def _size(camera: CameraSettings, width: int, height: int) -> Finding:
    what, lens = f"camera {camera.sensor_id}", camera.lens
    if lens is not None and (lens.width_px, lens.height_px) != (width, height):
        return Finding(
            what=what,
            verdict="failed",
            detail=f"frames are {width}x{height}, its lens says {lens.width_px}x{lens.height_px}: "
            "positions would be wrong; correct camera.lens or the stream's size",
        )
    return Finding(what=what, verdict="ok", detail=f"{width}x{height}")


def _pose(camera: CameraSettings, clock: Clock) -> Finding:
    what = f"pose {camera.sensor_id}"
    carriers = ("mount", "vehicle", "recorded")
    carried = next((name for name in carriers if getattr(camera, name) is not None), None)
    missing = [name for name in ("lens", "ground") if getattr(camera, name) is None]
    if carried is None:
        missing.insert(0, "mount")
    if camera.recorded is not None and camera.live:
        return _live_telemetry(camera, what, clock)
    if camera.recorded is not None:
        return _telemetry(camera, camera.recorded, what, missing)
    return Finding(
        what=what,
        verdict="warning" if missing else "ok",
        detail=_without(missing) if missing else f"{carried}, lens and ground are given",
    )


def _without(missing: Sequence[str]) -> str:
    return f"without camera.{', camera.'.join(missing)} it gives no positions"


def _telemetry(
    camera: CameraSettings, rules: RecordedSettings, what: str, missing: Sequence[str]
) -> Finding:
    try:
        ground = camera_ground(camera)
        undulation_m = None if ground is None else ground.undulation_m
        telemetry, words = read_telemetry(camera.source, rules, undulation_m)
    except AskOperator as error:
        return Finding(what=what, verdict="failed", detail=str(error))
    if missing:
        words += f"; {_without(missing)}"
    usable = telemetry.positions and telemetry.views
    verdict: Literal["ok", "warning", "failed"] = "failed"
    if usable:
        verdict = "warning" if missing else "ok"
    return Finding(what=what, verdict=verdict, detail=words)


def _live_telemetry(camera: CameraSettings, what: str, clock: Clock) -> Finding:
    """Listens to a stream for its metadata, for as long as a frame may take to come."""
    tee = UdpTee(camera.source, clock)
    packets = 0
    until_s = clock.monotonic_s() + camera.open_timeout_s
    try:
        while packets < _LIVE_PACKETS and clock.monotonic_s() < until_s:
            packets += len(tee.read(_LISTEN_S))
    except RetryLater as error:
        return Finding(what=what, verdict="failed", detail=f"{error.what}: who else listens there?")
    finally:
        tee.close()
    heard = f"klv, live: {packets:,} packets, {tee.refused:,} bad"
    if packets:
        return Finding(what=what, verdict="ok", detail=heard)
    datagrams = tee.counters.get("datagrams", 0)
    return Finding(
        what=what,
        verdict="failed",
        detail=f"{heard} in {datagrams:,} datagrams; "
        + (
            "the stream comes without metadata: switch KLV on at the sender"
            if datagrams
            else "nothing is sent to this port: check sender, address and firewall"
        ),
    )


def _ground(camera: CameraSettings) -> Iterator[Finding]:
    what = f"ground {camera.sensor_id}"
    try:
        ground = camera_ground(camera)
    except AskOperator as error:
        yield Finding(what=what, verdict="failed", detail=str(error))
        return
    if ground is not None:
        yield Finding(what=what, verdict="ok", detail=ground.says)


def _broker(config: NodeConfig, clock: Clock, pause: Callable[[float], None]) -> Finding:
    where = f"{config.mqtt.host}:{config.mqtt.port}"
    try:
        taken = is_taken(config.node.data_dir)
    except OSError as error:
        return Finding(
            what="mqtt",
            verdict="failed",
            detail=f"{config.node.data_dir}: {error.strerror}; run this as the user of border-edge",
        )
    if taken:
        # A broker has one place for a node: probing would throw the running one off.
        return Finding(
            what="mqtt",
            verdict="warning",
            detail="not probed: a node runs here; its log says how it stands with "
            f"{where}, or stop it and look again",
        )
    transport = devices.open_transport(config, clock, probe=True)
    transport.open(will=None, subscriptions=())
    until_s = clock.monotonic_s() + 10.0
    while not transport.connected and clock.monotonic_s() < until_s:
        transport.wait(0.2)
        pause(0.05)
    good = transport.connected
    transport.close()
    return Finding(
        what="mqtt",
        verdict="ok" if good else "failed",
        detail=f"{where} accepted us"
        if good
        else f"{where} did not accept us in 10 s; check address, certificates and password",
    )
