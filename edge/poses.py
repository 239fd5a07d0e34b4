"""Which source answers for a camera's pose, by what its config says carries it."""

from collections.abc import Callable, Sequence

from edge.config_camera import CameraSettings, MountSettings, VehicleSettings
from edge.live_klv import LiveKlvPoses
from edge.pose import FixedPose, PoseSource
from edge.pose_buffer import PoseBuffer
from edge.recorded_film import recorded_poses
from edge.time_offset import OffsetEstimator
from edge.vehicle_camera import TimeOffset, VehicleCamera
from geo.frames import GeodeticPoint
from hardware.ports import VehicleState
from hardware.udp_tee import UdpTee
from runtime.clock import Clock


def pose_source(
    camera: CameraSettings,
    *,
    clock: Clock,
    vehicles: Callable[[], Sequence[VehicleState]] = tuple,
    undulation_m: Callable[[float, float], float] | None = None,
    film: object = None,
) -> PoseSource | None:
    """The source of a camera's pose; None where its config tells of none.

    Args:
        camera: its settings.
        clock: of the node.
        vehicles: every vehicle as the node's autopilot link tells it now.
        undulation_m: height of the geoid above the ellipsoid at (lon, lat), where it is known.
        film: the camera's driver for a film with telemetry; the stream's tee for a live one.

    Raises:
        AskOperator: a film's telemetry cannot be read.
    """
    if camera.recorded is not None:
        if isinstance(film, UdpTee):
            return LiveKlvPoses(
                film,
                camera.recorded,
                clock=clock,
                name=f"klv-{camera.sensor_id}",
                latency_sigma_s=camera.latency_sigma_s,
                undulation_m=undulation_m,
            )
        return recorded_poses(camera, film, undulation_m=undulation_m)
    if camera.mount is not None:
        return fixed_pose(camera.mount, latency_sigma_s=camera.latency_sigma_s)
    if camera.vehicle is not None:
        told = camera.vehicle
        offset = TimeOffset(offset_s=told.time_offset_s, sigma_s=told.time_sigma_s)
        return PoseBuffer(
            vehicle_camera(told, latency_sigma_s=camera.latency_sigma_s),
            clock=clock,
            states=vehicles,
            offset=lambda: offset,
            geoid_undulation_m=undulation_m,
        )
    return None


def offset_estimator(camera: CameraSettings, poses: PoseSource) -> OffsetEstimator | None:
    """What looks for the offset between camera and autopilot; None where the config says not to."""
    told = camera.vehicle
    if told is None or told.time_offset == "stated" or not isinstance(poses, PoseBuffer):
        return None
    estimator = OffsetEstimator(
        camera.sensor_id,
        poses.at_vehicle_time,
        stated=TimeOffset(offset_s=told.time_offset_s, sigma_s=told.time_sigma_s),
        use=told.time_offset == "estimate",
    )
    poses.follow(estimator.current)
    return estimator


def fixed_pose(mount: MountSettings, *, latency_sigma_s: float) -> FixedPose:
    """The pose of a camera on a mast."""
    return FixedPose(
        GeodeticPoint(lon_deg=mount.lon_deg, lat_deg=mount.lat_deg, alt_hae_m=mount.alt_hae_m),
        azimuth_deg=mount.azimuth_deg,
        pitch_deg=mount.pitch_deg,
        roll_deg=mount.roll_deg,
        horizontal_sigma_m=mount.horizontal_sigma_m,
        vertical_sigma_m=mount.vertical_sigma_m,
        azimuth_sigma_deg=mount.azimuth_sigma_deg,
        pitch_sigma_deg=mount.pitch_sigma_deg,
        roll_sigma_deg=mount.roll_sigma_deg,
        time_sigma_s=latency_sigma_s,
    )


def vehicle_camera(told: VehicleSettings, *, latency_sigma_s: float) -> VehicleCamera:
    """How a camera sits on its vehicle, in the words of the pose buffer."""
    return VehicleCamera(
        vehicle=(told.system_id, told.component_id),
        on=told.on,
        yaw_deg=told.yaw_deg,
        pitch_deg=told.pitch_deg,
        roll_deg=told.roll_deg,
        lever_arm_m=(told.lever_forward_m, told.lever_right_m, told.lever_down_m),
        heading_sigma_deg=told.heading_sigma_deg,
        roll_pitch_sigma_deg=told.roll_pitch_sigma_deg,
        gimbal_sigma_deg=told.gimbal_sigma_deg,
        horizontal_sigma_m=told.horizontal_sigma_m,
        vertical_sigma_m=told.vertical_sigma_m,
        latency_sigma_s=latency_sigma_s,
        max_age_s=told.max_age_s,
    )
