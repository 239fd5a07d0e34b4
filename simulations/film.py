"""Draw the world through a camera's lens, at true scale, fast enough for a mast in real time.

The empty picture is drawn once; each frame adds the people, their shadows and fresh noise. A limb
is a tapered capsule: its edge comes from the distance to its axis (smooth without supersampling),
its shade from the surface normal that the capsule has there.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from geo.lens import Lens, rotation_enu_from_camera
from simulations.body import HAT, WARMTH, Body, build, palette
from simulations.ground import Image, View, background
from simulations.scenario_node import CameraSettings
from simulations.site import Site
from simulations.walk import FigureState
from simulations.world import World

_NOISE_BANK = 5
_MIN_DEPTH_M = 1.0
_LOOKS_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthBox:
    """What a perfect observer sees of one person in one frame.

    Attributes:
        box_px: x1, y1, x2, y2 of the whole silhouette, also where it leaves the picture.
        visible: whether any part lies inside the picture.
    """

    figure: FigureState
    box_px: tuple[float, float, float, float]
    visible: bool


def view_of(camera: CameraSettings, site: Site) -> View:
    """Return the camera's lens and pose in the site's frame."""
    if camera.lon_lat_deg is not None:
        ground = site.lon_lat(*camera.lon_lat_deg)
    else:
        assert camera.along_m is not None
        assert camera.across_m is not None
        ground = site.place(camera.along_m, camera.across_m)
    return View(
        lens=Lens.from_hfov(camera.hfov_deg, camera.width_px, camera.height_px),
        position_enu_m=np.array([ground[0], ground[1], camera.height_m]),
        rotation=rotation_enu_from_camera(camera.azimuth_deg, camera.pitch_deg, camera.roll_deg),
    )


class Film:
    """One camera's film of a world.

    Args:
        world: who is where.
        camera: one of the scenario's cameras.
    """

    def __init__(self, world: World, camera: CameraSettings) -> None:
        self.world = world
        self.camera = camera
        self.view = view_of(camera, world.site)
        self._background = background(self.view, camera.spectrum, world.scenario.seed)
        self._sun = world.light(0.0).sun_enu
        self._noise = _noise_bank(self._background.shape, camera.noise_sigma, world.scenario.seed)
        self._palettes: dict[int, FloatArray] = {}
        rng = np.random.default_rng(world.scenario.seed + 11)
        self._cloth = cv2.GaussianBlur(
            rng.standard_normal((256, 256)).astype(np.float32), (0, 0), 1.2
        )
        self._cloth /= float(self._cloth.std())

    def frame(self, t_s: float, index: int) -> Image:
        """Return the picture at an instant; ``index`` picks the noise, so equal calls are equal.

        Returns:
            (h, w, 3) BGR by day, (h, w) grey in thermal.
        """
        picture = self._background.copy()
        drawn = [(self._depth(figure), figure) for figure in self.world.figures(t_s)]
        near = [pair for pair in drawn if pair[0] > _MIN_DEPTH_M]
        bodies = [(figure, build(figure)) for _, figure in sorted(near, key=lambda pair: -pair[0])]
        if self.camera.spectrum == "day":
            for _, body in bodies:
                self._shadow(picture, body)
        for figure, body in bodies:
            self._draw(picture, figure, body)
        # A bank that starts at another row each time repeats only after a long while.
        brighter, darker = self._noise[index % len(self._noise)]
        shift = (index * 7919) % picture.shape[0]
        window = slice(shift, shift + picture.shape[0])
        cv2.add(picture, brighter[window], dst=picture)
        cv2.subtract(picture, darker[window], dst=picture)
        return np.asarray(picture, dtype=np.uint8)

    def jpeg(self, t_s: float, index: int) -> bytes:
        """Return the picture at an instant as JPEG."""
        return encode_jpeg(self.frame(t_s, index), self.camera.jpeg_quality)

    def truth(self, t_s: float) -> tuple[TruthBox, ...]:
        """Return the true box of everybody in front of the camera at an instant."""
        found = []
        for figure in self.world.figures(t_s):
            if self._depth(figure) <= _MIN_DEPTH_M:
                continue
            box = _project(self.view, _person(figure)).box()
            lens = self.view.lens
            visible = (
                box[2] > 0
                and box[3] > 0
                and box[0] < lens.width_px - 1
                and box[1] < lens.height_px - 1
            )
            found.append(TruthBox(figure=figure, box_px=box, visible=visible))
        return tuple(found)

    def silhouette(self, figure: FigureState) -> npt.NDArray[np.float32]:
        """Return (h, w) coverage 0..1 of one person, drawn alone."""
        cover = np.zeros(self._background.shape[:2], dtype=np.float32)
        limbs = _project(self.view, _person(figure))
        for k in range(len(limbs.material)):
            patch = _capsule(limbs, k, cover.shape)
            if patch is not None:
                area = cover[patch.rows, patch.columns]
                np.maximum(area, patch.cover, out=area)
        return cover

    def _depth(self, figure: FigureState) -> float:
        return float(self.view.to_camera(np.array([figure.feet_enu_m]))[0, 2])

    def _draw(self, picture: Image, figure: FigureState, body: Body) -> None:
        limbs = _project(self.view, body)
        window = limbs.window(picture.shape)
        if window is None:
            return
        rows, columns = window
        canvas = picture[rows, columns].astype(np.float32)
        colours = self._colours(figure.looks.seed)
        sun = self._sun @ self.view.rotation
        for k in limbs.order():
            patch = _capsule(limbs, k, picture.shape)
            if patch is None:
                continue
            part = canvas[
                patch.rows.start - rows.start : patch.rows.stop - rows.start,
                patch.columns.start - columns.start : patch.columns.stop - columns.start,
            ]
            cover = patch.cover
            if part.ndim == 3:
                facing = patch.normal_x * sun[0] + patch.normal_y * sun[1] - patch.normal_z * sun[2]
                shade = 0.62 + 0.52 * np.maximum(facing, 0.0)
                if limbs.material[k] == HAT:
                    shade = 0.8 + 0.2 * shade  # Straw bars stand for one smooth cone.
                shade *= 1.0 + 0.07 * self._weave(figure, patch, rows, columns)
                colour = shade[..., None] * colours[limbs.material[k]].astype(np.float32)
                part += cover[..., None] * (colour - part)
            else:
                warm = 118.0 + 112.0 * float(WARMTH[limbs.material[k]])
                glow = warm * (0.84 + 0.16 * patch.normal_z)
                glow = glow + 4.0 * self._weave(figure, patch, rows, columns)
                part += cover * (glow - part)
        blur = 0.55 if picture.ndim == 3 else 1.0
        canvas = cv2.GaussianBlur(canvas, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
        np.clip(canvas, 0, 255, out=canvas)
        picture[rows, columns] = canvas.astype(np.uint8)

    def _weave(
        self, figure: FigureState, patch: "_Patch", rows: slice, columns: slice
    ) -> npt.NDArray[np.float32]:
        """Return cloth texture that stays with the person as they move."""
        size = self._cloth.shape[0]
        y = (np.arange(patch.rows.start, patch.rows.stop) - rows.start + figure.looks.seed) % size
        x = (np.arange(patch.columns.start, patch.columns.stop) - columns.start) % size
        return np.asarray(self._cloth[y[:, None], x[None, :]], dtype=np.float32)

    def _colours(self, seed: int) -> FloatArray:
        found = self._palettes.get(seed)
        if found is None:
            if len(self._palettes) >= _LOOKS_KEPT:
                self._palettes.clear()
            found = self._palettes[seed] = palette(seed)
        return found

    def _shadow(self, picture: Image, body: Body) -> None:
        """Darken the ground where the person keeps the sun off it, softly."""
        slope = self._sun / self._sun[2]
        flat = Body(
            start_m=body.start_m - body.start_m[:, 2:] * slope,
            end_m=body.end_m - body.end_m[:, 2:] * slope,
            start_radius_m=body.start_radius_m,
            end_radius_m=body.end_radius_m,
            material=body.material,
        )
        limbs = _project(self.view, flat)
        window = limbs.window(picture.shape)
        if window is None:
            return
        rows, columns = window
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=np.uint8)
        for k in range(len(limbs.material)):
            # Lying on the ground a limb is seen flat: half its width is a fair middle.
            width = max(1, round(float(limbs.start_radius[k] + limbs.end_radius[k]) * 0.55))
            a = (limbs.start[k] - (columns.start, rows.start)) * 8.0
            b = (limbs.end[k] - (columns.start, rows.start)) * 8.0
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                continue
            cv2.line(
                mask, (round(a[0]), round(a[1])), (round(b[0]), round(b[1])), 255, width,
                cv2.LINE_AA, 3,
            )  # fmt: skip
        sigma = max(0.8, 0.03 * float(limbs.box()[3] - limbs.box()[1]))
        soft = cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32) * (0.46 / 255.0)
        part = picture[rows, columns].astype(np.float32) * (1.0 - soft[..., None])
        picture[rows, columns] = part.astype(np.uint8)


def _person(figure: FigureState) -> Body:
    """Return the body without a tool in the hands: a box round a person leaves the hoe out."""
    if figure.looks.load == "hoe":
        figure = replace(figure, looks=replace(figure.looks, load="none"))
    return build(figure)


def encode_jpeg(picture: Image, quality: int) -> bytes:
    """Return the picture as JPEG bytes."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} could not be encoded as JPEG")
    return bytes(data.tobytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limbs:
    """Capsules in pixels, with their depth."""

    start: FloatArray
    end: FloatArray
    start_radius: FloatArray
    end_radius: FloatArray
    depth_m: FloatArray
    material: tuple[int, ...]

    def box(self) -> tuple[float, float, float, float]:
        """Return the box round all capsules, as pixel edges (a pixel is one wide)."""
        low = np.minimum(
            self.start - self.start_radius[:, None], self.end - self.end_radius[:, None]
        )
        high = np.maximum(
            self.start + self.start_radius[:, None], self.end + self.end_radius[:, None]
        )
        # The lens counts from the middle of the first pixel, boxes from its corner.
        x1, y1 = (np.nanmin(low, axis=0) + 0.5).tolist()
        x2, y2 = (np.nanmax(high, axis=0) + 0.5).tolist()
        return x1, y1, x2, y2

    def window(self, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
        """Return rows and columns of the picture that the capsules may touch, blur included."""
        if not np.isfinite(self.start).any():
            return None
        x1, y1, x2, y2 = self.box()
        return _window(x1 - 4, y1 - 4, x2 + 4, y2 + 4, shape)

    def order(self) -> list[int]:
        """Return the capsules from far to near."""
        return [int(k) for k in np.argsort(-self.depth_m, kind="stable")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patch:
    """One capsule's pixels: coverage 0..1 and the surface normal (x right, y down, z to us)."""

    rows: slice
    columns: slice
    cover: npt.NDArray[np.float32]
    normal_x: npt.NDArray[np.float32]
    normal_y: npt.NDArray[np.float32]
    normal_z: npt.NDArray[np.float32]


def _window(
    x1: float, y1: float, x2: float, y2: float, shape: tuple[int, ...]
) -> tuple[slice, slice] | None:
    top, bottom = max(0, math.floor(y1)), min(shape[0], math.ceil(y2) + 1)
    left, right = max(0, math.floor(x1)), min(shape[1], math.ceil(x2) + 1)
    if top >= bottom or left >= right:
        return None
    return slice(top, bottom), slice(left, right)


def _project(view: View, body: Body) -> _Limbs:
    start_c, end_c = view.to_camera(body.start_m), view.to_camera(body.end_m)
    focal = math.sqrt(view.lens.fx_px * view.lens.fy_px)
    start_z = np.where(start_c[:, 2] > 0.1, start_c[:, 2], np.nan)
    end_z = np.where(end_c[:, 2] > 0.1, end_c[:, 2], np.nan)
    return _Limbs(
        start=view.lens.project(start_c),
        end=view.lens.project(end_c),
        start_radius=focal * body.start_radius_m / start_z,
        end_radius=focal * body.end_radius_m / end_z,
        depth_m=0.5 * (start_c[:, 2] + end_c[:, 2]),
        material=body.material,
    )


def _capsule(limbs: _Limbs, k: int, shape: tuple[int, ...]) -> _Patch | None:
    """Return the pixels of one tapered capsule, or None outside the picture."""
    a, b = limbs.start[k], limbs.end[k]
    ra, rb = float(limbs.start_radius[k]), float(limbs.end_radius[k])
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    window = _window(
        min(a[0] - ra, b[0] - rb) - 1, min(a[1] - ra, b[1] - rb) - 1,
        max(a[0] + ra, b[0] + rb) + 1, max(a[1] + ra, b[1] + rb) + 1, shape,
    )  # fmt: skip
    if window is None:
        return None
    rows, columns = window
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] - np.float32(a[0])
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(a[1])
    along_x, along_y = np.float32(b[0] - a[0]), np.float32(b[1] - a[1])
    length2 = max(float(along_x * along_x + along_y * along_y), 1e-6)
    t = np.clip((x * along_x + y * along_y) / np.float32(length2), 0.0, 1.0)
    radius = np.float32(ra) + np.float32(rb - ra) * t
    away_x, away_y = x - t * along_x, y - t * along_y
    distance = np.sqrt(away_x * away_x + away_y * away_y)
    safe = np.maximum(radius, np.float32(0.3))
    normal_x, normal_y = away_x / safe, away_y / safe
    flat = np.minimum(normal_x * normal_x + normal_y * normal_y, np.float32(1.0))
    return _Patch(
        rows=rows,
        columns=columns,
        cover=np.clip(radius - distance + np.float32(0.5), 0.0, 1.0),
        normal_x=normal_x,
        normal_y=normal_y,
        normal_z=np.sqrt(np.float32(1.0) - flat),
    )


def _noise_bank(shape: tuple[int, ...], sigma: float, seed: int) -> tuple[tuple[Image, Image], ...]:
    """Return pairs of what brightens and what darkens, twice the picture's height.

    Two saturating passes over bytes are ten times faster than one with signed numbers.
    """
    rng = np.random.default_rng(seed + 23)
    bank = []
    for _ in range(_NOISE_BANK):
        noise = np.rint(rng.standard_normal(shape, dtype=np.float32) * np.float32(sigma))
        twice = np.concatenate((noise, noise))
        bank.append((np.maximum(twice, 0).astype(np.uint8), np.maximum(-twice, 0).astype(np.uint8)))
    return tuple(bank)
