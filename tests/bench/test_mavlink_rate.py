"""How fast the autopilot link is read, beside pymavlink's own parser in the same run."""

import time

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mav

from hardware.autopilot_mavlink.dialect import CRC_EXTRA
from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.frames import FrameReader
from hardware.autopilot_mavlink.links import Chunk
from hardware.autopilot_mavlink.tlog import records
from tests.unit.hardware.mavlink_kit import Line, clock_of

pytestmark = [pytest.mark.bench, pytest.mark.data]

CHUNK_FRAMES = 50
ROUNDS = 3


def batches_of(path):
    """Good frames of a recorded flight in batches as a socket gives them: (log seconds, bytes)."""
    reader = FrameReader(CRC_EXTRA)
    found = [
        (stamp_us / 1e6, frame.raw)
        for stamp_us, piece in records(path.read_bytes())
        for frame in reader.feed(piece)
    ]
    return len(found), [
        (found[at][0] - found[0][0], b"".join(raw for _, raw in found[at : at + CHUNK_FRAMES]))
        for at in range(0, len(found), CHUNK_FRAMES)
    ]


def bare(batches):
    """The library parses, and nobody looks at what it found."""
    parser = mav.MAVLink(None)
    parser.robust_parsing = True
    begin_s = time.perf_counter()
    count = sum(len(parser.parse_buffer(data) or ()) for _, data in batches)
    return count, time.perf_counter() - begin_s


def whole(batches):
    """Our driver: framing, checks, vehicles, clocks, samples."""
    clock = clock_of()
    line = Line(clock)
    driver = MavlinkAutopilot(
        lambda: line, MavlinkSettings(transmit=False), clock, pause=clock.advance
    )
    begin_s = time.perf_counter()
    samples = 0
    for t_s, data in batches:
        clock.advance(max(0.0, 1000.0 + t_s - clock.monotonic_s()))
        line.inbox.append(Chunk(clock.monotonic_s(), data))
        samples += len(driver.read(0.0))
    return driver.totals["frames"], samples, time.perf_counter() - begin_s


def test_reading_a_flight_is_faster_than_parsing_it_with_pymavlink(data_dir) -> None:
    """The whole way to samples costs less than the bare parse of the same bytes."""
    total, batches = batches_of(data_dir / "mavlink-logs" / "dronekit-flight.tlog")
    theirs_s = ours_s = float("inf")
    for _ in range(ROUNDS):
        count, took_s = bare(batches)
        assert total == count
        theirs_s = min(theirs_s, took_s)
        frames, samples, took_s = whole(batches)
        assert total == frames
        ours_s = min(ours_s, took_s)
    print(
        f"autopilot link: {total / ours_s:,.0f} messages/s to {samples} samples; "
        f"bare pymavlink parse: {total / theirs_s:,.0f} messages/s; ratio {theirs_s / ours_s:.2f}"
    )
    assert theirs_s / ours_s > 1.0
