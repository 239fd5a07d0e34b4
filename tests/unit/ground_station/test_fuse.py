"""Targets: where things are, how sure that is, and which track continues which."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_station.decision import Counters
from ground_station.fuse import Fuser
from ground_station.measure import independent_part
from ground_station.rules import AppearedSettings, FuseSettings
from tests.unit.ground_station.walks import LAT, LON, lon_lat, seen, site, track, walk
from wire.values import Bearing, GeoPoint


class Fused:
    """A fuser and how to feed it."""

    def __init__(self, **settings):
        self.place = site()
        self.counters = Counters()
        self.core = Fuser(self.place, FuseSettings(**settings), self.counters, AppearedSettings())
        self.gone = []
        self.origin = np.array(self.place.enu(LON, LAT))

    def feed(self, observations):
        """Take them in, each at its own instant."""
        last = None
        for observed in observations:
            last = self.core.observe([observed], observed.t_event_utc.timestamp())
            self.gone += last.gone
        return last

    def at(self, target_id):
        """East and north of a target from the middle of the line."""
        return self.core.targets.get(target_id).state.mean[:2] - self.origin


def test_target_follows_a_walker_better_than_one_look():
    """Over sixty walks: nearer than one look, and the stated ellipse holds its share of truths."""
    errors, surprises, speeds = [], [], []
    for seed in range(60):
        fused = Fused()
        fused.feed(walk(fused.place, (0, 30), (1.0, -0.5), 10, sigma_m=0.5, seed=seed, ends=False))
        error = fused.at(track(1)) - [10, 25]
        cov = fused.core.targets.get(track(1)).state.position_cov_m2
        errors.append(float(error @ error))
        speeds.append(fused.core.targets.get(track(1)).state.mean[2:])
        surprises.append(float(error @ np.linalg.solve(cov, error)))
    assert np.mean(errors) < 0.8 * 2 * 0.5**2
    assert 0.80 <= np.mean(np.array(surprises) < 4.605) <= 1.0
    assert np.mean(speeds, axis=0) == pytest.approx([1.0, -0.5], abs=0.15)


@pytest.mark.parametrize("looks", [1, 2, 10, 200])
def test_shared_error_is_never_averaged_away(looks):
    """However often one camera looks, the reported doubt stays above what all looks share."""
    fused = Fused()
    fused.feed(
        [
            seen(fused.place, 0, 20, 0.5 * k, sigma_m=0.3, shared_m=2.0, phase="update")
            for k in range(looks)
        ]
    )
    cov = fused.core.targets.get(track(1)).state.position_cov_m2
    assert np.linalg.eigvalsh(cov - 4.0 * np.eye(2))[0] >= 0.0
    assert cov[0, 0] < 4.0 + 0.3**2 + 1e-9


def test_independent_part_has_a_floor_in_every_direction():
    """A total that equals its shared part still leaves room for being wrong."""
    total = np.array([[4.0, 1.0], [1.0, 1.0]])
    rest = independent_part(total, total, min_sigma_m=0.1)
    assert np.linalg.eigvalsh(rest) == pytest.approx([0.01, 0.01])


def test_jumped_position_starts_anew_without_its_past():
    """Three observations 300 m off are a jump: the target goes there, knowing that it jumped."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 30), (0, 0), 5, ends=False))
    fused.feed([seen(fused.place, 0, -270, 5.5)])
    assert np.linalg.norm(fused.at(track(1)) - [0, 30]) < 2.0
    fused.feed([seen(fused.place, 0, -270, 6.0), seen(fused.place, 0, -270, 6.5)])
    assert np.linalg.norm(fused.at(track(1)) - [0, -270]) < 2.0
    assert 1 == fused.core.targets.get(track(1)).state.jumps
    assert 1 == fused.counters.jumps


def test_one_wild_position_hardly_moves_a_target():
    """A foot hidden behind a bush for one frame is no walk of three metres."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 30), (0, 0), 10, sigma_m=0.3, ends=False))
    fused.feed([seen(fused.place, 0, 33, 10.5, sigma_m=0.3)])
    assert abs(fused.at(track(1))[1] - 30.0) < 1.2
    assert 1 == fused.counters.outliers


def test_same_track_id_again_is_the_same_target():
    """A repeat is counted and changes nothing."""
    fused = Fused()
    steps = walk(fused.place, (0, 30), (0, -1), 3)
    fused.feed(steps)
    before = fused.core.targets.get(track(1)).state
    assert not fused.feed(steps).targets
    assert before == fused.core.targets.get(track(1)).state
    assert len(steps) == fused.counters.duplicates
    assert 1 == len(fused.core.targets)


def test_too_old_is_ignored_and_counted():
    """Six seconds late is beyond the window, and says so."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 30), (0, -1), 12, ends=False))
    before = fused.core.targets.get(track(1)).state
    assert not fused.feed([seen(fused.place, 0, 28, 2.25)]).targets
    assert before is fused.core.targets.get(track(1)).state
    assert 1 == fused.counters.stale


def test_bearing_without_position_is_kept_and_not_placed():
    """What has no place is known to exist, and never guessed onto the map."""
    fused = Fused()
    update = fused.feed([seen(fused.place, 0, 0, 0.0, phase="new", position=False)])
    assert [None] == [target.state for target in update.targets.values()]
    assert 1 == fused.counters.without_position


def test_rebirth_after_an_end_continues_the_target():
    """The tracker lost it and found it again two seconds later, a little farther on."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 10), (0, -1), 6))
    fused.feed(walk(fused.place, (0, 2), (0, -1), 4, number=2, t0_s=8.0))
    assert 1 == len(fused.core.targets)
    assert track(1) == fused.core.targets.target_of(track(2))
    assert 1 == fused.counters.reborn


def test_switched_track_id_is_joined_once_the_old_one_is_silent():
    """A new id in the next frame is another object only as long as the old one still speaks."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 10), (0, -1), 6, ends=False))
    fused.feed(walk(fused.place, (0, 3.8), (0, -1), 1, number=2, t0_s=6.2, ends=False))
    assert 2 == len(fused.core.targets)
    update = fused.feed(walk(fused.place, (0, 2.3), (0, -1), 1, number=2, t0_s=7.7))
    assert 1 == len(fused.core.targets)
    assert track(1) == fused.core.targets.target_of(track(2))
    assert track(1) in update.targets
    assert track(2) in fused.gone


def test_two_people_side_by_side_stay_two():
    """Both go on speaking, so neither continues the other."""
    fused = Fused()
    one = walk(fused.place, (0, 10), (0, -1), 8, ends=False)
    two = walk(fused.place, (1, 8), (0, -1), 6, number=2, t0_s=2.0, ends=False)
    fused.feed(sorted(one + two, key=lambda o: o.t_event_utc))
    assert 2 == len(fused.core.targets)
    assert 0 == fused.counters.reborn


@pytest.mark.parametrize(
    ("gap_s", "away_m", "object_class"),
    [(9.0, 0.0, "Human"), (2.0, 9.0, "Human"), (2.0, 0.0, "Vehicle")],
)
def test_no_rebirth_too_late_too_far_or_as_another_thing(gap_s, away_m, object_class):
    """Time, place and class must fit."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 10), (0, 0), 6))
    fused.feed(
        [seen(fused.place, away_m, 10, 6 + gap_s, number=2, phase="new", object_class=object_class)]
    )
    assert track(2) == fused.core.targets.target_of(track(2))


def two_cameras(fused, start, velocity, seconds, *, number=1, t0_s=0.0, **more):
    """Two cameras see one walker, each a little wrong in its own way, a quarter of a second apart."""
    return [
        *walk(fused.place, start, velocity, seconds, number=number, t0_s=t0_s, seed=number, **more),
        *walk(
            fused.place, (start[0] + 0.4, start[1] - 0.3), velocity, seconds, number=number + 100,
            t0_s=t0_s + 0.25, seed=number + 50, sensor="cam-2", **more,
        ),
    ]  # fmt: skip


def in_order(observations):
    return sorted(observations, key=lambda o: o.t_event_utc)


def test_two_cameras_on_one_person_are_one_target():
    """Joined after a second of agreement; both tracks stand as what it was made of."""
    fused = Fused()
    fused.feed(
        in_order(two_cameras(fused, (0, 30), (0, -1), 8, sigma_m=0.3, shared_m=0.5, ends=False))
    )
    assert 1 == len(fused.core.targets)
    assert track(1) == fused.core.targets.target_of(track(101))
    assert [track(1), track(101)] == fused.core.targets.get(track(1)).tracks
    assert {"node-1/cam-1", "node-1/cam-2"} == set(fused.core.targets.get(track(1)).now_seeing)
    assert 1 == fused.counters.joined


def test_two_cameras_on_two_people_are_two_targets():
    """Two metres apart: each of one camera's goes with the right one of the other's."""
    fused = Fused()
    fused.feed(
        in_order(
            two_cameras(fused, (0, 30), (0, -1), 8, sigma_m=0.2, shared_m=0.4, ends=False)
            + two_cameras(
                fused, (2, 30), (0, -1), 8, number=2, sigma_m=0.2, shared_m=0.4, ends=False
            )
        )
    )
    assert 2 == len(fused.core.targets)
    assert track(1) == fused.core.targets.target_of(track(101))
    assert track(2) == fused.core.targets.target_of(track(102))


def test_other_camera_takes_over_after_a_gap():
    """One camera lost it, another sees it three seconds later, farther on: the same target."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 10), (0, -1), 6, ends=True))
    fused.feed(walk(fused.place, (0, 1), (0, -1), 6, number=2, t0_s=9.0, sensor="uav-1"))
    assert 1 == len(fused.core.targets)
    assert track(1) == fused.core.targets.target_of(track(2))


@pytest.mark.parametrize("leaves", [1, 101])
def test_what_a_person_took_apart_stays_apart(leaves):
    """The same two tracks are not joined again, however well they agree; whichever was pointed at."""
    fused = Fused()
    steps = in_order(two_cameras(fused, (0, 30), (0, -1), 16, shared_m=0.5, ends=False))
    fused.feed(steps[:32])
    assert fused.core.split(track(1), track(leaves))
    fused.feed(steps[32:])
    assert 2 == len(fused.core.targets)
    assert track(1) == fused.core.targets.target_of(track(1))
    assert track(101) == fused.core.targets.target_of(track(101))


def test_track_that_contradicts_the_other_camera_goes_its_own_way():
    """Joined while together; when one of them walks off, there are two people again."""
    fused = Fused()
    fused.feed(in_order(two_cameras(fused, (0, 30), (0, -1), 6, sigma_m=0.1, ends=False)))
    assert 1 == len(fused.core.targets)
    stays = walk(fused.place, (0, 24), (0, 0), 12, t0_s=6.5, sigma_m=0.1, ends=False)
    leaves = walk(
        fused.place, (3, 24), (2.0, 0), 12, number=101, t0_s=6.75, sigma_m=0.1, sensor="cam-2",
        ends=False,
    )  # fmt: skip
    fused.feed(in_order(stays + leaves))
    assert 2 == len(fused.core.targets)
    assert 1 == fused.counters.strayed
    assert track(101) == fused.core.targets.target_of(track(101))


def test_direction_without_a_place_still_moves_the_target():
    """The second camera gives only a bearing: it sharpens what it sees across, once they are one."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 30), (0, 0), 6, sigma_m=1.5, seed=3, ends=False))
    before = fused.core.targets.get(track(1)).state
    bare = seen(fused.place, 0, 30, 6.5, position=False)
    lon, lat = lon_lat(0, -70)
    body = bare.body.model_copy(
        update={
            "bearing": Bearing(azimuth_deg=0.0, sigma_deg=0.2, range_min_m=20.0, range_max_m=400.0),
            "sensor_position": GeoPoint(lon_deg=lon, lat_deg=lat, alt_hae_m=5.0),
        }
    )
    fused.feed([replace(bare, body=body)])
    after = fused.core.targets.get(track(1)).state
    assert after.t_s == before.t_s + 0.5
    assert after.cov[0, 0] < 0.6 * before.cov[0, 0]
    assert after.cov[1, 1] > before.cov[1, 1]
    assert abs(fused.at(track(1))[0]) < 0.6


def test_what_a_person_joined_is_one():
    """Two targets that the machine keeps apart are one by a person's word."""
    fused = Fused()
    one = walk(fused.place, (0, 30), (0, -1), 6, ends=False)
    two = walk(fused.place, (9, 30), (0, -1), 6, number=2, sensor="cam-2", ends=False)
    fused.feed(in_order(one + two))
    assert 2 == len(fused.core.targets)
    assert [track(2)] == fused.core.merge(track(1), track(2)).gone
    assert 1 == len(fused.core.targets)
    assert track(1) == fused.core.targets.target_of(track(2))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(min_value=0.0, max_value=2.0), min_size=120, max_size=120),
    st.lists(st.integers(min_value=1, max_value=12), min_size=10, max_size=10),
)
def test_any_order_of_arrival_leaves_the_same_targets(delays_s, sizes):
    """Two cameras, two people, one lost and found again: births, joins and beliefs."""
    fused, other = Fused(), Fused()
    steps = in_order(
        two_cameras(fused, (0, 30), (0, -1), 6, ends=True)
        + two_cameras(fused, (2, 30), (0, -1), 6, number=2, ends=False)
        + walk(fused.place, (0, 22), (0, -1), 5, number=3, t0_s=8.0, ends=False)
    )
    fused.feed(steps)
    mixed = sorted(
        zip(steps, delays_s, strict=False),
        key=lambda pair: pair[0].t_event_utc.timestamp() + pair[1],
    )
    place, count = 0, 0
    while place < len(mixed):
        size = sizes[count % len(sizes)]
        batch = [observed for observed, _ in mixed[place : place + size]]
        other.core.observe(batch, steps[-1].t_event_utc.timestamp())
        place, count = place + size, count + 1
    expected = {t.target_id: t for t in fused.core.targets}
    found = {t.target_id: t for t in other.core.targets}
    assert expected.keys() == found.keys()
    for name, target in expected.items():
        assert target.tracks == found[name].tracks
        # Rounding of the places depends on how many are converted at once.
        assert target.state.mean == pytest.approx(found[name].state.mean, abs=1e-9)
        assert target.state.cov == pytest.approx(found[name].state.cov, abs=1e-9)


def test_everything_twice_changes_nothing():
    """Each batch again: counted, and no belief, link or target is another."""
    once, twice = Fused(), Fused()
    steps = in_order(two_cameras(once, (0, 30), (0, -1), 8))
    once.feed(steps)
    for observed in steps:
        for _ in (1, 2):
            twice.core.observe([observed], observed.t_event_utc.timestamp())
    assert len(steps) == twice.counters.duplicates
    (expected,), (found,) = once.core.targets, twice.core.targets
    assert np.array_equal(expected.state.mean, found.state.mean)
    assert expected.tracks == found.tracks


def test_class_is_a_vote_not_the_last_word():
    """One frame that says Animal does not make a person an animal."""
    fused = Fused()
    fused.feed(walk(fused.place, (0, 10), (0, 0), 5, ends=False))
    fused.feed([seen(fused.place, 0, 10, 5.5, object_class="Animal")])
    assert "Human" == fused.core.targets.get(track(1)).object_class


def test_memory_is_flat_over_many_tracks():
    """Five thousand track ids leave no more than the bound, and links no more than their share."""
    fused = Fused(max_targets=32)
    for number in range(5000):
        fused.feed(
            [seen(fused.place, 3 * (number % 97), 40, 0.05 * number, number=number, phase="new")]
        )
        fused.core.targets.evicted()
    assert 32 == len(fused.core.targets)
    assert len(fused.core.targets.links) <= 4 * 32
    assert 5000 - 32 - fused.counters.reborn == fused.counters.targets_evicted


def test_one_track_for_ever_keeps_a_short_history():
    """An hour of one track holds the window, not the hour."""
    fused = Fused(max_journal=64)
    fused.feed([seen(fused.place, 0, 40, 0.5 * k) for k in range(1500)])
    target = fused.core.targets.get(track(1))
    assert len(target.states) <= 64
    assert fused.core.journal_size <= 64
    assert len(target.tail) <= 62


@pytest.mark.parametrize(("phase", "explained"), [("update", True), ("new", False)])
def test_known_track_in_the_middle_of_its_life_was_not_born_here(phase, explained):
    """After a restart its first word may be any; only a new one tells of a birth."""
    fused = Fused()
    fused.core.targets.adopt_links([(track(1), track(7))])
    fused.feed([seen(fused.place, 0, -3, 0.0, phase=phase)])
    assert explained == fused.core.targets.get(track(7)).birth.beside_other
