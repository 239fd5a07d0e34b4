"""The node's own position from a gpsd over TCP: watched, never polled, and never waited for."""

import ipaddress
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from hardware.ports import Fix
from hardware.position_gpsd.judge import Geoid, Judge, Rules
from hardware.position_gpsd.lines import Lines
from hardware.position_gpsd.reports import (
    Att,
    Gst,
    RefusedLine,
    Report,
    Sky,
    TimeOffset,
    Tpv,
    Word,
    parse,
)
from hardware.position_gpsd.stream import ByteStream, Connect, tcp
from hardware.position_gpsd.time_offset import ClockWitness
from runtime.clock import Clock, ErrorBounds
from runtime.log import Repeated, get_logger

_WATCH = b'?WATCH={"enable":true,"json":true,"pps":true};\n'
_ASK = b"?VERSION;\n"
_MOST_BYTES_A_READ = 256 * 1024
_SAY_EVERY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GpsdSource:
    """Where gpsd is, and how long to wait for it.

    Attributes:
        host: an address in figures, or `localhost`.
        device: path of the receiver to listen to; empty takes the first, and another one when that
            has had no fix for `stale_after_s`.
        answer_within_s: longest wait for a connection and for its first word.
        quiet_after_s: after so long without a report gpsd is asked whether it lives.
        backoff_first_s: pause before the second attempt to connect; doubles up to backoff_max_s.
    """

    host: str = "127.0.0.1"
    port: int = 2947
    device: str = ""
    answer_within_s: float = 5.0
    quiet_after_s: float = 10.0
    backoff_first_s: float = 1.0
    backoff_max_s: float = 30.0
    rules: Rules = field(default_factory=Rules)

    @property
    def on_this_machine(self) -> bool:
        """Whether gpsd's clock is ours."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback


class GpsdPosition:
    """See `hardware.ports.PositionPort`.

    Args:
        source: where gpsd is.
        clock: for time-outs, and the one that gpsd may tell about.
        connect: makes the connection; TCP if not given.
        geoid: see `Judge`.
    """

    def __init__(
        self,
        source: GpsdSource,
        clock: Clock,
        *,
        connect: Connect | None = None,
        geoid: Geoid | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._connect = connect or tcp(source.host, source.port)
        self._geoid = geoid
        self._lock = threading.Lock()
        self._judge = Judge(source.rules, geoid=geoid)
        self._chosen = source.device
        self._chosen_fix_s = clock.monotonic_s()
        self._attitude: tuple[float, Att] | None = None
        self._witness = ClockWitness()
        self._stream: ByteStream | None = None
        self._lines = Lines()
        self._opened_s = self._report_s = clock.monotonic_s()
        self._asked = False
        self._heard = False
        self._retry_s = clock.monotonic_s()
        self._backoff_s = source.backoff_first_s
        self._counts: Counter[str] = Counter()
        self._release = ""
        self._devices: tuple[str, ...] = ()
        self._said: tuple[str, float] = ("none", clock.monotonic_s())
        self._log = get_logger(worker="position")
        self._fault = Repeated(self._log, "gpsd_lost")
        self._complaint = Repeated(self._log, "gpsd_error")

    # --- what others ask --------------------------------------------------------------------------
    def latest(self) -> Fix:
        """See `PositionPort`."""
        with self._lock:
            return self._judge.latest(self._clock.monotonic_s())

    def attitude(self) -> Att | None:
        """What a compass on this gpsd said within the time that a fix stays fresh."""
        with self._lock:
            if self._attitude is None:
                return None
            age_s = self._clock.monotonic_s() - self._attitude[0]
            return self._attitude[1] if age_s <= self._source.rules.stale_after_s else None

    def clock_error(self) -> ErrorBounds | None:
        """How wrong this machine's UTC is by the receiver's time; None when that is not known."""
        with self._lock:
            return self._witness.bounds(
                now_s=self._clock.monotonic_s(), utc_s=self._clock.utc().timestamp()
            )

    @property
    def counters(self) -> Mapping[str, int]:
        """What was refused or lost so far, by reason."""
        with self._lock:
            found = dict(self._counts)
            more = {
                "gpsd_line_too_long": self._lines.too_long,
                "gpsd_jumps": self._judge.jump.jumps,
                "gpsd_fixes_not_believed": self._judge.fixes_not_believed,
            }
        for name, count in more.items():
            found[name] = found.get(name, 0) + count
        return {name: count for name, count in found.items() if count}

    @property
    def release(self) -> str:
        """Which gpsd answered; empty before it did."""
        return self._release

    @property
    def devices(self) -> tuple[str, ...]:
        """Paths of the receivers that gpsd listed last."""
        return self._devices

    # --- the worker's side ------------------------------------------------------------------------
    def read(self, timeout_s: float) -> float:
        """See `PositionPort`."""
        end_s = self._clock.monotonic_s() + timeout_s
        taken = 0
        while True:
            now_s = self._clock.monotonic_s()
            stream = self._opened(now_s)
            if stream is None:
                return max(0.0, self._retry_s - now_s)
            try:
                data = stream.receive(max(0.0, end_s - now_s))
            except OSError as error:
                self._lost(error.strerror or str(error), "gpsd_connection_failed")
                continue
            if data is None:
                self._look_whether_alive(stream)
                return 0.0
            if not data:
                self._lost("it closed the connection", "gpsd_connection_closed")
                continue
            self._take(data)
            taken += len(data)
            self._look_whether_alive(stream)
            if taken >= _MOST_BYTES_A_READ or self._clock.monotonic_s() >= end_s:
                return 0.0

    def close(self) -> None:
        """See `PositionPort`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    # --- the connection ---------------------------------------------------------------------------
    def _opened(self, now_s: float) -> ByteStream | None:
        if self._stream is not None:
            return self._stream
        if now_s < self._retry_s:
            return None
        stream = None
        try:
            stream = self._connect()
            stream.send(_WATCH)
        except OSError as error:
            if stream is not None:
                stream.close()
            self._lost(error.strerror or str(error), "gpsd_connection_failed")
            return None
        self._stream = stream
        with self._lock:
            self._counts["gpsd_line_too_long"] += self._lines.too_long
            self._lines = Lines()
        self._opened_s = self._report_s = now_s
        self._asked = self._heard = False
        return stream

    def _lost(self, why: str, reason: str) -> None:
        self.close()
        with self._lock:
            self._counts[reason] += 1
        where = f"{self._source.host}:{self._source.port}"
        self._fault.fault(why=why, gpsd=where, retry_s=self._backoff_s)
        self._retry_s = self._clock.monotonic_s() + self._backoff_s
        self._backoff_s = min(self._backoff_s * 2.0, self._source.backoff_max_s)

    def _look_whether_alive(self, stream: ByteStream) -> None:
        """Ask a gpsd that says nothing (it may have no receiver), and leave one that does not answer."""
        now_s = self._clock.monotonic_s()
        quiet_s = now_s - self._report_s
        source = self._source
        if not self._heard:
            if now_s - self._opened_s > source.answer_within_s:
                self._lost("it does not speak like a gpsd", "gpsd_no_answer")
        elif not self._asked and quiet_s > source.quiet_after_s:
            self._asked = True
            try:
                stream.send(_ASK)
            except OSError as error:
                self._lost(error.strerror or str(error), "gpsd_connection_failed")
        elif quiet_s > source.quiet_after_s + source.answer_within_s:
            self._lost("it fell silent", "gpsd_silent")

    # --- what it says -----------------------------------------------------------------------------
    def _take(self, data: bytes) -> None:
        now_s = self._clock.monotonic_s()
        with self._lock:
            for line in self._lines.feed(data):
                try:
                    report = parse(line)
                except RefusedLine as refused:
                    self._counts[refused.reason] += 1
                    continue
                self._report_s, self._heard, self._asked = now_s, True, False
                self._hear(report, now_s)
            fix = self._judge.latest(now_s)
        self._say(fix, now_s)

    def _hear(self, report: Report, now_s: float) -> None:
        if isinstance(report, Word):
            self._word(report)
            return
        if not self._is_ours(report, now_s):
            return
        if isinstance(report, Tpv):
            self._backoff_s = self._source.backoff_first_s
            self._fault.over()
            self._judge.tpv(report, now_s)
            if report.has_place:
                self._chosen_fix_s = now_s
        elif isinstance(report, Sky):
            self._judge.sky(report, now_s)
        elif isinstance(report, Gst):
            self._judge.gst(report, now_s)
        elif isinstance(report, Att):
            self._attitude = (now_s, report)
        elif self._source.on_this_machine and self._judge.knows_time(now_s):
            self._witness.take(report, now_s=now_s, utc_s=self._clock.utc().timestamp())

    def _is_ours(self, report: Tpv | Sky | Gst | Att | TimeOffset, now_s: float) -> bool:
        """Whether it comes from the receiver that is listened to; two would look like jumps."""
        if self._source.device:
            return report.device == self._source.device
        if report.device == self._chosen:
            return True
        if isinstance(report, Att):
            return True  # A compass is a device of its own.
        without_s = now_s - self._chosen_fix_s
        if not self._chosen or (
            isinstance(report, Tpv)
            and report.has_place
            and without_s > self._source.rules.stale_after_s
        ):
            self._choose(report.device, now_s)
            return True
        return False

    def _choose(self, device: str, now_s: float) -> None:
        if self._chosen:
            self._counts["gpsd_receiver_changed"] += 1
            self._counts["gpsd_jumps"] += self._judge.jump.jumps
            self._counts["gpsd_fixes_not_believed"] += self._judge.fixes_not_believed
            self._judge = Judge(self._source.rules, geoid=self._geoid)
        self._chosen, self._chosen_fix_s = device, now_s
        self._log.info("gpsd_receiver", device=device)

    def _word(self, word: Word) -> None:
        if word.name == "VERSION":
            self._release = word.text
        elif word.name == "DEVICES":
            self._devices = word.devices
        elif word.name == "ERROR":
            self._counts["gpsd_error"] += 1
            self._complaint.fault(text=word.text)

    def _say(self, fix: Fix, now_s: float) -> None:
        """Log a new status, not each of those that a receiver runs through within seconds."""
        said, when_s = self._said
        if fix.status != said and now_s - when_s >= _SAY_EVERY_S:
            self._said = (fix.status, now_s)
            self._log.info("position_status", status=fix.status, reason=fix.reason, before=said)
