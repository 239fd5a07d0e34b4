"""The tracker's rules of life."""

import numpy as np
import pytest

from edge.detect import Detections
from edge.track import Tracker, TrackSettings

SIZE = (640, 480)


class Ids:
    def __init__(self):
        self.count = 0

    def new(self):
        self.count += 1
        return f"T{self.count:03d}"


def boxes(*rows, size=SIZE):
    """Rows of (foot x, foot y, height, confidence[, class])."""
    table = np.array([(x, y, h, c, *(k or [0])) for x, y, h, c, *k in rows], np.float64)
    table = table.reshape(-1, 5)
    x, y, h = table[:, 0], table[:, 1], table[:, 2]
    half = h * 0.2
    return Detections(
        boxes_px=np.column_stack((x - half, y - h, x + half, y)).astype(np.float32),
        confidence=table[:, 3].astype(np.float32),
        class_index=table[:, 4].astype(np.int64),
        frame_size_px=size,
    )


def tracker(**changes):
    return Tracker(TrackSettings(**changes), Ids())


def walk(follow, frames, *, start=100.0, step=5.0, y=300.0, t0=0.0, dt=0.1, confidence=0.8):
    """A person of 100 px walking right; the last update."""
    update = None
    for k in range(frames):
        row = (start + step * k, y, 100.0, confidence)
        update = follow.update(boxes(row), t0 + k * dt)
    return update


def test_a_track_is_told_of_only_after_its_third_box():
    """Two boxes are a rumour, three are a track with one id."""
    follow = tracker()
    counts = [len(walk(follow, 1, start=100 + 5 * k, t0=0.1 * k).tracks) for k in range(4)]
    assert [0, 0, 1, 1] == counts


def test_one_walker_keeps_one_id_and_his_speed():
    """Filtered velocity comes to the true 50 px/s."""
    follow = tracker()
    track = walk(follow, 40).tracks[0]
    assert track.track_id == "T001"
    assert track.hits == 40
    assert 50.0 == pytest.approx(track.velocity_px_s[0], abs=1.0)
    assert 0.0 == pytest.approx(track.velocity_px_s[1], abs=1.0)


def test_weak_boxes_continue_a_track_but_begin_none():
    """The second stage: a half hidden person keeps the id; a weak ghost never gets one."""
    follow = tracker()
    walk(follow, 10)
    kept = walk(follow, 5, start=150, t0=1.0, confidence=0.15)
    assert ["T001"] == [track.track_id for track in kept.tracks]
    assert kept.tracks[0].seen
    assert walk(tracker(), 20, confidence=0.15).tracks == ()


def test_a_hidden_walker_keeps_his_id_through_a_second_without_boxes():
    """Lost tracks coast on their motion and are found again."""
    follow = tracker()
    walk(follow, 20)
    for k in range(20, 30):
        coasting = follow.update(boxes(), 0.1 * k)
    assert "lost" == coasting.tracks[0].state
    assert not coasting.tracks[0].seen
    found = walk(follow, 2, start=250, t0=3.0)
    assert ["T001"] == [track.track_id for track in found.tracks]
    assert "confirmed" == found.tracks[0].state


def test_a_track_ends_once_after_its_time():
    """After lost_s it is told as ended exactly once, then forgotten."""
    follow = tracker(lost_s=1.0)
    walk(follow, 10)
    ended = []
    for k in range(10, 60):
        ended += follow.update(boxes(), 0.1 * k).ended
    assert [("T001", "ended")] == [(track.track_id, track.state) for track in ended]
    assert 0 == len(follow)


def test_a_long_gap_ends_tracks_before_new_boxes_could_inherit_them():
    """A camera that comes back after a minute starts anew at the same place."""
    follow = tracker()
    walk(follow, 10, step=0.0)
    back = follow.update(boxes((100, 300, 100, 0.8)), 60.0)
    assert ["T001"] == [track.track_id for track in back.ended]
    later = walk(follow, 3, step=0.0, t0=60.1)
    assert ["T002"] == [track.track_id for track in later.tracks]


def test_uneven_frame_times_give_the_same_motion():
    """Prediction uses the real time between frames, not their number."""
    rng = np.random.default_rng(1)
    follow = tracker()
    t_s = 0.0
    for _ in range(60):
        t_s += float(rng.uniform(0.03, 0.4))
        update = follow.update(boxes((50 + 40 * t_s, 300, 100, 0.8)), t_s)
    assert 1 == follow._ids.count
    assert 40.0 == pytest.approx(update.tracks[0].velocity_px_s[0], abs=0.5)


def test_two_who_pass_each_other_keep_their_ids():
    """Crossing walkers, one hidden for some frames, are not swapped."""
    follow = tracker()
    last = None
    for k in range(60):
        right, left = (100 + 6 * k, 300, 100, 0.8), (460 - 6 * k, 310, 104, 0.85)
        hidden = abs(right[0] - left[0]) < 30
        last = follow.update(boxes(*([left] if hidden else [right, left])), 0.1 * k)
    by_id = {track.track_id: track.foot_px[0] for track in last.tracks}
    assert 2 == follow._ids.count
    assert 454.0 == pytest.approx(by_id["T001"], abs=4)
    assert 106.0 == pytest.approx(by_id["T002"], abs=4)


def test_the_class_is_what_most_boxes_said():
    """One frame that says Animal does not make a person an animal, nor a second track."""
    follow = tracker()
    for k in range(12):
        said = 3 if k in (4, 8) else 0
        update = follow.update(boxes((100 + 5 * k, 300, 100, 0.8, said)), 0.1 * k)
    assert ["Human"] == [track.object_class for track in update.tracks]


def test_a_cut_off_foot_is_said_to_be_hidden():
    """Feet below the picture: the foot is no measurement."""
    follow = tracker()
    for k in range(5):
        update = follow.update(boxes((100, 480, 100, 0.8)), 0.1 * k)
    assert not update.tracks[0].foot_visible


def test_a_half_hidden_body_does_not_pull_the_foot_up():
    """The lower half behind a wall for some frames moves the foot by little."""
    follow = tracker()
    walk(follow, 20)
    for k in range(20, 25):
        table = boxes((100 + 5 * k, 300, 100, 0.6))
        cut = table.boxes_px.copy()
        cut[:, 3] -= 45
        half = Detections(
            boxes_px=cut,
            confidence=table.confidence,
            class_index=table.class_index,
            frame_size_px=SIZE,
        )
        update = follow.update(half, 0.1 * k)
    assert ["T001"] == [track.track_id for track in update.tracks]
    assert 300.0 == pytest.approx(update.tracks[0].foot_px[1], abs=5.0)


def test_the_stated_foot_covariance_holds_the_truth():
    """With noise as the filter assumes, 90 % of the truths lie inside the 90 % ellipse, nearly."""
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(40):
        follow = tracker()
        for k in range(40):
            noise = rng.normal(0, 4.0, 2)
            row = (100 + 5 * k + noise[0], 300 + noise[1], 100.0, 0.8)
            update = follow.update(boxes(row), 0.1 * k)
        error = update.tracks[0].foot_px - (100 + 5 * 39, 300)
        inside.append(error @ np.linalg.inv(update.tracks[0].foot_cov_px2) @ error < 4.605)
    assert np.mean(inside) >= 0.85


def test_the_same_boxes_give_the_same_tracks():
    """No hidden randomness, no dependence on dict or set order."""

    def run():
        rng = np.random.default_rng(3)
        follow, told = tracker(), []
        for k in range(80):
            rows = [
                (x + 3 * k, 200 + 2 * x / 5, 80, 0.7)
                for x in range(40, 400, 60)
                if rng.random() > 0.2
            ]
            update = follow.update(boxes(*rows), 0.1 * k)
            told.append([(t.track_id, t.state, t.box_px) for t in update.tracks + update.ended])
        return told

    assert run() == run()


def test_memory_stays_bounded_under_a_storm_of_boxes():
    """Random boxes for many frames: never more than the bound, and the dropped are counted."""
    rng = np.random.default_rng(5)
    follow = tracker(max_tracks=32, confirm_hits=1)
    most = 0
    for k in range(200):
        rows = [(rng.uniform(0, 640), rng.uniform(60, 480), 40, 0.9) for _ in range(30)]
        follow.update(boxes(*rows), 0.1 * k)
        most = max(most, len(follow))
    assert 32 == most
    assert follow.dropped > 0


def test_finish_ends_every_told_track_and_no_rumour():
    """At the end of a film each confirmed track ends; the unconfirmed one was never told."""
    follow = tracker()
    for k in range(5):
        rows = [(100 + 5 * k, 300, 100, 0.8)] + ([(500, 300, 90, 0.8)] if k == 4 else [])
        follow.update(boxes(*rows), 0.1 * k)
    assert ["T001"] == [track.track_id for track in follow.finish(0.5)]
    assert 0 == len(follow)


def test_time_that_does_not_move_harms_nothing():
    """Two frames of one instant, or one that comes late, are taken as the same instant."""
    follow = tracker()
    walk(follow, 5)
    for t_s in (0.4, 0.4, 0.1):
        update = follow.update(boxes((120, 300, 100, 0.8)), t_s)
    assert np.isfinite(update.tracks[0].foot_px).all()
    assert 0.4 == update.tracks[0].t_s


def test_a_slow_camera_still_makes_tracks():
    """At two frames in three seconds a slow walker is one track from his third box on."""
    follow = tracker()
    told = [walk(follow, 1, start=100 + 8 * k, t0=1.5 * k).tracks for k in range(6)]
    assert [len(tracks) for tracks in told] == [0, 0, 1, 1, 1, 1]
    assert {tracks[0].track_id for tracks in told[2:]} == {"T001"}
