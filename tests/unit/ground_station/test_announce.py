"""What the station says: of each topic the newest word is the last one."""

import random
import threading

import pytest

from ground_station.announce import Announcer
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from tests.unit.ground_station.walks import START, decider, run, walk


class Broker:
    """Takes everything; `during` is called once, while the first message is being handed over."""

    connected = True
    connections = 0

    def __init__(self):
        self.taken = []
        self.accepts = True
        self.during = None

    def publish(self, message):
        if not self.accepts:
            return False
        during, self.during = self.during, None
        if during is not None:
            during()
        self.taken.append(message)
        return True


@pytest.fixture
def broker():
    return Broker()


@pytest.fixture
def announcer(broker):
    clock = ManualClock(START)
    return Announcer(
        site_id="site-1",
        transport=broker,
        clock=clock,
        ids=UlidSource(clock, random.Random(1)),
        session=f"01KAXW{0:020d}",
        zones=None,
        simulated=True,
    )


def test_removal_of_a_closed_alert_is_its_last_word(announcer, broker):
    """Another thread closes the second alert while the first one is being published."""
    core = decider()
    raised = run(core, walk(core.site, (0, 12), (0, -1.2), 20)).alerts[-1]
    first, second = (
        raised.model_copy(update={"alert_id": f"01KAXW{number:020d}"}) for number in (1, 2)
    )
    closed = second.model_copy(update={"state": "closed"})
    closing = threading.Thread(target=announcer.alerts, args=([closed],))

    def close_meanwhile():
        closing.start()
        # It may have to wait for this round; it must not wait for ever.
        closing.join(0.2)

    broker.accepts = False
    announcer.alerts([first, second])
    broker.accepts, broker.during = True, close_meanwhile
    announcer.step()
    closing.join(20)
    said = {message.topic: message.payload for message in broker.taken}
    assert [False, True] == [payload == b"" for _, payload in sorted(said.items())]
