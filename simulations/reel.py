"""What a network saw in each frame of a film, as it is kept and given back."""

import hashlib
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.detect import Detections
from runtime.log import get_logger

_FORM = 1
_DIGEST_BYTES = 32


@dataclass(slots=True)
class Reel:
    """Detections and the hash of the JPEG of every frame from the first on.

    Attributes:
        frame_size_px: width and height.
        detections: by frame.
        digests: SHA-256 of each frame's JPEG; of no bytes where the camera gave no new picture.
    """

    frame_size_px: tuple[int, int]
    detections: list[Detections] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.detections)

    def add(self, detections: Detections, jpeg: bytes) -> None:
        """Put the next frame at the end."""
        self.detections.append(detections)
        self.digests.append(hashlib.sha256(jpeg).digest())

    def film_sha256(self, frames: int) -> str:
        """Return the hash of the first frames' hashes."""
        return hashlib.sha256(b"".join(self.digests[:frames])).hexdigest()


def save(reel: Reel, path: Path) -> None:
    """Write a reel; whoever reads meanwhile sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    counts = np.array([len(one) for one in reel.detections], np.int32)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as stream:
        np.savez_compressed(
            stream,
            form=np.array([_FORM, *reel.frame_size_px], np.int64),
            counts=counts,
            boxes_px=_joined([one.boxes_px for one in reel.detections], (0, 4), np.float32),
            confidence=_joined([one.confidence for one in reel.detections], (0,), np.float32),
            class_index=_joined([one.class_index for one in reel.detections], (0,), np.int64),
            digests=np.frombuffer(b"".join(reel.digests), np.uint8),
        )
    part.replace(path)


def load(path: Path, frame_size_px: tuple[int, int]) -> Reel:
    """Read a reel; an empty one when there is none or it is damaged, which is said.

    Args:
        path: of the file.
        frame_size_px: of the camera; a reel of another size is damaged.
    """
    if not path.exists():
        return Reel(frame_size_px)
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return _reel({name: stored[name] for name in stored.files}, frame_size_px)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        get_logger(worker="detection_cache").warning(
            "cache_damaged", file=path.name, reason=str(error)[:200], next_step="computed anew"
        )
        return Reel(frame_size_px)


def _reel(stored: dict[str, npt.NDArray[np.generic]], frame_size_px: tuple[int, int]) -> Reel:
    if stored["form"].tolist() != [_FORM, *frame_size_px]:
        raise ValueError(f"form {stored['form'].tolist()}, not {[_FORM, *frame_size_px]}")
    ends = np.cumsum(stored["counts"]).astype(int).tolist()
    starts = [0, *ends[:-1]]
    digests = stored["digests"].tobytes()
    if len(digests) != _DIGEST_BYTES * len(ends):
        raise ValueError(f"{len(digests)} bytes of hashes for {len(ends)} frames")
    if ends and ends[-1] != len(stored["boxes_px"]):
        raise ValueError(f"{len(stored['boxes_px'])} boxes, {ends[-1]} were counted")
    reel = Reel(frame_size_px)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        reel.detections.append(
            Detections(
                boxes_px=stored["boxes_px"][start:end].astype(np.float32),
                confidence=stored["confidence"][start:end].astype(np.float32),
                class_index=stored["class_index"][start:end].astype(np.int64),
                frame_size_px=frame_size_px,
            )
        )
        reel.digests.append(digests[number * _DIGEST_BYTES : (number + 1) * _DIGEST_BYTES])
    return reel


def _joined(
    parts: list[npt.NDArray[np.generic]], empty: tuple[int, ...], kind: type[np.generic]
) -> npt.NDArray[np.generic]:
    return np.concatenate([np.zeros(empty, kind), *parts])
