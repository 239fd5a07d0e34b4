"""Quiet hours: people at work near the line, a tracker that loses them, and nothing to tell."""

import math
import random
from datetime import timedelta

import pytest

from tests.unit.ground_station.walks import START, decider, seen

pytestmark = pytest.mark.slow

HOURS = 1.5
PEOPLE = 2
STEP_S = 0.5
NOISE_M, MEMORY = 0.4, 0.7
"""Sigma of a position, and how much of its error lasts for half a second."""


class Farmer:
    """Walks from place to place on our side, rests, and is lost by the tracker once a minute."""

    def __init__(self, source):
        self._source = source
        self.east, self.north = self._somewhere()
        self._error = [0.0, 0.0]
        self._go()
        self._seen_for_s = source.expovariate(1 / 60)
        self._hidden_s = 0.0
        self.lives = 0

    def _somewhere(self):
        return self._source.uniform(-60, 60), self._source.uniform(-60, -6)

    def _go(self):
        self._goal = self._somewhere()
        self._speed = self._source.uniform(0.4, 1.4)
        self._rest_s = self._source.choice([0, 0, 20, 60])

    def step(self):
        """Half a second later: what the camera says, as (phase, place) or nothing."""
        self._walk()
        if self._hidden_s > 0:
            self._hidden_s -= STEP_S
            if self._hidden_s > 0:
                return None
            self._seen_for_s = self._source.expovariate(1 / 60)
            self.lives += 1
            return "new", self._place()
        self._seen_for_s -= STEP_S
        if self._seen_for_s <= 0:
            self._hidden_s = self._source.uniform(1, 10)
            return "end", None
        return "update", self._place()

    def _walk(self):
        gap = math.hypot(self._goal[0] - self.east, self._goal[1] - self.north)
        if gap > 1.0:
            self.east += (self._goal[0] - self.east) / gap * self._speed * STEP_S
            self.north += (self._goal[1] - self.north) / gap * self._speed * STEP_S
        elif self._rest_s > 0:
            self._rest_s -= STEP_S
        else:
            self._go()

    def _place(self):
        fresh = math.sqrt(1 - MEMORY**2) * NOISE_M
        self._error = [MEMORY * e + self._source.gauss(0, fresh) for e in self._error]
        return self.east + self._error[0], self.north + self._error[1]


def test_people_at_work_near_the_line_make_no_warning(capsys):
    """Two farmers, six metres from the line and more, each lost every minute; bound printed."""
    source = random.Random(7)
    core = decider()
    farmers = [Farmer(source) for _ in range(PEOPLE)]
    raised = []
    for k in range(int(HOURS * 3600 / STEP_S)):
        t_s = k * STEP_S
        batch = []
        for index, farmer in enumerate(farmers):
            said = farmer.step()
            if said is None:
                continue
            phase, place = said
            east, north = place or (farmer.east, farmer.north)
            batch.append(
                seen(
                    core.site, east, north, t_s, number=1000 * (index + 1) + farmer.lives,
                    sigma_m=NOISE_M, phase=phase, position=place is not None,
                )
            )  # fmt: skip
        at = START + timedelta(seconds=t_s + 0.2)
        done = core.observe(batch, at).join(core.tick(at))
        raised += [core.alert(act.alert_id) for act in done.acts if act.act == "raised"]
    days = HOURS / 24
    cautions = [view.rule for view in raised if view.level == "caution"]
    with capsys.disabled():
        print(
            f"\nquiet: {HOURS:g} modelled camera-hours, {PEOPLE} people, "
            f"{core.counters.observations} observations: 0 warnings allowed, "
            f"{sum(v.level == 'warning' for v in raised)} made (95 % bound {3 / days:.0f} a day from "
            f"this stretch alone), {len(cautions)} cautions"
        )
    assert [] == [view.sentence_en for view in raised if view.level == "warning"]
    assert {"approaching"} >= set(cautions)
    assert core.counters.reborn > 10
