"""Orders to nodes: the audit row first, then the signed command, never retained, always expiring."""

from datetime import timedelta
from typing import Literal

from ground_station.announce import Announcer
from ground_station.config import GroundConfig
from ground_station.store import Store, chain, intake
from ground_station.store.rows import from_ms, to_ms
from ground_station.views import CommandView
from runtime.clock import Clock
from runtime.ids import UlidSource
from wire import codec
from wire.commands import Command, Still
from wire.signing import SigningKey
from wire.values import rfc3339_ms

STILL_LIVES_S = 30.0


class Commander:
    """Signs and sends commands.

    Args:
        config: which site this is.
        store: keeps the audit and the commands.
        announcer: publishes.
        key: the station's secret key.
        clock: for issue and expiry.
        ids: for command ids.
    """

    def __init__(
        self,
        *,
        config: GroundConfig,
        store: Store,
        announcer: Announcer,
        key: SigningKey,
        clock: Clock,
        ids: UlidSource,
    ) -> None:
        self._site_id = config.station.site_id
        self._store = store
        self._announcer = announcer
        self._key = key
        self._clock = clock
        self._ids = ids

    def still(self, *, node_id: str, sensor_id: str, operator: str) -> CommandView:
        """Ask a node for one picture now."""
        return self._send(
            node_id=node_id,
            body=Still(sensor_id=sensor_id),
            operator=operator,
            lives_s=STILL_LIVES_S,
        )

    def _send(self, *, node_id: str, body: Still, operator: str, lives_s: float) -> CommandView:
        now_utc = self._clock.utc()
        command = Command(
            command_id=self._ids.new(),
            site_id=self._site_id,
            node_id=node_id,
            operator=operator,
            issued_at_utc=now_utc,
            expires_at_utc=now_utc + timedelta(seconds=lives_s),
            body=body,
        )
        document = self._key.sign(codec.command_text(command))
        with self._store.write() as tx:
            chain.append(
                tx,
                t_utc=now_utc,
                actor=operator,
                act=f"command.{body.verb}",
                subject=node_id,
                detail={
                    "command_id": command.command_id,
                    "body": body.model_dump(mode="json"),
                    "expires_at_utc": rfc3339_ms(command.expires_at_utc),
                },
            )
            intake.add_command(
                tx,
                {
                    "command_id": command.command_id,
                    "node_id": node_id,
                    "verb": body.verb,
                    "operator": operator,
                    "t_issued_utc_ms": to_ms(now_utc),
                    "t_expires_utc_ms": to_ms(command.expires_at_utc),
                    "status": "SENT",
                    "reason": "",
                },
            )
        sent = self._announcer.send("cmd", document, node_id=node_id, expiry_s=max(1, int(lives_s)))
        if not sent:
            self._not_sent(command)
        status: Literal["SENT", "NOT_SENT"] = "SENT" if sent else "NOT_SENT"
        return CommandView(
            command_id=command.command_id,
            node_id=node_id,
            verb=body.verb,
            status=status,
            reason="" if sent else "the broker is not reached; nothing was sent",
            expires_utc=rfc3339_ms(command.expires_at_utc),
        )

    def _not_sent(self, command: Command) -> None:
        reason = "the broker is not reached"
        with self._store.write() as tx:
            intake.save_answer(
                tx,
                command_id=command.command_id,
                node_id=command.node_id,
                status="NOT_SENT",
                reason=reason,
            )
            chain.append(
                tx,
                t_utc=self._clock.utc(),
                actor="system",
                act="command.not_sent",
                subject=command.node_id,
                detail={"command_id": command.command_id, "reason": reason},
            )

    def view(self, command_id: str) -> CommandView | None:
        """A command with the newest answer."""
        with self._store.read() as tx:
            row = intake.get_command(tx, command_id)
        if row is None:
            return None
        return CommandView(
            command_id=row["command_id"],
            node_id=row["node_id"],
            verb=row["verb"],
            status=row["status"],
            reason=row["reason"],
            expires_utc=rfc3339_ms(from_ms(row["t_expires_utc_ms"])),
        )
