"""What is said of a track: when, how often, and what a home keeps to itself."""

import pytest

from edge.limits import Map
from edge.located import Located
from edge.observe import Observer, ObserveRules
from tests.unit.edge.parts import bearing, features, place, track
from wire.values import GeoPoint

SENSOR = GeoPoint(lon_deg=104.45, lat_deg=10.42, alt_hae_m=8.0)
SIZE = (640, 480)


@pytest.fixture
def area() -> Map:
    return Map(features())


def observer(**rules) -> Observer:
    return Observer("cam-1", sensor_position=SENSOR, rules=ObserveRules(**rules))


def walk(watcher: Observer, area, steps):
    """Each step is (t_s, Located) with or without changes to the track; what was said of each."""
    said = []
    for t_s, located, *changes in steps:
        seen = track(t_s=t_s, **(changes[0] if changes else {}))
        words = watcher.frame([seen], [located], frame_size_px=SIZE, area=area)
        said.append([(w.observation.phase, w.observation.key) for w in words])
    return said


def test_first_word_is_new_and_key_then_updates_come_at_two_hertz(area):
    """Ten frames a second make two observations a second, and only the first is key."""
    steps = [(n / 10, place(north_m=50.0)) for n in range(21)]
    said = [words[0] for words in walk(observer(), area, steps) if words]
    assert [("new", True)] + [("update", False)] * 4 == said


def test_last_word_is_end_and_key_with_the_last_place(area):
    """It speaks of the moment the object was last seen, not of the moment it was given up."""
    watcher = observer()
    walk(watcher, area, [(0.0, place(north_m=50.0)), (0.1, place(north_m=51.0))])
    (end,) = watcher.end([track(t_s=3.0, seen=False)], frame_size_px=SIZE)
    assert ("end", True, 0.1) == (end.observation.phase, end.observation.key, end.t_event_s)
    assert place(north_m=51.0).position == end.observation.position
    assert (0, []) == (len(watcher), watcher.end([track(t_s=4.0)], frame_size_px=SIZE))


def test_coasting_track_says_nothing(area):
    """A guess about where somebody might be is no observation."""
    steps = [(0.0, place(north_m=50.0)), (1.0, place(north_m=51.0), {"seen": False})]
    assert [[("new", True)], []] == walk(observer(), area, steps)


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        # Over the line, well beyond all doubt (sigma 2.2 m with the line's): key.
        (place(north_m=20.0), place(north_m=-20.0), True),
        # Up to the line and into the doubt: not key.
        (place(north_m=20.0), place(north_m=-1.0), False),
        # Into a drawn zone: key.
        (place(north_m=180.0), place(north_m=220.0), True),
        # To the zone's edge: not key.
        (place(north_m=180.0), place(north_m=200.0), False),
        # Beyond the end of the line no side is given, and that is a change.
        (place(north_m=20.0), place(north_m=20.0, lon_deg=104.48), True),
        # Walking along inside one side: not key.
        (place(north_m=20.0), place(north_m=60.0), False),
    ],
)
def test_key_on_change_of_side_and_zone(area, before, after, key):
    """Only what the probability calls a change is one."""
    assert [("update", key)] == walk(observer(), area, [(0.0, before), (1.0, after)])[1]


def test_target_in_the_doubt_does_not_flicker(area):
    """Steps to and fro within the line's doubt keep the side that was taken."""
    steps = [(0.0, place(north_m=20.0))]
    steps += [(n, place(north_m=2.0 if n % 2 else -2.0)) for n in range(1, 12)]
    assert [[("update", False)]] * 11 == walk(observer(), area, steps)[1:]


def test_key_update_waits_for_its_half_second_and_stays_key(area):
    """Two hertz are never exceeded; the change is told with the next word."""
    steps = [(0.0, place(north_m=20.0)), (0.1, place(north_m=-20.0)), (0.6, place(north_m=-21.0))]
    assert [[("new", True)], [], [("update", True)]] == walk(observer(), area, steps)


def test_new_class_is_told_when_it_holds(area):
    """One frame that calls a person a boat changes nothing; a second of it is key."""
    here = place(north_m=50.0)
    boat = {"object_class": "Boat"}
    steps = [(0.0, here), (1.0, here, boat), (2.0, here), (3.0, here, boat), (4.1, here, boat)]
    assert [False, False, False, True] == [w[0][1] for w in walk(observer(), area, steps)[1:]]


def test_track_born_at_home_is_dropped_until_it_leaves(area):
    """Inside a home nothing is said or shown; outside it is like any other."""
    watcher = observer()
    steps = [(0.0, place(north_m=125.0)), (1.0, place(north_m=140.0)), (2.0, place(north_m=160.0))]
    assert [[], [], [("new", True)]] == walk(watcher, area, steps)
    assert 1 == watcher.ignored


def test_track_born_at_home_that_ends_there_leaves_no_word(area):
    """Not even an end."""
    watcher = observer()
    walk(watcher, area, [(0.0, place(north_m=125.0))])
    assert [] == watcher.end([track(t_s=1.0)], frame_size_px=SIZE)


def test_track_that_walks_into_a_home_keeps_its_positions_and_loses_its_picture(area):
    """Hiding in a home is no way out; but nobody is photographed there, nor afterwards."""
    watcher = observer()
    steps = [(0.0, place(north_m=80.0)), (1.0, place(north_m=125.0)), (2.0, place(north_m=80.0))]
    allowed = []
    for step in steps:
        (words,) = walk(watcher, area, [step])
        allowed.append((bool(words), watcher.crop_allowed(track().track_id)))
    assert [(True, True), (True, False), (True, False)] == allowed


def test_home_with_hours_is_never_ignored_by_the_node():
    """The node judges no schedules, and what it drops is gone: the station decides."""
    area = Map(features(home_schedule=[{"days": "1-7", "from": "05:00", "to": "21:00"}]))
    assert [[("new", True)]] == walk(observer(), area, [(0.0, place(north_m=125.0))])


@pytest.mark.parametrize(
    ("seen", "said", "crop"),
    [
        # The whole sector lies in the home: dropped.
        (bearing(azimuth_deg=0.0, near_m=110.0, far_m=140.0), False, False),
        # It reaches into the home: told, without a picture.
        (bearing(azimuth_deg=0.0, near_m=20.0, far_m=140.0), True, False),
        # It looks elsewhere: told, with a picture.
        (bearing(azimuth_deg=180.0, near_m=20.0, far_m=140.0), True, True),
    ],
)
def test_bearing_is_dropped_only_if_its_whole_sector_is_a_home(area, seen, said, crop):
    """A direction that may be a home loses its picture; one that must be is not spoken of."""
    watcher = observer()
    (words,) = walk(watcher, area, [(0.0, seen)])
    assert (said, crop) == (bool(words), watcher.crop_allowed(track().track_id))


def test_who_may_be_at_home_is_not_shown_as_long_as_that_may_be(area):
    """A drone's place is good to 15 m: 10 m inside the fence is no picture, far from it is one."""
    watcher, shown = observer(), []
    for t_s, north_m, sigma_m in ((0.0, 50.0, 1.0), (1.0, 110.0, 15.0), (2.0, 50.0, 1.0)):
        ((phase, _),) = walk(watcher, area, [(t_s, place(north_m=north_m, sigma_m=sigma_m))])[0]
        shown.append((phase, watcher.crop_allowed(track().track_id)))
    assert [("new", True), ("update", False), ("update", True)] == shown


@pytest.mark.parametrize(
    ("moves", "pictures"), [(True, [False, True, False]), (False, [True, True, True])]
)
def test_moving_camera_without_a_pose_shows_nobody(area, moves, pictures):
    """It may look into any home then; whoever it sees is told, and shown once the place is known."""
    watcher = Observer("cam-1", sensor_position=None, rules=ObserveRules(), moves=moves)
    lost = Located(reason="no position of vehicle 1 was heard")
    shown, told = [], []
    for t_s, located in ((0.0, lost), (1.0, place(north_m=50.0)), (2.0, lost)):
        words = watcher.frame([track(t_s=t_s)], [located], frame_size_px=SIZE, area=area)
        shown.append(watcher.crop_allowed(track().track_id))
        told += [word.observation.crop_allowed for word in words]
    assert (pictures, pictures) == (shown, told)


def test_without_a_map_everything_is_said():
    """A node that was never told its zones hides nothing and takes no sides."""
    assert [[("new", True)]] == walk(observer(), None, [(0.0, place(north_m=125.0))])


def test_memory_follows_the_tracks(area):
    """Ten thousand tracks that came and went leave nothing behind."""
    watcher = observer()
    for number in range(10_000):
        one = track(t_s=float(number), track_id=f"01HQVQZJ{number:018d}")
        watcher.frame([one], [place(north_m=50.0)], frame_size_px=SIZE, area=None)
        watcher.end([one], frame_size_px=SIZE)
    assert 0 == len(watcher)
