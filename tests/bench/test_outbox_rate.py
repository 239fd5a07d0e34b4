"""What the outbox can take and give, and that a long backlog does not keep live words waiting."""

import itertools
import os
import platform
import time
from datetime import datetime, timezone

import pytest

from edge.outbox import Item, Outbox
from runtime.clock import ManualClock
from wire.messages import Observation

START_UTC = datetime(2026, 3, 1, 2, 40, tzinfo=timezone.utc)
BACKLOG = 50_000
_numbers = itertools.count(1)


def observation(*, key: bool, clock: ManualClock) -> Item:
    number = next(_numbers)
    track = f"01HQVQZJ{number:018d}"
    return Item(
        id=f"01HQVQZK{number:018d}",
        kind="obs",
        parameter="cam-1",
        body=Observation(
            track_id=track,
            phase="update",
            key=key,
            sensor_id="cam-1",
            object_class="Human",
            confidence=0.9,
            box_px=(1.0, 2.0, 3.0, 4.0),
            frame_size_px=(640, 480),
            pixel_height_px=2.0,
        ),
        key=key,
        track_id=track,
        t_event_utc=clock.utc(),
        t_event_monotonic_s=clock.monotonic_s(),
    )


@pytest.mark.bench
@pytest.mark.slow
def test_backlog_drains_without_delaying_live_words(tmp_path, capsys):
    """Every live key word is in the first batch asked for, from a backlog of any length."""
    clock = ManualClock(START_UTC)
    outbox = Outbox(
        tmp_path,
        clock=clock,
        boot_id="bench",
        max_bytes=1_000_000_000,
        reserve_bytes=1_000_000,
    )
    start_s = time.perf_counter()
    for _ in range(BACKLOG // 50):
        outbox.put(*(observation(key=False, clock=clock) for _ in range(50)))
        clock.advance(1.0)
    plain_per_s = BACKLOG / (time.perf_counter() - start_s)
    start_s = time.perf_counter()
    for _ in range(300):
        outbox.put(observation(key=True, clock=clock))
    key_per_s = 300 / (time.perf_counter() - start_s)
    clock.advance(61.0)
    outbox.due(0)

    given, waited, asked = 0, 0, 0
    start_s = time.perf_counter()
    while outbox.depth:
        live = None
        if asked % 50 == 0:
            live = observation(key=True, clock=clock)
            outbox.put(live)
        batch = outbox.due(64, backlog_limit=48)
        asked += 1
        given += len(batch)
        waited += live is not None and live.id not in {due.id for due in batch}
        if batch:
            outbox.receipt(max(due.seq for due in batch))
        clock.advance(0.05)
    drained_per_s = given / (time.perf_counter() - start_s)
    outbox.close()
    with capsys.disabled():
        print(
            f"\noutbox on {platform.machine()}, {os.cpu_count()} cores: {plain_per_s:.0f} plain/s"
            f" and {key_per_s:.0f} key/s in, {drained_per_s:.0f}/s out of a backlog of {BACKLOG}"
        )
    assert 0 == waited
    assert given == BACKLOG + 300 + -(-asked // 50)
