"""One node at a time on a data folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.errors import AskOperator, RetryLater

LOCK_NAME = "lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the data folder for this process: two nodes on one outbox would number against each other.

    Raises:
        AskOperator: The folder cannot be written.
        RetryLater: Another node holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_NAME).open("ab")
    except OSError as error:
        raise AskOperator(
            field="node.data_dir",
            value=str(folder),
            allowed=f"a folder this user may write ({error.strerror})",
            next_step="make it, or choose another",
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RetryLater(
                f"another border-edge runs on {folder}: stop that one, or give this one its own"
                " node.data_dir",
                retry_after_s=5.0,
            ) from None
        yield


def is_taken(folder: Path) -> bool:
    """Whether a node runs on the folder; nothing is written, whoever asks.

    Raises:
        OSError: This user may not look.
    """
    try:
        lock = (folder / LOCK_NAME).open("rb")
    except FileNotFoundError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
