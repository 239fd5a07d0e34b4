"""STATUSTEXT as ArduPilot sends it: fifty characters a message, longer texts in numbered chunks."""

from pymavlink.dialects.v20 import ardupilotmega as mav

from simulations.vehicle.ports import Message, Text

CHUNK_CHARACTERS = 50


class TextNumbers:
    """Gives long texts their ids: 1, 2, 3 ..., never 0 (0 says that the text is whole)."""

    def __init__(self) -> None:
        self._last = 0

    def statustexts(self, text: Text) -> list[Message]:
        """Split one text into messages.

        Args:
            text: of any length.

        Returns:
            One message with id 0, or several with the same new id and chunk_seq from 0. A text
            whose last chunk is full gets one more, empty one, so that a reader sees its end.
        """
        raw = text.text.encode("ascii", errors="replace")
        if len(raw) <= CHUNK_CHARACTERS:
            return [mav.MAVLink_statustext_message(text.severity, raw, 0, 0)]
        self._last = self._last % 0xFFFF + 1
        chunks = [raw[at : at + CHUNK_CHARACTERS] for at in range(0, len(raw), CHUNK_CHARACTERS)]
        if len(chunks[-1]) == CHUNK_CHARACTERS:
            chunks.append(b"")
        return [
            mav.MAVLink_statustext_message(text.severity, chunk, self._last, number)
            for number, chunk in enumerate(chunks)
        ]
