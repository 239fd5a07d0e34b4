"""What a figure is made of: tapered capsules and flat facets, each with its paint."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geo._types import FloatArray

Point = tuple[float, float, float]
"""x right, y forward, z up, in metres from the figure's place on the ground."""


class Paint(NamedTuple):
    """What a surface looks like.

    Attributes:
        b, g, r: colour in full light, 0..255.
        warmth: in a thermal picture: 0 as warm as the field at night, 1 as bare skin.
        grain: how strongly its texture varies its brightness, one sigma.
    """

    b: float
    g: float
    r: float
    warmth: float
    grain: float = 0.07


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """A flat convex piece of a shell or a thin sheet.

    Attributes:
        points_m: (n, 3) in the site's frame.
        outward: (3,) unit normal; of a sheet either of the two.
        sheet: both sides are seen, nothing is inside.
        boxed: whether it counts for the truth box.
    """

    points_m: FloatArray
    outward: FloatArray
    paint: Paint
    sheet: bool
    boxed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Foam on the water: a convex piece, how much of it covers what is below, and its colour."""

    points_m: FloatArray
    share: float
    paint: Paint


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A figure in the site's frame, seen from anywhere.

    Attributes:
        start_m, end_m: (k, 3) axis ends of the capsules.
        start_radius_m, end_radius_m: (k,).
        paint: (k, 5) rows of Paint.
        boxed: (k,) whether a box round the figure holds the capsule: tools are left out.
        surface_m: height of the water that hides what is below it; None on land.
        ground_m: height of the ground or water where its shadow falls.
    """

    start_m: FloatArray
    end_m: FloatArray
    start_radius_m: FloatArray
    end_radius_m: FloatArray
    paint: npt.NDArray[np.float32]
    boxed: npt.NDArray[np.bool_]
    facets: tuple[Facet, ...]
    marks: tuple[Mark, ...]
    surface_m: float | None
    ground_m: float


class Parts:
    """Collects the parts of one figure in its own frame and puts them into place."""

    def __init__(self) -> None:
        self._limbs: list[tuple[float, ...]] = []
        self._paints: list[Paint] = []
        self._boxed: list[bool] = []
        self._facets: list[tuple[list[Point], Point | None, Paint, bool]] = []
        self._marks: list[tuple[list[Point], float, Paint]] = []

    def limb(
        self, a: Point, b: Point, ra_m: float, rb_m: float, paint: Paint, *, boxed: bool = True
    ) -> None:
        """Add a capsule from a to b."""
        self._limbs.append((*a, *b, ra_m, rb_m))
        self._paints.append(paint)
        self._boxed.append(boxed)

    def chain(
        self, points: list[Point], radius_m: float, paint: Paint, *, boxed: bool = True
    ) -> None:
        """Add capsules of one thickness from point to point."""
        for a, b in pairwise(points):
            self.limb(a, b, radius_m, radius_m, paint, boxed=boxed)

    def facet(
        self, points: list[Point], paint: Paint, *, inside: Point | None = None, boxed: bool = True
    ) -> None:
        """Add a flat convex piece: of a shell round the point ``inside``, else a thin sheet."""
        self._facets.append((points, inside, paint, boxed))

    def mark(self, points: list[Point], share: float, paint: Paint) -> None:
        """Add foam on the water."""
        self._marks.append((points, share, paint))

    def placed(
        self,
        feet_enu_m: Point,
        azimuth_deg: float,
        *,
        pitch_rad: float = 0.0,
        roll_rad: float = 0.0,
        surface_m: float | None = None,
        ground_m: float | None = None,
    ) -> Body:
        """Return the figure turned to its azimuth and moved to its place.

        Pitch lifts the front, roll lowers the right side, both about the place on the ground.
        Water at ``surface_m`` hides what is below it. The shadow falls at ``ground_m``, which is
        the figure's place, or the water's surface, unless something else is said.
        """
        turn = _turn(math.radians(azimuth_deg), pitch_rad, roll_rad)
        feet = np.array(feet_enu_m)
        limbs = np.array(self._limbs, dtype=np.float64).reshape(-1, 8)
        facets = self._placed_facets(turn, feet, surface_m)
        level = _turn(math.radians(azimuth_deg), 0.0, 0.0)
        return Body(
            start_m=limbs[:, 0:3] @ turn + feet,
            end_m=limbs[:, 3:6] @ turn + feet,
            start_radius_m=limbs[:, 6],
            end_radius_m=limbs[:, 7],
            paint=np.array(self._paints, dtype=np.float32).reshape(-1, 5),
            boxed=np.array(self._boxed, dtype=np.bool_),
            facets=facets,
            marks=tuple(
                Mark(points_m=np.array(points) @ level + feet, share=share, paint=paint)
                for points, share, paint in self._marks
            ),
            surface_m=surface_m,
            ground_m=max(low for low in (feet_enu_m[2], surface_m) if low is not None)
            if ground_m is None
            else ground_m,
        )

    def _placed_facets(
        self, turn: FloatArray, feet: FloatArray, surface_m: float | None
    ) -> tuple[Facet, ...]:
        if not self._facets:
            return ()
        points = np.array([p for piece, _, _, _ in self._facets for p in piece]) @ turn + feet
        sizes = [len(piece) for piece, _, _, _ in self._facets]
        starts = np.cumsum([0, *sizes])
        first = starts[:-1]
        normals = np.cross(points[first + 1] - points[first], points[first + 2] - points[first])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        middles = np.add.reduceat(points, first) / np.array(sizes)[:, None]
        own = np.array([inside or (0.0, 0.0, 0.0) for _, inside, _, _ in self._facets])
        away = np.einsum("ij,ij->i", middles - (own @ turn + feet), normals)
        found = []
        for k, (_, inside, paint, boxed) in enumerate(self._facets):
            flip = inside is not None and away[k] < 0.0
            facet = Facet(
                points_m=points[starts[k] : starts[k + 1]],
                outward=-normals[k] if flip else normals[k],
                paint=paint,
                sheet=inside is None,
                boxed=boxed,
            )
            cut = facet if surface_m is None else _above(facet, surface_m)
            if cut is not None:
                found.append(cut)
        return tuple(found)


def _turn(azimuth: float, pitch: float, roll: float) -> FloatArray:
    """Return (3, 3) whose rows are the figure's right, forward and up in the site's frame."""
    right = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    forward = np.array([math.sin(azimuth), math.cos(azimuth), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    nose = forward * math.cos(pitch) + up * math.sin(pitch)
    crown = up * math.cos(pitch) - forward * math.sin(pitch)
    side = right * math.cos(roll) - crown * math.sin(roll)
    return np.vstack((side, nose, crown * math.cos(roll) + right * math.sin(roll)))


def _above(facet: Facet, surface_m: float) -> Facet | None:
    """Return what of a facet is over the water."""
    points = facet.points_m
    over = points[:, 2] - surface_m
    if bool((over >= 0.0).all()):
        return facet
    kept = []
    for k in range(len(points)):
        after = (k + 1) % len(points)
        if over[k] >= 0.0:
            kept.append(points[k])
        if (over[k] >= 0.0) != (over[after] >= 0.0):
            share = over[k] / (over[k] - over[after])
            kept.append(points[k] + share * (points[after] - points[k]))
    if len(kept) < 3:
        return None
    return Facet(
        points_m=np.array(kept),
        outward=facet.outward,
        paint=facet.paint,
        sheet=facet.sheet,
        boxed=facet.boxed,
    )
