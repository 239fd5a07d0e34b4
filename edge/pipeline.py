"""The road of a frame through a node: detect, track, place, say, keep a picture, queue."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge.capture import FrameSlots
from edge.detect import Detector
from edge.evidence import Evidence
from edge.limits import Limits
from edge.located import Located
from edge.observe import Observer, Said
from edge.outbox import Item
from edge.pose import Pose, PoseSource
from edge.time_offset import OffsetEstimator
from edge.track import Track, Tracker
from edge.warp import Warp
from hardware.ports import Frame
from runtime.clock import Clock
from runtime.ids import UlidSource
from wire.messages import Crop, Media
from wire.values import GeoPoint

_TAKE_WAIT_S = 0.25


class Locator(Protocol):
    """Places tracks; `edge.geolocate.GroundLocator` is one."""

    def locate_tracks(self, tracks: tuple[Track, ...], t_s: float) -> list[Located]:
        """Where each track's feet are, in a frame captured at this monotonic instant."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowhere:
    """A camera without a pose: its tracks have no place, and it says so."""

    reason: str = "this camera has no pose, lens or ground in the config"

    def locate_tracks(
        self,
        tracks: tuple[Track, ...],
        t_s: float,  # noqa: ARG002  # nowhere at any instant
    ) -> list[Located]:
        """No place for anyone."""
        return [Located(reason=self.reason) for _ in tracks]


class Outlet(Protocol):
    """Takes what was said; `edge.outbox.Outbox` is one."""

    def put(self, *items: Item) -> bool:
        """Whether all were taken."""
        ...

    def flush(self) -> None:
        """Commit what is due."""
        ...


class Motion(Protocol):
    """Tells how a camera moved; `edge.camera_motion.CameraMotion` is one."""

    def step(self, frame: Frame, moving_px: npt.NDArray[np.float64]) -> Warp | None:
        """How the ground moved in the picture since the last frame.

        Args:
            frame: This one.
            moving_px: (n, 4) boxes of the last frame.
        """
        ...


@dataclass(slots=True, kw_only=True)
class Eye:
    """One camera's part of the road.

    Attributes:
        sensor_id: The camera.
        detector: May be shared with other cameras; all run in the one worker.
        tracker: Its tracks.
        motion: Of a camera that moves; its tracks go with the ground.
        locator: Its geometry.
        offset: Between the clocks of camera and autopilot, as the pictures tell it.
        moving_poses: Where a camera that moves was; None for one that stands still.
        observer: What it says.
        evidence: What it shows; None keeps no pictures.
        quiet_after_s: Without a frame for so long its tracks are over.
        frames: Looked at so far.
        inference_s: Of the last frame.
        last: The last frame's stamps: (UTC, monotonic).
        looked_s: When the last frame was looked at; a film's stamps may be of another time.
    """

    sensor_id: str
    detector: Detector
    tracker: Tracker
    locator: Locator
    observer: Observer
    evidence: Evidence | None
    quiet_after_s: float
    motion: Motion | None = None
    offset: OffsetEstimator | None = None
    moving_poses: PoseSource | None = None
    frames: int = 0
    inference_s: float = math.nan
    frame_size_px: tuple[int, int] = (1, 1)
    last: tuple[datetime | None, float] = field(default=(None, 0.0))
    looked_s: float = -math.inf


class Pipeline:
    """The worker that owns the networks.

    Args:
        slots: Where frames come from.
        eyes: By sensor id.
        outbox: Where everything goes.
        limits: Line and zones in force.
        clock: For the time an inference takes.
        ids: For messages.
    """

    name = "infer"

    def __init__(
        self,
        *,
        slots: FrameSlots,
        eyes: Mapping[str, Eye],
        outbox: Outlet,
        limits: Limits,
        clock: Clock,
        ids: UlidSource,
    ) -> None:
        self._slots = slots
        self._eyes = dict(eyes)
        self._outbox = outbox
        self._limits = limits
        self._clock = clock
        self._ids = ids
        self._over = False

    @property
    def over(self) -> bool:
        """Whether every film has ended and its tracks had their last word."""
        return self._over

    def step(self, now_s: float) -> float:  # noqa: ARG002  # frames carry their own time
        """Look at the frame that has waited longest."""
        # The uplink commits too, but may stand before a broker that does not answer.
        self._outbox.flush()
        if self._over:
            return 0.5
        frame = self._slots.take(_TAKE_WAIT_S)
        if frame is not None:
            self.look(frame)
        elif self._slots.finished:
            self._finish()
        self._end_quiet()
        return 0.0

    def close(self) -> None:
        """End all tracks, so that the station does not wait for them; let go of the networks."""
        self._finish()
        for detector in {id(eye.detector): eye.detector for eye in self._eyes.values()}.values():
            detector.close()

    def look(self, frame: Frame) -> None:
        """Take one frame down the whole road."""
        eye = self._eyes[frame.sensor_id]
        before_s = self._clock.monotonic_s()
        detections = eye.detector.detect(frame.image_bgr)
        eye.inference_s = self._clock.monotonic_s() - before_s
        eye.frames += 1
        eye.frame_size_px = detections.frame_size_px
        eye.looked_s = self._clock.monotonic_s()
        eye.last = (frame.t_capture_utc, frame.t_capture_monotonic_s)
        warp = None if eye.motion is None else eye.motion.step(frame, eye.tracker.boxes_px)
        update = eye.tracker.update(detections, frame.t_capture_monotonic_s, warp=warp)
        said = eye.observer.end(update.ended, frame_size_px=eye.frame_size_px)
        said += eye.observer.frame(
            update.tracks,
            eye.locator.locate_tracks(update.tracks, frame.t_capture_monotonic_s),
            frame_size_px=eye.frame_size_px,
            area=self._limits.map,
            sensor_position=_lens_at(eye, frame.t_capture_monotonic_s),
        )
        crops: list[Crop] = []
        if eye.evidence is not None:
            crops = eye.evidence.crops(frame, update.tracks, eye.observer.crop_allowed)
            eye.evidence.forget(update.ended)
        self._queue(eye, said, crops)

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        for eye in self._eyes.values():
            self._end_tracks(eye)

    def _end_quiet(self) -> None:
        """End the tracks of cameras that bring no more frames: no frame would ever do it."""
        now_s = self._clock.monotonic_s()
        for eye in self._eyes.values():
            quiet = now_s - eye.looked_s > eye.quiet_after_s
            # A frame that waits for a slow network is no silence.
            if quiet and len(eye.tracker) and not self._slots.waits(eye.sensor_id):
                self._end_tracks(eye)

    def _end_tracks(self, eye: Eye) -> None:
        ended = eye.tracker.finish(eye.last[1])
        if eye.evidence is not None:
            eye.evidence.forget(ended)
        self._queue(eye, eye.observer.end(ended, frame_size_px=eye.frame_size_px), [])

    def _queue(self, eye: Eye, said: list[Said], crops: list[Crop]) -> None:
        items = [
            Item(
                id=self._ids.new(),
                kind="obs",
                parameter=eye.sensor_id,
                body=word.observation,
                key=word.observation.key,
                track_id=word.observation.track_id,
                t_event_utc=_utc_at(eye.last, word.t_event_s),
                t_event_monotonic_s=word.t_event_s,
            )
            for word in said
        ]
        items += [
            Item(
                id=self._ids.new(),
                kind="media",
                parameter=eye.sensor_id,
                body=Media(media=crop),
                track_id=crop.track_id,
                t_event_utc=eye.last[0],
                t_event_monotonic_s=eye.last[1],
            )
            for crop in crops
        ]
        if items:
            self._outbox.put(*items)


def _lens_at(eye: Eye, t_s: float) -> GeoPoint | None:
    """Where the lens of a moving camera was at the capture of a frame."""
    pose = None if eye.moving_poses is None else eye.moving_poses.at(t_s)
    if not isinstance(pose, Pose):
        return None
    at = pose.position
    return GeoPoint(lon_deg=at.lon_deg, lat_deg=at.lat_deg, alt_hae_m=at.alt_hae_m)


def _utc_at(last: tuple[datetime | None, float], t_s: float) -> datetime | None:
    """UTC of an instant on the monotonic clock, by the stamps of the last frame."""
    utc, at_s = last
    return None if utc is None else utc + timedelta(seconds=t_s - at_s)
