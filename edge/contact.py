"""Where in its box a thing touches the ground, by the angle it is seen under.

A person, a cow or a hull is taken as an upright cylinder. Seen from the side its box stands on the
ground with its lower edge; seen from above the middle of the box is where it stands; and in between
the middle of the cylinder's foot lies inside the box, the nearer its middle the steeper the view.
The same holds sideways for cameras that are rolled or look straight down: "down" is where plumb
lines go in the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.lens import Lens

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A cylinder by its proportion.

    Attributes:
        radius_in_heights: half its depth, in its heights.
        doubt: one sigma of that, as a part of it.
    """

    radius_in_heights: float
    doubt: float


SHAPES = {
    "Human": Shape(radius_in_heights=0.13, doubt=0.4),
    # A hull is met at its water line, which is the lower edge of what shows of it.
    "Boat": Shape(radius_in_heights=1.0, doubt=0.6),
    "Vehicle": Shape(radius_in_heights=0.9, doubt=0.5),
    "Animal": Shape(radius_in_heights=0.45, doubt=0.5),
    "Unknown": Shape(radius_in_heights=0.2, doubt=0.7),
}
_ABOVE_DOUBT = 0.1
"""One sigma of a thing's middle in its box seen from straight above, in sizes of the box."""
_LEVEL = 1e-9


def contact_points(
    lens: Lens, rotation_enu_from_camera: Array, boxes_px: Array, classes: Sequence[str]
) -> tuple[Array, Array]:
    """Where (n, 4) boxes touch the ground, and how doubtful that is beside the boxes' own errors.

    With the depression d of the ray and the radius q in heights, the middle of the foot lies
    f = q sin d / (cos d + 2 q sin d) of the way from the foot of the box to its head.

    Args:
        lens: of the frame.
        rotation_enu_from_camera: (3, 3).
        boxes_px: x1 y1 x2 y2, (0, 0) the centre of the first pixel.
        classes: (n,) what each box holds.

    Returns:
        (n, 2) pixels and (n, 2, 2) covariances in square pixels.
    """
    middle = 0.5 * (boxes_px[:, :2] + boxes_px[:, 2:])
    size = boxes_px[:, 2:] - boxes_px[:, :2]
    ray, by_pixel = lens.rays_and_jacobians(middle)
    down = -np.asarray(rotation_enu_from_camera, np.float64)[2]
    sine = np.clip(ray @ down, 0.0, 1.0)
    fall = down - (ray @ down)[:, None] * ray
    cosine = np.linalg.norm(fall, axis=1)
    turned = by_pixel.transpose(0, 2, 1)
    with np.errstate(invalid="ignore"):
        step = np.linalg.solve(
            _solvable(turned @ by_pixel), np.einsum("nij,nj->ni", turned, fall)[..., None]
        )[..., 0]
    length = np.linalg.norm(step, axis=1)
    plumb = np.isfinite(length) & (cosine > _LEVEL) & (length > 0.0)
    way = np.where(
        plumb[:, None], step / np.where(plumb, length, 1.0)[:, None], np.array([0.0, 1.0])
    )
    with np.errstate(divide="ignore"):
        extent = np.min(size / np.maximum(np.abs(way), _LEVEL), axis=1)
    shapes = [SHAPES.get(name, SHAPES["Unknown"]) for name in classes]
    q = np.array([shape.radius_in_heights for shape in shapes])
    doubt = np.array([shape.doubt for shape in shapes])
    whole = cosine + 2.0 * q * sine
    part = q * sine / np.maximum(whole, _LEVEL)
    found = middle + way * ((0.5 - part) * extent)[:, None]
    along = doubt * q * sine * cosine / np.maximum(whole, _LEVEL) ** 2 * extent
    round_px = _ABOVE_DOUBT * sine**2 * size.min(axis=1)
    cov = way[:, :, None] * way[:, None, :] * (along**2)[:, None, None]
    cov = cov + np.eye(2) * (round_px**2)[:, None, None]
    # Where no ray reaches the box, its foot is as good as any other pixel without a ray.
    lost = ~np.isfinite(found).all(axis=1)
    found[lost] = np.column_stack((middle[lost, 0], boxes_px[lost, 3]))
    cov[lost] = 0.0
    return np.asarray(found, np.float64), np.asarray(cov, np.float64)


def _solvable(matrices: Array) -> Array:
    """Replace what cannot be inverted by nan."""
    bad = ~(np.abs(np.linalg.det(matrices)) > 0.0)
    if not np.any(bad):
        return matrices
    return np.where(bad[:, None, None], np.nan, matrices)
