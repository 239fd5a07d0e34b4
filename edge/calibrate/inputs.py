"""What a calibration takes from the node's config, from a lens file, or from the command line."""

from pathlib import Path

from edge.calibrate.points import Height
from edge.calibrate.pose_model import PositionPrior
from edge.config import NodeConfig
from edge.config_camera import CameraSettings, LensSettings
from edge.ground import Ground
from geo.dem_files import read_gtx
from geo.frames import GeodeticPoint
from geo.lens import Lens
from runtime.errors import AskOperator
from runtime.settings import Settings, load


class _CameraTable(Settings):
    lens: LensSettings


class LensFile(Settings):
    """A file as `border-edge calibrate lens` prints it: one `[camera.lens]` table."""

    camera: _CameraTable


def camera_of(config: NodeConfig, sensor_id: str) -> CameraSettings:
    """Return a camera of the config; the only one where none is named.

    Raises:
        AskOperator: there is none of that name, or several and none was named.
    """
    known = [camera.sensor_id for camera in config.camera]
    if not sensor_id and len(known) == 1:
        return config.camera[0]
    if sensor_id not in known:
        raise AskOperator(
            field="--sensor",
            value=sensor_id,
            allowed=", ".join(known),
            next_step="name one camera of the config",
        )
    return config.camera[known.index(sensor_id)]


def lens_from(
    *, lens_file: Path | None, camera: CameraSettings | None, hfov_deg: float | None, size: str
) -> Lens:
    """Return the lens that was given: a file's, the config's, or a plain view angle.

    Raises:
        AskOperator: none was given, or it is wrong.
    """
    if lens_file is not None:
        return load(lens_file, LensFile).model.camera.lens.lens()
    if hfov_deg is not None:
        width, height = _size(size)
        try:
            return Lens.from_hfov(hfov_deg, width, height)
        except ValueError as error:
            raise AskOperator(
                field="--hfov-deg",
                value=hfov_deg,
                allowed="0.5..175",
                next_step=f"correct it ({error})",
            ) from None
    if camera is not None and camera.lens is not None:
        return camera.lens.lens()
    raise AskOperator(
        field="--lens",
        value="",
        allowed="a file of `border-edge calibrate lens`, --config with a [camera.lens], or "
        "--hfov-deg with --size",
        next_step="calibrate the lens first, or give its horizontal view angle",
    )


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().split("x")
    if len(parts) == 2 and all(part.isdigit() and 0 < int(part) <= 16384 for part in parts):
        return int(parts[0]), int(parts[1])
    raise AskOperator(
        field="--size",
        value=text,
        allowed="WIDTHxHEIGHT in pixels, such as 1280x720",
        next_step="give the size of the camera's frames",
    )


def board_size(text: str) -> tuple[int, int]:
    """Return inner corners across and down of `9x6`.

    Raises:
        AskOperator: it is no such thing.
    """
    parts = text.lower().split("x")
    if len(parts) == 2 and all(part.isdigit() and 3 <= int(part) <= 40 for part in parts):
        return int(parts[0]), int(parts[1])
    raise AskOperator(
        field="--board",
        value=text,
        allowed="inner corners across x down, 3..40 each, such as 9x6",
        next_step="count the corners where four squares meet",
    )


def prior_from(
    *,
    lon_deg: float | None,
    lat_deg: float | None,
    alt_hae_m: float | None,
    place_sigma_m: float,
    height_sigma_m: float,
    camera: CameraSettings | None,
    hold: bool,
) -> PositionPrior | None:
    """Return what is known of the lens's place; None lets the fit find it.

    Raises:
        AskOperator: half of it was given, or the config has no place to hold.
    """
    given = (lon_deg, lat_deg, alt_hae_m)
    if lon_deg is not None and lat_deg is not None and alt_hae_m is not None:
        try:
            place = GeodeticPoint(lon_deg=lon_deg, lat_deg=lat_deg, alt_hae_m=alt_hae_m)
        except ValueError as error:
            raise AskOperator(
                field="--lon, --lat, --alt-hae-m",
                value=given,
                allowed="a place on WGS84",
                next_step=str(error),
            ) from None
        return PositionPrior(
            position=place, horizontal_sigma_m=place_sigma_m, vertical_sigma_m=height_sigma_m
        )
    if any(value is not None for value in given):
        raise AskOperator(
            field="--lon, --lat, --alt-hae-m",
            value=given,
            allowed="all three, or none",
            next_step="give the lens's whole place",
        )
    if not hold:
        return None
    if camera is None or camera.mount is None:
        raise AskOperator(
            field="--hold-place",
            value="no [camera.mount]",
            allowed="a config whose camera has a mount",
            next_step="pass --config, or give --lon --lat --alt-hae-m",
        )
    mount = camera.mount
    return PositionPrior(
        position=GeodeticPoint(
            lon_deg=mount.lon_deg, lat_deg=mount.lat_deg, alt_hae_m=mount.alt_hae_m
        ),
        horizontal_sigma_m=mount.horizontal_sigma_m,
        vertical_sigma_m=mount.vertical_sigma_m,
    )


def undulation(height_m: float | None, file: Path | None, ground: Ground | None) -> Height | None:
    """Return the geoid's height above the ellipsoid by place: as given, else the config's.

    Raises:
        AskOperator: the file is no such grid.
    """
    if height_m is not None:
        return lambda _lon_deg, _lat_deg: height_m
    if file is None:
        return None if ground is None else ground.undulation_m
    try:
        grid = read_gtx(file)
    except (OSError, ValueError) as error:
        raise AskOperator(
            field="--geoid",
            value=str(file),
            allowed="a .gtx grid such as egm96_15.gtx",
            next_step=str(error),
        ) from None
    return lambda lon_deg, lat_deg: float(grid.at(lon_deg, lat_deg))


def ground_height(alt_hae_m: float | None, ground: Ground | None) -> Height | None:
    """Return the ground's height by place: as given, else the config's ground."""
    if alt_hae_m is not None:
        return lambda _lon_deg, _lat_deg: alt_hae_m
    if ground is None:
        return None
    terrain = ground.terrain
    return lambda lon_deg, lat_deg: float(terrain.height_hae_m(lon_deg, lat_deg))
