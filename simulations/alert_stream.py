"""Listens to a station as a page does: its server-sent events, with the instant each was heard."""

import http.client
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from runtime.clock import Clock
from runtime.log import Repeated, get_logger

_TIMEOUT_S = 5.0
_AGAIN_S = 0.5
_KEPT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One event of the station."""

    t_utc: datetime
    name: str
    data: str


class EventStream:
    """A worker that keeps the stream open and every event until it is taken.

    Bound: 20 000 events; the oldest go, counted. After a broken line it goes on from the last id.

    Args:
        host: of the station.
        port: of its page.
        cookie: of a session.
        clock: stamps what is heard.
    """

    name = "event-stream"

    def __init__(self, *, host: str, port: int, cookie: str, clock: Clock) -> None:
        self._address = (host, port)
        self._cookie = cookie
        self._clock = clock
        self._line: http.client.HTTPConnection | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._last_id = ""
        self._event = ""
        self._lock = threading.Lock()
        self._kept: deque[Heard] = deque(maxlen=_KEPT)
        self.dropped = 0
        self._lost = Repeated(get_logger(worker=self.name), "stream_lost")

    def open(self) -> None:
        """Connect now, so that nothing that happens from here on is missed.

        Raises:
            OSError: the station does not answer.
        """
        line = http.client.HTTPConnection(*self._address, timeout=_TIMEOUT_S)
        headers = {"Cookie": self._cookie}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        line.request("GET", "/api/v1/events", headers=headers)
        answer = line.getresponse()
        if answer.status != http.client.OK:
            line.close()
            raise ConnectionError(f"the station answered {answer.status} to the event stream")
        self._line, self._answer = line, answer
        self._lost.over()

    def step(self, now_s: float) -> float:
        """Read one line of the stream."""
        del now_s
        try:
            if self._answer is None:
                self.open()
            assert self._answer is not None
            raw = self._answer.readline()
            if not raw:
                raise ConnectionError("the station ended the stream")
            text = raw.decode().strip()
        except (OSError, http.client.HTTPException) as error:
            self._shut()
            self._lost.fault(reason=str(error))
            return _AGAIN_S
        field, _, value = text.partition(": ")
        if field == "id":
            self._last_id = value
        elif field == "event":
            self._event = value
        elif field == "data":
            self._keep(Heard(t_utc=self._clock.utc(), name=self._event, data=value))
        return 0.0

    def take(self) -> list[Heard]:
        """What was heard since the last call."""
        with self._lock:
            found = list(self._kept)
            self._kept.clear()
        return found

    def close(self) -> None:
        """Hang up."""
        self._shut()

    def _keep(self, one: Heard) -> None:
        with self._lock:
            self.dropped += len(self._kept) == _KEPT
            self._kept.append(one)

    def _shut(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = self._answer = None
