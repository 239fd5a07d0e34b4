"""How many observations a second the decision core takes; figures are printed, ratios asserted."""

import platform
import time
from datetime import timedelta

import pytest

from tests.unit.ground_station.walks import decider, walk

TRACKS = 200
BATCH = 40
NEEDED_PER_S = 400
"""Track updates a second of forty cameras and eight drones."""


@pytest.mark.bench
def test_decider_observations_per_second(capsys):
    """Two hundred walkers at 2 Hz in commits of forty; printed with p50 and p99 of one commit."""
    core = decider()
    steps = [
        observed
        for k in range(TRACKS)
        for observed in walk(
            core.site, (-450 + 4.5 * k, 12 + k % 7), (0, -1.2), 25, number=k + 1, seed=k, ends=False
        )
    ]
    steps.sort(key=lambda o: o.t_event_utc)
    took_s = []
    cpu_s = time.process_time()
    for start in range(0, len(steps), BATCH):
        batch = steps[start : start + BATCH]
        begin = time.perf_counter()
        core.observe(batch, batch[-1].t_event_utc + timedelta(seconds=0.2))
        took_s.append(time.perf_counter() - begin)
    cpu_s = time.process_time() - cpu_s
    took_s.sort()
    rate = len(steps) / sum(took_s)
    with capsys.disabled():
        print(
            f"\n[bench] decider: {rate:.0f} observations/s ({rate / NEEDED_PER_S:.1f} x the need; "
            f"{len(steps) / cpu_s:.0f} per second of CPU), "
            f"commit of {BATCH}: p50 {1e3 * took_s[len(took_s) // 2]:.1f} ms, "
            f"p99 {1e3 * took_s[int(0.99 * len(took_s))]:.1f} ms; {platform.machine()}, "
            f"Python {platform.python_version()}"
        )
    assert len(steps) == core.counters.observations
    assert TRACKS == core.sizes()["targets"]
