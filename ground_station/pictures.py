"""Pictures as files named by their hash: written whole, or not at all."""

import base64
import binascii
import hashlib
import os
from pathlib import Path

from runtime.errors import RetryLater
from wire.messages import Crop

_JPEG_START, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


class BadPicture(ValueError):
    """A crop that is no JPEG, or not the one its hash names; `reason` is a stable word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def jpeg_of(crop: Crop) -> bytes:
    """The crop's bytes, checked.

    Raises:
        BadPicture: not base64, not a JPEG, or another hash.
    """
    try:
        data = base64.b64decode(crop.jpeg_base64, validate=True)
    except (binascii.Error, ValueError):
        raise BadPicture("bad_base64", "jpeg_base64 is not base64") from None
    if not data.startswith(_JPEG_START) or _JPEG_END not in data[-64:]:
        raise BadPicture("not_jpeg", "the picture is not a whole JPEG")
    found = hashlib.sha256(data).hexdigest()
    if found != crop.sha256:
        raise BadPicture("wrong_hash", f"sha256 is {crop.sha256}, the bytes give {found}")
    return data


class Pictures:
    """A folder of pictures.

    Args:
        folder: made when the first picture comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the picture with this hash lies or would lie."""
        return self._folder / sha256[:2] / f"{sha256}.jpg"

    def put(self, sha256: str, data: bytes) -> None:
        """Write a picture so that it is there whole after a power cut, or not at all.

        Raises:
            RetryLater: the disk does not take it now.
        """
        path = self.path(sha256)
        if path.exists():
            return
        try:
            self._write(path, data)
        except OSError as error:
            raise RetryLater(
                f"the picture {path} was not written ({error.strerror})", retry_after_s=1.0
            ) from error

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def remove(self, sha256: str) -> None:
        """Delete a picture; one that is gone already is fine."""
        self.path(sha256).unlink(missing_ok=True)
