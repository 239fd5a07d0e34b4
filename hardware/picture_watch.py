"""Whether a picture still moves: a camera that repeats one frame for ever is a dead camera."""

import numpy as np
import numpy.typing as npt

_STEP_PX = 8


class PictureWatch:
    """Notices a picture that does not change at all.

    A living sensor is never still: its noise alone changes some value in every frame. So only an
    exactly repeated sample counts, and a quiet night does not.

    Args:
        frozen_after_s: how long the same picture may come.
    """

    def __init__(self, frozen_after_s: float) -> None:
        self._frozen_after_s = frozen_after_s
        self._sample: npt.NDArray[np.uint8] | None = None
        self._changed_s = 0.0

    def frozen(self, image_bgr: npt.NDArray[np.uint8], now_s: float) -> bool:
        """Take in a frame.

        Args:
            image_bgr: (height, width, 3).
            now_s: monotonic instant of it.

        Returns:
            Whether the picture has been the same for too long.
        """
        sample = image_bgr[::_STEP_PX, ::_STEP_PX]
        if self._sample is None or not np.array_equal(self._sample, sample):
            self._sample = sample.copy()
            self._changed_s = now_s
        return now_s - self._changed_s >= self._frozen_after_s
