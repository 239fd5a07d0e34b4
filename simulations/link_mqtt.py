"""Where MQTT packets end in a stream of bytes, so that a packet can be sent twice as a whole.

A sender that has lost its broker's word sends a PUBLISH of QoS 1 again, with the same number and
the DUP flag; a broken one does so without need. That is what `Doubler` makes of every PUBLISH.

Source: MQTT Version 5.0, OASIS Standard, 2.1 (fixed header), 1.5.5 (variable byte integer), 3.3.1.
"""

_CONNECT, _CONNACK, _PUBLISH = 0x10, 0x20, 0x30
_KIND = 0xF0
_DUP = 0x08
_QOS = 0x06
_LONGEST = 256 * 1024


class Doubler:
    """Reads one direction of one connection from its first byte on.

    Bound: a packet of more than 256 kB passes through and is never doubled. A stream that does not
    begin as MQTT does (TLS, another protocol) passes through untouched.
    """

    def __init__(self) -> None:
        self._packet = bytearray()
        self._left: int | None = None
        self._kept = True
        self._first = True
        self._plain = False
        self.doubled = 0

    def feed(self, data: bytes, *, double: bool) -> bytes:
        """Return the bytes to send for these: the same, and behind each whole PUBLISH its double.

        Args:
            data: what came.
            double: whether PUBLISH packets that end in it are doubled.
        """
        if self._plain:
            return data
        out = bytearray()
        rest = memoryview(data)
        while rest and not self._plain:
            taken = self._take(rest)
            out += rest[:taken]
            rest = rest[taken:]
            if self._left == 0:
                out += self._end(double=double)
        return bytes(out) + bytes(rest)

    def _take(self, data: memoryview) -> int:
        """Take in bytes up to the end of the packet at most; returns how many."""
        if self._left is not None:
            taken = min(self._left, len(data))
            self._left -= taken
            if self._kept:
                self._packet += data[:taken]
            return taken
        self._packet.append(data[0])
        if self._first and len(self._packet) == 1:
            self._plain = self._packet[0] not in {_CONNECT, _CONNACK}
            self._first = False
        elif len(self._packet) > 1 and data[0] < 0x80:
            self._left = sum((byte & 0x7F) << (7 * k) for k, byte in enumerate(self._packet[1:]))
            self._kept = self._left <= _LONGEST
        elif len(self._packet) == 5:
            self._plain = True  # No length has more than four bytes: this is no MQTT.
        return 1

    def _end(self, *, double: bool) -> bytes:
        packet, self._packet, self._left = bytes(self._packet), bytearray(), None
        if not double or not self._kept or packet[0] & _KIND != _PUBLISH:
            return b""
        self.doubled += 1
        again = packet[0] | _DUP if packet[0] & _QOS else packet[0]
        return bytes((again,)) + packet[1:]
