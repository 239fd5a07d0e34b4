"""A rendered drone flight with known truth, as a transport stream with KLV and as .mp4 with .SRT."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from geo.frames import EnuFrame, GeodeticPoint
from geo.lens import Lens, rotation_enu_from_camera
from tests import klv_kit, ts_kit

RATE_HZ, SECONDS = 25.0, 10
SITE = EnuFrame(GeodeticPoint(lon_deg=104.44, lat_deg=10.42, alt_hae_m=0.0))
MARK_M = np.array([35.0, 40.0, 0.0])
WIDE, NARROW = 50.0, 30.0
SIZE = (640, 360)
CUE = (
    "{n}\n00:00:{a:06.3f} --> 00:00:{b:06.3f}\nFrameCnt: {n}, DiffTime: 40ms\n"
    "[latitude: {lat:.7f}] [longitude: {lon:.7f}] [rel_alt: {alt:.3f} abs_alt: 9.0] "
    "[gb_yaw: {yaw:.3f} gb_pitch: {pitch:.3f} gb_roll: 0.0]\n\n"
)


def truth(t_s: float) -> tuple[npt.NDArray[np.float64], float, float, float]:
    """Place in the site's ENU, azimuth, pitch and field of view: 5 m/s, up to 8 degrees a second."""
    place = np.array([5.0 * t_s - 10.0, 3.0 * np.sin(t_s), 60.0 + 0.5 * t_s])
    to_mark = MARK_M - place
    azimuth_deg = float(np.degrees(np.arctan2(to_mark[0], to_mark[1])))
    pitch_deg = float(np.degrees(np.arctan2(to_mark[2], np.hypot(*to_mark[:2]))))
    azimuth_deg += 5.0 * np.sin(1.6 * t_s)
    pitch_deg += 3.0 * np.cos(1.3 * t_s)
    return place, azimuth_deg % 360.0, pitch_deg, WIDE if t_s < 5.0 else NARROW


def frames(*, zoom: bool) -> Iterator[npt.NDArray[np.uint8]]:
    """What the drone films: grey ground and one white mark."""
    for n in range(int(RATE_HZ * SECONDS)):
        place, azimuth_deg, pitch_deg, hfov_deg = truth(n / RATE_HZ)
        lens = Lens.from_hfov(hfov_deg if zoom else WIDE, *SIZE)
        ray = (MARK_M - place) @ rotation_enu_from_camera(azimuth_deg, pitch_deg, 0.0)
        x_px, y_px = lens.project(ray[None])[0]
        frame = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
        cv2.circle(
            frame, (round(x_px * 16), round(y_px * 16)), 16 * 7, (255,) * 3, -1, cv2.LINE_AA, 4
        )
        yield frame


def klv_film(folder: Path, *, kind: ts_kit.Kind, drift: float, code: str = "mp4v") -> Path:
    """A transport stream, its metadata at 10 Hz with a clock that runs away."""
    plain = ts_kit.write_film(folder / "plain.ts", frames(zoom=True), RATE_HZ, code=code)
    packets = []
    for n in range(10 * SECONDS + 1):
        t_s = 0.1 * n
        place, azimuth_deg, pitch_deg, hfov_deg = truth(t_s)
        at = SITE.point_to_geodetic(place)
        values = {
            13: at.lat_deg, 14: at.lon_deg, 75: at.alt_hae_m, 16: hfov_deg,
            5: 200.0, 90: 0.0, 91: 0.0, 18: (azimuth_deg - 200.0) % 360.0, 19: pitch_deg,
        }  # fmt: skip
        time_us = 1_700_000_000_000_000 + round(t_s * (1.0 + drift) * 1e6)
        packets.append((t_s, klv_kit.packet(time_us, values)))
    path = folder / "flight.ts"
    path.write_bytes(ts_kit.with_klv(plain, packets, kind))
    return path


def srt_film(folder: Path) -> Path:
    """An ordinary .mp4 with an .SRT beside it."""
    path = folder / "DJI_0001.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE_HZ, SIZE)
    assert writer.isOpened()
    cues = []
    for n, frame in enumerate(frames(zoom=False)):
        writer.write(frame)
        place, azimuth_deg, pitch_deg, _ = truth(n / RATE_HZ)
        at = SITE.point_to_geodetic(place)
        cues.append(
            CUE.format(
                n=n + 1, a=n / RATE_HZ, b=(n + 1) / RATE_HZ, lat=at.lat_deg, lon=at.lon_deg,
                alt=at.alt_hae_m, yaw=azimuth_deg, pitch=pitch_deg,
            )
        )  # fmt: skip
    writer.release()
    (folder / "DJI_0001.SRT").write_text("".join(cues))
    return path


def mark_px(image_bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """(2,) the middle of the mark in a picture, as a lens counts pixels; nan where it is not."""
    bright = cv2.threshold(image_bgr[:, :, 1], 150, 255, cv2.THRESH_BINARY)[1]
    area = cv2.moments(bright, binaryImage=True)
    if area["m00"] < 20:
        return np.full(2, np.nan)
    return np.array([area["m10"], area["m01"]]) / area["m00"]
