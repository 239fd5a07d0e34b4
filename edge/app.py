"""The composition root of a node: parts in, workers out.

Everything that touches the world is an argument, so the same root runs in a real process and, with
bytes joined by hand, on a simulated clock. Nothing starts here; `runtime.workers` (or a
simulation) steps the workers.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from edge.camera_motion import CameraMotion
from edge.capture import CaptureWorker, FrameSlots
from edge.commands import CommandDesk
from edge.config import NodeConfig
from edge.config_camera import CameraSettings
from edge.config_position import GpsdPositionSettings
from edge.describe import birth, sensor_position
from edge.detect import Detector
from edge.dispatch import Uplink
from edge.envelopes import Envelopes
from edge.evidence import Evidence
from edge.footprint import Footprint, Ring
from edge.geolocate import GroundLocator, LocateSettings
from edge.ground import Ground, camera_ground
from edge.health import HealthBook, processor_temperature_c, resident_bytes
from edge.limits import Limits
from edge.live_klv import LiveKlvPoses
from edge.observe import Observer, ObserveRules
from edge.outbox import Outbox
from edge.picture_turn import WatchedMotion
from edge.pipeline import Eye, Locator, Motion, Nowhere, Pipeline
from edge.pose import PoseSource
from edge.pose_buffer import PoseBuffer
from edge.poses import offset_estimator, pose_source
from edge.telemetry import AutopilotWorker, PositionWorker
from edge.time_offset import OffsetEstimator
from edge.track import Tracker, TrackSettings
from edge.vehicle_report import VehicleReporter
from hardware.ports import (
    AutopilotPort,
    CameraPort,
    PositionPort,
    Transport,
    VehicleId,
    VehicleState,
)
from hardware.udp_tee import UdpTee
from runtime.clock import Clock
from runtime.ids import UlidSource
from runtime.log import get_logger
from runtime.workers import Beat, Worker
from wire.signing import VerifyKey

_NO_SYSTEM = 0
"""No autopilot has this system id: aircraft that bring no MAVLink are numbered under it."""
_QUIET_MARGIN_S = 2.0
"""Longer than a track may be lost, so that a late frame ends them first if one comes at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """What a node is joined to.

    Attributes:
        cameras: By sensor id.
        detectors: By sensor id; one may serve several cameras.
        transport: To the broker.
        position: The node's own place, if it has a source.
        autopilot: The vehicle on this node, if any.
        tees: By sensor id, where a live stream brings its own metadata.
    """

    cameras: Mapping[str, CameraPort]
    detectors: Mapping[str, Detector]
    transport: Transport
    position: PositionPort | None = None
    autopilot: AutopilotPort | None = None
    tees: Mapping[str, UdpTee] = field(default_factory=dict)


class Node:
    """One node, put together.

    Args:
        config: What it was told.
        config_sha256: Hash of that file.
        devices: What it is joined to.
        clock: The one clock.
        ids: The one source of ids.
        boot_id: Names this boot of the machine.
        software_version: For the birth message.
        station_key: Whose commands and zones are believed.
        beats: Signs of life, for health; none in a simulation.
    """

    def __init__(
        self,
        *,
        config: NodeConfig,
        config_sha256: str,
        devices: Devices,
        clock: Clock,
        ids: UlidSource,
        boot_id: str,
        software_version: str,
        station_key: VerifyKey | None = None,
        beats: Callable[[], Sequence[Beat]] = tuple,
    ) -> None:
        self.config = config
        self.session = ids.new()
        self._devices = devices
        sensor_ids = [camera.sensor_id for camera in config.camera]
        self.outbox = open_outbox(config, clock=clock, boot_id=boot_id)
        self.limits = Limits(config.node.data_dir, site_id=config.node.site_id, key=station_key)
        self.slots = FrameSlots(sensor_ids)
        self.captures = {
            camera.sensor_id: CaptureWorker(
                devices.cameras[camera.sensor_id],
                self.slots,
                lockstep=camera.pace == "fast",
                min_period_s=0.0 if camera.max_rate_hz is None else 1.0 / camera.max_rate_hz,
            )
            for camera in config.camera
        }
        vehicles = tuple if devices.autopilot is None else devices.autopilot.vehicles
        self.grounds = {camera.sensor_id: camera_ground(camera) for camera in config.camera}
        self.poses = {
            camera.sensor_id: pose_source(
                camera,
                clock=clock,
                vehicles=vehicles,
                undulation_m=None if ground is None else ground.undulation_m,
                film=devices.tees.get(camera.sensor_id, devices.cameras[camera.sensor_id]),
            )
            for camera, ground in zip(config.camera, self.grounds.values(), strict=True)
        }
        log = get_logger(worker="main", node_id=config.node.node_id)
        for sensor_id, ground in self.grounds.items():
            if ground is not None:
                log.info("ground", sensor_id=sensor_id, says=ground.says)
        self.eyes = {
            camera.sensor_id: camera_eye(
                config,
                camera,
                devices.detectors[camera.sensor_id],
                ids,
                self.poses[camera.sensor_id],
                self.grounds[camera.sensor_id],
            )
            for camera in config.camera
        }
        self.telemetry: list[Worker] = [
            poses for poses in self.poses.values() if isinstance(poses, LiveKlvPoses)
        ]
        if devices.autopilot is not None:
            buffers = [poses.add for poses in self.poses.values() if isinstance(poses, PoseBuffer)]
            self.telemetry.append(AutopilotWorker(devices.autopilot, buffers))
        if devices.position is not None and isinstance(config.position, GpsdPositionSettings):
            self.telemetry.append(PositionWorker(devices.position))
        self.pipeline = Pipeline(
            slots=self.slots,
            eyes=self.eyes,
            outbox=self.outbox,
            limits=self.limits,
            clock=clock,
            ids=ids,
        )
        self.commands = CommandDesk(
            site_id=config.node.site_id,
            node_id=config.node.node_id,
            key=station_key,
            clock=clock,
            max_clock_error_s=config.clock.max_command_error_s,
            missions_allowed=config.missions.allowed,
            outbox=self.outbox,
            ids=ids,
            handlers={},
        )
        envelopes = Envelopes(
            site_id=config.node.site_id,
            node_id=config.node.node_id,
            session=self.session,
            simulated=config.node.simulated,
            clock=clock,
            ids=ids,
        )
        born = birth(
            config,
            devices.detectors,
            self.grounds,
            session=self.session,
            config_sha256=config_sha256,
            software_version=software_version,
        )
        refused: Counter[str] = Counter()
        self.book = HealthBook(
            clock=clock,
            captures=self.captures,
            slots=self.slots,
            eyes=self.eyes,
            outbox=self.outbox,
            limits=self.limits,
            position=devices.position,
            autopilot=devices.autopilot,
            config_sha256=config_sha256,
            beats=beats,
            refused=(
                refused,
                self.commands.refused,
                *(
                    poses.refused
                    for poses in self.poses.values()
                    if isinstance(poses, (PoseBuffer, LiveKlvPoses))
                ),
            ),
            temperature_c=processor_temperature_c,
            memory_bytes=resident_bytes,
            disk_free_bytes=self._disk_free_bytes,
        )
        self.uplink = Uplink(
            envelopes=envelopes,
            outbox=self.outbox,
            transport=devices.transport,
            clock=clock,
            birth=lambda: born,
            health=self.book.health,
            state=self.book.state,
            commands=self.commands,
            limits=self.limits,
            refused=refused,
            max_in_flight=config.mqtt.max_in_flight,
            vehicles=VehicleReporter(
                lambda: (*vehicles(), *self._streaming(clock)),
                footprint=self._outline(clock),
                undulation_m=self._undulation_m,
            ).due,
        )

    @property
    def _undulation_m(self) -> Callable[[float, float], float] | None:
        """Of the first camera's ground that has a geoid: it is the same earth for all."""
        grounds = (ground for ground in self.grounds.values() if ground is not None)
        return next((g.undulation_m for g in grounds if g.undulation_m is not None), None)

    @property
    def workers(self) -> tuple[tuple[Worker, float], ...]:
        """Every worker with the longest time one of its steps may take, in seconds."""
        captures = tuple(
            (capture, 2.0 * (camera.open_timeout_s + camera.read_timeout_s) + 10.0)
            for camera, capture in zip(self.config.camera, self.captures.values(), strict=True)
        )
        # A first inference on a small board may take long; a broken connect at most two time-outs.
        telemetry = tuple((worker, 30.0) for worker in self.telemetry)
        return (*captures, *telemetry, (self.pipeline, 120.0), (self.uplink, 60.0))

    @property
    def done(self) -> bool:
        """Whether every film has ended and the station has everything."""
        return self.pipeline.over and self.outbox.depth == 0

    def close(self) -> None:
        """After the workers ended: let go of what no worker owns."""
        devices = self._devices
        for device in (devices.position, devices.autopilot, *devices.tees.values()):
            if device is not None:
                device.close()
        self.outbox.close()

    def _carrier(self, camera: CameraSettings) -> VehicleId | None:
        """What carries a camera now: an autopilot's vehicle, or one known by its stream alone."""
        if camera.vehicle is not None:
            return (camera.vehicle.system_id, camera.vehicle.component_id)
        if isinstance(self.poses[camera.sensor_id], LiveKlvPoses):
            return (_NO_SYSTEM, self.config.camera.index(camera) + 1)
        return None

    def _streaming(self, clock: Clock) -> Iterator[VehicleState]:
        """Aircraft that only their live streams tell of; a film's is not in the air now."""
        for camera in self.config.camera:
            poses, who = self.poses[camera.sensor_id], self._carrier(camera)
            if isinstance(poses, LiveKlvPoses) and who is not None:
                state = poses.vehicle(who, clock.monotonic_s())
                if state is not None:
                    yield state

    def _outline(self, clock: Clock) -> Callable[[VehicleId], Ring]:
        """What answers for the ground that a vehicle's first camera sees now."""
        eyes: dict[VehicleId, Footprint] = {}
        for camera in self.config.camera:
            poses, ground = self.poses[camera.sensor_id], self.grounds[camera.sensor_id]
            who = self._carrier(camera)
            if who is None or poses is None or ground is None or camera.lens is None:
                continue
            eyes.setdefault(
                who,
                Footprint(
                    lens=camera.lens.lens(),
                    poses=poses,
                    terrain=ground.terrain,
                    max_range_m=ground.max_range_m,
                ),
            )
        return lambda who: eyes[who].at(clock.monotonic_s()) if who in eyes else ()

    def _disk_free_bytes(self) -> int | None:
        try:
            room = os.statvfs(self.config.node.data_dir)
        except OSError:
            return None
        return room.f_bavail * room.f_frsize


def open_outbox(config: NodeConfig, *, clock: Clock, boot_id: str) -> Outbox:
    """The outbox of this config."""
    return Outbox(
        config.node.data_dir,
        clock=clock,
        boot_id=boot_id,
        max_bytes=config.outbox.max_bytes,
        reserve_bytes=config.outbox.reserve_bytes,
        resend_after_s=config.outbox.resend_after_s,
    )


def camera_eye(
    config: NodeConfig,
    camera: CameraSettings,
    detector: Detector,
    ids: UlidSource,
    poses: PoseSource | None,
    ground: Ground | None,
) -> Eye:
    """One camera's part of the road, as the config tells it."""
    rules = config.track
    locator = ground_locator(camera, poses, ground)
    motion: Motion | None = None
    offset: OffsetEstimator | None = None
    if isinstance(locator, GroundLocator) and camera.mount is None:
        seen = CameraMotion(locator.lens, locator.poses, locator.terrain)
        motion, offset = seen, offset_estimator(camera, locator.poses)
        if offset is not None:
            motion = WatchedMotion(seen, locator.lens, offset)
    return Eye(
        sensor_id=camera.sensor_id,
        detector=detector,
        tracker=Tracker(
            TrackSettings(
                strong_confidence=rules.strong_confidence,
                start_confidence=rules.start_confidence,
                confirm_hits=rules.confirm_hits,
                lost_s=rules.lost_after_s,
                max_tracks=rules.max_tracks,
            ),
            ids,
        ),
        motion=motion,
        offset=offset,
        locator=locator,
        moving_poses=poses if camera.mount is None else None,
        observer=Observer(
            camera.sensor_id,
            sensor_position=sensor_position(camera),
            rules=ObserveRules(
                max_rate_hz=config.observe.max_rate_hz,
                side_probability=config.observe.side_probability,
                class_hold_s=config.observe.class_hold_s,
            ),
            moves=poses is not None and camera.mount is None,
        ),
        evidence=Evidence(crop_every_s=config.observe.crop_every_s)
        if config.observe.crops
        else None,
        quiet_after_s=rules.lost_after_s + _QUIET_MARGIN_S,
    )


def ground_locator(
    camera: CameraSettings, poses: PoseSource | None, ground: Ground | None
) -> Locator:
    """What places the tracks of a camera, as its config describes lens and ground."""
    if poses is None or camera.lens is None or ground is None:
        return Nowhere()
    return GroundLocator(
        camera.lens.lens(),
        poses,
        ground.terrain,
        terrain_sigma_m=ground.sigma_m,
        plane_sigma_m=ground.plane_sigma_m,
        lens_sigma_px=camera.lens.sigma_px,
        settings=LocateSettings(max_range_m=ground.max_range_m),
    )
