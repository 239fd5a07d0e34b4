"""Nothing lost, nothing doubled: node, station and broker are killed while people cross on film."""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from tests.scenario import pets_road, real


class Witness:
    """Reads the node's queue on disk from outside and remembers every key observation it saw."""

    def __init__(self, outbox: Path) -> None:
        self._outbox = outbox
        self.key_ids: set[str] = set()
        self.waiting = 0

    def look(self) -> None:
        if not self._outbox.exists():
            return
        file = sqlite3.connect(f"file:{self._outbox}?mode=ro", uri=True, timeout=5)
        try:
            rows = file.execute("SELECT id, kind, rank FROM message").fetchall()
        except sqlite3.OperationalError:  # The schema is being written at this very moment.
            return
        finally:
            file.close()
        self.waiting = len(rows)
        self.key_ids.update(row[0] for row in rows if row[1] == "obs" and row[2] == 0)


def _stored(database: Path) -> list[tuple[str, int, bool]]:
    file = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return file.execute("SELECT id, seq, is_key FROM observations").fetchall()
    finally:
        file.close()


@pytest.mark.data
@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.timeout(420)
def test_every_key_observation_is_stored_exactly_once_after_each_part_was_killed(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kill -9 of node, station and broker in turn, on real film with the real network."""
    road = pets_road.lay(tmp_path, data_dir)
    node, station, broker, database = road.node, road.station, road.broker, road.database
    witness = Witness(road.outbox)

    def more_stored(than: int) -> bool:
        witness.look()
        return len(_stored(database)) > than

    try:
        road.start_station()
        node.start()
        real.wait_for("first observations", lambda: more_stored(15), 90)

        for victim in (node, station, broker):
            before = len(_stored(database))
            victim.kill()
            for _ in range(10):  # The others go on without it for a while.
                witness.look()
                real.time.sleep(0.1)
            victim.start()
            real.wait_for(
                f"observations after {victim.name} was killed",
                lambda n=before: more_stored(n + 10),
                90,
            )

        def done() -> bool:
            witness.look()
            return not node.running

        real.wait_for("the film's end, and a node with nothing left to say", done, 240, 0.05)
        assert node.wait(1) == 0, node.tail()
    except BaseException:
        print(road.last_words())
        raise
    finally:
        road.stop()

    stored = _stored(database)
    counted = Counter(row[0] for row in stored)
    keys = {row[0] for row in stored if row[2]}
    with capsys.disabled():
        print(
            f"\nkilled in turn: node, station, broker; observations stored {len(stored)}, key {len(keys)}, "
            f"key seen in the queue by the witness {len(witness.key_ids)}, "
            f"missing {len(witness.key_ids - keys)}, doubled {sum(n > 1 for n in counted.values())}"
        )
    assert len(witness.key_ids) >= 20
    assert witness.key_ids - keys == set()
    assert [n for n in counted.values() if n > 1] == []
    assert witness.waiting == 0
