"""Puts a node's name, session, times and clock around what it says."""

from functools import cache
from typing import Any, cast

from edge.outbox import Due
from runtime.clock import Clock, ClockQuality
from runtime.ids import UlidSource
from wire import codec
from wire.envelope import Envelope
from wire.topics import BY_NAME, TopicSpec
from wire.values import ClockSource, ClockStamp, WireModel


@cache
def _model(body: type[WireModel]) -> type[Envelope[Any]]:
    return cast("type[Envelope[Any]]", Envelope.__class_getitem__(body))


class Envelopes:
    """The one place of a node where messages become bytes.

    Args:
        site_id: Of the site.
        node_id: Of this node.
        session: ULID of this run of the program.
        simulated: Carried in every message.
        clock: For stamps.
        ids: For messages that never enter the outbox.
    """

    def __init__(
        self,
        *,
        site_id: str,
        node_id: str,
        session: str,
        simulated: bool,
        clock: Clock,
        ids: UlidSource,
    ) -> None:
        self.site_id = site_id
        self.node_id = node_id
        self.session = session
        self._simulated = simulated
        self._clock = clock
        self._ids = ids

    def topic(self, name: str, **values: str) -> str:
        """A topic of this node."""
        return BY_NAME[name].format(site=self.site_id, node=self.node_id, **values)

    def now(self, name: str, body: WireModel) -> tuple[str, bytes]:
        """Topic and bytes of something that happens now and never waits in the outbox."""
        quality = self._clock.quality()
        now_utc = self._clock.utc() if quality.synchronised else None
        boot_s = self._clock.monotonic_s()
        spec = BY_NAME[name]
        message = _model(spec.body)(
            id=self._ids.new(),
            node_id=self.node_id,
            session=self.session,
            t_event_utc=now_utc,
            t_sent_utc=now_utc,
            t_event_boot_s=boot_s,
            t_sent_boot_s=boot_s,
            clock=_stamp(quality),
            simulated=self._simulated,
            body=body,
        )
        return self.topic(name), codec.encode(message, spec=spec)

    def queued(self, due: Due) -> tuple[str, bytes]:
        """Topic and bytes of a message from the outbox, stamped with this sending."""
        spec = BY_NAME[due.kind]
        quality = self._clock.quality()
        stamp = ClockStamp(source=cast("ClockSource", due.clock_source), error_s=due.clock_error_s)
        message = _model(spec.body)(
            id=due.id,
            node_id=self.node_id,
            session=self.session,
            seq=due.seq,
            t_event_utc=due.t_event_utc,
            t_sent_utc=self._clock.utc() if quality.synchronised else None,
            t_event_boot_s=due.t_event_boot_s,
            # Of another boot the difference of both would mean nothing.
            t_sent_boot_s=self._clock.monotonic_s() if due.boot_s_comparable else None,
            clock=stamp,
            simulated=self._simulated,
            body=spec.body.model_validate_json(due.body),
        )
        return self._queued_topic(spec, due), codec.encode(message, spec=spec)

    def _queued_topic(self, spec: TopicSpec, due: Due) -> str:
        extra = [name for name in spec.parameters if name not in {"site", "node"}]
        return self.topic(due.kind, **dict.fromkeys(extra, due.parameter))


def _stamp(quality: ClockQuality) -> ClockStamp:
    return ClockStamp(source=cast("ClockSource", quality.source), error_s=quality.error_s)
