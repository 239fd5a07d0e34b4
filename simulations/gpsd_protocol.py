"""One client's talk with gpsd: requests in, answers out, no socket.

Written to answer as a running gpsd 3.22 does, its oddities included: what arrives in one piece is
one batch; a batch that does not begin with "?" is passed over; the first thing in it that is no
request spoils the rest; a WATCH that cannot be read still switches watching on.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from simulations import gpsd_json

_FLAGS = ("enable", "json", "nmea", "scaled", "timing", "split24", "pps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a client has asked to be told."""

    enable: bool = False
    json: bool = False
    nmea: bool = False
    raw: int = 0
    scaled: bool = False
    timing: bool = False
    split24: bool = False
    pps: bool = False
    device: str = ""

    def text(self) -> str:
        """Return it as gpsd answers."""
        shown = ("enable", "json", "nmea", "raw", "scaled", "timing", "split24", "pps")
        parts = [f'"{name}":{json.dumps(getattr(self, name))}' for name in shown]
        if self.device:
            parts.append(f'"device":{json.dumps(self.device)}')
        return '{"class":"WATCH",' + ",".join(parts) + "}"


class Daemon(Protocol):
    """What a client's talk needs of the server."""

    dialect: gpsd_json.Dialect

    def device(self) -> gpsd_json.Device:
        """How far it is with the receiver."""
        ...

    def open_device(self) -> None:
        """Somebody watches."""
        ...

    def poll(self, *, active: bool) -> str:
        """What is known now."""
        ...


class Talk:
    """The state of one connection.

    Args:
        daemon: who answers.
    """

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self.watch = Watch()

    def receive(self, data: bytes) -> list[str]:
        """Answer one batch, as it came out of the socket."""
        text = data.decode("latin-1")
        if not text.endswith("\n"):
            text += "\n"  # Nothing is kept for a rest that may come: half a request is a request.
        if not text.startswith("?"):
            return []
        said: list[str] = []
        while text := text.lstrip():
            lines, text = self._request(text)
            said += lines
        return said

    def _request(self, text: str) -> tuple[list[str], str]:
        dialect, state = self._daemon.dialect, self._daemon.device
        plain: tuple[tuple[str, Callable[[], str]], ...] = (
            ("?VERSION;", lambda: gpsd_json.version(dialect)),
            ("?DEVICES;", lambda: gpsd_json.devices(dialect, state())),
            ("?DEVICE;", lambda: gpsd_json.device(dialect, state())),
            ("?POLL;", lambda: self._daemon.poll(active=self.watch.enable)),
        )
        for word, answer in plain:
            if text.startswith(word):
                return [answer()], text[len(word) :]
        if text.startswith("?WATCH;"):
            return self._now(), text[len("?WATCH;") :]
        if text.startswith("?WATCH="):
            return self._watch(text[len("?WATCH=") :])
        if text.startswith("?DEVICE="):
            return self._device(text[len("?DEVICE=") :])
        return [gpsd_json.error(f"Unrecognized request '{text}'")], ""

    def _now(self) -> list[str]:
        return [
            gpsd_json.devices(self._daemon.dialect, self._daemon.device()),
            self.watch.text(),
        ]

    def _watch(self, text: str) -> tuple[list[str], str]:
        values, problem, rest = _object(text)
        asked = replace(self.watch, enable=True)
        flags: dict[str, Any] = {}
        for name, value in values.items():
            if name in _FLAGS:
                if isinstance(value, str):
                    problem = problem or "saw quoted value when expecting nonstring"
                    rest = text.partition("{")[2]
                    break
                flags[name] = value is True
            elif name == "raw" and isinstance(value, int):
                asked = replace(asked, raw=value)
            elif name == "device":
                asked = replace(asked, device=str(value))
        asked = replace(asked, **flags)
        if asked.device and asked.device != self._daemon.dialect.device:
            return [gpsd_json.error(f"No such device as {asked.device}")], rest
        self.watch = asked
        if asked.enable:
            self._daemon.open_device()
        said = [] if problem is None else [gpsd_json.error(f"Invalid WATCH: {problem}")]
        return said + self._now(), rest

    def _device(self, text: str) -> tuple[list[str], str]:
        values, problem, rest = _object(text)
        if problem is not None:
            # The lone quotation mark is gpsd's own; it makes the line no JSON, and clients meet it.
            return [f'{{"class":"ERROR","message":"Invalid DEVICE: "{problem}"}}'], rest
        path = values.get("path", self._daemon.dialect.device)
        if path != self._daemon.dialect.device:
            return [gpsd_json.error(f"Can't open {path}.")], rest
        return [gpsd_json.device(self._daemon.dialect, self._daemon.device())], rest


def _object(text: str) -> tuple[dict[str, object], str | None, str]:
    """Read the object after "=" as leniently as gpsd does.

    Returns:
        Its values, what was wrong with it, and the text behind it. An object that is cut off is
        not wrong to gpsd: what it did not read keeps its default.
    """
    if not text.startswith("{"):
        return {}, "non-whitespace when expecting object start", text.removeprefix(";")
    inside, closed, rest = text[1:].partition("}")
    rest = rest.removeprefix(";")
    if closed and not inside.strip():
        return {}, "non-whitespace when expecting attribute start", rest
    values: dict[str, object] = {}
    for part in inside.split(","):
        name, _, value = part.partition(":")
        try:
            values[str(json.loads(name))] = json.loads(value)
        except ValueError:
            break
    return values, None, rest
