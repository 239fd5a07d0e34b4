"""The worker that forgets what is older than the station is told to remember."""

from datetime import datetime, timedelta

from ground_station.config import StoreSettings
from ground_station.pictures import Pictures
from ground_station.store import Store, StoreUnavailable, keeping
from ground_station.store.rows import chunks
from runtime.clock import Clock
from runtime.log import get_logger

EVERY_S = 600.0
AGAIN_S = 1.0
ANSWERS_KEPT_DAYS = 1.0


class KeeperWorker:
    """Deletes a piece at a time, and comes back sooner while there is more.

    Args:
        store: the database.
        pictures: the files.
        settings: how long everything is kept.
        clock: what is old.
    """

    name = "keeper"

    def __init__(
        self, *, store: Store, pictures: Pictures, settings: StoreSettings, clock: Clock
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._settings = settings
        self._clock = clock
        self._log = get_logger(worker=self.name)

    def step(self, now_s: float) -> float:  # noqa: ARG002  # ages are in UTC
        """Delete one piece of everything that is too old."""
        now_utc = self._clock.utc()
        settings = self._settings

        def ago(days: float) -> datetime:
            return now_utc - timedelta(days=days)

        try:
            with self._store.write() as tx:
                gone = keeping.forget_rows(
                    tx,
                    keeping.Cutoffs(
                        observations_utc=ago(settings.observations_keep_days),
                        media_utc=ago(settings.media_keep_days),
                        health_utc=ago(settings.health_keep_days),
                        answers_utc=ago(ANSWERS_KEPT_DAYS),
                        now_utc=now_utc,
                    ),
                )
            with self._store.read() as tx:
                pictures = keeping.pictures_to_forget(
                    tx,
                    older_than_utc=ago(settings.media_keep_days),
                    max_bytes=settings.media_max_bytes,
                )
            for piece in chunks(pictures):
                with self._store.write() as tx:
                    unused = keeping.forget_pictures(tx, [media_id for media_id, _ in piece])
                for sha256 in unused:
                    self._pictures.remove(sha256)
        except StoreUnavailable as error:
            self._log.warning("keeper_waits", reason=error.what)
            return EVERY_S
        if gone or pictures:
            self._log.info("forgotten", rows=gone, pictures=len(pictures))
        more = len(pictures) >= keeping.PIECE or any(n >= keeping.PIECE for n in gone.values())
        return AGAIN_S if more else EVERY_S

    def close(self) -> None:
        """Nothing is held."""
