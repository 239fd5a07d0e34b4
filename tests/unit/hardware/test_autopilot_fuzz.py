"""A million frames that no vehicle should send: no crash, no wrong position, no change by a broken one."""

import math
import random
import struct
from collections import Counter

import pytest

from hardware.autopilot_mavlink.dialect import CRC_EXTRA, LAYOUTS
from hardware.autopilot_mavlink.driver import MavlinkAutopilot, MavlinkSettings
from hardware.autopilot_mavlink.frames import FrameReader, with_checksum
from hardware.autopilot_mavlink.links import Chunk
from hardware.autopilot_mavlink.place import distance_m
from hardware.autopilot_mavlink.tlog import records
from hardware.ports import AttitudeSample, GimbalSample, PositionSample
from simulations.vehicle.making import Setup
from tests.unit.hardware.mavlink_kit import HOME, Heard, Line, World, clock_of

FRAMES = 500_000
"""Of each of the two flights."""
NEAR_M = 1000.0
"""Beyond what a craft does in the seconds between two good positions."""
SENDERS = (1, 2, 3, 42, 255)
EXTREMES = [
    struct.pack("<i", value)
    for value in (0, 1, -1, 2**31 - 1, -(2**31), 900_000_001, 1_800_000_001)
] + [struct.pack("<f", value) for value in (math.nan, math.inf, -math.inf, 1e38, 3.5, -0.0)]
IDS = sorted(LAYOUTS)


class Mutants:
    """Makes frames out of good ones, by a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kinds = Counter()
        self._makers = [
            self.same, self.late, self.flipped, self.cut, self.noise, self.absurd, self.absurd,
            self.invented, self.renamed,
        ]  # fmt: skip
        self._old = []

    def of(self, good):
        make = self._makers[int(self.random.random() * len(self._makers))]
        self.kinds[make.__name__] += 1
        return make(good)

    def same(self, good):
        if len(self._old) < 500:
            self._old.append(good)
        return good

    def late(self, good):
        return self.random.choice(self._old) if self._old else good

    def flipped(self, good):
        """One bit wrong: the checksum sees it, always."""
        broken = bytearray(good)
        broken[int(self.random.random() * len(broken))] ^= 1 << int(self.random.random() * 8)
        return bytes(broken)

    def cut(self, good):
        return good[: int(self.random.random() * len(good))]

    def noise(self, good):
        return self.random.randbytes(int(self.random.random() * 40))

    def absurd(self, good):
        """A good frame with extreme numbers in it, and a good checksum."""
        start = 10 if good[0] == 0xFD else 6
        broken = bytearray(good)
        for _ in range(1 + int(self.random.random() * 3)):
            at = start + 4 * int(self.random.random() * (broken[1] // 4 + 1))
            value = EXTREMES[int(self.random.random() * len(EXTREMES))]
            room = start + broken[1] - at
            if room > 0:
                broken[at : at + min(4, room)] = value[: min(4, room)]
        return self.closed(broken, start)

    def invented(self, good):
        """Any message that is read, of random numbers, by anybody."""
        message_id = IDS[int(self.random.random() * len(IDS))]
        payload = self.random.randbytes(LAYOUTS[message_id].size_bytes)
        sender = SENDERS[int(self.random.random() * len(SENDERS))]
        head = bytes((0xFD, len(payload), 0, 0, 7, sender, 1)) + message_id.to_bytes(3, "little")
        return with_checksum(head + payload, CRC_EXTRA[message_id])

    def renamed(self, good):
        """Said by another vehicle, or another component of this one."""
        broken = bytearray(good)
        at = 5 if good[0] == 0xFD else 3
        broken[at + int(self.random.random() * 2)] = int(self.random.random() * 256)
        return self.closed(broken, 10 if good[0] == 0xFD else 6)

    @staticmethod
    def closed(frame, start):
        message_id = int.from_bytes(frame[7:10], "little") if start == 10 else frame[5]
        return with_checksum(bytes(frame[: start + frame[1]]), CRC_EXTRA.get(message_id, 0))


def check(samples, where, last):
    """Nothing wrong among these: near the flight, numbers in range, one after the other."""
    for sample in samples:
        if isinstance(sample, PositionSample):
            assert distance_m(sample.lon_deg, sample.lat_deg, *where) < NEAR_M
            assert -500.0 <= sample.alt_msl_m <= 12_000.0
            assert sample.alt_hae_m is None or abs(sample.alt_hae_m - sample.alt_msl_m) <= 120.0
            assert (
                sample.velocity_enu_m_s is None or math.hypot(*sample.velocity_enu_m_s) <= 150.001
            )
            assert sample.cov_enu_m2[0, 0] > 0.0
            assert math.isfinite(sample.cov_enu_m2.sum())
            before = last.get(sample.vehicle)
            if before is not None and 0 <= sample.t_monotonic_s - before.t_monotonic_s < 10.0:
                step_m = distance_m(before.lon_deg, before.lat_deg, sample.lon_deg, sample.lat_deg)
                assert step_m <= 30.0 + 100.0 * (sample.t_monotonic_s - before.t_monotonic_s) + 1e-6
            last[sample.vehicle] = sample
        elif isinstance(sample, AttitudeSample):
            length = math.sqrt(sum(part * part for part in sample.quaternion_enu_from_body))
            assert 1.0 == pytest.approx(length, abs=1e-5)
            assert sample.rate_body_rad_s is None or all(map(math.isfinite, sample.rate_body_rad_s))
        else:
            assert isinstance(sample, GimbalSample)
            length = math.sqrt(sum(part * part for part in sample.quaternion_frame_from_gimbal))
            assert 1.0 == pytest.approx(length, abs=1e-5)


def play(good, where, seed, frames=FRAMES):
    """Feed good frames at their times with mutants round each; (driver, mutants, samples by kind)."""
    clock = clock_of()
    line = Line(clock)
    driver = MavlinkAutopilot(lambda: line, MavlinkSettings(), clock, pause=clock.advance)
    mutants, last, seen = Mutants(seed), {}, Counter()
    each = -(-frames // len(good))
    begin_s = good[0][0]
    batch, made = [], 0
    for number, (t_s, frame) in enumerate(good):
        batch += [mutants.of(frame) for _ in range(each)]
        batch.append(frame)
        made += each
        if number % 8 == 7:
            clock.advance(max(0.0, 1000.0 + t_s - begin_s - clock.monotonic_s()))
            line.inbox.append(Chunk(clock.monotonic_s(), b"".join(batch)))
            samples = driver.read(0.0)
            check(samples, where, last)
            seen.update(type(sample).__name__ for sample in samples)
            for state in driver.vehicles():
                if state.lon_deg is not None:
                    assert distance_m(state.lon_deg, state.lat_deg, *where) < NEAR_M
            batch = []
            line.sent.clear()
    print(f"{made} mutants {dict(mutants.kinds)}; out {dict(seen)}; {driver.totals}")
    return driver, made, seen


def simulated_flight():
    """Five minutes of a copter's link: boot, then standing ready."""
    world = World(Setup(home=HOME), delay_s=0.0)
    driver = MavlinkAutopilot(
        world.connect, MavlinkSettings(), world.clock, pause=world.clock.advance
    )
    kept = []
    take = world.arrived

    def keep(link):
        found = take(link)
        kept.extend((chunk.t_s, chunk.data) for chunk in found)
        return found

    world.arrived = keep
    while world.clock.monotonic_s() < 1300.0:
        driver.read(0.5)
    return kept


@pytest.mark.slow
def test_half_a_million_mutants_of_a_simulated_flight() -> None:
    """Nothing wrong comes out, and the good frames between them still tell where the copter is."""
    good = simulated_flight()
    driver, made, seen = play(good, (HOME.lon_deg, HOME.lat_deg), seed=1)
    assert made >= FRAMES
    # 32 false frames stand round every true one, some with its very stamp.
    assert seen["PositionSample"] > 30
    assert seen["AttitudeSample"] > 2000
    assert len(driver.vehicles()) <= 16


@pytest.mark.slow
@pytest.mark.data
def test_half_a_million_mutants_of_a_real_flight(data_dir) -> None:
    """Of a radio link with losses of its own, MAVLink 1."""
    data = (data_dir / "mavlink-logs" / "dronekit-flight.tlog").read_bytes()
    reader = FrameReader(CRC_EXTRA)
    good = [
        (stamp_us / 1e6, frame)
        for stamp_us, frame in records(data)
        if any(found.message_id in LAYOUTS for found in reader.feed(frame))
    ]
    driver, made, seen = play(good, (149.1657, -35.3623), seed=2)
    assert made >= FRAMES
    assert seen["PositionSample"] > 300
    assert len(driver.vehicles()) <= 16


@pytest.mark.slow
def test_broken_frames_change_nothing_at_all() -> None:
    """50,000 frames with a wrong bit between two looks: the same state to the last digit."""
    heard = Heard()
    heard.settle()
    heard.copter.gps()
    heard.copter.ekf()
    heard.copter.attitude()
    heard.read(0.0)
    before = heard.driver.vehicles()
    good = [frame for _, frame in simulated_flight()[:2000]]
    mutants = Mutants(3)
    fed = 0
    while fed < 50_000:
        broken = [mutants.flipped(frame) for frame in good]
        heard.copter.bytes(b"".join(broken))
        assert [] == heard.read(0.0)
        fed += len(broken)
    assert before == heard.driver.vehicles()
    assert heard.driver.totals["bad_checksum"] > 40_000
