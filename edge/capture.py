"""Frames from cameras to the network: one worker and one place per camera, the newest wins."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from hardware.ports import CameraPort, Frame
from runtime.log import get_logger

_ASK_AGAIN_S = 0.01
"""Pause after a read that gave nothing: a film's next frame may be due in a moment."""
_PLACE_WAIT_S = 0.5


@dataclass(slots=True)
class _Slot:
    frame: Frame | None = None
    since: int = 0
    taken: int = 0
    replaced: int = 0
    over: bool = False


class FrameSlots:
    """One place per camera between its capture worker and the network.

    Bound: one frame per camera. Policy: a newer frame replaces one that nobody took, which is
    counted. The network takes the frame that came first, so that no camera starves.

    Args:
        sensor_ids: the cameras.
    """

    def __init__(self, sensor_ids: Sequence[str]) -> None:
        self._slots = {sensor_id: _Slot() for sensor_id in sensor_ids}
        self._changed = threading.Condition()
        self._turn = 0

    def put(self, frame: Frame) -> None:
        """Offer a frame; an older one that still waits is replaced and counted."""
        with self._changed:
            slot = self._slots[frame.sensor_id]
            if slot.frame is None:
                self._turn += 1
                slot.since = self._turn
            else:
                slot.replaced += 1
            slot.frame = frame
            self._changed.notify_all()

    def wait_free(self, sensor_id: str, timeout_s: float) -> bool:
        """Wait until this camera's place is empty; whether it is."""
        with self._changed:
            slot = self._slots[sensor_id]
            return self._changed.wait_for(lambda: slot.frame is None, timeout_s)

    def take(self, timeout_s: float) -> Frame | None:
        """The frame that has waited longest.

        Args:
            timeout_s: longest wait for one; 0 does not wait.
        """
        with self._changed:
            if not self._changed.wait_for(self._any, timeout_s):
                return None
            slot = min(
                (slot for slot in self._slots.values() if slot.frame is not None),
                key=lambda slot: slot.since,
            )
            frame, slot.frame = slot.frame, None
            slot.taken += 1
            self._changed.notify_all()
            return frame

    def waits(self, sensor_id: str) -> bool:
        """Whether a frame of this camera is there and not yet taken."""
        with self._changed:
            return self._slots[sensor_id].frame is not None

    def end(self, sensor_id: str) -> None:
        """This camera will bring no more frames."""
        with self._changed:
            self._slots[sensor_id].over = True
            self._changed.notify_all()

    @property
    def finished(self) -> bool:
        """Whether every camera has ended and every frame was taken."""
        with self._changed:
            return all(slot.over and slot.frame is None for slot in self._slots.values())

    def replaced(self, sensor_id: str) -> int:
        """Frames of this camera that a newer one replaced."""
        return self._slots[sensor_id].replaced

    def taken(self, sensor_id: str) -> int:
        """Frames of this camera that the network took."""
        return self._slots[sensor_id].taken

    def _any(self) -> bool:
        return any(slot.frame is not None for slot in self._slots.values())


class CaptureWorker:
    """Reads one camera for ever; see `runtime.workers.Worker`.

    Args:
        camera: owned by this worker from now on, and closed by it.
        slots: where frames go.
        lockstep: a frame waits until the one before was taken, so that none is replaced; for films
            that are read as fast as can be.
        min_period_s: frames that come sooner after the last one are passed over, so that a fast
            camera does not heat the processor for nothing; 0 takes all.
    """

    def __init__(
        self,
        camera: CameraPort,
        slots: FrameSlots,
        *,
        lockstep: bool = False,
        min_period_s: float = 0.0,
    ) -> None:
        self._camera = camera
        self._slots = slots
        self._lockstep = lockstep
        self._min_period_s = min_period_s
        self._last_s: float | None = None
        self._waiting: Frame | None = None
        self._over = False
        self._log = get_logger(worker=self.name, sensor_id=camera.sensor_id)
        self.passed_over = 0

    @property
    def name(self) -> str:
        """Unique in the process."""
        return f"capture-{self._camera.sensor_id}"

    @property
    def camera(self) -> CameraPort:
        """The camera, for its status and counters."""
        return self._camera

    @property
    def over(self) -> bool:
        """Whether the film has ended."""
        return self._over

    def step(self, now_s: float) -> float:  # noqa: ARG002  # the camera has its own clock
        """Read one frame and put it in its place.

        Returns:
            Seconds until the next read: 0 after a frame, a moment after none.
        """
        if self._over:
            return 1.0
        if self._waiting is None:
            try:
                self._waiting = self._camera.read()
            except EOFError as end:
                self._finish(str(end))
                return 1.0
        frame = self._waiting
        if frame is None:
            return _ASK_AGAIN_S
        if self._too_soon(frame):
            self._waiting = None
            self.passed_over += 1
        elif self._lockstep and not self._slots.wait_free(frame.sensor_id, _PLACE_WAIT_S):
            return 0.0
        else:
            self._waiting = None
            self._last_s = frame.t_capture_monotonic_s
            self._slots.put(frame)
        if frame.last:
            self._finish("its last frame was read")
        return 0.0

    def close(self) -> None:
        """Let go of the camera."""
        self._camera.close()

    def _too_soon(self, frame: Frame) -> bool:
        if self._last_s is None or self._min_period_s <= 0.0:
            return False
        # Half a frame of tolerance: 10 of 25 frames a second should not become 8.
        return frame.t_capture_monotonic_s - self._last_s < self._min_period_s * 0.9

    def _finish(self, why: str) -> None:
        self._over = True
        self._slots.end(self._camera.sensor_id)
        self._log.info("film_over", why=why)
