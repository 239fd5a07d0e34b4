"""A body on the picture: where its parts lie, and each pixel's coverage and surface normal.

A capsule's edge comes from the exact distance to its outline, so it is smooth without drawing
larger first. All capsules of a body are reckoned in one go, over the pixels of their own windows.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from simulations.bodies.parts import Body, Facet
from simulations.ground import View

Floats = npt.NDArray[np.float32]
Window = tuple[slice, slice]
Box = tuple[float, float, float, float]

_NEAR_M = 0.1
_MARGIN_PX = 4.0
_SHIFT = 4
_SMALL_PX = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A facet on the picture.

    Attributes:
        points_px: (n, 2).
        front: whether it is drawn over the capsules, not under them.
        seen: (3,) unit normal in the camera's frame on the side that is seen.
        inner: whether that side is the inside of a shell.
    """

    facet: Facet
    points_px: FloatArray
    depth_m: float
    front: bool
    seen: FloatArray
    inner: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A body as the lens shows it; nan where it is behind the lens.

    Attributes:
        start_px, end_px: (k, 2) axis ends.
        start_radius_px, end_radius_px: (k,) half the width across the axis.
        depth_m: (k,) along the optical axis.
        sheets: from far to near.
        up: (3,) unit vector to the zenith in the camera's frame.
    """

    body: Body
    start_px: FloatArray
    end_px: FloatArray
    start_radius_px: FloatArray
    end_radius_px: FloatArray
    depth_m: FloatArray
    sheets: tuple[Sheet, ...]
    up: FloatArray

    def box(self) -> Box:
        """Return the box round all that is drawn, as pixel edges; nan when nothing is."""
        return self._box(np.ones(len(self.depth_m), dtype=np.bool_), tools=True)

    def truth_box(self) -> Box:
        """Return the box without tools; what water hides must have been taken off before."""
        return self._box(self.body.boxed, tools=False)

    def window(self, shape: tuple[int, ...]) -> Window | None:
        """Return rows and columns of the picture that the body may touch, blur included."""
        x1, y1, x2, y2 = self.box()
        if not np.isfinite((x1, y1, x2, y2)).all():
            return None
        return window(x1 - _MARGIN_PX, y1 - _MARGIN_PX, x2 + _MARGIN_PX, y2 + _MARGIN_PX, shape)

    def _box(self, chosen: npt.NDArray[np.bool_], *, tools: bool) -> Box:
        lows, highs = [], []
        for centre, radius in (
            (self.start_px, self.start_radius_px),
            (self.end_px, self.end_radius_px),
        ):
            known = chosen & np.isfinite(centre[:, 0]) & np.isfinite(radius)
            lows.append(centre[known] - radius[known, None])
            highs.append(centre[known] + radius[known, None])
        for sheet in self.sheets:
            if tools or sheet.facet.boxed:
                lows.append(sheet.points_px)
                highs.append(sheet.points_px)
        low, high = np.concatenate(lows), np.concatenate(highs)
        if not len(low):
            return math.nan, math.nan, math.nan, math.nan
        # The lens counts from the middle of the first pixel, boxes from its corner.
        x1, y1 = (low.min(axis=0) + 0.5).tolist()
        x2, y2 = (high.max(axis=0) + 0.5).tolist()
        return x1, y1, x2, y2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragments:
    """The pixels of all capsules, one capsule after another, from far to near.

    Attributes:
        capsule: which capsule each piece is of.
        places: each piece's window.
        starts: where each piece begins in the arrays; one more at the end.
        of: (n,) each pixel's capsule.
        cover: (n,) 0..1.
        normal_x, normal_y, normal_z: (n,) right, down and towards the lens.
        along, around: (n,) place on the surface in metres.
    """

    capsule: npt.NDArray[np.int64]
    places: tuple[tuple[int, int, int, int], ...]
    starts: tuple[int, ...]
    of: npt.NDArray[np.int64]
    cover: Floats
    normal_x: Floats
    normal_y: Floats
    normal_z: Floats
    along: Floats
    around: Floats


def window(
    x1: float, y1: float, x2: float, y2: float, shape: tuple[int, ...]
) -> Window | None:  # fmt: skip
    """Return the rows and columns that a box touches, or None outside the picture."""
    top, bottom = max(0, math.floor(y1)), min(shape[0], math.ceil(y2) + 1)
    left, right = max(0, math.floor(x1)), min(shape[1], math.ceil(x2) + 1)
    if top >= bottom or left >= right:
        return None
    return slice(top, bottom), slice(left, right)


def outline(view: View, body: Body) -> Outline:
    """Return a body as the lens shows it, widths through the lens's distortion too."""
    count = len(body.start_m)
    ends = view.to_camera(np.concatenate((body.start_m, body.end_m)))
    radius = np.concatenate((body.start_radius_m, body.end_radius_m))
    axis = np.tile(ends[count:] - ends[:count], (2, 1))
    # Half the width is where a point beside the axis lands, square to axis and line of sight.
    beside = np.empty_like(ends)
    beside[:, 0] = axis[:, 1] * ends[:, 2] - axis[:, 2] * ends[:, 1]
    beside[:, 1] = axis[:, 2] * ends[:, 0] - axis[:, 0] * ends[:, 2]
    beside[:, 2] = axis[:, 0] * ends[:, 1] - axis[:, 1] * ends[:, 0]
    long = np.sqrt(np.einsum("ij,ij->i", beside, beside))
    reach = np.sqrt(np.einsum("ij,ij->i", axis, axis) * np.einsum("ij,ij->i", ends, ends))
    end_on = long < 0.02 * np.maximum(reach, 1e-9)
    beside[end_on] = (1.0, 0.0, 0.0)
    long[end_on] = 1.0
    ends[ends[:, 2] < _NEAR_M] = np.nan
    pixels = view.lens.project(np.concatenate((ends, ends + beside * (radius / long)[:, None])))
    centre, edge = pixels[: 2 * count], pixels[2 * count :]
    width = np.hypot(*(edge - centre).T)
    return Outline(
        body=body,
        start_px=centre[:count],
        end_px=centre[count:],
        start_radius_px=width[:count],
        end_radius_px=width[count:],
        depth_m=0.5 * (ends[:count, 2] + ends[count:, 2]),
        sheets=_sheets(view, body),
        up=view.rotation[2],
    )


def _sheets(view: View, body: Body) -> tuple[Sheet, ...]:
    if not body.facets:
        return ()
    sizes = [len(facet.points_m) for facet in body.facets]
    points = view.to_camera(np.concatenate([facet.points_m for facet in body.facets]))
    normals = np.array([facet.outward for facet in body.facets]) @ view.rotation
    points[points[:, 2] < _NEAR_M] = np.nan
    pixels = view.lens.project(points)
    middle_m = float(np.nanmean(points[:, 2])) if np.isfinite(points[:, 2]).any() else 0.0
    found, start = [], 0
    for facet, size, normal in zip(body.facets, sizes, normals, strict=True):
        part, shown = points[start : start + size], pixels[start : start + size]
        start += size
        if not np.isfinite(shown).all():
            continue
        outside = float(normal @ part[0]) < 0.0
        depth_m = float(part[:, 2].mean())
        found.append(
            Sheet(
                facet=facet,
                points_px=shown,
                depth_m=depth_m,
                front=depth_m < middle_m if facet.sheet else outside,
                seen=normal if outside else -normal,
                inner=not outside and not facet.sheet,
            )
        )
    return tuple(sorted(found, key=lambda sheet: -sheet.depth_m))


def fragments(flat: Outline, shape: tuple[int, ...]) -> Fragments:
    """Return the pixels of all capsules inside a picture of this shape."""
    start, end = flat.start_px, flat.end_px
    ra, rb = flat.start_radius_px[:, None], flat.end_radius_px[:, None]
    low = np.floor(np.minimum(start - ra, end - rb) - 1.0)
    high = np.ceil(np.maximum(start + ra, end + rb) + 1.0) + 1.0
    known = np.isfinite(low).all(axis=1) & np.isfinite(high).all(axis=1)
    size = np.array([shape[1], shape[0]], dtype=np.float64)
    low, high = np.clip(np.nan_to_num(low), 0, size), np.clip(np.nan_to_num(high), 0, size)
    known &= (high > low).all(axis=1)
    capsule = np.flatnonzero(known)
    capsule = capsule[np.argsort(-flat.depth_m[capsule], kind="stable")]
    left_top, size_px = low[capsule].astype(np.int64), (high - low)[capsule].astype(np.int64)
    wide, tall = size_px[:, 0], size_px[:, 1]
    # Rows of all windows one below the other; what is the same along a row is reckoned once.
    row_piece = np.repeat(np.arange(len(capsule)), tall)
    row_y = np.arange(len(row_piece)) - np.repeat(np.cumsum(tall) - tall - left_top[:, 1], tall)
    row_wide = wide[row_piece]
    row_start = np.cumsum(row_wide) - row_wide
    row = np.repeat(np.arange(len(row_piece)), row_wide)
    x = (np.arange(len(row)) - row_start[row]).astype(np.float32)
    starts = np.concatenate(([0], np.cumsum(wide * tall)))
    rows = _row_table(flat, capsule[row_piece], left_top[row_piece, 0], row_y)
    return _reckoned(flat, capsule, left_top, size_px, starts, np.take(rows, row, axis=1), x)


def _row_table(
    flat: Outline, capsule: npt.NDArray[np.int64], left: npt.NDArray[np.int64],
    row_y: npt.NDArray[np.int64],
) -> Floats:  # fmt: skip
    """Return (12, rows) of what is the same along each row of each capsule's window."""
    body = flat.body
    axis = flat.end_px - flat.start_px
    long = np.maximum(np.hypot(axis[:, 0], axis[:, 1]), 1e-3)
    ux, uy = axis[:, 0] / long, axis[:, 1] / long
    ra, rb = flat.start_radius_px, flat.end_radius_px
    sine = np.clip((rb - ra) / long, -0.999, 0.999)
    slant = sine / np.sqrt(1.0 - sine * sine)
    metres = body.start_radius_m / np.maximum(ra, 1e-3)
    surface_m = body.surface_m if body.surface_m is not None else 0.0
    z0, dz = body.start_m[:, 2] - surface_m, body.end_m[:, 2] - body.start_m[:, 2]
    table = np.stack((ux, uy, 1.0 / long, long, ra, rb - ra, slant, metres, z0, dz))
    table = table[:, capsule]
    px, py = left - flat.start_px[capsule, 0], row_y - flat.start_px[capsule, 1]
    along, across = px * table[0] + py * table[1], py * table[0] - px * table[1]
    return np.concatenate((along[None], across[None], table)).astype(np.float32)


def _reckoned(
    flat: Outline, capsule: npt.NDArray[np.int64], left_top: npt.NDArray[np.int64],
    size_px: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], table: Floats, x: Floats,
) -> Fragments:  # fmt: skip
    """Return coverage and normals: the distance to a round cone seen from the side.

    Source: the tangent lines of two circles touch them at one angle, whose sine is the difference
    of the radii over the distance of the middles.
    """
    along, across, ux, uy, per_long, length, radius, dr, slope, metres, z0, dz = table
    along += x * ux
    across -= x * uy
    slope *= np.abs(across)
    slope += along
    slope *= per_long
    t = np.clip(slope, 0.0, 1.0, out=slope)
    dr *= t
    radius += dr
    length *= t
    beyond = along - length
    far2 = beyond * beyond + across * across
    cover = radius - np.sqrt(far2)
    cover += np.float32(0.5)
    np.clip(cover, 0.0, 1.0, out=cover)
    safe = np.float32(1.0) / np.maximum(radius, np.float32(0.3))
    far2 *= safe * safe
    normal_z = np.sqrt(np.maximum(np.float32(1.0) - far2, 0.0))
    beyond_unit = beyond * safe
    safe *= across
    normal_x, normal_y = beyond_unit * ux - safe * uy, beyond_unit * uy + safe * ux
    if flat.body.surface_m is not None:
        up = flat.up.astype(np.float32)
        over = z0 + dz * t
        over += radius * metres * (normal_x * up[0] + normal_y * up[1] - normal_z * up[2])
        cover *= np.clip(over / np.maximum(metres, 1e-6) + np.float32(0.5), 0.0, 1.0)
    return Fragments(
        capsule=capsule,
        places=tuple(
            (top, top + tall, left, left + wide)
            for (left, top), (wide, tall) in zip(left_top.tolist(), size_px.tolist(), strict=True)
        ),
        starts=tuple(starts.tolist()),
        of=np.repeat(capsule, np.diff(starts)),
        cover=cover,
        normal_x=normal_x,
        normal_y=normal_y,
        normal_z=normal_z,
        along=along * metres,
        around=across * metres,
    )


Corners = list[npt.NDArray[np.int32]]
"""Of facets, each (n, 1, 2) in a window, as OpenCV takes fractions of a pixel."""


def corners(points_px: list[FloatArray], place: Window) -> Corners:
    """Return the corners of facets in a window."""
    moved = (np.concatenate(points_px) - (place[1].start, place[0].start)) * float(1 << _SHIFT)
    fixed = np.rint(np.clip(moved, -1e6, 1e6)).astype(np.int32).reshape(-1, 1, 2)
    return np.split(fixed, np.cumsum([len(part) for part in points_px])[:-1])


def sheet_cover(points_px: list[FloatArray], place: Window) -> npt.NDArray[np.uint8]:
    """Return 0..255: how much of each pixel of a window facets cover together.

    Drawn larger and made smaller again: OpenCV's own smooth edges lie half a pixel too far out.
    """
    rows, columns = place
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    times = 4 if tall * wide < _SMALL_PX else 2
    mask = np.zeros((tall * times, wide * times), dtype=np.uint8)
    moved = (np.concatenate(points_px) - (columns.start - 0.5, rows.start - 0.5)) * times - 0.5
    fixed = np.rint(np.clip(moved * (1 << _SHIFT), -1e6, 1e6)).astype(np.int32).reshape(-1, 1, 2)
    start = 0
    for part in points_px:
        end = start + len(part)
        cv2.fillConvexPoly(mask, fixed[start:end], 255, cv2.LINE_8, _SHIFT)
        start = end
    return np.asarray(cv2.resize(mask, (wide, tall), interpolation=cv2.INTER_AREA), np.uint8)


def sheet_colours(
    pieces: Corners, colours: FloatArray, size: tuple[int, int]
) -> npt.NDArray[np.uint8]:  # fmt: skip
    """Return (h, w, c) colours of a window where facets lie, a pixel beyond their edges."""
    canvas = np.zeros((*size, colours.shape[1]), dtype=np.uint8)
    known = colours.tolist()
    for piece, colour in zip(pieces, known, strict=True):
        cv2.polylines(canvas, [piece], True, colour, 3, cv2.LINE_8, _SHIFT)  # noqa: FBT003  # OpenCV's own order
    for piece, colour in zip(pieces, known, strict=True):
        cv2.fillConvexPoly(canvas, piece, colour, cv2.LINE_8, _SHIFT)
    return canvas


def cover_of(flat: Outline, place: Window, shape: tuple[int, ...]) -> Floats:
    """Return (h, w) 0..1: how much of each pixel of a window the body covers, tools left out."""
    rows, columns = place
    cover = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
    sheets = [sheet for sheet in flat.sheets if sheet.facet.boxed]
    if sheets:
        points = [sheet.points_px for sheet in sheets]
        cover[:] = sheet_cover(points, place) / np.float32(255.0)
    pieces = fragments(flat, shape)
    for number, (top, bottom, left, right) in enumerate(pieces.places):
        if not flat.body.boxed[pieces.capsule[number]]:
            continue
        part = pieces.cover[pieces.starts[number] : pieces.starts[number + 1]]
        area = cover[
            top - rows.start : bottom - rows.start, left - columns.start : right - columns.start
        ]
        np.maximum(area, part.reshape(bottom - top, right - left), out=area)
    return cover
