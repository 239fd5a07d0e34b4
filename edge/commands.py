"""Commands from the station: believed only when signed, fresh, for this node, and not seen before.

Every readable command is answered: ACCEPTED, or REJECTED with the reason in words. What cannot be
read at all is counted.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from edge.outbox import Item, Outbox
from runtime.clock import Clock
from runtime.ids import UlidSource
from runtime.log import get_logger
from wire import codec
from wire.commands import VERBS, Command, CommandAck, ReasonCode, SignedDocument
from wire.signing import BadSignature, VerifyKey
from wire.topics import BY_NAME
from wire.values import Ulid

REMEMBER_AFTER_EXPIRY = timedelta(hours=1)
MISSION_VERBS = frozenset(
    {"mission_load", "mission_launch", "pause", "resume", "skip", "recall", "land"}
)
_ULID: TypeAdapter[str] = TypeAdapter(Ulid)


class Rejected(Exception):  # it is an answer, not a fault
    """A command that will not be obeyed.

    Attributes:
        code: Stable word of the contract.
        reason: For a person.
    """

    def __init__(self, code: ReasonCode, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


Handler = Callable[[Command], None]
"""Obeys a command of one verb, or raises `Rejected`."""


class CommandDesk:
    """Checks and answers commands.

    Args:
        site_id: Of this node.
        node_id: Of this node.
        key: The station's public key; None rejects everything.
        clock: For expiry, and its own quality.
        max_clock_error_s: With a worse clock nothing is obeyed: expiry would mean nothing.
        missions_allowed: From the config.
        outbox: Takes the answers and remembers the ids.
        ids: For the answers.
        handlers: What this node can do, by verb.
    """

    def __init__(
        self,
        *,
        site_id: str,
        node_id: str,
        key: VerifyKey | None,
        clock: Clock,
        max_clock_error_s: float,
        missions_allowed: bool,
        outbox: Outbox,
        ids: UlidSource,
        handlers: Mapping[str, Handler],
    ) -> None:
        self._site_id = site_id
        self._node_id = node_id
        self._key = key
        self._clock = clock
        self._max_clock_error_s = max_clock_error_s
        self._missions_allowed = missions_allowed
        self._outbox = outbox
        self._ids = ids
        self._handlers = dict(handlers)
        self._log = get_logger(worker="commands")
        self.refused: Counter[str] = Counter()

    def handle(self, payload: bytes, *, retained: bool) -> None:
        """Take in the bytes of a command and queue the answer."""
        if retained:
            # A command is never retained: a kept one would be obeyed at every restart.
            self.refused["retained"] += 1
            return
        try:
            signed: SignedDocument = codec.decode(payload, spec=BY_NAME["cmd"]).message.body
        except codec.Refused as error:
            self.refused[error.reason] += 1
            self._log.warning("command_unreadable", reason=error.detail)
            return
        command: Command | None = None
        try:
            command = self._read(signed)
            self._check(command)
            self._obey(command)
        except Rejected as error:
            self.refused[error.code] += 1
            known = _peek(signed) if command is None else (command.command_id, command.body.verb)
            if known is None:
                self._log.warning("command_unreadable", reason=error.reason)
                return
            self._answer(known, "REJECTED", error.code, error.reason)
        else:
            self._answer((command.command_id, command.body.verb), "ACCEPTED", "", "")

    def _read(self, signed: SignedDocument) -> Command:
        if self._key is None:
            raise Rejected("signature", "this node has no station key; set node.station_key_file")
        try:
            return codec.decode_command(self._key.verify(signed))
        except BadSignature as error:
            raise Rejected("signature", str(error)) from None
        except codec.Refused as error:
            code: ReasonCode = "unknown_field" if error.reason == "unknown_field" else "malformed"
            raise Rejected(code, error.detail) from None

    def _check(self, command: Command) -> None:
        if (command.site_id, command.node_id) != (self._site_id, self._node_id):
            raise Rejected(
                "wrong_node",
                f"for {command.site_id}/{command.node_id}, this is {self._site_id}/{self._node_id}",
            )
        quality = self._clock.quality()
        if quality.error_s is None or quality.error_s > self._max_clock_error_s:
            known = "was never set" if quality.error_s is None else f"may err {quality.error_s:g} s"
            raise Rejected(
                "clock",
                f"this node's clock {known}; at most {self._max_clock_error_s:g} s is allowed: "
                "wait for its time service",
            )
        now_utc = self._clock.utc()
        if now_utc >= command.expires_at_utc:
            late_s = (now_utc - command.expires_at_utc).total_seconds()
            raise Rejected("expired", f"its life ended {late_s:.1f} s ago; give it again")
        self._outbox.forget_commands(now_utc)
        try:
            until_utc = command.expires_at_utc + REMEMBER_AFTER_EXPIRY
        except OverflowError:
            raise Rejected(
                "malformed", f"expires_at_utc {command.expires_at_utc} is beyond the calendar"
            ) from None
        if not self._outbox.remember_command(command.command_id, forget_after_utc=until_utc):
            raise Rejected("replayed", "this command was seen before; give a new one")

    def _obey(self, command: Command) -> None:
        verb = command.body.verb
        if verb in MISSION_VERBS and not self._missions_allowed:
            raise Rejected("not_allowed", "this node flies no missions (missions.allowed = false)")
        handler = self._handlers.get(verb)
        if handler is None:
            raise Rejected("unsupported", f"this node cannot do {verb!r}")
        handler(command)

    def _answer(
        self,
        known: tuple[str, str],
        status: Literal["ACCEPTED", "REJECTED"],
        code: ReasonCode,
        reason: str,
    ) -> None:
        command_id, verb = known
        self._log.info(
            "command_answered", command_id=command_id, verb=verb, status=status, code=code
        )
        now_utc: datetime | None = self._clock.utc() if self._clock.quality().synchronised else None
        self._outbox.put(
            Item(
                id=self._ids.new(),
                kind="ack",
                body=CommandAck(
                    command_id=command_id,
                    verb=verb,
                    status=status,
                    reason_code=code,
                    # It may quote what came: half a character cannot be said again.
                    reason=reason[:2000].encode(errors="replace").decode(),
                ),
                key=True,
                t_event_utc=now_utc,
                t_event_monotonic_s=self._clock.monotonic_s(),
            )
        )


def _peek(signed: SignedDocument) -> tuple[str, str] | None:
    """Id and verb of a command that was not believed, only so that its refusal can be told."""
    try:
        raw = codec.parse_json(signed.signed, max_bytes=BY_NAME["cmd"].max_bytes)
        command_id = _ULID.validate_python(raw.get("command_id"))
    except (codec.Refused, ValidationError):
        return None
    body = raw.get("body")
    verb = body.get("verb") if isinstance(body, dict) else None
    return command_id, verb if isinstance(verb, str) and verb in VERBS else "?"
