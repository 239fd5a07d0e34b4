"""Draw figures: shaded, with the texture of their cloth, and their soft shadows.

A limb is a tapered capsule: its edge comes from the distance to its axis (smooth without
supersampling), its shade from the surface normal that the capsule has there.
"""

import cv2
import numpy as np
import numpy.typing as npt

from geo._types import FloatArray
from simulations.body import HAT, WARMTH, Body, build, palette
from simulations.figure_capsule import Patch, capsule, project
from simulations.ground import Image, View
from simulations.tone import Tone
from simulations.walk import FigureState

_LOOKS_KEPT = 256


class FigurePainter:
    """Draws any figure, by day into (h, w, 3) BGR, in thermal white-hot into (h, w) grey.

    Args:
        seed: of the scenario.
    """

    def __init__(self, seed: int) -> None:
        self._palettes: dict[int, FloatArray] = {}
        rng = np.random.default_rng(seed + 11)
        self._cloth = cv2.GaussianBlur(
            rng.standard_normal((256, 256)).astype(np.float32), (0, 0), 1.2
        )
        self._cloth /= float(self._cloth.std())

    def draw(self, picture: Image, view: View, figure: FigureState, tone: Tone) -> None:
        """Draw one figure over the picture, which changes in place."""
        body = build(figure)
        limbs = project(view, body)
        window = limbs.window(picture.shape)
        if window is None:
            return
        rows, columns = window
        canvas = picture[rows, columns].astype(np.float32)
        colours = tone.muted(self._colours(figure.looks.seed)).astype(np.float32)
        sun = tone.sun_enu @ view.rotation
        thermal = picture.ndim == 2
        away_m = float(limbs.depth_m.mean())
        through = tone.through(away_m, thermal=thermal)
        shade_bgr, sunlit_bgr = tone.lit_at(away_m)
        sun_bgr = sunlit_bgr - shade_bgr
        for k in limbs.order():
            patch = capsule(limbs, k, picture.shape)
            if patch is None:
                continue
            part = canvas[
                patch.rows.start - rows.start : patch.rows.stop - rows.start,
                patch.columns.start - columns.start : patch.columns.stop - columns.start,
            ]
            cover = patch.cover
            if part.ndim == 3:
                facing = patch.normal_x * sun[0] + patch.normal_y * sun[1] - patch.normal_z * sun[2]
                facing = np.maximum(facing, 0.0)
                if limbs.material[k] == HAT:
                    facing = 0.4 + 0.4 * facing  # Straw bars stand for one smooth cone.
                shade = shade_bgr + facing[..., None] * sun_bgr
                shade *= 1.0 + 0.07 * self._weave(figure, patch, rows, columns)[..., None]
                colour = shade * colours[limbs.material[k]]
                colour = tone.haze_bgr + through * (colour - tone.haze_bgr)
                part += cover[..., None] * (colour - part)
            else:
                # What is seen slanting is partly a mirror of the cooler world around.
                warm = tone.warmth.of_body(float(WARMTH[limbs.material[k]]))
                around = tone.warmth.grey(tone.warmth.air_c)
                glow = around + (warm - around) * (0.8 + 0.2 * patch.normal_z)
                glow = glow + 4.0 * self._weave(figure, patch, rows, columns)
                part += cover * (around + through * (glow - around) - part)
        blur = 0.55 if picture.ndim == 3 else 1.0
        canvas = cv2.GaussianBlur(canvas, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
        np.clip(canvas, 0, 255, out=canvas)
        picture[rows, columns] = canvas.astype(np.uint8)

    def _weave(
        self, figure: FigureState, patch: Patch, rows: slice, columns: slice
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

    def shadow(self, picture: Image, view: View, figure: FigureState, tone: Tone) -> None:
        """Darken the ground where the person keeps the sun off it, softly."""
        body = build(figure)
        slope = tone.sun_enu / max(float(tone.sun_enu[2]), 0.05)
        flat = Body(
            start_m=body.start_m - body.start_m[:, 2:] * slope,
            end_m=body.end_m - body.end_m[:, 2:] * slope,
            start_radius_m=body.start_radius_m,
            end_radius_m=body.end_radius_m,
            material=body.material,
        )
        limbs = project(view, flat)
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
        strength = tone.shadow * tone.through(float(limbs.depth_m.mean()))
        soft = cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32) * (strength / 255.0)
        part = picture[rows, columns].astype(np.float32) * (1.0 - soft[..., None])
        picture[rows, columns] = part.astype(np.uint8)
