"""What a node says of itself at each connection: its sensors, their view, their accuracy."""

import math
from collections.abc import Mapping

from edge.config import NodeConfig
from edge.config_camera import CameraSettings
from edge.detect import Detector
from edge.footprint import footprint
from edge.ground import Ground
from edge.poses import fixed_pose
from edge.vehicle_camera import UNTOLD_HEADING_SIGMA_DEG
from wire.messages import Birth, DeclaredPerformance, NetworkDescription, SensorDescription
from wire.values import Attitude, GeoPoint, LensDescription, PoseAccuracy

_LATENCY_S = 2.0
_LEAST_PERSON_PX = 24.0


def sensor_position(camera: CameraSettings) -> GeoPoint | None:
    """Where a camera's lens is."""
    mount = camera.mount
    if mount is None:
        return None
    return GeoPoint(lon_deg=mount.lon_deg, lat_deg=mount.lat_deg, alt_hae_m=mount.alt_hae_m)


def _sensor(camera: CameraSettings, detector: Detector, world: Ground | None) -> SensorDescription:
    mount, lens, ground = camera.mount, camera.lens, camera.ground
    fixed = None
    if mount is not None:
        fixed = fixed_pose(mount, latency_sigma_s=camera.latency_sigma_s)
    view: tuple[tuple[float, float], ...] = ()
    if fixed is not None and lens is not None and world is not None:
        view = footprint(lens.lens(), fixed.at(0.0), world.terrain, max_range_m=world.max_range_m)
    return SensorDescription(
        sensor_id=camera.sensor_id,
        name=camera.name,
        kind="camera" if camera.vehicle is None and camera.recorded is None else "drone_camera",
        spectrum=camera.spectrum,
        position=sensor_position(camera),
        attitude=None
        if mount is None
        else Attitude(
            azimuth_deg=mount.azimuth_deg, pitch_deg=mount.pitch_deg, roll_deg=mount.roll_deg
        ),
        accuracy=_accuracy(camera),
        lens=None if lens is None else _lens(camera),
        frame_rate_hz=camera.film_rate_hz or camera.max_rate_hz,
        network=NetworkDescription(
            name=detector.name, sha256=detector.sha256, spectrum=camera.spectrum
        ),
        performance=DeclaredPerformance(
            max_latency_s=_LATENCY_S,
            max_range_m=None if ground is None else ground.max_range_m,
            min_pixel_height_px=_LEAST_PERSON_PX,
        ),
        field_of_view_lonlat=view,
    )


def _accuracy(camera: CameraSettings) -> PoseAccuracy | None:
    """What the config promises of a pose; None where only the autopilot can tell."""
    told, vehicle = camera.mount or camera.recorded, camera.vehicle
    if told is not None:
        return PoseAccuracy(
            horizontal_sigma_m=told.horizontal_sigma_m,
            vertical_sigma_m=told.vertical_sigma_m,
            azimuth_sigma_deg=told.azimuth_sigma_deg,
            pitch_sigma_deg=told.pitch_sigma_deg,
            roll_sigma_deg=told.roll_sigma_deg,
        )
    if vehicle is None or vehicle.horizontal_sigma_m is None or vehicle.vertical_sigma_m is None:
        return None
    heading_deg = vehicle.heading_sigma_deg
    if heading_deg is None:
        heading_deg = UNTOLD_HEADING_SIGMA_DEG
    tilt_deg = math.hypot(vehicle.roll_pitch_sigma_deg, vehicle.gimbal_sigma_deg)
    return PoseAccuracy(
        horizontal_sigma_m=vehicle.horizontal_sigma_m,
        vertical_sigma_m=vehicle.vertical_sigma_m,
        azimuth_sigma_deg=min(180.0, math.hypot(heading_deg, vehicle.gimbal_sigma_deg)),
        pitch_sigma_deg=min(90.0, tilt_deg),
        roll_sigma_deg=tilt_deg,
    )


def _lens(camera: CameraSettings) -> LensDescription:
    assert camera.lens is not None
    lens = camera.lens.lens()
    return LensDescription(
        fx_px=lens.fx_px,
        fy_px=lens.fy_px,
        cx_px=lens.cx_px,
        cy_px=lens.cy_px,
        width_px=lens.width_px,
        height_px=lens.height_px,
        k1=lens.k1,
        k2=lens.k2,
        p1=lens.p1,
        p2=lens.p2,
        k3=lens.k3,
    )


def birth(
    config: NodeConfig,
    detectors: Mapping[str, Detector],
    grounds: Mapping[str, Ground | None],
    *,
    session: str,
    config_sha256: str,
    software_version: str,
) -> Birth:
    """The birth message of this run."""
    return Birth(
        session=session,
        name=config.node.name,
        software_version=software_version,
        config_sha256=config_sha256,
        sensors=tuple(
            _sensor(camera, detectors[camera.sensor_id], grounds[camera.sensor_id])
            for camera in config.camera
        ),
        missions_allowed=config.missions.allowed,
    )
