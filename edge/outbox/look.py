"""A look into the outbox from outside, also while the node runs; nothing is changed."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

from edge.outbox.journal import EPOCH
from runtime.errors import AskOperator
from wire.values import rfc3339_ms


def look(folder: Path) -> dict[str, Any]:
    """What waits, and what became of the rest.

    Args:
        folder: The node's data folder.

    Returns:
        `waiting`: rows of kind, messages, unsent, bytes; `oldest_utc`: of the oldest event that
        waits, None if nothing waits or no clock ever told; `counters`: by name.

    Raises:
        AskOperator: There is no outbox, or it cannot be read.
    """
    path = folder / "outbox.db"
    if not path.exists():
        raise AskOperator(
            field="node.data_dir",
            value=str(folder),
            allowed="the folder of a node that has run",
            next_step="run the node first, or correct node.data_dir",
        )
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)
        try:
            waiting = db.execute(
                "SELECT kind || CASE rank WHEN 0 THEN ' (key)' ELSE '' END, COUNT(*),"
                " SUM(seq IS NULL), SUM(bytes) FROM message GROUP BY 1 ORDER BY MIN(rank)"
            ).fetchall()
            (oldest_ms,) = db.execute("SELECT MIN(t_event_ms) FROM message").fetchone()
            counters = dict(db.execute("SELECT name, value FROM counter ORDER BY name"))
        finally:
            db.close()
    except sqlite3.Error as error:
        raise AskOperator(
            field=str(path),
            value=str(error),
            allowed="an outbox of this version",
            next_step="start the node: it keeps a broken file aside and says so",
        ) from None
    keys = ("kind", "messages", "unsent", "bytes")
    return {
        "waiting": [dict(zip(keys, row, strict=True)) for row in waiting],
        "oldest_utc": None
        if oldest_ms is None
        else rfc3339_ms(EPOCH + timedelta(milliseconds=oldest_ms)),
        "counters": counters,
    }
