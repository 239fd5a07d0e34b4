"""Bytes into lines, in bounded memory: what a peer sends without an end of line is not kept."""

from collections.abc import Iterator

LONGEST_LINE = 16 * 1024
"""gpsd cuts its own lines at 10,240 characters.

Source: gpsd_json(5), overview (GPS_JSON_RESPONSE_MAX).
"""


class Lines:
    """Puts lines together from pieces of any size.

    Args:
        longest: bytes of a line; a longer one is passed over up to its end and counted once.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._passing_over = False
        self.too_long = 0

    @property
    def held(self) -> int:
        """Bytes of a line whose end has not come."""
        return len(self._rest)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Return the lines that end in these bytes, without their ends; empty ones are left out."""
        pieces = data.split(b"\n")
        for piece in pieces[:-1]:
            line = self._take(piece)
            self._rest.clear()
            if self._passing_over:
                self._passing_over = False
            elif line:
                yield line
        self._take(pieces[-1])

    def _take(self, piece: bytes) -> bytes:
        if self._passing_over:
            return b""
        if len(self._rest) + len(piece) > self._longest:
            self.too_long += 1
            self._passing_over = True
            self._rest.clear()
            return b""
        self._rest += piece
        return bytes(self._rest).rstrip(b"\r")
