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
    """A class of things by its proportions, in its own heights.

    What is wide for its height stands, works or lies otherwise than what is narrow: a cow seen from
    the side is thin along the view, one seen from behind is long; a person as wide as high crawls;
    one half as wide as high bends over a hoe, and its feet are no longer under the middle.

    Attributes:
        width: where the following are known; between them they go straight.
        radius: half the depth along the view.
        aside: one sigma of the feet beside the middle.
        doubt: one sigma of the radius, as a part of it.
    """

    width: tuple[float, ...]
    radius: tuple[float, ...]
    aside: tuple[float, ...]
    doubt: float


SHAPES = {
    "Human": Shape(
        width=(0.25, 0.35, 0.5, 1.2, 2.3),
        radius=(0.11, 0.11, 0.08, 0.15, 4.0),
        aside=(0.02, 0.05, 0.14, 0.2, 0.15),
        doubt=0.5,
    ),
    # A hull is met at its water line, which is the lower edge of what shows of it.
    "Boat": Shape(width=(1.0, 4.0), radius=(0.4, 0.4), aside=(0.05, 0.1), doubt=0.6),
    "Vehicle": Shape(width=(1.2, 2.8), radius=(1.4, 0.6), aside=(0.05, 0.15), doubt=0.4),
    "Animal": Shape(width=(0.45, 2.6), radius=(0.5, 0.12), aside=(0.04, 0.2), doubt=0.5),
    "Unknown": Shape(width=(0.25, 2.5), radius=(0.2, 0.8), aside=(0.04, 0.2), doubt=0.8),
}
"""Of the simulator's figures on training seeds; a person's and a cow's are those of real ones."""
_ABOVE_DOUBT = 0.1
"""One sigma of a thing's middle in its box seen from straight above, in sizes of the box."""
_LEVEL = 1e-9


def contact_points(
    lens: Lens, rotation_enu_from_camera: Array, boxes_px: Array, classes: Sequence[str]
) -> tuple[Array, Array]:
    """Where (n, 4) boxes touch the ground, and how doubtful that is beside the boxes' own errors.

    With the depression d of the ray and the radius q in heights, the middle of the foot lies
    f = q sin d / (cos d + 2 q sin d) of the way from the foot of the box to its head: a cylinder's
    box is as high as height cos d + 2 radius sin d.

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
    with np.errstate(divide="ignore"):
        across = np.min(size / np.maximum(np.abs(way[:, ::-1]), _LEVEL), axis=1)
    # Seen from above a part of the extent is depth; what is left of it is height.
    upright = np.maximum(np.maximum(extent - across * sine, _LEVEL * extent), _LEVEL)
    q, aside, doubt = _proportions(classes, across * cosine / upright)
    whole = np.maximum(cosine + 2.0 * q * sine, _LEVEL)
    part = q * sine / whole
    found = middle + way * ((0.5 - part) * extent)[:, None]
    along_px = doubt * q * sine * cosine / whole**2 * extent
    aside_px = aside * cosine * extent
    round_px = _ABOVE_DOUBT * sine**2 * size.min(axis=1)
    cov = _line(way, along_px) + _line(way[:, ::-1] * (1.0, -1.0), aside_px)
    cov = cov + np.eye(2) * (round_px**2)[:, None, None]
    # Where no ray reaches the box, its foot is as good as any other pixel without a ray.
    lost = ~np.isfinite(found).all(axis=1)
    found[lost] = np.column_stack((middle[lost, 0], boxes_px[lost, 3]))
    cov[lost] = 0.0
    return np.asarray(found, np.float64), np.asarray(cov, np.float64)


def _proportions(classes: Sequence[str], width: Array) -> tuple[Array, Array, Array]:
    """(n,) radius, sigma aside and doubt of things of a class and of a width in heights."""
    names = np.array([name if name in SHAPES else "Unknown" for name in classes], dtype=object)
    found = np.zeros((3, len(names)))
    for name, shape in SHAPES.items():
        rows = np.flatnonzero(names == name)
        found[0, rows] = np.interp(width[rows], shape.width, shape.radius)
        found[1, rows] = np.interp(width[rows], shape.width, shape.aside)
        found[2, rows] = shape.doubt
    return found[0], found[1], found[2]


def _line(way: Array, sigma_px: Array) -> Array:
    """(n, 2, 2) covariance of errors along a direction alone."""
    step = way * sigma_px[:, None]
    return np.asarray(step[:, :, None] * step[:, None, :], np.float64)


def _solvable(matrices: Array) -> Array:
    """Replace what cannot be inverted by nan."""
    bad = ~(np.abs(np.linalg.det(matrices)) > 0.0)
    if not np.any(bad):
        return matrices
    return np.where(bad[:, None, None], np.nan, matrices)
