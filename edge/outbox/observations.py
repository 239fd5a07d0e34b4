"""The observations that wait in an outbox, read from outside, also while the node runs."""

import sqlite3
from pathlib import Path

from runtime.errors import AskOperator
from wire.messages import Observation

Row = tuple[float | None, Observation]


def waiting_observations(folder: Path) -> list[Row]:
    """Seconds since 1970 (None where no clock told) and observation, in the order they were put.

    What the station has receipted is gone from here, and an unsent plain update gives way to its
    track's newest: this is the whole story only of key observations that wait.

    Args:
        folder: The node's data folder.

    Raises:
        AskOperator: There is no outbox, or it cannot be read.
    """
    path = folder / "outbox.db"
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
        try:
            rows = db.execute(
                "SELECT t_event_ms, body FROM message WHERE kind = 'obs' ORDER BY row"
            ).fetchall()
        finally:
            db.close()
    except sqlite3.Error as error:
        raise AskOperator(
            field="--outbox",
            value=f"{folder}: {error}",
            allowed="the data folder of a node that has run",
            next_step="name the folder that holds outbox.db",
        ) from None
    return [
        (None if ms is None else ms / 1000.0, Observation.model_validate_json(body))
        for ms, body in rows
    ]
