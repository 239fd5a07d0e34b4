"""The bad link: what it loses, doubles, delays and reorders."""

import pytest

from simulations.vehicle.lossy import MOST_UNDER_WAY, Losses, LossyMedium


def frames(n):
    return [f"frame {i:05d}".encode() for i in range(n)]


def ride(medium, n=2000, each_s=0.01, wait_s=10.0):
    """Send n frames, one each hundredth, and return (second, frame) as they come."""
    arrived = []
    for i, frame in enumerate(frames(n)):
        medium.carry(frame, i * each_s)
        arrived += [(i * each_s, f) for f in medium.due(i * each_s)]
    end_s = n * each_s + wait_s
    return arrived + [(end_s, f) for f in medium.due(end_s)]


def test_good_link_changes_nothing() -> None:
    """No losses: each frame at once, in order."""
    assert frames(100) == [f for _, f in ride(LossyMedium(seed=1), 100)]


def test_loss_has_the_share_it_is_given() -> None:
    """Five percent of 2000, counted; the rest is whole and in order."""
    medium = LossyMedium(seed=1, losses=Losses(lost=0.05))
    arrived = [f for _, f in ride(medium)]
    assert 2000 == len(arrived) + medium.carried.lost
    assert 60 < medium.carried.lost < 140
    assert sorted(arrived) == arrived


def test_doubles_arrive_twice() -> None:
    """And are counted."""
    medium = LossyMedium(seed=1, losses=Losses(doubled=0.1))
    arrived = ride(medium)
    assert 2000 + medium.carried.doubled == len(arrived)
    assert 140 < medium.carried.doubled < 260


def test_unequal_delays_change_the_order_unless_told() -> None:
    """Nothing is lost either way."""
    wild = [f for _, f in ride(LossyMedium(seed=1, losses=Losses(jitter_s=0.05)))]
    tame = [f for _, f in ride(LossyMedium(seed=1, losses=Losses(jitter_s=0.05, in_order=True)))]
    assert sorted(wild) == tame == frames(2000)
    assert wild != tame


def test_delay_is_kept() -> None:
    """No frame comes before its time."""
    medium = LossyMedium(seed=1, losses=Losses(delay_s=0.25))
    arrived = {f: s for s, f in ride(medium, 100)}
    assert all(arrived[f] >= i * 0.01 + 0.25 - 1e-9 for i, f in enumerate(frames(100)))


def test_lost_bytes_leave_stumps() -> None:
    """A UART loses bytes, not frames."""
    medium = LossyMedium(seed=1, losses=Losses(bytes_lost=0.02))
    short = [f for _, f in ride(medium) if len(f) < 11]
    assert medium.carried.cut == len(short)
    assert 250 < len(short) < 600


def test_same_seed_same_weather() -> None:
    """And another seed another one."""
    losses = Losses(lost=0.1, doubled=0.1, jitter_s=0.2)
    one, same, other = (ride(LossyMedium(seed=s, losses=losses)) for s in (7, 7, 8))
    assert one == same
    assert one != other


def test_queue_has_a_bound() -> None:
    """What no longer fits is lost and counted."""
    medium = LossyMedium(seed=1, losses=Losses(delay_s=1.0))
    for frame in frames(MOST_UNDER_WAY + 5):
        medium.carry(frame, 0.0)
    assert 5 == medium.carried.overflowed
    assert MOST_UNDER_WAY == len(medium.due(2.0))


@pytest.mark.parametrize(
    "wrong", [{"lost": 5.0}, {"doubled": -0.1}, {"delay_s": -1.0}, {"jitter_s": float("nan")}]
)
def test_weather_must_be_possible(wrong) -> None:
    """Shares are shares, delays go forward."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Losses(**wrong)
