"""MAVLink 2 signatures: made for what we send, demanded of what we hear.

With a key, nothing unsigned, wrongly signed or said before is read. Time stamps count ten
microseconds since the first second of 2015; ours never go back, also over a restart, and follow a
vehicle whose clock runs ahead, as ArduPilot's does by a minute after each start.

Source: MAVLink guide, message signing.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from hardware.autopilot_mavlink.frames import SIGNED, V2, Frame, with_checksum
from runtime.clock import Clock
from runtime.errors import AskOperator

TICKS_PER_S = 100_000
MOST_TICKS = 2**48 - 1
_EPOCH = datetime(2015, 1, 1, tzinfo=timezone.utc)
_BEHIND_TICKS = 60 * TICKS_PER_S
"""A stream that is new may be as far behind us."""
_MOST_STREAMS = 64
_KEY_BYTES = 32
_SAVE_EVERY_S = 30.0


def key_of(text: str) -> bytes:
    """The key that a file's text stands for: 64 hexadecimal digits, else a pass phrase.

    A pass phrase is hashed as ground stations do (SHA-256), so that the same words fit both.

    Raises:
        AskOperator: there is no text.
    """
    text = text.strip()
    if not text:
        raise AskOperator(
            field="autopilot.signing_key_file",
            value="an empty file",
            allowed="64 hexadecimal digits, or a pass phrase",
            next_step="write the key that was given to the vehicle into it",
        )
    if len(text) == 2 * _KEY_BYTES:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    return hashlib.sha256(text.encode()).digest()


class Signer:
    """Keeper of the key of one link.

    Args:
        key: 32 bytes.
        link_id: of our side of this link, 0 to 255.
        clock: for time stamps.
        state_file: where the highest time stamp is kept over a restart; None keeps it nowhere.
    """

    def __init__(
        self, key: bytes, *, link_id: int, clock: Clock, state_file: Path | None = None
    ) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError(f"key has {len(key)} bytes; allowed is 32; see key_of")
        self._key = key
        self._link_id = link_id
        self._clock = clock
        self._state_file = state_file
        self._ticks = self._kept()
        self._saved_s = clock.monotonic_s()
        self._streams: dict[tuple[int, int, int], int] = {}
        self.counters: Counter[str] = Counter()

    def sign(self, frame: bytes, crc_extra: int) -> bytes:
        """A frame of ours, flagged and signed; version 1 has no room for it and goes as it is.

        Args:
            frame: complete and unsigned.
            crc_extra: seed of its message.
        """
        if frame[0] != V2:
            return frame
        self._ticks = min(MOST_TICKS, max(self._ticks + 1, self._now_ticks()))
        head = frame[:2] + bytes((frame[2] | SIGNED,)) + frame[3:-2]
        body = with_checksum(head, crc_extra) + bytes((self._link_id,))
        body += self._ticks.to_bytes(6, "little")
        self._save(force=False)
        return body + self._signature(body)

    def accepts(self, frame: Frame) -> bool:
        """Whether a frame was signed with our key, and is newer than all before it of its stream."""
        if not frame.signed:
            self.counters["unsigned"] += 1
            return False
        body, signature = frame.raw[:-6], frame.raw[-6:]
        if not hmac.compare_digest(signature, self._signature(body)):
            self.counters["bad_signature"] += 1
            return False
        ticks = int.from_bytes(body[-6:], "little")
        stream = (frame.system_id, frame.component_id, body[-7])
        known = self._streams.get(stream)
        if known is None:
            own = max(self._ticks, self._now_ticks())
            if len(self._streams) >= _MOST_STREAMS or ticks + _BEHIND_TICKS < own:
                self.counters["signed_long_ago"] += 1
                return False
        elif ticks <= known:
            self.counters["replayed"] += 1
            return False
        self._streams[stream] = ticks
        self._ticks = max(self._ticks, ticks)
        return True

    def close(self) -> None:
        """Keep the time stamp for the next start."""
        self._save(force=True)

    def _signature(self, body: bytes) -> bytes:
        return hashlib.sha256(self._key + body).digest()[:6]

    def _now_ticks(self) -> int:
        elapsed_s = (self._clock.utc() - _EPOCH).total_seconds()
        return max(0, min(MOST_TICKS, int(elapsed_s * TICKS_PER_S)))

    def _kept(self) -> int:
        if self._state_file is None:
            return 0
        try:
            kept = json.loads(self._state_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0
        ticks = kept.get("ticks") if isinstance(kept, Mapping) else None
        if not isinstance(ticks, int) or not 0 <= ticks <= MOST_TICKS:
            return 0
        # Written now and then only: what was signed after the last time must lie below.
        return min(MOST_TICKS, ticks + int(2 * _SAVE_EVERY_S * TICKS_PER_S))

    def _save(self, *, force: bool) -> None:
        now_s = self._clock.monotonic_s()
        if self._state_file is None or (not force and now_s - self._saved_s < _SAVE_EVERY_S):
            return
        self._saved_s = now_s
        fresh = self._state_file.with_suffix(".new")
        try:
            self._state_file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps({"ticks": self._ticks}), encoding="ascii")
            fresh.replace(self._state_file)
        except OSError:
            self.counters["state_not_saved"] += 1
