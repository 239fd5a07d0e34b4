"""The metadata of a recorded film, each packet at its time in the film.

Three clocks meet here: the pictures' time stamps, the stamps of the metadata stream, and the
precision time inside the packets. The last one runs by itself: it drifts, and it has been seen
stamped with times of the coding order. So the packets' own spacing is kept, and tied to the film by
what the stamps say over half a minute; single bad stamps and slow drift both vanish in that.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from hardware.klv_st0601 import KlvMetadata
from hardware.klv_stream import KlvReader
from hardware.mpeg_ts import TsReader, VideoStamp
from runtime.errors import AskOperator

Array = npt.NDArray[np.float64]
Tie = Literal["synchronous", "asynchronous"]

_CHUNK_BYTES = 4 << 20
_MAX_PACKETS = 2_000_000
_KNOT_S = 5.0
_WINDOW_S = 15.0
_FAR_S = 1.0
"""A packet so far from the tie has a clock that jumped."""
_UNSTEADY_S = 0.2
_RUNAWAY_S_PER_MIN = 3.0
_DRIFT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KlvFilm:
    """Metadata of a film.

    Attributes:
        metadata: in order of the film.
        t_film_s: (n,) of each packet, counted as a decoder counts its pictures: from the stamp of
            the picture that comes first in the file, even where it cannot be decoded.
        tie: synchronous packets carry the film's time; asynchronous ones only came near a picture.
        jitter_s: one sigma of the stamps about the tie.
        drift_s_per_min: how fast the packets' clock runs away from the film's.
        counters: `packets`, refusals by reason, `jumped`, `went_back`, `undeclared`, and what the
            transport lost.
    """

    metadata: tuple[KlvMetadata, ...]
    t_film_s: Array = field(compare=False)
    tie: Tie
    jitter_s: float
    drift_s_per_min: float
    counters: Mapping[str, int]

    @property
    def refused(self) -> int:
        """Packets that were not believed."""
        return self.counters.get("refused", 0)


def read_klv_film(path: Path) -> KlvFilm:
    """The metadata of a transport stream in a file.

    Raises:
        AskOperator: the file cannot be read, is no transport stream, or carries no metadata.
    """
    reader, packets = TsReader(), KlvReader()
    stamps: list[float] = []
    found: list[tuple[KlvMetadata, float | None, float | None]] = []
    undeclared = 0
    try:
        with path.open("rb") as film:
            while chunk := film.read(_CHUNK_BYTES):
                for unit in reader.feed(chunk):
                    if isinstance(unit, VideoStamp):
                        stamps.append(unit.pts_s)
                        continue
                    undeclared += not unit.declared
                    reads = packets.feed(unit.data)
                    found.extend((read, unit.pts_s, unit.near_s) for read in reads)
                if len(found) > _MAX_PACKETS:
                    raise _unusable(path, f"more than {_MAX_PACKETS:,} packets", "cut the film")
    except OSError as error:
        raise _unusable(path, str(error.strerror), "correct the path") from None
    for unit in reader.finish():
        if isinstance(unit, VideoStamp):
            stamps.append(unit.pts_s)
        else:
            found.extend((read, unit.pts_s, unit.near_s) for read in packets.feed(unit.data))
    packets.finish()
    if not found:
        raise _unusable(path, *_why_nothing(reader, packets))
    return _tied(found, stamps, reader, packets, undeclared)


def _why_nothing(reader: TsReader, packets: KlvReader) -> tuple[str, str]:
    if reader.programme is None:
        return "no MPEG transport stream", "take the .ts that the drone wrote, not a converted film"
    if not reader.programme.metadata:
        return "a film without a metadata stream", "take the recording before it was converted"
    if packets.refused:
        return f"{packets.refused} packets, every one damaged", "take another copy of the recording"
    return "a metadata stream without ST 0601 packets", "this format is not read; say mount instead"


def _unusable(path: Path, value: str, next_step: str) -> AskOperator:
    return AskOperator(
        field=f"KLV telemetry of {path.name}",
        value=value,
        allowed="a transport stream (.ts, .mpg, .m2t) with MISB ST 0601 metadata",
        next_step=next_step,
    )


def _tied(
    found: list[tuple[KlvMetadata, float | None, float | None]],
    stamps: list[float],
    reader: TsReader,
    packets: KlvReader,
    undeclared: int,
) -> KlvFilm:
    counters = Counter(packets.counters)
    counters["refused"] = packets.refused
    counters["undeclared"] = undeclared
    for name in ("gaps", "sync_lost", "bad_units", "bad_tables"):
        counters[f"transport_{name}"] = reader.counters.get(name, 0)
    own = [pts_s for _, pts_s, _ in found if pts_s is not None]
    tie: Tie = "synchronous" if len(own) > len(found) / 2 else "asynchronous"
    kept: list[tuple[KlvMetadata, float]] = []
    for read, pts_s, near_s in found:
        stamp_s = pts_s if tie == "synchronous" else near_s
        if stamp_s is None:
            counters["without_stamp"] += 1
        elif kept and read.time_us <= kept[-1][0].time_us and tie == "asynchronous":
            counters["went_back"] += 1
        else:
            kept.append((read, stamp_s))
    zero_s = stamps[0] if stamps else (kept[0][1] if kept else 0.0)
    stamp = np.array([stamp_s for _, stamp_s in kept]) - zero_s
    clock = np.array([read.time_us - kept[0][0].time_us for read, _ in kept]) * 1e-6
    t_film, jitter_s, drift = tie_clocks(clock, stamp, trusted=tie == "synchronous")
    good = np.isfinite(t_film)
    good[1:] &= np.diff(np.maximum.accumulate(np.where(good, t_film, -np.inf))) > 0.0
    counters["jumped"] = int((~good).sum())
    return KlvFilm(
        metadata=tuple(read for (read, _), use in zip(kept, good.tolist(), strict=True) if use),
        t_film_s=t_film[good],
        tie=tie,
        jitter_s=jitter_s,
        drift_s_per_min=drift,
        counters=dict(counters),
    )


def tie_clocks(clock_s: Array, stamp_s: Array, *, trusted: bool) -> tuple[Array, float, float]:
    """Film times of packets, by their own clock tied to the stamps; nan where the clock jumped.

    Args:
        clock_s: (n,) precision times from the first packet.
        stamp_s: (n,) what the stream says, film time.
        trusted: the stamps are the film's own times: where the clock is unsteady or jumps they
            stand in for it.

    Returns:
        (n,) times, one sigma of the stamps about them, and the clock's drift in s per minute.
    """
    if len(clock_s) == 0:
        return np.empty(0), 0.0, 0.0
    offset = stamp_s - clock_s
    smooth = _running_median(stamp_s, offset)
    miss = np.abs(offset - smooth)
    jitter_s = 1.4826 * float(np.median(miss))
    near = miss <= _FAR_S
    drift = _drift_s_per_min(stamp_s, offset)
    runs = len(clock_s) < 2 or float(np.mean(np.diff(clock_s) > 0.0)) > 0.5
    if jitter_s > _UNSTEADY_S or not runs or abs(drift) > _RUNAWAY_S_PER_MIN:
        # Its clock tells nothing: the stamps alone do, as far as they are the film's own.
        return stamp_s.copy(), 0.0 if trusted else jitter_s, drift
    t_film = clock_s + smooth
    t_film[~near] = stamp_s[~near] if trusted else math.nan
    return t_film, jitter_s, drift


def _drift_s_per_min(stamp_s: Array, offset_s: Array) -> float:
    """How fast the offset shrinks, by the median over spans of ten seconds: jumps do not count."""
    later = np.searchsorted(stamp_s, stamp_s + _DRIFT_S)
    pairs = later < len(stamp_s)
    if not pairs.any() or np.any(np.diff(stamp_s) < 0.0):
        pairs, later = np.array([True]), np.array([len(stamp_s) - 1])
    first, last = np.flatnonzero(pairs), later[pairs]
    span_s = stamp_s[last] - stamp_s[first]
    if not np.all(span_s > 0.0):
        return 0.0
    return -60.0 * float(np.median((offset_s[last] - offset_s[first]) / span_s))


def _running_median(at_s: Array, values: Array) -> Array:
    """(n,) the median of the values within half a minute, straight between knots."""
    order = np.argsort(at_s, kind="stable")
    at, value = at_s[order], values[order]
    knots = np.arange(at[0], at[-1] + _KNOT_S, _KNOT_S)
    low = np.searchsorted(at, knots - _WINDOW_S)
    high = np.searchsorted(at, knots + _WINDOW_S, side="right")
    middle = [
        float(np.median(value[a:b])) if b > a else math.nan
        for a, b in zip(low.tolist(), high.tolist(), strict=True)
    ]
    known = np.isfinite(middle)
    return np.asarray(np.interp(at_s, knots[known], np.array(middle)[known]), np.float64)
